"""What an orchestrating LLM is, whoever runs it. It streams, so it is no batch engine; it has its own interface.

ModelError
└── LlmError
    ├── LlmUnavailable        cannot be reached, or does not answer in time
    │   ├── LlmLate           takes longer than it may to begin
    │   └── LlmNotSetUp       does not load, or its server takes no call of ours; says what would help
    ├── LlmOverloaded         asks to come back after `retry_after` seconds
    ├── LlmRefused            says that the request itself is wrong (its 4xx)
    │   ├── ContextOverflow   prompt and answer together may have more tokens than the model takes
    │   └── AnswerTooLong     the answer may have more tokens than the model gives
    └── LlmBroke              ended before its answer was whole, or answered nonsense
        └── LlmSilent         takes longer than it may to go on
"""

import hashlib
import math
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from models.base import RETRY_S, ModelError

BYTES_PER_TOKEN = 4
"""OpenAI's rule of thumb for English ("one token is about four characters"), on UTF-8 bytes so that other scripts,
which tokenizers split finer, count more."""

_INSTEAD = "OPENFAZE_LLM_BASE_URL, or `openfaze pull llm`, replaces it with a capable one."
CAUTION = (
    "The language model here is a tiny one that only shows that everything works: do not rely on what it says. "
    f"{_INSTEAD}"
)
"""What callers and operators are told of an LLM that is not capable."""
PASSAGES = (
    "These are passages of what was read: the tiny language model here, which would invent an answer, was not asked. "
    f"{_INSTEAD}"
)
"""What callers are told of an answer in such an LLM's place."""
THINKING_TOKENS = 4096
"""Room for what a model reasons where that cannot be switched off, or a quarter of its context where that is less."""


def estimate_tokens(*texts: str, bytes_per_token: int = BYTES_PER_TOKEN) -> int:
    """At least 1 for any text, 0 for none. Fewer `bytes_per_token` make a more careful estimate."""
    return sum(math.ceil(_bytes(text) / bytes_per_token) for text in texts)


def first_tokens(text: str, limit: int | None) -> tuple[str, bool]:
    """The beginning of `text` that is estimated to be `limit` tokens, and whether something is missing."""
    if limit is None or estimate_tokens(text) <= limit:
        return text, False
    return text.encode()[: limit * BYTES_PER_TOKEN].decode(errors="ignore"), True


def _bytes(text: str) -> int:
    """The length of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


class LlmError(ModelError):
    """Base of what goes wrong with an LLM. `public` is for the client. `reason` is for the operator's log, and holds
    nothing that a request says: by default the kind of failure."""

    public = "The language model failed."
    retry_after: int | None = RETRY_S
    host: str | None = None
    """The host of the LLM's server, where there is one: for the operator's log, too."""
    for_operator: str | None = None
    """What `public` is for who runs this server, where that says more: the LLM server's address is nobody else's
    business."""

    def __init__(self, message: str, *, reason: str | None = None, public: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or type(self).__name__
        self.public = public or type(self).public


class LlmUnavailable(LlmError):
    public = "The language model cannot be reached."
    reason_label = "unreachable"


class LlmLate(LlmUnavailable):
    """It takes longer than it may to begin its answer."""

    reason_label = "slow"


class LlmNotSetUp(LlmUnavailable):
    """No call will succeed before an operator has changed a setting, a file, or the account at the server."""

    public = "The language model cannot be used as it is set up here: the server's log says why."
    reason_label = "not_set_up"
    retry_after = None


class LlmOverloaded(LlmError):
    public = "The language model is busy. Try again later."
    reason_label = "overloaded"
    retry_after: int

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LlmRefused(LlmError):
    """`message` is the server's own sentence about the request, fit for the client."""

    reason_label = "refused"
    retry_after = None

    def __init__(self, message: str) -> None:
        super().__init__(message, public=message)


class ContextOverflow(LlmRefused):
    def __init__(self, prompt_tokens: int | None, limit: int | None) -> None:
        asked = "more" if prompt_tokens is None else str(prompt_tokens)
        super().__init__(
            f"This model's maximum context length is {limit or 'unknown'} tokens; the request needs {asked} tokens."
        )
        self.prompt_tokens = prompt_tokens
        self.limit = limit


class AnswerTooLong(LlmRefused):
    def __init__(self, message: str, most: int) -> None:
        """`most`: the tokens that it gives."""
        super().__init__(message)
        self.most = most


class LlmBroke(LlmError):
    public = "The language model broke off its answer."
    reason_label = "broke"


class LlmSilent(LlmBroke):
    """It takes longer than it may to go on with its answer."""

    reason_label = "silent"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an LLM can do by itself; what it cannot is worked around or left out."""

    vision: bool = False
    """Takes `image_url` parts."""
    tools: bool = False
    """Calls functions of its own accord when they help: worth offering specialists to. (One that does not may still
    call the function that it is told to.)"""
    json_schema: bool = False
    """Decodes under a JSON schema."""
    context_tokens: int | None = None
    """Prompt and answer together, where it is known."""


def lowered(asked: int, room: int | None) -> str:
    """What a caller is told whose answer may be shorter than `asked`: at most `room` tokens, where that is known."""
    most = "as many as there is room for" if room is None else str(room)
    return f"The answer may have {most} tokens, not {asked}: the language model's context leaves no more."


def lowered_by_context(asked: int | None, context: int | None, prompt: int | None) -> str | None:
    """`lowered` of an answer whose end the context would be; tokens, None where they are not known."""
    if asked is None or context is None or prompt is None or prompt + asked <= context:
        return None
    return lowered(asked, max(0, context - prompt))


@dataclass(frozen=True, slots=True)
class LlmCall:
    """One call, in the words of OpenAI's chat completions."""

    messages: Sequence[Mapping[str, Any]]
    """`{"role", "content", …}`; content is a string or a list of `text` and `image_url` parts."""
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """temperature, top_p, max_tokens, stop, seed, logprobs, reasoning_effort, parallel_tool_calls …: as sent."""
    thinks: bool = False
    """Whether the model may reason before it answers. Where it may not, a server that can switch that off is told to:
    many models reason by default, and an answer of few tokens would be cut before it begins."""
    is_the_clients: bool = False
    """Whether a client asks, whose `max_tokens` bounds all that the model generates. In a question of openfaze's own it
    bounds the answer alone: a model that reasons although it is told not to gets `THINKING_TOKENS` more."""
    is_for_the_end: bool = False
    """Nobody reads along: pieces that come together may be one."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str
    logprobs: Any = None
    """Log probabilities of this piece in OpenAI's form, where they were asked for."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call: `id` and `name` in the first piece of each `index`."""

    index: int
    arguments: str = ""
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Always the last. Counts are None where the LLM gives none."""

    finish_reason: Literal["stop", "length", "tool_calls"]
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    note: str | None = None
    """What the caller should know of the answer's end and its limit, where he did not ask for it."""

    def noting(self, note: str | None) -> "Done":
        """With one sentence more."""
        return self if note is None else replace(self, note=f"{self.note} {note}" if self.note else note)


LlmEvent = TextDelta | ReasoningDelta | ToolCallDelta | Done


class Llm(Protocol):
    @property
    def name(self) -> str:
        """The model's name, for logs and `doctor`."""

    async def model(self) -> str:
        """The model's name, found out where no setting says it. Raises LlmError."""

    @property
    def is_capable(self) -> bool:
        """Whether what it says of a text may be relied on: one that comes along to prove the path invents. Known
        without loading it."""

    async def abilities(self) -> Abilities:
        """Found out once, then remembered. Raises LlmUnavailable."""

    def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """The answer as it comes, Done last; closing the generator stops the LLM's work within a second.

        Raises LlmError: usually before the first event, or LlmBroke between two.
        """

    def check_room(self) -> None:
        """Raises EngineOverloaded, as `stream` would now, where too much waits for it already."""

    def count_tokens(self, text: str) -> int:
        """By the tokenizer where there is one here, else the estimate of a token for four bytes of UTF-8."""

    @property
    def loaded(self) -> bool:
        """Whether it can answer at once: its weights are in memory, or its server's abilities are known."""

    async def load(self) -> None:
        """Raises LlmError."""

    async def close(self) -> None: ...


def fence_around(texts: Sequence[str]) -> str:
    """A line between which and itself an LLM is shown `texts` from outside, which must not be able to hold and so to
    end it. It stands in none of them, and is the same for the same texts: an LLM that is asked the same twice reads the
    same twice. It is 64 bits of their digest, and nobody can write a text that holds its own."""
    digest = "\0".join([str(len(texts)), *texts]).encode(errors="surrogatepass")
    while True:
        digest = hashlib.sha256(digest).digest()
        fence = f"=={digest.hex()[:16]}=="
        if not any(fence in text for text in texts):
            return fence


def new_fence() -> str:
    """A fence for texts that are still to come: none that was written before now can hold it (64 random bits)."""
    return f"=={secrets.token_hex(8)}=="
