"""What surrounds a request."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.access.admission import AdmissionControl
from app.access.door import Door
from app.access.key_file import add_key, set_key, tenant_of
from app.access.keys import ApiKeys
from app.errors import DEFAULT_HEADERS
from app.http.request import ClientGone, until_disconnect
from app.middleware import RequestScope
from app.monitoring.metrics import Metrics
from app.monitoring.tracing import Traces
from app.settings import Settings
from app.state.counters import Prices
from app.state.database import Database, sqlite_url
from app.state.memory_counters import MemoryCounters
from app.state.usage import UsageStore
from models.base import EngineOverloaded
from models.queues import KEY
from tests.e2e.full_model import client_of_app
from tests.kit.waits.waiting import until

PAGE = "https://app.example.com"


def preflight(client: httpx.Client, origin: str) -> httpx.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    return client.options("/v1/chat/completions", headers=headers)


def test_pages_of_other_origins_may_not_call_the_server(tmp_path: Path) -> None:
    with client_of_app(tmp_path, api_keys=("k",)) as client:
        client.headers["authorization"] = "Bearer k"
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


def test_pages_of_a_named_app_may_call_a_private_address(tmp_path: Path) -> None:
    with client_of_app(tmp_path, cors_origins=("app://obsidian.md",), api_keys=("k",)) as client:
        client.headers["access-control-request-private-network"] = "true"
        asked, other = preflight(client, "app://obsidian.md"), preflight(client, PAGE)
    assert (asked.status_code, asked.headers["access-control-allow-private-network"]) == (200, "true")
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers


def test_the_log_has_the_beginning_of_a_long_path(tmp_path: Path) -> None:
    # A request is logged after its answer, at the latest when the server has stopped.
    with structlog.testing.capture_logs() as log, client_of_app(tmp_path) as client:
        assert client.get("/" + "a" * 60_000).status_code == 404
    (line,) = [line for line in log if line["event"] == "request"]
    assert line["path"] == "/" + "a" * 199


def test_probes_are_in_the_log_only_at_debug(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as log, client_of_app(tmp_path) as client:
        for path in ("/health", "/ready", "/v1/models"):
            client.get(path)
    levels = {line["path"]: line["log_level"] for line in log if line["event"] == "request"}
    assert levels == {"/health": "debug", "/ready": "debug", "/v1/models": "info"}


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


class Server:
    """The middleware around an application, which answers once `may_answer` is set, or fails with `error`."""

    def __init__(
        self, *keys: str, concurrent: int = 1, error: Exception | None = None, file: Path | None = None
    ) -> None:
        usage = UsageStore(Database(sqlite_url(Path("none"))))
        control = AdmissionControl(MemoryCounters(usage), usage, Prices(1, 1))
        self.begun: list[str] = []
        self.sent: list[Message] = []
        self.may_answer = asyncio.Event()
        self._error = error
        services = SimpleNamespace(
            settings=Settings(_env_file=None),
            keys=ApiKeys(keys, file),
            admission_control=control,
            door=Door(concurrent, 1 << 20),
            metrics=Metrics(),
            traces=Traces(),
            is_stopping=False,
        )
        self._scope = RequestScope(self._answer, services)  # type: ignore[arg-type]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(KEY.get())
        if self._error is not None:
            raise self._error
        await self.may_answer.wait()
        await Response()(scope, receive, send)

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    def request(
        self, key: str = "", path: str = "/v1/models", address: str = "192.0.2.1", caller: Caller | None = None
    ) -> "asyncio.Task[None]":
        headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": headers,
            "client": (address, 5),
        }
        return asyncio.create_task(self._scope(scope, (caller or Caller()).receive, self._send))

    @property
    def statuses(self) -> list[int]:
        return [message["status"] for message in self.sent if message["type"] == "http.response.start"]


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_error_of_the_work_is_an_error_object() -> None:
    server = Server(error=EngineOverloaded("ocr", 128, 3))
    await server.request()
    assert server.statuses == [503]


async def test_each_key_has_places_and_each_address_where_there_are_no_keys() -> None:
    for keys, sent in ((("k1", "k2"), ({"key": "k1"}, {"key": "k2"})), ((), ({}, {"address": "192.0.2.2"}))):
        server = Server(*keys)
        running = [server.request(**one) for one in sent]
        await settled()
        assert len(set(server.begun)) == 2
        waiting = server.request(**sent[0])
        await settled()
        assert len(server.begun) == 2
        refused = server.request(**sent[0])
        await refused
        assert server.statuses == [429]
        server.may_answer.set()
        await asyncio.gather(*running, waiting)
        assert server.statuses == [429, 200, 200, 200]
        assert set(server.begun) == set(server.begun[:2])


async def test_keys_of_one_tenant_have_places_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    tenant = tenant_of(alice := add_key(file, "alice", {"concurrent": 1}))
    bob = add_key(file, "bob", {"concurrent": 1})
    set_key(file, "bob", {"tenant": tenant})
    server = Server(file=file)
    running = [server.request(key) for key in (alice, alice, alice, bob)]
    await settled()
    assert (len(set(server.begun)), server.statuses) == (2, [429])
    server.may_answer.set()
    await asyncio.gather(*running)
    assert server.statuses == [429, 200, 200, 200]


async def test_addresses_of_one_network_of_version_6_are_one_caller() -> None:
    server = Server()
    running = server.request(address="2001:db8::1")
    waiting = server.request(address="2001:db8::2")
    await settled()
    assert server.begun == ["2001:db8::/64"]
    server.may_answer.set()
    await asyncio.gather(running, waiting)


async def test_pages_and_probes_need_no_place() -> None:
    server = Server("key")
    running = server.request("key")
    await settled()
    requests = [server.request(path=path) for path in ("/health", "/openapi.json", "/playground/x.js")]
    await settled()
    server.may_answer.set()
    await asyncio.gather(running, *requests)
    assert server.statuses == [200] * 4


async def test_a_request_whose_caller_leaves_while_it_waits_never_begins() -> None:
    server, caller = Server("key"), Caller()
    running, waiting = server.request("key"), server.request("key", caller=caller)
    await settled()
    caller.leave.set()
    await until(waiting.done)
    server.may_answer.set()
    await running
    assert (len(server.begun), server.statuses) == (1, [200])
    await server.request("key")
    assert server.statuses == [200, 200]


def test_without_keys_other_pages_are_refused_everywhere_but_at_the_probes(tmp_path: Path) -> None:
    with client_of_app(tmp_path, cors_origins=("app://obsidian.md",)) as client:
        for foreign in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
            for method, path in (
                ("GET", "/"),
                ("GET", "/v1/files"),
                ("GET", "/metrics"),
                ("POST", "/mcp"),
                ("POST", "/v1/chat/completions"),
                ("GET", "/nothing"),
            ):
                refused = client.request(method, path, headers=foreign)
                assert (refused.status_code, refused.json()["error"]["type"]) == (403, "permission_error"), path
                assert refused.json()["error"]["code"] == "foreign_origin"
            assert client.get("/health", headers=foreign).status_code == 200
            assert client.get("/ready", headers=foreign).status_code in (200, 503)
        assert client.get("/v1/models", headers={"origin": "app://obsidian.md"}).status_code == 200
        own = str(client.base_url).rstrip("/")
        assert client.get("/v1/models", headers={"origin": own}).status_code == 200


def test_with_keys_the_key_decides(tmp_path: Path) -> None:
    with client_of_app(tmp_path, api_keys=("k",)) as client:
        foreign = {"origin": "https://evil.example", "host": "evil.example", "authorization": "Bearer k"}
        assert client.get("/v1/models", headers=foreign).status_code == 200
