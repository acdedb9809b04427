"""Objects that only refer to each other are freed when an engine is closed."""

import gc
import weakref

import pytest

from models import garbage


class Node:
    """Refers to itself, so only a collection frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.mark.usefixtures("rounds_as_in_a_server")
def test_what_was_set_aside_is_freed_and_what_is_left_is_set_aside() -> None:
    node, kept = Node(), Node()
    freed = weakref.ref(node)
    gc.freeze()
    del node
    gc.collect()
    assert freed() is not None
    garbage.collect_all()
    assert freed() is None
    assert not any(one is kept for one in gc.get_objects())
