"""What an operator chooses for engines on a cluster."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Protocol

from models.memory import CardMemory
from models.workplace import MakeWorkplace

REMEDY = "Run `openfaze install ray`."
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_MOST = 1000
_PARTS_OF_A_CARD = 20
"""Fractions of a card are reserved in twentieths, rounded up."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many processes compute the batches of one engine."""

    least: int = 1
    """Kept also where there is nothing to do."""
    most: int = 2


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    address: str = ""
    """`host:port` of a cluster that is there; empty: one of this process's own, on this machine, ends with it."""
    replicas: Replicas = field(default_factory=Replicas)
    replicas_of: Mapping[str, Replicas] = field(default_factory=dict)
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

    def of(self, capability: str) -> Replicas:
        return self.replicas_of.get(capability, self.replicas)

    def part_of_a_card(self, card: CardMemory | None) -> float:
        """What an engine reserves of one, by what it declares that it takes; the whole where it declares nothing."""
        if card is None:
            return 1.0
        return max(1, math.ceil(min(1.0, card.most / self.card_mb) * _PARTS_OF_A_CARD)) / _PARTS_OF_A_CARD


class Cluster(Protocol):
    """Belongs to one event loop."""

    def workplace(self, name: str, card: CardMemory | None, *, on_a_card: bool) -> MakeWorkplace:
        """Makes replicas of an engine; `name` is unique. `card`: what the engine declares that it takes of one."""

    async def close(self) -> None: ...


def read_replicas(value: str) -> tuple[Replicas, dict[str, Replicas]]:
    """`1-2,ocr=2-8`: of each engine, and of those of single capabilities. Raises ValueError."""
    common, others = Replicas(), {}
    for part in filter(None, map(str.strip, value.split(","))):
        capability, _, numbers = part.rpartition("=")
        found = _RANGE.fullmatch(numbers.strip())
        if not found:
            raise ValueError(f"'{part}' should be a number of replicas or two, such as 1-2 or ocr=2-8")
        least, most = int(found[1]), int(found[2] or found[1])
        if not (least <= most and 1 <= most <= _MOST):
            raise ValueError(f"'{part}': the most replicas should be from 1 to {_MOST}, and no fewer than the least")
        if capability:
            others[capability.strip()] = Replicas(least, most)
        else:
            common = Replicas(least, most)
    return common, others


def cluster_of(config: ClusterConfig) -> Cluster:
    """Connects to nothing yet. Raises ValueError where Ray is not installed, or the address is none of its."""
    if find_spec("ray") is None:
        raise ValueError(f"OPENFAZE_CLUSTER=ray needs the package 'ray'. {REMEDY}")
    if "://" in config.address:
        raise ValueError(
            f"OPENFAZE_RAY_ADDRESS: should be host:port or auto, and is '{config.address[:60]}': the server joins the "
            "cluster as one of its machines, and not by way of Ray Client."
        )
    from models.cluster.serve import RayCluster

    return RayCluster(config)
