"""What goes into the sandbox and what comes out of it."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

CAPABILITY = "code_sandbox"

Stop = Literal["time", "memory"]
"""Which limit ended a script."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one script may take. Sizes are in bytes."""

    seconds: float = 30.0
    """By the clock, and of each process's processor time."""
    memory: int = 1 << 30
    """Of each process's addresses, and of what all its processes hold together."""
    disk: int = 128 << 20
    """Of all files that it writes; they live in memory."""
    output: int = 64 << 10
    """Of what it prints that is kept: the beginning and the end."""
    images: int = 8 << 20
    """Of the pictures that come back."""
    processes: int = 32
    """And threads, at a time."""


@dataclass(frozen=True, slots=True)
class InputFile:
    name: str
    """Below `/input`; no path."""
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Script:
    code: str
    """Python."""
    files: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    """As the script called the file."""
    png: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    output: str
    """What it printed to either stream, as far as it was kept."""
    exit_code: int
    """128 + the signal's number where a signal ended it."""
    stopped: Stop | None = None
    pictures: tuple[Picture, ...] = ()


class Sandbox(Protocol):
    """The `code_sandbox` capability: runs Python where it cannot hurt."""

    @property
    def limits(self) -> SandboxLimits: ...

    async def run(self, script: Script) -> Outcome:
        """Cancelling it ends the script. Raises EngineOverloaded, EngineUnavailable and EngineFailed."""
