"""Whose an exception of a decoder is: the file's, which the client can mend, the program's, which nobody but its
authors can, or that of whatever else takes the memory.

Decoders raise a dozen kinds on damaged bytes, TypeError and AttributeError among them. What tells a program's own fault
is where such an error begins, in this project's code or at its border with a library, and what it says of a call.
"""

import os
import re
import traceback
from collections.abc import Iterator
from types import TracebackType

from models.base import ran_out

_OURS = frozenset({"app", "tasks", "models"})
_OF_CALLS = re.compile(
    r"unexpected keyword argument|invalid keyword argument|takes no (keyword )?arguments|positional argument"
    r"|required (keyword-only )?argument|missing required argument|multiple values for"
)
"""What Python, C modules and Cython say of a call that the function called does not know: versions that do not fit."""
_OF_MEMORY = re.compile(r"out of memory|insufficient memory|memory allocation failed", re.IGNORECASE)
"""What Pillow, expat, zlib and libxml2 write, whose errors are of the same kinds as for damaged bytes."""


class DecoderFault(Exception):
    """A decoder failed for a reason that is not in the file. Names the kind and the place, and quotes nothing."""

    def __init__(self, kind: str, place: str) -> None:
        super().__init__(f"{kind} at {place}")


def is_fault_of_file(error: BaseException) -> bool:
    """Whether the client can mend what `error`, which a decoder raised, is about."""
    return not is_of_memory(error) and not is_fault_of_program(error)


def is_of_memory(error: BaseException | None) -> bool:
    """Whether `error`, or what led to it, says that memory or open files were used up: the same bytes may be decoded
    where there is more room."""
    while error is not None:
        # EAGAIN is what FFmpeg says of a packet that is not there yet.
        if (ran_out(error) and not isinstance(error, BlockingIOError)) or _OF_MEMORY.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_fault_of_program(error: BaseException) -> bool:
    """Whether `error`, which a decoder raised, says nothing of the file.

    A name or a module that is not there never does. A wrong type or attribute, or an assertion, does where a library
    came upon it on its way through the bytes, but not in code of this project, nor in a call that this makes of a
    library which does not know the arguments.
    """
    if isinstance(error, ImportError | NameError):
        return True
    if not isinstance(error, TypeError | AttributeError | AssertionError):
        return False
    frames = list(_frames(error))
    if _OF_CALLS.search(str(error)):
        # Python raises it where the call is, Cython in a frame that it makes for the function called.
        while frames and not os.path.isabs(frames[-1].tb_frame.f_code.co_filename):
            frames.pop()
    return bool(frames) and _module(frames[-1]).partition(".")[0] in _OURS


def place_of(error: BaseException) -> str:
    """`module:line` where `error` was raised."""
    *_, last = [None, *_frames(error)]
    return f"{_module(last)}:{last.tb_lineno}" if last else "?"


def stack_of(error: BaseException) -> str:
    """The lines of code on the way to `error`, without its message, which may quote the file."""
    return "".join(traceback.format_tb(error.__traceback__))


def _frames(error: BaseException) -> Iterator[TracebackType]:
    """From the one that caught it to the one that raised it. C has none: its caller's is the last."""
    trace = error.__traceback__
    while trace:
        yield trace
        trace = trace.tb_next


def _module(frame: TracebackType) -> str:
    return str(frame.tb_frame.f_globals.get("__name__"))
