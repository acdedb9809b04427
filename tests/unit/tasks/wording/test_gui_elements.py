"""What a request says of the element that it means."""

import pytest

from models.vision.gui.elements import GuiElement
from tasks.gui_detection import matching_elements
from tasks.wording.gui_elements import parse_gui
from tests.conftest import each_case

WIDTH, HEIGHT = 1000, 800


def element(kind: str, text: str, x: float = 0, y: float = 0) -> GuiElement:
    return GuiElement(kind, 0.9, (x, y, x + 80, y + 30), text)


SCREEN = [
    element("link", "Sign in", 900, 10),
    element("input", "Search products", 300, 10),
    element("icon", "", 940, 10),
    element("text", "Add to cart and get free delivery on all orders over 50 euros", 10, 60),
    element("button", "Add to cart", 100, 300),
    element("button", "Add to wish list", 200, 300),
    element("checkbox", "", 100, 500),
    element("checkbox", "", 100, 540),
    element("button", "Save", 800, 700),
    element("button", "Save", 800, 90),
]


def meant(text: str) -> list[GuiElement]:
    return matching_elements(parse_gui(text), SCREEN, WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "text",
    [
        "Detect the GUI elements.",
        "Detect all the GUI elements in this screenshot",
        "Get the position of the objects in the image",
        "",
        "Finde alle Elemente der Oberfläche",
    ],
)
def test_a_request_for_the_elements_gets_all_of_them(text: str) -> None:
    assert meant(text) == SCREEN


@pytest.mark.parametrize(
    "text",
    [
        "Add to cart button",
        "Find the 'Add to cart' button",
        'Where is "Add to cart"?',
        "Locate the add to cart button in the screenshot",
        "Wo ist die Schaltfläche „Add to cart“?",
        "¿Dónde está el botón «Add to cart»?",
    ],
)
def test_what_is_written_on_an_element_grounds_it(text: str) -> None:
    assert meant(text) == [SCREEN[4]]


def test_types_alone_restrict_the_result() -> None:
    assert meant("Find all checkboxes") == SCREEN[6:8]
    assert meant("the input field") == [SCREEN[1]]
    assert meant("all sliders") == []


def test_places_tell_equal_elements_apart() -> None:
    assert meant("the Save button at the bottom") == [SCREEN[8]]
    assert meant("the Save button at the top right") == [SCREEN[9]]
    assert meant("the Save button") == SCREEN[8:]
    for text in ("el botón Save abajo", "Dove è il pulsante Save in basso", "Waar is de knop Save onderaan?"):
        assert meant(text) == [SCREEN[8]]


def test_ordinals_count_elements_in_reading_order() -> None:
    assert meant("the second checkbox") == [SCREEN[7]]
    assert meant("the last checkbox") == [SCREEN[7]]
    assert meant("the fifth checkbox") == []
    assert meant("Encuentra todas las casillas") == SCREEN[6:8]
    assert meant("Zoek de laatste knop") == [SCREEN[9]]
    assert meant("il secondo pulsante") == [SCREEN[5]]


@each_case(
    ("text", "names"),
    [
        ("Detect the GUI elements.", False),
        ("the input fields", False),
        ("Detect all elements on the left", False),
        ("the second checkbox", True),
        ("all Save buttons", True),
        ("What is at the top right?", True),
        ("保存按钮", True),
    ],
)
def test_a_request_for_all_of_a_kind_names_no_element(text: str, names: bool) -> None:
    assert parse_gui(text).names_an_element is names
