"""The table of contents of an archive, which may be as hostile as the rest."""

import io
import struct
import zipfile
import zlib

_DIRECTORY_BYTES = 2 << 20
"""Of the list of an archive's members; an entry has 46 and its name. zipfile holds ten times as much in memory."""

DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
"""What zipfile raises on bytes that are no archive."""


class _Bounded(io.BytesIO):
    """Refuses reads as large as only a hostile archive asks for, until it is told otherwise."""

    limit = _DIRECTORY_BYTES

    def read(self, size: int | None = -1) -> bytes:
        if self.limit and size is not None and size > self.limit:
            raise zipfile.BadZipFile("the list of members is too long")
        return super().read(size)


def opened_archive(data: bytes) -> zipfile.ZipFile:
    """Raises one of DAMAGED."""
    file = _Bounded(data)
    archive = zipfile.ZipFile(file)
    file.limit = 0
    return archive


def member_names(data: bytes) -> list[str] | None:
    """None where the list cannot be read."""
    try:
        with opened_archive(data) as archive:
            return archive.namelist()
    except DAMAGED:
        return None
