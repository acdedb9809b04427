"""Keys in a file: made by `openfaze keys`, taken by a server that runs, and those that keep one from starting."""

import asyncio
import contextlib
import hashlib
import json
import re
import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.key_file import KeyFileError, find_key
from app.assembly.building import build_keys
from app.settings import Settings
from app.state.database import Database, sqlite_url
from app.state.usage import DailyUsage, UsageStore
from tasks.catalog import TASK_NAMES
from tests.e2e.full_model import PATH, FullModel, body_of, content_of, serving_app, serving_full_model
from tests.e2e.test_cli import openfaze_here
from tests.llm_server import Reply, serving_llm
from tests.server import Server, free_port, serving
from tests.waiting import wait_until

FILE = "keys.toml"
LIMIT_S = 60.0


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


async def test_lists_of_keys_keep_to_the_terminals_width_and_leave_nothing_out(tmp_path: Path) -> None:
    name = "the laptop of somebody in the north"
    limits = ("--requests-per-minute", "60", "--tokens-per-minute", "100000", "--budget-usd", "2.5")
    tasks = ",".join(TASK_NAMES)
    keys("add", name, *limits, "--tasks", tasks, folder=tmp_path)
    settings = {"OPENFAZE_KEYS_FILE": FILE, "OPENFAZE_STATE_URL": "sqlite:///state.sqlite"}
    database = Database(sqlite_url(tmp_path / "state.sqlite"))
    await UsageStore(database).add(
        [DailyUsage("0" * 32, name, "2027-01-15", 1_234, 123_456_789, 98_765, 10**9)], spent={}
    )
    await database.close()

    async def shown(command: str, **variables: str) -> str:
        # The command has an event loop of its own.
        result = await asyncio.to_thread(openfaze_here, "keys", command, folder=tmp_path, **settings, **variables)
        assert result.returncode == 0, result.stderr
        return result.stdout

    for command, told in (("list", f"tasks={tasks}"), ("usage", "123,456,789")):
        whole, narrow = await shown(command, COLUMNS="1000"), await shown(command, COLUMNS="80")
        [line] = [line for line in whole.splitlines() if line.startswith(name)]
        assert told in line
        assert len(line) > 80 >= max(map(len, narrow.splitlines()))
        assert "".join(narrow.split()) == "".join(whole.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "alice"), "name: 'keys.toml' already has a key 'alice'"),
        (("add", " "), "name: should be 1 to 64 printable characters"),
        (
            ("add", "bob", "--guard-threshold", "S99=1"),
            "--guard-threshold: 'S99' should be a guard code with its score",
        ),
        (
            ("add", "bob", "--guard-threshold", "S1=high"),
            "--guard-threshold: could not convert string to float: 'high'",
        ),
        (("add", "bob", "--guard-threshold", "S1=7"), "guard_thresholds.S1: Input should be less than or equal to 1"),
        (("remove", "bob"), "name: 'keys.toml' has no key 'bob'"),
    ],
)
def test_what_will_not_do_names_its_field(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    keys("add", "alice", folder=tmp_path)
    before = (tmp_path / FILE).read_bytes()
    result = openfaze_here("keys", *arguments, folder=tmp_path, OPENFAZE_KEYS_FILE=FILE)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert (tmp_path / FILE).read_bytes() == before


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "bob", "--requests-per-minute", "0"), "requests_per_minute: Input should be greater than or equal"),
        (("add", "bob", "--budget-usd", "-1"), "budget_usd: Input should be greater than or equal to 0"),
        (("add", "bob", "--budget-period", "year"), "budget_period: Input should be 'day', 'month' or 'total'"),
        (("add", "bob", "--expires", "soon"), "expires: should be a date (2027-01-31) or a date-time"),
        (("add", "bob", "--tasks", "ocr,cooking"), "tasks[1]: no task 'cooking'; choose from: "),
        (("set", "bob", "--concurrent", "1"), "name: 'keys.toml' has no key 'bob'"),
        (("set", "alice"), "there is nothing to set"),
        (("set", "alice", "--unset", "name"), "--unset: no limit 'name'; choose from: requests-per-minute, "),
        (("rotate", "bob"), "name: 'keys.toml' has no key 'bob'"),
        (("usage", "bob"), "name: 'keys.toml' has no key 'bob'"),
    ],
)
def test_a_limit_that_will_not_do_names_its_field(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    keys("add", "alice", folder=tmp_path)
    before = (tmp_path / FILE).read_bytes()
    result = openfaze_here(
        "keys", *arguments, folder=tmp_path, OPENFAZE_KEYS_FILE=FILE, OPENFAZE_STATE_URL="sqlite:///state.sqlite"
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.deep
def test_uploads_stay_when_a_key_is_rotated_and_are_gone_when_it_is_purged(tmp_path: Path) -> None:
    variables = {"OPENFAZE_KEYS_FILE": FILE, "OPENFAZE_FILES_DIR": "files"}
    old = keys("add", "alice", folder=tmp_path).strip()
    other = keys("add", "bob", folder=tmp_path).strip()

    def listed(key: str) -> list[str] | int:
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx.get(f"{base_url}/v1/files", headers=headers, trust_env=False)
        return [file["filename"] for file in answer.json()["data"]] if answer.is_success else answer.status_code

    settings = Settings(_env_file=None, keys_file=str(tmp_path / FILE), files_dir=str(tmp_path / "files"), llm="off")
    with serving_app(settings) as base_url:
        for key, name in ((old, "alices.txt"), (other, "bobs.txt")):
            form: dict[str, Any] = {"files": {"file": (name, b"text")}, "data": {"purpose": "user_data"}}
            headers = {"authorization": f"Bearer {key}"}
            httpx.post(f"{base_url}/v1/files", headers=headers, trust_env=False, **form).raise_for_status()
        new = openfaze_here("keys", "rotate", "alice", folder=tmp_path, **variables).stdout.strip()
        wait_until(lambda: listed(new) == ["alices.txt"])
        assert listed(old) == 401
        removed = openfaze_here("keys", "remove", "alice", "--purge", folder=tmp_path, **variables)
        assert "deleted: uploads: 1" in removed.stderr
        wait_until(lambda: listed(new) == 401)
        assert listed(other) == ["bobs.txt"]
        # The server, which still runs, keeps a log beside each database.
        kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
        assert b"bobs.txt" in kept
        assert b"alices.txt" not in kept
    assert [path.name for path in (tmp_path / "files").rglob("file-*")] != []
    used = openfaze_here("keys", "usage", folder=tmp_path, **variables).stdout.splitlines()
    assert [line.split()[0] for line in used] == ["name", "bob"]


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


@pytest.mark.parametrize("arguments", [("list",), ("add", "alice"), ("remove", "alice")])
def test_without_the_setting_there_is_no_file(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = openfaze_here("keys", *arguments, folder=tmp_path)
    assert result.returncode == 2
    assert "OPENFAZE_KEYS_FILE: set it to the path of the file" in result.stderr
    assert not [*tmp_path.iterdir()]


def test_the_first_key_can_be_made_where_the_server_does_not_start_without(tmp_path: Path) -> None:
    variables = {"OPENFAZE_KEYS_FILE": FILE, "OPENFAZE_HOST": "0.0.0.0"}
    assert openfaze_here("keys", "add", "alice", folder=tmp_path, **variables).returncode == 0


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


def test_a_server_whose_file_others_may_write_says_so_and_without_a_key_left_opens_to_nobody(tmp_path: Path) -> None:
    alice = keys("add", "alice", folder=tmp_path).strip()
    (tmp_path / FILE).chmod(0o666)
    with serving(tmp_path / "log", keys_file=tmp_path / FILE) as server:
        [line] = [line for line in server.log if line.get("event") == "keys_file_writable_by_others"]
        assert (line["level"], line["mode"]) == ("warning", "0666")
        assert status(server, None) == 401
        keys("remove", "alice", folder=tmp_path)
        wait_until(lambda: status(server, alice) == 401)
        assert status(server, None) == 401
        assert httpx.get(f"{server.base_url}/health", trust_env=False).status_code == 200


def test_a_keys_files_stay_its_own_when_it_moves_into_the_file(tmp_path: Path) -> None:
    def uploaded(base_url: str) -> list[str]:
        headers = {"authorization": "Bearer of-mine"}
        answer = httpx.get(f"{base_url}/v1/files", headers=headers, trust_env=False)
        return [file["filename"] for file in answer.json()["data"]]

    settings: dict[str, Any] = {"_env_file": None, "files_dir": str(tmp_path / "files"), "llm": "off"}
    with serving_app(Settings(**settings, api_keys="of-mine")) as base_url:
        httpx.post(
            f"{base_url}/v1/files",
            headers={"authorization": "Bearer of-mine"},
            files={"file": ("a.txt", b"mine")},
            data={"purpose": "user_data"},
            trust_env=False,
        ).raise_for_status()
        assert uploaded(base_url) == ["a.txt"]
    digest = hashlib.sha256(b"of-mine").hexdigest()
    (tmp_path / FILE).write_text(f'[[keys]]\nname = "mine"\nsha256 = "{digest}"\n')
    with serving_app(Settings(**settings, keys_file=str(tmp_path / FILE))) as base_url:
        assert uploaded(base_url) == ["a.txt"]


@pytest.fixture
def guard_model() -> Iterator[str]:
    """The address of a model that is three quarters sure of hate in everything."""

    def reply(body: Mapping[str, Any]) -> Reply:
        asked = re.findall(r"^## (S\d+) ", body["messages"][0]["content"], re.MULTILINE)
        return Reply(json.dumps({code: 0.75 if code == "S10" else 0.0 for code in asked}))

    with serving_llm(reply) as server:
        yield server.base_url


def test_a_key_is_judged_by_its_own_thresholds(guard_model: str, tmp_path: Path) -> None:
    lenient = keys("add", "lenient", "--guard-threshold", "S10=0.9", folder=tmp_path).strip()
    strict = keys("add", "strict", folder=tmp_path).strip()

    def codes(base_url: str, key: str) -> list[str]:
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx.post(f"{base_url}/v1/moderations", headers=headers, json={"input": "Hello."}, trust_env=False)
        found: list[str] = answer.json()["results"][0]["codes"]
        return found

    settings = Settings(
        _env_file=None,
        files_dir=str(tmp_path / "files"),
        llm="off",
        keys_file=str(tmp_path / FILE),
        guard_base_url=guard_model,
        guard_model="gpt-oss-safeguard-20b",
    )
    with serving_app(settings) as base_url:
        assert codes(base_url, strict) == ["S10"]
        assert codes(base_url, lenient) == []


KEY_1 = f'[[keys]]\nname = "x"\nsha256 = "{hashlib.sha256(b"of-1").hexdigest()}"\n'


@pytest.mark.parametrize(
    ("text", "variables", "message"),
    [
        (None, {}, "there is no file 'keys.toml'; `openfaze keys add NAME` makes it"),
        ("[[keys", {}, "OPENFAZE_KEYS_FILE: 'keys.toml' is not valid TOML"),
        (
            f"{KEY_1}budget = 5",
            {},
            "keys[0].budget: no such field; choose from: name, sha256, tenant, guard_thresholds",
        ),
        (
            KEY_1,
            {"OPENFAZE_API_KEYS": "of-0,of-1"},
            "the key 'x' is also in OPENFAZE_API_KEYS; keep it in one of the two",
        ),
        (
            "",
            {"OPENFAZE_HOST": "0.0.0.0"},
            "refusing to listen on 0.0.0.0 without keys: OPENFAZE_KEYS_FILE 'keys.toml'",
        ),
    ],
)
def test_no_keys_are_made_of_a_file_that_will_not_do(
    text: str | None, variables: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if text is not None:
        (tmp_path / FILE).write_text(text)
    with pytest.raises(KeyFileError) as caught:
        build_keys(Settings(_env_file=None, keys_file=FILE))
    assert message in str(caught.value)
    assert "of-1" not in str(caught.value)


def test_a_server_does_not_start_with_a_file_that_will_not_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(KEY_1)
    variables = {"OPENFAZE_API_KEYS": "of-0,of-1", "OPENFAZE_PORT": str(free_port())}
    result = openfaze_here("serve", folder=tmp_path, OPENFAZE_KEYS_FILE=FILE, **variables)
    assert result.returncode == 2
    assert "the key 'x' is also in OPENFAZE_API_KEYS; keep it in one of the two" in result.stderr
    assert "Traceback" not in result.stderr
    assert "of-1" not in result.stderr
