"""A llama-server that holds the same model: asked over HTTP, measured by its own timings and by our clock.

It is asked as is best for it: greedy by the cheapest sampler there is, token ids for a prompt, nothing
streamed.  Its own timings leave HTTP out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, cast

import httpx

from ..errors import BenchmarkError
from ..language_model import ModelSpec
from ..tokens import Tokenizer
from .figures import Round
from .prompts import Prompt
from .subject import Clock

PATIENCE_S = 600.0
_OTHER_SIZE = 1.6
"""Times more parameters, or fewer, than another model has; a vocabulary counted twice is less."""


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """What it says of itself; 0 or nothing where it does not say."""

    url: str
    name: str
    """Of its file."""
    precision: str
    """In its own words."""
    parameters: int
    weights_bytes: int
    context_tokens: int
    build: str


class PeerSubject:
    """A `Subject`.  Made by `connect`; closed by whoever made it."""

    turn_tokens = 0

    def __init__(self, http: httpx.Client, facts: PeerFacts) -> None:
        self.facts = facts
        self.name = facts.name
        self.rounds: list[Round] = []
        self._http = http

    def close(self) -> None:
        self._http.close()

    def check(self, spec: ModelSpec, tokenizer: Tokenizer, prompt: Prompt, capacity: int) -> None:
        """Raise BenchmarkError if it cannot be compared: another model, or too small a context."""
        facts = self.facts
        if 0 < facts.context_tokens < capacity:
            raise BenchmarkError(
                f"--peer {facts.url} was started with room for {facts.context_tokens} tokens and {capacity} "
                f"are needed: start it with -c {capacity} or more, and --parallel 1"
            )
        times = facts.parameters / spec.parameters if facts.parameters and spec.parameters else 1.0
        if not 1 / _OTHER_SIZE < times < _OTHER_SIZE:
            raise BenchmarkError(
                f"--peer {facts.url} holds {facts.name} with {facts.parameters / 1e6:.0f} M parameters, and "
                f"{spec.name} has {spec.parameters / 1e6:.0f} M: start it with the same model"
            )
        tokens = self._post("/tokenize", {"content": prompt.text, "add_special": False}).get("tokens")
        if tokens != tokenizer.encode(prompt.text):
            raise BenchmarkError(
                f"--peer {facts.url} holds {facts.name}, which has other tokens than {spec.name}: start it "
                "with the same model"
            )

    def warm_up(self, ids: Sequence[int]) -> None:
        self._complete(ids, 2, is_cold=True)

    def prefill(self, prompt: Prompt, capacity: int, clock: Clock) -> None:  # noqa: ARG002  (its context has its own size)
        started = clock()
        found = self._complete(prompt.ids, 1, is_cold=True)
        ttft_s = clock() - started
        timings = self._timings(found)
        if timings["prompt_n"] != len(prompt.ids):
            raise BenchmarkError(
                f"{self.facts.url} computed {timings['prompt_n']:.0f} tokens of a prompt of "
                f"{len(prompt.ids)}: it does not heed cache_prompt"
            )
        self.rounds.append(Round(prompt, len(prompt.ids) / timings["prompt_per_second"], ttft_s))

    def decode(self, num_tokens: int, clock: Clock) -> None:
        """All at once, after the prompt it has."""
        now = self.rounds[-1]
        started = clock()
        found = self._complete(now.prompt.ids, num_tokens, is_cold=False)
        now.clock_decode_s = clock() - started
        timings = self._timings(found)
        if timings["predicted_n"] != num_tokens:
            raise BenchmarkError(
                f"{self.facts.url} wrote {timings['predicted_n']:.0f} tokens of {num_tokens}: it does not "
                "heed ignore_eos, or its context is full"
            )
        if timings["predicted_per_second"] <= 0:
            raise BenchmarkError(f"{self.facts.url} says it wrote no tokens a second")
        now.decode_s = [1 / timings["predicted_per_second"]]
        now.written_tokens = num_tokens
        now.written_characters = len(str(found.get("content") or ""))

    def _complete(self, ids: Sequence[int], num_tokens: int, *, is_cold: bool) -> dict[str, Any]:
        return self._post(
            "/completion",
            {
                "prompt": list(ids),
                "n_predict": num_tokens,
                "cache_prompt": not is_cold,
                "ignore_eos": True,
                "temperature": 0.0,
                "top_k": 1,
                "samplers": ["top_k"],
                "stream": False,
                "id_slot": 0,
            },
        )

    def _timings(self, found: dict[str, Any]) -> dict[str, float]:
        given = found.get("timings")
        names = ("prompt_n", "prompt_per_second", "predicted_n", "predicted_per_second")
        if not isinstance(given, dict):
            raise BenchmarkError(f"{self.facts.url} answers without timings: it is not a llama-server")
        timings = cast("dict[str, Any]", given)
        try:
            return {name: float(timings[name]) for name in names}
        except (KeyError, TypeError, ValueError) as error:
            raise BenchmarkError(f"{self.facts.url} answers with other timings ({error!r})") from error

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _asked(self._http, "POST", path, self.facts.url, body)


def connect(url: str) -> PeerSubject:
    """The llama-server at `url`.  Raises BenchmarkError when none is ready there."""
    address = url.rstrip("/").removesuffix("/v1")
    try:
        # A benchmark against this machine has no use for a proxy from the environment.
        http = httpx.Client(
            base_url=address, timeout=httpx.Timeout(PATIENCE_S, connect=10.0), trust_env=False
        )
        _asked(http, "GET", "/health", url)
    except (httpx.InvalidURL, BenchmarkError) as error:
        raise BenchmarkError(
            f"--peer {url}: no llama-server is ready there ({error}); start one, and give its address, such "
            "as http://127.0.0.1:8012"
        ) from error
    return PeerSubject(http, _facts(http, url))


def _facts(http: httpx.Client, url: str) -> PeerFacts:
    props = _asked(http, "GET", "/props", url)
    listed = cast("list[dict[str, Any]]", _asked(http, "GET", "/v1/models", url).get("data") or [{}])[0]
    meta = cast("dict[str, Any]", listed.get("meta") or {})
    settings = cast("dict[str, Any]", props.get("default_generation_settings") or {})
    path = str(props.get("model_path") or listed.get("id") or url)
    return PeerFacts(
        url=url,
        name=PurePath(path.replace("\\", "/")).name.removesuffix(".gguf"),
        precision=str(props.get("model_ftype") or meta.get("ftype") or ""),
        parameters=int(meta.get("n_params") or 0),
        weights_bytes=int(meta.get("size") or 0),
        context_tokens=int(settings.get("n_ctx") or 0),
        build=str(props.get("build_info") or ""),
    )


def _asked(
    http: httpx.Client, method: str, path: str, url: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The answer's object.  Raises BenchmarkError."""
    try:
        response = http.request(method, path, json=body)
        response.raise_for_status()
        found: Any = response.json()
    except httpx.HTTPStatusError as error:
        said = error.response.text[:200]
        raise BenchmarkError(f"{url}{path} answered {error.response.status_code} {said}") from error
    except (httpx.HTTPError, ValueError) as error:
        raise BenchmarkError(f"{url}{path}: {str(error) or repr(error)}") from error
    if not isinstance(found, dict):
        raise BenchmarkError(f"{url}{path} answered something that is no object")
    return cast("dict[str, Any]", found)
