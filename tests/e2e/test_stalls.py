"""What is sent to stall the server, against one with small bounds.

Nothing is timed. Where work must not be the event loop's, what the loop's thread does is counted: calls of functions,
of which there may be a few more for each piece of a larger body, and none for what a task makes of it.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import app.chat.context.trim
import app.chat.inputs
from app.chat.tool_loop import ToolLimits
from models.safety.text import engine, phrase_rules
from models.safety.text.matching import PhraseMatch
from models.workers.pool import SMALL
from tasks.catalog import TASK_NAMES
from tasks.series import reading
from tasks.wording.gui_elements import Wording
from tests.e2e import full_model
from tests.e2e.attacked import ALICE, BOB, LIMIT_S, MB, Attacked, bearer, run_task, serving_attacked
from tests.e2e.conftest import data_url
from tests.e2e.full_model import Json, content_of, error_of, picture_of, schema_of, system, text_part
from tests.e2e.guarded import guard
from tests.llm_server import Call, Reply
from tests.origin import Origin

CALLS_A_PART = 50
"""At most, for each part of a request: comparing each with each would be thousands."""


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with full_model.serving_sign() as origin:
        yield origin


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with serving_attacked(tmp_path_factory.mktemp("files")) as running:
        yield running


@pytest.fixture
def server(running: Attacked) -> Iterator[Attacked]:
    yield running
    running.calm_down()


def text_file(text: str) -> Json:
    return {"type": "file", "file": {"file_data": data_url(text.encode(), "text/plain"), "filename": "long.txt"}}


def numbered(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def called(arguments: str, results: int = 1) -> list[Json]:
    """A call with its arguments, and the results that answer it."""
    call = {"id": "c", "type": "function", "function": {"name": "look_up", "arguments": arguments}}
    return [
        {"role": "assistant", "tool_calls": [call]},
        *({"role": "tool", "tool_call_id": "c", "content": f"Result {number}"} for number in range(results)),
    ]


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
        lambda size: server.ask(ALICE, *[earlier] * size, [text_part("What does it say?"), *beside]), 200, 2000
    )
    assert [content_of(answer) for answer in answers] == ["Done."] * 2


def test_a_long_guarded_text_is_read_in_a_worker(server: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    find = phrase_rules.matches

    def noted(text: str) -> list[PhraseMatch]:
        read.append(text)
        return find(text)

    monkeypatch.setattr(phrase_rules, "matches", noted)
    server.model.script(by_body=lambda _: Reply("Done."))
    assert content_of(server.ask(ALICE, guard("S9"), f"What does Alice want? {numbered(20_000)}")) == "Done."
    assert sum(map(len, read)) < SMALL


def test_more_than_a_guard_may_have_to_judge_is_refused_before_any_of_it_is_read(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "apply_rules", None)
    for messages in (
        [guard("S9"), "x" * 2 * MB],
        [guard("S9"), system("x" * 2 * MB), "Hello"],
        [guard("S9"), "Hello", {"role": "assistant", "content": "x" * 2 * MB}, "And?"],
        [guard("S9"), "Hello", *called('{"a":"' + r"\na" * (MB // 2) + '"}'), "And?"],
        [guard("S9"), "word " * 400, *called("{}", results=2000)],
    ):
        error = error_of(server.ask(ALICE, *messages), 413, "request_too_large")
        assert "limit of 1 MB" in error["message"]


def test_calls_that_a_guard_judges_are_read_beside_the_loop(server: Attacked) -> None:
    server.model.script(by_body=lambda _: Reply("Done."))
    answers = server.is_spared(
        lambda size: server.ask(ALICE, guard("S9"), "Hello", *called(json.dumps({"a": "word\n" * size}))), 2000, 20_000
    )
    assert [content_of(answer) for answer in answers] == ["Done."] * 2


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
    assert all(chars <= server.services.loader.limits.wording_chars + 1 for chars, _ in read)
    assert len(read) == 2
    assert thread_of(server) not in {thread for _, thread in read}


@pytest.mark.deep
@pytest.mark.parametrize("sign", ['"', "(", "x,", "\n", "2026-"])
def test_a_text_of_signs_is_searched_for_series_beside_the_loop(
    server: Attacked, monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    """The short one in a thread, the long one in a decode process."""
    threads: list[int] = []
    understand = reading.message_of

    def noted(text: str, most_cells: int) -> Any:
        threads.append(threading.get_ident())
        return understand(text, most_cells)

    monkeypatch.setattr(reading, "message_of", noted)
    answers = server.is_spared(
        lambda size: server.ask(ALICE, *run_task("forecast", text_part("Forecast " + sign * (size // len(sign))))),
        10_000,
        200_000,
    )
    assert [answer.status_code for answer in answers] == [400, 400]
    assert len(threads) == 1
    assert thread_of(server) not in threads


def test_a_text_too_long_for_a_series_is_refused_before_it_is_searched(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading.SeriesReader, "message", None)
    response = server.ask(ALICE, *run_task("forecast", text_part('"' * 1_100_000)))
    error = error_of(response, 413, "file_too_large")
    assert "the limit is 1000000." in error["message"]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /health HTTP/1.1\r\nx: " + b"a" * MB + b"\r\n\r\n", id="one header of a megabyte"),
        pytest.param(b"GET /health HTTP/1.1\r\n" + b"a: b\r\n" * 100_000 + b"\r\n", id="100,000 headers"),
    ],
)
def test_a_head_of_a_megabyte_is_refused_without_a_key(server: Attacked, head: bytes) -> None:
    connection = server.connect()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(head)
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert server.model.client.get("/health").status_code == 200
    status, _, rest = answer.partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 431 ")
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["code"] == "head_too_large"


def test_a_picture_that_is_named_thousands_of_times_is_fetched_once(server: Attacked, origin: Origin) -> None:
    part = {"type": "image_url", "image_url": {"url": origin.url("/sign.png")}}
    before = len(origin.seen)
    with server.loop.counted() as loop:
        answer = server.ask(ALICE, *run_task("ocr", *[part] * 2000))
    assert json.loads(content_of(answer))["result"]["extracted_text"] == "Platform nine"
    assert len(origin.seen) == before + 1
    assert loop.calls < 2000 * CALLS_A_PART


def test_of_thousands_of_inputs_no_more_are_looked_at_than_a_request_may_have(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Any] = []
    look = app.chat.inputs._source_of_part

    def noted(part: Any, here: Any) -> Any:
        looked_at.append(part)
        return look(part, here)

    monkeypatch.setattr(app.chat.inputs, "_source_of_part", noted)
    urls = [f"https://example.com/{number}.png" for number in range(2000)]
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
    ran = [entry for entry in response.json()["precontext"] if entry["name"] == "ocr"]
    assert len(ran) == ToolLimits().per_request
    told = [message["content"] for message in server.model.prompts[-1]["messages"] if message["role"] == "tool"]
    assert len(told) == 3 * len(calls)
    refused = [text for text in told if "in all, are run" in text]
    assert len(refused) == len(told) - ToolLimits().per_request


@pytest.mark.parametrize("stream", [False, True])
def test_an_event_without_an_end_is_given_up_and_its_server_hung_up_on(server: Attacked, stream: bool) -> None:
    server.model.script(Reply(events=[b"data: " + b"x" * 2 * MB], hang_after=1))
    error_of(server.ask(ALICE, "Hello", stream=stream), 503, "upstream_unavailable")
    server.model.llm.wait_for_cancelled(1, LIMIT_S)


@pytest.mark.deep
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
    assert client.post("/v1/moderations", json={"input": "Hello"}, headers=bearer(ALICE)).status_code == 200
    spoken = {"file": ("a.wav", b"no sound")}
    heard = client.post("/v1/audio/transcriptions", files=spoken, data={"model": "whisper-1"}, headers=bearer(ALICE))
    assert heard.status_code == 400
    built = {spec.capability for spec in services.runtime._built}
    assert built >= {"ocr", "llm", "text_guard", "gui_detection", "object_detection", "speech_to_text", "forecast"}
    assert server.built_on_loop == []


def thread_of(server: Attacked) -> int:
    async def ident() -> int:
        return threading.get_ident()

    assert server.loop.loop is not None
    return asyncio.run_coroutine_threadsafe(ident(), server.loop.loop).result(LIMIT_S)


def test_a_key_has_a_number_of_files_and_another_key_has_its_own(server: Attacked) -> None:
    def upload(key: str, content: bytes = b"a note", **fields: str) -> httpx.Response:
        files = {"file": ("note.txt", content)}
        data = {"purpose": "user_data", **fields}
        return server.model.client.post("/v1/files", files=files, data=data, headers=bearer(key))

    assert [upload(ALICE).status_code for _ in range(3)] == [200] * 3
    error = error_of(upload(ALICE), 413, "storage_full")
    assert "more than 3 files" in error["message"]
    assert upload(BOB).status_code == 200
    assert error_of(upload(BOB, b""), 400, "invalid_request")["param"] == "file"
    for seconds in ("0" * 400 + "3600", "9" * 400, "03600"):
        told = {"expires_after[anchor]": "created_at", "expires_after[seconds]": seconds}
        assert error_of(upload(BOB, **told), 400, "invalid_request")["param"] == "expires_after[seconds]"
