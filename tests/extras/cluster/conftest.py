"""A Ray cluster for all tests of a run: one of its own, or that at TEST_RAY_ADDRESS, where one is there already."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from models.cluster.plan import ClusterConfig, ReplicaCounts
from models.cluster.serve import RayCluster

NUMBERS = count()
CONFIG = ClusterConfig(
    address=os.environ.get("TEST_RAY_ADDRESS", ""),
    replicas=ReplicaCounts(1, 1),
    object_store_mb=200,
    start_s=240,
    drain_s=30,
    scale_s=1,
    batches_ahead=0,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "cluster":  # Ray has warnings of its own, of its imports and of what it leaves open
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def connected() -> Iterator[None]:
    cluster = RayCluster(CONFIG)
    cluster._init()
    yield
    import ray

    ray.shutdown()


@pytest.fixture
def on_cluster(connected: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes the workplace of an engine, like `models.hosts.workplace.ThreadWorkplace`; `config` replaces defaults."""
    from ray import serve

    # What a test deploys is its own, whoever has started the cluster.
    monkeypatch.setattr(RayCluster, "is_own", True)

    def workplace(*engine: Any, **config: Any) -> Any:
        cluster = RayCluster(replace(CONFIG, **config))
        cluster._connected = True
        return cluster.workplace(f"test-{os.getpid()}-{next(NUMBERS)}", None, on_a_card=False)(*engine)

    yield workplace
    for name in serve.status().applications:
        if name.startswith(f"test-{os.getpid()}-"):
            serve.delete(name)
