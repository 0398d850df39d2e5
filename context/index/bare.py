"""`python -I -m truepenny.context.index.bare ROOT`: parsing alone, to compare the index with.

Reads the paths from its input, one JSON list, then parses each file with its grammar and nothing
else: no query, no storage.  Prints one JSON document.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import tree_sitter

from ..languages import grammar_of, language_of_path


def parse_all(root: Path, paths: list[str]) -> dict[str, float]:
    """Seconds of the clock and of the processor for parsing; reading comes before and is not counted."""
    work: list[tuple[tree_sitter.Parser, bytes]] = []
    parsers: dict[str, tree_sitter.Parser] = {}
    for path in paths:
        language = language_of_path(path)
        if language is not None:
            if language.name not in parsers:
                parsers[language.name] = tree_sitter.Parser(grammar_of(language))
            work.append((parsers[language.name], (root / path).read_bytes()))
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for parser, data in work:
        parser.parse(data)
    return {"seconds": time.perf_counter() - began_s, "cpu_s": time.process_time() - began_cpu_s}


if __name__ == "__main__":
    print(json.dumps(parse_all(Path(sys.argv[1]), json.load(sys.stdin))))
