"""Every exception has a public face, and says no more than it should."""

import pytest

from app.errors import ApiError, BadRequest, is_expected, to_api_error
from models.base import EngineFailed, EngineOverloaded, EngineUnavailable
from tasks.errors import InputError, InputTooLarge


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (BadRequest("b"), 400, "invalid_request_error", "invalid_request"),
        (InputError("i", code="fetch_failed"), 400, "invalid_request_error", "fetch_failed"),
        (InputTooLarge("l"), 413, "payload_too_large", "file_too_large"),
        (EngineUnavailable("ocr", "Pull it."), 503, "service_unavailable", "engine_unavailable"),
        (EngineOverloaded("e", 64, 7), 503, "service_unavailable", "overloaded"),
        (EngineFailed("e"), 500, "internal_error", "internal_error"),
        (RuntimeError("/secret/path"), 500, "internal_error", "internal_error"),
    ],
)
def test_each_failure_has_its_status_type_and_code(error: Exception, status: int, kind: str, code: str) -> None:
    public = to_api_error(error)
    assert (public.status, public.type, public.code) == (status, kind, code)


def test_a_bug_says_nothing_of_itself_and_is_logged() -> None:
    assert "/secret" not in to_api_error(RuntimeError("/secret/path")).message
    assert not is_expected(RuntimeError("x"))
    assert is_expected(InputError("x"))


def test_what_can_be_tried_again_says_when() -> None:
    assert to_api_error(EngineOverloaded("e", 64, 7)).headers == {"retry-after": "7"}
    assert int(to_api_error(EngineUnavailable("ocr", "")).headers["retry-after"]) > 0


def test_the_body_is_openais_with_the_requests_id() -> None:
    error: ApiError = BadRequest("wrong", param="messages[0].role")
    assert error.body("req-1") == {
        "error": {
            "message": "wrong",
            "type": "invalid_request_error",
            "code": "invalid_request",
            "param": "messages[0].role",
            "request_id": "req-1",
        }
    }
