"""Does what a suggestion names exist?  In this workspace, in its environment, for this type.

`finding` is what all type checkers say in the same words; `Grounding` (in `check`) turns that into
verdicts.  Nothing of a workspace is executed, and a checker that does not answer makes the text
unvouched.
"""
