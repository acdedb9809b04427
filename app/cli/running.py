"""Finds the server for commands without --url, at OPENFAZE_HOST and OPENFAZE_PORT."""

import httpx

from app.cli import fail, read_settings

_LOOK_S = 2.0
"""A server gets this many seconds to answer."""
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def find() -> str:
    """Return the address of the server. Exits with status 2 if no openfaze answers there."""
    settings = read_settings()
    url = url_of(settings.host, settings.port)
    if not _answers(url):
        fail(
            f"no server answers at {url}. Start one with `openfaze serve`, name one with --url, or set OPENFAZE_PORT "
            "to the server's port"
        )
    return url


def url_of(host: str, port: int) -> str:
    """Return the URL under which this machine reaches a server that listens on `host` and `port`."""
    host = _WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _answers(url: str) -> bool:
    """True if an openfaze server answers at `url`. Any other server must not get keys or files."""
    try:
        body = httpx.get(f"{url}/", headers={"accept": "application/json"}, timeout=_LOOK_S, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(body, dict) and body.get("name") == "openfaze"
