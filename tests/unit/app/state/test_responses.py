"""Stored responses: their form, their bounds and their tenants."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.assembly.building import build_database, build_responses
from app.settings import Settings
from app.state.responses import ResponseStore, StoredResponse

MB = 1 << 20


@pytest.fixture
async def store(state_url: str) -> AsyncIterator[ResponseStore]:
    settings = Settings(_env_file=None, state_url=state_url, responses_ttl_hours=1)
    database = build_database(settings)
    store = build_responses(settings, database)
    yield store
    await store.close()
    await database.close()


async def test_a_response_is_kept_for_its_tenant(store: ResponseStore) -> None:
    stored = StoredResponse("resp_0", b'[{"role": "user"}]', b"[]", '{"text": "Grüße"}'.encode())
    await store.put("t1", "resp_1", lambda: stored)
    assert await store.get("t1", "resp_1") == stored
    assert await store.get("t2", "resp_1") is None
    assert (await store.delete("t2", "resp_1"), await store.delete("t1", "resp_1")) == (False, True)
    with pytest.raises(ValueError, match="bytes are more than"):
        await store.put("t1", "resp_3", lambda: replace(stored, input=bytes(65 * MB)))
    await store.put("t1", "resp_2", lambda: stored)
    assert await store.purge("t1") == 1


async def test_a_response_of_the_largest_size_is_kept(store: ResponseStore) -> None:
    stored = StoredResponse(None, b"[]", b"[]", json.dumps("ä" * 10 * MB, ensure_ascii=False).encode())
    await store.put("t1", "resp_1", lambda: stored)
    found = await store.get("t1", "resp_1")
    assert found is not None
    assert bytes(found.response) == stored.response
