"""The description of the routes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.routes import openapi
from app.routes.openapi import Api


def test_threads_that_ask_at_once_make_one_description(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    together = threading.Barrier(2)

    def build(_: Api) -> dict[str, Any]:
        made.append({})
        with pytest.raises(threading.BrokenBarrierError):
            together.wait(0.2)
        return made[-1]

    monkeypatch.setattr(openapi, "_build_description", build)
    api = Api()
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: api.openapi(), range(2))
    assert first is second
    assert len(made) == 1
