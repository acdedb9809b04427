"""What seals the values of entries, and what a store that fails costs."""

import asyncio
import os
from pathlib import Path

import pytest

from app.state.entries import Entries, Key, StoreDown
from app.state.sealing import Sealer
from tests.unit.app.state.test_entries import MB, in_file, key


@pytest.mark.parametrize("secret", [None, "correct horse battery staple"])
def test_a_seal_opens_what_it_closed_and_nothing_else(secret: str | None) -> None:
    sealer = Sealer(1000, secret)
    sealed = sealer.seal(b"k", b"value " * 50)
    assert sealer.open(b"k", sealed) == b"value " * 50
    assert (sealer.open(b"other", sealed) is None) is (secret is not None)
    assert sealer.open(b"k", sealed[:-1]) is None
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert sealer.open(b"k", changed) in (None, b"value " * 50), "a value that is damaged is none"
    for foreign in (b"", b"x", os.urandom(100), sealed[:5], b"ofz\x01" + sealed[4:]):
        assert sealer.open(b"k", foreign) is None
    with pytest.raises(ValueError, match="1001 bytes"):
        sealer.seal(b"k", b"x" * 1001)


def test_what_is_encrypted_says_nothing_and_opens_by_its_secret_alone() -> None:
    sealed = Sealer(1000, "one").seal(b"k", b"the content of a letter")
    assert b"letter" not in sealed
    assert Sealer(1000, "another").open(b"k", sealed) is None
    assert Sealer(1000).open(b"k", sealed) is None
    assert Sealer(1000, "one").open(b"k", Sealer(1000).seal(b"k", b"x")) is None


def test_a_value_that_unpacks_to_too_much_is_never_unpacked() -> None:
    assert Sealer(1000).open(b"k", Sealer(1 << 24).seal(b"k", bytes(1 << 24))) is None


class _Broken:
    """A store that hangs, or is down."""

    def __init__(self, *, hangs: bool) -> None:
        self.hangs = hangs
        self.asked = 0

    async def get(self, key: Key) -> bytes | None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        raise StoreDown("gone")

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        await self.get(key)

    async def delete(self, key: Key) -> bool:
        raise StoreDown("gone")

    async def sweep(self) -> int:
        raise StoreDown("gone")

    async def purge(self, tenant: str) -> int:
        raise StoreDown("gone")

    async def close(self) -> None: ...


@pytest.mark.parametrize("hangs", [True, False], ids=["slow", "down"])
async def test_a_store_that_fails_is_left_alone_for_a_while(*, hangs: bool) -> None:
    now = 0.0
    store = _Broken(hangs=hangs)
    entries = Entries(store, Sealer(1000), patience_s=0.01, clock=lambda: now)
    # One that is slow may be so by chance.
    tries = 3 if hangs else 1
    assert [await entries.get(key("a"), bytes) for _ in range(8)] == [None] * 8
    assert store.asked == tries
    assert entries.faults == ({"slow": 3, "down": 5} if hangs else {"down": 8})
    now = 2.0
    assert await entries.get(key("a"), bytes) is None
    assert store.asked == tries + 1
    await entries.close()


async def test_a_damaged_or_too_large_value_is_none(tmp_path: Path) -> None:
    store = in_file(tmp_path / "c.sqlite", MB)
    entries = Entries(store, Sealer(1000), patience_s=60)
    await store.put(key("a"), b"nonsense", max_age_s=60)
    assert await entries.get(key("a"), bytes) is None
    written = entries.put(key("b"), lambda: b"x" * 2000, max_age_s=60)
    assert written is not None
    await written
    assert await entries.get(key("b"), bytes) is None
    assert entries.faults == {"damaged": 1, "large": 1}
    await entries.close()
