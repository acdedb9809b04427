"""What is promised of a host holds as well where its engine computes in a replica: the same tests, on the cluster."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.forwarded import Forwarding
from tests.unit.models.hosts import test_host, test_host_loading, test_host_memory

LOOKS_INTO_THE_PROCESS = {
    "test_batches_grow_again_where_memory_has_long_sufficed": "has no host",
    "test_as_many_items_are_computed_together_as_the_card_has_room_for": "replaces what tells a card's free memory",
    "test_the_garbage_collector_leaves_a_loaded_engine_alone_and_frees_it_once_it_is_unloaded": "counts its objects",
}
LOCAL = {
    name: test
    for module in (test_host, test_host_loading, test_host_memory)
    for name, test in vars(module).items()
    if name.startswith("test_")
}
globals().update({name: test for name, test in LOCAL.items() if name not in LOOKS_INTO_THE_PROCESS})


@pytest.fixture(autouse=True)
def replicas_for_threads(
    on_cluster: Callable[..., Any], forwarded: Forwarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    def workplace(spec: Any, factory: Any, limits: Any, failures: Any) -> Any:
        return on_cluster(spec, forwarded(factory), limits, failures)

    monkeypatch.setattr("models.hosts.host.ThreadWorkplace", workplace)


def test_what_is_left_out_is_there() -> None:
    assert LOCAL.keys() >= LOOKS_INTO_THE_PROCESS.keys()
