"""Whose an exception of a decoder is: a file's or the program's."""

import contextlib
import errno
import io
import random
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from xml.parsers import expat

import av
import pytest
from docx.document import Document as WordDocument
from openpyxl import Workbook
from pptx.presentation import Presentation

from tasks.errors import InputError
from tasks.inputs.av.audio import AudioDecoder
from tasks.inputs.blame import is_fault_of_file, is_fault_of_program, is_lack_of_memory, place_of, stack_of
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import sniff
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tests.office_files import changed, document, picture, slides, text_of, workbook
from tests.pages import single_line
from tests.recordings import beeps, encoded


def raised_in(module: str, code: str) -> BaseException:
    """What `code`, of a module of that name, raises."""
    with pytest.raises(Exception) as raised:
        exec(compile(code, f"/{module}.py", "exec"), {"__name__": module})
    return raised.value


@pytest.mark.parametrize("module", ["tasks.inputs.picture", "PIL.PngImagePlugin"])
@pytest.mark.parametrize("code", ["import no_such_module", "from math import no_such_name", "no_such_name"])
def test_what_is_not_there_is_the_programs_fault_wherever_it_is_looked_for(module: str, code: str) -> None:
    assert is_fault_of_program(raised_in(module, code))


@pytest.mark.parametrize(
    "code",
    [
        *("None + 1", "None.text", "x = 1; x()", "assert 1 == 2"),
        # Calls of Python's functions, C's and Cython's.
        *("import PIL.Image; PIL.Image.new()", "import json; json.loads('1', 2)", "import io; io.BytesIO(1, 2, 3)"),
        *("open(of_another_version=True)", "import av, io; av.open(io.BytesIO(), of_another_version=True)"),
        "from lxml import etree; etree.fromstring('<a/>', of_another_version=True)",
    ],
)
def test_a_wrong_type_is_the_programs_in_its_own_code_and_the_files_in_a_librarys(code: str) -> None:
    for ours in ("tasks.inputs.picture", "models.vision", "app"):
        assert is_fault_of_program(raised_in(ours, code))
    for library in ("PIL.PngImagePlugin", "openpyxl.reader", "tasksel"):
        assert not is_fault_of_program(raised_in(library, code))


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


def mutated(data: bytes, rng: random.Random) -> bytes:
    """As files are that were cut, or in which a few bytes are others."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.randrange(1, len(changed) + 1)] if rng.random() < 0.2 else changed)


TIMES = 100
"""Files of a kind that are tried."""
PICTURES = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", PICTURES)
def test_no_damage_to_a_picture_is_taken_for_the_programs_fault(form: str) -> None:
    rng, limits = random.Random(form), MediaLimits()
    whole = single_line("It works!").encoded(form)
    kind = Blob(whole, sniff(whole) or "", "a", "p").media_type
    refused = 0
    for _ in range(TIMES):
        try:
            pages = PicturePages(Blob(mutated(whole, rng), kind, "a", "p"), limits)
            pages.picture(1)
        except InputError:
            refused += 1
    assert refused


def loosened(data: bytes, rng: random.Random) -> bytes:
    """An office file whose XML is well-formed, in which attributes are gone or say something else."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = rng.choice([name for name in archive.namelist() if name.endswith((".xml", ".rels"))])
        text = archive.read(name).decode()
    spans = [found.span() for found in re.finditer(r' [\w:]+="[^"]*"', text) if "xmlns" not in found[0]]
    for start, end in sorted(rng.sample(spans, min(len(spans), rng.choice((1, 2, 20)))), reverse=True):
        attribute = text[start:end].partition("=")[0]
        told = rng.choice((None, "", "x", "-1", "99999999999", "rId1", "A1:B"))
        text = text[:start] + (f'{attribute}="{told}"' if told is not None else "") + text[end:]
    return changed(data, {name: text.encode()})


def written() -> bytes:
    def fill(made: WordDocument) -> None:
        made.add_heading("Title")
        made.add_paragraph("one", style="List Bullet")
        made.add_table(2, 2).cell(0, 0).text = "in a table"
        made.add_picture(picture())

    return document(fill)


def shown() -> bytes:
    def fill(made: Presentation) -> None:
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = "Title"
        slide.shapes.add_table(2, 2, 0, 0, 9_000_000, 900_000).table.cell(0, 0).text = "in a table"
        slide.shapes.add_picture(picture(), 0, 0)

    return slides(fill)


def counted() -> bytes:
    def fill(made: Workbook) -> None:
        sheet = made.active
        sheet.append(["a", 1, 2.5, True, datetime(2026, 1, 2)])
        sheet["A2"] = "=B1*2"
        sheet.merge_cells("A3:B4")

    return workbook(fill)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [pytest.param(written, marks=pytest.mark.deep), shown, counted])
def test_no_damage_to_an_office_file_is_taken_for_the_programs_fault(make: Callable[[], bytes]) -> None:
    rng, whole = random.Random(make.__name__), make()
    read = 0
    for _ in range(TIMES):
        with contextlib.suppress(InputError):
            text_of(loosened(whole, rng))
            read += 1
    assert read


@pytest.mark.deep
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("extension", ["wav", "mp3", "flac", "m4a", "webm"])
def test_no_damage_to_a_recording_is_taken_for_the_programs_fault(extension: str) -> None:
    rng, whole = random.Random(extension), encoded(beeps(1, [0.2]), extension)
    kind = sniff(whole)
    assert kind is not None
    refused = 0
    for _ in range(TIMES):
        try:
            AudioDecoder(Blob(mutated(whole, rng), kind, "a", "p"), MediaLimits()).read(0, 16_000)
        except InputError:
            refused += 1
    assert refused
