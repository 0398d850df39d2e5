"""When generated text is complete: the decoder stops on the state of the parse, not on a token count.

    table    what ends statements and blocks, one record per language
    frames   what is open at each line end, from the syntax tree
    lines    the shape of single lines
    watch    the verdict

Nothing here ever shortens what is shown for another reason than being complete: see `trimming`.
"""

from .watch import MAX_LINES, Ending, Watch, watch

__all__ = ["MAX_LINES", "Ending", "Watch", "watch"]
