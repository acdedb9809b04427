"""The engine of the `code_sandbox` capability: it runs scripts in bubblewrap, and finds out whether bubblewrap can make
a sandbox here."""

import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event

import structlog

from models.base import EngineUnavailable
from models.hosts.host import EngineHost
from models.sandbox.interpreter import interpreter_binds, package_binds
from models.sandbox.running import SandboxSetup, run_script
from models.sandbox.script import CAPABILITY, BadAnswer, SandboxLimits, Script, ScriptOutcome
from models.sandbox.seccomp import ARCHITECTURES

log = structlog.get_logger(__name__)

_INSTALL = "Install bubblewrap (`apt-get install bubblewrap`): code runs only in bubblewrap."

_NO_NAMESPACES = (
    "bubblewrap is installed, but cannot make a sandbox here: let this user make user namespaces; "
    "`openfaze doctor` logs its error message, and docs/code-sandbox.md explains how, also for containers."
)


@dataclass(frozen=True, slots=True)
class SandboxJob:
    """A script to run, with its cancellation. Implements `models.base.Cancellable`."""

    script: Script
    cancelled: Event = field(default_factory=Event)

    def __reduce__(self) -> "tuple[type[SandboxJob], tuple[Script]]":
        """Pickle only the script. In another process, the code that runs the job there takes care of cancelling it."""
        return SandboxJob, (self.script,)


class BubblewrapEngine:
    """Engine that runs one script per call. Nothing of a script remains when the next one begins."""

    def __init__(self, limits: SandboxLimits) -> None:
        self._limits = limits
        self._setup: SandboxSetup | None = None

    def load(self) -> None:
        """Find the files that every script needs. Raises EngineUnavailable if no sandbox can be made here."""
        if remedy := missing():
            raise EngineUnavailable(CAPABILITY, remedy)
        self._setup = SandboxSetup(_program() or "", [*interpreter_binds(), *package_binds()])

    def run(self, batch: Sequence[SandboxJob]) -> list[ScriptOutcome]:
        assert self._setup is not None
        return [run_script(self._setup, job.script, self._limits, job.cancelled) for job in batch]

    def close(self) -> None:
        self._setup = None


class Sandbox:
    """Interface of the `code_sandbox` capability: it runs Python where the code can do no harm."""

    def __init__(self, host: EngineHost[SandboxJob, ScriptOutcome], limits: SandboxLimits) -> None:
        self.limits = limits
        self._host = host

    async def run(self, script: Script) -> ScriptOutcome:
        """Run `script`; cancelling the call ends it. Raises EngineOverloaded, EngineUnavailable and EngineFailed."""
        job = SandboxJob(script)
        try:
            return await self._host.run(job)
        finally:
            job.cancelled.set()


class _TrialFailed(Exception):
    """Raised if a trial could not determine whether a sandbox can be made here. The message is a clause that states the
    reason."""


def missing() -> str | None:
    """Return the reason why no script can be run here; None if one was run. The answer is remembered for the lifetime
    of this process, unless the trial failed for lack of memory, processes or time, in which case the next call tries
    again."""
    try:
        return _try_sandbox(_program())
    except _TrialFailed as error:
        log.warning("no_code_sandbox", reason=str(error))
        return f"A sandbox could not be tried out just now ({error}). The next request tries again."


@cache
def _try_sandbox(program: str | None) -> str | None:
    """Run a script, which takes a tenth of a second. Return the reason if no script can run here, else None. Raises
    _TrialFailed, which is not cached, if only this trial failed."""
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        return f"The code sandbox runs on Linux on {' and '.join(ARCHITECTURES)} only."
    if program is None:
        return _INSTALL
    if not any(Path("/proc/self/task").glob("*/children")):
        return "The kernel does not list a process's children (CONFIG_PROC_CHILDREN), so memory cannot be limited."
    try:
        outcome = run_script(
            SandboxSetup(program, interpreter_binds()), Script("print(6 * 7)"), SandboxLimits(), Event()
        )
    except OSError as error:
        raise _TrialFailed(error.strerror or type(error).__name__) from error
    except BadAnswer as error:
        log.warning("no_code_sandbox", reason=str(error))
        return _NO_NAMESPACES
    if outcome.stopped:
        raise _TrialFailed(f"it ran out of {outcome.stopped}")
    if outcome.output != "42\n":
        log.warning("no_code_sandbox", reason=outcome.output)
        return _NO_NAMESPACES
    return None


def _program() -> str | None:
    return shutil.which("bwrap")
