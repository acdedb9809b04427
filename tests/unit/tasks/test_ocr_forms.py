"""Interactive PDF forms as the `ocr` task reads them."""

import base64

import pytest

from models.vision.text import Image, PageText, TextLine, Word
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.ocr import OcrTask
from tasks.ocr_result import OcrResult
from tests.kit.chats.requests import request_of
from tests.kit.papers.pdf_forms import DRAWINGS, form, widget

OFF, ON = (f"/FT /Btn /V /{state} /AS /{state} {DRAWINGS % 'Yes'}" for state in ("Off", "Yes"))


class Reader:
    """Reads the same word in each picture, at the place of the second field."""

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        quad = ((162.0, 54.0), (182.0, 54.0), (182.0, 78.0), (162.0, 78.0))
        return PageText([TextLine((Word("口", quad, 0.9),), quad)])


async def result_of(data: bytes) -> OcrResult:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    payload = f"data:application/pdf;base64,{base64.b64encode(data).decode()}"
    try:
        return await OcrTask(Reader, loader).run(request_of("ocr", "", (Source(Origin("p"), payload=payload),)))
    finally:
        await loader.close()


async def test_states_of_boxes_and_values_stand_in_the_text() -> None:
    labels = (("Smoker", 40, 160), ("Vegan", 40, 130), ("Name:", 20, 100))
    texts = " ".join(f"BT /F1 12 Tf {x} {y} Td ({label}) Tj ET" for label, x, y in labels)
    fields = [
        widget(OFF, "20 157 34 171"),
        widget(ON, "20 127 34 141"),
        widget("/FT /Tx /V (Ada King)", "80 95 280 115"),
        widget(ON, "280 20 294 34"),
    ]
    result = await result_of(form(*fields, content=texts))
    assert result.text() == "☐ Smoker\n☒ Vegan\nName: Ada King\n☒"
    (first, *_) = result.data["sections"][0]["lines"][0]["words"]
    assert (first["text"], first["confidence"]) == ("☐", 1.0)
    assert first["bounds"]["top_left"] == {"x": 40, "y": 58}


@pytest.mark.parametrize(
    ("field", "text"), [(OFF, "Smoker: ☐"), (ON, "Smoker: ☒"), ("/FT /Ch /Ff 131072 /V (No) /Opt [(No)]", "Smoker: No")]
)
async def test_ocr_reads_nothing_within_fields_whose_text_is_known(field: str, text: str) -> None:
    note = "/Type /Annot /Subtype /Stamp /F 4 /Rect [0 0 9 9] /AP << /N 9 0 R >>"
    result = await result_of(
        form(widget(field, "80 157 100 174"), note, content="BT /F1 12 Tf 20 160 Td (Smoker:) Tj ET")
    )
    assert result.text() == text
