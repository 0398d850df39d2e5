"""What the model is told: facts about the workspace, ranked and packed.

Imports nothing of ours.  Never sees a token id (a counter is passed in) and never fails on broken
code: parsing returns a tree, with errors in it.
"""
