"""What surrounds every request: its id, its key, its error, its line in the log."""

import time
import uuid
from collections.abc import MutableMapping
from typing import Any

import pydantic_core
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.keys import ApiKeys
from app.disconnect import ClientGone
from app.errors import ApiError, is_expected, to_api_error

PROBES = ("/health", "/ready")
"""Answered without a key, so that a load balancer needs none."""

CLIENT_GONE_STATUS = 499
"""nginx's number for a caller that hung up; only the log sees it."""

log = structlog.get_logger(__name__)


class RequestScope:
    """Outermost, so that whatever happens inside has an id, becomes an error object, and is logged once."""

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req-{uuid.uuid4()}"
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        status: int | None = None
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if scope["path"] not in PROBES:
                    state["caller"] = self._keys.check(Headers(scope=scope).get("authorization"))
                await self._app(scope, receive, send_with_id)
            except ClientGone as error:
                status = CLIENT_GONE_STATUS
                let_go(error)
            except Exception as error:
                if not is_expected(error):
                    log.exception("request_failed")
                if status is not None:
                    raise
                let_go(error)
                await error_response(to_api_error(error), request_id)(scope, receive, send_with_id)
            finally:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                    **state.get("log", {}),
                )


def let_go(error: BaseException | None) -> None:
    """Frees what the frames that `error` came through hold, such as the bytes of the inputs. Frames and errors refer
    to each other: left alone, they wait for the garbage collector, which counts objects and not megabytes."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def error_response(error: ApiError, request_id: str) -> Response:
    return Response(
        pydantic_core.to_json(error.body(request_id)),
        status_code=error.status,
        headers=error.headers,
        media_type="application/json",
    )
