"""Runs `openfaze extract` over real papers: its tables hold what the API answers, and a killed run loses nothing.

    python -m bench.folder_runs --papers FOLDER      each paper by its own schema (`NAME.EXT.json`), one command each
    python -m bench.folder_runs --pictures FOLDER    500 pictures in one run, killed at five places and resumed

Every cell of the SQLite tables is compared with a second answer of a server whose cache is off. A killed run is resumed
by the same command; the server's log tells how many papers were asked about twice: at most those that were under way at
each kill.
"""

import argparse
import hashlib
import json
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

from app.extract.client import PaperClient
from app.extract.papers import STATE, papers_of
from app.extract.schemas import Json, schema_of
from app.extract.state import Row
from app.extract.tables import AnswerTable, tables_of
from bench.folder import COMMAND, FIELDS, copied
from tests.server import serving

KILLS = 0.1, 0.3, 0.5, 0.7, 0.9
"""Shares of the papers after which a run is killed."""
_MISSING = object()
_ASKED = '"path": "/v1/chat/completions"'


def command(sources: Sequence[str], schema: str, out: Path, url: str, jobs: int = 2) -> list[str]:
    return [*COMMAND, "extract", *sources, "--schema", schema, "--out", str(out), "--jobs", str(jobs), "--url", url]


def stored_rows(database: Path, number: int) -> list[tuple[Any, ...]]:
    """Return the rows of the table at place `number` of a written database."""
    with closing(sqlite3.connect(database)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]
        return db.execute(f'SELECT * FROM "{names[number]}"').fetchall()


def answered_rows(table: AnswerTable, row: Row) -> list[tuple[Any, ...]]:
    """Return the rows of a table as the API's answer makes them. SQLite has numbers for truth values."""
    return [
        tuple(int(cell.value) if isinstance(cell.value, bool) else cell.value for cell in cells)
        for cells in table.rows(row)
    ]


def differing_cells(out: Path, schema: Json, answers: Sequence[Row]) -> tuple[int, int]:
    """Return the number of cells in the tables of `answers`, and how many of them a written database lacks or has
    otherwise."""
    cells = differing = 0
    for number, table in enumerate(tables_of(schema)):
        written = stored_rows(out, number)
        wanted = [row for answer in answers for row in answered_rows(table, answer)]
        cells += sum(map(len, wanted))
        for one, other in zip_longest(wanted, written, fillvalue=()):
            differing += sum(left != right for left, right in zip_longest(one, other, fillvalue=_MISSING))
    return cells, differing


def compare_papers(folder: Path, base: Path) -> None:
    papers = cells = differing = failed = 0
    with serving(base / "log", imports="", cache="off", preload="ocr") as server:
        for truth in sorted(folder.glob("*.json")):
            told = json.loads(truth.read_text())
            schema = base / "schema.json"
            schema.write_text(json.dumps(told["schema"]))
            out = base / f"{papers}.sqlite"
            ended = subprocess.run(
                command([str(truth.with_suffix(""))], str(schema), out, server.base_url), capture_output=True
            )
            failed += ended.returncode != 0
            papers += 1
            [paper] = papers_of([str(truth.with_suffix(""))])
            with closing(PaperClient(server.base_url, None)) as asker:
                answer = Row(paper.name, paper.link, asker.fill(paper, told["schema"]))
            compared = differing_cells(out, told["schema"], [answer])
            cells, differing = cells + compared[0], differing + compared[1]
    print(f"{papers} papers, {failed} with an error; {cells} cells, {differing} of them not as the API answers")


def kill_and_resume(pictures: Path, base: Path, count: int, jobs: int) -> None:
    folder, out = base / "in", base / "out.sqlite"
    folder.mkdir()
    copied(pictures, folder, count)
    with serving(base / "log", imports="", cache="off", preload="ocr") as server:
        asked = command([str(folder)], FIELDS, out, server.base_url, jobs)
        start = time.perf_counter()
        for share in KILLS:
            running = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while answers_in(out) < share * count and running.poll() is None:
                time.sleep(0.05)
            running.send_signal(signal.SIGKILL)
            running.wait()
        subprocess.run(asked, capture_output=True, check=False)
        took = time.perf_counter() - start
        requests = (base / "log").read_text().count(_ASKED)
    rows = stored_rows(out, 0)
    names = {row[0] for row in rows}
    errors = sum(row[-1] is not None for row in rows)
    print(
        f"{count} pictures, killed {len(KILLS)} times: {len(rows)} rows of {len(names)} papers, {errors} errors; "
        f"{requests} requests (at most {count + jobs * len(KILLS)}); {took:.0f} s",
        flush=True,
    )
    answers = answers_of(folder, base / "log of the comparison", jobs)
    cells, differing = differing_cells(out, schema_of(FIELDS), answers)
    lines = len(stored_rows(out, 1))
    print(f"{cells} cells, of {lines} rows of the list too; {differing} of them not as the API answers")


def answers_of(folder: Path, log: Path, jobs: int) -> list[Row]:
    """Return the answer of a new server, whose cache is off, to each paper below `folder`. A picture that is there
    several times is sent once."""
    papers = list(papers_of([str(folder)]))
    pictures = {paper.name: hashlib.sha256(Path(paper.link).read_bytes()).digest() for paper in papers}
    once = {pictures[paper.name]: paper for paper in papers}
    schema = schema_of(FIELDS)
    with (
        serving(log, imports="", cache="off", preload="ocr") as server,
        closing(PaperClient(server.base_url, None)) as asker,
        ThreadPoolExecutor(jobs) as pool,
    ):
        results = dict(zip(once, pool.map(lambda paper: asker.fill(paper, schema), once.values()), strict=True))
    return [Row(paper.name, paper.link, results[pictures[paper.name]]) for paper in papers]


def answers_in(out: Path) -> int:
    """Return the number of papers with an answer in a run's state. A run has its database to itself: this reads a
    copy."""
    state = out.with_name(f"{out.name}{STATE}")
    if not state.exists():
        return 0
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "state"
        for ending in ("", "-wal"):
            part = state.with_name(state.name + ending)
            if part.exists():
                copy.with_name(copy.name + ending).write_bytes(part.read_bytes())
        try:
            with closing(sqlite3.connect(copy)) as db:
                return int(db.execute("SELECT count(result) FROM papers").fetchone()[0])
        except sqlite3.DatabaseError:
            # It was copied while it was written.
            return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--papers", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.papers:
            compare_papers(given.papers, Path(name))
        if given.pictures:
            kill_and_resume(given.pictures, Path(name), given.count, given.jobs)


if __name__ == "__main__":
    main()
