"""The HTTP server of `openfaze serve`: where it listens, and what it says once it does."""

import contextlib
import errno
import os
import re
import socket
import sys
from collections.abc import Callable
from importlib.metadata import version

import structlog
import uvicorn
from fastapi import FastAPI

from app import calling
from app.building import build_connections
from app.calling import as_called_here
from app.connections import allow_descriptors, bounded_protocol
from app.services import Services
from app.settings import PREFIX
from app.telemetry import logs_for_people
from models.base import EngineUnavailable
from models.language.capability import LLM, OPENAI_SERVER, LlmSettings

_PORTS_TRIED = 100
_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Errors of an address that this machine does not have, such as IPv6's where it is off."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

log = structlog.get_logger(__name__)


class CannotListen(Exception):
    """A sentence that says why, and what to set."""


def serve(app: FastAPI) -> None:
    """Until the process is told to stop. Raises CannotListen."""
    services: Services = app.state.services
    settings = services.settings
    allow_descriptors()
    sockets = listen(settings.host, settings.port)
    base_url = url_of(settings.host, sockets[0].getsockname()[1])
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=bounded_protocol(build_connections(settings)),
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )
    server = _Server(config, lambda: announce(services, base_url))
    # Ctrl-C has stopped the server by then.
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)
    if not server.started:
        sys.exit(1)


class _Server(uvicorn.Server):
    """Says that it is there when it is, and no sooner."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


def listen(host: str, port: int) -> list[socket.socket]:
    """A socket bound to each address of `host`, all to one port. Raises CannotListen."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):  # the latter for what cannot be a name
        raise CannotListen(f"{PREFIX}HOST: '{host}' is no address and no name of this machine") from None
    bound: list[socket.socket] = []
    absent = False
    for family, kind, protocol, _, address in dict.fromkeys(addresses):
        try:
            bound.append(_bound(family, kind, protocol, (address[0], port, *address[2:])))
        except OSError as error:
            if error.errno in _ABSENT:
                absent = True
                continue
            for other in bound:
                other.close()
            raise CannotListen(_refusal(error, host, port)) from None
        # A free port, once it is chosen, is the same for all.
        port = bound[0].getsockname()[1]
    if absent and not bound:
        raise CannotListen(f"{PREFIX}HOST: this machine has no address {host}")
    return bound


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    opened = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would share the port with whoever has it
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        # From now on nobody else can take the port, and whoever connects early waits until the server is there.
        opened.listen()
    except OSError:
        opened.close()
        raise
    return opened


def _refusal(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"{PREFIX}PORT: port {port} of {host} is in use, perhaps by another openfaze. "
                f"Choose another one, such as {PREFIX}PORT={_free_port(host, port)}."
            )
        case errno.EACCES:
            return f"{PREFIX}PORT: this user may not listen on port {port}. Choose one from 1024 on."
        case _:
            return f"{PREFIX}PORT: cannot listen on port {port} of {host}: {error.strerror}"


def _free_port(host: str, taken: int) -> int:
    """The next one, or any (0) where many are taken."""
    for port in range(taken + 1, min(taken + _PORTS_TRIED, 65536)):
        with contextlib.suppress(OSError), socket.create_server((host, port), family=_family(host)):
            return port
    return 0


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def url_of(host: str, port: int) -> str:
    """As somebody on this machine reaches it."""
    host = _EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(services: Services, base_url: str) -> None:
    """One event for programs; for people, what they want to know first."""
    settings = services.settings
    llm, caution = _llm(services)
    if caution:
        log.warning("llm_caution", llm=llm, caution=caution)
    if not logs_for_people(settings.log_format):
        log.info("serving", url=base_url, llm=llm, weights_dir=settings.weights_dir)
        return
    keyed = services.keys.asked_for
    lines = {
        "docs": f"{base_url}/docs",
        "LLM": llm,
        "weights": settings.weights_dir,
        "files": without_password(settings.files_dir),
        "keys": "asked for" if keyed else "not asked for",
    }
    print(
        f"\nopenfaze {version('openfaze')} serves on {base_url}\n",
        *(f"  {name:8} {value}\n" for name, value in lines.items()),
        "\nA first request, in another terminal",
        " (OPENFAZE_API_KEY stands for one of the keys)" if keyed else "",
        f":\n\n{calling.as_curl(base_url, keyed=keyed)}\n",
        sep="",
        file=sys.stderr,
        flush=True,
    )


def _llm(services: Services) -> tuple[str, str | None]:
    """What it is, and what the operator should know of it."""
    try:
        chosen = services.runtime.choose(LLM.name)
    except EngineUnavailable as error:
        return as_called_here(f"none. {error.remedy}"), None
    address, name = services.settings.of(LlmSettings).llm_base_url, chosen.spec.name
    known = f"{name} at {without_password(address)}" if address and name == OPENAI_SERVER.spec.name else name
    return known, as_called_here(chosen.caution) if chosen.caution else None


def without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", url)
