"""Deletes all data that a server stores for one tenant: batches, uploads, usage, responses and cached answers."""

from collections.abc import Awaitable, Callable

from app.assembly.building import (
    build_counters,
    build_database,
    build_entry_store,
    build_files,
    build_responses,
    has_cache,
)
from app.batches.store import BatchStore
from app.settings import Settings
from app.state.usage import UsageStore


def build_purges(settings: Settings) -> Callable[[str], Awaitable[list[tuple[str, int]]]]:
    """Return a function that deletes all data of a tenant, and returns how much of each kind it deleted. Raises
    ValueError."""

    async def purge(tenant: str) -> list[tuple[str, int]]:
        database = build_database(settings)
        files, batches = build_files(settings, database), BatchStore(database)
        responses, usage = build_responses(settings, database), UsageStore(database)
        counters = build_counters(settings, usage)
        try:
            # Batches are deleted first, because running batches write files.
            deleted = [("batches", await batches.purge(tenant)), ("uploads", await files.purge(tenant))]
            await counters.forget(tenant)
            deleted.append(("days of usage", await usage.forget(tenant)))
            deleted.append(("responses", await responses.purge(tenant)))
            # Answers are deleted even if the cache is switched off, or its settings are missing in this shell.
            if has_cache(settings):
                answers = build_entry_store(settings)
                try:
                    deleted.append(("answers", await answers.purge(tenant)))
                finally:
                    await answers.close()
        finally:
            for store in (files, counters, responses, database):
                await store.close()
        return deleted

    return purge
