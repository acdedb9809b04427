"""Stored responses: what is read of them where."""

import asyncio
from pathlib import Path

import pytest

from app.state import entries, responses
from app.state.entries import StoreDown, StoreSlow
from app.state.redis_entries import RedisEntries
from app.state.responses import ResponseStore, StoredResponse
from app.state.sealing import Sealer
from app.state.sqlite_entries import SqliteEntries


async def test_a_short_response_is_read_without_a_thread(tmp_path: Path) -> None:
    in_file = SqliteEntries(tmp_path / "responses.sqlite", 1 << 20, is_cache=False)
    store = ResponseStore(in_file, Sealer(1 << 20), max_age_s=60)

    def stored() -> StoredResponse:
        return StoredResponse.of_items(None, [("msg_1", b'{"id":"msg_1"}')], b"[]", b'{"id":"resp_1"}')

    await store.put("alice", "resp_1", stored, is_short=True)
    found = await store.get("alice", "resp_1")
    await store.close()
    assert found is not None
    assert (bytes(found.input), bytes(found.response)) == (b'[{"id":"msg_1"}]', b'{"id":"resp_1"}')


async def test_a_redis_that_does_not_answer_is_soon_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "ANSWER_S", 0.05)
    monkeypatch.setattr(entries, "PAUSE_S", 3600.0)
    connected: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    in_redis = RedisEntries(url, max_per_tenant=1 << 20, max_total=1 << 20)
    store = ResponseStore(in_redis, Sealer(1 << 20), max_age_s=60)
    for _ in range(3):
        with pytest.raises(StoreSlow):
            await store.get("alice", "resp_1")
    with pytest.raises(StoreDown, match="a moment ago") as refused:
        await store.get("bob", "resp_2")
    assert not isinstance(refused.value, StoreSlow)
    assert store.faults == 4
    await store.close()
    for writer in connected:
        writer.close()
    server.close()
