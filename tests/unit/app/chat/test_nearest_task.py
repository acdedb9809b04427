"""When the router is asked, and what happens when it cannot answer."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from app.chat.plan import WITH_PICTURE, WITHOUT_MEDIA, Planner, Prototypes
from models.base import EngineOverloaded
from tests import routing
from tests.plans import ALL_TEXTS, Case, turn_of


class Directions:
    """Embeds a text as the axis of the task it is an example of, anything else as the axis of `other`."""

    def __init__(self, other: str) -> None:
        self.seen: list[str] = []
        self._other = other
        self._axes = [*WITHOUT_MEDIA.examples, *WITH_PICTURE.examples]
        self._task_of = {
            text: task
            for prototypes in (WITHOUT_MEDIA, WITH_PICTURE)
            for task, texts in prototypes.examples.items()
            for text in texts
        }

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        tasks = [self._task_of.get(text, self._other) for text in texts]
        return np.stack([np.eye(384, dtype=np.float32)[self._axes.index(task)] for task in tasks])


class Overloaded:
    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise EngineOverloaded("all-minilm-l6-v2", 64, 1)


async def summary(embedder: Directions | Overloaded, text: str, *media: str) -> tuple[str, ...]:
    return (await Planner(embedder).plan(turn_of(Case(text, media, ())))).summary


@pytest.mark.parametrize(
    ("text", "media"),
    [
        ("Search the web for pizza", []),
        ("Don't search the web: who wrote Faust?", []),
        ("Translate 'hello' to French", []),
        ("Summarise:\nSo it was.", []),
        ("How do I boil an egg?", []),
        ("Find the button", ["image"]),
        ("What does he say?", ["wav"]),
        ("x" * 501, []),
        ("", ["image"]),
    ],
)
async def test_the_router_is_not_asked_where_the_rules_have_decided(text: str, media: list[str]) -> None:
    embedder = Directions("web_search")
    await summary(embedder, text, *media)
    assert embedder.seen == []


@pytest.mark.parametrize("prototypes", [WITHOUT_MEDIA, WITH_PICTURE], ids=lambda prototypes: prototypes.name)
def test_no_example_is_a_request_of_the_table_or_of_the_tuning(prototypes: Prototypes) -> None:
    examples = {text for texts in prototypes.examples.values() for text in texts}
    tuning = {*routing.SEARCHED, *routing.ANSWERED, *routing.SEEN, *routing.READ}
    assert examples.isdisjoint(tuning | ALL_TEXTS)
    assert tuning.isdisjoint(ALL_TEXTS)


async def test_a_paper_without_a_word_beside_it_is_no_question() -> None:
    embedder = Directions("web_search")
    assert await summary(embedder, "Kairos Ltd\nInvoice 2207\nBalance 4,296.00") == ()
    assert embedder.seen == []
