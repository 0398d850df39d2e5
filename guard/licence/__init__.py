"""Whose code is this?  Suggestions against an index of licensed code, on this machine.

An index holds no text: of every lexeme one byte is kept, enough to confirm a match and too little to
read the code back.  So an index of copyleft code is not a copy of it and may be shipped and shared.

`IndexWriter` makes an index, `LicenceIndex` opens one, `LicenceCheck` judges with several of them.
"""
