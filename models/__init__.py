"""Token ids in, token ids out: weights, quantisation, KV cache, decoding, and the engine process.

Knows nothing about workspaces, editors or what text means.  Importing this package (or `client`,
`wire`, `errors`, `tokens`, `prompts`) does not import torch; only the engine process does.
"""
