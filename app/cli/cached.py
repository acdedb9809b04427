"""`openfaze cache`: show and delete the cached answers. The server may run meanwhile."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer
from rich.console import Console
from rich.table import Table

from app.access.key_file import KeyFileError, read_keys
from app.access.keys import EVERYONE
from app.assembly.building import build_cache_stores
from app.cli import fail
from app.settings import PREFIX, Settings
from app.state.entries import EntryTotals, InspectableStore, StoreDown

T = TypeVar("T")

_MB = 1 << 20
_TENANT = re.compile("[0-9a-f]{32}")


def show(settings: Settings, *, as_json: bool) -> None:
    """Print the number and size of the entries of each key."""
    names = _key_names(settings)
    totals = [one for found in _ask_stores(settings, lambda store: store.entry_totals()) for one in found]
    if as_json:
        typer.echo(json.dumps([_to_json(one, names) for one in totals], indent=2))
        return
    if not totals:
        typer.echo("the cache is empty")
        return
    table = Table("key", "kind", "entries", "MB", box=None, pad_edge=False)
    for one in totals:
        table.add_row(names.get(one.tenant, one.tenant), one.kind, str(one.entries), f"{one.size / _MB:.2f}")
    Console().print(table)


def purge(settings: Settings, key: str | None) -> None:
    """Delete the entries of `key`, or all entries."""
    tenant = None if key is None else _tenant_of(settings, key)

    count = sum(_ask_stores(settings, lambda store: store.purge(tenant)))
    typer.echo(f"{count} {'entry' if count == 1 else 'entries'} deleted", err=True)


def _to_json(total: EntryTotals, names: dict[str, str]) -> dict[str, object]:
    name = names.get(total.tenant)
    return {"key": name, "tenant": total.tenant, "kind": total.kind, "entries": total.entries, "bytes": total.size}


def _ask_stores(settings: Settings, ask: Callable[[InspectableStore], Awaitable[T]]) -> list[T]:
    """Return what `ask` returns for each store of the cache. Exits with status 2 if one cannot be reached."""

    async def ask_all() -> list[T]:
        stores = build_cache_stores(settings)
        try:
            return [await ask(store) for store in stores]
        finally:
            for store in stores:
                await store.close()

    try:
        return asyncio.run(ask_all())
    except StoreDown as error:
        fail(f"the cache could not be reached ({PREFIX}CACHE_URL): {error}")
    except ValueError as error:
        fail(str(error))


def _key_names(settings: Settings) -> dict[str, str]:
    """Return the names of keys by tenant, for the keys in the key file that have a tenant."""
    if not settings.keys_file:
        return {EVERYONE: "(no key)"}
    try:
        keys = read_keys(Path(settings.keys_file))
    except KeyFileError as error:
        fail(str(error))
    return {EVERYONE: "(no key)"} | {key.tenant: key.name for key in keys if key.tenant}


def _tenant_of(settings: Settings, key: str) -> str:
    if _TENANT.fullmatch(key):
        return key
    found = [tenant for tenant, name in _key_names(settings).items() if name == key]
    if not found:
        fail(
            f"--key: {PREFIX}KEYS_FILE has no key '{key}' with a tenant. For a key that was removed, or made by an "
            "earlier version, give the tenant: `openfaze cache stats` shows it"
        )
    return found[0]
