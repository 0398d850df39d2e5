"""The facts of a workspace, kept outside it: scanned, extracted once per content, watched, queried.

`workspace.WorkspaceIndex` is the façade.  What is stored depends on the bytes of a file alone, so
branches, worktrees and windows share it.  Files that are refused (`exclusion.Reason`) are never
stored, and sensitive ones are never read.
"""
