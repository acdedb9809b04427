"""What a server's complaint becomes: for the operator, for the client, and for the next call."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from models.language.llm import (
    AnswerTooLong,
    ContextOverflow,
    LlmBroke,
    LlmCall,
    LlmError,
    LlmModelUnknown,
    LlmNotSetUp,
    LlmOverloaded,
    LlmRefused,
    LlmUnavailable,
)
from models.language.openai_faults import (
    RETRY_AFTER_S,
    ServerError,
    error_of,
    public_sentence,
    seconds_until,
)
from models.language.openai_http import ServerPatience
from models.language.openai_server import OpenAiServer
from tests.conftest import each_case
from tests.kit.servers.llm_server import Reply, serving_llm

KEY = "very_secret"
CALL = LlmCall([{"role": "user", "content": "Hello?"}])


async def failure(reply: Reply) -> LlmError:
    with serving_llm([reply]) as upstream:
        llm = OpenAiServer(upstream.base_url, KEY, "scripted", patience=ServerPatience(retries=0))
        with pytest.raises(LlmError) as raised:
            async for _ in llm.stream(CALL):
                pass
        await llm.close()
    return raised.value


@each_case(
    ("status", "kind"),
    [
        (302, LlmModelUnknown),
        (400, LlmRefused),
        (401, LlmNotSetUp),
        (402, LlmNotSetUp),
        (403, LlmNotSetUp),
        (404, LlmModelUnknown),
        (405, LlmModelUnknown),
        (408, LlmUnavailable),
        (413, LlmRefused),
        (422, LlmRefused),
        (429, LlmOverloaded),
        (500, LlmBroke),
        (502, LlmUnavailable),
        (503, LlmOverloaded),
        (504, LlmUnavailable),
        (529, LlmBroke),
    ],
)
async def test_each_status_is_a_kind_of_fault(status: int, kind: type[LlmError]) -> None:
    assert type(await failure(Reply(status=status))) is kind


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_the_operators_business(status: int) -> None:
    error = await failure(Reply(status=status, error=f"Incorrect API key provided: {KEY}."))
    assert "OPENFAZE_LLM_API_KEY" in str(error)
    assert KEY not in str(error) + error.public
    assert error.public == "The language model cannot be used as it is set up here: the server's log says why."


async def test_a_text_that_a_moderation_flags_is_the_requests_fault() -> None:
    flagged = {"message": "Your input was flagged.", "code": 403, "metadata": {"reasons": [], "flagged_input": "x"}}
    assert isinstance(await failure(Reply(status=403, error={"error": flagged})), LlmRefused)


async def test_an_account_without_credit_is_not_merely_busy() -> None:
    quota = {"message": "You exceeded your current quota.", "type": "insufficient_quota", "code": "insufficient_quota"}
    assert isinstance(await failure(Reply(status=429, error={"error": quota})), LlmNotSetUp)


def test_retry_after_may_be_a_date() -> None:
    wait = seconds_until(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    assert wait is not None
    assert 80 < wait <= 90


@pytest.mark.parametrize(
    "header", ["soon", "inf", "-inf", "nan", "1e400", "Mon, 99", "Mon, 01 Jan 2035 00:00:00 +99999999999999"]
)
def test_a_retry_after_that_makes_no_sense_is_ignored(header: str) -> None:
    assert seconds_until(header) is None
    error = error_of(429, ServerError(), header)
    assert isinstance(error, LlmOverloaded)
    assert error.retry_after == RETRY_AFTER_S


async def test_a_refusal_gives_the_servers_sentence_cleaned() -> None:
    sentence = "Bad image at http://10.0.0.3:8000/x of /srv/models/q.gguf\nfor key sk-abcdef123456: 'x' is\tno picture"
    error = await failure(Reply(status=400, error=sentence))
    assert isinstance(error, LlmRefused)
    assert error.public == "Bad image at … of … for key …: 'x' is no picture"


@each_case(
    ("sentence", "public"),
    [
        ("no route to host 10.1.2.3 user=root", "no route to host … …"),
        ("[Connect call failed ('192.168.0.7', 8000)] at 12:30:45", "[Connect call failed ('…', 8000)] at 12:30:45"),
        ("fe80::1ff:fe23:4567:890a, [::1]:8000, 2001:db8:85a3:0:0:8a2e:370:7334", "…, …, …"),
        ("localhost:8000 and cache.prod.svc.cluster.local:6379 and gpu-7.lan", "… and … and …"),
        ("postgres://u:p@db/x of me@mail.example", "… of …"),
        ("password=x in a row", "… in a row"),
        *(
            (kept, kept)
            for kept in (
                "std::string of the host is unknown, max_tokens:4096 is too large, and so is tokens=12.",
                "`gpt-4.1` takes messages.0.content.1.text, 'a/b', and 0 < temperature <= 2.5.",
                "This model's maximum context length is 4096 tokens (3000 in the messages, 2000 in the completion).",
            )
        ),
    ],
)
def test_a_public_sentence_has_no_addresses(sentence: str, public: str) -> None:
    assert public_sentence(sentence) == public


async def test_a_router_that_knows_nobody_for_such_a_call_refuses_the_call_and_not_the_model() -> None:
    error = await failure(Reply(status=404, error="No endpoints found that support tool use."))
    assert isinstance(error, LlmRefused)
    assert error.public == "No endpoints found that support tool use."


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        (b'{"error": {"message": "no", "param": "top_k", "code": null}}', "no", "top_k"),
        (b'{"error": "no"}', "no", ""),
        (b'{"object": "error", "message": "no", "type": "BadRequestError", "param": null, "code": 400}', "no", ""),
        (b'{"detail": [{"loc": ["body", "top_k"], "msg": "no", "type": "extra_forbidden"}]}', "no", "top_k"),
        (b'{"detail": "no"}', "no", ""),
        (b'[{"error": {"message": "no", "code": 400}}]', "no", ""),
        (b"[]", "", ""),
        (b"", "", ""),
    ],
)
def test_error_objects_of_all_forms_are_understood(body: bytes, message: str, param: str) -> None:
    complaint = ServerError.read(body)
    assert (complaint.message, complaint.param) == (message, param)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Overloaded", "code": 503}, LlmOverloaded),
        ({"message": "bad", "type": "BadRequestError", "code": None}, LlmRefused),
        ({"message": "boom", "code": "server_error"}, LlmBroke),
        ("boom", LlmBroke),
    ],
)
async def test_an_error_as_the_first_event_is_what_it_says(error: Any, kind: type[LlmError]) -> None:
    assert type(await failure(Reply(events=[{"error": error}]))) is kind


PAGE = b"<!doctype html><title>Very secret</title><p>Welcome!"


@each_case(
    ("reply", "kind", "says"),
    [
        (Reply(status=500, error="boom, it said: very_secret"), LlmBroke, "answered with status 500. If"),
        (Reply(status=502, body=PAGE, content_type="text/html"), LlmUnavailable, "status 502 and an HTML page"),
        (Reply(body=PAGE, content_type="text/html; charset=utf-8"), LlmNotSetUp, "an HTML page, not with JSON"),
        (Reply(body=PAGE, content_type="text/plain"), LlmNotSetUp, "answered with 'text/plain', not with JSON"),
        (Reply(body=PAGE, content_type="<b>very_secret</b>"), LlmNotSetUp, "answered with something, not with JSON"),
        (Reply(body=b""), LlmBroke, "status 200 and an empty body"),
        (Reply(body=b"", content_type="text/html"), LlmBroke, "status 200 and an empty body"),
        (Reply(events=[b": nothing to say\n\n"]), LlmBroke, "an empty stream"),
        (Reply(body=b'{"error_": "very_secret"}'), LlmBroke, "JSON that is not a chat completion"),
        (Reply(body=b'{"choices": "very_secret"}'), LlmBroke, "JSON that is not a chat completion"),
    ],
)
async def test_what_is_no_answer_is_told_by_its_kind_and_never_in_its_words(
    reply: Reply, kind: type[LlmError], says: str
) -> None:
    error = await failure(reply)
    assert type(error) is kind
    assert says in error.public
    assert "OPENFAZE_LLM_BASE_URL" in error.public
    assert "openfaze doctor" in error.public
    assert "secret" not in error.public.lower()


async def test_an_answer_that_had_begun_has_broken_off_whatever_is_told_then() -> None:
    begun = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
    error = await failure(Reply(events=[begun, {"error": {"message": "boom", "code": 500}}]))
    assert error.public == "The language model broke off its answer."


OVERFLOWS = [
    (
        "This model's maximum context length is 4097 tokens. However, your messages resulted in 4979 tokens. "
        "Please reduce the length of the messages."
    ),
    (
        "This model's maximum context length is 2048 tokens. However, you requested 3000 tokens (2900 in the "
        "messages, 100 in the completion). Please reduce the length of the messages or completion."
    ),
    (
        "You passed 2049 input tokens and requested 100 output tokens. However, the model's context length is "
        "only 2048 tokens, resulting in a maximum input length of 1948 tokens."
    ),
    (
        "The decoder prompt (length 3000) is longer than the maximum model length of 2048. Make sure that "
        "`max_model_len` is no smaller than the number of text tokens."
    ),
    (
        "Input length (5000 tokens) exceeds the maximum allowed length (4090 tokens). Use a shorter input or "
        "enable --allow-auto-truncate."
    ),
    "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
    (
        "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with "
        "context length of only 4096 tokens, which is not enough."
    ),
    "Context size has been exceeded.",
    "the input length exceeds the context length",
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4096 `inputs` tokens "
        "and 100 `max_new_tokens`"
    ),
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    (
        "input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000, decrease input length or "
        "`max_tokens` and try again"
    ),
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    (
        "This endpoint's maximum context length is 32768 tokens. However, you requested about 40,000 tokens "
        "(39000 of text input, 1000 in the output)."
    ),
]


@each_case("sentence", OVERFLOWS)
def test_a_prompt_that_does_not_fit_is_known_by_anybodys_words(sentence: str) -> None:
    assert type(error_of(400, ServerError(sentence))) is ContextOverflow


@each_case(
    "sentence",
    [
        "max_tokens is too large: 64000. This model supports at most 16384 completion tokens, not 64000.",
        "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for this model",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
        "`max_tokens` must be less than or equal to `32768`, the maximum value for `max_tokens` of this model",
    ],
)
def test_an_answer_that_may_be_too_long_is_known_by_anybodys_words(sentence: str) -> None:
    assert type(error_of(400, ServerError(sentence))) is AnswerTooLong


@each_case(
    "sentence",
    [
        "Invalid value: 'max_tokens' must be at least 1, got -186.",
        "'max_tokens' must be > 0",
        "temperature must be less than or equal to 2",
        "stop: too many items, at most 4",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "Too many images in the prompt: at most 1 image(s) may be provided",
        "The prompt must not be empty",
        "prompt_logprobs too large",
    ],
)
def test_other_complaints_are_not_about_lengths(sentence: str) -> None:
    assert type(error_of(400, ServerError(sentence))) is LlmRefused


def test_a_sentence_is_looked_at_once_and_not_from_each_of_its_characters() -> None:
    # Quadratic, this would take hours.
    assert type(error_of(400, ServerError("model " * 200_000))) is LlmRefused


@pytest.mark.parametrize("status", [400, 413, 422, 500])
async def test_an_overflow_is_one_whatever_its_status(status: int) -> None:
    sentence = "The input (61709 tokens) is longer than the model's context length (40960 tokens)."
    assert isinstance(await failure(Reply(status=status, error=sentence)), ContextOverflow)
