"""The object_detection task: what it searches, with which engine, and what its result says."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from models.base import EngineUnavailable
from models.vision.detection.detector import Detection, Detector, Mask
from models.vision.text import Image
from tasks.detection.search import DetectionEngines
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.object_detection import ObjectDetectionTask
from tests.kit.chats.requests import request_of

LIMITS = MediaLimits(pages=5)


def source(data: bytes, media_type: str, param: str = "messages[0].content[0].file.file_data") -> Source:
    return Source(Origin(param), payload=f"data:{media_type};base64,{base64.b64encode(data).decode()}")


def picture(*widths: int, height: int = 60) -> Source:
    """A picture whose frames are as wide as asked, so that they can be told apart."""
    frames = [PIL.Image.new("RGB", (width, height), "white") for width in widths]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    return source(buffer.getvalue(), "image/tiff")


def pdf(pages: int) -> Source:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(300, 200))
    for _ in range(pages):
        canvas.showPage()
    canvas.save()
    return source(buffer.getvalue(), "application/pdf")


@dataclass
class Finder:
    """Finds one object for each of its labels in every picture, with the picture's width as its box's."""

    labels: Sequence[str] | None = ("bus", "cat", "person")
    name: str = "finder"
    has_masks: bool = False
    side: int = 1000
    asked: list[tuple[int, tuple[str, ...] | None, bool]] = field(default_factory=list)

    async def detect(
        self, image: Image, *, labels: Sequence[str] | None = None, masks: bool = False, wait: bool = False
    ) -> list[Detection]:
        width = image.shape[1]
        self.asked.append((width, None if labels is None else tuple(labels), masks))
        mask = Mask(2, 3, np.ones((10, 8), bool)) if masks and self.has_masks else None
        return [
            Detection(label, 0.9 - 0.1 * index, (2.0, 3.0, 10.0, 13.0), mask)
            for index, label in enumerate(self.labels or labels or ())
            if labels is None or label in labels
        ]


def absent(capability: str) -> Callable[[], Any]:
    def ask() -> Any:
        raise EngineUnavailable(capability, f"Get a {capability}.")

    return ask


def task(
    loader: MediaLoader,
    detector: Detector | None = None,
    beyond: Detector | None = None,
) -> ObjectDetectionTask:
    finder = detector or Finder()
    return ObjectDetectionTask(
        DetectionEngines(
            lambda: finder,
            (lambda: beyond) if beyond else absent("open_vocabulary"),
            lambda: None,
        ),
        loader,
    )


async def test_objects_have_labels_bounds_and_confidences_the_surest_first(loader: MediaLoader) -> None:
    result = (await task(loader).run(request_of("object_detection", "Detect all objects.", (picture(50),)))).data
    first, *others = result["detected_objects"]
    assert list(first) == ["label", "bounds", "confidence"]
    assert (first["label"], first["confidence"]) == ("bus", 0.9)
    assert first["bounds"] == {
        "top_left": {"x": 2, "y": 3},
        "top_right": {"x": 10, "y": 3},
        "bottom_right": {"x": 10, "y": 13},
        "bottom_left": {"x": 2, "y": 13},
        "width": 8,
        "height": 10,
    }
    assert [(one["label"], one["confidence"]) for one in others] == [("cat", 0.8), ("person", 0.7)]


async def test_the_text_restricts_the_search(loader: MediaLoader) -> None:
    finder = Finder()
    await task(loader, finder).run(request_of("object_detection", "Find the cats and the people", (picture(50),)))
    assert finder.asked == [(50, ("cat", "person"), False)]


async def test_a_label_that_no_engine_knows_is_named_instead_of_not_found(loader: MediaLoader) -> None:
    finder = Finder()
    with pytest.raises(EngineUnavailable) as raised:
        await task(loader, finder).run(request_of("object_detection", "Find the cats and the unicorns", (picture(50),)))
    assert raised.value.capability == "object_detection"
    assert "'finder' cannot find 'unicorns': it knows 3 labels (bus, cat, person)" in raised.value.remedy
    assert "Get a open_vocabulary." in raised.value.remedy
    assert finder.asked == []


async def test_a_label_that_the_engine_does_not_know_goes_to_one_of_open_vocabulary(loader: MediaLoader) -> None:
    finder, beyond = Finder(), Finder(labels=None, name="beyond")
    request = request_of("object_detection", "Find the cats, the red bus and the unicorns", (picture(50),))
    result = (await task(loader, finder, beyond).run(request)).data
    assert finder.asked == [(50, ("cat",), False)]
    assert beyond.asked == [(50, ("red bus", "unicorn"), False)]
    assert {one["label"] for one in result["detected_objects"]} == {"cat", "red bus", "unicorn"}


async def test_without_an_open_vocabulary_a_described_thing_is_of_its_kind(loader: MediaLoader) -> None:
    finder = Finder()
    await task(loader, finder).run(request_of("object_detection", "Find the red bus", (picture(50),)))
    assert finder.asked == [(50, ("bus",), False)]


async def test_pages_are_numbered_through_and_hints_choose_them(loader: MediaLoader) -> None:
    finder = Finder(labels=("bus",))
    sources = (picture(50), picture(60, 70), pdf(1))
    result = (await task(loader, finder).run(request_of("object_detection", "", sources))).data
    assert [one["page"] for one in result["detected_objects"]] == [1, 2, 3, 4]
    assert sorted(width for width, _, _ in finder.asked) == [50, 60, 70, 600]
    result = (await task(loader, finder).run(request_of("object_detection", "Find buses on pages 3-4", sources))).data
    assert [one["page"] for one in result["detected_objects"]] == [3, 4]


async def test_masks_that_nothing_here_draws_are_refused_with_what_would(loader: MediaLoader) -> None:
    with pytest.raises(EngineUnavailable) as raised:
        await task(loader).run(request_of("object_detection", "Segment the buses", (picture(50),)))
    assert "openfaze pull rf-detr-seg-small" in raised.value.remedy


async def test_masks_come_from_the_engine_that_draws_its_own(loader: MediaLoader) -> None:
    finder = Finder(has_masks=True)
    result = (await task(loader, finder).run(request_of("object_detection", "Segment the buses", (picture(50),)))).data
    assert finder.asked == [(50, ("bus",), True)]
    [bus] = result["detected_objects"]
    assert list(bus) == ["label", "bounds", "confidence", "polygon", "mask"]
    assert bus["polygon"] == [{"x": 2, "y": 3}, {"x": 2, "y": 12}, {"x": 9, "y": 12}, {"x": 9, "y": 3}]
    assert np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(bus["mask"])))).all()


async def test_small_objects_are_looked_for_in_slices_when_asked_for(loader: MediaLoader) -> None:
    finder = Finder(labels=("bus",), side=20)
    await task(loader, finder).run(request_of("object_detection", "Detect all objects", (picture(50),)))
    assert [width for width, _, _ in finder.asked] == [50]
    await task(loader, finder).run(request_of("object_detection", "Detect small objects", (picture(50),)))
    assert {width for width, _, _ in finder.asked} == {50, 20, 40}
