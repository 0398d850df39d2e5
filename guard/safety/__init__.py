"""Unsafe code: rules as data, matched on the merged document, judged where the suggestion is.

`check.SafetyCheck` is what the pipeline runs; `rules/README.md` says how a rule is written.
"""
