"""Dialects of guard models. A dialect defines how a verdict is requested, and how the answer is read."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from models.language.llm import LlmCall
from models.safety.text.exchange import Exchange
from models.safety.text.verdict import Verdict

ALTERNATIVES = 5
"""A server is asked for this many alternatives per token (`top_logprobs`). No model chooses from more verdicts, and
every server can give this many alternatives."""

_SPECIAL_TOKEN_START = re.compile(r"<(?=\||/?(?:think|tool_call|tool_response)\b|(?:BEGIN|END)\b)", re.IGNORECASE)
"""Beginning of a special token of a tokenizer, or of one of the lines that a template puts around the conversation."""
_LINE_ENDS = r"\n\r\v\f\x85\u2028\u2029"
_TURN_START = re.compile(
    rf"(?<!\s)(?:\A|(?=[^\S{_LINE_ENDS}]*+[{_LINE_ENDS}]))(\s*+)(?=(?:user|assistant|agent|human|system)\s*+:)",
    re.IGNORECASE,
)
"""Beginning of a turn of the conversation in the form that templates write. It is tried only where blanks begin, for a
text may have thousands of line ends in a row."""


class _TokenChoice(BaseModel):
    # The model's words must not reach a log through a validation error.
    model_config = ConfigDict(hide_input_in_errors=True)

    token: str
    logprob: float


class Token(_TokenChoice):
    top_logprobs: list[_TokenChoice] = []


class _LogProbs(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    content: list[Token] = []


def tokens_in(logprobs: Iterable[Any]) -> list[Token]:
    """Return the tokens of an answer with the server's probabilities. The result is empty if the server gives none, or
    gives them in a different form."""
    try:
        return [token for piece in logprobs if piece for token in _LogProbs.model_validate(piece).content]
    except ValidationError:
        return []


def label_probabilities(tokens: Sequence[Token], before: str, labels: Sequence[str]) -> Mapping[str, float] | None:
    """Return the probability of each of `labels` at the first token after `before`. The probabilities sum to 1. No two
    labels may begin with the same letter. Return None if `tokens` do not show the probabilities."""
    answer_text = ""
    for token in tokens:
        if answer_text.strip() == before and token.token.strip():
            return _normalised(token.top_logprobs, labels)
        answer_text += token.token
    return None


def _normalised(choices: Sequence[_TokenChoice], labels: Sequence[str]) -> Mapping[str, float] | None:
    found = dict.fromkeys(labels, 0.0)
    for choice in choices:
        # A label may consist of several tokens; its first token is counted.
        begun = choice.token.strip()
        for label in labels:
            if begun and label.startswith(begun):
                found[label] += math.exp(min(0.0, choice.logprob))
    total = sum(found.values())
    return {label: chance / total for label, chance in found.items()} if total > 0 else None


class GuardDialect(Protocol):
    family: re.Pattern[str]
    """Pattern of names that servers give to the models of this family."""
    threshold: float
    """A text is unsafe if its score is at least this."""
    answers_in_json: bool
    """True if decoding under a schema makes the model's answers safer to read."""

    def codes(self, model: str | None) -> frozenset[str]:
        """Return the codes that `model` judges; some models of the family judge fewer."""

    def call(self, exchange: Exchange, codes: Sequence[str], *, by_schema: bool) -> LlmCall: ...

    def read(self, answer_text: str, tokens: Sequence[Token], codes: Sequence[str]) -> Verdict:
        """Return the verdict in `answer_text`, with the probabilities of its `tokens`. Raises NotAVerdict."""


def as_messages(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the exchange as messages, the last of which the model judges."""
    text = without_markup(exchange.text)
    if exchange.answers is None:
        return [{"role": "user", "content": text}]
    # Servers refuse a message without content.
    question = without_markup(exchange.answers).strip() or "…"
    return [{"role": "user", "content": question}, {"role": "assistant", "content": text}]


def without_markup(text: str) -> str:
    """Return `text` without anything that would end its message or begin another message. Otherwise, a model that
    judges only the last message would judge one that the text makes up. The only changes are a `> ` before a role at
    the beginning of a line, and a space after the `<` of a tag."""
    return _TURN_START.sub(r"\1> ", _SPECIAL_TOKEN_START.sub("< ", text))
