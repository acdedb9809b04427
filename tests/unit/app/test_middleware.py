"""What surrounds a request."""

import asyncio
import contextlib
import sys
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app import middleware
from app.access.admission import AdmissionControl
from app.access.keys import ApiKeys
from app.access.open_requests import OpenRequestLimit
from app.access.pacing import Pacer
from app.access.turnstile import Turnstile
from app.batches.line_slots import LineSlots
from app.errors import DEFAULT_HEADERS
from app.http.disconnect import HANG_UP, ClientGone, until_disconnect
from app.main import SWITCH_INTERVAL_S
from app.metrics import Metrics
from app.middleware import REFUSAL_DELAY_S, RequestScope
from app.state.counters import Prices
from app.state.sqlite_counters import SqliteCounters
from app.tracing import Traces
from models.base import EngineOverloaded, ShareUsedUp
from models.malloc import Activity
from models.request_memory import RequestMemory
from models.scheduler import Share
from tests.e2e.full_model import client_of_app
from tests.waiting import until

HEADERS = [(b"authorization", b"Bearer key")]
MEMORY = RequestMemory(1 << 30, most_waiting=8)


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

    control = AdmissionControl(SqliteCounters(Path("none")), Prices(1, 1))
    keys, slots = ApiKeys(["key"]), LineSlots(1)
    scope = RequestScope(
        fails, keys, control, Pacer(1), OpenRequestLimit(8), look, Activity(), MEMORY, slots, Metrics(), Traces()
    )
    monkeypatch.setattr(middleware.asyncio, "sleep", noted)
    await scope({"type": "http", "method": "POST", "path": "/v1/models", "headers": HEADERS}, receive, send)
    return happened


async def test_a_key_that_has_used_up_its_share_waits_for_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await answered(ShareUsedUp("ocr", 64, 3), monkeypatch) == [REFUSAL_DELAY_S, 429]


async def test_who_finds_the_server_full_of_others_work_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await answered(EngineOverloaded("ocr", 128, 3), monkeypatch) == [503]


PAGE = "https://app.example.com"


def preflight(client: httpx.Client, origin: str) -> httpx.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    return client.options("/v1/chat/completions", headers=headers)


def test_pages_of_other_origins_may_not_call_the_server(tmp_path: Path) -> None:
    with client_of_app(tmp_path) as client:
        answers = [preflight(client, PAGE), client.get("/v1/models", headers={"origin": PAGE})]
    assert [answer.status_code for answer in answers] == [405, 200]
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]


def test_pages_of_an_origin_that_is_named_may_and_read_errors_too(tmp_path: Path) -> None:
    with client_of_app(tmp_path, cors_origins=(PAGE,), api_keys=("k",)) as client:
        asked, other = preflight(client, PAGE), preflight(client, "https://app.example.com.evil.test")
        refused = client.get("/v1/models", headers={"origin": PAGE})
        strange = client.get("/v1/models", headers={"origin": "https://evil.test"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PAGE)
    assert "retry-after" in refused.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in strange.headers


def test_answers_are_what_they_say_and_are_kept_nowhere(tmp_path: Path) -> None:
    with client_of_app(tmp_path, api_keys=("k",)) as client:
        for headers in ({}, {"authorization": "Bearer k"}):
            answer = client.get("/v1/models", headers=headers)
            assert {name: answer.headers[name] for name in DEFAULT_HEADERS} == DEFAULT_HEADERS
        assert client.get("/docs").headers["cache-control"] == "no-cache", "a page says otherwise"


def test_a_privacy_header_that_is_misspelt_is_refused_and_not_ignored(tmp_path: Path) -> None:
    with client_of_app(tmp_path, api_keys=("k",)) as client:
        client.headers["authorization"] = "Bearer k"
        for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/files", "/mcp"):
            refused = client.post(path, json={}, headers={"x-interfaze-zdr": "ture"})
            assert refused.status_code == 400, path
            told = refused.json()["error"]
            assert told["message"] == "Header 'x-interfaze-zdr': should be 'true' or 'false', not 'ture'"
            assert told["param"] == "x-interfaze-zdr"
        assert (
            client.post("/v1/batches", json={}, headers={"x-interfaze-zdr": "1"})
            .json()["error"]["message"]
            .startswith("A batch is stored")
        )
        strange = client.get("/v1/models", headers={"x-interfaze-zdr": "ture", "authorization": "Bearer no"})
        assert strange.status_code == 401, "the key comes first"
        assert client.get("/health", headers={"x-interfaze-zdr": "ture"}).status_code == 200


class Caller:
    """One that stays until `leave` is set."""

    def __init__(self) -> None:
        self.leave = asyncio.Event()

    async def receive(self) -> Message:
        await self.leave.wait()
        return {"type": "http.disconnect"}


class Labour:
    """Work without an end, unless it is told one."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.let_go = asyncio.Event(), asyncio.Event(), False

    async def run(self) -> str:
        try:
            self.begun.set()
            await self.may_end.wait()
            return "done"
        finally:
            await asyncio.sleep(0)
            self.let_go = True


async def test_work_is_the_callers_who_stays() -> None:
    labour = Labour()
    labour.may_end.set()
    assert await until_disconnect(Caller().receive, labour.run()) == "done"


async def test_who_hangs_up_takes_the_work_along_and_leaves_no_cancellation_behind() -> None:
    caller, labour = Caller(), Labour()

    async def handle() -> bool:
        with pytest.raises(ClientGone):
            await until_disconnect(caller.receive, labour.run())
        assert labour.let_go
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    handling = asyncio.create_task(handle())
    await labour.begun.wait()
    caller.leave.set()
    assert await handling is False


async def test_a_server_that_stops_cancels_the_work_whether_the_caller_stays_or_not() -> None:
    for leaves in (False, True):
        caller, labour = Caller(), Labour()
        handling = asyncio.create_task(until_disconnect(caller.receive, labour.run()))
        await labour.begun.wait()
        if leaves:
            caller.leave.set()
            while not handling.cancelling():
                await asyncio.sleep(0)
        handling.cancel()
        await asyncio.wait([handling])
        assert handling.cancelled()
        assert labour.let_go


@pytest.mark.parametrize(
    ("path", "paced", "by_address"),
    [
        ("/openapi.json", [], ["192.0.2.1"]),
        ("/metrics", ["tenant"], []),
        ("/health", [], ["probe 192.0.2.1"]),
    ],
)
async def test_requests_of_keys_are_paced_by_key_and_the_others_by_address(
    path: str, paced: list[str], by_address: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    class NotedPacer(Pacer):
        def turn(self, share: Share) -> contextlib.AbstractAsyncContextManager[None]:
            begun.append("tenant" if share.key else "")
            return super().turn(share)

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await Response()(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    async def look() -> None:
        pass

    control = AdmissionControl(SqliteCounters(Path("none")), Prices(1, 1))
    scope = RequestScope(
        answers,
        ApiKeys(["key"]),
        control,
        NotedPacer(1),
        OpenRequestLimit(8),
        look,
        Activity(),
        MEMORY,
        LineSlots(1),
        Metrics(),
        Traces(),
    )
    addresses: list[str] = []

    class NotedTurnstile(Turnstile):
        def turn(self, address: str) -> contextlib.AbstractAsyncContextManager[None]:
            addresses.append(address)
            return super().turn(address)

    monkeypatch.setattr(scope, "_turnstile", NotedTurnstile())
    client = ("192.0.2.1", 5)
    await scope({"type": "http", "method": "GET", "path": path, "headers": HEADERS, "client": client}, receive, send)
    assert begun == paced
    assert addresses == by_address


@pytest.mark.parametrize("leaves", ["while it waits", "before it waits"])
async def test_a_request_whose_caller_leaves_before_its_turn_ends_and_never_begins(leaves: str) -> None:
    begun: list[str] = []
    open_requests = OpenRequestLimit(1)
    pacer = Pacer(1)

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["path"])
        await Response()(scope, receive, send)

    async def nothing(*_: object) -> Message:
        return {"type": "http.disconnect"}

    async def look() -> None:
        pass

    control = AdmissionControl(SqliteCounters(Path("none")), Prices(1, 1))
    keys, slots = ApiKeys(["key"]), LineSlots(1)
    handler = RequestScope(
        answers, keys, control, pacer, open_requests, look, Activity(), MEMORY, slots, Metrics(), Traces()
    )
    hang_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/models",
        "headers": HEADERS,
        "state": {HANG_UP: hang_up},
    }
    own = keys.check("Bearer key", "").share
    async with pacer.turn(Share("rival")), pacer.turn(own):
        if leaves == "before it waits":
            hang_up.set_result(None)
        handling = asyncio.create_task(handler(scope, nothing, nothing))
        for _ in range(5):
            await asyncio.sleep(0)
        if leaves == "while it waits":
            assert not handling.done()
            hang_up.set_result(None)
        await until(handling.done)
        with open_requests.place(Share(own.key, 0.5)):
            pass  # the request has given up the only place of its key
    assert begun == []


def test_threads_let_the_event_loop_go_on_soon(tmp_path: Path) -> None:
    sys.setswitchinterval(10 * SWITCH_INTERVAL_S)
    with client_of_app(tmp_path, llm="off") as client:
        assert client.get("/health").status_code == 200
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
