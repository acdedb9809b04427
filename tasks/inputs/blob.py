"""The bytes of a source."""

from dataclasses import dataclass, field

from tasks.errors import InputError

SHOWN = 200
"""Characters of a name that a message repeats."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that were sent or fetched, and what they are."""

    data: bytes = field(repr=False)
    media_type: str
    """Canonical, as the bytes show it; as it was declared where they show nothing."""
    filename: str | None
    param: str
    charset: str | None = None
    """As a data URL or a server declares it, for text."""

    @property
    def label(self) -> str:
        """How messages name this input: its filename, else the field it came in."""
        return (self.filename or self.param)[:SHOWN]

    def error(self, predicate: str, *, code: str = "invalid_request") -> InputError:
        """What is wrong with this input, as a sentence about it: `blob.error("is empty.")`."""
        return InputError(f"'{self.label}' {predicate}", code=code, param=self.param)
