"""The dialect of Llama Guard 3 and 4. Its codes are the same as openfaze's, because both are the numbers of MLCommons'
hazards."""

import re
from collections.abc import Sequence

from models.language.llm import LlmCall
from models.safety.guard import TEXT_CODES
from models.safety.text.dialect import ALTERNATIVES, Token, as_messages, label_probabilities
from models.safety.text.exchange import Exchange
from models.safety.text.verdict import NotAVerdict, Verdict

SAFE, UNSAFE = "safe", "unsafe"

_CODES = re.compile(rf"{UNSAFE}[^\S\n]*+\n\s*+(S\d+(?:\s*,\s*S\d+)*)")

_WITHOUT_S14 = re.compile(r"(?<![\d.])1b\b", re.IGNORECASE)
"""Matches the name of Llama Guard 3 1B, which was trained for thirteen hazards."""

_MAX_TOKENS = 100
"""An answer has at most this many tokens. All fourteen codes take about half as many."""


class LlamaGuardDialect:
    """The dialect of Llama Guard, whose codes are the same as openfaze's."""

    # Versions before 3 assign the numbers to other hazards.
    family = re.compile(r"llama[-_ ]?guard[-_ ]?[34](?!\d)", re.IGNORECASE)
    threshold = 0.5
    answers_in_json = False

    def codes(self, model: str | None) -> frozenset[str]:
        judged = frozenset(TEXT_CODES)
        return judged - {"S14"} if model and _WITHOUT_S14.search(model) else judged

    def call(self, exchange: Exchange, codes: Sequence[str], *, by_schema: bool) -> LlmCall:  # noqa: ARG002 - the model knows its codes
        options = {"temperature": 0, "max_tokens": _MAX_TOKENS, "logprobs": True, "top_logprobs": ALTERNATIVES}
        return LlmCall(as_messages(exchange), options=options)

    def read(self, answer_text: str, tokens: Sequence[Token], codes: Sequence[str]) -> Verdict:  # noqa: ARG002
        if answer_text.strip() == SAFE:
            return Verdict()
        answer = _CODES.fullmatch(answer_text.strip())
        if answer is None:
            raise NotAVerdict("It is neither 'safe' nor 'unsafe' with codes.")
        named = tuple(dict.fromkeys(code.strip() for code in answer[1].split(",")))
        if not set(named) <= set(TEXT_CODES):
            raise NotAVerdict("It names a code that does not exist.")
        likely = label_probabilities(tokens, "", (SAFE, UNSAFE))
        return Verdict(dict.fromkeys(named, 1.0 if likely is None else likely[UNSAFE]))
