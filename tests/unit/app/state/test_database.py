"""The database: its tables, a file that is damaged, and a server that is not there."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from structlog.testing import capture_logs

from app.assembly.building import build_database
from app.settings import Settings
from app.state.counters import CountedKey
from app.state.database import HEAD, VERSION_TABLE, Database, migrate, parse_url, sqlite_url
from app.state.entries import StoreDown
from app.state.tables import SPENT, STATE, USAGE
from app.state.usage import UsageStore
from tests.kit.servers.postgres_server import serving_postgres

ROW = {"tenant": "alice", "name": "laptop", "period": "total", "money": 5}


def put(connection: Connection) -> None:
    connection.execute(insert(SPENT).values(**ROW))


def rows(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(select(SPENT))]


async def test_the_migrations_make_the_tables_that_the_code_knows(state_url: str) -> None:
    database = Database(parse_url("URL", state_url))

    def differences(connection: Connection) -> list[Any]:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), STATE)
        revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
        return [*found, *([revision] if revision != HEAD else [])]

    assert await database.read(differences) == []
    await database.close()


async def test_what_tenants_had_spent_counts_for_each_of_their_keys(state_url: str) -> None:
    earlier = Database(parse_url("URL", state_url), lambda connection: migrate(connection, "0001"))
    used = {"day": "2027-01-15", "requests": 1, "input_tokens": 1, "output_tokens": 1, "money": 1}

    def put_earlier(connection: Connection) -> None:
        for name in ("alice", "bob"):
            connection.execute(insert(USAGE).values(tenant="shared", name=name, **used))
        connection.execute(text("INSERT INTO spent VALUES ('shared', '2027-01', 5), ('given', 'total', 7)"))

    await earlier.write(put_earlier)
    database = Database(parse_url("URL", state_url))
    store = UsageStore(database)
    keys = (("shared", "alice"), ("shared", "bob"), ("shared", "carol"), ("given", ""), ("given", "alice"))
    periods = {"shared": "2027-01", "given": "total"}
    assert [await store.spent(CountedKey(*key), periods[key[0]]) for key in keys] == [5, 5, 0, 7, 0]
    assert len(await store.usage()) == 2
    for one in (earlier, database):
        await one.close()


async def test_servers_that_start_together_make_the_tables_once(state_url: str) -> None:
    databases = [Database(parse_url("URL", state_url)) for _ in range(4)]
    assert await asyncio.gather(*(one.read(rows) for one in databases)) == [[], [], [], []]
    await databases[0].write(put)
    assert await databases[3].read(rows) == [ROW]
    for one in databases:
        await one.close()


async def test_a_transaction_that_fails_leaves_nothing(state_url: str) -> None:
    database = Database(parse_url("URL", state_url))

    def put_and_fail(connection: Connection) -> None:
        put(connection)
        raise KeyError

    with pytest.raises(KeyError):
        await database.write(put_and_fail)
    assert await database.read(rows) == []
    await database.close()


async def test_transactions_with_one_lock_run_one_after_the_other(state_url: str) -> None:
    """On two servers: without it, both would read before the other has written."""
    databases = [Database(parse_url("URL", state_url)) for _ in range(2)]

    def put_if_first(connection: Connection) -> bool:
        if rows(connection):
            return False
        put(connection)
        return True

    await databases[0].read(rows)
    done = await asyncio.gather(*(databases[n % 2].write(put_if_first, lock="alice") for n in range(8)))
    assert sum(done) == 1
    for one in databases:
        await one.close()


async def test_tables_of_another_program_or_a_newer_version_are_left_alone(state_url: str) -> None:
    database = Database(parse_url("URL", state_url), lambda connection: connection.execute(text("SELECT 1")) and None)
    await database.write(lambda connection: connection.execute(text("CREATE TABLE usage (wages INTEGER)")))
    other = Database(parse_url("URL", state_url))
    with pytest.raises(StoreDown, match="name another database in OPENFAZE_STATE_URL"):
        await other.read(rows)
    await database.write(lambda connection: connection.execute(text("DROP TABLE usage")))
    assert await other.read(rows) == []
    await database.write(
        lambda connection: connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    )
    newer = Database(parse_url("URL", state_url))
    with pytest.raises(StoreDown, match="9999"):
        await newer.read(rows)
    for one in (database, other, newer):
        await one.close()


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def zero_the_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(100))


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("harm", [overwrite, zero_the_header, cut_in_half])
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "state" / "state.sqlite"
    database = Database(sqlite_url(path))
    await database.write(put)
    await database.erase(lambda _: None)  # the log is in the file now
    await database.close()
    database = Database(sqlite_url(path))
    harm(path)
    damaged = path.read_bytes()
    with capture_logs() as logs:
        assert await database.read(rows) == []
    await database.write(put)
    assert await database.read(rows) == [ROW]
    [line] = [line for line in logs if line["event"] == "state_file_damaged"]
    assert line["path"] == str(path)
    assert [file.read_bytes() for file in files_in(path.parent) if str(file) == line["kept_as"]] == [damaged]
    await database.close()


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_file_is_its_users_alone_and_one_that_is_gone_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    database = Database(sqlite_url(path))
    assert not database.is_begun
    await database.write(put)
    assert path.stat().st_mode & 0o777 == 0o600
    for file in files_in(tmp_path):
        file.unlink()
    path.mkdir()
    with pytest.raises(StoreDown, match="there is a folder"):
        await database.read(rows)
    path.rmdir()
    assert await database.read(rows) == []
    await database.close()


async def test_what_is_erased_is_in_no_file(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "state.sqlite"))
    await database.write(put)
    await database.erase(lambda connection: connection.execute(text("DELETE FROM spent")))
    assert b"alice" not in b"".join(file.read_bytes() for file in files_in(tmp_path))
    await database.close()


async def test_a_postgresql_that_is_stopped_is_down_and_comes_back() -> None:
    with serving_postgres() as server:
        database = Database(parse_url("URL", server.create()))
        await database.write(put)
        await asyncio.to_thread(server.stop)
        with pytest.raises(StoreDown):
            await database.read(rows)
        await asyncio.to_thread(server.start)
        assert await database.read(rows) == [ROW]
        await database.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://redis:6379/0", "postgresql://.*OPENFAZE_RATES_URL=redis://"),
        ("sqlite://", "sqlite:///path"),
        ("postgresql://", "begins with 'postgresql'"),
        ("mysql://host/name", "begins with 'mysql'"),
        ("state.sqlite", "begins with 'state.sqlite'"),
    ],
)
def test_an_address_of_no_database_names_the_remedy(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"OPENFAZE_STATE_URL: .*{words}"):
        build_database(Settings(_env_file=None, state_url=url))
