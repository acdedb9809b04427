"""How a kind of guard model is asked for its verdict, and how its answer is read."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from models.language.llm import LlmCall
from models.safety.text.exchange import Exchange
from models.safety.text.verdict import Verdict

ALTERNATIVES = 5
"""To ask a server for; more than any model has verdicts, and no more than any server gives."""

_TAG = re.compile(r"<(?=\||/?(?:think|tool_call|tool_response)\b|(?:BEGIN|END)\b)", re.IGNORECASE)
"""Begins a special token of a tokenizer, or one of the lines that a template puts around the conversation."""
_ROLE = re.compile(
    r"(^|[\n\r\v\f\x85\u2028\u2029])([^\S\n]*)(?=(?:user|assistant|agent|human|system)\s*:)", re.IGNORECASE
)
"""Begins a turn of the conversation as templates write one."""


class _TokenChoice(BaseModel):
    # What a model says must not reach a log by way of a validation error.
    model_config = ConfigDict(hide_input_in_errors=True)

    token: str
    logprob: float


class Token(_TokenChoice):
    top_logprobs: list[_TokenChoice] = []


class _LogProbs(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    content: list[Token] = []


def tokens_in(logprobs: Iterable[Any]) -> list[Token]:
    """What a server says of the tokens of its answer, piece by piece; none where it says nothing, or something else."""
    try:
        return [token for piece in logprobs if piece for token in _LogProbs.model_validate(piece).content]
    except ValidationError:
        return []


def chances(tokens: Sequence[Token], before: str, labels: Sequence[str]) -> Mapping[str, float] | None:
    """The probability of each of `labels` at the first token after `before`; their sum is 1. No two labels begin with
    the same letter. None where `tokens` do not tell."""
    said = ""
    for token in tokens:
        if said.strip() == before and token.token.strip():
            return _shares(token.top_logprobs, labels)
        said += token.token
    return None


def _shares(choices: Sequence[_TokenChoice], labels: Sequence[str]) -> Mapping[str, float] | None:
    found = dict.fromkeys(labels, 0.0)
    for choice in choices:
        # A label may be several tokens, the first of which stands for it.
        begun = choice.token.strip()
        for label in labels:
            if begun and label.startswith(begun):
                found[label] += math.exp(min(0.0, choice.logprob))
    total = sum(found.values())
    return {label: chance / total for label, chance in found.items()} if total > 0 else None


class GuardDialect(Protocol):
    family: re.Pattern[str]
    """Found in the names that servers give to its models."""
    threshold: float
    """The score from which on a text is unsafe."""
    answers_in_json: bool
    """Whether a server that decodes under a schema makes its answers safer to read."""

    def codes(self, model: str | None) -> frozenset[str]:
        """The codes that it judges; some of its models judge fewer."""

    def call(self, exchange: Exchange, codes: Sequence[str], *, by_schema: bool) -> LlmCall: ...

    def read(self, said: str, tokens: Sequence[Token], codes: Sequence[str]) -> Verdict:
        """From an answer and what the server says of its tokens. Raises NotAVerdict."""


def as_messages(exchange: Exchange) -> list[dict[str, Any]]:
    """The last message is what the model judges."""
    text = harmless(exchange.text)
    if exchange.answers is None:
        return [{"role": "user", "content": text}]
    # Servers refuse a message without content.
    question = harmless(exchange.answers).strip() or "…"
    return [{"role": "user", "content": question}, {"role": "assistant", "content": text}]


def harmless(text: str) -> str:
    """`text` without what would end the message that it stands in, or begin another: a model that is told to judge the
    last message alone would judge what the text makes of it. Reads as before."""
    return _ROLE.sub(r"\1\2> ", _TAG.sub("< ", text))
