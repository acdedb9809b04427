"""What a loader asks of the store of uploaded files."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An uploaded file, as a source needs to know it."""

    id: str
    owner: str
    size: int
    """Bytes."""
    filename: str
    media_type: str | None
    """As its first bytes or its name show it."""


class Uploads(Protocol):
    async def find(self, owner: str, file_id: str) -> Upload | None:
        """None where `owner` has no such file, or has it no longer."""

    async def read(self, upload: Upload) -> bytes:
        """The whole file. Raises FileNotFoundError where it was deleted meanwhile."""
