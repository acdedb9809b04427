"""The catalog of all capabilities. The modules `capability.py` in the folders of this package declare them."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import models
from models.capability import Capability, listed


def _declared() -> Iterator[Capability[Any]]:
    for root in map(Path, models.__path__):
        for file in sorted(root.rglob("*/capability.py")):
            module = import_module(".".join((models.__name__, *file.relative_to(root).with_suffix("").parts)))
            yield from (one for one in vars(module).values() if isinstance(one, Capability))


CATALOG: Mapping[str, Capability[Any]] = listed(_declared())
"""All capabilities by name, in the order of listings."""
