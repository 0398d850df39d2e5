"""Type checkers that are kept alive beside us: each a language server on a shadow document.

`registry.Checkers` gives the one for a file.  A checker is our own, or comes from the cache folder
or from PATH outside the workspace; it reads the workspace and executes nothing of it.

From the pipe up: `rpc` knows frames, `process` one child and its restarts, `lsp` documents and
positions, `checker` what was said already.  What differs between servers is a `dialect.Dialect`, made
by one module for each; the words of each are in one table.
"""
