"""Full garbage collections do not visit the same large data again and again."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from models import garbage

COLLECTIONS = 3


class Node:
    """Refers to itself, so only a collection frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def each_is_long(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(garbage, "LONG_S", -1.0)
    monkeypatch.setattr(garbage, "MANY_SET_ASIDE", 1)
    monkeypatch.setattr(garbage, "MOST_SET_ASIDE", COLLECTIONS)
    garbage.collect_all()
    gc.disable()  # no other collection is counted
    with garbage.short_collections():
        yield
    gc.enable()
    garbage.collect()


@pytest.mark.usefixtures("rounds_as_in_a_server", "each_is_long")
def test_what_survives_a_long_collection_is_visited_again_only_once_in_many() -> None:
    node = Node()
    freed = weakref.ref(node)
    gc.collect()
    assert not any(one is node for one in gc.get_objects())
    del node
    for _ in range(COLLECTIONS - 1):
        gc.collect()
        assert freed() is not None
    gc.collect()
    assert freed() is None


@pytest.mark.usefixtures("rounds_as_in_a_server", "each_is_long")
def test_an_idle_server_frees_also_what_was_set_aside() -> None:
    node = Node()
    freed = weakref.ref(node)
    gc.collect()
    del node
    garbage.collect()
    assert freed() is None


@pytest.mark.usefixtures("rounds_as_in_a_server")
def test_what_survives_a_short_collection_is_not_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "LONG_S", float("inf"))
    with garbage.short_collections():
        node = Node()
        freed = weakref.ref(node)
        gc.collect()
        del node
        gc.collect()
    assert freed() is None
