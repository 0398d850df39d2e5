"""Pain 17: the assistant takes the machine: processors, memory, an index of everything, once per window."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from truepenny.context.index.location import fingerprint
from truepenny.models.engine import Engine
from truepenny.models.testing import ByteTokenizer, FakeModel, Script, fake_cache
from truepenny.models.wire import CompletionRequest, Usage

from ..lsp_server.conftest import RawClient, end  # noqa: TID252  (tests are no installed package)
from .editor import Editor

PROGRAM = "from truepenny.lsp_server.cli import main; raise SystemExit(main())"
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Iterator[dict[str, str]]:
    """One person: one runtime folder, however many windows.  Its engine is stopped at the end."""
    folder = tmp_path_factory.mktemp("t")
    variables = {
        **os.environ,
        "TRUEPENNY_RUNTIME": str(folder / "r"),
        "TRUEPENNY_CACHE": str(folder / "c"),
    }
    yield variables
    stop = [sys.executable, "-I", "-c", PROGRAM, "engine", "stop", "--model", "fake"]
    subprocess.run(stop, env=variables, capture_output=True, timeout=60, check=False)


@contextlib.contextmanager
def window(environment: dict[str, str]) -> Iterator[Editor]:
    client = RawClient([sys.executable, "-I", "-c", PROGRAM, "serve", "--engine", "fake"], env=environment)
    try:
        client.initialize()
        yield Editor(client, environment)
        client.stop()
    finally:
        end(client)


def processes(runtime: str) -> dict[int, str]:
    """Ids and command lines of everything that was started with this runtime folder."""
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile, or is somebody else's
                if f"TRUEPENNY_RUNTIME={runtime}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(folder.name)] = words.decode(errors="replace")
    return found


def cpu_s(pid: int) -> float:
    """Processor time a process has used, its threads' together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@on_linux
def test_windows_share_one_engine_and_nobody_works_while_nobody_types(environment) -> None:
    """Three windows hold the weights once; and when they have answered, all four processes sleep."""
    with window(environment) as one, window(environment) as two, window(environment) as three:
        for editor in (one, two, three):
            assert editor.ask("value = |\n") == ["print()"]
        running = processes(environment["TRUEPENNY_RUNTIME"])
        engines = [pid for pid, words in running.items() if "truepenny.models.process" in words]
        assert len(engines) == 1, running
        assert len(running) == 4, running
        time.sleep(3)  # what is computed ahead in a pause is done by then
        before = {pid: cpu_s(pid) for pid in running}
        time.sleep(2)
        used = {pid: cpu_s(pid) - before[pid] for pid in running}
        assert sum(used.values()) < 0.5, (used, running)


@on_linux
def test_a_window_does_not_load_what_only_the_engine_needs(environment) -> None:
    """Neither torch nor transformers is in any window's memory."""
    with window(environment) as editor:
        editor.ask("value = |\n")
        maps = Path(f"/proc/{editor.client.process.pid}/maps").read_text()
    assert "tree_sitter" in maps  # it is the process that parses
    assert not any(name in maps for name in ("libtorch", "transformers", "llvmlite"))


@pytest.mark.skipif(os.name != "posix", reason="asks for niceness")
def test_the_index_is_built_beside_everything_else(tmp_path: Path) -> None:
    """At a lower priority, in a process of its own, and given up with the window that wanted it."""
    root = tmp_path / "workspace"
    root.mkdir()
    for number in range(1500):
        (root / f"module_{number}.py").write_text(f"def function_{number}(a, b):\n    return a + b\n" * 20)
    command = [sys.executable, "-I", "-m", "truepenny.context.index.process", "build", str(root)]
    build = subprocess.Popen(
        [*command, str(tmp_path / "cache"), fingerprint()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert build.stdin is not None
    assert build.stdout is not None
    first = json.loads(build.stdout.readline())
    assert "report" not in first, "it is still under way"
    assert os.getpriority(os.PRIO_PROCESS, build.pid) >= os.getpriority(os.PRIO_PROCESS, 0) + 10
    build.stdin.close()  # as when the window is gone
    said = build.stdout.read()
    assert build.wait(60) == 0
    report = json.loads(said.splitlines()[-1])["report"]
    assert report["cancelled"], report


def test_what_is_kept_stays_within_its_budget() -> None:
    """Two hundred prompts of different documents and workspaces, with a budget for ten of them."""
    model = FakeModel(Script(otherwise="x\n"))
    budget = 16 * 1024 * 10
    engine = Engine(model, ByteTokenizer(), fake_cache(model, budget))
    most = 0
    try:
        for number in range(200):
            prompt = tuple(f"{number:04}".encode() * 256)
            ended: list[object] = []
            request = CompletionRequest(
                prompt, max_tokens=4, document=f"d{number % 30}", workspace=f"w{number % 3}"
            )
            engine.submit(request, ended.append)
            while not any(isinstance(event, Usage) for event in ended):
                time.sleep(0.001)
            most = max(most, engine.cache.nbytes)
    finally:
        engine.close()
    assert 0 < most <= budget
