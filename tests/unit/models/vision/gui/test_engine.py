"""Elements of drawn screens: what is found, where, and that photos and blank pictures show none."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from models.vision.gui.elements import INTERACTIVE, TYPES, Found, GuiElement, Screen
from models.vision.gui.engine import MAX_ELEMENTS, ContourEngine, choose_boxes
from models.vision.gui.regions import differences, propose_boxes
from models.vision.text import Image
from tests.kit.engines.parts import finished
from tests.kit.pictures.photos import iou
from tests.kit.pictures.screens import DrawnScreen, sign_up


@pytest.fixture(scope="module")
def engine() -> ContourEngine:
    engine = ContourEngine()
    engine.load()
    return engine


def found(engine: ContourEngine, screen: DrawnScreen) -> Found:
    [elements] = finished(engine, [Screen(screen.image, tuple(screen.lines))])
    return elements


def at(elements: Found, box: tuple[float, float, float, float]) -> GuiElement:
    return max(elements, key=lambda one: iou(one.box, box))


@pytest.mark.deep
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_the_parts_of_a_form_are_found_at_every_scale(engine: ContourEngine, scale: int) -> None:
    form = sign_up(scale)
    elements = found(engine, form.screen)
    for name, kind in (("email", "input"), ("password", "input"), ("terms", "checkbox"), ("create", "button")):
        element = at(elements, form.boxes[name])
        assert iou(element.box, form.boxes[name]) > 0.7, name
        assert element.type == kind, name


def test_an_element_has_the_text_that_is_in_it(engine: ContourEngine) -> None:
    form = sign_up()
    elements = found(engine, form.screen)
    assert at(elements, form.boxes["create"]).text == "Create account"
    assert at(elements, form.boxes["email"]).text == "anna@example.org"
    assert at(elements, form.boxes["password"]).text == ""


def test_no_element_to_click_lies_in_another(engine: ContourEngine) -> None:
    boxes = [one.box for one in found(engine, sign_up().screen) if one.type in INTERACTIVE]
    for one in boxes:
        for other in boxes:
            assert one is other or iou(one, other) < 0.4


def test_the_same_screen_gives_the_same_elements_whatever_shares_the_batch(engine: ContourEngine) -> None:
    form = sign_up().screen
    alone = found(engine, form)
    other = DrawnScreen()
    other.button(20, 20, "Other")
    together = finished(engine, [Screen(one.image, tuple(one.lines)) for one in (other, form)])
    assert together[1] == alone


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (600, 800), (40, 3000)])
@pytest.mark.parametrize("colour", [0, 255])
def test_blank_and_tiny_pictures_show_nothing(engine: ContourEngine, shape: tuple[int, int], colour: int) -> None:
    assert list(finished(engine, [Screen(np.full((*shape, 3), colour, np.uint8), ())])) == [()]


@pytest.mark.parametrize("name", ["photo_bus", "photo_people"])
def test_photos_show_no_interface(engine: ContourEngine, shared: Path, name: str) -> None:
    image = np.asarray(PIL.Image.open(shared / "samples" / f"{name}.jpg").convert("RGB"))
    assert list(finished(engine, [Screen(image, ())])) == [()]


def texture(side: int) -> Image:
    """Far more small squares than a screen has controls, on a ground that is flat enough for one."""
    picture = np.full((side, side, 3), 255, np.uint8)
    square = np.full((14, 14, 3), 255, np.uint8)
    square[:8, :8] = 40
    square[2:6, 2:6] = 250
    rows = side * 4 // 5 // 14 * 14
    picture[:rows, : side // 14 * 14] = np.tile(square, (rows // 14, side // 14, 1))
    return picture


def test_of_a_texture_no_more_boxes_are_compared_than_a_screen_has() -> None:
    picture = texture(1800)
    picture[1600:1640, 100:300] = 60
    proposals = propose_boxes(*differences(picture), [])
    assert len(proposals.boxes) == 4000
    assert any(iou(tuple(box), (100, 1600, 300, 1640)) > 0.9 for box in proposals.boxes), "the largest stay"


def test_a_picture_has_so_many_elements_at_most_the_most_probable() -> None:
    many = MAX_ELEMENTS + 500
    left = np.arange(many, dtype=np.float32) * 20
    boxes = np.stack([left, np.zeros(many), left + 10, np.full(many, 10)], axis=1).astype(np.float32)
    probabilities = np.zeros((many, len(TYPES)), np.float32)
    probabilities[:, 0] = np.linspace(0.3, 0.9, many)
    picked = choose_boxes(boxes, probabilities)
    assert [one.index for one in picked] == [*range(many - 1, 499, -1)]
