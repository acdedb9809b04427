"""The middleware around every request. It assigns an id, checks the key, turns exceptions into error objects, and
logs."""

import asyncio
import contextlib
import uuid
from collections.abc import MutableMapping
from typing import Any

import pydantic_core
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.admission import Admission
from app.access.door import Place
from app.access.keys import Caller, network_of
from app.access.origin import OriginCheck
from app.assembly.services import Services
from app.errors import (
    DEFAULT_HEADERS,
    IS_OPERATOR,
    LAST_MESSAGE_S,
    ApiError,
    BadRequest,
    clear_tracebacks,
    is_llm_away,
    report_error,
    shutting_down,
)
from app.http.request import ClientGone, ReadAhead, check_switches, permits_traces
from app.monitoring.metrics import Stages
from app.monitoring.tracing import record_status
from app.settings import is_loopback
from models.queues import KEY

HEALTH = "/health"
PROBES = (HEALTH, "/ready")
"""Paths for load balancers. Requests to them need no key."""
MONITORING_PATHS = (*PROBES, "/metrics")
"""Paths that are answered even while the server stops."""
PAGES = ("/", "/docs", "/llms.txt", "/openapi.json")
"""Pages that need no key, because they contain no data of any caller. The requests that these pages send need a key."""

_OPEN_FOLDERS = ("/docs/", "/playground/", "/.well-known/")
"""Folders that need no key. Of the last, nothing is served: clients of MCP look there for ways to log in, and have to
learn that there is none."""

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

_LOGGED_CHARS = 200
"""The log has at most this many characters of a path."""

log = structlog.get_logger(__name__)


class RequestScope:
    """The outermost middleware, except for CORS. Every request inside it gets an id, a line in the log and, unless it
    needs no key, a place at the door; exceptions become error objects."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        """While the server is stopping, all requests are refused except those to MONITORING_PATHS."""
        self._app = app
        self._services = services
        self._origins = OriginCheck(services.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        services = self._services
        request_id = f"req-{uuid.uuid4()}"
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        stages: Stages = state.setdefault("stages", Stages())
        line_caller: Caller | None = state.get("caller")
        """Caller of a line of a batch, which the server itself sends. Other requests have a key."""
        status: int | None = None
        path = services.metrics.routes.without_slash(scope["path"])
        if path not in PAGES:  # Links of a page are relative to its path, so a page with an extra slash is redirected.
            scope["path"] = path
        route = services.metrics.began(scope["path"])
        admission = Admission()
        place: Place | None = None
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
                if services.is_stopping:
                    headers["connection"] = "close"
            await send(message)

        operator = IS_OPERATOR.set(not services.keys.are_required and _is_local_caller(scope))
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            services.traces.request(scope, route, stages, keeps_content=permits_traces(Headers(scope=scope))) as span,
        ):
            try:
                if services.is_stopping and line_caller is None and scope["path"] not in MONITORING_PATHS:
                    raise shutting_down()
                if line_caller is None and not services.keys.are_required and path not in PROBES:
                    self._origins.check(scope)
                if not _needs_no_key(scope["path"]):
                    address = scope["client"][0] if scope.get("client") else ""
                    state["caller"] = caller = line_caller or self._check_key(scope, address)
                    admission = services.admission_control.admit(caller, is_charged=scope["method"] == "POST")
                    check_switches(Headers(scope=scope))
                    receive = ahead = ReadAhead(receive)
                    state["key"] = key = caller.digest if services.keys.are_required else network_of(address)
                    try:
                        state["place"] = place = await services.door.enter(key, caller.limits.concurrent, ahead)
                    except ApiError:
                        # What is refused here counts as no request, but its answer has the key's rates.
                        admission = services.admission_control.admit(caller, is_charged=False)
                        raise
                    KEY.set(key)
                state["admission"] = admission
                await self._app(_with_get_for_head(scope), receive, send_with_id)
                if refused and status is None:
                    raise refused[0]
            except ClientGone as error:
                await _settle(admission, has_begun=True)
                status = CLIENT_GONE_STATUS
                clear_tracebacks(error)
            except asyncio.CancelledError:
                if line_caller is not None:
                    raise
                # The server is stopping. A stream that has begun has already sent its own last event.
                if status is None:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LAST_MESSAGE_S):
                            await error_response(shutting_down(), request_id)(scope, receive, send_with_id)
                if not services.is_stopping:
                    raise
            except Exception as error:
                public = report_error(error, "request_failed").renamed(state.get("field_names", ()))
                stages.rejected = public.rejected
                stages.is_llm_away = is_llm_away(error)
                if status is not None:
                    raise
                clear_tracebacks(error)
                # A refusal by the key's limits comes before any other error of the request.
                public = await _settle(admission) or public
                stages.rejected = public.rejected
                await error_response(public, request_id)(scope, receive, send_with_id)
            finally:
                await _settle(admission)
                if place is not None:
                    place.leave()
                IS_OPERATOR.reset(operator)
                services.metrics.ended(route, status or CLIENT_GONE_STATUS, stages)
                record_status(span, stages.failed or status or CLIENT_GONE_STATUS)
                (log.debug if path in PROBES else log.info)(
                    "request",
                    method=scope["method"],
                    path=scope["path"][:_LOGGED_CHARS],
                    status=status,
                    ms=round(stages.seconds * 1000, 1),
                    **state.get("log", {}),
                )

    def _check_key(self, scope: Scope, address: str) -> Caller:
        """Return the caller of a request. Raises what `ApiKeys.check` raises, and BadRequest for more than one key,
        because a proxy in front of this server may have checked a different key."""
        given = Headers(scope=scope).getlist("authorization")
        if len(given) > 1:
            several = "the request has more than one 'Authorization' header; send one"
            raise BadRequest(several, param="authorization")
        return self._services.keys.check(next(iter(given), None), address)


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
    return path in PROBES or path in PAGES or path.startswith(_OPEN_FOLDERS)


def error_response(error: ApiError, request_id: str) -> Response:
    return Response(
        pydantic_core.to_json(error.body(request_id)),
        status_code=error.status,
        headers=error.headers,
        media_type="application/json",
    )
