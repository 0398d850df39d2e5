"""Where the cursor stands, and whether and how much to suggest there.

Pure: a document and an offset in, decisions with reasons out.
"""
