"""Icons that a detector finds beside the elements of our own engine, and when that detector may serve."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from eval.gui.truth import iou
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.runtime import Runtime
from models.vision.gui.capability import OMNIPARSER, GuiSettings
from models.vision.gui.elements import Found, GuiElement, Screen
from models.vision.gui.engine import ContourEngine
from models.vision.gui.omniparser import OmniParserEngine, Scores, icons_beside
from models.vision.gui.regions import Boxes, as_boxes
from models.vision.text import Image
from tests.parts import finished
from tests.screens import Box, DrawnScreen, sign_up

FAINT = (252, 254, 255)
"""So little off white that our own engine sees no edge."""


class FaintThings:
    """An icon detector whose icons are what is of this colour."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def load(self) -> None: ...

    def find(self, image: Image) -> tuple[Boxes, Scores]:
        self.shapes.append(image.shape)
        faint = (np.abs(image.astype(int) - FAINT).max(axis=2) <= 1).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(faint)
        left, top, width, height, _ = stats[1:][stats[1:, cv2.CC_STAT_AREA] > 400].T
        boxes = np.stack([left, top, left + width, top + height], axis=1).astype(np.float32)
        return boxes, np.full(len(boxes), 0.4, np.float32)

    def close(self) -> None: ...


def found(screen: DrawnScreen, icons: FaintThings | None = None) -> Found:
    engine = OmniParserEngine(icons or FaintThings())
    engine.load()
    [elements] = finished(engine, [Screen(screen.image, tuple(screen.lines))])
    engine.close()
    return elements


def icons_in(elements: Found) -> list[GuiElement]:
    return [one for one in elements if one.score is not None and one.score == pytest.approx(0.4)]


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_what_only_the_detector_finds_is_an_icon_with_its_score(scale: int) -> None:
    form = sign_up(scale)
    box = form.screen.patch(700, 500, 120, 90, FAINT)
    [icon] = icons_in(found(form.screen))
    assert icon.type == "icon"
    assert iou(icon.box, box) > 0.9


def test_our_elements_stay_as_they_are() -> None:
    screen = sign_up().screen
    screen.patch(700, 500, 120, 90, FAINT)
    ours = ContourEngine()
    ours.load()
    elements = found(screen)
    assert [one for one in elements if one not in icons_in(elements)] == list(
        finished(ours, [Screen(screen.image, tuple(screen.lines))])[0]
    )


@pytest.mark.deep
def test_where_parts_of_a_tall_screen_overlap_an_icon_is_found_once_and_whole() -> None:
    screen = DrawnScreen(width=400, height=6000)
    for y in range(40, 6000, 60):
        screen.text(40, y, "One of the many lines")
    # At the end of a part, in what two parts show, and in one part alone.
    boxes = [screen.patch(260, y, 90, 90, FAINT) for y in (1760, 1600, 700)]
    icons = FaintThings()
    seen = icons_in(found(screen, icons))
    assert len(icons.shapes) > 1
    assert len(seen) == len(boxes)
    assert all(max(iou(one.box, box) for one in seen) > 0.9 for box in boxes)


@pytest.mark.parametrize("shape", [(1, 1), (8, 300)])
def test_tiny_pictures_show_nothing(shape: tuple[int, int]) -> None:
    icons = FaintThings()
    engine = OmniParserEngine(icons)
    engine.load()
    assert finished(engine, [Screen(np.full((*shape, 3), FAINT, np.uint8), ())]) == [()]
    assert not icons.shapes


BUTTON = GuiElement("button", 0.9, (100, 100, 200, 140))
PHOTO = GuiElement("image", 0.8, (300, 0, 600, 300))
LINK_TEXT = (10.0, 400.0, 90.0, 416.0)


@pytest.mark.parametrize(
    ("box", "stays"),
    [
        ((102, 101, 205, 141), False),  # the button
        ((110, 110, 130, 130), False),  # the icon in it
        ((90, 90, 260, 200), False),  # what is around it
        ((190, 100, 290, 140), True),  # beside it
        ((310, 10, 340, 40), True),  # in a picture
        ((301, 2, 598, 297), False),  # the picture
        ((8, 398, 92, 419), False),  # a text
        ((0, 380, 140, 440), True),  # around a text: a shape of its own
    ],
)
def test_a_box_is_new_where_it_shows_something_else(box: Box, stays: bool) -> None:
    kept = icons_beside([BUTTON, PHOTO], as_boxes([LINK_TEXT]), as_boxes([box]), np.array([0.5], np.float32))
    assert [one.box for one in kept] == ([box] if stays else [])


def test_without_elements_of_ours_every_box_is_new() -> None:
    nothing = as_boxes([])
    assert len(icons_beside([], nothing, as_boxes([(0, 0, 20, 20)]), np.array([0.5], np.float32))) == 1
    assert icons_beside([BUTTON], nothing, nothing, np.zeros(0, np.float32)) == []


def test_what_is_written_in_an_icon_is_its_text() -> None:
    screen = sign_up().screen
    screen.patch(620, 480, 200, 100, FAINT)
    screen.text(720, 530, "Help", anchor="mm")
    [icon] = icons_in(found(screen))
    assert icon.text == "Help"


def config(model: Path | None, engine: str = "omniparser") -> EngineConfig:
    return EngineConfig(own=[GuiSettings.model_construct(gui_detection=engine, gui_detection_model=model)])


def test_it_serves_only_those_who_name_it(tmp_path: Path) -> None:
    (tmp_path / "icons.pt").touch()
    assert OMNIPARSER.remedy(config(tmp_path / "icons.pt", "auto")) == ""
    assert Runtime(CATALOG, config(tmp_path / "icons.pt", "auto")).choose("gui_detection").spec.name == "contours"


def test_the_licence_is_said_plainly(tmp_path: Path) -> None:
    assert "AGPL-3.0" in OMNIPARSER.spec.licence
    for model in (None, tmp_path / "missing.pt"):
        remedy = OMNIPARSER.remedy(config(model)) or ""
        assert "OPENFAZE_GUI_DETECTION_MODEL" in remedy
        assert "AGPL-3.0, which covers a service that uses it" in remedy


def test_each_form_needs_packages_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.vision.gui.capability.is_installed", lambda *packages: False)
    (tmp_path / "checkpoint.pt").touch()
    assert "`openfaze install ultralytics`" in (OMNIPARSER.remedy(config(tmp_path / "checkpoint.pt")) or "")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("model/constants.pkl", b"")
    assert "`openfaze install gpu`" in (OMNIPARSER.remedy(config(tmp_path / "script.pt")) or "")
