"""From a text to its facts: one parse, one pass of the language's query, never an exception.

    queries     the language's `queries/NAME.scm`, compiled
    captures    what the query found, as columns of numbers, in order of the text
    frames      which capture belongs to which definition, import or binding
    definitions, statements, references
                the three kinds of facts
    wording     signatures and docstrings
    document    an open buffer, parsed again only where it changed

Nothing here recurses, and nothing costs more than the length of the text: what lies deeper than
`MAX_DEPTH` is not read, and texts that would be slow to read are skipped with a reason.
"""

from .document import FactsOf
from .file_facts import CountedFacts, extract, extract_counted, extract_tree

__all__ = ["CountedFacts", "FactsOf", "extract", "extract_counted", "extract_tree"]
