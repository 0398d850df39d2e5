"""How likely a suggestion is to be right, and whether that is enough to show it unasked.

`facts` says what is looked at, `estimate` makes a probability of it, `history` moves it by what the person
here accepts, `showing` compares it with the threshold.  None of them knows text, models or editors.
"""

from .estimate import Confidence, of
from .facts import Facts

__all__ = ["Confidence", "Facts", "of"]
