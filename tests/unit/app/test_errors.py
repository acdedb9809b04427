"""Every exception has a public face, and says no more than it should."""

import errno

import pytest
from structlog.testing import capture_logs

from app.chat.shape import SchemaNotSatisfied
from app.errors import ApiError, BadRequest, InternalError, Unavailable, report_error, to_api_error
from models.base import (
    EngineFailed,
    EngineNotReady,
    EngineOverloaded,
    EngineTooSlow,
    EngineUnavailable,
    UpstreamDown,
)
from models.language.llm import LlmBroke, LlmNotSetUp, LlmOverloaded, LlmRefused, LlmUnavailable
from tasks.errors import InputError, InputTooLarge, Overloaded
from tests.conftest import each_case

NEVER = {"x-should-retry": "false"}


@each_case(
    ("error", "status", "kind", "code"),
    [
        (BadRequest("b"), 400, "invalid_request_error", "invalid_request"),
        (InputError("i", code="fetch_failed"), 400, "invalid_request_error", "fetch_failed"),
        (InputTooLarge("l"), 413, "payload_too_large", "file_too_large"),
        (EngineUnavailable("ocr", "Pull it."), 503, "service_unavailable", "engine_unavailable"),
        (EngineNotReady("ocr", "Closing."), 503, "service_unavailable", "overloaded"),
        (EngineTooSlow("text_guard", "20 s."), 503, "service_unavailable", "timeout"),
        (UpstreamDown("browser", "Gone."), 503, "service_unavailable", "upstream_unavailable"),
        (EngineOverloaded("e", 64, 7), 503, "service_unavailable", "overloaded"),
        (MemoryError(), 503, "service_unavailable", "overloaded"),
        (OSError(errno.EMFILE, "/secret"), 503, "service_unavailable", "overloaded"),
        (OSError(errno.EACCES, "/secret"), 500, "internal_error", "internal_error"),
        (EngineFailed("e"), 500, "internal_error", "internal_error"),
        (RuntimeError("/secret/path"), 500, "internal_error", "internal_error"),
    ],
)
def test_each_failure_has_its_status_type_and_code(error: Exception, status: int, kind: str, code: str) -> None:
    public = to_api_error(error)
    assert (public.status, public.type, public.code) == (status, kind, code)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (RuntimeError("/secret/path"), "error"),
        (OSError(errno.EMFILE, "/secret"), "error"),
        (LlmNotSetUp("/secret.gguf is not there"), "warning"),
    ],
)
def test_what_clients_are_not_told_is_logged(error: Exception, level: str) -> None:
    with capture_logs() as log:
        assert "/secret" not in report_error(error, "failed", task="ocr").message
    [entry] = log
    assert (entry["event"], entry["log_level"], entry["task"]) == ("failed", level, "ocr")


@pytest.mark.parametrize("error", [InputError("x"), EngineUnavailable("ocr", "Pull it."), LlmRefused("Too hot.")])
def test_what_clients_are_told_in_full_is_not_logged(error: Exception) -> None:
    with capture_logs() as log:
        report_error(error, "failed")
    assert log == []


@pytest.mark.parametrize(
    "error",
    [
        EngineUnavailable("ocr", "Pull it."),
        LlmNotSetUp("The LLM server refuses the API key."),
        EngineFailed("e", ValueError()),
        SchemaNotSatisfied("It has no total."),
        InternalError(),
        RuntimeError("a bug"),
    ],
    ids=repr,
)
def test_clients_are_kept_from_repeating_what_a_repetition_cannot_change(error: Exception) -> None:
    assert to_api_error(error).headers == NEVER


@each_case(
    ("error", "seconds"),
    [
        (EngineNotReady("ocr", "Closing.", 3), 3),
        (EngineTooSlow("text_guard", "20 s.", 3), 3),
        (UpstreamDown("browser", "Gone.", 3), 3),
        (EngineOverloaded("e", 64, 7), 7),
        (Overloaded("Full.", retry_after=10), 10),
        (LlmOverloaded("Busy.", 17), 17),
        (LlmUnavailable("Refused."), 2),
        (LlmBroke("Cut."), 2),
        (MemoryError(), 2),
        (EngineFailed("e", MemoryError()), 2),
        (Unavailable("It took too long.", code="timeout", retry_after=1), 1),
    ],
)
def test_what_may_pass_says_when_to_come_back(error: Exception, seconds: int) -> None:
    assert to_api_error(error).headers == {"retry-after": str(seconds)}


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


@pytest.mark.parametrize(
    "error", [BadRequest("wrong"), SchemaNotSatisfied("It has no total."), InternalError()], ids=repr
)
def test_a_renamed_error_says_the_same_of_other_fields(error: ApiError) -> None:
    error.message, error.param = "'messages[0].name' is wrong.", "messages[0].name"
    renamed = error.renamed([("'messages[0]", "'input[2]")])
    assert type(renamed) is type(error)
    assert (renamed.message, renamed.param) == ("'input[2].name' is wrong.", "input[2].name")
    assert renamed.code == error.code
    assert error.param == "messages[0].name"
