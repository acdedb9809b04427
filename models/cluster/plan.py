"""The operator's choices for engines on a cluster."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.hosts.workplace import CardMemory

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_MAX_REPLICAS = 1000
_CARD_PARTS = 20
"""Number of parts into which a card is divided for reservations. An engine's share is rounded up to whole parts."""


@dataclass(frozen=True, slots=True)
class ReplicaCounts:
    """Smallest and largest number of processes for one engine."""

    least: int = 1
    """Number of processes that keep running when there is no work."""
    most: int = 2


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    address: str = ""
    """Address of an existing cluster, `host:port` or `auto`. Empty for a cluster on this machine that starts and ends
    with this process."""
    replicas: ReplicaCounts = field(default_factory=ReplicaCounts)
    replicas_of: Mapping[str, ReplicaCounts] = field(default_factory=dict)
    """Numbers for single capabilities, by name. All other capabilities have `replicas`."""
    cpus: float = 0.0
    """Number of processors that a replica reserves. Ray only counts reservations; a replica may use more."""
    card_mb: int = 24_000
    """Memory of each of the cluster's cards, in megabytes."""
    object_store_mb: int = 512
    """Shared memory of a cluster that this process starts, in megabytes."""
    start_s: float = 120.0
    """Largest number of seconds between the start of a replica and its first answer."""
    drain_s: float = 30.0
    """A replica that is stopped may finish its work for this many seconds."""
    stuck_s: float = 600.0
    """A batch may take this many seconds. After this time, callers no longer wait, and the replica is replaced."""
    threads: int = 1
    """Number of threads per library in a replica (OMP_NUM_THREADS and others), unless the engine sets it."""
    scale_s: float = 3.0
    """Number of seconds of higher load after which replicas are added. Replicas are removed after ten times as many
    seconds of lower load."""
    batches_ahead: int = 1
    """Number of batches that are sent to a replica before it has finished its current ones, so that it never waits for
    the next."""

    def of(self, capability: str) -> ReplicaCounts:
        return self.replicas_of.get(capability, self.replicas)

    def card_share(self, card: CardMemory | None) -> float:
        """Return the fraction of a card that an engine reserves, from the memory that it declares; 1 if it declares
        none."""
        if card is None:
            return 1.0
        return max(1, math.ceil(min(1.0, card.most / self.card_mb) * _CARD_PARTS)) / _CARD_PARTS


def read_replicas(value: str) -> tuple[ReplicaCounts, dict[str, ReplicaCounts]]:
    """Read a text such as `1-2,ocr=2-8`. Return the numbers of replicas by default, and the numbers for single
    capabilities by name. Raises ValueError."""
    common, rest = ReplicaCounts(), {}
    for part in filter(None, map(str.strip, value.split(","))):
        capability, _, numbers = part.rpartition("=")
        found = _RANGE.fullmatch(numbers.strip())
        if not found:
            raise ValueError(f"'{part}' should be a number of replicas or a range of numbers, such as 1-2 or ocr=2-8")
        least, largest = int(found[1]), int(found[2] or found[1])
        if not (least <= largest and 1 <= largest <= _MAX_REPLICAS):
            raise ValueError(
                f"'{part}': the upper limit should be 1 to {_MAX_REPLICAS}, and not less than the lower limit"
            )
        if capability:
            rest[capability.strip()] = ReplicaCounts(least, largest)
        else:
            common = ReplicaCounts(least, largest)
    return common, rest
