"""Peers that close their side while nothing is read."""

import asyncio
import select
import socket
from functools import partial

import pytest

from app.hang_ups import HangUps
from tests.waiting import until

pytestmark = pytest.mark.skipif(
    not hasattr(select, "EPOLLRDHUP"), reason="only Linux tells of a hang-up before what was sent is read"
)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_peer_that_leaves_is_reported_once_although_what_it_sent_is_unread() -> None:
    reported: list[str] = []
    hang_ups = HangUps(asyncio.get_running_loop())
    ours, theirs = socket.socketpair()
    with ours:
        hang_ups.watch(ours.fileno(), lambda: reported.append("left"))
        theirs.sendall(b"unread")
        await settled()
        assert reported == []
        theirs.close()
        await until(lambda: reported)
        await settled()
        assert reported == ["left"]
        hang_ups.forget(ours.fileno())
    hang_ups.close()


async def test_a_socket_that_is_forgotten_is_not_reported() -> None:
    reported: list[str] = []
    hang_ups = HangUps(asyncio.get_running_loop())
    pairs = [socket.socketpair() for _ in range(2)]
    for name, (ours, _) in zip(("forgotten", "watched"), pairs, strict=True):
        hang_ups.watch(ours.fileno(), lambda name=name: reported.append(name))
    hang_ups.forget(pairs[0][0].fileno())
    hang_ups.forget(pairs[0][0].fileno())
    for _, theirs in pairs:
        theirs.close()
    await until(lambda: reported)
    assert reported == ["watched"]
    hang_ups.close()
    for ours, _ in pairs:
        ours.close()


async def test_a_callback_that_fails_does_not_hide_other_hang_ups() -> None:
    reported: list[str] = []
    failures: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(str(context["exception"])))
    hang_ups = HangUps(loop)
    pairs = [socket.socketpair() for _ in range(3)]

    def report(name: str) -> None:
        reported.append(name)
        raise RuntimeError(name)

    for name, (ours, _) in zip("abc", pairs, strict=True):
        hang_ups.watch(ours.fileno(), partial(report, name))
    for _, theirs in pairs:
        theirs.close()
    await until(lambda: len(reported) == len(pairs))
    assert sorted(reported) == sorted(failures) == ["a", "b", "c"]
    hang_ups.close()
    for ours, _ in pairs:
        ours.close()
