"""The interface of an orchestrating LLM, and its errors. An LLM streams its answers, so it is not a batch engine and
has its own interface.

ModelError
└── LlmError
    ├── LlmUnavailable        the LLM cannot be reached, or does not answer in time
    │   ├── LlmLate           the LLM does not begin its answer in time
    │   └── LlmNotSetUp       the LLM does not load, or its server refuses every call; the message states a remedy
    │       └── LlmModelUnknown   the server does not know the model
    ├── LlmOverloaded         the LLM is busy: try again after `retry_after` seconds
    ├── LlmRefused            the server refuses the request itself
    │   ├── ContextOverflow   prompt and answer together may have more tokens than the model takes
    │   └── AnswerTooLong     the answer may have more tokens than the model gives
    └── LlmBroke              the answer ended before it was whole, or was nonsense
        └── LlmSilent         the LLM does not go on with its answer in time
"""

import hashlib
import math
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from models.base import RETRY_S, ModelError

BYTES_PER_TOKEN = 4
"""Bytes of UTF-8 per token: OpenAI's rule of thumb for English ("one token is about four characters"). Bytes are
counted instead of characters because tokenizers split other scripts, whose characters have more bytes, into more
tokens."""

HOW_TO_REPLACE = "OPENFAZE_LLM_BASE_URL, or `openfaze pull llm`, replaces it with a capable one."
CAUTION = (
    "The language model here is a tiny one that only shows that everything works: do not rely on what it says. "
    f"{HOW_TO_REPLACE}"
)
"""Warning for callers and operators about an LLM that is not capable."""
THINKING_TOKENS = 4096
"""A model whose reasoning cannot be switched off gets this many additional tokens for it, but at most a quarter of its
context."""


def estimate_tokens(*texts: str, bytes_per_token: int = BYTES_PER_TOKEN) -> int:
    """Estimated number of tokens of all `texts`. An empty text has none; any other has at least 1. A smaller
    `bytes_per_token` makes the estimate higher, and thus safer."""
    return sum(math.ceil(_bytes(text) / bytes_per_token) for text in texts)


def first_tokens(text: str, limit: int | None) -> tuple[str, bool]:
    """Return the beginning of `text` that is estimated to have at most `limit` tokens, and whether anything was cut
    off. With `limit` None, nothing is cut off."""
    if limit is None or estimate_tokens(text) <= limit:
        return text, False
    return text.encode()[: limit * BYTES_PER_TOKEN].decode(errors="ignore"), True


def _bytes(text: str) -> int:
    """Length of `text` in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


class LlmError(ModelError):
    """Base of the errors of an LLM. `public` is for the client. `reason` is for the operator's log, and contains
    nothing from the request; by default, it is the name of the error's class."""

    public = "The language model failed."
    retry_after: int | None = RETRY_S
    host: str | None = None
    """Host of the LLM's server, for the operator only; None if there is no server."""
    for_operator: str | None = None
    """Message for the operator of openfaze in place of `public`; None if `public` suffices. It may contain the address
    of the LLM's server, which clients must not learn."""

    def __init__(self, message: str, *, reason: str | None = None, public: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or type(self).__name__
        self.public = public or type(self).public


class LlmUnavailable(LlmError):
    public = "The language model cannot be reached."
    reason_label = "unreachable"


class LlmLate(LlmUnavailable):
    """Raised if the LLM did not begin its answer in time."""

    reason_label = "slow"


class LlmNotSetUp(LlmUnavailable):
    """Raised if no call can succeed until an operator changes a setting, a file, or the account at the server."""

    public = "The language model cannot be used as it is set up here: the server's log says why."
    reason_label = "not_set_up"
    retry_after = None


class LlmModelUnknown(LlmNotSetUp):
    """Raised if the server has no such model, or nothing at this path."""


class LlmOverloaded(LlmError):
    public = "The language model is busy. Try again later."
    reason_label = "overloaded"
    retry_after: int

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LlmRefused(LlmError):
    """Raised if the server refuses the request. `message` says why, in a form fit for the client."""

    reason_label = "refused"
    retry_after = None

    def __init__(self, message: str) -> None:
        super().__init__(message, public=message)


class ContextOverflow(LlmRefused):
    """Raised if prompt and answer have more tokens than the model takes."""


class AnswerTooLong(LlmRefused):
    """Raised if the request's limit permits an answer of more tokens than the model gives."""


class LlmBroke(LlmError):
    public = "The language model broke off its answer."
    reason_label = "broke"


class LlmSilent(LlmBroke):
    """Raised if the LLM began its answer but did not continue it in time."""

    reason_label = "silent"


@dataclass(frozen=True, slots=True)
class Abilities:
    """Abilities of an LLM. Each missing ability is worked around, or the feature that needs it is left out."""

    vision: bool = False
    """True if the LLM takes `image_url` parts."""
    tools: bool = False
    """True if the LLM calls functions by itself when they help, so that offering it specialists is worthwhile. (An LLM
    without this ability may still call a function if it is forced to.)"""
    json_schema: bool = False
    """True if the LLM decodes under a JSON schema."""
    context_tokens: int | None = None
    """Largest number of tokens of prompt and answer together; None if it is not known."""


def lowered(max_tokens: int, room: int | None) -> str:
    """Return a note for a caller whose answer may be shorter than the requested number of tokens, `max_tokens`. The
    note names `room`, the largest possible number, if it is known."""
    allowed = "as many as there is room for" if room is None else str(room)
    return f"The answer may have {allowed} tokens, not {max_tokens}: the language model's context has no room for more."


@dataclass(frozen=True, slots=True)
class LlmCall:
    """One call of an LLM, with the fields of OpenAI's chat completions."""

    messages: Sequence[Mapping[str, Any]]
    """Messages of the form `{"role", "content", …}`; `content` is a string or a list of `text` and `image_url`
    parts."""
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options as the client sent them: temperature, top_p, max_tokens, stop, seed, logprobs, reasoning_effort,
    parallel_tool_calls …"""
    thinks: bool = False
    """True if the model may reason before it answers. If False, a server that can switch reasoning off is told to do
    so: many models reason by default, and a short token limit would be used up before the answer begins."""
    is_the_clients: bool = False
    """True for a request of a client, whose `max_tokens` limits everything that the model generates. In a question of
    openfaze's own, `max_tokens` limits only the answer: a model that reasons although reasoning is switched off gets
    `THINKING_TOKENS` more."""
    on_written: Callable[[str], None] | None = field(default=None, compare=False)
    """Function that gets each piece of text that the LLM writes, when it arrives: an answer, reasoning, or arguments.
    The events may come later, or never, because some pieces are held back or left out."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str
    logprobs: Any = None
    """Log probabilities of this piece in OpenAI's form, if the call asked for them."""
    is_refusal: bool = False
    """True if the LLM says here why it does not answer (OpenAI's `refusal`)."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call of a function: `id` and `name` are in the first piece of each `index`."""

    index: int
    arguments: str = ""
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of every answer. A count is None if the LLM does not state it."""

    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    note: str | None = None
    """Note for the caller on why the answer was cut, or why its limit is not the requested one."""

    def noting(self, note: str | None) -> "Done":
        """Return a copy with one sentence added to its note."""
        return self if note is None else replace(self, note=f"{self.note} {note}" if self.note else note)


LlmEvent = TextDelta | ReasoningDelta | ToolCallDelta | Done


class Llm(Protocol):
    @property
    def name(self) -> str:
        """The model's name, for logs and `doctor`."""

    async def identity(self) -> object:
        """Return what tells this model from another, as JSON values: its name, and what its server states about its
        weights. Raises LlmError."""

    @property
    def is_capable(self) -> bool:
        """True if the LLM's statements about a text are reliable. The small embedded model only shows that everything
        works, and invents statements. The value is known without loading the model."""

    async def abilities(self) -> Abilities:
        """Return the abilities, which are remembered. Raises LlmError."""

    def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield the answer as it comes, Done last. Closing the generator stops the LLM's work within a second.

        Raises EngineOverloaded or LlmError, usually before the first event. After the first event, it raises only
        LlmBroke.
        """

    def check_room(self) -> None:
        """Check that another call may wait. Raises EngineOverloaded or LlmOverloaded, like `stream`, if too many wait
        already."""

    @property
    def loaded(self) -> bool:
        """True if the LLM can answer immediately, because its weights are in memory, or its server's abilities are
        known."""

    async def load(self) -> None:
        """Load the model, or determine its server's abilities. Raises LlmError."""

    async def close(self) -> None: ...


def fence_around(texts: Sequence[str]) -> str:
    """Return the line that a prompt has before and after `texts`, which come from outside. No text contains this line,
    so none can end the quotation. The line has 64 bits of the texts' digest. Equal texts therefore get the same line,
    so that an LLM that is asked twice reads the same prompt twice. Nobody can write a text that contains its own
    line."""
    digest = "\0".join([str(len(texts)), *texts]).encode(errors="surrogatepass")
    while True:
        digest = hashlib.sha256(digest).digest()
        fence = f"=={digest.hex()[:16]}=="
        if not any(fence in text for text in texts):
            return fence


def new_fence() -> str:
    """Return a fence for texts that are not known yet. The fence has 64 random bits, so no text that was written
    earlier can contain it."""
    return f"=={secrets.token_hex(8)}=="
