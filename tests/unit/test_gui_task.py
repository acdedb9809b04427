"""The gui_detection task: what it searches and what its result says."""

import base64
import io
from collections.abc import AsyncIterator, Sequence

import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from models.base import EngineOverloaded
from models.vision.gui.elements import GuiElement
from models.vision.text import Image, TextLine
from tasks.base import TaskRequest
from tasks.errors import InputError
from tasks.gui_detection import GuiDetectionTask
from tasks.media.fetch import Fetcher, FetchPolicy
from tasks.media.limits import MediaLimits
from tasks.media.loader import MediaLoader
from tasks.media.source import Source

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


class Engines:
    """Reads nothing, and finds a button and an icon on every screen."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.given: list[Sequence[TextLine]] = []

    async def read(self, image: Image, *, wait: bool = False) -> Sequence[TextLine]:
        if self.full and not wait:
            raise EngineOverloaded("reader", 1, 2)
        return []

    async def detect(self, image: Image, lines: Sequence[TextLine], *, wait: bool = False) -> list[GuiElement]:
        self.given.append(lines)
        return [
            GuiElement("button", 0.987, (10.2, 5.1, 30.4, 15.0), "Save"),
            GuiElement("icon", 0.5, (40.0, 5.0, 500.0, 15.0)),
        ]


@pytest.fixture
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(pages=3))
    yield loader
    await loader.close()


def source(data: bytes, media_type: str) -> Source:
    return Source("messages[0].content[0]", payload=f"data:{media_type};base64,{base64.b64encode(data).decode()}")


def screenshot() -> Source:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (100, 60), "white").save(buffer, "PNG")
    return source(buffer.getvalue(), "image/png")


def pdf(pages: int) -> Source:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(300, 200))
    for _ in range(pages):
        canvas.showPage()
    canvas.save()
    return source(buffer.getvalue(), "application/pdf")


def task(loader: MediaLoader, engines: Engines | None = None) -> GuiDetectionTask:
    parts = engines or Engines()
    return GuiDetectionTask(lambda: parts, lambda: parts, loader)


async def test_an_element_has_type_bounds_confidence_and_text_in_this_order(loader: MediaLoader) -> None:
    result = await task(loader).run(TaskRequest("Detect the GUI elements.", (screenshot(),)))
    assert list(result) == ["gui_elements"]
    button, icon = result["gui_elements"]
    assert list(button) == ["type", "bounds", "confidence", "text"]
    assert (button["type"], button["confidence"], button["text"]) == ("button", 0.99, "Save")
    assert list(button["bounds"]) == [*CORNERS, "width", "height"]
    assert button["bounds"]["top_left"] == {"x": 10, "y": 5}
    assert list(icon) == ["type", "bounds", "confidence"]


async def test_bounds_end_where_the_picture_ends(loader: MediaLoader) -> None:
    result = await task(loader).run(TaskRequest("", (screenshot(),)))
    assert result["gui_elements"][1]["bounds"]["bottom_right"] == {"x": 100, "y": 15}


async def test_a_named_element_is_returned_alone(loader: MediaLoader) -> None:
    result = await task(loader).run(TaskRequest("the Save button", (screenshot(),)))
    assert [one["type"] for one in result["gui_elements"]] == ["button"]


async def test_elements_of_several_inputs_have_pages(loader: MediaLoader) -> None:
    result = await task(loader).run(TaskRequest("", (screenshot(), pdf(2))))
    assert [one["page"] for one in result["gui_elements"]] == [1, 1, 2, 2, 3, 3]


async def test_page_hints_choose_the_pages(loader: MediaLoader) -> None:
    result = await task(loader).run(TaskRequest("page 2", (pdf(3),)))
    assert {one["page"] for one in result["gui_elements"]} == {2}


async def test_progress_counts_pages(loader: MediaLoader) -> None:
    seen: list[tuple[str, int, int]] = []
    await task(loader).run(TaskRequest("", (pdf(2),), lambda *step: seen.append(step)))
    assert seen == [("gui_detection", 1, 2), ("gui_detection", 2, 2)]


async def test_a_request_without_a_picture_is_refused(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="'gui_detection' needs a screenshot"):
        await task(loader).run(TaskRequest("Find the button"))


async def test_a_text_file_shows_no_screen(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="text/plain, which shows nothing") as raised:
        await task(loader).run(TaskRequest("", (source(b"Hello.", "text/plain"),)))
    assert raised.value.code == "unsupported_media_type"


async def test_more_pages_than_the_limit_are_refused(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="4 pages are to be searched, and the limit is 3") as raised:
        await task(loader).run(TaskRequest("", (pdf(4),)))
    assert raised.value.code == "too_many_pages"


async def test_a_busy_reader_is_heard_of_at_the_first_page(loader: MediaLoader) -> None:
    with pytest.raises(EngineOverloaded):
        await task(loader, Engines(full=True)).run(TaskRequest("", (screenshot(),)))
