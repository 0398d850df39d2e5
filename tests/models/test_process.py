"""Real engine processes, serving the fake model: started, shared, cancelled, killed, refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from truepenny.models import endpoint as endpoint_module
from truepenny.models import launch
from truepenny.models.client import EngineClient, Reply, is_alive
from truepenny.models.endpoint import ALREADY_RUNNING, Endpoint, engine_files
from truepenny.models.errors import (
    EngineLostError,
    EngineUnavailableError,
    RequestRefusedError,
    UnknownModelError,
)
from truepenny.models.launch import EngineChoice, ensure, running
from truepenny.models.testing import SCRIPT_VARIABLE
from truepenny.models.wire import ChatRequest, CompletionRequest, Message, Piece, Priority, Started, Usage

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(sys.platform != "linux", reason="these look at processes in /proc"),
]

FAKE = EngineChoice("fake", idle_exit_s=60.0)
FILES = lambda: engine_files("fake", "auto")  # noqa: E731  (after `runtime` has set the folder)
WAIT_S = 30.0


@pytest.fixture(autouse=True)
def runtime(monkeypatch) -> Iterator[Path]:
    """A short path: sockets allow about a hundred bytes."""
    folder = Path(tempfile.mkdtemp(prefix="tp"))
    monkeypatch.setenv("TRUEPENNY_RUNTIME", str(folder))
    monkeypatch.delenv(SCRIPT_VARIABLE, raising=False)
    yield folder
    deadline = time.monotonic() + WAIT_S
    while engines := engines_in(folder):
        assert time.monotonic() < deadline, f"engines {engines} do not leave"
        for pid in engines:
            with contextlib.suppress(ProcessLookupError):  # left meanwhile
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.05)
    shutil.rmtree(folder)


@pytest.fixture
def slow(monkeypatch, tmp_path) -> None:
    """A model that takes 50 ms for a token, and has a lot to say."""
    script = {"replies": [["long:", "x" * 2000], ["def f():", "pass\n"]], "otherwise": "", "delay_ms": 50}
    (tmp_path / "script.json").write_text(json.dumps(script))
    monkeypatch.setenv(SCRIPT_VARIABLE, str(tmp_path / "script.json"))


def engines_in(folder: Path) -> list[int]:
    """Engine processes of this runtime folder: those whose log is in it."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            output = (process / "fd" / "2").readlink()
        except OSError:  # ended meanwhile, or not ours
            continue
        if b"truepenny.models.process" in command and output.parent == folder:
            found.append(int(process.name))
    return found


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not await look():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


async def gone(folder: Path, pid: int) -> None:
    async def is_gone() -> bool:
        return pid not in engines_in(folder)

    await until(is_gone)


@asynccontextmanager
async def client_of(choice: EngineChoice = FAKE) -> AsyncIterator[EngineClient]:
    client = EngineClient(await ensure(choice), choice.model)
    try:
        yield client
    finally:
        await client.aclose()


async def idle(client: EngineClient) -> bool:
    status = await client.status()
    return status.running == status.waiting == 0


async def complete(client: EngineClient, prompt: str, **fields) -> list[Reply]:
    request = CompletionRequest(tuple(prompt.encode()), **fields)
    return [event async for event in client.complete(request)]


async def write_until(client: EngineClient, pid: int, signal_number: signal.Signals) -> None:
    """Ask for a long text, and send the engine a signal at its first words."""
    async for event in client.complete(CompletionRequest(tuple(b"long:"), max_tokens=3000)):
        if isinstance(event, Piece):
            os.kill(pid, signal_number)


def text_of(replies: list[Reply]) -> str:
    return "".join(reply.text for reply in replies if isinstance(reply, Piece))


# -- started and shared --------------------------------------------------------------------------------


async def test_the_first_client_starts_it_and_the_next_shares_it(runtime):
    """Nobody starts an engine by hand, and nobody pays for two."""
    assert await running(FAKE) is None
    async with client_of() as first, client_of() as second:
        replies = await complete(first, "def add(a, b):\n    return ")
        assert isinstance(replies[0], Started)
        assert isinstance(replies[-1], Usage)
        assert text_of(replies) == "a + b\n"
        again = (await complete(second, "def add(a, b):\n    return "))[0]
        assert isinstance(again, Started)
        assert again.computed_tokens == 1
        status = await second.status()
        assert status.pid == (await first.status()).pid == engines_in(runtime)[0]
        assert (status.model, status.requests, status.vocabulary) == ("fake", 2, 264)
        assert 0 < status.kv_bytes <= status.kv_budget_bytes == 256 << 20
        assert (status.running, status.waiting, status.idle_exit_s) == (0, 0, 60.0)


async def test_eight_clients_at_once_start_exactly_one(runtime):
    """Eight windows restored together: four here, four in processes of their own."""
    program = (
        "import asyncio; from truepenny.models.launch import *; "
        "print(asyncio.run(ensure(EngineChoice('fake', idle_exit_s=60.0))).socket)"
    )
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    here = await asyncio.gather(*(ensure(FAKE) for _ in range(4)))
    there = [(await other.communicate())[0].decode().strip() for other in others]
    assert {*there, *(str(endpoint.socket) for endpoint in here)} == {str(FILES().address)}
    assert len(engines_in(runtime)) == 1


async def test_giving_up_on_a_start_does_not_start_another(runtime):
    """A keystroke cancels the request that started the engine; the engine comes up all the same."""
    start = asyncio.create_task(ensure(FAKE))

    async def is_starting() -> bool:
        return len(engines_in(runtime)) > 0

    await until(is_starting)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    endpoint = await ensure(FAKE)
    assert await is_alive(endpoint)
    assert len(engines_in(runtime)) == 1


async def test_a_second_engine_started_by_hand_steps_back(runtime):
    """It says where the first one is, and does not take its address."""
    async with client_of() as client:
        pid = (await client.status()).pid
        command = [sys.executable, "-I", "-m", "truepenny.models.process", "--model", "fake"]
        second = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        _, said = await second.communicate()
        assert second.returncode == ALREADY_RUNNING
        assert f"fake is served already at {FILES().address}" in said.decode()
        assert (await client.status()).pid == pid


async def test_engines_for_different_weights_live_side_by_side(runtime):
    """One for completion, one for chat."""
    async with client_of() as one, client_of(EngineChoice("fake", "int8", 60.0)) as other:
        assert (await one.status()).pid != (await other.status()).pid
        assert len(engines_in(runtime)) == 2


# -- cancelled -----------------------------------------------------------------------------------------


async def test_closing_a_stream_cancels_the_request(slow):
    """Within a token or so: the sequence stops growing, and the next request is not kept waiting."""
    async with client_of() as client:
        async with aclosing(client.complete(CompletionRequest(tuple(b"long:"), max_tokens=3000))) as events:
            async for event in events:
                if isinstance(event, Piece):
                    break
            assert (await client.status()).running == 1
        await until(lambda: idle(client))
        rows = (await client.status()).kv_bytes // 16
        assert rows < 100  # of two thousand
        assert text_of(await complete(client, "def f():")) == "pass\n"


async def test_closing_the_connection_of_a_whole_answer_cancels_too(slow):
    """Other programs may ask without streaming."""
    body = {"prompt": "long:", "max_tokens": 3000}
    async with client_of() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client._http.post("/v1/completions", json=body, timeout=0.3)
        await until(lambda: idle(client))
        assert (await client.status()).kv_bytes // 16 < 200


async def test_a_keystroke_overtakes_a_chat_answer(slow):
    """Through the whole stack; the chat answer then comes to its end."""
    async with client_of() as client:
        chat = asyncio.create_task(
            complete(client, "long:", max_tokens=30, priority=Priority.CHAT, document="chat")
        )
        await until(lambda: _is_running(client))
        assert text_of(await complete(client, "def f():", document="file")) == "pass\n"
        assert not chat.done()
        assert text_of(await chat) == "x" * 30


async def _is_running(client: EngineClient) -> bool:
    return (await client.status()).running > 0


# -- gone, and back ------------------------------------------------------------------------------------


async def test_a_killed_engine_is_lost_and_the_next_request_has_a_new_one(slow):
    """It costs one suggestion.  What it left behind, its socket, is replaced."""
    async with client_of() as client:
        pid = (await client.status()).pid
        with pytest.raises(EngineLostError, match="went away"):
            await write_until(client, pid, signal.SIGKILL)
        assert FILES().address.exists()
        assert await running(FAKE) is None
        with pytest.raises(EngineUnavailableError, match="no engine answers at"):
            await complete(client, "x")
    async with client_of() as client:
        assert (await client.status()).pid != pid


@pytest.mark.parametrize("how", ["idle", "terminated", "asked"])
async def test_an_engine_that_leaves_takes_its_address_along(how, runtime):
    """And its lock: whoever comes next starts a new one at once."""
    async with client_of(EngineChoice("fake", idle_exit_s=0.3 if how == "idle" else 60.0)) as client:
        pid = (await client.status()).pid
        if how == "terminated":
            os.kill(pid, signal.SIGTERM)
        elif how == "asked":
            await client.shutdown()
        await gone(runtime, pid)
        assert not FILES().address.exists()
        assert "Traceback" not in FILES().log.read_text()
    async with client_of() as client:
        assert (await client.status()).pid != pid


async def test_terminated_while_it_writes_it_still_leaves(slow, runtime):
    """An answer under way does not hold it back."""
    async with client_of() as client:
        pid = (await client.status()).pid
        with pytest.raises(EngineLostError):
            await write_until(client, pid, signal.SIGTERM)
        await gone(runtime, pid)


async def test_an_engine_nobody_can_reach_makes_way(runtime):
    """Somebody cleaned up the folder: the new engine waits for the old one to notice."""
    async with client_of() as client:
        pid = (await client.status()).pid
    FILES().address.unlink()
    async with client_of() as client:
        new_pid = (await client.status()).pid
    await gone(runtime, pid)
    assert engines_in(runtime) == [new_pid]


async def test_an_engine_that_cannot_start_says_why(monkeypatch, tmp_path):
    """Its last words are in the error, with the log to read on in."""
    monkeypatch.setenv(SCRIPT_VARIABLE, str(tmp_path / "nonesuch.json"))
    with pytest.raises(EngineUnavailableError) as caught:
        await ensure(FAKE)
    said = str(caught.value)
    assert "the engine for fake ended with exit code 1 while starting: FileNotFoundError" in said
    assert "nonesuch.json" in said
    assert str(FILES().log) in said


async def test_impossible_choices_are_known_before_anything_is_started(runtime):
    """No process, no waiting."""
    with pytest.raises(UnknownModelError, match="nonesuch"):
        await ensure(EngineChoice("nonesuch"))
    assert not engines_in(runtime)


# -- private -------------------------------------------------------------------------------------------


async def test_only_the_user_can_open_the_socket(runtime):
    """Whatever the umask, and whatever the folder was before."""
    runtime.chmod(0o755)
    before = os.umask(0)
    try:
        await ensure(FAKE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert stat.S_IMODE(FILES().address.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(FILES().address.stat().st_mode)


async def test_a_folder_of_somebody_else_is_refused(monkeypatch, runtime):
    """It could hold a socket of theirs, with an engine that reads along."""
    mine = os.getuid()
    monkeypatch.setattr(endpoint_module.os, "getuid", lambda: mine + 1)
    with pytest.raises(EngineUnavailableError, match=f"{runtime} belongs to another user: remove it or set"):
        await ensure(FAKE)


async def test_folders_that_cannot_be_used_are_named(monkeypatch, tmp_path):
    """With the variable that names another one."""
    (tmp_path / "file").write_text("")
    for folder, said in ((tmp_path / "file", "cannot be used"), (tmp_path / ("x" * 120), "is too long")):
        monkeypatch.setenv("TRUEPENNY_RUNTIME", str(folder))
        with pytest.raises(EngineUnavailableError, match=f"{said}.*TRUEPENNY_RUNTIME"):
            await ensure(FAKE)


@pytest.mark.parametrize("name", ["../../escape", "a/b", "..", "x" * 200, "é\0"])
async def test_a_model_name_is_never_a_path(name, runtime):
    """It comes from settings."""
    files = engine_files(name, "auto")
    assert {path.parent for path in (files.address, files.lock, files.owner, files.log)} == {runtime}


# -- what it answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (CompletionRequest(()), "the prompt is empty: send at least one token id"),
        (
            CompletionRequest((1, 2, 3), max_tokens=1 << 20),
            "prompt of 3 tokens plus max_tokens 1048576 is over",
        ),
        (CompletionRequest((1, 999)), "token id 999 is outside this model's vocabulary of 264"),
        (CompletionRequest((1,), max_tokens=-1), "max_tokens is -1: expected at least 0"),
        (CompletionRequest((258,)), "the engine failed on this request: ValueError"),  # no prefix before it
        (ChatRequest(()), "a conversation needs at least one message"),
    ],
)
async def test_a_refusal_says_what_is_wrong(request_, said):
    """Across the wire, in the words of whoever noticed; and the next request is served."""
    async with client_of() as client:
        events = client.chat(request_) if isinstance(request_, ChatRequest) else client.complete(request_)
        with pytest.raises(RequestRefusedError, match=said):
            async for _ in events:
                pass
        assert text_of(await complete(client, "def add(a, b):\n    return ")) == "a + b\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "the request body is not JSON"),
        (b"[]", "the request body must be a JSON object"),
        (b'{"prompt": [1], "max_tokens": "x"}', "max_tokens is 'x': expected int"),
        (b'{"prompt": [1], "stream": 1}', "stream is 1: expected bool"),
        (b'{"prompt": "\\ud800"}', "prompt holds"),
        (b'{"prompt": [1], "temperature": NaN}', "temperature is nan"),
    ],
)
async def test_bad_json_is_answered_with_what_is_wrong(body, said):
    """As any OpenAI client expects it: status 400 and an error message."""
    async with client_of() as client:
        response = await client._http.post("/v1/completions", content=body)
        assert response.status_code == 400
        assert said in response.json()["error"]["message"]


async def test_any_openai_client_can_ask():
    """Whole answers, text prompts, chat, the list of models."""
    async with client_of() as client:
        http = client._http
        asked = {"prompt": "def add(a, b):\n    return ", "stop": "\n"}
        answer = (await http.post("/v1/completions", json=asked)).json()
        assert answer["choices"][0]["text"] == "a + b"
        assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + 6
        asked = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 200}
        answer = (await http.post("/v1/chat/completions", json=asked)).json()
        assert answer["choices"][0]["message"]["content"].startswith("This is the fake model.")
        assert (await http.get("/v1/models")).json()["data"][0]["id"] == "fake"
        assert (await http.get("/nonesuch")).status_code == 404


async def test_a_conversation_is_streamed():
    """Over the chat route, with its cost first."""
    async with client_of() as client:
        replies = [event async for event in client.chat(ChatRequest((Message("user", "hello"),)))]
        assert isinstance(replies[0], Started)
        assert text_of(replies) == "This is the fake model.\nIt has no opinion.\n"
        assert isinstance(replies[-1], Usage)
        assert replies[-1].finish_reason == "stop"


# -- where there are no Unix sockets -------------------------------------------------------------------


@pytest.fixture
def no_sockets(monkeypatch) -> None:
    """Loopback and a token, as on Windows: here and in the engine process."""
    monkeypatch.setattr(endpoint_module, "uses_sockets", lambda: False)
    program = (
        "import sys; from truepenny.models import endpoint, process; "
        "endpoint.uses_sockets = process.uses_sockets = lambda: False; "
        "sys.exit(process.main(['--model', 'fake', '--idle-exit-s', '60']))  # truepenny.models.process"
    )

    def spawn(_choice: EngineChoice, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen([sys.executable, "-c", program], stdout=output, stderr=output)

    monkeypatch.setattr(launch, "_spawn", spawn)


async def test_over_loopback_only_the_token_opens(no_sockets, runtime):
    """The port is open to every user of the machine; the file with the token is not."""
    async with client_of() as client:
        endpoint = client.endpoint
        assert endpoint.socket is None
        assert endpoint.url.startswith("http://127.0.0.1:")
        assert endpoint.token is not None
        assert len(endpoint.token) >= 32
        assert FILES().address.suffix == ".json"
        assert stat.S_IMODE(FILES().address.stat().st_mode) == 0o600
        assert text_of(await complete(client, "def add(a, b):\n    return ")) == "a + b\n"
    for token in (None, "wrong", endpoint.token[:-1], "é"):
        async with httpx.AsyncClient(base_url=endpoint.url, trust_env=False) as http:
            headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
            for method, path in (
                ("GET", "/truepenny/status"),
                ("POST", "/truepenny/shutdown"),
                ("POST", "/v1/completions"),
                ("POST", "/v1/chat/completions"),
            ):
                response = await http.request(method, path, headers=headers)
                assert response.status_code == 401
                assert response.json()["error"]["message"] == "wrong or missing bearer token"
    assert not await is_alive(Endpoint(endpoint.url, token="wrong"))
    assert await is_alive(endpoint)


async def test_over_loopback_a_crash_is_noticed_too(no_sockets, runtime):
    """The record it left behind names a port where nobody answers."""
    async with client_of() as client:
        pid = (await client.status()).pid
    os.kill(pid, signal.SIGKILL)
    await gone(runtime, pid)
    assert await running(FAKE) is None
    FILES().address.write_text('{"port": "half a reco')
    async with client_of() as client:
        new_pid = (await client.status()).pid
        assert new_pid != pid
        await client.shutdown()
        await gone(runtime, new_pid)
        assert not FILES().address.exists()
