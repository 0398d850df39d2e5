"""Secrets in suggestions: found by their issuers' formats, replaced by a look-up where that is safe.

    record     one format, and how formats are written down
    rules      by issuer: what secrets look like
    generic    keys, URLs, web tokens, and what only a name calls secret
    folding    literals put together, or wrapped in base64, read as the program would
    candidate  which matches are placeholders, words, digests
    redaction  the look-up in the language of the document
    check      the verdicts

Evidence names the issuer and never the secret.
"""

from .candidate import entropy
from .check import SecretsCheck

__all__ = ["SecretsCheck", "entropy"]
