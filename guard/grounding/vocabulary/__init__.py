"""Every name that a workspace, what it has installed and its standard library define.

    python_names, web_names, binary_names, builtin_names
                 names of a source, of a declaration file, of an extension module, of our interpreter
    parts        what there is to read: distributions, packages of node, folders; a key for each
    sources      where to look, from the environment of a project
    table        sorted hashes in a file that is mapped, not read
    building     tables of the parts that have none yet, and one of all of them together
    process      the same in a process of its own
    vocabulary   the answers

A table belongs to a distribution and its version, not to a workspace, so the second one with the same
packages costs nothing.  Names are kept as hashes: nobody reads them out of the cache.
"""
