"""What of the model's text may be shown, before the guard looks at it.

    place       what a rule may know of the cursor's surroundings
    leaks       special tokens, fences and other marks that are no code
    seam        where the text meets what was typed
    following   what stands after the cursor already
    repetition  loops, and lines of above written again
    margins     white space: indentation as in the file, line ends, trailing space
    meaning     too little to be worth a look
    likeness    when two lines say the same
    rules       the order, and why nothing is left

Each rule is a pure function that takes characters away; only indentation is ever rewritten.  Text has
Unix line ends until `margins.like_document` gives the document's own back.
"""

from .margins import like_document
from .place import Place
from .rules import Trimmed, trim

__all__ = ["Place", "Trimmed", "like_document", "trim"]
