"""Text with marks at the places of its fields. The marks stay correct when text is inserted, cut or misread."""

from dataclasses import dataclass

Mark = tuple[int, int, str]
"""Start, end and tag of a field in a text. Marks may be nested: a surname within a name."""


@dataclass(frozen=True, slots=True)
class Marked:
    text: str
    marks: tuple[Mark, ...] = ()

    def __add__(self, other: "Marked | str") -> "Marked":
        if isinstance(other, str):
            return Marked(self.text + other, self.marks)
        by = len(self.text)
        return Marked(self.text + other.text, (*self.marks, *((a + by, b + by, tag) for a, b, tag in other.marks)))

    def cut(self, start: int, end: int) -> "Marked":
        kept = ((max(a, start) - start, min(b, end) - start, tag) for a, b, tag in self.marks)
        return Marked(self.text[start:end], tuple(mark for mark in kept if mark[0] < mark[1]))

    def replaced(self, start: int, end: int, new: str) -> "Marked":
        """Replace the characters `start` to `end` by `new`. An insertion at a mark's edge is outside the mark."""
        by = start + len(new) - end

        def first(at: int) -> int:
            return at + by if at >= end else min(at, start)

        def last(at: int) -> int:
            return at if at <= start else at + by if at >= end else start + len(new)

        moved = ((first(a), last(b), tag) for a, b, tag in self.marks)
        return Marked(self.text[:start] + new + self.text[end:], tuple(mark for mark in moved if mark[0] < mark[1]))

    def upper(self) -> "Marked":
        """Return the text in capitals, letter by letter, with its length unchanged."""
        return Marked("".join(one.upper() if len(one.upper()) == 1 else one for one in self.text), self.marks)

    def plain(self) -> "Marked":
        return Marked(self.text)

    def without(self, tags: set[str]) -> "Marked":
        return Marked(self.text, tuple(mark for mark in self.marks if mark[2] not in tags))


def all_of(text: str, tag: str = "") -> Marked:
    return Marked(text, ((0, len(text), tag),))


def joined(parts: list[Marked], by: str = " ") -> Marked:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + by + part
    return whole
