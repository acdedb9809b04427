"""What a key sends to have all of a bounded thing for itself: another key finds its share. Nothing is timed."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import httpx
import pytest

import models.host
from models.sandbox.bubblewrap import BubblewrapEngine, missing
from models.scheduler import Share, make_room
from models.vision.ppocr.contours import Quads
from models.vision.ppocr.detector import TextDetector
from models.vision.text import Image
from tests.e2e import full_model
from tests.e2e.attacked import ALICE, BOB, LIMIT_S, MB, Attacked, bearer, released, run_task, serving_attacked
from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import PATH, body_of, content_of, error_of, prompt_text, text_part
from tests.llm_server import Reply
from tests.origin import Origin
from tests.pages import single_line


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


def test_connections_that_say_nothing_shut_out_nobody(server: Attacked) -> None:
    for _ in range(3 * server.services.settings.max_connections):
        server.connect().sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost:")
    fresh = httpx.get(f"{server.model.base_url}/v1/models", headers=bearer(BOB), timeout=LIMIT_S, trust_env=False)
    assert fresh.status_code == 200


def test_half_sent_requests_of_one_key_leave_connections_to_another(server: Attacked) -> None:
    for _ in range(3 * server.services.settings.max_connections):
        server.connect().sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer " + ALICE.encode() + b"\r\ncontent-length: 1000\r\n\r\n{"
        )
    mine = httpx.get(f"{server.model.base_url}/v1/models", headers=bearer(ALICE), timeout=LIMIT_S, trust_env=False)
    assert (mine.status_code, mine.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    fresh = httpx.get(f"{server.model.base_url}/v1/models", headers=bearer(BOB), timeout=LIMIT_S, trust_env=False)
    assert fresh.status_code == 200


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
    with released(gate), ThreadPoolExecutor(8) as threads:

        def asked(key: str) -> "Future[httpx.Response]":
            return threads.submit(server.model.client.post, PATH, json=body, headers=bearer(key))

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
    assert error["message"].startswith("2 pieces of work of this key are already waiting")
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
    with released(gate), ThreadPoolExecutor(8) as threads:

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
    with released(origin.released), ThreadPoolExecutor(most + 8) as threads:
        alice = [
            threads.submit(server.model.client.post, PATH, json=ocr_request(url), headers=bearer(ALICE))
            for url in (origin.url(f"/held/sign.png?{number}") for number in range(most + 4))
        ]
        for _ in range(most):
            assert origin.held.acquire(timeout=LIMIT_S)
        bob = server.model.client.post(PATH, json=ocr_request(origin.url("/other.png")), headers=bearer(BOB))
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


def test_large_bodies_of_one_key_leave_memory_to_another(server: Attacked) -> None:
    memory = server.services.memory.bytes  # 256 MB, of which a key has at most twice what stays free
    for _ in range(3):
        server.begin(ALICE, b" " * (3 * MB // 2), announced=100 * MB)
    server.until(lambda: memory.running == 100 * MB and memory.waiting == 2)
    server.model.script(Reply("Read."))
    assert content_of(server.ask(BOB, "What is this? " + "x " * MB + "?", max_tokens=5)) == "Read."


def test_a_key_has_a_number_of_files_and_another_key_has_its_own(server: Attacked) -> None:
    def upload(key: str, content: bytes = b"a note", **fields: str) -> httpx.Response:
        files = {"file": ("note.txt", content)}
        data = {"purpose": "user_data", **fields}
        return server.model.client.post("/v1/files", files=files, data=data, headers=bearer(key))

    assert [upload(ALICE).status_code for _ in range(3)] == [200] * 3
    error = error_of(upload(ALICE), 413, "storage_full")
    assert "OPENFAZE_MAX_FILES" in error["message"]
    assert upload(BOB).status_code == 200
    assert error_of(upload(BOB, b""), 400, "invalid_request")["param"] == "file"
    for seconds in ("0" * 400 + "3600", "9" * 400, "03600"):
        told = {"expires_after[anchor]": "created_at", "expires_after[seconds]": seconds}
        assert error_of(upload(BOB, **told), 400, "invalid_request")["param"] == "expires_after[seconds]"
