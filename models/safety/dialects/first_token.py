"""How sure a model was of its verdict: by the chances of the token that decides it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

ALTERNATIVES = 5
"""To ask a server for; more than any model has verdicts, and no more than any server gives."""


class _Choice(BaseModel):
    # What a model says must not reach a log by way of a validation error.
    model_config = ConfigDict(hide_input_in_errors=True)

    token: str
    logprob: float


class Token(_Choice):
    top_logprobs: list[_Choice] = []


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
    """Of each of `labels`, at the first token after `before`; their sum is 1. No two labels begin with the same letter.
    None where `tokens` do not tell."""
    said = ""
    for token in tokens:
        if said.strip() == before and token.token.strip():
            return _shares(token.top_logprobs, labels)
        said += token.token
    return None


def _shares(choices: Sequence[_Choice], labels: Sequence[str]) -> Mapping[str, float] | None:
    found = dict.fromkeys(labels, 0.0)
    for choice in choices:
        # A label may be several tokens, the first of which stands for it.
        begun = choice.token.strip()
        for label in labels:
            if begun and label.startswith(begun):
                found[label] += math.exp(min(0.0, choice.logprob))
    total = sum(found.values())
    return {label: chance / total for label, chance in found.items()} if total > 0 else None
