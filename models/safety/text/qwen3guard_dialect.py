"""The dialect of Qwen3Guard, and the codes that its categories cover."""

import re
from collections.abc import Mapping, Sequence

from models.language.llm import LlmCall
from models.safety.text.dialect import ALTERNATIVES, Token, as_messages, label_probabilities
from models.safety.text.exchange import Exchange
from models.safety.text.verdict import NotAVerdict, Verdict

CODES_OF: Mapping[str, tuple[str, ...]] = {
    "Violent": ("S1", "S9"),
    "Non-violent Illegal Acts": ("S2",),
    "Sexual Content or Sexual Acts": ("S3", "S12"),
    "PII": ("S7",),
    "Personally Identifiable Information": ("S7",),
    "Suicide & Self-Harm": ("S11",),
    "Unethical Acts": ("S5", "S10"),
    "Politically Sensitive Topics": ("S13",),
    "Copyright Violation": ("S8",),
    "Jailbreak": (),
}
"""Codes that each category covers, by the definitions in the model's technical report (arXiv 2510.14276): violence
includes any weapon; sexual content includes illegal sexual acts; unethical acts include hate and defamation;
politically sensitive topics include falsehoods about public affairs. The report has nothing about children (S4), expert
advice (S6) or code (S14). PII has a short and a long name."""

JUDGED = frozenset(code for codes in CODES_OF.values() for code in codes)

SEVERITY: Mapping[str, float] = {"Safe": 0.0, "Controversial": 0.5, "Unsafe": 1.0}
"""Weight of each verdict's probability in the score."""

THRESHOLD = 0.6
"""A text is unsafe if its score is at least this. The score of a controversial text, which is harmful only in some
contexts, is lower."""

VERDICT, CATEGORIES = "Safety:", "Categories:"
"""Beginnings of the lines of an answer. A label follows each, after a space."""

_ANSWER = re.compile(rf"{VERDICT} (\w+)\s*\n{CATEGORIES} ([^\n]+?)\s*(?:\nRefusal: (?:Yes|No)\s*)?")

_NAMES = {name.casefold(): name for name in CODES_OF}

_NONE = "none"

_MAX_ANSWER_TOKENS = 128
"""An answer has at most this many tokens, as in the examples of the model card. All categories together take about half
as many."""


class Qwen3GuardDialect:
    family = re.compile(r"qwen3[-_ ]?guard(?!.*stream)", re.IGNORECASE)
    threshold = THRESHOLD
    answers_in_json = False

    def codes(self, model: str | None) -> frozenset[str]:  # noqa: ARG002 - all its models judge the same codes
        return JUDGED

    def call(self, exchange: Exchange, codes: Sequence[str], *, by_schema: bool) -> LlmCall:  # noqa: ARG002 - the model has its own codes
        options = {
            "temperature": 0,
            "max_tokens": _MAX_ANSWER_TOKENS,
            "logprobs": True,
            "top_logprobs": ALTERNATIVES,
        }
        return LlmCall(as_messages(exchange), options=options)

    def read(self, answer_text: str, tokens: Sequence[Token], codes: Sequence[str]) -> Verdict:  # noqa: ARG002
        answer = _ANSWER.fullmatch(answer_text.strip())
        if answer is None or answer[1] not in SEVERITY:
            raise NotAVerdict("Its lines are not 'Safety: …' and 'Categories: …'.")
        categories = categories_in(answer[2])
        if bool(categories) != (answer[1] != "Safe"):
            raise NotAVerdict("Its verdict and its categories are at odds.")
        probabilities = label_probabilities(tokens, VERDICT, tuple(SEVERITY))
        return verdict_of(SEVERITY[answer[1]] if probabilities is None else severity_of(probabilities), categories)


def categories_in(line: str) -> tuple[str, ...]:
    """Return the categories that a line names; empty if it names none. Raises NotAVerdict."""
    names = [name.strip().removesuffix(".").casefold() for name in line.split(",")]
    if names == [_NONE]:
        return ()
    if not all(name in _NAMES for name in names):
        raise NotAVerdict("It names a category that does not exist.")
    return tuple(dict.fromkeys(_NAMES[name] for name in names))


def severity_of(probabilities: Mapping[str, float]) -> float:
    """Return a score between 0 and 1, computed from the probability of each verdict."""
    return sum(SEVERITY[label] * chance for label, chance in probabilities.items())


def verdict_of(score: float, categories: Sequence[str]) -> Verdict:
    """Return a verdict with `score` for each code that one of `categories` covers."""
    return Verdict({code: score for name in categories for code in CODES_OF[name]})
