"""What calls of /v1/batches use up of a key's speed."""

import json
from pathlib import Path

import pytest

from app.routes.batches import CHANGE_BYTES, LISTED_BYTES
from models.loop_turns import LoopTurns
from tests.e2e.full_model import client_of_app


def test_batches_that_are_created_cancelled_and_listed_use_up_speed_of_their_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    async def wait_for_bytes(turns: LoopTurns, size: int) -> None:
        sizes.append(size)

    url = "/v1/moderations"
    line = json.dumps({"custom_id": "a", "method": "POST", "url": url, "body": {"input": "Hello"}})
    with client_of_app(tmp_path, llm="off") as client:
        file = client.post("/v1/files", data={"purpose": "batch"}, files={"file": ("lines.jsonl", line)}).json()
        wanted = {"input_file_id": file["id"], "endpoint": url, "completion_window": "24h"}
        monkeypatch.setattr(LoopTurns, "wait_for_bytes", wait_for_bytes)
        made = [client.post("/v1/batches", json=wanted).json() for _ in range(2)]
        assert sizes.count(CHANGE_BYTES) == 2
        client.post(f"/v1/batches/{made[0]['id']}/cancel")
        assert sizes.count(CHANGE_BYTES) == 3
        assert len(client.get("/v1/batches").json()["data"]) == 2
        assert 2 * LISTED_BYTES in sizes
