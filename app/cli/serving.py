"""The HTTP server of `openfaze serve`: its sockets, its start and stop, and the announcement of its address."""

import asyncio
import contextlib
import ctypes
import errno
import math
import os
import re
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app import runnable_commands
from app.access.origin import OriginCheck
from app.assembly.building import without_keys
from app.assembly.services import Services
from app.cli.running import url_of
from app.errors import LAST_MESSAGE_S, ForeignOrigin
from app.http.protocol import BoundedProtocol
from app.middleware import error_response
from app.monitoring.metrics import PATH, metrics_app
from app.runnable_commands import adapt_commands, is_in_container
from app.settings import PREFIX, Settings
from app.telemetry import logs_for_people
from models.base import EngineUnavailable
from models.language.capability import LLM, OPENAI_SERVER, LlmSettings
from models.setting_types import GPU, STANDARD

_MAX_CONNECTIONS = 4000
"""A request on a further connection is answered with 503."""
_KEEP_ALIVE_S = 150
"""A connection may be idle for this many seconds between two requests: longer than Caddy keeps one, which would
otherwise send a request into a connection that ends."""
_DESCRIPTORS = 65536
_CLOSING_SHARE = 0.25
_MAX_CLOSING_S = 5.0
"""After the last request, closing engines and stores gets _CLOSING_SHARE of the grace time, but at most _MAX_CLOSING_S
seconds."""
_FAULT_GRACE_S = 5
"""Grace time after a fault of an engine, in whole seconds; OPENFAZE_SHUTDOWN_GRACE_S if that is shorter."""
FAULT_STATUS = 70
"""Exit status after a fault of an engine: EX_SOFTWARE of `sysexits.h`. All supervisors start such a server again."""
_LEAST_TO_STOP_S = 10.0
"""A server that stops slowly is cut off after the grace time, but not before this many seconds. Closing normally takes
a second or two."""
_LOOK_S = 0.1
"""Time between two checks for a second Ctrl-C, in seconds."""
_LARGE_BLOCK = 8 * 1024 * 1024
_M_MMAP_THRESHOLD = -3
"""Number of the parameter in glibc's `malloc.h`."""
_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Error numbers for an address that this machine does not have, such as an IPv6 address if IPv6 is off."""

log = structlog.get_logger(__name__)


class CannotListen(Exception):
    """Raised if the server cannot listen. The message states the reason and the setting to change."""


def serve(app: FastAPI) -> None:
    """Serve `app` until the process is told to stop. Raises CannotListen."""
    services: Services = app.state.services
    settings = services.settings
    allow_descriptors()
    return_large_blocks()
    sockets = listen(settings.host, settings.port)
    base_url = url_of(settings.host, sockets[0].getsockname()[1])
    metrics = _MetricsServer(services) if settings.metrics_port is not None else None
    server = _ApiServer(
        configure(app, settings),
        metrics,
        lambda: announce(services, base_url, metrics.url if metrics else None),
        services,
    )
    # After Ctrl-C, KeyboardInterrupt is raised only once the server has stopped.
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)
    if not server.started:
        sys.exit(1)
    if server.has_fault:
        _exit_now(FAULT_STATUS)  # Python would wait for the thread of a call that does not end


def return_large_blocks() -> None:
    """Let glibc return a freed block of _LARGE_BLOCK bytes or more to the system. By default, it keeps blocks of up to
    32 MB, such as the bodies of requests, in heaps that hardly ever shrink. Other C libraries have no such parameter.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


@contextlib.contextmanager
def serve_in_thread(settings: Settings) -> Iterator[str]:
    """Run a server inside this process and yield its base URL. The server listens on a free port of the loopback
    address, needs no keys, and stores files, state and answers in a temporary folder. Raises CannotListen, and
    ValueError for settings that cannot be used."""
    from app.main import create_app

    with tempfile.TemporaryDirectory() as folder:
        # State and answers are stored beside the files, and must not lie outside the temporary folder.
        own = {"files_dir": str(Path(folder, "files")), "metrics_port": None}
        sockets = listen("127.0.0.1", 0)
        app = create_app(without_keys(settings).model_copy(update=own))
        server = uvicorn.Server(configure(app, app.state.services.settings))
        thread = threading.Thread(target=server.run, args=(sockets,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def configure(app: Callable[..., Any], settings: Settings) -> uvicorn.Config:
    """Return the configuration of a server of `app`."""
    trusted = list(settings.trusted_proxies)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=BoundedProtocol,
        ws="none",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        # By default, uvicorn trusts the headers of proxies on loopback, or of the proxies in FORWARDED_ALLOW_IPS.
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )


def allow_descriptors() -> None:
    """Raise this process's limit on open files to _DESCRIPTORS, or to the highest value permitted if that is lower.

    The default of many systems is 1024, which is too low for the connections and the files that their requests open.
    """
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        if soft != resource.RLIM_INFINITY and soft < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class _MetricsServer(uvicorn.Server):
    """Serves the metrics on OPENFAZE_METRICS_PORT. It has a single path, needs no keys, and does not log its requests.
    The constructor raises CannotListen."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        assert settings.metrics_port is not None
        config = configure(_without_foreign_pages(metrics_app(services.metrics), settings), settings)
        config.lifespan = "off"
        super().__init__(config)
        self._sockets = listen(settings.host, settings.metrics_port, "METRICS_PORT")
        self.url = url_of(settings.host, self._sockets[0].getsockname()[1]) + PATH
        self._serving: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the API's server, which also stops this one."""
        yield

    def start(self) -> None:
        self._serving = asyncio.create_task(self.serve(self._sockets))

    async def stop(self) -> None:
        self.should_exit = True
        if self._serving is not None:
            await self._serving


def _without_foreign_pages(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return `app`, which needs no keys, with the check of origins that the API's middleware has."""
    origins = OriginCheck(settings)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            origins.check(scope)
        except ForeignOrigin as refusal:
            await error_response(refusal, f"req-{uuid.uuid4()}")(scope, receive, send)
            return
        await app(scope, receive, send)

    return answer


class _ApiServer(uvicorn.Server):
    """Server of the API. It announces its address only once it can be reached. When told to stop, it refuses new
    requests with a message while earlier requests still run."""

    def __init__(
        self,
        config: uvicorn.Config,
        metrics: _MetricsServer | None,
        announce: Callable[[], None],
        services: Services,
    ) -> None:
        super().__init__(config)
        self._metrics = metrics
        self._announce = announce
        self._services = services
        self.has_fault = False
        """True once an engine has a fault that only a restart removes."""
        services.runtime.engine_faults.on_fault = self._stop_after_fault

    def _stop_after_fault(self) -> None:
        self.has_fault = self.should_exit = self._services.is_stopping = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._metrics:
            self._metrics.start()
        # The announcement names the engines that can run here, so they are looked up first, off the event loop.
        await self._services.runtime.look()
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._services.is_stopping = True
        grace_s = self._services.settings.shutdown_grace_s
        if self.has_fault:
            grace_s = min(grace_s, _FAULT_GRACE_S)
        log.info("stopping", requests=len(self.server_state.tasks), grace_s=grace_s)
        _exit_in(max(grace_s, _LEAST_TO_STOP_S), FAULT_STATUS if self.has_fault else 0)
        until = time.monotonic() + grace_s - min(_MAX_CLOSING_S, _CLOSING_SHARE * grace_s)
        running = set(self.server_state.tasks)
        while running and not self.force_exit and (left := until - time.monotonic()) > 0:
            _, running = await asyncio.wait(running, timeout=min(left, _LOOK_S))
        if running and not self.force_exit:
            # uvicorn would cancel these requests as well, but would report this as an error.
            log.info("requests_cut_off", requests=len(running))
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=LAST_MESSAGE_S)
        # Requests that arrived during the stop were refused, and end by themselves.
        self.config.timeout_graceful_shutdown = max(1, math.ceil(until - time.monotonic()))
        # The metrics stop last, so that they cover everything until the end.
        await super().shutdown(sockets)
        if self._metrics:
            await self._metrics.stop()


def _exit_in(seconds: float, status: int) -> None:
    """End the process with `status` after `seconds` if it still runs. Nothing can interrupt an engine's call in a
    thread, and Python waits for threads, so a stop could take as long as the longest call. The stores stay intact."""

    def cut_off() -> None:
        time.sleep(seconds)
        threads = sorted({thread.name.partition("_")[0] for thread in threading.enumerate() if not thread.daemon})
        log.error("stop_cut_off", seconds=seconds, threads=threads)
        _exit_now(status)

    threading.Thread(target=cut_off, name="cut-off", daemon=True).start()


def _exit_now(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def listen(host: str, port: int, setting: str = "PORT") -> list[socket.socket]:
    """Return a listening socket for each address of `host`, all on one port. Raises CannotListen, with a message that
    names `setting`, the port's setting."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):  # UnicodeError if `host` cannot be a host name
        raise CannotListen(f"{PREFIX}HOST: '{host}' is neither an address nor a name of this machine") from None
    if any(address[0] == "::" for *_, address in addresses):
        # A socket for both would show the addresses of IPv4 as some of IPv6.
        addresses.append((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("0.0.0.0", port)))  # noqa: S104
    bound: list[socket.socket] = []
    absent = False
    for family, _, _, _, address in dict.fromkeys(addresses):
        try:
            # From now on, no other program can take the port, and an early connection waits until it is accepted.
            bound.append(socket.create_server((address[0], port, *address[2:]), family=family))
        except OSError as error:
            if error.errno in _ABSENT:
                absent = True
                continue
            for other in bound:
                other.close()
            raise CannotListen(_describe_error(error, host, port, setting)) from None
        # Port 0 lets the system choose a port for the first address; the other addresses get the same port.
        port = bound[0].getsockname()[1]
    if absent and not bound:
        raise CannotListen(f"{PREFIX}HOST: this machine has no address {host}")
    return bound


def _describe_error(error: OSError, host: str, port: int, setting: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{PREFIX}{setting}: port {port} of {host} is in use, perhaps by another openfaze. Choose another."
        case errno.EACCES:
            return f"{PREFIX}{setting}: this user may not listen on port {port}. Choose 1024 or higher."
        case _:
            return f"{PREFIX}{setting}: cannot listen on port {port} of {host}: {error.strerror}"


def announce(services: Services, base_url: str, metrics_url: str | None = None) -> None:
    """Announce the running server. Programs get a log event; people get its addresses and a first request to try.

    Without a terminal for the log, both are written, except in a container, whose log mixes stderr and stdout.
    """
    settings = services.settings
    llm, caution = _llm(services)
    if caution:
        log.warning("llm_caution", llm=llm, caution=caution)
    for capability, remedy in services.runtime.faults():
        log.warning("cannot_run", capability=capability, remedy=adapt_commands(remedy))
    if missing := _missing_weights(settings):
        remedy = adapt_commands(f"Smaller engines are used instead. Run `openfaze pull {settings.profile}`.")
        log.warning("weights_missing", profile=settings.profile, sets=", ".join(missing), remedy=remedy)
    watched = logs_for_people()
    if not watched:
        metrics = {"metrics": metrics_url} if metrics_url else {}
        log.info("serving", url=base_url, llm=llm, weights_dir=settings.weights_dir, **metrics)
        if is_in_container():
            return
    keyed = services.keys.are_required
    lines = {
        **({"look": f"{base_url}/ in a browser"} if settings.playground else {}),
        "docs": f"{base_url}/docs",
        "LLM": llm,
        "weights": settings.weights_dir,
        "files": without_password(settings.files_dir),
        "keys": "asked for" if keyed else "not asked for",
    }
    if metrics_url:
        lines["metrics"] = metrics_url
    print(
        f"\nopenfaze {version('openfaze')} serves on {base_url}\n",
        *(f"  {name:8} {value}\n" for name, value in lines.items()),
        "\nA first request, in another terminal",
        " (OPENFAZE_API_KEY stands for one of the keys)" if keyed else "",
        f":\n\n{runnable_commands.as_curl(base_url, keyed=keyed)}\n",
        sep="",
        file=sys.stderr if watched else sys.stdout,
        flush=True,
    )


def _missing_weights(settings: Settings) -> list[str]:
    """Return the weight sets of the operator's profile that are missing or incomplete."""
    from app.cli.pulling import sets_named

    sets = sets_named(settings.profile, settings) if settings.profile in (STANDARD, GPU) else []
    return [known.name for known in sets if known.missing(Path(settings.weights_dir))]


def _llm(services: Services) -> tuple[str, str | None]:
    """Return the name of the LLM, and a caution for the operator, if there is one."""
    try:
        chosen = services.runtime.choose(LLM.name)
    except EngineUnavailable as error:
        return adapt_commands(f"none. {error.remedy}"), None
    address, name = services.settings.of(LlmSettings).llm_base_url, chosen.spec.name
    known = f"{name} at {without_password(address)}" if address and name == OPENAI_SERVER.spec.name else name
    return known, adapt_commands(chosen.caution) if chosen.caution else None


def without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", url)
