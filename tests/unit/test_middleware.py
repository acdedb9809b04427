"""What surrounds a request."""

from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from app import middleware
from app.access.admission import Admission
from app.access.keys import ApiKeys
from app.batches.gaps import Gaps
from app.metrics import Metrics
from app.middleware import HELD_S, RequestScope
from app.state.counters import Prices
from app.state.sqlite_counters import SqliteCounters
from app.tracing import Traces
from models.base import EngineOverloaded, ShareUsedUp
from models.memory import Activity

HEADERS = [(b"authorization", b"Bearer key")]


async def answered(error: Exception, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What happens, in order, to a request that fails with `error`: pauses in seconds, and statuses that are sent."""
    happened: list[object] = []

    async def fails(_: Scope, __: Receive, ___: Send) -> None:
        raise error

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            happened.append(message["status"])

    async def look() -> None:
        pass

    async def noted(seconds: float) -> None:
        happened.append(seconds)

    admission = Admission(SqliteCounters(Path("none")), Prices(1, 1))
    scope = RequestScope(fails, ApiKeys(["key"]), admission, look, Activity(), Gaps(1, 0), Metrics(), Traces())
    monkeypatch.setattr(middleware.asyncio, "sleep", noted)
    await scope({"type": "http", "method": "POST", "path": "/v1/models", "headers": HEADERS}, receive, send)
    return happened


async def test_a_key_that_has_used_up_its_share_waits_for_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await answered(ShareUsedUp("ocr", 64, 3), monkeypatch) == [HELD_S, 429]


async def test_who_finds_the_server_full_of_others_work_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await answered(EngineOverloaded("ocr", 128, 3), monkeypatch) == [503]
