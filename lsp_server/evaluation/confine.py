"""Run one program inside limits, then say how it ended.  The child's half of `sandbox`.

A script, started by path as `python -I -S -B confine.py BOX`; it imports only the standard library
and none of ours.  `BOX` holds `job.json` (read, then removed), `report.json` (written here) and
`work/`, the program's folder.  The report is one object: `token`, `end`, `detail`, `unlimited`.

Two layers.  The kernel's: resource limits and, on Linux, an empty network namespace; they hold
whatever the program does.  Python's: an audit hook that refuses processes, sockets, foreign
functions, signals and writes outside `work/`.  The hook is a seat belt against what a model writes
by mistake; it is no jail for an attacker who knows CPython.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
import types
from collections.abc import Callable
from typing import Literal, NoReturn

End = Literal["finished", "exited", "raised", "memory", "refused"]

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

REFUSED_PREFIXES = (
    "socket.", "subprocess.", "ctypes.", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "os.system",
    "os.startfile", "os.kill", "os.link", "os.symlink", "signal.pthread_kill",
    "pty.", "resource.", "winreg.", "_winapi.", "webbrowser.", "syslog.",
    "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "nntplib.", "telnetlib.",
)  # fmt: skip
"""Audit events refused outright (docs.python.org/3/library/audit_events)."""

PATH_EVENTS = {
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.lchown": ((0, None),),
    "os.chflags": ((0, None),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
}
"""Audit events that must stay inside the program's folder: where in their arguments a path stands,
and where the descriptor of the directory it is relative to (`shutil.rmtree` works that way)."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class RefusedError(PermissionError):
    """What the program sees when it tries something that is not its business."""


def cut_network() -> str | None:
    """Move this process into a network namespace of its own, with nothing in it; why not, if not.

    Needs Linux and permission for unprivileged user namespaces.  Must run before any thread starts.
    """
    if not sys.platform.startswith("linux"):
        return "network namespace (Linux only)"
    flags = CLONE_NEWUSER | CLONE_NEWNET
    try:
        if sys.version_info >= (3, 12):
            os.unshare(flags)
        else:
            import ctypes

            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(flags) != 0:
                return f"network namespace ({os.strerror(ctypes.get_errno())})"
    except OSError as error:
        return f"network namespace ({error.strerror})"
    return None


def limit_resources(*, is_root: bool, cpu_s: int, memory_bytes: int, file_bytes: int) -> list[str]:
    """Lower this process's limits for good; returns the names of those that could not be set."""
    try:
        import resource
    except ImportError:
        return ["memory", "processor time", "file size", "processes (the audit hook still refuses them)"]
    wanted = [
        ("memory", "RLIMIT_AS", memory_bytes, memory_bytes),
        ("processor time", "RLIMIT_CPU", cpu_s, cpu_s + 1),  # soft first: SIGXCPU tells why, SIGKILL does not
        ("file size", "RLIMIT_FSIZE", file_bytes, file_bytes),
        ("processes", "RLIMIT_NPROC", 0, 0),
        ("open files", "RLIMIT_NOFILE", 64, 64),
        ("core dumps", "RLIMIT_CORE", 0, 0),
    ]
    unlimited: list[str] = []
    for name, constant, soft, hard in wanted:
        try:
            limit = getattr(resource, constant)
            ceiling = resource.getrlimit(limit)[1]
            if ceiling != resource.RLIM_INFINITY:  # someone was stricter already
                soft, hard = min(soft, ceiling), min(hard, ceiling)  # noqa: PLW2901  (this row's own values)
            resource.setrlimit(limit, (soft, hard))
        except (AttributeError, OSError, ValueError) as error:
            unlimited.append(f"{name} ({error})")
    if sys.platform == "darwin":
        unlimited.append("memory (macOS accepts RLIMIT_AS and does not enforce it)")
    if is_root:
        unlimited.append("processes (root is exempt from RLIMIT_NPROC; the audit hook still refuses them)")
    return unlimited


def install_hook(folder: str) -> list[str]:
    """Refuse, from now on and for good, what the module docstring lists; returns the log of refusals."""
    refusals: list[str] = []
    root = os.path.realpath(folder)
    inside = root + os.sep
    realpath, join, fsdecode = os.path.realpath, os.path.join, os.fsdecode  # the program may rebind these

    def refuse(event: str, what: object = "") -> NoReturn:
        note = f"{event} {what}".strip()
        refusals.append(note)
        raise RefusedError(f"not allowed here: {note}")

    def check_path(event: str, path: object, directory: object = -1) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a descriptor: it was checked when it was opened
        name = fsdecode(path)  # pyright: ignore[reportUnknownArgumentType]  # PathLike[Unknown]
        if isinstance(directory, int) and directory != -1:
            name = join(f"/proc/self/fd/{directory}", name)
        resolved = realpath(name)
        if resolved != root and not resolved.startswith(inside) and resolved != os.devnull:
            refuse(event, resolved)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(REFUSED_PREFIXES):
            refuse(event)
        if event == "open":
            path, _mode, flags = arguments
            if isinstance(flags, int) and flags & WRITING:
                check_path(event, path)
        for path_at, directory_at in PATH_EVENTS.get(event, ()):
            check_path(event, arguments[path_at], -1 if directory_at is None else arguments[directory_at])

    _disarm("_posixsubprocess", ("fork_exec",), lambda *_: refuse("subprocess.fork_exec"))
    threads = ("start_new_thread", "start_new", "start_joinable_thread")
    _disarm("_thread", threads, lambda *_, **__: refuse("_thread.start_new_thread"))
    _disarm_open_at(check_path)
    for name in ("ctypes", "_ctypes"):  # what `cut_network` loaded, so that the program cannot have it
        sys.modules.pop(name, None)
    sys.addaudithook(hook)
    return refusals


def _disarm(module: str, names: tuple[str, ...], refuse: Callable[..., NoReturn]) -> None:
    """Replace functions that raise no audit event (on every version of Python) before anyone imports them."""
    try:
        loaded = importlib.import_module(module)
    except ImportError:
        return  # `_posixsubprocess` on Windows, where `_winapi.CreateProcess` does raise one
    for name in names:
        if hasattr(loaded, name):
            setattr(loaded, name, refuse)


def _disarm_open_at(check_path: Callable[[str, object, object], None]) -> None:
    """The audit event of `os.open` does not carry `dir_fd`, so writing relative to one is checked here."""
    if os.open not in os.supports_dir_fd:
        return
    real_open = os.open

    def open_at(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None and flags & WRITING:
            check_path("open", path, dir_fd)
        return real_open(path, flags, mode, dir_fd=dir_fd)

    # `shutil.rmtree` looks itself up in `supports_dir_fd` to choose its safe variant.
    os.supports_dir_fd.add(open_at)
    os.open = open_at
    sys.modules["posix"].open = open_at  # type: ignore[attr-defined]  # the same function under its other name


def run_program(code: str, refusals: list[str]) -> tuple[End, str]:
    """Execute `code` as `__main__`; how it ended, and a line a person can read."""
    program = types.ModuleType("__main__")
    sys.modules["__main__"] = program
    sys.argv = ["program.py"]
    try:
        exec(compile(code, "program.py", "exec"), program.__dict__)  # noqa: S102  (this is what the sandbox is for)
    except SystemExit as left:
        return "exited", f"left with exit status {left.code!r}"
    except MemoryError:
        return "memory", "ran out of memory"
    except BaseException as error:  # noqa: BLE001  (whatever the program raises is its result)
        return ("refused" if refusals else "raised"), describe(error, refusals)
    return "finished", ""


def describe(error: BaseException, refusals: list[str]) -> str:
    """Exception, message and the program's own line, in at most 400 characters."""
    if refusals:
        return f"refused: {refusals[0]}"[:400]
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "program.py"
    ]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    where = f" (line {lines[-1]})" if lines else ""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  (an exception class of the program's own making may fail to print)
        message = "unprintable"
    return f"{type(error).__name__}: {message}"[:380] + where


def main(box: str) -> None:
    job_path = os.path.join(box, "job.json")  # noqa: PTH118  (pathlib costs start-up time in every case)
    with open(job_path, encoding="utf-8") as file:  # noqa: PTH123  (as above)
        job: dict[str, object] = json.load(file)
    os.unlink(job_path)  # noqa: PTH108  (as above)
    report = os.open(os.path.join(box, "report.json"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # noqa: PTH118  (as above)

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # asked outside the user namespace
    no_network = cut_network()
    unlimited = [no_network] if no_network else []
    unlimited += limit_resources(
        is_root=is_root,
        cpu_s=int(str(job["cpu_s"])),
        memory_bytes=int(str(job["memory_bytes"])),
        file_bytes=int(str(job["file_bytes"])),
    )
    refusals = install_hook(os.getcwd())  # noqa: PTH109  (as above)
    end, detail = run_program(str(job["code"]), refusals)
    answer = {"token": job["token"], "end": end, "detail": detail, "unlimited": unlimited}
    os.write(report, json.dumps(answer).encode())


if __name__ == "__main__":
    main(sys.argv[1])
