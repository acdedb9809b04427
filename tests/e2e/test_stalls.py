"""What is sent to stall the server, or to shut out another key, against one server with small bounds.

Nothing is timed. Where work must not be the event loop's, what the loop's thread does is counted: calls of functions,
of which there may be a few more for each piece of a larger body, and none for what a task makes of it.
"""

import asyncio
import contextlib
import json
import re
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import app.chat.context.trim
import app.chat.inputs
import models.host
import tasks.forecast
from app.main import create_app
from app.services import Services
from app.settings import Settings
from models.capability import Built, Candidate
from models.fair_executor import Slices
from models.runtime import Runtime
from models.safety.text.engine import OwnTextGuard
from models.sandbox.bubblewrap import BubblewrapEngine, missing
from models.scheduler import Share, make_room
from models.vision.ppocr.detector import Quads, TextDetector
from models.vision.text import Image
from tasks.catalog import TASK_NAMES
from tasks.wording.gui_elements import Wording
from tests.e2e import full_model
from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    body_of,
    content_of,
    error_of,
    picture_of,
    prompt_text,
    schema_of,
    serving_full_model,
    system,
    text_part,
)
from tests.e2e.guarded import guard
from tests.llm_server import Call, Reply
from tests.origin import Origin
from tests.pages import single_line

ALICE, BOB = "key-of-alice", "key-of-bob"
LIMIT_S = 60.0
MB = 1 << 20
BYTES_A_CALL = 100
"""At least, by which a request must be larger for each more call that the loop's thread makes."""
CALLS_A_PART = 50
"""At most, for each part of a request: comparing each with each would be thousands."""
_TICKS = re.compile(r"uvicorn.server\.py$|asyncio.\w+\.py$")
"""What the loop calls while it waits for anything: the more often, the busier the machine is."""


@dataclass
class LoopThread:
    """Counts the calls of functions, in Python and in C, that the thread of the event loop makes for requests."""

    loop: asyncio.AbstractEventLoop | None = None
    calls: int = 0

    @contextlib.contextmanager
    def counted(self) -> Iterator["LoopThread"]:
        self.calls = 0
        self._profile(self._count)
        try:
            yield self
        finally:
            self._profile(None)

    def _profile(self, function: Callable[[FrameType, str, object], None] | None) -> None:
        async def profile() -> None:
            sys.setprofile(function)

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(profile(), self.loop).result(LIMIT_S)

    def _count(self, frame: FrameType, event: str, _arg: object) -> None:
        if event in ("call", "c_call") and not _TICKS.search(frame.f_code.co_filename):
            self.calls += 1


@dataclass
class Attacked:
    model: FullModel
    services: Services
    loop: LoopThread
    built_on_loop: list[str]
    """Names of the engines that were put together on the event loop."""
    _sockets: list[socket.socket] = field(default_factory=list)

    def is_spared(self, ask: Callable[[int], httpx.Response], small: int, large: int) -> list[httpx.Response]:
        """The answers to what `ask` asks with a size. That the larger one is, must not be felt on the loop's thread."""
        answers, calls, bytes_ = [], [], []
        for size in (small, large):
            with self.loop.counted() as loop:
                answers.append(ask(size))
            calls.append(loop.calls)
            bytes_.append(len(answers[-1].request.content))
        assert calls[1] - calls[0] < (bytes_[1] - bytes_[0]) / BYTES_A_CALL, f"{calls} calls for {bytes_} bytes"
        return answers

    def ask(self, key: str, *messages: Json | str | list[Json], **fields: Any) -> httpx.Response:
        return self.model.ask(*messages, headers=_bearer(key), **fields)

    def until(self, happened: Callable[[], bool]) -> None:
        """Asks for /health until it has: whoever asks is answered all the while."""
        while not happened():
            assert self.model.client.get("/health").status_code == 200

    def begin(self, key: str, body: bytes, *, announced: int | None = None) -> socket.socket:
        """Sends a request, or its beginning where more is announced, and waits for no answer."""
        size = len(body) if announced is None else announced
        head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: {size}\r\n\r\n"
        connection = self.connect()
        connection.sendall(head.encode() + body)
        return connection

    def connect(self) -> socket.socket:
        url = self.model.client.base_url
        self._sockets.append(socket.create_connection((url.host, url.port), LIMIT_S))
        return self._sockets[-1]

    def close(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets.clear()


def _bearer(key: str) -> Json:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with full_model.serving_sign() as origin:
        yield origin


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """Each key may have half of: 4 places in a queue, 2 scripts, 2 calls of the LLM, 2 large bodies."""
    made: list[FastAPI] = []
    built_on_loop: list[str] = []
    loop = LoopThread()
    build = Runtime._new

    def noted(runtime: Runtime, candidate: Candidate) -> Built:
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            built_on_loop.append(candidate.spec.name)
        return build(runtime, candidate)

    def create_seen(settings: Settings) -> FastAPI:
        application = create_app(settings)
        inner = application.router.lifespan_context

        @contextlib.asynccontextmanager
        async def lifespan(scope: FastAPI) -> AsyncIterator[None]:
            loop.loop = asyncio.get_running_loop()
            async with inner(scope):
                yield

        application.router.lifespan_context = lifespan  # type: ignore[assignment]
        made.append(application)
        return application

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(full_model, "create_app", create_seen)
        patch.setattr(Runtime, "_new", noted)
        with serving_full_model(
            api_keys=(ALICE, BOB),
            files_dir=str(tmp_path_factory.mktemp("files")),
            fetch_allow=("127.0.0.1/32",),
            fetch_timeout_s=LIMIT_S,
            code_sandbox="off" if missing() else "on",
            forecast="auto",
            max_queue=4,
            sandbox_at_once=2,
            llm_calls_at_once=2,
            large_bodies_at_once=2,
            max_connections=64,
            max_files=3,
        ) as model:
            yield Attacked(model, made[0].state.services, loop, built_on_loop)


@pytest.fixture
def server(running: Attacked) -> Iterator[Attacked]:
    """As after its start: nothing that a test has begun goes on."""
    yield running
    running.close()
    running.model.script()
    running.until(lambda: running.services.bodies.running == 0)


def text_file(text: str) -> Json:
    return {"type": "file", "file": {"file_data": data_url(text.encode(), "text/plain"), "filename": "long.txt"}}


def run_task(name: str, *parts: Json) -> tuple[Json, list[Json]]:
    return system(f"<task>{name}</task>"), list(parts)


def numbered(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def test_a_long_question_about_a_long_text_is_no_work_of_the_loops(server: Attacked) -> None:
    server.model.script(by_body=lambda _: Reply("It says a lot."))

    def ask(words: int) -> httpx.Response:
        text = "\n".join(numbered(40) for _ in range(words))
        return server.ask(ALICE, [text_part(numbered(words)), text_file(text)])

    answers = server.is_spared(ask, 300, 1000)
    assert [content_of(answer) for answer in answers] == ["It says a lot."] * 2
    assert len(server.model.prompts) == 2


@pytest.mark.parametrize("beside", [[], [text_file("It says a lot.")]])
def test_a_conversation_of_many_messages_is_put_together_beside_the_loop(server: Attacked, beside: list[Json]) -> None:
    server.model.script(by_body=lambda _: Reply("Done."))
    earlier: Json = {"role": "user", "content": "word"}
    answers = server.is_spared(
        lambda size: server.ask(ALICE, *[earlier] * size, [text_part("What does it say?"), *beside]), 2000, 20_000
    )
    assert [content_of(answer) for answer in answers] == ["Done."] * 2


def test_a_comparison_ends_when_its_caller_leaves_and_holds_up_nobody_meanwhile(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()
    compare = app.chat.context.trim.word_overlap

    def endless(question: str, pieces: Sequence[str]) -> Slices[list[float]]:
        if "Alice" not in question:
            return (yield from compare(question, pieces))
        try:
            while True:
                begun.set()
                yield
        finally:
            ended.set()

    monkeypatch.setattr(app.chat.context.trim, "word_overlap", endless)
    server.model.script(by_body=lambda _: Reply("Done."))
    text = text_file("\n".join(numbered(40) for _ in range(600)))
    alice = server.begin(ALICE, json.dumps(body_of([text_part("What does Alice want?"), text])).encode())
    assert begun.wait(LIMIT_S)
    assert content_of(server.ask(BOB, [text_part("What does it say?"), text])) == "Done."
    assert not ended.is_set()
    alice.close()
    assert ended.wait(LIMIT_S)


def test_guarded_texts_are_read_in_threads_of_their_own_and_hold_up_no_other_key(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended, threads = threading.Semaphore(0), threading.Semaphore(0), set()
    read = OwnTextGuard._read

    def endless(guard: OwnTextGuard, text: str) -> Slices[Any]:
        threads.add(threading.current_thread().name)
        if "Alice" not in text:
            return (yield from read(guard, text))
        begun.release()
        try:
            while True:
                yield
        finally:
            ended.release()

    monkeypatch.setattr(OwnTextGuard, "_read", endless)
    server.model.script(by_body=lambda _: Reply("Done."))
    long = json.dumps(body_of(guard("S9"), "What does Alice want? " + numbered(80_000))).encode()
    alices = [server.begin(ALICE, long) for _ in range(4)]
    for _ in alices:
        assert begun.acquire(timeout=LIMIT_S)
    assert content_of(server.ask(BOB, guard("S9"), "What does it say?")) == "Done."
    assert not ended.acquire(blocking=False)
    assert threads == {"guard"}
    for one in alices:
        one.close()
    for _ in alices:
        assert ended.acquire(timeout=LIMIT_S)


def test_more_than_a_guard_may_have_to_judge_is_refused_before_any_of_it_is_read(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OwnTextGuard, "_read", None)
    for messages in (
        [guard("S9"), "x" * 2 * MB],
        [guard("S9"), system("x" * 2 * MB), "Hello"],
        [guard("S9"), "Hello", {"role": "assistant", "content": "x" * 2 * MB}, "And?"],
    ):
        error = error_of(server.ask(ALICE, *messages), 413, "request_too_large")
        assert "OPENFAZE_MAX_GUARDED_MB" in error["message"]


def test_wishes_for_elements_are_read_in_a_bounded_text_beside_the_loop(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, int]] = []
    understand = Wording.of

    def noted(text: str) -> Wording:
        read.append((len(text), threading.get_ident()))
        return understand(text)

    monkeypatch.setattr(Wording, "of", noted)
    answers = server.is_spared(
        lambda size: server.ask(ALICE, *run_task("gui_detection", text_part("a," * size), picture_of("Save"))),
        10_000,
        250_000,
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(chars <= server.services.settings.max_wording_chars + 1 for chars, _ in read)
    assert len(read) == 2
    assert thread_of(server) not in {thread for _, thread in read}


@pytest.mark.parametrize("sign", ['"', "(", "x,", "\n", "2026-"])
def test_a_text_of_signs_is_searched_for_series_beside_the_loop(
    server: Attacked, monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    threads: list[int] = []
    understand = tasks.forecast.message_of

    def noted(text: str, *, has_sources: bool) -> Any:
        threads.append(threading.get_ident())
        return understand(text, has_sources=has_sources)

    monkeypatch.setattr(tasks.forecast, "message_of", noted)
    answers = server.is_spared(
        lambda size: server.ask(ALICE, *run_task("forecast", text_part("Forecast " + sign * (size // len(sign))))),
        10_000,
        200_000,
    )
    assert [answer.status_code for answer in answers] == [400, 400]
    assert len(threads) == 2
    assert thread_of(server) not in threads


def test_a_text_too_long_for_a_series_is_refused_before_it_is_searched(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.forecast, "message_of", None)
    response = server.ask(ALICE, *run_task("forecast", text_part('"' * 1_100_000)))
    error = error_of(response, 413, "file_too_large")
    assert "OPENFAZE_MAX_INLINE_CHARS" in error["message"]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET / HTTP/1.1\r\nx: " + b"a" * MB, id="one header without an end"),
        pytest.param(b"GET /health HTTP/1.1\r\nx: " + b"a" * MB + b"\r\n\r\n", id="one header of a megabyte"),
        pytest.param(b"GET /health HTTP/1.1\r\n" + b"a: b\r\n" * 100_000 + b"\r\n", id="100,000 headers"),
        pytest.param(b"GET /" + b"a" * MB + b" HTTP/1.1\r\n\r\n", id="an address of a megabyte"),
    ],
)
def test_a_head_of_a_megabyte_is_refused_after_64_kb_without_a_key(server: Attacked, head: bytes) -> None:
    connection = server.connect()
    with server.loop.counted() as loop:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(head)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert server.model.client.get("/health").status_code == 200
    status, _, rest = answer.partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 431 ")
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["code"] == "head_too_large"
    assert loop.calls < len(head) / 10


def test_connections_that_say_nothing_shut_out_nobody(server: Attacked) -> None:
    for _ in range(3 * server.services.settings.max_connections):
        server.connect().sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost:")
    fresh = httpx.get(f"{server.model.base_url}/v1/models", headers=_bearer(BOB), timeout=LIMIT_S, trust_env=False)
    assert fresh.status_code == 200


def test_a_picture_that_is_named_thousands_of_times_is_fetched_once(server: Attacked, origin: Origin) -> None:
    part = {"type": "image_url", "image_url": {"url": origin.url("/sign.png")}}
    before = len(origin.seen)
    with server.loop.counted() as loop:
        answer = server.ask(ALICE, *run_task("ocr", *[part] * 5000))
    assert json.loads(content_of(answer))["result"]["extracted_text"] == "Platform nine"
    assert len(origin.seen) == before + 1
    assert loop.calls < 5000 * CALLS_A_PART


def test_of_thousands_of_inputs_no_more_are_looked_at_than_a_request_may_have(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Any] = []
    look = app.chat.inputs._source

    def noted(part: Any, here: Any) -> Any:
        looked_at.append(part)
        return look(part, here)

    monkeypatch.setattr(app.chat.inputs, "_source", noted)
    urls = [f"https://example.com/{number}.png" for number in range(5000)]
    response = server.ask(ALICE, *run_task("ocr", *[{"type": "image_url", "image_url": {"url": url}} for url in urls]))
    error_of(response, 400, "too_many_sources")
    assert len(looked_at) == server.services.settings.max_sources + 1


def test_of_many_calls_of_an_llm_so_many_are_run_and_it_reads_why_the_others_were_not(server: Attacked) -> None:
    calls = [Call("openfaze_ocr", '{"input": 1}', id=f"call_{number}") for number in range(200)]
    server.model.script(Reply(tool_calls=calls), Reply(tool_calls=calls), Reply(tool_calls=calls), Reply("Enough."))
    series = "date,sold\n2026-01-01,10\n2026-01-02,12\n2026-01-03,11\n2026-01-04,13\n2026-01-05,12\n"
    table = {"type": "file", "file": {"file_data": data_url(series.encode(), "text/csv"), "filename": "sold.csv"}}
    response = server.ask(ALICE, [text_part("Forecast the next 2 days of this."), table])
    assert content_of(response) == "Enough."
    settings = server.services.settings
    ran = [entry for entry in response.json()["precontext"] if entry["name"] == "ocr"]
    assert len(ran) == settings.max_tool_calls
    told = [message["content"] for message in server.model.prompts[-1]["messages"] if message["role"] == "tool"]
    assert len(told) == 3 * len(calls)
    refused = [text for text in told if "OPENFAZE_MAX_TOOL_CALLS" in text]
    assert len(refused) == len(told) - settings.max_tool_calls


@pytest.mark.in_process("it holds up an engine of this process, and counts who comes meanwhile")
def test_a_key_that_floods_the_reader_is_told_to_wait_and_another_is_not(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, gate = threading.Semaphore(0), threading.Event()
    run = TextDetector.run

    def held(engine: TextDetector, batch: Sequence[Image]) -> list[Quads]:
        entered.release()
        assert gate.wait(LIMIT_S)
        return run(engine, batch)

    admitted: list[Share] = []

    def noted(queue: Any, share: Share, *rest: Any) -> Any:
        displaced = make_room(queue, share, *rest)
        admitted.append(share)
        return displaced

    monkeypatch.setattr(models.host, "make_room", noted)
    monkeypatch.setattr(TextDetector, "run", held)
    body = ocr_request(data_url(single_line("next in line").encoded()))
    with _released(gate), ThreadPoolExecutor(8) as threads:

        def asked(key: str) -> "Future[httpx.Response]":
            return threads.submit(server.model.client.post, PATH, json=body, headers=_bearer(key))

        first = asked(ALICE)
        assert entered.acquire(timeout=LIMIT_S)
        flood = {asked(ALICE) for _ in range(3)}
        [refused], waiting = wait(flood, LIMIT_S, FIRST_COMPLETED)
        before = len(admitted)
        bob = asked(BOB)
        server.until(lambda: len(admitted) > before)
        gate.set()
        assert [one.result().status_code for one in (first, bob, *waiting)] == [200] * 4
    error = error_of(refused.result(), 429, "rate_limit_exceeded")
    assert error["message"].startswith("2 pieces of work of this key wait")
    assert int(refused.result().headers["retry-after"]) >= 1


@pytest.mark.in_process("it holds up an engine of this process, and counts who comes meanwhile")
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_scripts_of_one_key_leave_a_place_to_another(server: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, gate = threading.Semaphore(0), threading.Event()
    run = BubblewrapEngine.run

    def held(engine: BubblewrapEngine, batch: Sequence[Any]) -> Any:
        if "Alice" in batch[0].script.code:
            entered.release()
            assert gate.wait(LIMIT_S)
        return run(engine, batch)

    monkeypatch.setattr(BubblewrapEngine, "run", held)
    with _released(gate), ThreadPoolExecutor(8) as threads:

        def asked(key: str, code: str) -> "Future[httpx.Response]":
            return threads.submit(server.ask, key, *run_task("code_sandbox", text_part(f"```python\n{code}\n```")))

        alice = [asked(ALICE, "print('Alice')") for _ in range(2)]
        assert entered.acquire(timeout=LIMIT_S)
        assert json.loads(content_of(asked(BOB, "print('Bob')").result()))["result"]["output"] == "Bob\n"
        assert not any(one.done() for one in alice)
        assert not entered.acquire(blocking=False), "a second script of one key took the other key's place"
        gate.set()
        assert [one.result().status_code for one in alice] == [200, 200]


def test_fetches_of_one_key_leave_places_to_another(server: Attacked, origin: Origin) -> None:
    origin.files["/other.png"] = single_line("Platform ten").encoded()
    most = 32
    with _released(origin.released), ThreadPoolExecutor(most + 8) as threads:
        alice = [
            threads.submit(server.model.client.post, PATH, json=ocr_request(url), headers=_bearer(ALICE))
            for url in (origin.url(f"/held/sign.png?{number}") for number in range(most + 4))
        ]
        for _ in range(most):
            assert origin.held.acquire(timeout=LIMIT_S)
        bob = server.model.client.post(PATH, json=ocr_request(origin.url("/other.png")), headers=_bearer(BOB))
        assert "Platform ten" in content_of(bob)
        assert not origin.held.acquire(blocking=False), "one key has more than its part of the connections"
        origin.released.set()
        assert {one.result().status_code for one in alice} <= {200, 429}
    origin.released.clear()


def test_calls_of_the_llm_of_one_key_leave_a_place_to_another(server: Attacked) -> None:
    server.model.script(
        by_body=lambda body: (
            Reply(hang_before_first_byte=True) if "Alice" in prompt_text(body) else Reply("Hello, Bob.")
        )
    )
    held = [server.begin(ALICE, json.dumps(body_of("Alice")).encode()) for _ in range(2)]
    server.model.llm.wait_for_requests(1)
    assert content_of(server.ask(BOB, "Hello")) == "Hello, Bob."
    assert len(server.model.prompts) == 2, "the second call of one key took the other key's place"
    for one in held:
        one.close()
    server.model.llm.wait_for_cancelled(1, LIMIT_S)


def test_large_bodies_of_one_key_leave_a_place_to_another(server: Attacked) -> None:
    for _ in range(2):
        server.begin(ALICE, b" " * (3 * MB // 2), announced=3 * MB)
    server.until(lambda: server.services.bodies.running == 1 and server.services.bodies.waiting == 1)
    server.model.script(Reply("Read."))
    assert content_of(server.ask(BOB, "What is this? " + "x " * MB + "?", max_tokens=5)) == "Read."
    assert (server.services.bodies.running, server.services.bodies.waiting) == (1, 1)


def test_a_key_has_a_number_of_files_and_another_key_has_its_own(server: Attacked) -> None:
    def upload(key: str, content: bytes = b"a note", **fields: str) -> httpx.Response:
        files = {"file": ("note.txt", content)}
        data = {"purpose": "user_data", **fields}
        return server.model.client.post("/v1/files", files=files, data=data, headers=_bearer(key))

    assert [upload(ALICE).status_code for _ in range(3)] == [200] * 3
    error = error_of(upload(ALICE), 413, "storage_full")
    assert "OPENFAZE_MAX_FILES" in error["message"]
    assert upload(BOB).status_code == 200
    assert error_of(upload(BOB, b""), 400, "invalid_request")["param"] == "file"
    for seconds in ("0" * 400 + "3600", "9" * 400, "03600"):
        told = {"expires_after[anchor]": "created_at", "expires_after[seconds]": seconds}
        assert error_of(upload(BOB, **told), 400, "invalid_request")["param"] == "expires_after[seconds]"


@pytest.mark.parametrize("stream", [False, True])
def test_an_event_without_an_end_is_given_up_and_its_server_hung_up_on(server: Attacked, stream: bool) -> None:
    server.model.script(Reply(events=[b"data: " + b"x" * 2 * MB], hang_after=1))
    error_of(server.ask(ALICE, "Hello", stream=stream), 503, "upstream_unavailable")
    server.model.llm.wait_for_cancelled(1, LIMIT_S)


def test_the_sources_of_many_fields_are_looked_for_beside_the_loop(server: Attacked) -> None:
    names = [f"field_{number}" for number in range(20)]
    # The places that the extractor looks at, and with them the calls of its engines, are at their bound with either.
    words = [f"word{number}{'x' * 60}" for number in range(len(names))]
    answer = json.dumps(dict(zip(names, words, strict=True)))
    server.model.script(by_body=lambda _: Reply(chunks=[answer]))
    form = schema_of(**{name: {"type": "string"} for name in names})

    def ask(lines: int) -> httpx.Response:
        said = [text_part("Fill in the form."), text_file("\n".join([" ".join(words)] * lines))]
        return server.ask(ALICE, said, response_format=form, evidence=True)

    ask(80)  # engines are put together, which takes as many calls again
    for response in server.is_spared(ask, 80, 400):
        assert response.status_code == 200, response.text
        assert len(response.json()["evidence"]) == len(names)


def test_no_engine_is_put_together_on_the_event_loop(server: Attacked) -> None:
    """Nor was any by the tests before this one."""
    services, client = server.services, server.model.client
    for name in (*TASK_NAMES, "code_sandbox"):
        picture = picture_of("Save")
        assert server.ask(ALICE, *run_task(name, text_part("Read https://a.invalid"), picture)).status_code != 500
    server.model.script(by_body=lambda _: Reply("Hello."))
    assert content_of(server.ask(ALICE, "Hello")) == "Hello."
    assert server.ask(ALICE, system("<guard>S1, S1_IMAGE</guard>"), "Hello").status_code in (200, 503)
    assert client.post("/v1/moderations", json={"input": "Hello"}, headers=_bearer(ALICE)).status_code == 200
    spoken = {"file": ("a.wav", b"no sound")}
    heard = client.post("/v1/audio/transcriptions", files=spoken, data={"model": "whisper-1"}, headers=_bearer(ALICE))
    assert heard.status_code == 400
    built = {spec.capability for spec in services.runtime._built}
    assert built >= {"ocr", "llm", "text_guard", "gui_detection", "object_detection", "speech_to_text", "forecast"}
    assert server.built_on_loop == []


def thread_of(server: Attacked) -> int:
    async def ident() -> int:
        return threading.get_ident()

    assert server.loop.loop is not None
    return asyncio.run_coroutine_threadsafe(ident(), server.loop.loop).result(LIMIT_S)


@contextlib.contextmanager
def _released(gate: threading.Event) -> Iterator[None]:
    """Opens the gate, whatever happens."""
    try:
        yield
    finally:
        gate.set()
