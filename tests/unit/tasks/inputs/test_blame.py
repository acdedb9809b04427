"""Whose an exception of a decoder is: a file's or the program's."""

import errno
from xml.parsers import expat

import av
import pytest

from tasks.inputs.blame import is_fault_of_file, is_fault_of_program, is_lack_of_memory, place_of, stack_of


def raised_in(module: str, code: str) -> BaseException:
    """What `code`, of a module of that name, raises."""
    with pytest.raises(Exception) as raised:
        exec(compile(code, f"/{module}.py", "exec"), {"__name__": module})
    return raised.value


@pytest.mark.parametrize(
    "code", ["{}['x']", "[][0]", "1 / 0", "int('x')", "raise SyntaxError('broken PNG file')", "b'x'.decode('utf-9')"]
)
def test_what_bytes_may_bring_about_is_the_files(code: str) -> None:
    assert not is_fault_of_program(raised_in("tasks.inputs.picture", code))


@pytest.mark.parametrize(
    "error",
    [
        *(MemoryError(), OSError(errno.ENOMEM, ""), OSError(errno.EMFILE, ""), av.error.MemoryError(errno.ENOMEM, "")),
        OSError("out of memory error when reading image file"),
        expat.ExpatError("out of memory: line 1, column 0"),
    ],
    ids=repr,
)
def test_that_memory_is_used_up_is_not_the_files_fault_whatever_came_of_it(error: Exception) -> None:
    assert is_lack_of_memory(error)
    assert not is_fault_of_file(error)
    later = ValueError("a picture without pixels")
    later.__context__ = error
    assert not is_fault_of_file(later)


@pytest.mark.parametrize(
    "error", [OSError("broken data stream"), av.error.BlockingIOError(errno.EAGAIN, ""), KeyError()]
)
def test_other_complaints_of_decoders_are_the_files_fault(error: Exception) -> None:
    assert is_fault_of_file(error)


def test_the_stack_has_the_code_and_not_what_the_file_says() -> None:
    error = raised_in("tasks.inputs.picture", "def read(data):\n    raise TypeError(data)\nread('a secret' + ' name')")
    assert place_of(error) == "tasks.inputs.picture:2"
    assert "in read" in stack_of(error)
    assert "a secret name" not in stack_of(error)
