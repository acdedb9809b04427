"""Watches the external servers that engines call, such as the server of an LLM.

Such a server may start later than this server, stop, and come back. Requests do not wait for these checks.
"""

import asyncio

import structlog

from app.runnable_commands import adapt_commands
from models.base import EngineSpec, ModelError
from models.capability import EnginePart, Remote
from models.runtime import Runtime

LOOK_S = 5.0
"""Time between two attempts to reach an unreachable server, in seconds."""

log = structlog.get_logger(__name__)


async def watch_servers_for_ever(runtime: Runtime, *capabilities: str) -> None:
    """Check each server once its engine is built, and then every few seconds while it cannot be reached.

    The engines of `capabilities` are built at once. Errors are logged, and the checks continue.
    """
    watched: set[int] = set()
    unprepared = capabilities
    async with asyncio.TaskGroup() as group:
        while True:
            if unprepared:
                try:
                    await runtime.prepare(*unprepared)
                    unprepared = ()
                except Exception:
                    log.exception("servers_not_watched")
            for spec, part in runtime.parts():
                if isinstance(part, Remote) and id(part) not in watched:
                    watched.add(id(part))
                    group.create_task(_watch_for_ever(spec, part, part))
            await asyncio.sleep(LOOK_S)


async def _watch_for_ever(spec: EngineSpec, server: Remote, part: EnginePart) -> None:
    known = {"capability": spec.capability, "engine": spec.name}
    is_away: bool | None = None
    fault: type[Exception] | None = None
    while True:
        was_away = is_away
        try:
            if is_away is None or part.broken is not None:
                await server.check()
                is_away, fault = False, None
        except ModelError as error:
            is_away, fault = True, None
            if not was_away:
                log.warning("server_away", **known, reason=adapt_commands(str(error)))
        except Exception as error:
            # Logged once, because the next check follows in a few seconds.
            if type(error) is not fault:
                log.exception("server_not_watched", **known)
            fault = type(error)
        if was_away and not is_away:
            log.info("server_back", **known)
        await asyncio.sleep(LOOK_S)
