"""The commands of `truepenny`, one module each: `add_parser(subparsers)` and `run(args) -> int`."""
