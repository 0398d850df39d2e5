"""Is this text fit to show?  Plain text and offsets in, verdicts out.

Never sees an editor, a token or a model.  Of our packages it imports only `context`.
"""
