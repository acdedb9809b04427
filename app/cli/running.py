"""Finds the server for commands without --url: at OPENFAZE_HOST and OPENFAZE_PORT, at the address that a running server
noted in a file, or at the default address."""

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import structlog
import typer

from app.cli import fail, without_garbage_collection

if TYPE_CHECKING:
    from app.settings import Settings

DEFAULT_URL = "http://127.0.0.1:8000"
_LOOK_S = 2.0
"""A server gets this many seconds to answer."""
_PRIVATE = 0o600
_NAME = "serving.json"
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AddressFile:
    """File in `folder` that names the address `url` of this process's server while it runs."""

    folder: Path
    url: str

    def write(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._content), "utf-8")
            self._file.chmod(_PRIVATE)
        except OSError as error:  # The file is only a convenience, so the server runs without it.
            log.info("address_not_noted", reason=error.strerror)

    def remove(self) -> None:
        """Remove the file, unless a server that was started later has replaced it."""
        if _read(self._file) == self._content:
            with contextlib.suppress(OSError):  # A leftover file is recognised as stale, as after a kill.
                self._file.unlink()

    @property
    def _content(self) -> dict[str, object]:
        return {"url": self.url, "pid": os.getpid()}

    @property
    def _file(self) -> Path:
        return self.folder / _NAME


def find() -> str:
    """Return the address of a server that answers. Exits with status 2 if none does, and names the addresses tried."""
    tried = _addresses()
    url = next(filter(_answers, tried), None)
    if url is None:
        fail(
            f"no server answers at {' or '.join(tried)}. Start one with `openfaze serve`, name one with --url, or set "
            "OPENFAZE_PORT to the server's port"
        )
    if url != tried[0]:
        typer.echo(f"note: no server answers at {tried[0]}; asking the one at {url}", err=True)
    return url


def url_of(host: str, port: int) -> str:
    """Return the URL under which this machine reaches a server that listens on `host` and `port`."""
    host = _WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _addresses() -> Sequence[str]:
    settings = _settings()
    if settings is None:
        return [DEFAULT_URL]
    from app.assembly.building import state_folder

    found = []
    if settings.port and settings.model_fields_set & {"port", "host"}:
        found.append(url_of(settings.host, settings.port))
    match _read(state_folder(settings) / _NAME):
        case {"url": str(last), "pid": int(pid)} if urlsplit(last).scheme in ("http", "https") and _is_alive(pid):
            found.append(last)
    return list(dict.fromkeys([*found, DEFAULT_URL]))


def _settings() -> "Settings | None":
    """Return the settings, or None if they are invalid. Only the server reports invalid settings."""
    with without_garbage_collection():
        from pydantic import ValidationError

        from app.settings import Settings
    try:
        return Settings()
    except ValidationError:
        return None


def _read(note: Path) -> dict[str, object]:
    try:
        found = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_alive(pid: int) -> bool:
    """True if the process `pid` exists, or if this cannot be determined. The address file of a killed server remains,
    and a different server may have taken the port since."""
    if os.name != "posix" or pid < 1:
        return pid > 0
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # the process belongs to another user
        return True
    return True


def _answers(url: str) -> bool:
    """True if an openfaze server answers at `url`. Any other server must not get keys or files."""
    try:
        body = httpx.get(f"{url}/", headers={"accept": "application/json"}, timeout=_LOOK_S, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(body, dict) and body.get("name") == "openfaze"
