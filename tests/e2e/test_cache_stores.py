"""Where answers are kept, over HTTP: they outlive servers, an operator sees and deletes them, and no store that breaks
costs anybody an answer."""

from pathlib import Path
from typing import Any

from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import (
    PATH,
    body_of,
    client_of_app,
    content_of,
    serving_full_model,
    vcache,
)
from tests.kit.servers.llm_server import LlmServer, serving_llm
from tests.kit.servers.redis_server import serving_redis
from tests.kit.waits.waiting import wait_until


def test_answers_outlive_the_server(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cache": "exact", "cache_url": f"sqlite:///{tmp_path / 'a.sqlite'}", "llm": "off"}
    body = ocr_request(data_url(b"Still here", "text/plain"))
    told = []
    for more in ({}, {}, {"max_pages": 7}):
        with client_of_app(tmp_path, **settings, **more) as client:
            told.append(vcache(client.post(PATH, json=body)))
    # A setting that shapes answers asks anew.
    assert told == [False, True, False]


def test_another_model_behind_the_llms_address_asks_anew(tmp_path: Path) -> None:
    def asked(llm: LlmServer, model: str) -> Any:
        llm.routes = {"/v1/models": {"object": "list", "data": [{"id": model, "max_model_len": 32768}]}}
        with client_of_app(tmp_path, cache="exact", llm_base_url=llm.base_url) as client:
            return [vcache(client.post(PATH, json=body_of("Who are you?"))) for _ in range(2)]

    with serving_llm() as llm:
        assert asked(llm, "one") == [False, True]
        assert asked(llm, "other") == [False, True]
        assert asked(llm, "one") == [True, True]
        # Where the server does not say it, nobody knows after a restart.
        llm.routes = {}
        settings = {"cache": "exact", "llm_base_url": llm.base_url}
        with client_of_app(tmp_path, **settings) as client:
            assert client.post(PATH, json=body_of("Who are you?")).status_code == 503


def test_a_redis_that_is_killed_costs_nobody_an_answer(tmp_path: Path) -> None:
    with serving_redis(tmp_path) as redis, serving_full_model(cache="exact", cache_url=redis.url) as model:
        model.says_ok()
        assert not vcache(model.ask("Kept in Redis?"))
        assert vcache(model.ask("Kept in Redis?"))
        redis.kill()
        assert [content_of(model.ask(f"And without {number}?")) for number in range(5)] == ["ok"] * 5
        redis.start()
        question = iter(range(1000))
        # It is left alone for a second.
        wait_until(
            lambda: (
                (asked := f"And again {next(question)}?") and not vcache(model.ask(asked)) and vcache(model.ask(asked))
            )
        )
