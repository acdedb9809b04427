"""The two runtimes that compute the networks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.devices.device import CPU, CUDA
from models.devices.onnx_sessions import onnx_session as open_on_cpu
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr import onnx_session
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.onnx_session import CardSession
from models.vision.ppocr.reader import ways_to_read
from models.vision.ppocr.recognizer import LineRecognizer
from models.vision.ppocr.session import Pictures
from models.vision.text import Image
from tests.kit.engines.parts import finished
from tests.kit.papers.pages import Page, paragraph_page, single_line

DETECTOR, RECOGNIZER = embedded_weights()


def read(image: Image, device: str = CPU) -> list[str]:
    finder, reader = TextDetector(DETECTOR, device=device), LineRecognizer(RECOGNIZER, device=device)
    finder.load()
    reader.load()
    [quads] = finished(finder, [image])
    crops = [way[0].picture for way in ways_to_read(image, quads[quads[:, 0, 1].argsort()])]
    texts = [reading.text for reading in finished(reader, crops)]
    finder.close()
    reader.close()
    return texts


@pytest.fixture
def page() -> Page:
    return paragraph_page(lines=5, size=22, width=800, seed=6)


@pytest.mark.deep
def test_a_card_gets_inputs_of_few_shapes_and_reads_the_same_text(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    # The sessions of a card, opened on the CPU.
    monkeypatch.setattr(onnx_session, "onnx_session", lambda file, capability, **_: open_on_cpu(file, capability))
    shapes = []
    infer = onnx_session.CardSession.infer

    def watched(session: CardSession, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        shapes.extend(batch.shape for batch in batches)
        return infer(session, batches)

    monkeypatch.setattr(onnx_session.CardSession, "infer", watched)
    assert read(page.pixels, CUDA) == page.text.split("\n")
    assert {*shapes} <= {(1, 1024, 1024, 3), (8, 48, 320, 3), (2, 48, 1280, 3)}


def test_a_gpu_that_the_runtime_cannot_use_is_no_silent_cpu() -> None:
    with pytest.raises(EngineUnavailable, match="onnxruntime cannot compute on 'cuda' here"):
        LineRecognizer(RECOGNIZER, device="cuda").load()


def test_a_line_reads_the_same_alone_and_in_a_batch() -> None:
    words = ["Invoice", "10.00", "a rather longer line of text 42", "Total", "x"]
    crops = [single_line(word, margin=6).pixels for word in words]
    engine = LineRecognizer(RECOGNIZER)
    engine.load()
    together = finished(engine, crops * 3)
    for index, crop in enumerate(crops):
        [alone] = finished(engine, [crop])
        assert alone.text == together[index].text == together[index + len(crops)].text
        assert np.array_equal(alone.probabilities, together[index].probabilities)
        assert np.array_equal(alone.centres, together[index + len(crops)].centres)
