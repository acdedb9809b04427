"""The file of OPENFAZE_KEYS_FILE: keys by their names and SHA-256, never the keys themselves.

[[keys]]
name = "alice"
sha256 = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"
guard_thresholds = {S1 = 0.6}
"""

import errno
import hashlib
import json
import os
import secrets
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import ErrorDetails

from models.safety.guard import CODES

SETTING = "OPENFAZE_KEYS_FILE"
LONGEST_NAME = 64
_PREFIX = "of-"
"""Tells people and secret scanners whose key it is that they have found."""
_KEY_BYTES = 32
_TENANT_BYTES = 16
_PRIVATE = 0o600
_HEADER = "# `openfaze keys` writes this file, and keeps no comments. Do not write in place what servers are reading.\n"


class KeyFileError(ValueError):
    """What the file says, or where it lies, will not do. Quotes no value that is wrong: it could be a key itself."""


def _is_a_name(name: str) -> str:
    if not name.isprintable() or name != name.strip() or not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"should be 1 to {LONGEST_NAME} printable characters, without spaces around them")
    return name


def _in_upper_case(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


KeyName = Annotated[str, BeforeValidator(lambda value: _is_a_name(value) if isinstance(value, str) else value)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$", to_lower=True)]
Tenant = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
Code = Annotated[str, BeforeValidator(_in_upper_case)]
Score = Annotated[float, Field(ge=0, le=1)]


class StoredKey(BaseModel):
    """One `[[keys]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: KeyName
    """Unique in the file."""
    sha256: Sha256
    """The hash of the key's bytes, in hexadecimal digits."""
    tenant: Tenant | None = None
    """Whose files and answers are the key's; a key that does not say it has a digest of its own (`tenant_of`)."""
    guard_thresholds: Mapping[Code, Score] = {}
    """Scores from which on a guard's code applies for this key, where it has its own."""

    @field_validator("guard_thresholds")
    @classmethod
    def _known_codes(cls, value: Mapping[str, float]) -> Mapping[str, float]:
        unknown = sorted(set(value) - set(CODES))
        if unknown:
            raise ValueError(f"no guard code '{unknown[0]}'; there are: {', '.join(CODES)}")
        return value


class _Contents(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    keys: list[StoredKey] = []


def new_key() -> str:
    """A key that nobody guesses: for one of fewer random bytes, a plain SHA-256 would hide too little."""
    return _PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def digest_of(key: str) -> bytes:
    """What keys are compared by; `sha256` in the file."""
    return hashlib.sha256(key.encode()).digest()


def tenant_of(key: str) -> str:
    """Another digest than the one that keys are compared by: this one can be seen, as the name of a folder."""
    return hashlib.blake2b(key.encode(), digest_size=_TENANT_BYTES, person=b"openfaze tenant").hexdigest()


def read_keys(path: Path) -> list[StoredKey]:
    """Raises KeyFileError."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise KeyFileError(f"{SETTING}: there is no file '{path}'; `openfaze keys add NAME` makes it") from None
    except OSError as error:
        raise KeyFileError(f"{SETTING}: '{path}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise KeyFileError(f"{SETTING}: '{path}' is no text in UTF-8") from error
    try:
        keys = _Contents.model_validate(tomllib.loads(text)).keys
    except tomllib.TOMLDecodeError as error:
        raise KeyFileError(f"{SETTING}: '{path}' is no TOML: {error}") from error
    except ValidationError as error:
        problems = [_sentence(problem) for problem in error.errors(include_input=False, include_url=False)]
        # Without the cause, which quotes the file.
        raise KeyFileError("\n".join(f"{SETTING}: '{path}': {problem}" for problem in problems)) from None
    _check_unique(path, keys)
    return keys


def _check_unique(path: Path, keys: Sequence[StoredKey]) -> None:
    names: set[str] = set()
    owners: dict[str, str] = {}
    for place, key in enumerate(keys):
        if key.name in names:
            raise KeyFileError(f"{SETTING}: '{path}': keys[{place}].name: there is another key '{key.name}'")
        if key.sha256 in owners:
            raise KeyFileError(
                f"{SETTING}: '{path}': keys[{place}].sha256: '{key.name}' is the same key as '{owners[key.sha256]}'"
            )
        names.add(key.name)
        owners[key.sha256] = key.name


def _sentence(problem: ErrorDetails) -> str:
    location = problem["loc"]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    if problem["type"] == "extra_forbidden":
        known = StoredKey if len(location) > 1 else _Contents
        return f"{place}: no such field; there are: {', '.join(known.model_fields)}"
    if problem["type"] == "string_pattern_mismatch":
        return f"{place}: should be the key's SHA-256 in 64 hexadecimal digits"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def add_key(path: Path, name: str, guard_thresholds: Mapping[str, float]) -> str:
    """Makes a key and the file where there is none; returns the key, which is kept nowhere. Raises KeyFileError."""
    key = new_key()
    fields = {
        "name": name,
        "sha256": digest_of(key).hex(),
        "tenant": tenant_of(key),
        "guard_thresholds": dict(guard_thresholds),
    }
    try:
        stored = StoredKey.model_validate(fields)
    except ValidationError as error:
        raise KeyFileError("\n".join(map(_sentence, error.errors(include_input=False, include_url=False)))) from None

    def added(keys: Sequence[StoredKey]) -> list[StoredKey]:
        if any(other.name == name for other in keys):
            raise KeyFileError(f"name: '{path}' has a key '{name}' already")
        return [*keys, stored]

    _change(path, added)
    return key


def remove_key(path: Path, name: str) -> int:
    """Returns how many keys are left. Raises KeyFileError."""

    def left(keys: Sequence[StoredKey]) -> list[StoredKey]:
        others = [key for key in keys if key.name != name]
        if len(others) == len(keys):
            raise KeyFileError(f"name: '{path}' has no key '{name}'")
        return others

    return len(_change(path, left))


def _change(path: Path, change: Callable[[Sequence[StoredKey]], list[StoredKey]]) -> list[StoredKey]:
    """Writes and returns what `change` makes of the keys, the whole file or nothing. Raises KeyFileError.

    A new file is its owner's alone; one that is there keeps owner and mode, or else a server of another user could no
    longer read it.
    """
    target = path.resolve()
    # The one name keeps others from changing the file meanwhile: one of two changes at once would be lost.
    unfinished = target.with_name(f".{target.name}.new")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        raise KeyFileError(
            f"{SETTING}: '{path}' is being changed by another `openfaze keys`; if none runs, delete '{unfinished}'"
        ) from None
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            there = target.exists()
            keys = change(read_keys(path) if there else [])
            if there:
                _take_over(target.stat(), file.fileno())
            file.write("\n".join([_HEADER, *map(_table, keys)]).encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise _cannot_be_written(path, error) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return keys


def _cannot_be_written(path: Path, error: OSError) -> KeyFileError:
    remedy = "; mount the folder that it lies in, not the file" if error.errno == errno.EBUSY else ""
    return KeyFileError(f"{SETTING}: '{path}' cannot be written: {error.strerror}{remedy}")


def _take_over(old: os.stat_result, descriptor: int) -> None:
    if os.name != "posix":
        return
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o777)


def _table(key: StoredKey) -> str:
    # A JSON string of printable characters is a TOML string.
    lines = ["[[keys]]", f"name = {json.dumps(key.name, ensure_ascii=False)}", f'sha256 = "{key.sha256}"']
    if key.tenant:
        lines.append(f'tenant = "{key.tenant}"')
    if key.guard_thresholds:
        pairs = ", ".join(f"{code} = {float(score)!r}" for code, score in key.guard_thresholds.items())
        lines.append(f"guard_thresholds = {{{pairs}}}")
    return "\n".join(lines) + "\n"
