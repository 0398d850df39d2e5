"""One benchmark from beginning to end: start, load, measure by turns, compare, describe the machine."""

from __future__ import annotations

import gc
import importlib
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from ..engine import LoadedModel
from ..errors import BenchmarkError
from ..hardware import Device, probe, resident_bytes
from ..packed import read_header
from ..sources import Progress
from ..store import ModelFolder, require
from ..tokens import Tokenizer, load_tokenizer
from .figures import Round, best_ratios, ratios, speed_of
from .machine import Watch, describe
from .peer import PeerSubject, connect
from .precisions import Variant, engine_offers, load_variant, measure_precisions
from .prompts import Code, Prompt, prompts_of, stretches
from .quality import Reading, read
from .report import BestPeer, EngineReport, LanguageFigures, Measured, MeasuredPeer
from .speculating import Effective, measure_drafts
from .starting import Start, measure_start
from .subject import LocalSubject, Subject
from .turns import WARM_UP_TOKENS, Plan, measure

QUALITY_TOKENS = 2000
DRAFT_PROMPTS = 3
"""Of each language, for decoding with drafts: how often a text repeats itself differs from place to place."""
_FILL_TOKENS = 1500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run.  `precisions`: speed is that of the first, quality is compared for all.

    `code`: of at least one language.  `peers`: addresses of llama-servers.
    """

    model: str
    precisions: tuple[Variant, ...]
    plan: Plan
    code: tuple[Code, ...]
    peers: tuple[str, ...] = ()
    compare: bool = True
    speculate: bool = True
    start: bool = True
    quality: bool = False
    kv_budget_mib: int = 256


@dataclass(frozen=True, slots=True)
class _Bench:
    """What all parts of a run share."""

    wanted: Wanted
    folder: ModelFolder
    device: Device
    tokenizer: Tokenizer
    context_length: int
    prompts: list[Prompt]
    peers: list[PeerSubject]
    progress: Progress
    tell: Callable[[str], None]


def run(wanted: Wanted, progress: Progress, tell: Callable[[str], None]) -> EngineReport:
    """Load the model and, for comparison, the reference; measure them and the peers by turns.

    Raises:
        BenchmarkError: the plan does not fit the model or a peer, or a peer is not there.
        ModelsError: as `loading.load`.
    """
    if wanted.quality and not wanted.compare:
        raise BenchmarkError("quality is measured against the reference: leave out --no-reference")
    folder = require(wanted.model)
    header = read_header(folder.packed).architecture
    check(wanted, header.context_length)
    with _connected(wanted.peers) as peers:
        tokenizer = load_tokenizer(folder.tokenizer, frozenset(header.eos_ids))
        prompts = [prompts_of(tokenizer, code, wanted.plan.prompt_tokens)[0] for code in wanted.code]
        context = header.context_length
        bench = _Bench(wanted, folder, probe(), tokenizer, context, prompts, peers, progress, tell)
        report, reference = _speed(bench)
    # By now the model and the reference are gone, and the next has room.
    gc.collect()
    if reference is None:
        return report
    device, variants = bench.device, wanted.precisions
    quality = measure_precisions(folder, variants, device, reference, _texts(bench), tell=tell)
    return replace(report, quality=quality)


def check(wanted: Wanted, context_length: int) -> None:
    """Raise BenchmarkError, naming the number to change, if the plan cannot be carried out."""
    plan = wanted.plan
    for name, value, least in (
        ("--prompt-tokens", plan.prompt_tokens, 1),
        ("--decode-tokens", plan.decode_tokens, 2 if wanted.peers else 1),
        ("--rounds", plan.rounds, 1),
        ("--kv-budget", wanted.kv_budget_mib, 1),
    ):
        if value < least:
            raise BenchmarkError(f"{name} {value}: give at least {least}")
    if plan.capacity > context_length:
        raise BenchmarkError(
            f"--prompt-tokens {plan.prompt_tokens} and --decode-tokens {plan.decode_tokens} need "
            f"{plan.capacity} tokens of context and this model has {context_length}: lower one of them"
        )


def best_peer(peers: Sequence[MeasuredPeer], drafts: Effective | None) -> BestPeer:
    """Of at least one peer; the best is the one with the greatest median rate."""
    prefill = max(peers, key=lambda peer: peer.speed.prefill_tokens_per_s.median)
    decode = max(peers, key=lambda peer: peer.speed.decode_tokens_per_s.median)
    effective = None
    if drafts is not None:
        # The peers' decoding is compared with ours without drafts, by turns; drafts with none, by turns.
        effective = decode.ratios.decode * drafts.ratio
    return BestPeer(
        prefill=prefill.facts.name,
        prefill_ratio=prefill.ratios.prefill,
        prefill_ratio_best=prefill.ratios_best.prefill,
        decode=decode.facts.name,
        decode_ratio=decode.ratios.decode,
        decode_ratio_best=decode.ratios_best.decode,
        effective_decode_ratio=effective,
    )


def _speed(bench: _Bench) -> tuple[EngineReport, Reading | None]:
    """All but quality; for that, what the reference expects."""
    wanted, tell = bench.wanted, bench.tell
    machine = describe(bench.device)
    start = _start(bench)  # before a model is here, which would share its pages and turn threads
    tell(f"loading {bench.folder.name}")
    loaded, load_s = _load(bench)
    spec = loaded.model.spec
    ours = LocalSubject("ours", loaded.model, bench.tokenizer, in_chunks=True)
    ours.warm_up(bench.prompts[0].ids[:WARM_UP_TOKENS])
    rss = resident_bytes()  # before the reference is there
    for peer in bench.peers:
        peer.check(spec, bench.tokenizer, bench.prompts[0], wanted.plan.capacity)
    drafts = _drafts(bench, loaded) if wanted.speculate else None
    stock, stock_s = _stock(bench, 4 * spec.parameters) if wanted.compare else (None, 0.0)
    subjects: list[Subject] = [ours, *([stock] if stock else []), *bench.peers]
    watch = Watch()
    measure(subjects, bench.prompts, wanted.plan, watch=watch, tell=tell)
    peers = tuple(
        MeasuredPeer(
            peer.facts,
            speed_of(peer.rounds),
            ratios(ours.rounds, peer.rounds),
            best_ratios(ours.rounds, peer.rounds),
        )
        for peer in bench.peers
    )
    report = EngineReport(
        model=bench.folder.name,
        parameters=spec.parameters,
        prompt_tokens=wanted.plan.prompt_tokens,
        decode_tokens=wanted.plan.decode_tokens,
        rounds=wanted.plan.rounds,
        machine=machine,
        ours=_measured(ours, load_s, rss),
        reference=_measured(stock, stock_s, 0) if stock else None,
        ratios=ratios(ours.rounds, stock.rounds) if stock else None,
        ratios_best=best_ratios(ours.rounds, stock.rounds) if stock else None,
        peers=peers,
        best_peer=best_peer(peers, drafts) if peers else None,
        languages=tuple(_language(prompt, ours, stock, bench.peers) for prompt in bench.prompts),
        speculation=drafts,
        start=start,
        disturbance=watch.disturbance,
        quality=(),
    )
    if stock is None or not wanted.quality:
        return report, None
    return report, read(stock.model, _texts(bench), tell=tell)


def _start(bench: _Bench) -> Start | None:
    wanted, variant = bench.wanted, bench.wanted.precisions[0]
    if not wanted.start:
        return None
    if not engine_offers(variant, bench.device):
        bench.tell(f"no engine process serves {variant} here: its start is left out")
        return None
    tokens = min(_FILL_TOKENS, bench.context_length // 2)
    prompts = stretches(bench.tokenizer, wanted.code, tokens)
    return measure_start(bench.folder.name, variant, wanted.kv_budget_mib, prompts, tell=bench.tell)


def _load(bench: _Bench) -> tuple[LoadedModel, float]:
    """Seconds from a name to a model that is ready, libraries already imported."""
    importlib.import_module("..loading", __package__)
    started = time.perf_counter()
    loaded = load_variant(bench.folder, bench.wanted.precisions[0], bench.device)
    return loaded, time.perf_counter() - started


def _stock(bench: _Bench, total_bytes: int) -> tuple[LocalSubject, float]:
    from ..transformers_backend import reference  # imports transformers

    bench.progress.start(total_bytes, "unpacking the fp32 reference")
    started = time.perf_counter()
    try:
        where = "cuda:0" if bench.device.kind == "cuda" else "cpu"
        model = reference(bench.folder, where, bench.progress.advance)
    finally:
        bench.progress.done()
    subject = LocalSubject("transformers", model, bench.tokenizer, in_chunks=False)
    return subject, time.perf_counter() - started


def _drafts(bench: _Bench, loaded: LoadedModel) -> Effective | None:
    plan = bench.wanted.plan
    prompts = [
        prompt
        for code in bench.wanted.code
        for prompt in prompts_of(bench.tokenizer, code, plan.prompt_tokens, DRAFT_PROMPTS)
    ]
    return measure_drafts(loaded, prompts, plan.decode_tokens, plan.rounds, tell=bench.tell)


def _texts(bench: _Bench) -> list[tuple[int, ...]]:
    """What is read for quality: some of every language."""
    total = min(QUALITY_TOKENS, bench.context_length)
    each = max(total // len(bench.wanted.code), min(total, bench.wanted.plan.prompt_tokens))
    return [prompts_of(bench.tokenizer, code, each)[0].ids for code in bench.wanted.code]


def _measured(subject: LocalSubject, load_s: float, rss_bytes: int) -> Measured:
    spec = subject.model.spec
    return Measured(
        precision=spec.precision,
        why_precision=spec.why_precision,
        load_s=load_s,
        weights_bytes=spec.weights_bytes,
        kv_bytes_per_token=spec.kv_bytes_per_token,
        rss_bytes=rss_bytes,
        speed=speed_of(subject.rounds),
    )


def _language(
    prompt: Prompt, ours: LocalSubject, stock: LocalSubject | None, peers: Sequence[PeerSubject]
) -> LanguageFigures:
    def on_it(subject: Subject) -> list[Round]:
        return [one for one in subject.rounds if one.prompt is prompt]

    return LanguageFigures(
        language=prompt.language,
        source=prompt.source,
        tokens=len(prompt.ids),
        characters=len(prompt.text),
        characters_per_token=prompt.characters_per_token,
        ours=speed_of(on_it(ours)),
        reference=speed_of(on_it(stock)) if stock else None,
        peers={peer.name: speed_of(on_it(peer)) for peer in peers},
    )


@contextmanager
def _connected(urls: Sequence[str]) -> Generator[list[PeerSubject], None, None]:
    """All of them, closed afterwards; of two with one name the second is told by its address."""
    with ExitStack() as stack:
        peers: list[PeerSubject] = []
        for url in urls:
            peer = connect(url)
            stack.callback(peer.close)
            if peer.name in {other.name for other in peers}:
                peer.name = f"{peer.name} at {url}"
                peer.facts = replace(peer.facts, name=peer.name)
            peers.append(peer)
        yield peers
