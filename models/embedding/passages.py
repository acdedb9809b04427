"""Divides texts of any length into passages, each short enough for a network."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

Passage = Sequence[int]
"""Tokens for one run of a network, including the marks at the beginning and the end."""

Role = Literal["query", "passage"]
"""Role of a text. A query is used for a search or compared with other queries; a passage is a text that a search can
find."""

QUERY: Role = "query"

_PIECE_CHARS, _PIECES_AT_ONCE = 16_000, 8
"""Texts are tokenized in pieces of at most the first number of characters, and the second number of pieces at once,
because tokens take 250 bytes for each character."""


def read_tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    # Otherwise the library would spread the texts of one call over all processors.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    return tokenizer


class Passages:
    """Divides texts into passages for one network. Any thread may use it."""

    def __init__(
        self,
        find_tokenizer: Callable[[], Path],
        marks: tuple[str, str],
        max_tokens: int,
        prefixes: Mapping[Role, str] | None = None,
    ) -> None:
        """`find_tokenizer` may raise EngineUnavailable. `marks` are the tokens at the beginning and the end of each
        passage. `max_tokens` includes them and the prefix, which every passage of a text has."""
        self._find_tokenizer = find_tokenizer
        self._marks = marks
        self._max_tokens = max_tokens
        self._prefixes = prefixes or {}

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = read_tokenizer(self._find_tokenizer())
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _leading_tokens(self) -> Mapping[Role, list[int]]:
        """Tokens at the beginning of a passage, by role. A prefix can be tokenized alone because it ends at the end of
        a word."""
        tokenizer, mark = self._tokenizer, self._tokenizer.token_to_id(self._marks[0])
        prefixes = {
            role: tokenizer.encode(prefix, add_special_tokens=False).ids for role, prefix in self._prefixes.items()
        }
        return {role: [mark, *prefixes.get(role, ())] for role in ("query", "passage")}

    def of(self, texts: Sequence[str], role: Role = QUERY) -> list[list[Passage]]:
        """Return the passages of each of `texts`. Raises EngineUnavailable."""
        pieces = [(index, piece) for index, text in enumerate(texts) for piece in _cut_between_words(text)]
        ids: list[list[int]] = [[] for _ in texts]
        for start in range(0, len(pieces), _PIECES_AT_ONCE):
            part = pieces[start : start + _PIECES_AT_ONCE]
            encodings = self._tokenizer.encode_batch_fast([piece for _, piece in part], add_special_tokens=False)
            for (index, _), encoding in zip(part, encodings, strict=True):
                ids[index] += encoding.ids
        begin, end = self._leading_tokens[role], self._tokenizer.token_to_id(self._marks[1])
        most = self._max_tokens - self.frame(role)
        # A text without tokens makes one passage, too.
        return [
            [[*begin, *one[start : start + most], end] for start in range(0, max(1, len(one)), most)] for one in ids
        ]

    def frame(self, role: Role = QUERY) -> int:
        """Number of tokens that a passage has in addition to its text. Raises EngineUnavailable."""
        return len(self._leading_tokens[role]) + 1


def _cut_between_words(text: str) -> Iterator[str]:
    """Yield `text` in pieces that end between words wherever it contains spaces. Such cuts do not change the tokens."""
    position = 0
    while len(text) - position > _PIECE_CHARS:
        cut = text.rfind(" ", position, position + _PIECE_CHARS) + 1 or position + _PIECE_CHARS
        yield text[position:cut]
        position = cut
    yield text[position:]
