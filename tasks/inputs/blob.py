"""The bytes of a source."""

from dataclasses import dataclass, field

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import megapixels

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

    def too_large(self, predicate: str) -> InputTooLarge:
        """As `error`, for what holds more than a limit allows."""
        return InputTooLarge(f"'{self.label}' {predicate}", param=self.param)

    def check_pixels(self, width: int, height: int, limit: int, *, has: str = "has", where: str = "") -> None:
        """Raises InputError (`image_too_large`) for a picture of more than `limit` pixels."""
        if width * height > limit:
            raise self.error(
                f"{has} {width} x {height} pixels ({megapixels(width * height)}){where}; "
                f"the limit is {megapixels(limit)} (OPENFAZE_MAX_IMAGE_MEGAPIXELS).",
                code="image_too_large",
            )
