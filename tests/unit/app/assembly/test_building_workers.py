"""The number of worker processes: one a processor, unless the memory beside the engines carries fewer."""

import pytest

from app.assembly import building
from app.settings import Settings

GB = 1024**3


@pytest.mark.parametrize(
    ("cpus", "memory_gb", "decode_memory_mb", "processes"),
    [(2, 64, 2048, 2), (128, 16, 2048, 7), (8, 8, 2048, 3), (8, 8, 512, 8), (4, 4, 2048, 1), (4, 1, 2048, 1)],
)
def test_the_memory_limit_bounds_the_processes(
    cpus: int, memory_gb: int, decode_memory_mb: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "available_cpus", lambda: cpus)
    monkeypatch.setattr(building, "memory_of_machine", lambda: memory_gb * GB)
    limits = building.build_workers(Settings(decode_memory_mb=decode_memory_mb)).limits
    assert (limits.processes, limits.memory_bytes) == (processes, decode_memory_mb * 1024**2)
