"""Objects are looked for only if a detector here can know them: "Where is the shop?" is a question about the page."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import pytest

from app.chat.plan import Plan, Planner
from models.base import EngineUnavailable
from models.vision.detection.detector import NAMES, Detection
from models.vision.text import Image
from tasks.detection.search import DetectionEngines, Searches
from tests.kit.chats.plans import Case, share_right, turn_of

PAGE = [
    "Where is this shop located?",
    "Where is the shop?",
    "Where do I find the seller's street?",
    "Where can I see the tax?",
    "Where's the store?",
    "Where is the amount due?",
    "Where is the total?",
    "Where is the merchant based?",
    "Where was this bought?",
    "Where does it say how it was paid?",
    "Where do I sign?",
    "Where is the signature line?",
    "Where are my keys?",
    "Locate the receipt's number.",
    "Spot the discount",
    "Point to the total",
    "How many shops are there?",
    "Is there a logo?",
    "Wo ist der Laden?",
    "Wo befindet sich das Geschäft?",
    "Où se trouve le magasin ?",
    "¿Dónde está la tienda?",
    "Dov'è il negozio?",
    "Onde fica a loja?",
    "Waar is de winkel?",
    "Где находится магазин?",
    "商店在哪里？",
    "店はどこですか？",
]
THINGS = [
    "Where is the bus?",
    "Where is the dog?",
    "Where are the people?",
    "Where's the woman standing?",
    "Where can I see a bus?",
    "Find the bus",
    "How many people are there?",
    "Is there a vehicle?",
    "What is in this picture?",
    "Wo ist der Hund?",
    "Wo befindet sich der Bus?",
    "Où est le chien ?",
    "¿Dónde está el autobús?",
    "Dov'è l'autobus?",
    "Onde está o ônibus?",
    "Waar is de hond?",
    "Где собака?",
    "公交车在哪里？",
    "バスはどこですか？",
]


class Knowing:
    """A detector that is never asked."""

    name = "knowing"
    has_masks = False
    side = 1000

    def __init__(self, labels: Sequence[str] | None) -> None:
        self.labels = labels

    async def detect(
        self, image: Image, *, labels: Sequence[str] | None = None, masks: bool = False, wait: bool = False
    ) -> list[Detection]:
        raise AssertionError("nothing was to be detected")


def absent() -> NoReturn:
    raise EngineUnavailable("object_detection", "Get one.")


def planner(
    detector: Callable[[], Any] = lambda: Knowing(NAMES), open_vocabulary: Callable[[], Any] = absent
) -> Planner:
    searches = Searches(DetectionEngines(detector, open_vocabulary, lambda: None))
    return Planner(check_findable=searches.check_findable)


async def planned(text: str, planner: Planner) -> Plan:
    return await planner.plan(turn_of(Case(text, ("image",), ())))


@pytest.mark.parametrize(
    ("questions", "steps", "least"),
    [(PAGE, ("ocr",), 0.83), (THINGS, ("ocr", "object_detection"), 0.9)],
    ids=["in the text", "in the picture"],
)
async def test_what_a_detector_knows_is_looked_for_in_the_picture_and_the_rest_in_the_text(
    questions: Sequence[str], steps: tuple[str, ...], least: float
) -> None:
    plans = [(question, (await planned(question, planner())).summary) for question in questions]
    assert share_right((question, got, steps) for question, got in plans) >= least


@pytest.mark.parametrize(
    "engines",
    [
        {"open_vocabulary": lambda: Knowing(None)},
        {"detector": lambda: Knowing(None)},
        pytest.param({"detector": absent}, id="a missing engine says so itself"),
    ],
)
async def test_any_thing_is_looked_for_where_an_engine_may_know_it(engines: dict[str, Any]) -> None:
    assert (await planned("Where is the unicorn in the picture?", planner(**engines))).summary == (
        "ocr",
        "object_detection",
    )
