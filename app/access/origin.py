"""Keeps pages of other sites away from what asks for no key.

A browser lets any page send requests to this machine, and a page's host name may be made to resolve to it (DNS
rebinding).
"""

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from app.errors import ForeignOrigin
from app.settings import PREFIX, Settings, is_loopback

_PORTS = {"http": 80, "https": 443}
_CONTAINERS_NAMES = ("host.docker.internal", "host.containers.internal")
"""Names under which the containers of Docker Desktop and Podman call services on loopback of their machine."""


class OriginCheck:
    """Check of the headers `Origin` and `Host` of requests that need no key."""

    def __init__(self, settings: Settings) -> None:
        self._is_open = settings.open
        self._listed = frozenset(settings.cors_origins)
        self._proxies = [ipaddress.ip_network(proxy) for proxy in settings.trusted_proxies]
        name = socket.gethostname().lower()
        self._own_names = frozenset({name, f"{name.partition('.')[0]}.local", *_CONTAINERS_NAMES})

    def check(self, scope: Scope) -> None:
        """Raise ForeignOrigin for a page whose origin is neither the request's host nor listed. Also raise it for a
        connection over loopback under a host name that is not of this machine, unless the server is open."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        forwarded = headers.get("x-forwarded-host")
        if (forwarded or "x-forwarded-for" in headers) and self._comes_from_proxy(scope):
            hosts = [forwarded.partition(",")[0].strip()] if forwarded else hosts
        elif self._is_for_here(scope) and not all(map(self._is_own_host, hosts)):
            raise ForeignOrigin(
                "Header 'host': without keys, a server on loopback answers only to this machine's names, such as "
                f"localhost ({PREFIX}API_KEYS sets keys).",
                param="host",
            )
        for origin in headers.getlist("origin"):
            if origin.lower() not in self._listed and not _is_of_hosts(origin, hosts):
                raise ForeignOrigin(
                    "Header 'origin': without keys, the server answers only to its own pages, and to those that "
                    f"{PREFIX}CORS_ORIGINS lists.",
                    param="origin",
                )

    def _comes_from_proxy(self, scope: Scope) -> bool:
        peer = scope.get("state", {}).get("peer") or scope.get("client")
        try:
            address = ipaddress.ip_address(peer[0] if peer else "")
        except ValueError:
            return False
        return any(address in proxies for proxies in self._proxies)

    def _is_for_here(self, scope: Scope) -> bool:
        return not self._is_open and bool(scope.get("server")) and is_loopback(scope["server"][0])

    def _is_own_host(self, host: str) -> bool:
        name, _ = _place_of(f"http://{host}") or ("", 0)
        return is_loopback(name) or name.endswith(".localhost") or name in self._own_names


def _is_of_hosts(origin: str, hosts: Collection[str]) -> bool:
    scheme = origin.partition(":")[0].lower()
    place = _place_of(origin)
    return place is not None and {_place_of(f"{scheme}://{host}") for host in hosts} == {place}


def _place_of(url: str) -> tuple[str, int] | None:
    """Return the host name and port of a URL; None for a URL without a host, or with more than an origin has."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or parts[2:] != ("", "", ""):
        return None
    return parts.hostname.removesuffix("."), _PORTS[parts.scheme] if port is None else port
