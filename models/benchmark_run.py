"""One benchmark from beginning to end: load, measure, compare, describe the machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from .benchmark import Plan, Ratios, Speed, Subject, best_ratios, code_prompt, measure, ratios
from .benchmark_quality import Quality, measure_quality
from .engine import LoadedModel
from .errors import BenchmarkError
from .hardware import Device, cpu_seconds, probe, processor_name, resident_bytes
from .language_model import LanguageModel
from .packed import read_header
from .sources import Progress
from .store import ModelFolder, require
from .wire import Precision

QUALITY_TOKENS = 2000


@dataclass(frozen=True, slots=True)
class Machine:
    processor: str
    device: str
    threads: int
    capability: str
    """Which instructions torch uses."""
    memory_bytes: int
    load_average: float | None
    """Processes wanting a core when the run began; None where the system does not count them."""
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """One model.  `rss_bytes`: memory of the process with this model alone; 0: not measured."""

    precision: str
    why_precision: str
    load_s: float
    weights_bytes: int
    kv_bytes_per_token: int
    rss_bytes: int
    speed: Speed


@dataclass(frozen=True, slots=True)
class EngineReport:
    model: str
    parameters: int
    prompt_source: str
    prompt_tokens: int
    prompt_characters: int
    decode_tokens: int
    rounds: int
    machine: Machine
    ours: Measured
    reference: Measured | None
    ratios: Ratios | None
    ratios_best: Ratios | None
    disturbance: float | None
    """Cores that other programs used on average during the measurement; None where that is not known."""
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run."""

    model: str
    precision: Precision
    plan: Plan
    compare: bool
    quality: bool


def run(wanted: Wanted, progress: Progress, tell: Callable[[str], None]) -> EngineReport:
    """Load the model and, for comparison, the reference; measure them by turns.

    Raises:
        BenchmarkError: the plan does not fit the model.
        ModelsError: as `loading.load`.
    """
    if wanted.quality and not wanted.compare:
        raise BenchmarkError("quality is measured against the reference: leave out --no-reference")
    folder = require(wanted.model)
    check(wanted.plan, read_header(folder.packed).architecture.context_length)
    device = probe()
    machine = describe(device)
    tell(f"loading {folder.name}")
    loaded, load_s = _load(folder, wanted.precision, device)
    plan, model = wanted.plan, loaded.model
    prompt = code_prompt(loaded.tokenizer, plan.prompt_tokens)
    ours = Subject("ours", model, in_chunks=True)
    ours.warm_up(prompt.ids[:64])
    rss = resident_bytes()  # before the reference is there
    subjects, reference, reference_s = [ours], None, 0.0
    if wanted.compare:
        reference, reference_s = _reference(folder, device, 4 * model.spec.parameters, progress)
        subjects.append(Subject("transformers", reference, in_chunks=False))
    before, started = cpu_seconds(), time.perf_counter()
    speeds = measure(subjects, prompt, loaded.tokenizer, plan, tell=tell)
    disturbance = others_cores(before, cpu_seconds(), time.perf_counter() - started)
    quality = None
    if wanted.quality and reference is not None:
        tokens = min(QUALITY_TOKENS, model.spec.context_length)
        text = code_prompt(loaded.tokenizer, tokens)
        quality = measure_quality(model, reference, text.ids, tell=tell)
    return EngineReport(
        model=folder.name,
        parameters=model.spec.parameters,
        prompt_source=prompt.source,
        prompt_tokens=len(prompt.ids),
        prompt_characters=len(prompt.text),
        decode_tokens=plan.decode_tokens,
        rounds=plan.rounds,
        machine=machine,
        ours=_measured(ours, load_s, rss, speeds[0]),
        reference=_measured(subjects[1], reference_s, 0, speeds[1]) if reference else None,
        ratios=ratios(*subjects) if reference else None,
        ratios_best=best_ratios(*subjects) if reference else None,
        disturbance=disturbance,
        quality=quality,
    )


def check(plan: Plan, context_length: int) -> None:
    """Raise BenchmarkError, naming the number to change, if the plan cannot be carried out."""
    for name, value in (
        ("--prompt-tokens", plan.prompt_tokens),
        ("--decode-tokens", plan.decode_tokens),
        ("--rounds", plan.rounds),
    ):
        if value < 1:
            raise BenchmarkError(f"{name} {value}: give at least 1")
    total = plan.prompt_tokens + plan.decode_tokens + max(plan.widths)
    if total > context_length:
        raise BenchmarkError(
            f"--prompt-tokens {plan.prompt_tokens} and --decode-tokens {plan.decode_tokens} need {total} "
            f"tokens of context and this model has {context_length}: lower one of them"
        )


def others_cores(
    before: tuple[float, float] | None, after: tuple[float, float] | None, wall_s: float
) -> float | None:
    """Cores that other programs kept busy between two looks at `cpu_seconds`."""
    if before is None or after is None:
        return None
    everybody, own = after[0] - before[0], after[1] - before[1]
    return max(0.0, everybody - own) / wall_s


def describe(device: Device) -> Machine:
    import torch

    return Machine(
        processor=processor_name(),
        device=device.description,
        threads=device.threads,
        capability=torch.backends.cpu.get_cpu_capability(),
        memory_bytes=device.memory_bytes,
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": version("transformers"),
            "truepenny": version("truepenny"),
        },
    )


def _load(folder: ModelFolder, precision: Precision, device: Device) -> tuple[LoadedModel, float]:
    """Seconds from a name to a model that is ready, libraries already imported."""
    from .loading import load

    started = time.perf_counter()
    loaded = load(folder.name, precision, device)
    return loaded, time.perf_counter() - started


def _reference(
    folder: ModelFolder, device: Device, total_bytes: int, progress: Progress
) -> tuple[LanguageModel, float]:
    from .transformers_backend import reference  # imports transformers

    progress.start(total_bytes, "unpacking the fp32 reference")
    started = time.perf_counter()
    try:
        model = reference(folder, "cuda:0" if device.kind == "cuda" else "cpu", progress.advance)
    finally:
        progress.done()
    return model, time.perf_counter() - started


def _measured(subject: Subject, load_s: float, rss_bytes: int, speed: Speed) -> Measured:
    spec = subject.model.spec
    return Measured(
        precision=spec.precision,
        why_precision=spec.why_precision,
        load_s=load_s,
        weights_bytes=spec.weights_bytes,
        kv_bytes_per_token=spec.kv_bytes_per_token,
        rss_bytes=rss_bytes,
        speed=speed,
    )
