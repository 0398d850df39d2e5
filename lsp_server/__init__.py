"""Protocol in, vouched suggestions out.

The only package that knows LSP, and the one that puts the others together.  The command line lives
here too.
"""
