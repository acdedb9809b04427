"""What is sent to stall the server, against one with small bounds. Nothing is timed."""

import json
from collections.abc import Iterator

import pytest

from app.http import protocol
from tasks.catalog import TASK_NAMES
from tests.e2e.attacked import ALICE, Attacked, bearer, run_task, serving_attacked
from tests.e2e.full_model import body_of, content_of, picture_of, system, text_part
from tests.kit.servers.llm_server import Reply


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with serving_attacked(tmp_path_factory.mktemp("files")) as running:
        yield running


@pytest.fixture
def server(running: Attacked) -> Iterator[Attacked]:
    yield running
    running.calm_down()


def test_a_stream_that_nobody_reads_gives_back_its_place_and_its_llm_call(
    server: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "READER_S", 0.2)
    server.model.script(by_body=lambda _: Reply("word " * 200_000, hang_after=199_000))
    server.begin(ALICE, json.dumps(body_of("Go on.", stream=True)).encode())
    server.until(lambda: bool(server.model.llm.requests))
    server.until(lambda: server.services.door.running == 0)
    server.until(lambda: bool(server.model.llm.cancelled))


@pytest.mark.deep
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
