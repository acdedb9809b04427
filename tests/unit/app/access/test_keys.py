"""Who may call."""

import asyncio
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.access import keys as access
from app.access.key_file import KeyFileError, add_key, remove_key, rotate_key
from app.access.keys import ApiKeys, Caller, KeyReference
from app.assembly.building import build_keys, without_keys
from app.errors import InvalidApiKey
from app.settings import Settings
from app.state.counters import NANO, Limits


@pytest.mark.parametrize("header", ["Bearer one", "bearer two", "Bearer  one"])
def test_any_of_the_keys_opens(header: str) -> None:
    ApiKeys(["one", "two"]).check(header)


def test_each_key_is_a_tenant_of_its_own_whose_name_is_not_the_key() -> None:
    keys = ApiKeys(["one", "two"])
    tenants = [keys.check(f"Bearer {key}").tenant for key in ("one", "two", "one")]
    assert tenants[0] == tenants[2] != tenants[1]
    assert all(re.fullmatch("[0-9a-f]{32}", tenant) for tenant in tenants)
    assert tenants[0] not in hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize("header", ["Bearer three", "Basic one", "one", "Bearer ONE"])
def test_anything_else_does_not(header: str) -> None:
    with pytest.raises(InvalidApiKey) as refusal:
        ApiKeys(["one", "two"]).check(header)
    assert refusal.value.message == "Invalid API key provided. Send it in the header 'Authorization: Bearer <key>'."


@pytest.mark.parametrize("header", [None, "", " ", "Bearer", "Bearer ", "bearer"])
def test_no_key_at_all_is_told_apart_from_a_wrong_one(header: str | None) -> None:
    with pytest.raises(InvalidApiKey) as refusal:
        ApiKeys(["one", "two"]).check(header)
    assert refusal.value.message == "No API key was provided. Send it in the header 'Authorization: Bearer <key>'."


def test_without_keys_everyone_may_call() -> None:
    assert ApiKeys([]).check(None) == ApiKeys([]).check("Bearer any")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def opens(keys: ApiKeys, key: str) -> bool:
    try:
        keys.check(f"Bearer {key}")
    except InvalidApiKey:
        return False
    return True


def stored(*keys: str) -> str:
    return "".join(f'[[keys]]\nname = "{key}"\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n' for key in keys)


def test_keys_of_the_file_open_beside_the_others(file: Path) -> None:
    alice = add_key(file, "alice", {})
    keys = ApiKeys(["one"], file)
    assert keys.count == 2
    assert opens(keys, "one")
    assert opens(keys, alice)
    assert not opens(keys, hashlib.sha256(alice.encode()).hexdigest())
    assert not opens(keys, "alice")


def test_a_key_is_the_same_tenant_wherever_it_is_kept(file: Path) -> None:
    file.write_text(stored("one"))
    assert ApiKeys([], file).check("Bearer one").tenant == ApiKeys(["one"]).check("Bearer one").tenant


def test_a_key_in_both_is_an_error_and_is_not_printed(file: Path) -> None:
    file.write_text(f'[[keys]]\nname = "alice"\nsha256 = "{hashlib.sha256(b"hunter2").hexdigest()}"')
    with pytest.raises(KeyFileError, match="the key 'alice' is also in OPENFAZE_API_KEYS") as refusal:
        ApiKeys(["hunter2"], file)
    assert "hunter2" not in str(refusal.value)


def test_a_file_without_keys_opens_to_nobody(file: Path) -> None:
    file.touch()
    for header in (None, "", "Bearer ", "Bearer any"):
        with pytest.raises(InvalidApiKey):
            ApiKeys([], file).check(header)


def test_what_is_added_to_and_removed_from_the_file_counts(file: Path) -> None:
    alice = add_key(file, "alice", {})
    keys = ApiKeys(["one"], file)
    bob = add_key(file, "bob", {"guard_thresholds": {"S1": 0.5}})
    assert not opens(keys, bob)
    with capture_logs() as log:
        keys.refresh()
    assert keys.check(f"Bearer {bob}").guard_thresholds == {"S1": 0.5}
    assert log == [{"event": "keys_file_read", "log_level": "info", "keys": 2}]
    remove_key(file, "alice")
    keys.refresh()
    assert [opens(keys, key) for key in (alice, bob, "one")] == [False, True, True]


BROKEN = {
    "no TOML": "[[keys",
    "an unknown field": stored("two") + "limit = 1",
    "a key that is given, too": stored("two", "one"),
    "a key twice": stored("two", "two"),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_version_leaves_the_one_before_it_and_is_logged_once(text: str, file: Path) -> None:
    alice = add_key(file, "alice", {})
    keys = ApiKeys(["one"], file)
    file.write_text(text)
    with capture_logs() as log:
        keys.refresh()
        keys.refresh()
    assert [opens(keys, key) for key in (alice, "one", "two")] == [True, True, False]
    [line] = log
    assert (line["event"], line["log_level"], line["still_valid"]) == ("keys_file_refused", "error", 2)
    assert str(file) in str(line["error"])
    file.write_text(stored("three"))
    keys.refresh()
    assert [opens(keys, key) for key in (alice, "one", "three")] == [False, True, True]


def test_a_file_that_is_gone_leaves_its_keys_until_it_is_back(file: Path) -> None:
    alice = add_key(file, "alice", {})
    keys = ApiKeys([], file)
    content = file.read_bytes()
    file.unlink()
    with capture_logs() as log:
        keys.refresh()
        keys.refresh()
    assert [line["event"] for line in log] == ["keys_file_refused"]
    assert opens(keys, alice)
    file.write_bytes(content + stored("two").encode())
    keys.refresh()
    assert opens(keys, "two")


def test_a_file_that_stays_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_key(file, "alice", {})
    keys = ApiKeys([], file)
    monkeypatch.setattr(access, "read_keys", lambda _: pytest.fail("it was read"))
    keys.refresh()


async def test_the_file_is_followed_until_the_server_ends(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "REFRESH_S", 0.0)
    add_key(file, "alice", {})
    keys = ApiKeys([], file)
    following = asyncio.create_task(keys.follow_file())
    bob = add_key(file, "bob", {})
    async with asyncio.timeout(60):
        while not opens(keys, bob):
            await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com"])
def test_listening_beyond_loopback_needs_keys_or_open(host: str) -> None:
    with pytest.raises(ValueError, match=f"refusing to listen on {host} without keys: set OPENFAZE_API_KEYS"):
        build_keys(Settings(_env_file=None, host=host))
    assert build_keys(Settings(_env_file=None, host=host, open=True)).count == 0
    assert build_keys(Settings(_env_file=None, host=host, api_keys=("k",))).count == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com"])
def test_beyond_loopback_a_file_must_hold_a_key_unless_there_are_others(host: str, file: Path) -> None:
    settings = {"_env_file": None, "host": host, "keys_file": str(file)}
    with pytest.raises(KeyFileError, match="there is no file"):
        build_keys(Settings(**settings))
    file.touch()
    with pytest.raises(KeyFileError, match=f"refusing to listen on {host} without keys: .* holds none"):
        build_keys(Settings(**settings))
    assert build_keys(Settings(**settings, open=True)).count == 0
    assert build_keys(Settings(**settings, api_keys=("one",))).count == 1
    add_key(file, "alice", {})
    assert build_keys(Settings(**settings)).count == 1


def test_a_program_that_nobody_else_reaches_needs_no_keys(file: Path) -> None:
    settings = Settings(_env_file=None, host="0.0.0.0", api_keys=("one",), keys_file=str(file))
    assert build_keys(without_keys(settings)).check(None) == Caller(access.EVERYONE)


def test_a_key_is_found_again_as_long_as_it_is_valid(file: Path) -> None:
    now = 0.0
    mine = add_key(file, "mine", {"guard_thresholds": {"S1": 0.25}})
    ends = datetime(2030, 1, 1, tzinfo=UTC)
    short = add_key(file, "short", {"expires": ends})
    keys = ApiKeys(["given"], file, clock=lambda: now)
    for key in ("given", mine, short):
        caller = keys.check(f"Bearer {key}")
        assert keys.caller_of(caller.key) == caller
    callers = [keys.check(f"Bearer {key}") for key in (mine, short)]
    now = ends.timestamp()
    remove_key(file, "mine")
    keys.refresh()
    gone = [*(caller.key for caller in callers), KeyReference("nobody"), KeyReference(access.EVERYONE)]
    assert [keys.caller_of(key) for key in gone] == [None] * 4


def test_what_everyone_began_is_everyones_while_the_server_asks_for_no_key(file: Path) -> None:
    everyone = ApiKeys([]).check(None).key
    add_key(file, "mine", {})
    assert ApiKeys([]).caller_of(everyone) == Caller(access.EVERYONE)
    assert [keys.caller_of(everyone) for keys in (ApiKeys(["given"]), ApiKeys([], file))] == [None, None]
    assert ApiKeys([]).caller_of(ApiKeys(["given"]).check("Bearer given").key) is None


def test_keys_whose_tenants_the_file_does_not_say_are_told_apart(file: Path) -> None:
    file.write_text(stored("one") + 'tasks = ["ocr"]\n' + stored("two"))
    keys = ApiKeys([], file)
    one, two = (keys.check(f"Bearer {key}") for key in ("one", "two"))
    assert (one.tasks, keys.caller_of(one.key)) == ({"ocr"}, one)
    with pytest.raises(KeyFileError):
        rotate_key(file, "one")
    remove_key(file, "one")
    keys.refresh()
    assert [keys.caller_of(caller.key) for caller in (one, two)] == [None, two]


def test_of_two_keys_of_one_tenant_each_is_itself(file: Path) -> None:
    tenant = f'tenant = "{"a" * 32}"\n'
    file.write_text(stored("loose") + tenant + stored("strict") + tenant + 'tasks = ["ocr"]\n')
    keys = ApiKeys([], file)
    loose, strict = (keys.check(f"Bearer {key}") for key in ("loose", "strict"))
    assert [keys.caller_of(caller.key) for caller in (loose, strict)] == [loose, strict]
    remove_key(file, "strict")
    keys.refresh()
    assert keys.caller_of(strict.key) is None


def test_a_key_is_found_again_after_it_was_rotated_or_renamed(file: Path) -> None:
    add_key(file, "other", {})
    keys = ApiKeys([], file)
    key = add_key(file, "mine", {"tasks": ["ocr"]})
    keys.refresh()
    before = keys.check(f"Bearer {key}")
    file.write_text(file.read_text().replace('"mine"', '"renamed"'))
    keys.refresh()
    renamed = keys.caller_of(before.key)
    assert renamed == replace(before, name="renamed")
    rotated = rotate_key(file, "renamed")
    keys.refresh()
    assert keys.caller_of(renamed.key) == keys.check(f"Bearer {rotated}")


def test_keys_without_limits_of_their_own_have_the_default_ones(file: Path) -> None:
    own = {"requests_per_minute": 5, "budget_usd": 0.5, "tasks": ["stt"]}
    alice, bob = add_key(file, "alice", own), add_key(file, "bob", {})
    settings = Settings(
        _env_file=None,
        keys_file=str(file),
        api_keys=("one",),
        default_requests_per_minute=7,
        default_budget_usd=3,
        default_tasks=("ocr", "chat"),
    )
    keys = build_keys(settings)
    default = Limits(requests_per_minute=7, budget=3 * NANO)
    for key in (bob, "one"):
        caller = keys.check(f"Bearer {key}")
        assert (caller.limits, caller.tasks) == (default, {"ocr", "chat"})
    caller = keys.check(f"Bearer {alice}")
    assert caller.limits == replace(default, requests_per_minute=5, budget=NANO // 2)
    assert (caller.name, caller.tasks) == ("alice", {"speech_to_text"})


def test_a_default_task_that_nobody_knows_keeps_the_server_from_starting() -> None:
    with pytest.raises(ValueError, match="^OPENFAZE_DEFAULT_TASKS: no task 'cooking'; choose from: "):
        build_keys(Settings(_env_file=None, default_tasks=("cooking",)))
