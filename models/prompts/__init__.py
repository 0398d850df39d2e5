"""Prompt layouts: fill-in-the-middle and chat.  Text in, token ids out; file text is never control."""
