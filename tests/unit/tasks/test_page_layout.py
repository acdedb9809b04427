"""A page is laid out alike in this process and in a worker."""

import numpy as np

from models.vision.text import PageText, TextLine, Word
from tasks.inputs.pages import TextLayer
from tasks.page_layout import PageContent, lay_out
from tasks.wording.page_range import Form
from tests.drawn_forms import form_of
from tests.shared_workers import shared_workers

ALL = Form(tables=True, markdown=True, is_read=True)


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
