"""`truepenny eval calibration`: does a confidence keep its word, and which weights would make it do so?"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...models.errors import ModelsError
from ..confidence.estimate import INTERCEPT, WEIGHTS
from ..evaluation.cases import CasesError, read_cases
from ..settings import DEFAULT_MODEL, Settings, read_settings
from .measuring import rounded

if TYPE_CHECKING:
    from ..evaluation.calibration import Bin, Calibration, Fit, Row

EXAMPLE = """\
examples:
  truepenny eval calibration he_infill_*.jsonl.gz --limit 40 --rows rows.jsonl      asks, and keeps numbers
  truepenny eval calibration --rows rows.jsonl --plot calibration.svg --json        looks at them again

The rows hold probabilities, lengths and whether the suggestion was right, and no text.  Two figures are
told: of the weights in use, and of weights fitted anew, each row judged by those fitted without it.
"""

_STYLE = "font-family:system-ui,sans-serif;font-size:12px"


def add_parser(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = kinds.add_parser(
        "calibration",
        help="how far a confidence can be believed",
        description="Fill holes as `eval infill` does, note how sure the model was and whether it was right, "
        "and fit the weights that make a probability of the one for the other.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sets", type=Path, nargs="*", metavar="SET", help="as for `eval infill`; none: only --rows"
    )
    parser.add_argument(
        "--rows", type=Path, required=True, metavar="FILE", help="JSON lines: read, and added to from sets"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N cases of each set")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--engine", default="local", metavar="local|fake|URL", help="default: %(default)s")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw what was told against what was")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: measured, whatever the figures; 2: it could not be measured."""
    from ..evaluation.calibration import Fit, assess, fit, held_out

    try:
        settings = _settings(args)
        for path in cast("list[Path]", args.sets):
            rows = asyncio.run(_asked(settings, path, args.limit))
            with args.rows.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row.to_json()) + "\n" for row in rows)
        rows = read_rows(args.rows)
        used = Fit(INTERCEPT, WEIGHTS)
        now, anew, found = assess(_told(used, rows), rows), assess(held_out(rows), rows), fit(rows)
        if args.plot is not None:
            args.plot.write_text(plot(anew.bins), encoding="utf-8")
    except (CasesError, ModelsError, OSError) as error:
        print(f"truepenny eval: {error}", file=sys.stderr)
        return 2
    print(table("the weights in use", now))
    print(table("fitted anew, each row by the others", anew))
    print(weights_table(found))
    if args.json:
        document = {"rows": len(rows), "in_use": asdict(now), "held_out": asdict(anew), "fit": asdict(found)}
        print(json.dumps(rounded(document)))
    return 0


def read_rows(path: Path) -> list[Row]:
    """Raises CasesError where a line is no row, or there are too few to say anything."""
    from ..evaluation.calibration import Row

    rows: list[Row] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                rows.append(Row.from_json(json.loads(line)))
            except (KeyError, TypeError, ValueError) as error:
                raise CasesError(
                    f"{path}:{number}: no row ({error!r}); write them with `truepenny eval calibration SET`"
                ) from error
    if len(rows) < 20:
        raise CasesError(f"{path}: {len(rows)} rows; at least 20 are needed: name a SET to ask for more")
    return rows


def table(title: str, found: Calibration) -> str:
    """For people."""
    rows = [
        f"{title}: {found.num_rows} rows, {found.share_right:.1%} right",
        f"  expected calibration error {found.ece:.3f}; AUC {found.auc:.3f}",
        f"  Brier {found.brier:.3f}, of the share alone {found.brier_of_share:.3f}",
        "  told     was      rows",
        *(f"  {each.told:6.1%}  {each.was:6.1%}  {each.num_rows:5}" for each in found.bins),
        "  from   shown    right lost  wrong spared  right of those shown",
        *(
            f"  {each.from_probability:.2f}  {each.shown:6.1%}  {each.right_lost:9.1%}  "
            f"{each.wrong_spared:11.1%}  {each.precision:13.1%}"
            for each in found.thresholds
        ),
    ]
    return "\n".join(rows)


def weights_table(found: Fit) -> str:
    """As `confidence/estimate.py` has them."""
    lines = [f"INTERCEPT = {found.intercept}", "WEIGHTS: dict[str, float] = {"]
    return "\n".join([*lines, *(f'    "{name}": {weight},' for name, weight in found.weights.items()), "}"])


def plot(bins: Sequence[Bin]) -> str:
    """Points on or off the diagonal, each as large as its rows are many."""
    size, margin = 360, 48
    most = max(each.num_rows for each in bins)

    def at(share: float) -> float:
        return margin + share * (size - 2 * margin)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" style="{_STYLE}">',
        f'<rect width="{size}" height="{size}" fill="#fff"/>',
        f'<line x1="{at(0):.0f}" y1="{at(1):.0f}" x2="{at(1):.0f}" y2="{at(0):.0f}" stroke="#8d99ae"/>',
    ]
    for each in bins:
        radius = 4 + 10 * (each.num_rows / most) ** 0.5
        parts.append(
            f'<circle cx="{at(each.told):.1f}" cy="{at(1 - each.was):.1f}" r="{radius:.1f}" fill="#0b6e4f">'
            f"<title>{each.num_rows} rows: told {each.told:.0%}, was {each.was:.0%}</title></circle>"
        )
    for share in (0.0, 0.5, 1.0):
        parts.append(f'<text x="{at(share):.0f}" y="{size - 28}" text-anchor="middle">{share:.0%}</text>')
        parts.append(
            f'<text x="{margin - 8}" y="{at(1 - share) + 4:.0f}" text-anchor="end">{share:.0%}</text>'
        )
    parts.append(f'<text x="{size // 2}" y="{size - 8}" text-anchor="middle">confidence told</text>')
    parts.append(f'<text x="{margin}" y="24">share that was right</text>')
    return "\n".join([*parts, "</svg>", ""])


async def _asked(settings: Settings, path: Path, limit: int | None) -> list[Row]:
    """Every case of a set as an editor would ask, and what became of it.

    Left out is what has no facts, and what no test can judge: what differs from one text may be right.
    """
    from ..assistant import Assistant
    from ..evaluation.calibration import Row
    from ..evaluation.infill import evaluate

    cases = read_cases(path, limit)
    assistant = Assistant(settings, layout="ours")
    try:
        report = await evaluate(cases, assistant.complete)
    finally:
        await assistant.close()
    name = path.name.partition(".")[0]
    return [
        Row(name, result.suggestion.facts, result.is_right)
        for result in report.results
        if result.suggestion.shown and result.suggestion.facts is not None and result.outcome is not None
    ]


def _told(used: Fit, rows: Sequence[Row]) -> Any:
    import numpy as np

    return 1.0 / (1.0 + np.exp(-used.odds(rows)))


def _settings(args: argparse.Namespace) -> Settings:
    raw = {
        "engine": args.engine,
        "completion": {"model": args.model, "choices": 1, "min_confidence": 0},
    }
    settings, problems = read_settings(raw)
    if problems:
        raise CasesError("; ".join(map(str, problems)))
    return settings
