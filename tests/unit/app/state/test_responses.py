"""Stored responses: what is read of them where."""

from pathlib import Path

from app.state.responses import ResponseStore, StoredResponse
from app.state.sealing import Sealer
from app.state.sqlite_entries import SqliteEntries
from models.fair_executor import FairExecutor, Slices


async def test_a_short_response_is_read_without_a_thread(tmp_path: Path) -> None:
    threads = FairExecutor("wire")
    entries = SqliteEntries(tmp_path / "responses.sqlite", 1 << 20, is_cache=False)
    store = ResponseStore(entries, Sealer(1 << 20), threads, max_age_s=60)

    def stored() -> Slices[StoredResponse]:
        yield
        return StoredResponse.of_items(None, [("msg_1", b'{"id":"msg_1"}')], b"[]", b'{"id":"resp_1"}')

    await store.put("alice", "resp_1", stored, is_short=True)
    await threads.close()
    found = await store.get("alice", "resp_1")
    await store.close()
    assert found is not None
    assert (bytes(found.input), bytes(found.response)) == (b'[{"id":"msg_1"}]', b'{"id":"resp_1"}')
