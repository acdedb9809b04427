"""Errors as clients see them: OpenAI's error objects. Only this module maps exceptions to status codes.

Clients repeat a request after 429 and 5xx by themselves. Such an error therefore states when a retry may succeed
(`retry_after`), or that a retry cannot succeed.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from copy import copy
from typing import Any, ClassVar, Self

import structlog

from app.runnable_commands import adapt_for_client
from app.state.entries import StoreDown
from models.base import (
    RETRY_S,
    EngineFailed,
    EngineNotReady,
    EngineOverloaded,
    EngineTooSlow,
    EngineUnavailable,
    UpstreamDown,
    ran_out,
)
from models.language.llm import ContextOverflow, LlmError, LlmLate, LlmOverloaded, LlmRefused, LlmUnavailable
from tasks.errors import InputError, InputTooLarge, Overloaded

LONGEST_RETRY_S = 60
"""A client is asked to repeat a request automatically after at most this delay, in seconds. If the delay would be
longer, the request fails at once."""
LAST_MESSAGE_S = 1.0
"""Sending a last message is given up after this many seconds, because the caller may no longer be reading."""

DEFAULT_HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
"""Default headers of responses: browsers must not guess the type, and nothing is cached."""

IS_OPERATOR: ContextVar[bool] = ContextVar("IS_OPERATOR", default=False)
"""True if the caller can only be the operator, because the server needs no keys and the caller is on the same
machine."""

log = structlog.get_logger(__name__)


class ApiError(Exception):
    """A failure as the client sees it. `message` is public: it contains no path, no key and no data of another
    caller."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    code: str = "internal_error"
    partial: Any = None
    """The part of the answer that there is, as JSON; None if the error has none."""

    SCHEMA: ClassVar[dict[str, object]] = {
        "title": "Error",
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "code", "param", "request_id"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "code": {"type": "string"},
                    "param": {"type": ["string", "null"], "description": "Name of the field at fault."},
                    "request_id": {"type": "string"},
                    "partial": {"description": "The answer, with null for what is missing (not_found_in_input)."},
                },
            }
        },
    }
    """JSON Schema of `body`."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
        rejected: str | None = None,
    ) -> None:
        """Create an error.

        `retry_after` is the number of seconds until the same request may succeed; None if waiting does not help.
        `rejected` is the reason under which `openfaze_rejected_total` counts the error.
        """
        super().__init__(message)
        self.message = adapt_for_client(message)
        self.code = code or type(self).code
        self.param = param
        self.retry_after = retry_after
        self.rejected = rejected

    @property
    def headers(self) -> dict[str, str]:
        """Headers that state whether and when to repeat the request. Only statuses after which clients repeat requests
        have them."""
        return retry_headers(self.retry_after) if self.status == 429 or self.status >= 500 else {}

    def renamed(self, names: Iterable[tuple[str, str]]) -> Self:
        """Return the error with the caller's names of the fields in place of the chat request's."""
        names = tuple(names)
        error = copy(self)
        error.message = rename_fields(self.message, names)
        # Renamed as messages name it: in quotation marks.
        error.param = self.param and rename_fields(f"'{self.param}'", names)[1:-1]
        return error

    def body(self, request_id: str) -> dict[str, object]:
        """Return the JSON that OpenAI's SDKs turn into an exception."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "code": self.code,
                "param": self.param,
                "request_id": request_id,
                **({} if self.partial is None else {"partial": self.partial}),
            }
        }


class BadRequest(ApiError):
    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class InvalidApiKey(ApiError):
    status = 401
    type = "authentication_error"
    code = "invalid_api_key"

    @property
    def headers(self) -> dict[str, str]:
        """Headers that name the way to send a key."""
        return {"www-authenticate": "Bearer"}


class InsufficientQuota(ApiError):
    status = 402
    type = "insufficient_quota"
    code = "insufficient_quota"


class TaskNotAllowed(ApiError):
    status = 403
    type = "permission_error"
    code = "task_not_allowed"


class NotFound(ApiError):
    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowed(ApiError):
    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class PayloadTooLarge(ApiError):
    status = 413
    type = "payload_too_large"
    code = "request_too_large"


class ForeignOrigin(ApiError):
    """Raised by a server without keys for a request of another site's page, or under a name that is not of its
    machine."""

    status = 403
    type = "permission_error"
    code = "foreign_origin"


class HeadTooLarge(ApiError):
    status = 431
    type = "invalid_request_error"
    code = "head_too_large"


class BodyTooLarge(PayloadTooLarge):
    """Raised if a body has more bytes than allowed."""


class RateLimited(ApiError):
    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class KeyLimitReached(RateLimited):
    """A limit of the caller's own key has no room for the request. The server itself may have room for other
    callers."""


class InternalError(ApiError):
    """A bug or fault of the server. The message reveals nothing about it."""

    def __init__(self, message: str = "The server had an error while processing your request.") -> None:
        super().__init__(message)


class Unavailable(ApiError):
    status = 503
    type = "service_unavailable"
    code = "engine_unavailable"


def rename_fields(text: str, names: Iterable[tuple[str, str]]) -> str:
    """Return `text` with other names of fields. `names` are pairs of a name and its replacement; of two names with the
    same beginning, the longer comes first."""
    for name, replacement in names:
        text = text.replace(name, replacement)
    return text


def shutting_down() -> Unavailable:
    """Return the error for a request that arrives during a shutdown, or that still runs when the grace time is over."""
    return Unavailable("The server is shutting down.", code="overloaded", retry_after=RETRY_S)


def took_too_long(seconds: float) -> Unavailable:
    """Return the failure of a request whose time is over."""
    return Unavailable(
        f"The request took longer than {seconds:g} s (OPENFAZE_REQUEST_TIMEOUT_S).", code="timeout", retry_after=1
    )


def retry_headers(retry_after: int | None) -> dict[str, str]:
    """Return `retry-after`, and `x-should-retry: false` if waiting does not help or takes too long.

    Without `x-should-retry`, OpenAI's clients would repeat the request by themselves.
    """
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    if retry_after is None or retry_after > LONGEST_RETRY_S:
        headers["x-should-retry"] = "false"
    return headers


def to_api_error(error: BaseException) -> ApiError:
    """Return the public error for an exception of any kind."""
    match error:
        case ApiError():
            return error
        case InputTooLarge():
            return PayloadTooLarge(error.message, code=error.code, param=error.param)
        case InputError():
            return BadRequest(error.message, code=error.code, param=error.param)
        case StoreDown():
            return Unavailable(
                "The server's store of responses and batches is not working: the server's log says why.",
                code="storage_unavailable",
                retry_after=RETRY_S,
            )
        case EngineTooSlow():
            return Unavailable(str(error), code="timeout", retry_after=error.retry_after)
        case UpstreamDown():
            return Unavailable(str(error), code="upstream_unavailable", retry_after=error.retry_after)
        case EngineOverloaded() | Overloaded():
            return Unavailable(str(error), code="overloaded", retry_after=error.retry_after, rejected="queue")
        case EngineNotReady():
            return Unavailable(str(error), code="overloaded", retry_after=error.retry_after)
        case EngineUnavailable():
            return Unavailable(str(error))
        case ContextOverflow():
            return BadRequest(error.public, code="context_length_exceeded", param="messages")
        case LlmRefused():
            return BadRequest(error.public)
        case LlmOverloaded():
            return Unavailable(error.public, code="overloaded", retry_after=error.retry_after)
        case LlmError():
            message = (IS_OPERATOR.get() and error.for_operator) or error.public
            return Unavailable(message, code="upstream_unavailable", retry_after=error.retry_after)
        case _ if _ran_out(error):
            return Unavailable(
                "The server has run out of memory, files or processes. Try again later.",
                code="overloaded",
                retry_after=RETRY_S,
            )
        case _:
            return InternalError()


def _ran_out(error: BaseException) -> bool:
    return ran_out(error) or (isinstance(error, EngineFailed) and error.retry_after is not None)


def is_llm_away(error: BaseException) -> bool:
    """True if the LLM's server serves no request at the moment, because it cannot be reached, is busy, or refuses the
    key or the model. False for a late answer, whose cause may be the request."""
    return isinstance(error, LlmOverloaded | LlmUnavailable) and not isinstance(error, LlmLate)


def report_error(error: BaseException, event: str, **fields: object) -> ApiError:
    """Return the public error for `error`. If it is a bug, or a fault of the LLM's server, log `event` with
    `fields`."""
    public = to_api_error(error)
    if isinstance(public, InternalError) or _ran_out(error):
        log.error(event, exc_info=error, **fields)
    elif isinstance(error, StoreDown):
        log.error(event, reason=str(error), **fields)
    elif isinstance(error, LlmError) and not isinstance(error, LlmRefused):
        details = {"error": str(error)} if isinstance(error, LlmUnavailable) else {}
        log.warning(event, reason=error.reason, host=error.host, **details, **fields)
    return public


def clear_tracebacks(error: BaseException | None) -> None:
    """Free the objects in the frames of `error`, such as the bytes of inputs.

    Frames and errors refer to each other. Without this call, they would stay in memory until the garbage collector
    runs, which may be late, because it counts objects and not megabytes.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
