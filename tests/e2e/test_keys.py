"""Keys in a file: made by `openfaze keys`, taken by a server that runs, and those that keep one from starting."""

import contextlib
import hashlib
import json
import re
import sqlite3
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.key_file import find_key
from tests.e2e.full_model import PATH, FullModel, body_of, content_of, serving_full_model
from tests.e2e.test_cli import openfaze_here
from tests.kit.servers.llm_server import Reply
from tests.kit.servers.server import Server, serving
from tests.kit.waits.waiting import wait_until

FILE = "keys.toml"


def keys(*arguments: str, folder: Path) -> str:
    """What `openfaze keys` prints, for programs: a line for each."""
    result = openfaze_here("keys", *arguments, folder=folder, OPENFAZE_KEYS_FILE=FILE, COLUMNS="1000")
    assert result.returncode == 0, result.stderr
    return result.stdout


def status(server: Server, key: str | None) -> int:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.get(f"{server.base_url}/v1/models", headers=headers, trust_env=False).status_code


def test_keys_are_made_listed_and_removed(tmp_path: Path) -> None:
    printed = keys("add", "alice", folder=tmp_path)
    key = printed.strip()
    assert re.fullmatch(r"of-[A-Za-z0-9_-]{43}", key)
    keys("add", "bob's laptop", "--guard-threshold", "S1=0.6", "--guard-threshold", "s10=1", folder=tmp_path)
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key not in file.read_text()
    alice, bob = keys("list", folder=tmp_path).splitlines()
    assert alice.split() == ["alice", hashlib.sha256(key.encode()).hexdigest()[:8]]
    assert bob.startswith("bob's laptop  ")
    assert bob.endswith("S1=0.6 S10=1")
    keys("remove", "alice", folder=tmp_path)
    assert keys("list", folder=tmp_path) == f"{bob}\n"
    assert [*tmp_path.iterdir()] == [file]


def test_limits_are_set_changed_and_taken_away(tmp_path: Path) -> None:
    limits = ("--requests-per-minute", "60", "--budget-usd", "2.5", "--tasks", "ocr, stt", "--expires", "2027-01-31")
    keys("add", "alice", *limits, folder=tmp_path)
    [line] = keys("list", folder=tmp_path).splitlines()
    told = "requests-per-minute=60  budget-usd=2.5  expires=2027-01-31  tasks=ocr,speech_to_text"
    assert line.split("  ", 2)[2] == told
    changed = (
        "--budget-period",
        "day",
        "--concurrent",
        "4",
        "--unset",
        "tasks",
        "--unset",
        "--expires",
    )
    keys("set", "alice", *changed, folder=tmp_path)
    [line] = keys("list", folder=tmp_path).splitlines()
    told = "requests-per-minute=60  concurrent=4  budget-usd=2.5  budget-period=day"
    assert line.split("  ", 2)[2] == told


STORES = {
    "answers.sqlite entries": 3,
    "files": 2,
    "state.sqlite batches": 1,
    "state.sqlite responses": 1,
    "state.sqlite spent": 1,
    "state.sqlite uploads": 2,
    "state.sqlite usage": 1,
}
"""Where how much is kept of a key that has used everything, when all is written."""


def kept_of(tenant: str, folder: Path) -> dict[str, int]:
    """How many rows and files hold its name, by table and folder."""
    kept: Counter[str] = Counter()
    for file in folder.rglob("*.sqlite"):
        with contextlib.closing(sqlite3.connect(file)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                rows = db.execute(f"SELECT * FROM {table}").fetchall()
                kept[f"{file.name} {table}"] += sum(tenant in row for row in rows)
    kept["files"] = sum(path.is_file() for path in (folder / "files" / tenant).rglob("*"))
    return dict(+kept)


@pytest.mark.deep
def test_nothing_is_kept_of_a_key_that_is_purged_and_all_of_another(tmp_path: Path) -> None:
    both = [
        keys("add", name, "--budget-usd", "5", "--tokens-per-minute", "9000", folder=tmp_path).strip()
        for name in ("alice", "bob")
    ]
    alice, bob = (find_key(tmp_path / FILE, name).tenant for name in ("alice", "bob"))
    assert alice is not None
    assert bob is not None
    told = {"keys_file": str(tmp_path / FILE), "files_dir": str(tmp_path / "files"), "cache": "exact"}
    with serving_full_model(**told) as model:
        model.script(by_body=lambda _: Reply("330 metres."))
        for key in both:
            uses_everything(model, {"authorization": f"Bearer {key}"})
        wait_until(lambda: kept_of(alice, tmp_path) == kept_of(bob, tmp_path) == STORES)
        variables = {"OPENFAZE_KEYS_FILE": FILE, "OPENFAZE_FILES_DIR": "files", "OPENFAZE_CACHE": "exact"}
        removed = openfaze_here("keys", "remove", "alice", "--purge", folder=tmp_path, **variables)
        assert removed.returncode == 0, removed.stderr
    assert kept_of(bob, tmp_path) == STORES
    assert kept_of(alice, tmp_path) == {}
    deleted = dict(re.findall(r"deleted: ([a-z ]+): (\d+)", removed.stderr))
    assert {what: int(count) > 0 for what, count in deleted.items()} == dict.fromkeys(
        ("batches", "uploads", "days of usage", "responses", "answers"), True
    )


def uses_everything(model: FullModel, headers: dict[str, str]) -> None:
    """Leaves something in every store."""
    assert content_of(model.ask("How tall is the Eiffel Tower?", headers=headers)) == "330 metres."
    asked = {"model": "interfaze-beta", "input": "How tall is it?"}
    model.client.post("/v1/responses", headers=headers, json=asked).raise_for_status()
    line = {"custom_id": "1", "method": "POST", "url": PATH, "body": body_of("How high is it?")}
    form: dict[str, Any] = {"files": {"file": ("a.jsonl", json.dumps(line))}, "data": {"purpose": "batch"}}
    uploaded = model.client.post("/v1/files", headers=headers, **form).raise_for_status().json()
    wanted = {"input_file_id": uploaded["id"], "endpoint": PATH, "completion_window": "24h"}
    batch = model.client.post("/v1/batches", headers=headers, json=wanted).raise_for_status().json()
    wait_until(lambda: model.client.get(f"/v1/batches/{batch['id']}", headers=headers).json()["status"] == "completed")


def test_a_running_server_takes_new_keys_and_lets_go_of_old_ones(tmp_path: Path) -> None:
    alice = keys("add", "alice", folder=tmp_path).strip()
    with serving(tmp_path / "log", keys_file=tmp_path / FILE, api_keys="of-old") as server:
        assert [status(server, key) for key in (alice, "of-old", None, "alice")] == [200, 200, 401, 401]
        bob = keys("add", "bob", folder=tmp_path).strip()
        wait_until(lambda: status(server, bob) == 200)
        keys("remove", "alice", folder=tmp_path)
        wait_until(lambda: status(server, alice) == 401)
        good = (tmp_path / FILE).read_text()
        (tmp_path / FILE).write_text(f"{good}limit = 5\n")
        wait_until(lambda: any(line.get("event") == "keys_file_refused" for line in server.log))
        assert [status(server, key) for key in (bob, "of-old", alice)] == [200, 200, 401]
        [line] = [line for line in server.log if line.get("event") == "keys_file_refused"]
        assert "keys[0].limit: no such field; choose from: name, sha256, tenant, guard_thresholds" in str(line["error"])
        assert line["level"] == "error"
        (tmp_path / FILE).write_text(good)
        keys("remove", "bob", folder=tmp_path)
        wait_until(lambda: status(server, bob) == 401)
        assert status(server, "of-old") == 200
        assert not any(key in server.log_file.read_text() for key in (alice, bob, "of-old"))
