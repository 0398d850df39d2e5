"""`python -I -m truepenny.lsp_server`: the same as `truepenny serve`, and how editors start it.

With `-I` a workspace's own `models/`, `context/` or `dataclasses.py` cannot stand in for ours.
"""

from __future__ import annotations

import argparse
import sys

from .commands.serve import add_arguments, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -I -m truepenny.lsp_server", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
