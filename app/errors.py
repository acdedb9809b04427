"""What a client is told when something fails: OpenAI's error object. The only place that maps status codes.

ApiError
├── BadRequest        400 invalid_request_error
├── InvalidApiKey     401 authentication_error
├── NotFound          404 invalid_request_error
├── PayloadTooLarge   413 payload_too_large
├── InternalError     500 internal_error
└── Unavailable       503 service_unavailable, with Retry-After
"""

from typing import ClassVar

from models.base import EngineFailed, EngineOverloaded, EngineUnavailable
from models.language.llm import ContextOverflow, LlmError, LlmOverloaded, LlmRefused
from tasks.errors import InputError, InputTooLarge, Overloaded

RETRY_UNAVAILABLE_S = 60
"""Retry-After of a capability that is not there: it takes an operator, not a moment."""
RETRY_UPSTREAM_S = 5
"""Retry-After of an LLM that did not answer."""


class ApiError(Exception):
    """A failure as the client sees it. `message` is public: no path, no key, no other caller's data."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    code: str = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.param = param
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}

    def body(self, request_id: str) -> dict[str, object]:
        """The JSON that OpenAI's SDKs turn into an exception."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "code": self.code,
                "param": self.param,
                "request_id": request_id,
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


class InternalError(ApiError):
    """Something broke here; the message says no more than that."""

    def __init__(self) -> None:
        super().__init__("The server had an error while processing your request.")


class Unavailable(ApiError):
    status = 503
    type = "service_unavailable"
    code = "engine_unavailable"


def to_api_error(error: BaseException) -> ApiError:
    """The public face of any exception."""
    match error:
        case ApiError():
            return error
        case InputTooLarge():
            return PayloadTooLarge(error.message, code=error.code, param=error.param)
        case InputError():
            return BadRequest(error.message, code=error.code, param=error.param)
        case EngineUnavailable():
            return Unavailable(str(error), retry_after=RETRY_UNAVAILABLE_S)
        case EngineOverloaded() | Overloaded():
            return Unavailable(str(error), code="overloaded", retry_after=error.retry_after)
        case ContextOverflow():
            return BadRequest(error.public, code="context_length_exceeded", param="messages")
        case LlmRefused():
            return BadRequest(error.public)
        case LlmOverloaded():
            return Unavailable(error.public, code="overloaded", retry_after=error.retry_after)
        case LlmError():
            return Unavailable(error.public, code="upstream_unavailable", retry_after=RETRY_UPSTREAM_S)
        case EngineFailed():
            return InternalError()
        case _:
            return InternalError()


def is_expected(error: BaseException) -> bool:
    """False for what only a bug here explains, and the log should show."""
    return not isinstance(to_api_error(error), InternalError)
