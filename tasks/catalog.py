"""Registry of all tasks, collected from the declarations in this package's modules."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

import tasks
from models.capability import EngineConfig, listed
from tasks.base import Specialist


def _declared() -> Iterator[Specialist]:
    for found in iter_modules(tasks.__path__, f"{tasks.__name__}."):
        if not found.ispkg and found.name != __name__:
            yield from (one for one in vars(import_module(found.name)).values() if isinstance(one, Specialist))


SPECIALISTS: Mapping[str, Specialist] = listed(_declared())
"""Every declared task by name, in the order in which error messages list them."""


def public_names(config: EngineConfig) -> tuple[str, ...]:
    """Return the names of the tasks that a request may name."""
    return tuple(name for name, one in SPECIALISTS.items() if one.is_public(config))


TASK_NAMES = public_names(EngineConfig())
"""The names of the public tasks under default settings."""

ALIASES = {alias: one.name for one in SPECIALISTS.values() for alias in one.aliases}

PRECONTEXT_NAMES = {one.name: one.precontext_name for one in SPECIALISTS.values() if one.precontext_name}
