"""What is known of an uploaded file."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from tasks.inputs.limits import MB
from tasks.inputs.reading import Upload

KNOWN = ".json"
"""Ends the name of a file's record."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    file_bytes: int = 512 * MB
    """Of one file (OPENFAZE_MAX_FILE_MB)."""
    owner_bytes: int = 10_240 * MB
    """Of all files of one owner (OPENFAZE_MAX_FILES_MB)."""
    owner_files: int = 10_000
    """Their number (OPENFAZE_MAX_FILES)."""
    ttl_s: float = 720 * 3600.0
    """Seconds that a file is kept; 0: for ever (OPENFAZE_FILES_TTL_HOURS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile(Upload):
    purpose: str
    created: float
    """Seconds since 1970."""
    expires: int | None

    @property
    def name(self) -> str:
        """Where its bytes lie. `id` and `owner` are ours: nothing in it is what a client called it."""
        return f"{self.owner}/{self.id}"


_RECORD = TypeAdapter(StoredFile)


def to_record(file: StoredFile) -> bytes:
    return _RECORD.dump_json(file)


def from_record(record: bytes) -> StoredFile | None:
    """None for what is no record, such as one of another version."""
    try:
        return _RECORD.validate_json(record)
    except ValidationError:
        return None
