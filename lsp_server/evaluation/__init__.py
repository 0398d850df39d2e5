"""Measuring quality: benchmark files in, pass rates out; generated code runs in a sandbox."""
