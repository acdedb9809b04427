"""The file of keys: what it may say, and how it is written."""

import hashlib
import os
import re
import stat
import threading
from pathlib import Path

import pytest

from app.access.key_file import KeyFileError, add_key, new_key, read_keys, remove_key

ONE, TWO = (hashlib.sha256(key).hexdigest() for key in (b"one", b"two"))


def saved(folder: Path, text: str) -> Path:
    path = folder / "keys.toml"
    path.write_text(text)
    return path


def table(name: str = "alice", sha256: str = ONE, more: str = "") -> str:
    return f'[[keys]]\nname = "{name}"\nsha256 = "{sha256}"\n{more}\n'


def test_keys_have_names_digests_and_thresholds(tmp_path: Path) -> None:
    text = table(more="guard_thresholds = {S1 = 0.6, s12_image = 1}") + table("bob", TWO.upper())
    alice, bob = read_keys(saved(tmp_path, text))
    assert (alice.name, alice.sha256, alice.guard_thresholds) == ("alice", ONE, {"S1": 0.6, "S12_IMAGE": 1.0})
    assert (bob.name, bob.sha256, bob.guard_thresholds) == ("bob", TWO, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table(more="limit = 5"), "keys[0].limit: no such field; choose from: name, sha256, tenant, guard_thresholds"),
        (table() + table("bob", TWO, 'key = "two"'), "keys[1].key: no such field"),
        ("[[key]]\nname = 'x'", "key: no such field; choose from: keys"),
        ("[keys]\nname = 'x'", "keys: "),
        ("[[keys]]\nname = 'x'", "keys[0].sha256: "),
        (table(sha256=ONE[:-1]), "keys[0].sha256: "),
        ("[[keys]]\nname = 'x'\nsha256 = 12", "keys[0].sha256: "),
        (table(name=""), "keys[0].name: should be 1 to 64 printable characters"),
        (table(name="x" * 65), "keys[0].name: should be 1 to 64"),
        (table(name=" x"), "keys[0].name: should be 1 to 64"),
        (table(name="a\\nb"), "keys[0].name: should be 1 to 64"),
        (table(more="guard_thresholds = {S99 = 0.5}"), "keys[0].guard_thresholds: no guard code 'S99'"),
        (table(more="guard_thresholds = {S1 = 1.5}"), "keys[0].guard_thresholds.S1: "),
        (table(more="guard_thresholds = {S1 = true}"), "keys[0].guard_thresholds.S1: "),
        (table(more="guard_thresholds = 'S1=0.5'"), "keys[0].guard_thresholds: "),
        (table(more="tenant = 'team-a'"), "keys[0].tenant: "),
        (table(more="requests_per_minute = '60'"), "keys[0].requests_per_minute: "),
        (table(more="concurrent = 0"), "keys[0].concurrent: "),
        (table(more="budget_usd = '$10'"), "keys[0].budget_usd: "),
        (table(more="expires = 20270131"), "keys[0].expires: should be a date (2027-01-31) or a date-time"),
        (table(more="expires = 10:00:00"), "keys[0].expires: should be a date (2027-01-31) or a date-time"),
        (table(more="tasks = 'ocr'"), "keys[0].tasks: "),
        (table() + table(sha256=TWO), "keys[1].name: there is another key 'alice'"),
        (table() + table("bob"), "keys[1].sha256: 'bob' is the same key as 'alice'"),
        ("[[keys]\n", "is not valid TOML: "),
    ],
)
def test_whatever_else_it_says_is_refused_by_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = saved(tmp_path, text)
    with pytest.raises(KeyFileError, match=re.escape(message)) as refusal:
        read_keys(path)
    assert str(refusal.value).startswith(f"OPENFAZE_KEYS_FILE: '{path}'")


def test_what_may_be_a_key_is_not_quoted(tmp_path: Path) -> None:
    text = '[[keys]]\nname = "x"\nsha256 = "of-secret"\nkey = "of-secret"\nguard_thresholds = {S1 = "of-secret"}'
    with pytest.raises(KeyFileError) as refusal:
        read_keys(saved(tmp_path, text))
    assert str(refusal.value).count("\n") == 2
    assert "of-secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('tasks = ["ocr", "{}"]', "keys[0].tasks[1]: no such task; choose from: ocr"),
        ("guard_thresholds = {{{} = 0.5}}", "keys[0].guard_thresholds: no such guard code; choose from: S1"),
        ("guard_thresholds = {{{} = 5}}", "keys[0].guard_thresholds.…: Input should be less than or equal to 1"),
        ("{} = true", "keys[0].…: no such field"),
    ],
)
def test_a_key_in_the_place_of_a_name_is_not_quoted(more: str, message: str, tmp_path: Path) -> None:
    key = new_key()
    with pytest.raises(KeyFileError) as refusal:
        read_keys(saved(tmp_path, table(more=more.format(key))))
    assert message in str(refusal.value)
    assert key[:10].lower() not in str(refusal.value).lower()


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"there is no file '.*'; `openfaze keys add NAME` makes it"):
        read_keys(tmp_path / "none")
    with pytest.raises(KeyFileError, match="cannot be read: Is a directory"):
        read_keys(tmp_path)
    (tmp_path / "keys.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(KeyFileError, match="is not UTF-8 text"):
        read_keys(tmp_path / "keys.toml")


def test_a_new_key_is_long_and_random_and_kept_as_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    keys = [add_key(path, name, {}) for name in ("alice", "bob")]
    for key in keys:
        assert re.fullmatch(r"of-[A-Za-z0-9_-]{43}", key)
        assert key not in path.read_text()
    assert [stored.sha256 for stored in read_keys(path)] == [hashlib.sha256(key.encode()).hexdigest() for key in keys]


@pytest.mark.parametrize("name", ["alice", 'Zoë "the quoted" \\ backslash', "日本", "a = [b]", "x" * 64])
def test_what_was_written_reads_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, "first", {})
    add_key(path, name, {"guard_thresholds": {"S1": 0.6, "S10": 1e-7, "S12_IMAGE": 1.0}})
    _, stored = read_keys(path)
    assert stored.name == name
    assert stored.guard_thresholds == {"S1": 0.6, "S10": 1e-7, "S12_IMAGE": 1.0}


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    path = saved(tmp_path, table(more="limit = 5"))
    before = path.read_bytes()
    for change in (lambda: add_key(path, "bob", {}), lambda: remove_key(path, "alice")):
        with pytest.raises(KeyFileError, match="no such field"):
            change()
    assert path.read_bytes() == before


def test_the_file_is_its_owners_alone_and_keeps_the_mode_that_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, "alice", {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    add_key(path, "bob", {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_file_keeps_its_owner(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs to be root to give a file away")
    path = tmp_path / "keys.toml"
    add_key(path, "alice", {})
    os.chown(path, 1234, 1235)
    add_key(path, "bob", {})
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    link = tmp_path / "keys.toml"
    link.symlink_to(tmp_path / "secret" / "real.toml")
    for name in ("alice", "bob"):
        add_key(link, name, {})
    assert link.is_symlink()
    assert [key.name for key in read_keys(tmp_path / "secret" / "real.toml")] == ["alice", "bob"]


def test_whoever_reads_meanwhile_sees_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, "first", {})
    done = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not done.is_set():
            seen.append(len(read_keys(path)))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        add_key(path, f"key {number}", {})
    done.set()
    reader.join()
    assert seen == sorted(seen)
    assert seen[0] >= 1


def test_of_two_changes_at_once_one_is_refused_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    made: list[str] = []
    refusals: list[str] = []

    def make(worker: int) -> None:
        for number in range(10):
            name = f"{worker}-{number}"
            try:
                add_key(path, name, {})
            except KeyFileError as refusal:
                refusals.append(str(refusal))
            else:
                made.append(name)

    workers = [threading.Thread(target=make, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {key.name for key in read_keys(path)} == {*made}
    assert len(made) + len(refusals) == 40
    assert all("is being changed by another `openfaze keys`" in refusal for refusal in refusals)


def test_what_a_change_that_died_has_left_is_named(tmp_path: Path) -> None:
    (tmp_path / ".keys.toml.new").touch()
    with pytest.raises(KeyFileError, match=r"if none runs, delete '.*/\.keys\.toml\.new'"):
        add_key(tmp_path / "keys.toml", "alice", {})
