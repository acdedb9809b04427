"""Reads and changes the file of OPENFAZE_KEYS_FILE. The file holds the name and SHA-256 of each key, never the key
itself.

    [[keys]]
    name = "alice"
    sha256 = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"
    requests_per_minute = 60
    expires = 2027-01-31
    tasks = ["ocr", "chat"]
"""

import errno
import hashlib
import json
import os
import secrets
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_core import ErrorDetails

from app.state.counters import BudgetPeriod
from models.safety.guard import CODES

SETTING = "OPENFAZE_KEYS_FILE"
LONGEST_NAME = 64
_LONGEST_QUOTED = 24
"""A message quotes unknown names of at most this many characters. Keys and their digests are longer."""
_PREFIX = "of-"
"""Beginning of every key, by which people and secret scanners recognise a key of openfaze."""
_KEY_BYTES = 32
_TENANT_BYTES = 16
_PRIVATE = 0o600
CHAT = "chat"
"""Name of the full model in keys and metrics, in addition to the names of tasks."""
GUARD = "guardrails"
EMBEDDINGS = "embeddings"
"""Names of the guard and of the embeddings in keys and metrics. Both have separate routes."""
_HEADER = "# `openfaze keys` writes this file and drops comments. Replace it as a whole: servers may be reading it.\n"


class KeyFileError(ValueError):
    """Raised if the file of keys cannot be read, or cannot be changed as requested. When a value is wrong, the message
    quotes it only if it is a short name of an unknown task, code or field, because any other value could be a key."""


def _check_name(name: str) -> str:
    if not name.isprintable() or name != name.strip() or not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"should be 1 to {LONGEST_NAME} printable characters, without spaces around them")
    return name


def _to_upper_case(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _parse_expiry(value: object) -> object:
    """Return the date or date-time in a value, which is a TOML value or the text of an option. Raises ValueError."""
    if value is None or isinstance(value, date):
        return value
    try:
        text = value if isinstance(value, str) else ""
        return date.fromisoformat(text) if len(text) == len("2027-01-31") else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("should be a date (2027-01-31) or a date-time (2027-01-31T18:00:00Z)") from None


def known_task(name: str) -> str:
    """Return the canonical name of a task that keys may be permitted to run. `name` may be an alias. Raises ValueError
    for an unknown name."""
    # Imported late, so that commands that do not need the catalog start sooner.
    from tasks.catalog import ALIASES, SPECIALISTS

    wanted = name.strip().lower()
    task = ALIASES.get(wanted, wanted)
    if task not in (known := (*SPECIALISTS, GUARD, EMBEDDINGS, CHAT)):
        raise _unknown("task", wanted, known)
    return task


def _unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    what = f"{kind} '{name}'" if len(name) <= _LONGEST_QUOTED else f"such {kind}"
    return ValueError(f"no {what}; choose from: {', '.join(known)}")


KeyName = Annotated[str, BeforeValidator(lambda value: _check_name(value) if isinstance(value, str) else value)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$", to_lower=True)]
Code = Annotated[str, BeforeValidator(_to_upper_case)]
Score = Annotated[float, Field(ge=0, le=1)]
Tenant = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
TaskName = Annotated[str, AfterValidator(known_task)]
AtLeastOne = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]
"""Amount of dollars, no larger than the largest amount that is counted exactly."""
Weight = Annotated[float, Field(ge=0.01, le=100)]


class StoredKey(BaseModel):
    """One `[[keys]]` table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: KeyName
    """Name of the key, unique in the file."""
    sha256: Sha256
    """SHA-256 of the key's bytes, in hexadecimal digits."""
    tenant: Tenant | None = None
    """Owner of the key's files and answers. Without this field, the tenant is a digest of the key (`tenant_of`)."""
    guard_thresholds: Mapping[Code, Score] = {}
    """Thresholds of this key, by code. A code of the guard applies if its score is at least its threshold. All other
    codes have the server's thresholds."""
    requests_per_minute: AtLeastOne | None = None
    tokens_per_minute: AtLeastOne | None = None
    concurrent: AtLeastOne | None = None
    """At most this many requests run at the same time."""
    budget_usd: Dollars | None = None
    budget_period: BudgetPeriod | None = None
    """Period for which the budget holds: `day`, `month` or `total`."""
    weight: Weight | None = None
    """Field of earlier versions, which has no effect."""
    expires: Annotated[datetime | date | None, BeforeValidator(_parse_expiry)] = None
    """Last day on which the key is valid (UTC), or the date-time at which it expires, in UTC unless an offset is
    given."""
    tasks: list[TaskName] | None = None
    """Tasks that the key may run, with `chat` for the full model; None for the server's default."""

    @property
    def ends(self) -> datetime | None:
        """First moment at which the key is no longer valid; None if it never expires."""
        return _first_invalid_moment(self.expires)

    @field_validator("guard_thresholds")
    @classmethod
    def _known_codes(cls, value: Mapping[str, float]) -> Mapping[str, float]:
        unknown = sorted(set(value) - set(CODES))
        if unknown:
            raise _unknown("guard code", unknown[0], CODES)
        return value


def _first_invalid_moment(expires: date | datetime | None) -> datetime | None:
    if isinstance(expires, datetime):
        return expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    return None if expires is None else datetime.combine(expires, time.min, UTC) + timedelta(days=1)


class _Contents(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    keys: list[StoredKey] = []


def new_key() -> str:
    """Return a random key. Nobody can guess a key of this length from its plain SHA-256."""
    return _PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def digest_of(key: str) -> bytes:
    """Return the SHA-256 digest by which keys are compared."""
    return hashlib.sha256(key.encode()).digest()


def tenant_of(key: str) -> str:
    """Return the tenant of a key. The tenant is visible as the name of a folder, so it must differ from the digest by
    which keys are compared (`digest_of`)."""
    return hashlib.blake2b(key.encode(), digest_size=_TENANT_BYTES, person=b"openfaze tenant").hexdigest()


def read_keys(path: Path) -> list[StoredKey]:
    """Return the keys in the file. Raises KeyFileError."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise KeyFileError(f"{SETTING}: there is no file '{path}'; `openfaze keys add NAME` makes it") from None
    except OSError as error:
        raise KeyFileError(f"{SETTING}: '{path}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise KeyFileError(f"{SETTING}: '{path}' is not UTF-8 text") from error
    try:
        keys = _Contents.model_validate(tomllib.loads(text)).keys
    except tomllib.TOMLDecodeError as error:
        raise KeyFileError(f"{SETTING}: '{path}' is not valid TOML: {error}") from error
    except ValidationError as error:
        problems = [_describe_problem(problem) for problem in error.errors(include_input=False, include_url=False)]
        # `from None`, because the cause would quote the file.
        raise KeyFileError("\n".join(f"{SETTING}: '{path}': {problem}" for problem in problems)) from None
    _check_unique(path, keys)
    return keys


def _check_unique(path: Path, keys: Sequence[StoredKey]) -> None:
    names: set[str] = set()
    owners: dict[str, str] = {}
    for index, key in enumerate(keys):
        if key.name in names:
            raise KeyFileError(f"{SETTING}: '{path}': keys[{index}].name: there is another key '{key.name}'")
        if key.sha256 in owners:
            raise KeyFileError(
                f"{SETTING}: '{path}': keys[{index}].sha256: '{key.name}' is the same key as '{owners[key.sha256]}'"
            )
        names.add(key.name)
        owners[key.sha256] = key.name


def _describe_problem(problem: ErrorDetails) -> str:
    location = problem["loc"]
    place = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part if len(part) <= _LONGEST_QUOTED else '…'}"
        for part in location
    ).removeprefix(".")
    if problem["type"] == "extra_forbidden":
        known = StoredKey if len(location) > 1 else _Contents
        return f"{place}: no such field; choose from: {', '.join(known.model_fields)}"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def add_key(path: Path, name: str, fields: Mapping[str, Any]) -> str:
    """Add a new key with `fields` to the file, and make the file if it does not exist. Return the key, which is stored
    nowhere. Raises KeyFileError."""
    key = new_key()
    stored = _validate_key({**fields, "name": name, "sha256": digest_of(key).hex(), "tenant": tenant_of(key)})

    def added(keys: Sequence[StoredKey]) -> list[StoredKey]:
        if any(other.name == name for other in keys):
            raise KeyFileError(f"name: '{path}' already has a key '{name}'")
        return [*keys, stored]

    _change(path, added)
    return key


def set_key(path: Path, name: str, fields: Mapping[str, Any]) -> StoredKey:
    """Change `fields` of a key; None removes a field. Raises KeyFileError."""

    def changed(stored: StoredKey) -> StoredKey:
        return _validate_key({**stored.model_dump(), **fields})

    return _replace(path, name, changed)


def rotate_key(path: Path, name: str) -> str:
    """Replace the key of `name` by a new key of the same tenant, and return the new key. Raises KeyFileError, also for
    a key without a tenant in the file, whose tenant only the old key itself would tell."""
    key = new_key()

    def changed(stored: StoredKey) -> StoredKey:
        if stored.tenant is None:
            raise KeyFileError(f"name: '{name}' has no tenant in '{path}', so a new key would lose its uploads")
        return _validate_key({**stored.model_dump(), "sha256": digest_of(key).hex()})

    _replace(path, name, changed)
    return key


def find_key(path: Path, name: str) -> StoredKey:
    """Return the key of `name`. Raises KeyFileError."""
    for key in read_keys(path):
        if key.name == name:
            return key
    raise KeyFileError(f"name: '{path}' has no key '{name}'")


def remove_key(path: Path, name: str) -> int:
    """Remove a key, and return the number of keys that are left. Raises KeyFileError."""

    def left(keys: Sequence[StoredKey]) -> list[StoredKey]:
        others = [key for key in keys if key.name != name]
        if len(others) == len(keys):
            raise KeyFileError(f"name: '{path}' has no key '{name}'")
        return others

    return len(_change(path, left))


def _replace(path: Path, name: str, change: Callable[[StoredKey], StoredKey]) -> StoredKey:
    def changed(keys: Sequence[StoredKey]) -> list[StoredKey]:
        if all(key.name != name for key in keys):
            raise KeyFileError(f"name: '{path}' has no key '{name}'")
        return [change(key) if key.name == name else key for key in keys]

    return next(key for key in _change(path, changed) if key.name == name)


def _validate_key(fields: Mapping[str, Any]) -> StoredKey:
    try:
        return StoredKey.model_validate(fields)
    except ValidationError as error:
        raise KeyFileError(
            "\n".join(map(_describe_problem, error.errors(include_input=False, include_url=False)))
        ) from None


def _change(path: Path, change: Callable[[Sequence[StoredKey]], list[StoredKey]]) -> list[StoredKey]:
    """Replace the file's keys by the keys that `change` returns, and return these. Either the whole file is replaced,
    or it stays unchanged. Raises KeyFileError.

    Only the owner of a new file can read it. An existing file keeps its owner and mode, because otherwise a server that
    runs as another user could no longer read it.
    """
    target = path.resolve()
    # The unfinished file also serves as a lock, because one of two simultaneous changes would be lost.
    unfinished = target.with_name(f".{target.name}.new")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        raise KeyFileError(
            f"{SETTING}: '{path}' is being changed by another `openfaze keys`; if none runs, delete '{unfinished}'"
        ) from None
    except OSError as error:
        raise _write_error(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            exists = target.exists()
            keys = change(read_keys(path) if exists else [])
            if exists:
                _copy_owner_and_mode(target.stat(), file.fileno())
            file.write("\n".join([_HEADER, *map(_to_table, keys)]).encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise _write_error(path, error) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return keys


def _write_error(path: Path, error: OSError) -> KeyFileError:
    remedy = "; mount its folder, not the file itself" if error.errno == errno.EBUSY else ""
    return KeyFileError(f"{SETTING}: '{path}' cannot be written: {error.strerror}{remedy}")


def _copy_owner_and_mode(old: os.stat_result, descriptor: int) -> None:
    if os.name != "posix":
        return
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o777)


def _to_table(key: StoredKey) -> str:
    """Return the `[[keys]]` table of a key, with the fields that have a value in the order of their declaration."""
    values = {field: getattr(key, field) for field in StoredKey.model_fields}
    return "\n".join(
        [
            "[[keys]]",
            *(f"{field} = {_to_toml(value)}" for field, value in values.items() if value not in (None, {})),
            "",
        ]
    )


def _to_toml(value: object) -> str:
    match value:
        case str():
            # A JSON string of printable characters is a TOML string.
            return json.dumps(value, ensure_ascii=False)
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_to_toml, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{name} = {_to_toml(one)}' for name, one in value.items())}}}"
        case _:
            return repr(value)
