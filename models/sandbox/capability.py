"""Declaration of the capability `code_sandbox`: its engine, and how it is built."""

from functools import partial
from typing import Literal

from models.base import EngineSpec
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.sandbox.bubblewrap import BubblewrapEngine, Sandbox, missing
from models.sandbox.script import CAPABILITY, SandboxLimits, Script

AT_ONCE = 2
"""Number of scripts that run at a time. Further scripts wait."""
_SPEC = EngineSpec("bubblewrap", CAPABILITY, "LGPL-2.0-or-later", "none: a program of the system's")


class SandboxSettings(OwnSettings):
    code_sandbox: Literal["auto", "on", "off"] = "auto"
    """`auto`: scripts of the full model, where bubblewrap works; `on`: of clients, too; `off`."""


def _build(config: EngineConfig) -> Built:
    limits = SandboxLimits()
    host = EngineHost(
        _SPEC,
        partial(BubblewrapEngine, limits),
        HostLimits(workers=AT_ONCE, max_queue=config.max_queue),
    )
    return Built(Sandbox(host, limits), (host,))


async def _run_a_script(engines: Engines) -> str:
    outcome = await engines.use(CODE_SANDBOX).run(Script("import math\nprint(math.factorial(17))"))
    if outcome.output != "355687428096000\n":
        raise BadResult(f"17! should be 355687428096000, and it printed {outcome.output!r}")
    return "computed 17!"


BUBBLEWRAP = Candidate(_SPEC, lambda _: missing(), _build)

CODE_SANDBOX: Capability[Sandbox] = Capability(
    CAPABILITY, (BUBBLEWRAP,), _run_a_script, SandboxSettings, is_switch=True, order=110
)
