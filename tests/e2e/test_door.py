"""What a key sends to have the whole server for itself: it waits or is refused, and another key is served."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.e2e.attacked import ALICE, BOB, LIMIT_S, Attacked, bearer, serving_attacked
from tests.e2e.full_model import PATH, body_of, content_of, error_of, prompt_text
from tests.kit.servers.llm_server import Reply

CONCURRENT = 4


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with serving_attacked(tmp_path_factory.mktemp("files"), concurrent=CONCURRENT, llm_calls_at_once=64) as running:
        yield running


@pytest.fixture
def server(running: Attacked) -> Iterator[Attacked]:
    yield running
    running.calm_down()


def hold_alice(server: Attacked) -> None:
    """Let the LLM answer everybody but Alice."""
    server.model.script(
        by_body=lambda body: (
            Reply(hang_before_first_byte=True) if "Alice" in prompt_text(body) else Reply("Hello, Bob.")
        )
    )


def body_of_alice(**fields: Any) -> bytes:
    return json.dumps(body_of("Alice", **fields)).encode()


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_beyond_its_places_is_refused_and_another_is_served(server: Attacked, stream: bool) -> None:
    hold_alice(server)
    running = [server.begin(ALICE, body_of_alice(stream=stream)) for _ in range(CONCURRENT)]
    server.model.llm.wait_for_requests(CONCURRENT)
    for _ in range(CONCURRENT):
        server.begin(ALICE, body_of_alice(stream=stream))
    server.until(lambda: server.services.door.waiting == CONCURRENT)
    refused = server.ask(ALICE, "Alice", stream=stream)
    error_of(refused, 429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) >= 1
    assert content_of(server.ask(BOB, "Hello")) == "Hello, Bob."
    assert len(server.model.prompts) == CONCURRENT + 1, "those that wait have not begun"
    left = time.monotonic()
    for one in running:
        one.close()
    server.model.llm.wait_for_requests(2 * CONCURRENT + 1)
    assert time.monotonic() - left < 1, "a caller who leaves frees its place within a second"


def test_two_hundred_callers_at_once_are_answered_or_told_to_wait(server: Attacked) -> None:
    server.model.script(by_body=lambda _: Reply("Hello."))

    def ask(number: int) -> httpx.Response:
        # Each has a client of its own: one for all threads closes a connection while another thread reads it.
        headers = bearer((ALICE, BOB)[number % 2])
        body = body_of("Hello", stream=number % 3 == 0)
        url = f"{server.model.base_url}{PATH}"
        return httpx.post(url, json=body, headers=headers, timeout=LIMIT_S, trust_env=False)

    with ThreadPoolExecutor(200) as threads:
        answers = list(threads.map(ask, range(200)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() <= {200, 429, 503}
    assert statuses[200] >= CONCURRENT
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code != 200)
