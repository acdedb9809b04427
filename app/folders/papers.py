"""Finds the papers of an extraction job: in files, folders, zip archives, mailboxes and at URLs, in a stable
order."""

import errno
import hashlib
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.folders.failures import Failed

_LEFT_OUT = ("thumbs.db", "desktop.ini")
"""Names of files of the operating system that are left out. Names that begin with a dot, or with `~$` (lock files of
office programs), are left out, too."""
_MAX_BYTES = 1 << 30
"""A paper may have at most this many bytes, twice the default limit of a server. A larger one is not read, because it
may not fit in memory."""
_LINE_BYTES = 1 << 20
"""A mailbox is searched for the beginnings of messages in pieces of at most this many bytes."""
STATE = ".state"
"""Suffix of the file that holds a job's state. It follows the name of the job's table. Neither the table nor its state
counts as a paper."""
ARCHIVE, MAILBOX = ".zip", ".mbox"
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, RuntimeError)
"""Exceptions, in addition to OSError, that zipfile raises for archives that are damaged, encrypted or of an unsupported
kind."""


@dataclass(frozen=True, slots=True)
class Paper:
    name: str
    """Name that is unique within the job: the path as given, followed by the path within its archive, if any."""
    filename: str
    """File name, whose suffix shows the type of the file."""
    link: str
    """Path or URL at which a person finds the paper."""
    fingerprint: str
    """Text that changes with the content."""
    read: Callable[[], bytes] | None
    """Function that reads the content; None if the server is to fetch `link`. Raises OSError and ValueError."""


def papers_of(sources: Sequence[str], left_out: Sequence[Path] = ()) -> Iterator[Paper]:
    """Yield the papers of `sources` in order, except for the files `left_out`. The files of a folder come first,
    sorted by name, then the files of its subfolders. Raises Failed."""
    without = {path.resolve() for path in left_out}
    seen: set[str] = set()
    for source in sources:
        for paper in map(_in_unicode, _papers_of_source(source, without)):
            # "papers" and "papers/a.pdf" may both be given.
            if paper.name not in seen:
                seen.add(paper.name)
                yield paper


def is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def addresses_in(file: Path) -> list[str]:
    """Return the URLs in a file with one URL per line. Raises Failed."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{file}: {error}") from None
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for line in found:
        if not is_address(line):
            raise Failed(f"{file}: '{line[:100]}' is not an address; give one on each line, with http:// or https://")
    return found


def _papers_of_source(source: str, left_out: set[Path]) -> Iterator[Paper]:
    if is_address(source):
        yield Paper(source, source.rsplit("/", 1)[-1] or source, source, source, None)
        return
    path = Path(source)
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if _is_paper(file, path, left_out):
                    yield from _papers_of_file(file)
    elif path.exists():
        yield from _papers_of_file(path)
    else:
        raise Failed(f"'{source}' is neither a file, nor a folder, nor an address")


def _is_paper(file: Path, folder: Path, left_out: set[Path]) -> bool:
    try:
        is_ours = STATE in file.suffix or file.with_name(f"{file.name}{STATE}").exists()
        # Of a link that leads to itself, nothing else may be asked. (`Path.is_file` hides errors since Python 3.14.)
        is_regular = stat.S_ISREG(file.stat().st_mode)
        if is_ours or _is_left_out(file.name) or not is_regular or file.resolve() in left_out:
            return False
        # A symbolic link may point to a file outside the folder that nobody meant to send to the server.
        return not file.is_symlink() or file.resolve().is_relative_to(folder.resolve())
    except OSError as error:
        # Reading anything but a link to nothing will say what is wrong with it.
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def _in_unicode(paper: Paper) -> Paper:
    """Return the paper with valid Unicode names. The names of files may be any bytes. If the paper's path is not valid
    Unicode, its link is the nearest folder whose path is valid."""
    link = paper.link
    while _escaped(link) != link:
        link = str(Path(link).parent)
    return replace(paper, name=_escaped(paper.name), filename=_escaped(paper.filename), link=link)


def _escaped(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _fail_to_read(reason: str) -> bytes:
    raise ValueError(reason)


def _is_left_out(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _LEFT_OUT


def _papers_of_file(path: Path) -> Iterator[Paper]:
    """Yield the papers of a file. One that is damaged becomes a row with an error, and the other files are still
    read."""
    try:
        if path.suffix.lower() == ARCHIVE:
            yield from _papers_of_archive(path)
        elif path.suffix.lower() == MAILBOX:
            yield from _papers_of_mailbox(path)
        else:
            stat = path.stat()
            yield Paper(str(path), path.name, str(path), f"{stat.st_size} {stat.st_mtime_ns}", partial(_read, path))
    except (OSError, MemoryError, *_DAMAGED) as error:
        yield Paper(str(path), path.name, str(path), "", partial(_fail_to_read, _reason(error)))


def _reason(error: Exception) -> str:
    return str(error) or "it is damaged"  # an EOFError states nothing


def _read(path: Path, begin: int = 0, size: int | None = None) -> bytes:
    """Return `size` bytes of a file from `begin` on, or all of them. Raises OSError, and ValueError for too many."""
    with path.open("rb") as file:
        _check_size(os.fstat(file.fileno()).st_size if size is None else size)
        file.seek(begin)
        content = file.read(_MAX_BYTES + 1 if size is None else size)
    _check_size(len(content))  # a device, or a file that grows, states a smaller size
    return content


def _check_size(size: int) -> None:
    if size > _MAX_BYTES:
        raise ValueError(f"it has {size:,} bytes or more; the limit is {_MAX_BYTES:,}")


def _papers_of_archive(path: Path) -> Iterator[Paper]:
    with zipfile.ZipFile(path) as archive:
        members = sorted(archive.infolist(), key=lambda member: member.filename)
    for member in members:
        name = member.filename.rsplit("/", 1)[-1]
        if member.is_dir() or _is_left_out(name) or member.filename.startswith("__MACOSX/"):
            continue
        fingerprint = f"{member.file_size} {member.CRC}"
        yield Paper(f"{path}/{member.filename}", name, str(path), fingerprint, partial(_read_member, path, member))


def _read_member(path: Path, member: zipfile.ZipInfo) -> bytes:
    _check_size(member.file_size)
    try:
        # zipfile stops at the size that the header states, so a member cannot be longer.
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            return file.read()
    except _DAMAGED as error:
        raise ValueError(_reason(error)) from None


def _papers_of_mailbox(path: Path) -> Iterator[Paper]:
    number = 0
    for number, (begin, end) in enumerate(_messages_in(path), 1):
        read = partial(_read, path, begin, end - begin)
        fingerprint = hashlib.sha256(read()).hexdigest()
        yield Paper(f"{path}/{number}", f"{path.stem}-{number}.eml", str(path), fingerprint, read)
    if not number:
        raise ValueError("it has no messages")


def _messages_in(path: Path) -> Iterator[tuple[int, int]]:
    """Yield the first byte of each message in a mailbox, after the line `From …` that separates it from the one before,
    and the byte after its last."""
    begin, end, gap = None, 0, 0
    is_new_line = True
    with path.open("rb") as file:
        for line in iter(partial(file.readline, _LINE_BYTES), b""):
            if is_new_line and line.startswith(b"From "):
                if begin is not None:
                    yield begin, end - gap
                begin = end + len(line)
            gap = len(line) if is_new_line and line == b"\n" else 0
            end += len(line)
            is_new_line = line.endswith(b"\n")
    if begin is not None:
        yield begin, end - gap
