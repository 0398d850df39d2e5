"""What was suggested before, found again without asking the model.

    proposal   a text that was proposed once, and what of it is still to be written here
    memory     the proposals of each document, those used last first; which of two is shown
    silences   where there was nothing to suggest a moment ago, and what a person typed over
    remembering   the three put to use: asked before the engine, told of what it wrote
    underway      what is being written now, and which later requests it will serve
    ahead         the line after the suggestion on the screen, made in a pause

The first three know texts and offsets; no engine, no guard, no editor.
"""
