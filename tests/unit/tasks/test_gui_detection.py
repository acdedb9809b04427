"""The gui_detection task: what it searches and what its result says."""

import base64
import io
from collections.abc import AsyncIterator, Sequence

import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from models.base import EngineOverloaded
from models.vision.gui.elements import GuiElement
from models.vision.text import Image, PageText, TextLine
from tasks.base import TaskRequest
from tasks.errors import InputError
from tasks.gui_detection import GuiDetectionTask
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


class Engines:
    """Reads nothing, and finds a button and an icon on every screen."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.given: list[Sequence[TextLine]] = []

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        if self.full and not wait:
            raise EngineOverloaded("reader", 1, 2)
        return PageText()

    async def detect(self, image: Image, lines: Sequence[TextLine], *, wait: bool = False) -> list[GuiElement]:
        self.given.append(lines)
        return [
            GuiElement("button", 0.987, (10.2, 5.1, 30.4, 15.0), "Save"),
            GuiElement("icon", 0.5, (40.0, 5.0, 500.0, 15.0)),
        ]


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(pages=3))
    yield loader
    await loader.close()


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
    """A grounder that always means an icon which nobody else has found; or that cannot tell."""

    def __init__(self, *, always: bool = False, blind: bool = False) -> None:
        self.always = always
        self.blind = blind
        self.wanted: list[str] = []

    async def ground(
        self, wanted: str, image: Image, elements: Sequence[GuiElement], lines: Sequence[TextLine]
    ) -> list[GuiElement] | None:
        self.wanted.append(wanted)
        assert image.shape[2] == 3
        assert [one.type for one in elements] == ["button", "icon"]
        assert lines == []
        return None if self.blind else [GuiElement("icon", None, (50.0, 30.0, 60.0, 40.0))]


def task(loader: MediaLoader, engines: Engines | None = None, looker: Looker | None = None) -> GuiDetectionTask:
    parts = engines or Engines()
    return GuiDetectionTask(lambda: parts, lambda: parts, loader, lambda: looker)


async def test_an_element_has_type_bounds_confidence_and_text_in_this_order(loader: MediaLoader) -> None:
    result = (await task(loader).run(TaskRequest("Detect the GUI elements.", (screenshot(),)))).data
    assert list(result) == ["gui_elements"]
    button, icon = result["gui_elements"]
    assert list(button) == ["type", "bounds", "confidence", "text"]
    assert (button["type"], button["confidence"], button["text"]) == ("button", 0.99, "Save")
    assert list(button["bounds"]) == [*CORNERS, "width", "height"]
    assert button["bounds"]["top_left"] == {"x": 10, "y": 5}
    assert list(icon) == ["type", "bounds", "confidence"]


async def test_bounds_end_where_the_picture_ends(loader: MediaLoader) -> None:
    result = (await task(loader).run(TaskRequest("", (screenshot(),)))).data
    assert result["gui_elements"][1]["bounds"]["bottom_right"] == {"x": 100, "y": 15}


async def test_a_named_element_is_returned_alone(loader: MediaLoader) -> None:
    result = (await task(loader).run(TaskRequest("the Save button", (screenshot(),)))).data
    assert [one["type"] for one in result["gui_elements"]] == ["button"]


async def test_elements_of_several_inputs_have_pages(loader: MediaLoader) -> None:
    result = (await task(loader).run(TaskRequest("", (screenshot(), pdf(2))))).data
    assert [one["page"] for one in result["gui_elements"]] == [1, 1, 2, 2, 3, 3]


async def test_page_hints_choose_the_pages(loader: MediaLoader) -> None:
    result = (await task(loader).run(TaskRequest("page 2", (pdf(3),)))).data
    assert {one["page"] for one in result["gui_elements"]} == {2}


async def test_progress_counts_pages(loader: MediaLoader) -> None:
    seen: list[tuple[str, int, int]] = []
    await task(loader).run(TaskRequest("", (pdf(2),), lambda *step: seen.append(step)))
    assert seen == [("gui_detection", 1, 2), ("gui_detection", 2, 2)]


async def test_a_request_without_a_picture_is_refused(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="'gui_detection' needs a screenshot"):
        await task(loader).run(TaskRequest("Find the button"))


async def test_a_text_file_shows_no_screen(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="text/plain, which has no pictures") as raised:
        await task(loader).run(TaskRequest("", (source(b"Hello.", "text/plain"),)))
    assert raised.value.code == "unsupported_media_type"


async def test_more_pages_than_the_limit_are_refused(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="4 pages would have to be searched; the limit is 3") as raised:
        await task(loader).run(TaskRequest("", (pdf(4),)))
    assert raised.value.code == "too_many_pages"


async def test_a_busy_reader_is_heard_of_at_the_first_page(loader: MediaLoader) -> None:
    with pytest.raises(EngineOverloaded):
        await task(loader, Engines(full=True)).run(TaskRequest("", (screenshot(),)))


async def found(loader: MediaLoader, text: str, looker: Looker, *sources: Source) -> list[object]:
    """Left sides of what is found."""
    result = (await task(loader, looker=looker).run(TaskRequest(text, sources or (screenshot(),)))).data
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


async def test_who_looks_always_looks_there_too(loader: MediaLoader) -> None:
    assert await found(loader, "the Save button", Looker(always=True)) == [50]


@pytest.mark.parametrize("text", ["", "Detect the GUI elements.", "all buttons", "Find the icons"])
async def test_nobody_looks_where_no_element_is_named(loader: MediaLoader, text: str) -> None:
    looker = Looker(always=True)
    assert await found(loader, text, looker) == await found(loader, text, Looker(blind=True))
    assert not looker.wanted


async def test_words_decide_where_who_looks_cannot_tell(loader: MediaLoader) -> None:
    looker = Looker(always=True, blind=True)
    assert await found(loader, "the Save button", looker) == [10]
    assert looker.wanted


async def test_many_pages_are_not_looked_at() -> None:
    few, many = Looker(always=True), Looker(always=True)
    pictures = [screenshot() for _ in range(17)]
    roomy = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(pages=20))
    await found(roomy, "the Save button", few, *pictures[:16])
    await found(roomy, "the Save button", many, *pictures)
    await roomy.close()
    assert (len(few.wanted), len(many.wanted)) == (16, 0)


async def test_an_element_that_nobody_measured_has_no_confidence(loader: MediaLoader) -> None:
    result = (await task(loader, looker=Looker()).run(TaskRequest("where do I search?", (screenshot(),)))).data
    assert [list(one) for one in result["gui_elements"]] == [["type", "bounds"]]
