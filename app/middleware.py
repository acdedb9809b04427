"""The middleware around every request. It assigns an id, checks the key, turns exceptions into error objects, and
logs."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pydantic_core
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.admission import Admission, AdmissionControl
from app.access.keyless_log import KeylessLog
from app.access.keys import ApiKeys, Caller
from app.access.open_requests import OpenRequestLimit
from app.access.pacing import Pacer
from app.access.turnstile import Turnstile
from app.batches.line_slots import LineSlots
from app.errors import (
    DEFAULT_HEADERS,
    IS_OPERATOR,
    LAST_MESSAGE_S,
    ApiError,
    BadRequest,
    clear_tracebacks,
    report_error,
    shutting_down,
)
from app.http.disconnect import ClientGone, entered_unless_gone
from app.http.headers import check_switches
from app.metrics import Metrics
from app.settings import is_loopback
from app.telemetry import Stages
from app.tracing import Traces, record_status
from models.base import ShareUsedUp
from models.malloc import Activity
from models.request_memory import RequestMemory
from models.scheduler import SHARE

HEALTH = "/health"
PROBES = (HEALTH, "/ready")
"""Paths for load balancers. Requests to them need no key."""
MONITORING_PATHS = (*PROBES, "/metrics")
"""Paths that are answered even while the server stops."""
PAGES = ("/", "/docs", "/llms.txt", "/openapi.json")
"""Pages that need no key, because they contain no data of any caller. The requests that these pages send need a key."""

EXPOSED_HEADERS = (
    "x-request-id",
    "server-timing",
    "retry-after",
    "x-should-retry",
    *(f"x-ratelimit-{which}-{what}" for which in ("limit", "remaining", "reset") for what in ("requests", "tokens")),
)
"""Response headers that pages of other origins may read if CORS lets them call the server."""
CLIENT_GONE_STATUS = 499
"""nginx's status for a caller that hung up, used in the log, the metrics and the traces, but never sent."""

REFUSAL_DELAY_S = 0.5
"""If a key's share is used up, its requests are refused after a delay of this many seconds. Without the delay, a client
that retries immediately in spite of `retry-after` would keep the server busy with refusals."""

log = structlog.get_logger(__name__)


class RequestScope:
    """The outermost middleware, except for CORS. Every request inside it gets an id and a line in the log (requests
    without a key only up to a limit), and exceptions become error objects."""

    def __init__(
        self,
        app: ASGIApp,
        keys: ApiKeys,
        admission_control: AdmissionControl,
        pacer: Pacer,
        open_requests: OpenRequestLimit,
        look: Callable[[], Awaitable[None]],
        activity: Activity,
        memory: RequestMemory,
        line_slots: LineSlots,
        metrics: Metrics,
        traces: Traces,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`look` is awaited before every request except those to HEALTH; see `models.runtime.Runtime`. While the server
        `is_stopping`, all requests are refused except those to MONITORING_PATHS."""
        self._app = app
        self._admission_control = admission_control
        self._pacer = pacer
        self._open_requests = open_requests
        self._activity = activity
        self._memory = memory
        self._line_slots = line_slots
        self._is_stopping = is_stopping
        self._keys = keys
        self._look = look
        self._metrics = metrics
        self._traces = traces
        self._turnstile = Turnstile()
        self._keyless_log = KeylessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req-{uuid.uuid4()}"
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        stages: Stages = state.setdefault("stages", Stages())
        status: int | None = None
        path = self._metrics.routes.without_slash(scope["path"])
        if path not in PAGES:  # Links of a page are relative to its path, so a page with an extra slash is redirected.
            scope["path"] = path
        route = self._metrics.began(scope["path"])
        admission = Admission()
        refused: list[ApiError] = []
        """Refusal of a request that reserved nothing. It is kept here, because the package for MCP does not pass the
        exception on."""

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                try:
                    await admission.count_unreserved()
                except ApiError as error:
                    refused.append(error)
                    raise
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update({"x-request-id": request_id, **admission.headers})
                for name, value in DEFAULT_HEADERS.items():
                    headers.setdefault(name, value)
                if self._is_stopping():
                    headers["connection"] = "close"
            await send(message)

        share = SHARE.set(SHARE.get())
        operator = IS_OPERATOR.set(not self._keys.are_required and _is_local_caller(scope))
        self._activity.running += 1
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            self._traces.request(scope, route, stages) as span,
            contextlib.ExitStack() as places,
            self._memory.of_request(),
        ):
            try:
                if self._is_stopping() and scope["path"] not in MONITORING_PATHS:
                    raise shutting_down()
                address = scope["client"][0] if scope.get("client") else ""
                is_open = _needs_no_key(scope["path"])
                if not is_open:
                    state["caller"] = caller = await self._check(scope, address)
                    SHARE.set(caller.share)
                    self._turnstile.note_key()
                    places.enter_context(self._open_requests.place(caller.share))
                    admission = self._admission_control.admit(caller, is_charged=scope["method"] == "POST")
                    check_switches(Headers(scope=scope))
                state["admission"] = admission
                if scope["path"] in PROBES:
                    # A flood of requests for pages does not keep probes from the same address waiting.
                    address = f"probe {address}"
                turn = self._turnstile.turn(address) if is_open else self._pacer.turn(SHARE.get())
                async with entered_unless_gone(scope, turn):
                    if scope["path"] != HEALTH:
                        await self._look()
                    with self._line_slots.yield_to(scope["method"], scope["path"]):
                        await self._app(_with_get_for_head(scope), receive, send_with_id)
                if refused and status is None:
                    raise refused[0]
            except ClientGone as error:
                await _settle(admission, has_begun=True)
                status = CLIENT_GONE_STATUS
                clear_tracebacks(error)
            except asyncio.CancelledError:
                # The server is stopping. A stream that has begun has already sent its own last event.
                if status is None:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LAST_MESSAGE_S):
                            await error_response(shutting_down(), request_id)(scope, receive, send_with_id)
                raise
            except Exception as error:
                public = report_error(error, "request_failed")
                stages.rejected = public.rejected
                if status is not None:
                    raise
                clear_tracebacks(error)
                if isinstance(error, ShareUsedUp):
                    await asyncio.sleep(REFUSAL_DELAY_S)
                # A refusal by the key's limits comes before any other error of the request.
                public = await _settle(admission) or public
                stages.rejected = public.rejected
                await error_response(public, request_id)(scope, receive, send_with_id)
            finally:
                await _settle(admission)
                SHARE.reset(share)
                IS_OPERATOR.reset(operator)
                self._activity.running -= 1
                self._activity.ended += 1
                self._metrics.ended(route, status or CLIENT_GONE_STATUS, stages)
                record_status(span, stages.failed or status or CLIENT_GONE_STATUS)
                if "caller" in state or self._keyless_log.has_line(status):
                    log.info(
                        "request",
                        method=scope["method"],
                        path=scope["path"],
                        status=status,
                        ms=round(stages.seconds * 1000, 1),
                        **state.get("log", {}),
                    )

    async def _check(self, scope: Scope, address: str) -> Caller:
        """Return the caller of a request. Raises what `ApiKeys.check` raises, and BadRequest for more than one key,
        because a proxy in front of this server may have checked a different key. A refusal waits for its turn like a
        request without a key."""
        given = Headers(scope=scope).getlist("authorization")
        try:
            if len(given) > 1:
                several = "the request has more than one 'Authorization' header; send one"
                raise BadRequest(several, param="authorization")
            return self._keys.check(next(iter(given), None), address)
        except ApiError:
            async with entered_unless_gone(scope, self._turnstile.turn(address)):
                raise


async def _settle(admission: Admission, *, has_begun: bool = False) -> ApiError | None:
    """Settle a request that is not settled yet. Return the refusal if a limit of the key refuses the request only
    now."""
    try:
        await admission.abort(has_begun=has_begun)
    except ApiError as refusal:
        return refusal
    return None


def _with_get_for_head(scope: Scope) -> Scope:
    """Return the scope for the routes: HEAD is answered as GET, and uvicorn leaves out the body. The playground's page
    tells the two apart."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" and scope["path"] != "/" else scope


def _is_local_caller(scope: Scope) -> bool:
    """True if the caller is on this machine and is not a proxy for another machine."""
    forwarded = {b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"}
    is_direct = not any(name in forwarded for name, _ in scope["headers"])
    return is_direct and bool(scope.get("client")) and is_loopback(scope["client"][0])


def _needs_no_key(path: str) -> bool:
    return path in PROBES or path in PAGES or path.startswith(("/docs/", "/playground/"))


def error_response(error: ApiError, request_id: str) -> Response:
    return Response(
        pydantic_core.to_json(error.body(request_id)),
        status_code=error.status,
        headers=error.headers,
        media_type="application/json",
    )
