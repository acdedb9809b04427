"""Cuts texts of any length into passages, which a network reads at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from models.fair_executor import Slices

Passage = Sequence[int]
"""Tokens that the engine reads at once, those included that begin and end it."""

Role = Literal["query", "passage"]
"""What a text is for: to be compared with others like it and to search by, or to be found."""

QUERY: Role = "query"

_PIECE_CHARS = 16_000
"""Characters that are tokenized at once."""

_SHORT_CHARS = 1000
"""Characters that are tokenized, in a quarter of a millisecond, without letting other threads run meanwhile."""


def read_tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    return tokenizer


class Passages:
    """Cuts texts of any length into what a network reads at once. In any thread."""

    def __init__(
        self,
        find_tokenizer: Callable[[], Path],
        marks: tuple[str, str],
        max_tokens: int,
        prefixes: Mapping[Role, str] | None = None,
    ) -> None:
        """`find_tokenizer` may raise EngineUnavailable; `marks` begin and end each passage, and `max_tokens` counts
        them and the prefix, which each part of a text has."""
        self._find_tokenizer = find_tokenizer
        self._marks = marks
        self._max_tokens = max_tokens
        self._prefixes = prefixes or {}

    def is_loaded(self) -> bool:
        """Whether the tokenizer has been read."""
        return "_tokenizer" in vars(self)

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = read_tokenizer(self._find_tokenizer())
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _begins(self) -> Mapping[Role, list[int]]:
        """By which a passage begins. Prefixes end with a word, so that their tokens are the same alone."""
        tokenizer, mark = self._tokenizer, self._tokenizer.token_to_id(self._marks[0])
        prefixes = {role: tokenizer.encode(said, add_special_tokens=False).ids for role, said in self._prefixes.items()}
        return {role: [mark, *prefixes.get(role, ())] for role in ("query", "passage")}

    def of(self, text: str, role: Role = QUERY) -> Slices[list[Passage]]:
        """Raises EngineUnavailable."""
        tokenizer = self._tokenizer
        ids: list[int] = []
        for piece in _cut_between_words(text):
            if len(piece) <= _SHORT_CHARS:
                ids += tokenizer.encode(piece, add_special_tokens=False).ids
            else:
                # A batch of one: it alone lets other threads run, for which who is done waits then.
                [encoding] = tokenizer.encode_batch_fast([piece], add_special_tokens=False)
                ids += encoding.ids
            yield
        begin, end = self._begins[role], tokenizer.token_to_id(self._marks[1])
        most = self._max_tokens - self.frame(role)
        # A text without a token is a passage, too.
        return [[*begin, *ids[at : at + most], end] for at in range(0, max(1, len(ids)), most)]

    def frame(self, role: Role = QUERY) -> int:
        """Tokens of a passage that are no part of the text. Raises EngineUnavailable."""
        return len(self._begins[role]) + 1


def _cut_between_words(text: str) -> Iterator[str]:
    """`text` in pieces that end between words, where it has spaces: cut there, its tokens stay the same."""
    at = 0
    while len(text) - at > _PIECE_CHARS:
        cut = text.rfind(" ", at, at + _PIECE_CHARS) + 1 or at + _PIECE_CHARS
        yield text[at:cut]
        at = cut
    yield text[at:]
