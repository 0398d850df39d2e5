"""What `truepenny bench engine` found, for people: a few tables of text, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .bench_plot import Bar, Group, bars

if TYPE_CHECKING:
    from ...models.benchmarks.figures import Rate, Ratios, Speed, Spread
    from ...models.benchmarks.precisions import PrecisionQuality
    from ...models.benchmarks.report import BestPeer, EngineReport, LanguageFigures, Measured
    from ...models.benchmarks.speculating import Effective
    from ...models.benchmarks.starting import Start

_NAME, _CELL = 28, 22
"""Widths; a longer name of a model makes its column wider."""


def table(report: EngineReport) -> str:
    """All that was measured, with how many times faster ours is."""
    machine, ours = report.machine, report.ours
    languages = ", ".join(one.language for one in report.languages)
    decoded = f"{report.decode_tokens} tokens decoded, {report.rounds} rounds"
    lines = [
        f"{report.model} on {machine.processor}: {machine.threads} threads, {machine.capability}",
        f"prompts of {report.prompt_tokens} tokens ({languages}), {decoded}",
        f"{ours.precision}: {ours.why_precision}",
        "",
        *_models(report),
    ]
    if report.best_peer is not None:
        lines += ["", *_best(report.best_peer)]
    lines += ["", *_languages(report.languages)]
    lines += _effective(report.speculation) + _start(report.start) + _quality(report.quality)
    if report.disturbance is not None and report.disturbance >= 0.1:  # what an idle desktop takes
        cores = f"{report.disturbance:.1f} cores"
        lines += ["", f"  other programs used {cores} meanwhile: measure again when they are quiet"]
    if report.peers:
        lines += ["", *(f"  {note}" for note in report.notes)]
    return "\n".join(lines)


_ROWS = (
    "precision",
    "load, s",
    "weights, MB",
    "memory of this process, MB",
    "prefill, tokens/s",
    "prefill, characters/s",
    "time to first token, ms",
    "decode, tokens/s",
    "decode, characters/s",
    "decode, ms per token",
    "decode with HTTP, tokens/s",
)
_RATIO_ROWS = ("ours: prefill", "ours: time to first token", "ours: decode")


def _models(report: EngineReport) -> list[str]:
    """A column for each model; then how many times faster ours is than each, at the median and at best."""
    ours, reference = report.ours, report.reference
    heads, columns, ratios = ["ours"], [_local(ours)], [["", "", ""]]
    for peer in report.peers:
        heads.append(peer.facts.name)
        megabytes = f"{peer.facts.weights_bytes / 1e6:.0f}" if peer.facts.weights_bytes else ""
        with_http = _rate(peer.speed.clock_decode_tokens_per_s)
        columns.append([peer.facts.precision, "", megabytes, "", *_speed(peer.speed), with_http])
        ratios.append(_ratios(peer.ratios, peer.ratios_best))
    if reference is not None and report.ratios is not None and report.ratios_best is not None:
        heads.append("transformers")
        columns.append(_local(reference))
        ratios.append(_ratios(report.ratios, report.ratios_best))
    widths = [max(_CELL, len(head) + 2) for head in heads]
    lines = [_line("", heads, widths)]
    lines += [_line(name, cells, widths) for name, *cells in zip(_ROWS, *columns, strict=True)]
    if len(heads) > 1:
        lines += [_line(name, cells, widths) for name, *cells in zip(_RATIO_ROWS, *ratios, strict=True)]
    return [*lines, "", *_steps(report)]


def _local(measured: Measured) -> list[str]:
    memory = f"{measured.rss_bytes / 1e6:.0f}" if measured.rss_bytes else ""
    size = f"{measured.weights_bytes / 1e6:.0f}"
    return [measured.precision, f"{measured.load_s:.1f}", size, memory, *_speed(measured.speed), ""]


def _speed(speed: Speed) -> list[str]:
    return [
        _rate(speed.prefill_tokens_per_s),
        _rate(speed.prefill_characters_per_s),
        _spread(speed.ttft_ms),
        _rate(speed.decode_tokens_per_s),
        _rate(speed.decode_characters_per_s),
        _spread(speed.decode_ms),
    ]


def _steps(report: EngineReport) -> list[str]:
    """What one call with several tokens costs; servers are not asked for that."""
    reference = report.reference
    steps = [report.ours.speed.steps, *([reference.speed.steps] if reference else [])]
    found = report.ratios.steps if report.ratios else {}
    lines = [_line("", ["ours", "transformers", "faster"], [_CELL] * 3)] if reference else []
    for row in zip(*steps, strict=True):
        cells = [*(_spread(step.ms) for step in row), _times(found.get(row[0].tokens))]
        lines.append(_line(f"step of {row[0].tokens}, ms", cells, [_CELL] * len(cells)))
    return lines


def _best(best: BestPeer) -> list[str]:
    prefill = f"{_times(best.prefill_ratio)} ({_times(best.prefill_ratio_best)} at best)"
    decode = f"{_times(best.decode_ratio)} ({_times(best.decode_ratio_best)} at best)"
    lines = [
        "  beside the best peer for each",
        f"    prefill      {prefill} of {best.prefill}",
        f"    decode       {decode} of {best.decode}",
    ]
    if best.effective_decode_ratio is not None:
        lines.append(f"    with drafts  {_times(best.effective_decode_ratio)} of {best.decode}")
    return lines


def _languages(languages: Sequence[LanguageFigures]) -> list[str]:
    """Tokens and characters of each; the fastest peer and the reference beside."""
    lines = [
        f"  {'language':<12}{'characters':>11}{'prefill':>20}{'decode':>20}{'to first':>12}",
        f"  {'':<12}{'per token':>11}{'tok/s':>10}{'char/s':>10}{'tok/s':>10}{'char/s':>10}{'token, ms':>12}",
    ]
    for one in languages:
        rows = [("", one.ours), *one.peers.items()]
        rows += [("transformers", one.reference)] if one.reference else []
        for name, speed in rows:
            first = f"{one.language:<12}{one.characters_per_token:>11.2f}" if not name else f"{'':<23}"
            lines.append(
                f"  {first}{speed.prefill_tokens_per_s.median:>10.0f}"
                f"{speed.prefill_characters_per_s.median:>10.0f}{speed.decode_tokens_per_s.median:>10.1f}"
                f"{speed.decode_characters_per_s.median:>10.0f}{speed.ttft_ms.median:>12.0f}  {name}".rstrip()
            )
    return lines


def _effective(found: Effective | None) -> list[str]:
    if found is None:
        return []
    by_language = ", ".join(f"{name} {_times(ratio)}" for name, ratio in found.ratio_by_language.items())
    worst = min(found.texts, key=lambda text: text.ratio)
    rates = f"{found.tokens_per_s:.1f} tokens/s, without {found.plain_tokens_per_s:.1f}"
    place = f"{worst.language}, {worst.source}"
    spread = f"median {_times(found.ratio_median)}, worst {_times(found.ratio_worst)} ({place})"
    right = f"{found.accepted_share:.0%} of drafted tokens were right"
    lines = [
        "",
        f"  decode with drafts: {rates}: {_times(found.ratio)}",
        f"    of {len(found.texts)} texts: {spread}",
        f"    {right}, {found.accepted_per_token:.0%} of the text; {by_language}",
    ]
    different = sum(not text.is_same_text for text in found.texts)
    if different:
        lines.append(f"    {different} texts differ with drafts: their figures mean nothing")
    if found.too_short:
        lines.append(f"    left out: {found.too_short} prompts that the model had little to add to")
    return lines


def _start(start: Start | None) -> list[str]:
    if start is None:
        return []
    memory = start.memory
    sizes = (memory.fresh_bytes, memory.filled_bytes, memory.used_bytes, memory.peak_bytes)
    fresh, filled, used, peak = (f"{size / 1e6:.0f} MB" if size else "?" for size in sizes)
    budget = f"{memory.kv_bytes / 2**20:.0f} of {memory.kv_budget_bytes / 2**20:.0f} MiB"
    warm = f"ready in {start.warm.ready_s:.2f} s, first token after {start.warm.first_token_s:.2f} s"
    first = f"first start: {start.first.ready_s:.2f}, {start.first.first_token_s:.2f} s"
    full = f"with {budget} of keys and values {filled}"
    return [
        "",
        f"  engine process: {warm} ({first})",
        f"    memory: fresh {fresh}, {full}, after use {used}, peak {peak}",
    ]


def _quality(found: Sequence[PrecisionQuality]) -> list[str]:
    if not found:
        return []
    head = f"  {'quality beside fp32':<20}{'perplexity':>11}{'worse by':>20}{'KL, nats':>10}{'p95':>9}"
    lines = ["", f"{head}{'same':>8}{'MB':>7}{'tok/s':>8}"]
    for one in found:
        if one.quality is None:
            lines.append(f"  {one.precision:<20}not here: {one.why}")
            continue
        quality = one.quality
        worse = f"{quality.perplexity_ratio - 1:+.2%} ± {quality.perplexity_ratio_error:.2%}"
        lines.append(
            f"  {one.precision:<20}{quality.perplexity:>11.4f}{worse:>20}{quality.kl_mean_nats:>10.4f}"
            f"{quality.kl_p95_nats:>9.4f}{quality.same_choice:>8.1%}{one.weights_bytes / 1e6:>7.0f}"
            f"{one.tokens_per_s:>8.0f}" + ("  slow" if one.is_slow else "")
        )
    measured = [one.quality for one in found if one.quality is not None]
    if measured:
        positions, tokens = measured[0].positions, measured[0].tokens
        perplexity = measured[0].reference_perplexity
        lines.append(f"    at {positions} positions of {tokens} tokens; fp32 has {perplexity:.4f}")
    return lines


def picture(report: EngineReport) -> str:
    """The medians as bars: prefill, decode, and characters of each language."""
    ours = report.ours.speed
    others = [(peer.facts.name, peer.speed) for peer in report.peers]
    if report.reference is not None:
        others.append(("transformers fp32", report.reference.speed))
    prefill = [Bar("Truepenny", ours.prefill_tokens_per_s.median, is_ours=True)]
    decode = [Bar("Truepenny", ours.decode_tokens_per_s.median, is_ours=True)]
    if report.speculation is not None:
        drafted = ours.decode_tokens_per_s.median * report.speculation.ratio
        decode.insert(0, Bar("Truepenny, with drafts", drafted, is_ours=True))
    prefill += [Bar(name, speed.prefill_tokens_per_s.median, is_ours=False) for name, speed in others]
    decode += [Bar(name, speed.decode_tokens_per_s.median, is_ours=False) for name, speed in others]
    groups = [Group("prompt, tokens/s", prefill), Group("writing, tokens/s", decode)]
    if len(report.languages) > 1:
        characters = [
            Bar(one.language, one.ours.decode_characters_per_s.median, is_ours=True)
            for one in report.languages
        ]
        groups.append(Group("writing without drafts, characters/s", characters))
    return bars(f"{report.model}, {report.machine.threads} threads", groups)


def _ratios(ratios: Ratios, best: Ratios) -> list[str]:
    pairs = ((ratios.prefill, best.prefill), (ratios.ttft, best.ttft), (ratios.decode, best.decode))
    return [f"{_times(median)} ({_times(top)})" for median, top in pairs]


def _line(name: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"  {name:<{_NAME}}{shown}".rstrip()


def _rate(rate: Rate) -> str:
    """Median and best."""
    digits = 0 if rate.median >= 100 else 1
    return f"{rate.median:.{digits}f} ({rate.best:.{digits}f})"


def _spread(spread: Spread) -> str:
    return f"{spread.median:.1f} ({spread.best:.1f} – {spread.p95:.1f})"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}×"
