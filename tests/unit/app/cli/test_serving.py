"""Where the server listens, and what it says when it cannot."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from app.cli import serving
from app.cli.serving import CannotListen, listen


@contextlib.contextmanager
def listening(host: str, port: int = 0) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(opened) for opened in listen(host, port)]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_all_addresses_of_ipv6_mean_those_of_ipv4_too() -> None:
    with listening("::") as opened:
        port = opened[0].getsockname()[1]
        for address in ("::1", "127.0.0.1"):
            socket.create_connection((address, port)).close()


def test_a_port_in_use_is_named() -> None:
    with listening("127.0.0.1") as [opened]:
        port = opened.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"OPENFAZE_PORT: port {port} of 127\.0\.0\.1 is in use"):
            listen("127.0.0.1", port)


def test_a_port_that_only_root_may_have_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(CannotListen, match="may not listen on port 80"):
        listen("127.0.0.1", 80)


def test_passwords_in_addresses_are_not_shown() -> None:
    assert serving.without_password("https://me:secret@host/v1") == "https://…@host/v1"
    assert serving.without_password("s3://bucket/a@b") == "s3://bucket/a@b"
