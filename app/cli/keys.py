"""`openfaze keys`: lists and changes the keys of OPENFAZE_KEYS_FILE, their limits and their usage.

Every command imports this module for its help texts. Parts of the server are therefore imported inside the functions
that need them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from app.cli import fail, read_settings

if TYPE_CHECKING:
    from app.access.key_file import StoredKey
    from app.state.usage import DailyUsage, UsageStore

T = TypeVar("T")

keys = typer.Typer(
    no_args_is_help=True, help="The keys of OPENFAZE_KEYS_FILE: what each may use, and what it has used."
)

_OPTIONS = (
    "requests_per_minute",
    "tokens_per_minute",
    "concurrent",
    "budget_usd",
    "budget_period",
    "expires",
    "tasks",
)
"""Fields of a stored key that are also options of commands, in the order of their listing."""

Name = Annotated[str, typer.Argument(help="Name of the key, as `list` shows it.")]
RequestsPerMinute = Annotated[int | None, typer.Option(help="Limit on requests per minute.")]
TokensPerMinute = Annotated[
    int | None, typer.Option(help="Limit on tokens per minute, of prompts and answers together.")
]
Concurrent = Annotated[int | None, typer.Option(help="Limit on requests that run at the same time.")]
BudgetUsd = Annotated[float | None, typer.Option(help="Budget in dollars, by OPENFAZE_PRICES.")]
BudgetPeriod = Annotated[str | None, typer.Option(help="Period of the budget: day, month (the default) or total.")]
Expires = Annotated[str | None, typer.Option(help="Last day of the key (2027-01-31, UTC), or a date-time.")]
Tasks = Annotated[str | None, typer.Option(help="Tasks that the key may run: ocr,stt,chat. `chat` is the full model.")]
Thresholds = Annotated[
    list[str] | None,
    typer.Option(
        help="Least score at which a code of the guard applies to this key: S1=0.6. May be given several times.",
        metavar="CODE=SCORE",
    ),
]


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Name of the key's owner, as `list` will show it.")],
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    concurrent: Concurrent = None,
    budget_usd: BudgetUsd = None,
    budget_period: BudgetPeriod = None,
    expires: Expires = None,
    tasks: Tasks = None,
    guard_threshold: Thresholds = None,
) -> None:
    """Make a key and print it. It is never shown again, because the file holds only its SHA-256."""
    from app.access import key_file

    fields = _fields(locals())
    file = _keys_file()
    typer.echo(_use_key_file(lambda: key_file.add_key(file, name, fields)))
    typer.echo(f"'{name}' is in {file}; the key itself is stored nowhere", err=True)
    ends = key_file.find_key(file, name).ends
    if ends is not None and ends <= datetime.now(UTC):
        typer.echo(f"it has already expired, at {ends:%Y-%m-%d %H:%M} UTC: no server accepts it", err=True)


@keys.command("set")
def set_key(
    name: Name,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    concurrent: Concurrent = None,
    budget_usd: BudgetUsd = None,
    budget_period: BudgetPeriod = None,
    expires: Expires = None,
    tasks: Tasks = None,
    guard_threshold: Thresholds = None,
    unset: Annotated[
        list[str] | None,
        typer.Option(help="A limit to remove, by its option: tokens-per-minute. May be given several times."),
    ] = None,
) -> None:
    """Change what a key may use. Running servers follow within two seconds."""
    from app.access import key_file

    fields = _fields(locals())
    for option in unset or []:
        field = option.removeprefix("--").replace("-", "_")
        if field not in _OPTIONS:
            fail(f"--unset: no limit '{option}'; choose from: {', '.join(_OPTIONS).replace('_', '-')}")
        fields[field] = None
    if not fields:
        fail("there is nothing to set: name a limit, as `openfaze keys set --help` lists them")
    file = _keys_file()
    typer.echo(_line(_use_key_file(lambda: key_file.set_key(file, name, fields))), err=True)


@keys.command("list")
def list_keys() -> None:
    """List the keys: their names, the beginning of their SHA-256, and what they may use."""
    from app.access import key_file

    file = _keys_file()
    stored = _use_key_file(lambda: key_file.read_keys(file))
    width = max((len(key.name) for key in stored), default=0)
    for key in stored:
        typer.echo(_line(key, width))


@keys.command("usage")
def show_usage(
    name: Annotated[str, typer.Argument(help="Show only this key.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show what each key has used, by day (UTC). Servers record it every few seconds."""
    used = [one for one in _use_store(lambda store: store.usage()) if name in ("", one.name)]
    if name and not used:
        from app.access import key_file

        file = _keys_file()
        _use_key_file(lambda: key_file.find_key(file, name))
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in used], ensure_ascii=False))
        return
    header = ("name", "day", "requests", "input tokens", "output tokens", "USD")
    rows = [
        (one.name, one.day, f"{one.requests:,}", f"{one.input_tokens:,}", f"{one.output_tokens:,}", _dollars(one))
        for one in used
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        texts = (cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False))
        numbers = (cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))
        typer.echo("  ".join([*texts, *numbers]))


@keys.command("rotate")
def rotate_key(name: Name) -> None:
    """Replace the key of a name, and print the new key, which is never shown again. Uploads, limits and counts stay.
    Running servers refuse the old key within two seconds."""
    from app.access import key_file

    file = _keys_file()
    typer.echo(_use_key_file(lambda: key_file.rotate_key(file, name)))
    typer.echo(f"'{name}' has a new key in {file}; the key itself is stored nowhere", err=True)


@keys.command("remove")
def remove_key(
    name: Name,
    purge: Annotated[
        bool, typer.Option(help="Also delete the uploads, answers and counts of the key. This takes some seconds.")
    ] = False,
) -> None:
    """Remove a key. Running servers refuse it within two seconds."""
    from app.access import key_file
    from app.errors import ApiError
    from app.state.entries import StoreDown

    file = _keys_file()
    tenant = _use_key_file(lambda: key_file.find_key(file, name)).tenant if purge else None
    if purge and tenant is None:
        fail(f"'{name}' has no tenant in {file}, so its uploads cannot be found: remove it without --purge")
    for other in _use_key_file(lambda: key_file.read_keys(file)) if purge else ():
        if other.tenant == tenant and other.name != name:
            fail(f"'{other.name}' has the same tenant, and would lose its uploads: remove '{name}' without --purge")
    left = _use_key_file(lambda: key_file.remove_key(file, name))
    typer.echo(
        f"'{name}' is no longer in {file}, which holds {left or 'no'} key{'' if left == 1 else 's'} now", err=True
    )
    if tenant is not None:
        try:
            for line in asyncio.run(_purge_tenant(tenant)):
                typer.echo(line, err=True)
        except (ApiError, StoreDown) as error:
            fail(f"not everything that is stored for '{name}' ({tenant}) could be deleted: {error}")


async def _purge_tenant(tenant: str) -> list[str]:
    from app.access.admission import FLUSH_S
    from app.access.keys import REFRESH_S
    from app.upkeep.tenant_deletion import build_purges

    # During this time, running servers may still accept the key and record its usage.
    await asyncio.sleep(REFRESH_S + FLUSH_S + 1)
    return [f"deleted: {what}: {count}" for what, count in await build_purges(read_settings())(tenant)]


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return the given options as fields of the key file."""
    fields = {name: given[name] for name in _OPTIONS if given[name] is not None}
    if "tasks" in fields:
        fields["tasks"] = [task.strip() for task in fields["tasks"].split(",") if task.strip()]
        if not fields["tasks"]:
            fail("--tasks: name tasks, such as ocr,chat, or leave it out for a key that may run all of them")
    if given["guard_threshold"]:
        fields["guard_thresholds"] = _thresholds(given["guard_threshold"])
    return fields


def _thresholds(pairs: list[str]) -> dict[str, float]:
    from models.safety.text.settings import thresholds_in

    try:
        return {code: float(score) for pair in pairs for code, score in thresholds_in(pair).items()}
    except ValueError as error:
        fail(f"--guard-threshold: {error}")


def _line(key: "StoredKey", width: int = 0) -> str:
    thresholds = (f"{code}={score:g}" for code, score in key.guard_thresholds.items())
    return "  ".join(filter(None, [f"{key.name:{width}}", key.sha256[:8], *_limits(key), " ".join(thresholds)]))


def _limits(key: "StoredKey") -> Iterator[str]:
    for field in _OPTIONS:
        value = getattr(key, field)
        if value is not None:
            yield f"{field.replace('_', '-')}={_shown(value)}"


def _shown(value: object) -> object:
    from app.access.admission import format_dollars

    if isinstance(value, list):
        return ",".join(value)
    return format_dollars(value) if isinstance(value, float) else value


def _dollars(usage: "DailyUsage") -> str:
    from app.state.counters import NANO

    return f"{usage.money / NANO:.6f}"


def _as_json(usage: "DailyUsage") -> dict[str, object]:
    from app.state.counters import NANO

    return {
        "name": usage.name,
        "day": usage.day,
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "usd": usage.money / NANO,
    }


def _keys_file() -> Path:
    file = read_settings().keys_file
    if not file:
        fail("OPENFAZE_KEYS_FILE: set it to the path of the file of keys, which need not exist yet")
    return Path(file)


def _use_key_file(work: Callable[[], T]) -> T:
    from app.access.key_file import KeyFileError

    try:
        return work()
    except KeyFileError as error:
        fail(str(error))


def _use_store(work: Callable[["UsageStore"], Awaitable[T]]) -> T:
    from app.assembly.building import build_database
    from app.state.entries import StoreDown
    from app.state.usage import UsageStore

    async def run() -> T:
        database = build_database(read_settings())
        try:
            return await work(UsageStore(database))
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except (StoreDown, ValueError) as error:
        fail(f"OPENFAZE_STATE_URL: what keys have used cannot be read: {error}")
