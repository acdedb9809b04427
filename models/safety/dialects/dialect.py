"""What sets one family of guard models on a server apart from another."""

import re
from collections.abc import Sequence
from typing import Protocol

from models.language.llm import LlmCall
from models.safety.dialects.first_token import Token
from models.safety.verdict import Verdict
from models.safety.windows import Exchange


class Dialect(Protocol):
    family: re.Pattern[str]
    """Found in the names that servers give to its models."""
    threshold: float
    """The score from which on a text is unsafe."""
    answers_in_json: bool
    """Whether a server that decodes under a schema makes its answers safer to read."""

    def codes(self, model: str | None) -> frozenset[str]:
        """Those that it judges; some of its models judge fewer."""

    def call(self, exchange: Exchange, codes: Sequence[str], *, by_schema: bool) -> LlmCall: ...

    def read(self, said: str, tokens: Sequence[Token], codes: Sequence[str]) -> Verdict:
        """From an answer and what the server says of its tokens. Raises NotAVerdict."""
