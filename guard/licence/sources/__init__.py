"""Where indexed code comes from, and under which licence each file stands.

A *tree* (`trees`, `archives`) gives names and bytes of a folder, an installed package or an
archive, safely and without writing or running anything.  `collect` keeps the files that hold code
of a known language (`files`) and asks, nearest statement first, for the licence of each.
Knows nothing of fingerprints.
"""
