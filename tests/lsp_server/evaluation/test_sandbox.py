"""The sandbox: wrong programs fail, harmful ones are stopped, and nothing but the end counts as passed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from truepenny.lsp_server.evaluation import confine
from truepenny.lsp_server.evaluation.sandbox import Outcome, Pool, run_python, run_script

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit; Outcome says so")


def check(code: str, kind: str, detail: str = "", *, timeout_s: float = 20.0) -> Outcome:
    outcome = run_python(textwrap.dedent(code), timeout_s=timeout_s)
    assert (outcome.kind, outcome.passed) == (kind, kind == "passed"), outcome
    assert detail in outcome.detail
    return outcome


@pytest.mark.parametrize(
    ("code", "kind", "detail"),
    [
        ("assert 1 + 1 == 2", "passed", ""),
        ("assert 1 + 1 == 3, 'sums'", "failed", "AssertionError: sums (line 1)"),
        ("x = (", "failed", "SyntaxError"),
        ("\n\nundefined", "failed", "NameError: name 'undefined' is not defined (line 3)"),
        ("raise KeyboardInterrupt", "failed", "KeyboardInterrupt"),
    ],
)
def test_a_program_passes_only_if_it_runs_to_its_end(code: str, kind: str, detail: str) -> None:
    """The outcome says what a person would see in a traceback, with the program's own line."""
    check(code, kind, detail)


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(0)\nassert False",
        "raise SystemExit\nassert False",
        "import os; os._exit(0)\nassert False",
    ],
)
def test_leaving_early_is_not_passing(code: str) -> None:
    """A suggestion that exits before the tests would otherwise score."""
    check(code, "failed", "before its tests had run")


def test_an_endless_loop_is_stopped() -> None:
    check("while True: pass", "timeout", "still running after 1 s", timeout_s=1)


def test_an_endless_loop_that_swallows_everything_is_stopped() -> None:
    """Stopping must not depend on the program's cooperation."""
    check(
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "timeout",
        timeout_s=1,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux enforces RLIMIT_AS")
@pytest.mark.parametrize(
    "code", ["x = bytearray(1 << 40)", "x = []\nwhile True: x.append(bytearray(1 << 24))"]
)
def test_a_memory_bomb_is_stopped(code: str) -> None:
    check(code, "memory", "ran out of memory")


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("import os\nwhile True: os.fork()", "os.fork"),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", "subprocess.Popen"),
        ("import os\nos.system('true')", "os.system"),
        ("import os\nos.execv('/bin/true', ['true'])", "os.exec"),
        ("import os\nos.posix_spawn('/bin/true', ['true'], {})", "os.posix_spawn"),
        ("import os\nos.kill(-1, 9)", "os.kill"),
        ("import _posixsubprocess\n_posixsubprocess.fork_exec()", "subprocess.fork_exec"),
        ("import threading\nthreading.Thread(target=print).start()", "_thread.start_new_thread"),
        ("import ctypes", "ctypes.dlopen"),
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "socket."),
        ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')", "urllib.Request"),
    ],
)
@posix_only
def test_processes_signals_and_sockets_are_refused(code: str, event: str) -> None:
    """The audit hook names what was tried."""
    check(code, "error", f"refused: {event}")


def test_writing_outside_the_folder_is_refused(tmp_path: Path) -> None:
    """Creating, truncating, removing and renaming; the file is untouched afterwards."""
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    for attempt in (
        f"open({str(kept)!r}, 'w')",
        f"open({str(tmp_path / 'new')!r}, 'x')",
        f"import os; os.remove({str(kept)!r})",
        f"import os; os.rename({str(kept)!r}, 'mine')",
        f"import shutil; shutil.rmtree({str(tmp_path)!r})",
        f"import os; os.open('x', os.O_CREAT | os.O_WRONLY, dir_fd=os.open({str(tmp_path)!r}, 0))",
        "open('../outside', 'w')",
    ):
        check(attempt, "error", "refused: ")
    assert kept.read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_the_programs_own_folder_is_empty_and_writable() -> None:
    check(
        """
        import os
        from pathlib import Path
        assert os.listdir() == []
        Path('a').write_text('x')
        os.rename('a', 'b')
        os.mkdir('c')
        assert sorted(os.listdir()) == ['b', 'c']
        import shutil
        shutil.rmtree('c')
        """,
        "passed",
    )


@posix_only
def test_nothing_of_the_surroundings_is_handed_over() -> None:
    """No environment (it may hold keys), no input, no arguments, no site packages, no token to forge."""
    check(
        """
        import os, sys
        assert not [name for name in os.environ if not name.startswith('LC_')], os.environ
        assert sys.stdin.read() == ''
        assert sys.argv == ['program.py']
        assert not any('site-packages' in path for path in sys.path)
        assert os.listdir('..') == ['stdin', 'report.json', 'work'] or 'job.json' not in os.listdir('..')
        """,
        "passed",
    )


def test_huge_output_is_stopped() -> None:
    """Neither memory nor time of the measuring process is spent on it."""
    check("while True: print('x' * 10000)", "error", "printed more than")


@posix_only
def test_a_huge_file_is_stopped() -> None:
    check("open('f', 'wb').write(bytes(1 << 22))", "failed", "OSError")


def test_limits_that_could_not_be_set_are_named() -> None:
    """A measurement on an unprotected machine must be able to say so."""
    outcome = run_python("pass")
    if sys.platform == "win32":
        assert any("network" in name for name in outcome.unlimited)
    elif os.geteuid() == 0:
        assert any("root" in name for name in outcome.unlimited)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="network namespaces are Linux's")
def test_the_kernel_cuts_the_network_even_without_the_hook() -> None:
    """A listening loopback port outside cannot be reached from inside the namespace."""
    code = textwrap.dedent(
        f"""
        import socket, sys
        sys.path.insert(0, {str(Path(confine.__file__).parent)!r})
        import confine
        refusal = confine.cut_network()
        if refusal: print(refusal); raise SystemExit(3)
        import asyncio
        try: socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=2)
        except OSError as error: print(error); raise SystemExit(0)
        raise SystemExit(1)
        """
    )

    async def reach() -> None:
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        async with server:
            port = str(server.sockets[0].getsockname()[1])
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", code, port, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            output, _ = await process.communicate()
        # 3: this kernel refuses unprivileged namespaces; then the outcome must name it.
        if process.returncode == 3:
            assert any("network namespace" in name for name in run_python("pass").unlimited)
        else:
            assert process.returncode == 0, output

    asyncio.run(reach())


@pytest.mark.parametrize(
    ("code", "expected", "kind"),
    [
        ("print(sum(map(int, input().split())))", ("6",), "passed"),
        (
            "import sys\nprint(sum(map(int, sys.stdin.readline().split())))\nsys.exit()",
            ("7", "6\n"),
            "passed",
        ),
        ("print('1\\n\\n  2 ')", ("1 2",), "passed"),
        ("print(5)", ("6",), "failed"),
        ("print(6); 1 / 0", ("6",), "failed"),
        ("input(); input()", ("6",), "failed"),
    ],
)
def test_scripts_are_judged_by_what_they_print(code: str, expected: tuple[str, ...], kind: str) -> None:
    """Programming-contest cases read standard input, and may leave through sys.exit."""
    assert run_script(code, "1 2 3\n", expected).kind == kind


def test_the_pool_runs_at_most_two_at_once() -> None:
    """Bounded, so that measuring does not starve the engine that is being measured."""
    running, most, lock = 0, 0, threading.Lock()
    pool = Pool(2)

    def counted(code: str, **_: object) -> Outcome:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        outcome = run_python(code)
        with lock:
            running -= 1
        return outcome

    async def go() -> list[Outcome]:
        return await asyncio.gather(*(pool.run_python("assert True") for _ in range(5)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("truepenny.lsp_server.evaluation.sandbox.run_python", counted)
        outcomes = asyncio.run(go())
    pool.close()
    assert [outcome.kind for outcome in outcomes] == ["passed"] * 5
    assert most == 2
