"""Defines sessions, which call methods of a file in another process or thread, and the messages that carry these calls
to a decode process.

Messages are pickles over a socket; large buffers go through shared memory. This memory has no name, so it cannot
outlive the two processes: its file descriptor travels with a message, and its bytes are freed when no process holds it
any longer.

Fresh shared memory is slow: the kernel clears and maps it in pages of 4 KB, at 0.5 ms per megabyte. Buffers of the size
of a page's picture therefore go through memory that both ends keep, and are copied out of it at 0.02 ms per megabyte.
Larger buffers stay in separate memory.
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
_HEAD = struct.Struct("!QI?")
"""Header of a message: size of the pickle, number of separate buffers, and True if these buffers are in the kept
memory."""
_SIZE = struct.Struct("!Q")
_SMALL = 256 * 1024
"""A buffer of at most this size, in bytes, goes through the socket. Up to this size, copying costs less than a file
descriptor."""
_KEPT = 32 * 1024 * 1024
"""Largest size in bytes of the kept memory."""
_ALIGNED = 64
"""Alignment of buffers in shared memory: a cache line, for vector instructions."""
_FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Closable(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=Closable)
OpenedT = TypeVar("OpenedT", bound=Closable, covariant=True)


class Session(Protocol[OpenedT]):
    """An object whose methods run elsewhere. A call names a method of its class:

        session = await sessions.open(PdfPages, blob, limits)
        picture = await session.run(PdfPages.picture, 3)
        await session.close()

    Methods are looked up by name, so a base class's method calls the override.
    """

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method with these arguments. Raises what the method raises."""

    async def close(self) -> None:
        """Close the object after the calls made so far, even if the caller is cancelled meanwhile."""


class Sessions(Protocol):
    """A place where files can be opened."""

    async def open(
        self, factory: Callable[Concatenate[Blob, P], S], blob: Blob, /, *args: P.args, **kwargs: P.kwargs
    ) -> Session[S]:
        """Open `factory(blob, *args)` as a session. Raises what the factory raises."""

    @property
    def restarts(self) -> Counter[str]:
        """Number of processes that had to be replaced, by reason: `died`, `start`, `slow`, `memory`, `abandoned`,
        `moved`. Threads have none."""

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
    """Reply for an error that the client can correct."""

    error: InputError


@dataclass(frozen=True, slots=True)
class Failed:
    """Reply for an exception other than InputError, without its message, which may quote the file."""

    kind: str
    """Name of the exception's class."""
    place: str
    """Place where it was raised, as `module:line`."""
    stack: str | None = None
    """Traceback, if the program and not the file is at fault."""
    is_lack_of_memory: bool = False
    """True if memory or open files ran out."""


Reply = Returned | Raised | Failed


@dataclass(frozen=True, slots=True)
class Within:
    """Message before a reply: the next part of the call has a time limit, at which the process must be ended."""

    seconds: float
    error: InputError
    """The error for the client if the limit passes."""


class Channel:
    """One end of a stream socket. NumPy arrays arrive writable. An end sends a message only after the previous one was
    answered or processed, because the kept memory has room for the buffers of only one message."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._written: _Memory | None = None
        """The kept memory that this end writes."""
        self._read: _Memory | None = None
        """The kept memory that the other end writes."""

    def close(self) -> None:
        self._socket.close()
        for memory in (self._written, self._read):
            if memory:
                memory.close()
        self._written = self._read = None

    def send(self, message: object, *, deadline: float | None = None) -> None:
        """Send a message. Raises TimeoutError after `deadline` (time.monotonic), OSError if nobody listens, and what
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
        kept = _total_length(sizes) <= _KEPT
        head = _HEAD.pack(body.getbuffer().nbytes, len(sizes), kept) + b"".join(map(_SIZE.pack, sizes))
        self._until(deadline)
        if buffers:
            head = head[self._send_beside(head, buffers, kept) :]
        self._socket.sendall(head)
        self._socket.sendall(body.getbuffer())

    def _send_beside(self, head: bytes, buffers: Sequence[memoryview], kept: bool) -> int:
        """Write `buffers` to shared memory, and send its descriptor with `head` if the other end does not have it.
        Return the number of bytes of `head` that were sent."""
        length = _total_length([view.nbytes for view in buffers])
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
        """True if a message or the end of the stream arrives within `seconds`."""
        coming = select.poll()
        coming.register(self._socket, select.POLLIN)
        return bool(coming.poll(seconds * 1000))

    def receive(self, *, deadline: float | None = None) -> object:
        """Receive a message. Raises EOFError if the other end is closed, TimeoutError, OSError if memory or open files
        ran out, and what unpickling raises."""
        self._until(deadline)
        head, descriptors, flags, _ = socket.recv_fds(self._socket, _HEAD.size, 1, _FLAGS)
        if flags & socket.MSG_CTRUNC:
            # The kernel sets the flag if this process had no free number for the descriptor.
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
            buffers: list[NDArray[np.uint8]] = []
            if sizes:
                source = self._read if kept else memory
                assert source
                buffers = [view.copy() for view in source.views(sizes)] if kept else source.views(sizes)
        finally:
            if memory:
                memory.close()
        return pickle.loads(body, buffers=buffers)  # noqa: S301 - both ends are this program

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
            fields = (value.media_type, value.filename, value.param, value.charset)
            return _rebuild_blob, (pickle.PickleBuffer(value.data), *fields)
        # Frozen dataclasses with slots pickle slowly by default, and a page has hundreds of words.
        cls: Any = type(value)
        if (arguments_of := _arguments_of(cls)) is not None:
            return cls, arguments_of(value)
        return NotImplemented


def _rebuild_blob(data: memoryview | bytes, *fields: Any) -> Blob:
    # The copy frees the shared memory; decoders want `bytes`.
    return Blob(bytes(data), *fields)


@cache
def _arguments_of(cls: Any) -> Callable[[object], tuple[Any, ...]] | None:
    """Return a function from an instance to the arguments that rebuild it; None for a class that is not a dataclass, or
    whose fields are not all positional arguments."""
    if not is_dataclass(cls) or not all(field.init and not field.kw_only for field in fields(cls)):
        return None
    names = [field.name for field in fields(cls)]
    if len(names) < 2:  # attrgetter makes a tuple only for two names or more
        return lambda value: tuple(getattr(value, name) for name in names)
    return attrgetter(*names)


class _Memory:
    """Anonymous shared memory."""

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
        """The memory as an array, which lives as long as its last view."""
        return np.frombuffer(mmap.mmap(self.descriptor, 0), np.uint8)

    def fill(self, buffers: Sequence[memoryview]) -> None:
        """Write `buffers` to new memory. The kernel does this without mapping each page into this process."""
        for at, view in zip(_offsets([view.nbytes for view in buffers]), buffers, strict=False):
            done = 0
            while done < view.nbytes:
                done += os.pwrite(self.descriptor, view[done:], at + done)

    def overwrite(self, buffers: Sequence[memoryview]) -> None:
        for place, view in zip(self.views([view.nbytes for view in buffers]), buffers, strict=True):
            np.copyto(place, np.frombuffer(view, np.uint8))

    def views(self, sizes: Sequence[int]) -> list[NDArray[np.uint8]]:
        return [self.mapped[position : position + size] for position, size in zip(_offsets(sizes), sizes, strict=False)]

    def close(self) -> None:
        os.close(self.descriptor)


def _offsets(sizes: Sequence[int]) -> list[int]:
    """Return the offsets of buffers of `sizes`, and the end of the last one."""
    return list(accumulate((-(-size // _ALIGNED) * _ALIGNED for size in sizes), initial=0))


def _total_length(sizes: Sequence[int]) -> int:
    return _offsets(sizes)[-1]
