"""Which pages and names may use a server that asks for no key."""

import socket
from typing import Any

import pytest

from app.access.origin import OriginCheck
from app.errors import ForeignOrigin
from app.settings import Settings


def refused(server: str = "127.0.0.1", peer: str = "127.0.0.1", settings: Any = None, **headers: str) -> str | None:
    """The header that is refused; None if none is."""
    given = Settings(_env_file=None, **(settings or {}))
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "headers": lines, "server": (server, 8000), "client": ("192.0.2.9", 0)}
    try:
        OriginCheck(given).check({**scope, "state": {"peer": (peer, 1)}})
    except ForeignOrigin as refusal:
        return refusal.param
    return None


OWN = [
    "localhost",
    "LOCALHOST:8000",
    "localhost.:8000",
    "a.localhost:8000",
    "127.0.0.1:1",
    "127.1.2.3",
    "[::1]:8000",
    "[::1]",
    f"{socket.gethostname()}:8000",
    "host.docker.internal:8000",
]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "EVIL.example.",
    "localhost.evil.example",
    "evil.example#@localhost",
    "localhost@evil.example",
    "evil@localhost",
    "evil.example/localhost",
    "localhost:x",
    "192.0.2.1",
    "2130706433",
    "0.0.0.0:8000",
    "[::ffff:192.0.2.1]",
    "[::1",
    "",
]


def test_over_loopback_only_names_of_this_machine_are_answered() -> None:
    assert [host for host in OWN if refused(host=host)] == []
    assert [host for host in FOREIGN if refused(host=host) != "host"] == []
    assert refused() is None, "HTTP/1.0 needs no host"


def test_beyond_loopback_and_on_an_open_server_any_name_is_answered() -> None:
    assert refused(server="192.0.2.7", host="gpu.example") is None
    assert refused(settings={"open": True}, host="gpu.example") is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("LocalHost:8000", "HTTP://localhost:8000"),
        ("localhost.:8000", "http://localhost.:8000"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("localhost", "https://localhost:443"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_page_of_the_server_itself_is_answered(host: str, origin: str) -> None:
    assert refused(host=host, origin=origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://localhost:3000",
        "http://localhost",
        "http://localhost:8000.evil.example",
        "http://localhost:8000@evil.example",
        "http://evil.example/localhost:8000",
        "http://localhost:8000/a",
        "http://[::1",
        "localhost:8000",
        "//localhost:8000",
        "file://localhost:8000",
        "app://obsidian.md",
    ],
)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert refused(host="localhost:8000", origin=origin) == "origin"
    assert refused(origin=origin) == "origin"
    assert refused(server="192.0.2.7", settings={"open": True}, host="gpu.example", origin=origin) == "origin"


def test_listed_origins_are_answered() -> None:
    listed = {"cors_origins": "https://app.example.com,app://obsidian.md"}
    for origin in ("https://app.example.com", "https://APP.example.com", "app://obsidian.md"):
        assert refused(settings=listed, host="localhost:8000", origin=origin) is None
    for origin in ("http://app.example.com", "https://app.example.com.evil.example", "app://obsidian"):
        assert refused(settings=listed, host="localhost:8000", origin=origin) == "origin"


def test_behind_a_trusted_proxy_the_host_that_it_forwards_counts() -> None:
    trusted = {"trusted_proxies": "127.0.0.1"}
    forwarded = {"host": "127.0.0.1:8000", "x_forwarded_host": "Gpu.example, proxy", "x_forwarded_for": "192.0.2.9"}
    assert refused(settings=trusted, **forwarded, origin="https://gpu.example") is None
    assert refused(settings=trusted, **forwarded, origin="https://127.0.0.1:8000") == "origin"
    kept = {"host": "gpu.example", "x_forwarded_for": "192.0.2.9"}
    assert refused(settings=trusted, **kept, origin="https://gpu.example") is None
    assert refused(settings=trusted, host="gpu.example") == "host", "not through the proxy"
    assert refused(settings=trusted, peer="127.0.0.2", **kept) == "host"
    assert refused(**kept) == "host"
    assert refused(**forwarded, origin="https://gpu.example") == "origin"
