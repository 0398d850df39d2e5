"""Which packages there are: in the standard library, installed, declared, well known, published.

    naming       what names may look like, and what counts as the same
    installed    the metadata of what is installed
    manifests_python, manifests_web, declared
                 what a workspace asks for
    standard     modules that come with the language
    known        well-known names in order of use, and the distributions of differing modules
    look_alike   names that are a slip away from a well-known one
    filter       published names, compact: answers "certainly not" and "almost certainly"
    refresh      fills the filter from the index that the user has configured
    imports      the modules that a text names
    mentions     `pip install`, `npm i` and the like in any text
    standing     all of that together

Nothing is imported, run or asked of a network, but by `refresh`, which a person calls.
"""
