"""How servers say that a prompt does not fit. No two agree on the words, few on a code.

Seen at OpenAI, vLLM, SGLang, llama.cpp, Ollama, LM Studio, TGI, Mistral, Anthropic, Gemini and xAI: the tests
have their sentences.
"""

import re
from collections.abc import Mapping
from typing import Any

from models.language.llm import ContextOverflow

_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "context_exceeded"})
_SUBJECT = (
    r"context[ _](?:length|size|window|limit)|max(?:imum)? (?:model |prompt |input )?length|maximum allowed length"
    r"|prompt|input[ _]tokens?|input token count|input length|`inputs` tokens|token count|tokens to keep"
)
_EXCESS = (
    r"exceed|longer than|too long|too large|too many|greater than|must be <=|is only|of only|however|but the request"
)
# Looks ahead over the whole text: to be matched at its beginning, not searched for from each of its characters.
_SENTENCE = re.compile(rf"(?=.*(?:{_SUBJECT}))(?=.*(?:{_EXCESS}))(?=.*(?:token|context|length))", re.I | re.S)

_LIMIT = re.compile(
    r"(?:maximum context length|maximum prompt length|maximum model length|model maximum context length"
    r"|context length|context window|context size|configured limit|maximum number of tokens allowed"
    r"|maximum allowed length)(?: is| of|:)?(?: only)? ?\(?(\d+)"
    r"|must be <= (\d+)|> (\d+)|with (\d+) maximum context length|exceeds limit of (\d+)",
    re.I,
)
_NEEDED = re.compile(
    r"you requested(?: about| a total of)? (\d+) tokens|resulted in (\d+) tokens|request (?:has|contains) (\d+)"
    r"|(?:input|request|prompt|length|tokens|count) \((?:length )?(\d+)|prompt is too long: (\d+)"
    r"|prompt contains (\d+)|keep the first (\d+)",
    re.I,
)
_SUM = re.compile(
    r"passed (\d+) input tokens and requested (\d+)|too large: (\d+)\..{0,200} has (\d+) input"
    r"|given: (\d+) `inputs` tokens and (\d+)|context limit: (\d+) \+ (\d+)",
    re.I | re.S,
)
"""Prompt and answer apart, in either order."""


def overflow_of(message: str, code: str, fields: Mapping[str, Any]) -> ContextOverflow | None:
    """The overflow that a server's error object tells of, with the numbers it gives; None if it is another fault."""
    if code not in _CODES and not _SENTENCE.match(message):
        return None
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", message).rstrip(". ")
    needed, limit = fields.get("n_prompt_tokens"), fields.get("n_ctx")
    if both := _SUM.search(plain):
        needed = sum(int(number) for number in both.groups() if number)
    return ContextOverflow(_integer(needed) or _first(_NEEDED, plain), _integer(limit) or _first(_LIMIT, plain))


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _first(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return next(int(number) for number in found.groups() if number) if found else None
