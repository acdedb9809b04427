"""Interprets the errors of OpenAI-compatible servers. Each server words them differently, but there are few kinds."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Self

import pydantic_core

from models.base import media_type_of
from models.language.llm import (
    AnswerTooLong,
    ContextOverflow,
    LlmBroke,
    LlmError,
    LlmModelUnknown,
    LlmNotSetUp,
    LlmOverloaded,
    LlmRefused,
    LlmUnavailable,
)

# Words by which servers report that a prompt does not fit. No two servers use the same words, and few use the same
# code. Seen at OpenAI, vLLM, SGLang, llama.cpp, Ollama, LM Studio, TGI, Mistral, Anthropic, Gemini and xAI: the tests
# have their sentences.
_OVERFLOW_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "context_exceeded"})
_OVERFLOW_SUBJECT = (
    r"context[ _](?:length|size|window|limit)|max(?:imum)? (?:model |prompt |input )?length|maximum allowed length"
    r"|prompt|input[ _]tokens?|input token count|input length|`inputs` tokens|token count|tokens to keep"
)
_OVERFLOW_VERB = (
    r"exceed|longer than|too long|too large|too many|greater than|must be <=|is only|of only|however|but the request"
)
# The patterns look ahead over the whole text. Therefore they are matched at the text's beginning, and not searched for
# from every character.
_OVERFLOW = re.compile(
    rf"(?=.*(?:{_OVERFLOW_SUBJECT}))(?=.*(?:{_OVERFLOW_VERB}))(?=.*(?:token|context|length))", re.I | re.S
)
_LIMIT_TOO_LARGE = re.compile(
    r"(?=.*\b(?:max_(?:completion_|output_|new_)?tokens|(?:completion|output) tokens))"
    r"(?=.*(?:at most|less than or equal|maximum|limit (?:of|is)|<=|> ?\d{2}|\[\d+, ?\d+\]))",
    re.I | re.S,
)
"""Words by which servers refuse a `max_tokens` as larger than what the model gives: seen at OpenAI, Anthropic, DeepSeek
and Groq."""

PAGES = frozenset({"text/html", "application/xhtml+xml"})
RETRY_AFTER_S = 5
"""Seconds until the next try if a busy server states no time, or the time 0."""
MAX_PUBLIC_CHARACTERS = 300
LONGEST_MESSAGE = 4000
"""At most this many characters of a server's message are kept. No server's own sentence is longer, but a message that
quotes the request may be."""
_STATUSES = frozenset(str(int(status)) for status in HTTPStatus if status >= 400)
_NO_MODEL = re.compile(r"model_not_found|model .{0,80}(not found|does not exist)", re.IGNORECASE)
_NO_PROVIDER = re.compile(r"no (?:allowed )?(?:endpoints?|providers?) .{0,40}\bsupport", re.IGNORECASE)
"""Message of a router (OpenRouter, with status 404) that knows the model but has no provider for this kind of call."""
_NO_CREDIT = re.compile(r"insufficient_quota|insufficient_balance|credit balance", re.IGNORECASE)
_SECRETS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://\S+"
    r"|\b(?:sk|key|org|proj)-[\w*-]{6,}"
    r"|\bBearer\s+\S+"
    r"|(?<![\w/])/(?:[\w.-]{1,255}/)+[\w.-]*"
    # Settings of a connection: user=root, host=db-1
    r"|\b(?:user|username|password|passwd|pwd|host|hostname|server|database|dbname|token|secret|api_?key)=\S+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}(?::\d+)?"
    # Hosts: one with a port, or a name of a private network.
    r"|(?<![\w.-])(?:localhost(?::\d+)?|[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}:\d{2,5}|(?:[\w-]{1,63}\.){1,8}"
    r"(?:internal|intranet|local|localdomain|lan|corp|private|svc|arpa)(?::\d+)?)(?![\w-])"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.]*\w)"
    r"|(?<![\w:.])\[?(?=[0-9a-f:]{0,34}::|(?:[0-9a-f]{1,4}:){7})[0-9a-f:]{2,39}(?![\w:])(?:\](?::\d+)?)?",
    re.IGNORECASE,
)
_ADVICE = "If that lasts, look at OPENFAZE_LLM_BASE_URL, and at what `openfaze doctor` says on this server."
NO_COMPLETION = f"The language model's server answered with JSON that is not a chat completion. {_ADVICE}"
"""Message to clients about a body that is JSON, but not an LLM's answer."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """The error object of a server, in any of the usual forms."""

    message: str = ""
    code: str = ""
    param: str = ""
    """Path, with dots, of the part of the request that the server does not accept."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """All members of the object."""

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the error object in a response's body; an empty one if the body has none."""
        try:
            document = pydantic_core.from_json(body)
        except ValueError:
            return cls()
        if isinstance(document, list) and document:
            document = document[0]
        if not isinstance(document, Mapping):
            return cls()
        return cls.of(document.get("error") or document.get("detail") or document)

    @classmethod
    def of(cls, error: object) -> Self:
        match error:
            case str():
                return cls(error[:LONGEST_MESSAGE])
            case [{"msg": str(message), "loc": [_, *path]}, *_]:  # FastAPI's form: an entry for each fault of the body
                return cls(message[:LONGEST_MESSAGE], param=".".join(map(str, path)))
            case Mapping():
                named = (error.get("message"), error.get("code") or error.get("type"), error.get("param"))
                message, code, param = (str(value or "")[:LONGEST_MESSAGE] for value in named)
                return cls(message, code, param, error)
            case _:
                return cls()

    @property
    def status(self) -> int | None:
        """HTTP status that the error object itself states or implies; None if there is none. If a stream fails, it is
        the only sign of the kind of failure, because the status of the response has already been sent."""
        code = self.fields.get("code")
        if isinstance(code, int | str) and str(code) in _STATUSES:
            return int(code)
        return 400 if re.search("invalid_request|BadRequest", str(self.fields.get("type"))) else None


def error_of(
    status: int, complaint: ServerError, retry_after: str | None = None, content_type: str | None = None
) -> LlmError:
    """Return the error to raise for a response of this status and type, or for an error in the middle of a stream."""
    failure = _classified_error(status, complaint, retry_after)
    failure.reason = f"status {status}"
    if isinstance(failure, LlmBroke) or type(failure) is LlmUnavailable:
        # The server's own words are left out, because for these failures they may refer to another caller's request.
        page = " and an HTML page" if media_type_of(content_type) in PAGES else ""
        failure.public = (
            f"The language model's server, or a proxy before it, answered with status {status}{page}. {_ADVICE}"
        )
    return failure


def _classified_error(status: int, complaint: ServerError, retry_after: str | None) -> LlmError:
    words = f"{complaint.code} {complaint.message}"
    sentence = public_sentence(complaint.message)
    message = f"The LLM server answered {status}: {sentence or 'no reason given'}"
    if status == 403 and "flagged_input" in str(complaint.fields.get("metadata")):  # OpenRouter's moderation
        return LlmRefused(sentence or "The language model's server refuses this text.")
    if status in (401, 403):
        return LlmNotSetUp(f"The LLM server refuses the API key ({status}): set OPENFAZE_LLM_API_KEY.")
    if status == 402 or _NO_CREDIT.search(words):
        return LlmNotSetUp(f"The account at the LLM server has no credit left ({status}).")
    if status == 404 and _NO_PROVIDER.search(complaint.message):
        return LlmRefused(sentence)
    if status in (404, 405) or 300 <= status < 400 or _NO_MODEL.search(words):
        return LlmModelUnknown(f"{message}. Check OPENFAZE_LLM_MODEL and OPENFAZE_LLM_BASE_URL.")
    if status in (429, 503):
        return LlmOverloaded(message, max(1, math.ceil(seconds_until(retry_after) or RETRY_AFTER_S)))
    if complaint.code in _OVERFLOW_CODES or _OVERFLOW.match(complaint.message):
        return ContextOverflow(sentence or "The request is longer than the language model's context.")
    if status in (400, 422) and _LIMIT_TOO_LARGE.match(complaint.message):
        return AnswerTooLong(sentence)
    if status in (408, 502, 504) or status < 400:
        return LlmUnavailable(message)
    if status < 500:
        return LlmRefused(sentence or "The language model refused the request.")
    return LlmBroke(message)


def empty_answer(what: str) -> LlmError:
    """Return the error to raise for a response of status 200 without an answer. `what` is its body, in words."""
    public = f"The language model's server answered with status 200 and {what}. {_ADVICE}"
    return LlmBroke("The LLM server's answer is empty.", reason="an empty answer", public=public)


def not_an_api(media_type: str) -> LlmError:
    """Return the error to raise for a response of status 200 that is neither JSON nor a stream of events."""
    is_known = re.fullmatch(r"[\w.+-]{1,40}/[\w.+-]{1,60}", media_type)
    what = "an HTML page" if media_type in PAGES else f"'{media_type}'" if is_known else "something"
    rest = f"answered with {what}, not with JSON: OPENFAZE_LLM_BASE_URL may not be an OpenAI-compatible API."
    public = f"The language model's server {rest} `openfaze doctor` tests the connection."
    return LlmNotSetUp(f"The LLM server {rest}", reason="no JSON", public=public)


def seconds_until(retry_after: str | None) -> float | None:
    """Number of seconds that a Retry-After header states, in seconds or as a date. The result is None if there is no
    header, or if it makes no sense."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def public_sentence(message: str) -> str:
    """Return a server's sentence without addresses, hosts, paths and keys, on one line and not too long."""
    line = " ".join(_SECRETS.sub("…", message[:LONGEST_MESSAGE]).split())
    return line if len(line) <= MAX_PUBLIC_CHARACTERS else line[: MAX_PUBLIC_CHARACTERS - 1] + "…"
