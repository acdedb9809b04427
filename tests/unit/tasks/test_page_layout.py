"""A page is laid out alike in this process and in a worker."""

import numpy as np

from models.vision.text import PageText, TextLine, Word
from tasks.inputs.pages import PdfField, TextLayer
from tasks.page_layout import PageContent, lay_out
from tasks.wording.page_range import OcrOptions
from tests.kit.papers.drawn_forms import form_of
from tests.kit.processes.shared_workers import shared_workers

ALL = OcrOptions(tables=True, markdown=True, is_for_llm=True)


def line(text: str, left: float, top: float) -> TextLine:
    right = left + 12 * len(text)
    quad = ((left, top), (right, top), (right, top + 24), (left, top + 24))
    return TextLine((Word(text, quad, 0.9),), quad)


async def test_a_form_is_laid_out_alike_in_a_worker() -> None:
    form = form_of(3)
    picture = np.stack([form.picture] * 3, axis=2) if form.picture.ndim == 2 else form.picture
    height, width = picture.shape[:2]
    read = PageText([line("Smoker:", 80, 150), line("Newsletter:", 80, 240)])
    page = PageContent(1, width, height, None, TextLayer(), picture, read, is_searched=True)
    workers = shared_workers()
    there = await workers.run(lay_out, page, ALL)
    here = lay_out(page, ALL)
    assert there == here
    assert here.layout.boxes


def texts(layer: TextLayer, *read: TextLine) -> list[str]:
    """The lines of a page that has `layer` and in whose picture OCR has `read` these lines."""
    page = PageContent(1, 800, 600, None, layer, None, PageText(read), is_searched=False)
    return [one["text"] for one in lay_out(page, ALL).page["lines"]]


def test_words_are_read_only_in_places_that_are_not_read() -> None:
    place, field = line("", 400, 100).quad, line("Ada", 400, 300).quad
    place = (place[0], (600, 100), (600, 124), place[3])
    layer = TextLayer((line("Load", 80, 60),), unread=(place,), fields=(PdfField(field),))
    read = line("picture", 410, 100), line("T", 80, 140), line("Ada", 400, 300)
    assert texts(layer, *read) == ["Load", "picture", "Ada"]
    assert texts(TextLayer((line("Load", 80, 60),)), *read) == ["Load", "picture", "T", "Ada"]


def test_a_doubted_layer_holds_if_most_of_its_words_are_read_alike() -> None:
    known, doubted = line("Load", 80, 60), [line("kWh 1", 80, 200), line("12", 80, 300), line("13", 80, 400)]
    layer = TextLayer((known,), if_confirmed=TextLayer((known, *doubted), complete=True, unread=()))
    assert texts(layer, line("Load", 80, 60), line("kWh1", 80, 200), line("12", 80, 300), line("T", 300, 500)) == [
        "Load",
        "kWh 1",
        "12",
        "13",
    ]
    assert texts(layer, line("Load", 80, 60), line("45", 80, 300), line("46", 80, 400)) == ["Load", "45", "46"]
