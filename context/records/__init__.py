"""What we know of each language, one frozen record each.

Adding a language is a record here, its row in `..language_table`, a file `queries/NAME.scm` and its
wheel.  Node names are those of the grammar versions pinned in pyproject.toml;
tests/context/test_languages.py asks the grammars whether they still exist.
"""

from .record import BlockStyle, Language

__all__ = ["BlockStyle", "Language"]
