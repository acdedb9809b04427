"""Determines the cause of a decoder's exception: the file, which the client can replace, the program, or a lack of
memory.

Decoders raise a dozen exception types on damaged bytes, including TypeError and AttributeError. The program's own
faults are recognised by where the error was raised: in this project's code.
"""

import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from models.base import ran_out
from tasks.errors import InputError

_OURS = frozenset({"app", "tasks", "models"})
_OF_MEMORY = re.compile(r"out of memory|insufficient memory|memory allocation failed", re.IGNORECASE)
"""Messages of Pillow, expat, zlib and libxml2 about memory; the exception types are the same as for damaged bytes."""


class DecoderFault(Exception):
    """Raised if a decoder failed and the file is not the cause. The message names the exception type and the place in
    the program, and quotes nothing of the file."""

    def __init__(self, kind: str, place: str) -> None:
        super().__init__(f"{kind} at {place}")


class DecoderError(Exception):
    """Raised in a worker process for an exception other than InputError. It has no message, which may quote the
    file."""

    def __init__(self, kind: str, place: str, stack: str | None, is_lack_of_memory: bool) -> None:
        super().__init__(kind, place, stack, is_lack_of_memory)
        self.kind = kind
        """Name of the exception's class."""
        self.place = place
        """Place where it was raised, as `module:line`."""
        self.stack = stack
        """Traceback, if the program and not the file is at fault."""
        self.is_lack_of_memory = is_lack_of_memory
        """True if memory or open files ran out."""


def do_nothing(_opened: object) -> None:
    """Do nothing, after the file has been opened."""


def call_method(opened: object, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return call_decoder(getattr(opened, name), args, kwargs)


def call_decoder(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what `function` returns. Raises InputError and DecoderError."""
    try:
        return function(*args, **kwargs)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise many types of exceptions
        stack = stack_of(error) if is_fault_of_program(error) else None
        failure = DecoderError(type(error).__name__, place_of(error), stack, is_lack_of_memory(error))
    raise failure


@contextmanager
def refusing(refusal: InputError, kinds: tuple[type[Exception], ...] = (Exception,)) -> Iterator[None]:
    """Raise `refusal` for exceptions of these kinds, if the file is at fault. Libraries raise many kinds of exceptions
    for malformed bytes."""
    try:
        yield
    except InputError:
        raise
    except kinds as error:
        if not is_fault_of_file(error):
            raise
        raise refusal from error


def is_fault_of_file(error: BaseException) -> bool:
    """True if `error`, which a decoder raised, is due to the file, so that the client can correct it."""
    return not is_lack_of_memory(error) and not is_fault_of_program(error)


def is_lack_of_memory(error: BaseException | None) -> bool:
    """True if `error`, or one of its causes, states that memory or open files ran out. Another process may then decode
    the same bytes."""
    while error is not None:
        # FFmpeg reports EAGAIN for a packet that has not arrived yet.
        if (ran_out(error) and not isinstance(error, BlockingIOError)) or _OF_MEMORY.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_fault_of_program(error: BaseException) -> bool:
    """True if `error`, raised by a decoder, is a fault of the program and not of the file.

    A missing name or module is always a fault of the program. A wrong type or attribute, or a failed assertion, is a
    fault of the program if it was raised in this project's code. Otherwise it is not, because libraries also raise
    these exceptions for damaged bytes.
    """
    if isinstance(error, ImportError | NameError):
        return True
    if not isinstance(error, TypeError | AttributeError | AssertionError):
        return False
    frames = list(_frames(error))
    return bool(frames) and _module(frames[-1]).partition(".")[0] in _OURS


def place_of(error: BaseException) -> str:
    """Return the place where `error` was raised, as `module:line`."""
    *_, last = [None, *_frames(error)]
    return f"{_module(last)}:{last.tb_lineno}" if last else "?"


def stack_of(error: BaseException) -> str:
    """Return the traceback of `error` without its message, which may quote the file."""
    return "".join(traceback.format_tb(error.__traceback__))


def _frames(error: BaseException) -> Iterator[TracebackType]:
    """Yield the frames from the one that caught the error to the one that raised it. C code has no frames, so if C code
    raised the error, the last frame is that of the code's caller."""
    trace = error.__traceback__
    while trace:
        yield trace
        trace = trace.tb_next


def _module(frame: TracebackType) -> str:
    return str(frame.tb_frame.f_globals.get("__name__"))
