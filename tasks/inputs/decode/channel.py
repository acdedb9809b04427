"""How a file is called that is open elsewhere: as a session, and in a decode process by messages.

Messages are pickles over a socket, with what is large in shared memory. That has no name, so that it cannot outlive the
two processes however they end: its file descriptor travels along with a message, and its bytes are freed with the last
who holds it.

Fresh shared memory is slow: the kernel clears and maps it by pages of 4 KB, 0.5 ms a megabyte. What is of the size of
a page's picture goes through memory that both ends keep, and is copied out of it at 0.02 ms a megabyte; only what is
larger stays where it was written, as memory of its own.
"""

import errno
import io
import mmap
import os
import pickle
import select
import socket
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from itertools import accumulate
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tasks.errors import InputError
from tasks.inputs.source import Blob

P = ParamSpec("P")
T = TypeVar("T")


class Closable(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=Closable)
OpenedT = TypeVar("OpenedT", bound=Closable, covariant=True)


class Session(Protocol[OpenedT]):
    """An object of a class whose methods run elsewhere, called by the class's own methods:

    session = await sessions.open(PdfPages, blob, limits)
    picture = await session.run(PdfPages.picture, 3)
    await session.close()

    A method is looked up by its name, so that one of a base class calls the override.
    """

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises what the method raises."""

    async def close(self) -> None:
        """After the calls made so far, and even when the caller is cancelled meanwhile."""


class Sessions(Protocol):
    """Where files can be opened."""

    async def open(
        self, factory: Callable[Concatenate[Blob, P], S], blob: Blob, /, *args: P.args, **kwargs: P.kwargs
    ) -> Session[S]:
        """`factory(blob, *args)` there. Raises what the factory raises."""

    @property
    def restarts(self) -> Counter[str]:
        """How often a process ended that another one takes the place of, by reason: `died`, `start`, `slow`, `memory`,
        `abandoned`, `moved`. None where files are opened in threads."""

    async def close(self) -> None: ...


Arguments = tuple[Any, ...]
Named = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Open:
    session: int
    factory: Callable[..., Closable]
    arguments: Arguments
    named: Named


@dataclass(frozen=True, slots=True)
class Call:
    session: int
    method: str
    arguments: Arguments
    named: Named


@dataclass(frozen=True, slots=True)
class Close:
    session: int


Request = Open | Call | Close


@dataclass(frozen=True, slots=True)
class Returned:
    value: object


@dataclass(frozen=True, slots=True)
class Raised:
    """What the client can mend."""

    error: InputError


@dataclass(frozen=True, slots=True)
class Failed:
    """Any other exception, without its message, which may quote the file."""

    kind: str
    """Name of the exception's class."""
    place: str
    """`module:line` where it was raised."""
    stack: str | None = None
    """How it came to that, where it is the program's fault and not the file's."""
    is_of_memory: bool = False
    """Whether there was not enough."""


Reply = Returned | Raised | Failed


@dataclass(frozen=True, slots=True)
class Within:
    """Comes ahead of a reply: what the call does next may take so long, after which the process is to be ended."""

    seconds: float
    error: InputError
    """What the client is told then."""


_HEAD = struct.Struct("!QI?")
"""Bytes of the pickle, number of the buffers that stand beside it, and whether they are in the kept memory."""
_SIZE = struct.Struct("!Q")
_SMALL = 256 * 1024
"""Bytes up to which a buffer goes through the socket with the rest: a file descriptor is worth more than a copy."""
_KEPT = 32 * 1024 * 1024
"""Bytes that kept memory may grow to."""
_ALIGNED = 64
"""Where buffers begin in shared memory: vector instructions like a cache line."""
_FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Channel:
    """One end of a stream socket. Arrays of numpy arrive writable. An end sends no message before the last one is
    answered or done with, as the kept memory holds one."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._written: _Memory | None = None
        """The kept memory that this end writes."""
        self._read: _Memory | None = None
        """The other end's."""

    def close(self) -> None:
        self._socket.close()
        for memory in (self._written, self._read):
            if memory:
                memory.close()
        self._written = self._read = None

    def send(self, message: object, *, deadline: float | None = None) -> None:
        """Raises TimeoutError after `deadline` (on time.monotonic's clock), OSError when nobody listens, and whatever
        pickling raises."""
        buffers: list[memoryview] = []

        def is_small(buffer: pickle.PickleBuffer) -> bool:
            view = buffer.raw()
            if view.nbytes > _SMALL:
                buffers.append(view)
            return view.nbytes <= _SMALL

        body = io.BytesIO()
        _Pickler(body, protocol=5, buffer_callback=is_small).dump(message)
        sizes = [view.nbytes for view in buffers]
        kept = _length(sizes) <= _KEPT
        head = _HEAD.pack(body.getbuffer().nbytes, len(sizes), kept) + b"".join(map(_SIZE.pack, sizes))
        self._until(deadline)
        if buffers:
            head = head[self._send_beside(head, buffers, kept) :]
        self._socket.sendall(head)
        self._socket.sendall(body.getbuffer())

    def _send_beside(self, head: bytes, buffers: Sequence[memoryview], kept: bool) -> int:
        """Writes `buffers` to shared memory, whose descriptor goes with `head` if the other end lacks it. Returns how
        much of `head` is sent."""
        length = _length([view.nbytes for view in buffers])
        if kept and self._written and self._written.size >= length:
            self._written.overwrite(buffers)
            return 0
        memory = _Memory.new(length)
        try:
            memory.fill(buffers)
            sent = socket.send_fds(self._socket, [head], [memory.descriptor])
        except BaseException:
            memory.close()
            raise
        if not kept:
            memory.close()
            return sent
        if self._written:
            self._written.close()
        self._written = memory
        return sent

    def has_message(self, seconds: float) -> bool:
        """Whether there is anything to receive, its end included, for which so long is waited."""
        coming = select.poll()
        coming.register(self._socket, select.POLLIN)
        return bool(coming.poll(seconds * 1000))

    def receive(self, *, deadline: float | None = None) -> object:
        """Raises EOFError when the other end is closed, TimeoutError, OSError where memory or open files ran out, and
        whatever unpickling raises."""
        self._until(deadline)
        head, descriptors, flags, _ = socket.recv_fds(self._socket, _HEAD.size, 1, _FLAGS)
        if flags & socket.MSG_CTRUNC:
            # What the kernel says where there was no number for the descriptor that came along.
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        memory = _Memory(descriptors[0]) if descriptors else None
        try:
            length, count, kept = _HEAD.unpack(head + self._exactly(_HEAD.size - len(head), deadline))
            sizes = [size for (size,) in _SIZE.iter_unpack(self._exactly(count * _SIZE.size, deadline))]
            if memory and kept:
                if self._read:
                    self._read.close()
                self._read, memory = memory, None
            body = self._exactly(length, deadline)
            beside: list[NDArray[np.uint8]] = []
            if sizes:
                source = self._read if kept else memory
                assert source
                beside = [view.copy() for view in source.views(sizes)] if kept else source.views(sizes)
        finally:
            if memory:
                memory.close()
        return pickle.loads(body, buffers=beside)  # noqa: S301 - both ends are this program

    def _exactly(self, count: int, deadline: float | None) -> bytearray:
        data = bytearray(count)
        room = memoryview(data)
        while room:
            self._until(deadline)
            received = self._socket.recv_into(room)
            if not received:
                raise EOFError
            room = room[received:]
        return data

    def _until(self, deadline: float | None) -> None:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        if isinstance(value, Blob):
            beside = (value.media_type, value.filename, value.param, value.charset)
            return _blob, (pickle.PickleBuffer(value.data), *beside)
        # Frozen dataclasses with slots pickle slowly by themselves, and a page has hundreds of words.
        cls: Any = type(value)
        if (arguments_of := _arguments_of(cls)) is not None:
            return cls, arguments_of(value)
        return NotImplemented


def _blob(data: memoryview | bytes, *beside: Any) -> Blob:
    # A copy, which frees the shared memory: decoders want `bytes`.
    return Blob(bytes(data), *beside)


@cache
def _arguments_of(cls: Any) -> Callable[[object], tuple[Any, ...]] | None:
    """What makes an equal object when `cls` is called with it; None for a class that is no dataclass."""
    if not is_dataclass(cls) or not all(field.init and not field.kw_only for field in fields(cls)):
        return None
    names = [field.name for field in fields(cls)]
    if len(names) < 2:  # for which attrgetter makes no tuple
        return lambda value: tuple(getattr(value, name) for name in names)
    return attrgetter(*names)


class _Memory:
    """Shared memory without a name."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    @classmethod
    def new(cls, size: int) -> Self:
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("openfaze", os.MFD_CLOEXEC)
        else:
            with tempfile.TemporaryFile(buffering=0) as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, size)
        return cls(descriptor)

    @cached_property
    def mapped(self) -> NDArray[np.uint8]:
        """The memory itself, which lives as long as its last view."""
        return np.frombuffer(mmap.mmap(self.descriptor, 0), np.uint8)

    def fill(self, buffers: Sequence[memoryview]) -> None:
        """For memory that is new: the kernel writes it without mapping it here page by page."""
        for at, view in zip(_offsets([view.nbytes for view in buffers]), buffers, strict=False):
            done = 0
            while done < view.nbytes:
                done += os.pwrite(self.descriptor, view[done:], at + done)

    def overwrite(self, buffers: Sequence[memoryview]) -> None:
        for place, view in zip(self.views([view.nbytes for view in buffers]), buffers, strict=True):
            np.copyto(place, np.frombuffer(view, np.uint8))

    def views(self, sizes: Sequence[int]) -> list[NDArray[np.uint8]]:
        return [self.mapped[at : at + size] for at, size in zip(_offsets(sizes), sizes, strict=False)]

    def close(self) -> None:
        os.close(self.descriptor)


def _offsets(sizes: Sequence[int]) -> list[int]:
    """Where buffers of `sizes` begin, and where the last one ends."""
    return list(accumulate((-(-size // _ALIGNED) * _ALIGNED for size in sizes), initial=0))


def _length(sizes: Sequence[int]) -> int:
    return _offsets(sizes)[-1]
