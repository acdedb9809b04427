"""What the server and a decode process say to each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.errors import InputError
from tasks.inputs.sessions import Closable

Arguments = tuple[Any, ...]
Named = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Open:
    session: int
    factory: Callable[..., Closable]
    arguments: Arguments
    named: Named


@dataclass(frozen=True, slots=True)
class Call:
    session: int
    method: str
    arguments: Arguments
    named: Named


@dataclass(frozen=True, slots=True)
class Close:
    session: int


Request = Open | Call | Close


@dataclass(frozen=True, slots=True)
class Returned:
    value: object


@dataclass(frozen=True, slots=True)
class Raised:
    """What the client can mend."""

    error: InputError


@dataclass(frozen=True, slots=True)
class Failed:
    """Any other exception, without its message, which may quote the file."""

    kind: str
    """Name of the exception's class."""
    place: str
    """`module:line` where it was raised."""


Reply = Returned | Raised | Failed
