"""The number of worker processes: one a processor, unless the memory beside the engines carries fewer."""

import pytest

from app.assembly import building

GB = 1024**3


@pytest.mark.parametrize(
    ("cpus", "memory_gb", "processes"),
    [(2, 64, 2), (128, 16, 7), (8, 8, 3), (4, 1, 1)],
)
def test_the_memory_limit_bounds_the_processes(
    cpus: int, memory_gb: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "available_cpus", lambda: cpus)
    monkeypatch.setattr(building, "memory_of_machine", lambda: memory_gb * GB)
    assert building.build_workers().limits.processes == processes
