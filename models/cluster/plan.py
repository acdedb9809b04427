"""What an operator chooses for engines on a cluster."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.batches import CardMemory

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_MOST = 1000
_PARTS_OF_A_CARD = 20
"""Fractions of a card are reserved in twentieths, rounded up."""


@dataclass(frozen=True, slots=True)
class ReplicaCounts:
    """How many processes compute the batches of one engine."""

    least: int = 1
    """Kept also where there is nothing to do."""
    most: int = 2


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    address: str = ""
    """`host:port` of a cluster that is there; empty: one of this process's own, on this machine, ends with it."""
    replicas: ReplicaCounts = field(default_factory=ReplicaCounts)
    replicas_of: Mapping[str, ReplicaCounts] = field(default_factory=dict)
    """By capability, where it is another number."""
    cpus: float = 0.0
    """Processors that a replica reserves. Ray counts them, and keeps nobody from using more."""
    card_mb: int = 24_000
    """What a card of the cluster holds."""
    object_store_mb: int = 512
    """Shared memory that a cluster of this process's own takes."""
    start_s: float = 120.0
    """How long replicas may take until they answer."""
    drain_s: float = 30.0
    """How long one that is to leave may take for what it computes."""
    stuck_s: float = 600.0
    """For how long a replica may compute one batch: nobody waits any longer for it, and it is replaced."""
    threads: int = 1
    """What libraries in a replica compute with where they are not told."""
    scale_s: float = 3.0
    """For how long there is to be more to do until replicas are added; for ten times as long less, until they go."""
    on_its_way: int = 1
    """Batches sent to a replica beyond those that it computes: it need not wait for the next."""

    def of(self, capability: str) -> ReplicaCounts:
        return self.replicas_of.get(capability, self.replicas)

    def part_of_a_card(self, card: CardMemory | None) -> float:
        """What an engine reserves of one, by what it declares that it takes; the whole where it declares nothing."""
        if card is None:
            return 1.0
        return max(1, math.ceil(min(1.0, card.most / self.card_mb) * _PARTS_OF_A_CARD)) / _PARTS_OF_A_CARD


def read_replicas(value: str) -> tuple[ReplicaCounts, dict[str, ReplicaCounts]]:
    """`1-2,ocr=2-8`: of each engine, and of those of single capabilities. Raises ValueError."""
    common, others = ReplicaCounts(), {}
    for part in filter(None, map(str.strip, value.split(","))):
        capability, _, numbers = part.rpartition("=")
        found = _RANGE.fullmatch(numbers.strip())
        if not found:
            raise ValueError(f"'{part}' should be a number of replicas or two, such as 1-2 or ocr=2-8")
        least, most = int(found[1]), int(found[2] or found[1])
        if not (least <= most and 1 <= most <= _MOST):
            raise ValueError(f"'{part}': the most replicas should be from 1 to {_MOST}, and no fewer than the least")
        if capability:
            others[capability.strip()] = ReplicaCounts(least, most)
        else:
            common = ReplicaCounts(least, most)
    return common, others
