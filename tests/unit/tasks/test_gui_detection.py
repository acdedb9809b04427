"""The gui_detection task: what it searches and what its result says."""

import base64
import io
from collections.abc import Sequence

import PIL.Image
from reportlab.pdfgen.canvas import Canvas

from models.vision.gui.elements import GuiElement
from models.vision.text import Image, PageText, TextLine
from tasks.gui_detection import GuiDetectionTask
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tests.kit.chats.requests import request_of

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


class Engines:
    """Reads nothing, and finds a button and an icon on every screen."""

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        return PageText()

    async def detect(self, image: Image, lines: Sequence[TextLine], *, wait: bool = False) -> list[GuiElement]:
        return [
            GuiElement("button", 0.987, (10.2, 5.1, 30.4, 15.0), "Save"),
            GuiElement("icon", 0.5, (40.0, 5.0, 500.0, 15.0)),
        ]


LIMITS = MediaLimits(pages=3)


def source(data: bytes, media_type: str) -> Source:
    return Source(Origin("picture"), payload=f"data:{media_type};base64,{base64.b64encode(data).decode()}")


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


class Looker:
    """A grounder that means an icon which nobody else has found."""

    always = False

    def __init__(self) -> None:
        self.wanted: list[str] = []

    async def ground(
        self, wanted: str, image: Image, elements: Sequence[GuiElement], lines: Sequence[TextLine]
    ) -> list[GuiElement] | None:
        self.wanted.append(wanted)
        return [GuiElement("icon", None, (50.0, 30.0, 60.0, 40.0))]


def task(loader: MediaLoader, engines: Engines | None = None, looker: Looker | None = None) -> GuiDetectionTask:
    parts = engines or Engines()
    return GuiDetectionTask(lambda: parts, lambda: parts, loader, lambda: looker)


async def test_an_element_has_type_bounds_confidence_and_text_in_this_order(loader: MediaLoader) -> None:
    result = (await task(loader).run(request_of("gui_detection", "Detect the GUI elements.", (screenshot(),)))).data
    assert list(result) == ["gui_elements"]
    button, icon = result["gui_elements"]
    assert list(button) == ["type", "bounds", "confidence", "text"]
    assert (button["type"], button["confidence"], button["text"]) == ("button", 0.99, "Save")
    assert list(button["bounds"]) == [*CORNERS, "width", "height"]
    assert button["bounds"]["top_left"] == {"x": 10, "y": 5}
    assert list(icon) == ["type", "bounds", "confidence"]


async def test_a_named_element_is_returned_alone(loader: MediaLoader) -> None:
    result = (await task(loader).run(request_of("gui_detection", "the Save button", (screenshot(),)))).data
    assert [one["type"] for one in result["gui_elements"]] == ["button"]


async def test_page_hints_choose_the_pages(loader: MediaLoader) -> None:
    result = (await task(loader).run(request_of("gui_detection", "page 2", (pdf(3),)))).data
    assert {one["page"] for one in result["gui_elements"]} == {2}


async def found(loader: MediaLoader, text: str, looker: Looker, *sources: Source) -> list[object]:
    """Left sides of what is found."""
    result = (await task(loader, looker=looker).run(request_of("gui_detection", text, sources or (screenshot(),)))).data
    return [one["bounds"]["top_left"]["x"] for one in result["gui_elements"]]


async def test_where_words_do_not_tell_somebody_looks(loader: MediaLoader) -> None:
    looker = Looker()
    assert await found(loader, "where do I search?\nAnswer with one box.", looker) == [50]
    assert looker.wanted == ["where do I search?"]


async def test_nobody_looks_where_words_tell_one_element(loader: MediaLoader) -> None:
    looker = Looker()
    assert await found(loader, "the Save button", looker) == [10]
    assert await found(loader, "the icon", looker) == [40]
    assert not looker.wanted
