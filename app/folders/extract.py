"""`openfaze extract`: make a table from a folder of papers."""

import contextlib
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.folders.answers import Json, name_of
from app.folders.certainty import LEAST_SURE, certainty
from app.folders.client import MAX_EXAMPLES, PaperClient, PaperExample
from app.folders.failures import Failed
from app.folders.files import check, write
from app.folders.papers import STATE, Paper, addresses_in, papers_of
from app.folders.proposal import proposed_schema
from app.folders.reviews import PaperResult
from app.folders.schemas import schema_of
from app.folders.state import JobState
from app.folders.tables import doubtful, tables_of

INTERRUPTED = 130
"""Exit status after Ctrl+C, the same as in shells."""
_TEXT_CHARS, _WIDTH = 200, 100
_LISTED_AT_ONCE = 500
_MOST_WARNINGS = 3
"""At most this many different warnings are printed, those of the most papers first."""

Server = Callable[[], AbstractContextManager[str]]
"""Function whose context is a running server, by its URL."""


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    sources: Sequence[str]
    out: Path
    schema: str | None = None
    urls: Path | None = None
    """File with addresses of papers, one per line."""
    examples: Path | None = None
    key: str | None = None
    """API key of the server."""
    jobs: int = 2
    review: float | None = None
    """Probability below which fields are listed; None to list none."""
    retry_errors: bool = False
    again: bool = False
    """True to ask again about all papers that nobody has reviewed."""


class _PaceColumn(ProgressColumn):
    """Column of the progress display that shows the papers per minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed * 60:.0f} papers/min" if task.speed else "")


def extract(wanted: ExtractOptions, server: Server) -> int:
    """Make the table, and return the exit status: 0 if each paper has an answer, 1 if some have an error, INTERRUPTED
    after Ctrl+C. `server` is started only once there is something to ask. Raises Failed."""
    with failing(wanted.out):
        try:
            check(wanted.out)
        except Failed as error:
            raise Failed(f"--out: {error}") from None
        if not wanted.out.absolute().parent.is_dir():
            raise Failed(f"--out: there is no folder {wanted.out.parent}: make it first")
        state_file = wanted.out.with_name(f"{wanted.out.name}{STATE}")
        if state_file.exists():
            # Another command may have the file open. This is checked before a server starts, which takes a while.
            JobState(state_file).close()
        job_files = [file for file in (wanted.out, wanted.urls, wanted.examples) if file is not None]
        papers = list(papers_of([*wanted.sources, *(addresses_in(wanted.urls) if wanted.urls else ())], job_files))
        examples = [*_examples(wanted.examples)] if wanted.examples else []
        if not papers:
            raise Failed("there is no paper: name files, folders, zip archives, mailboxes or addresses")
        schema = schema_of(wanted.schema) if wanted.schema else None
        with server() as url, contextlib.closing(PaperClient(url, wanted.key)) as asker:
            schema = schema or _proposal(wanted.out, asker, papers)
            with contextlib.closing(JobState(state_file)) as state:
                return _make_table(wanted, asker, schema, examples, papers, state)


@contextlib.contextmanager
def failing(table: Path) -> Iterator[None]:
    """Raise Failed for what keeps a command from its work on `table`."""
    try:
        yield
    except OSError as error:
        raise Failed(f"{error.filename or table}: {error.strerror}") from None
    except ValueError as error:
        raise Failed(str(error)) from None


def _make_table(
    wanted: ExtractOptions, asker: PaperClient, schema: Json, examples: Sequence[PaperExample],
    papers: Sequence[Paper], state: JobState,
) -> int:  # fmt: skip
    if state.begin({"schema": schema, "examples": [[one.paper.fingerprint, one.answer] for one in examples]}):
        _note("the schema or the examples have changed: all papers except reviewed ones are asked about again")
    for first in range(0, len(papers), _LISTED_AT_ONCE):
        state.add(papers[first : first + _LISTED_AT_ONCE], first)
    if wanted.again or wanted.retry_errors:
        state.forget(only_errors=not wanted.again)
    # Papers that a person has corrected, and that have no doubtful field left, serve as examples. They show where the
    # fields are on the other papers.
    tables, by_name = tables_of(schema), {paper.name: paper for paper in papers}
    corrected = [
        PaperExample(by_name[row.name], row.result.answer)
        for row in state.rows()
        if row.result and row.is_corrected and next(doubtful(tables, row, LEAST_SURE), None) is None
    ]
    shown = [*examples, *corrected][-MAX_EXAMPLES:]
    is_interrupted = False
    try:
        _ask(asker, lambda paper: asker.fill(paper, schema, shown), state, papers, wanted.jobs)
    except KeyboardInterrupt:
        is_interrupted = True
    finally:
        # The table is written from the answers that have arrived, even if the server has gone.
        files = write(wanted.out, schema, state.rows)
    failed = _summary(state, schema, wanted, files)
    if is_interrupted:
        _note("stopped; run the same command again for the remaining papers")
        return INTERRUPTED
    return 1 if failed else 0


def _ask(
    asker: PaperClient, fill: Callable[[Paper], PaperResult], state: JobState, papers: Sequence[Paper], jobs: int
) -> None:
    """Ask about each of `papers` that has no result in `state`, and show how far this is."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _PaceColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, speed_estimate_period=120, disable=not console.is_terminal) as progress:
        bar = progress.add_task("papers", total=len(papers), completed=state.counts()[1])
        left = (paper for paper in papers if not state.is_done(paper.name))
        running: dict[Future[PaperResult], Paper] = {}
        with ThreadPoolExecutor(jobs, thread_name_prefix="paper") as pool:
            try:
                while True:
                    # The next paper is taken only when it can be asked about, because a folder may hold more papers
                    # than fit in memory.
                    for paper in islice(left, jobs - len(running)):
                        running[pool.submit(fill, paper)] = paper
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        paper, result = running.pop(future), future.result()
                        state.note(paper.name, result)
                        progress.advance(bar)
                        if result.error is not None:
                            line = f"{printable(paper.name, _TEXT_CHARS)}: {printable(result.error, _TEXT_CHARS)}"
                            progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
            except BaseException:
                # Leaving the pool waits for the running requests, so none of them may be retried.
                asker.stop()
                raise


def _summary(state: JobState, schema: Json, wanted: ExtractOptions, files: Sequence[Path]) -> int:
    """Print a summary of the job, and return the number of papers with an error."""
    threshold = wanted.review if wanted.review is not None else LEAST_SURE
    tables, fields, below = tables_of(schema), 0, 0
    warned: Counter[str] = Counter()
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    for row in state.rows():
        result = row.result or PaperResult()
        fields += len(result.evidence)
        warned.update({*result.warnings})
        for cell in doubtful(tables, row, threshold):
            below += 1
            if wanted.review is not None:
                word = certainty(cell.value, cell.probability)
                name = name_of(cell.pointer, result.answer)
                sure = f"{word} {cell.probability:.0%}" if cell.probability else word
                columns = (row.name, name, sure, json.dumps(cell.value, ensure_ascii=False))
                print("  ".join(printable(part, width) for part in columns))
    for warning, count in warned.most_common(_MOST_WARNINGS):
        _note(f"warning about {count} {'papers' if count > 1 else 'paper'}: {printable(warning, _TEXT_CHARS)}")
    total, done, failed = state.counts()
    left = f", {total - done} left" if done < total else ""
    _note(
        f"{done - failed} of {total} papers have an answer{left}, {failed} with an error; {fields} fields, "
        f"{below} of them below {threshold:g}; written: {', '.join(map(str, files))}"
    )
    return failed


def _proposal(out: Path, asker: PaperClient, papers: Sequence[Paper]) -> Json:
    schema = proposed_schema(asker, papers)
    file = out.with_suffix(".schema.json")
    if file.exists():
        raise Failed(f"no --schema is given, and {file} exists: use it with --schema {file}, or delete it")
    file.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", "utf-8")
    _note(f"proposed from the first papers: {', '.join(schema['properties'])}; written to {file}")
    return schema


def _examples(file: Path) -> Iterator[PaperExample]:
    """Yield the examples in a file of JSON Lines, each with `paper` and `answer`. A relative path counts from the
    working folder, or else from the file's folder."""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            example: Any = json.loads(line)
            name, answer = example["paper"], example["answer"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Failed(f'--examples: {file}:{number} is not {{"paper": "…", "answer": {{…}}}}') from None
        sibling = file.parent / name
        found = list(papers_of([str(sibling) if not Path(name).exists() and sibling.exists() else name]))
        if len(found) != 1:
            raise Failed(f"--examples: {file}:{number}: '{name}' names {len(found)} papers; an example must name one")
        yield PaperExample(found[0], answer)


def printable(text: str, max_chars: int = sys.maxsize) -> str:
    """Return `text` as one line, cut to `max_chars` characters. Afterwards, characters that are invisible or control a
    terminal are escaped."""
    cut = text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
