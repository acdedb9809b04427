"""`openfaze extract`: make a table from a folder of papers."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.cli import KEY, fail, printable, read_settings, terminal_width, without_garbage_collection
from app.extract.client import MAX_EXAMPLES, CannotAsk, PaperClient, PaperExample
from app.extract.files import CannotWrite, TooManyRows, check, write
from app.extract.job import run
from app.extract.papers import STATE, CannotRead, Paper, addresses_in, papers_of
from app.extract.proposal import proposed_schema
from app.extract.schemas import Json, schema_of
from app.extract.state import CannotOpen, JobState, PaperResult
from app.extract.tables import doubtful
from tasks.schema.keywords import standardised

INTERRUPTED = 130
"""Exit status after Ctrl+C, the same as in shells."""
_LEAST_CERTAIN = 0.9
_NAME_CHARS, _TEXT_CHARS = 48, 200
_LISTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    sources: Sequence[str]
    out: Path
    schema: str | None = None
    urls: Path | None = None
    """File with addresses of papers, one per line."""
    examples: Path | None = None
    url: str | None = None
    """URL of the server; None to start one in this process."""
    jobs: int = 2
    review: float | None = None
    """Probability below which fields are listed; None to list none."""
    retry_errors: bool = False


class _PaceColumn(ProgressColumn):
    """Column of the progress display that shows the papers per minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed * 60:.0f} papers/min" if task.speed else "")


def extract(wanted: ExtractOptions) -> int:
    """Make the table, and return the exit status: 0 if each paper has an answer, 1 if some have an error, INTERRUPTED
    after Ctrl+C. Exits with status 2 if nothing can be done."""
    try:
        check(wanted.out)
    except CannotWrite as error:
        fail(f"--out: {error}")
    state_file = wanted.out.with_name(f"{wanted.out.name}{STATE}")
    if state_file.exists():
        # Another command may have the file open. This is checked before a server starts, which takes a while.
        try:
            JobState(state_file).close()
        except CannotOpen as error:
            fail(str(error))
    job_files = [file for file in (wanted.out, wanted.urls, wanted.examples) if file is not None]
    try:
        papers = list(papers_of([*wanted.sources, *(addresses_in(wanted.urls) if wanted.urls else ())], job_files))
        examples = _examples(wanted.examples) if wanted.examples else []
        if not papers:
            fail("there is no paper: name files, folders, zip archives, mailboxes or addresses")
        schema: Json | None = None
        if wanted.schema:
            schema, warnings = standardised(schema_of(wanted.schema), "the schema")
            for warning in warnings:
                _note(warning)
        with server_to_ask(wanted.url) as url:
            schema = schema or _proposal(wanted, url, papers)
            return _make_table(wanted, url, schema, examples, papers, state_file)
    except (CannotRead, CannotAsk, CannotOpen, CannotWrite, TooManyRows, ValueError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or wanted.out}: {error.strerror}")


@contextlib.contextmanager
def server_to_ask(url: str | None) -> Iterator[str]:
    """Yield the base URL of the server to ask: `url`, or a server in this process."""
    if url is not None:
        yield url
        return
    settings = read_settings()
    with without_garbage_collection():
        from app.cli.serving import CannotListen, serve_in_thread
        from app.telemetry import configure_logging

    configure_logging("error")
    try:
        with serve_in_thread(settings) as own:
            yield own
    except CannotListen as error:
        fail(str(error))


def _make_table(
    wanted: ExtractOptions,
    url: str,
    schema: Json,
    examples: Sequence[PaperExample],
    papers: Sequence[Paper],
    state_file: Path,
) -> int:
    inputs = {"schema": schema, "examples": [[one.paper.fingerprint, one.answer] for one in examples]}
    with contextlib.closing(JobState(state_file)) as state:
        if state.begin(inputs):
            _note("the schema or the examples have changed: all papers except reviewed ones are asked about again")
        for first in range(0, len(papers), _LISTED_AT_ONCE):
            state.add(papers[first : first + _LISTED_AT_ONCE], first)
        if wanted.retry_errors:
            state.retry_errors()
        # Documents that a person has corrected, and that have no doubtful field left, serve as examples. They show
        # where the fields are on the other documents.
        by_name = {paper.name: paper for paper in papers}
        corrected = [
            PaperExample(by_name[row.name], row.result.answer)
            for row in state.rows()
            if row.result and row.is_corrected and next(doubtful(schema, row, _LEAST_CERTAIN), None) is None
        ]
        examples = [*examples, *corrected][-MAX_EXAMPLES:]
        is_interrupted = False
        try:
            with contextlib.closing(PaperClient(url, os.environ.get(KEY))) as asker:
                _run(asker, partial(asker.fill, schema=schema, examples=examples), state, papers, wanted.jobs)
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


def _run(
    asker: PaperClient, fill: Callable[[Paper], PaperResult], state: JobState, papers: Sequence[Paper], jobs: int
) -> None:
    console = Console(stderr=True)
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _PaceColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console, speed_estimate_period=120, disable=not console.is_terminal) as progress:
        bar = progress.add_task("papers", total=len(papers), completed=state.counts()[1])

        def tell(paper: Paper, result: PaperResult) -> None:
            progress.advance(bar)
            if result.error is not None:
                progress.console.print(
                    f"{printable(paper.name, _TEXT_CHARS)}: {printable(result.error, _TEXT_CHARS)}",
                    markup=False, highlight=False, soft_wrap=True,
                )  # fmt: skip

        try:
            run(fill, state, papers, jobs, tell)
        except BaseException:
            # Leaving the pool waits for the running requests, so none of them may be retried.
            asker.stop()
            raise


def _summary(state: JobState, schema: Json, wanted: ExtractOptions, files: Sequence[Path]) -> int:
    """Print a summary of the job, and return the number of papers with an error."""
    threshold = wanted.review if wanted.review is not None else _LEAST_CERTAIN
    fields = below = 0
    for row in state.rows():
        fields += len(row.result.evidence) if row.result else 0
        for cell in doubtful(schema, row, threshold):
            below += 1
            if wanted.review is not None:
                certainty = "not supported" if cell.is_unsupported else f"{cell.probability:.0%}"
                columns = (row.name, cell.pointer, certainty, json.dumps(cell.value, ensure_ascii=False))
                typer.echo("  ".join(printable(part, terminal_width()) for part in columns))
    total, done, failed = state.counts()
    left = f", {total - done} left" if done < total else ""
    _note(
        f"{done - failed} of {total} papers have an answer{left}, {failed} with an error; {fields} fields, "
        f"{below} of them "
        f"below {threshold:g}; written: {', '.join(map(str, files))}"
    )
    return failed


def _proposal(wanted: ExtractOptions, url: str, papers: Sequence[Paper]) -> Json:
    schema = proposed_schema(url, os.environ.get(KEY), papers)
    file = wanted.out.with_suffix(".schema.json")
    if file.exists():
        fail(f"no --schema is given, and {file} exists: use it with --schema {file}, or delete it")
    file.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", "utf-8")
    _note(f"proposed from the first papers: {', '.join(schema['properties'])}; written to {file}")
    return schema


def _examples(file: Path) -> list[PaperExample]:
    """Return the examples in a file of JSON Lines, each with `paper` and `answer`. A relative path counts from the
    working folder, or else from the file's folder."""
    examples = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            example: Any = json.loads(line)
            name, answer = example["paper"], example["answer"]
        except (ValueError, KeyError, TypeError, RecursionError):
            fail(f'--examples: {file}:{number} is not {{"paper": "…", "answer": {{…}}}}')
        sibling = file.parent / name
        found = list(papers_of([str(sibling) if not Path(name).exists() and sibling.exists() else name]))
        if len(found) != 1:
            fail(f"--examples: {file}:{number}: '{name}' names {len(found)} papers; an example must name one")
        examples.append(PaperExample(found[0], answer))
    return examples


def _note(text: str) -> None:
    typer.echo(text, err=True)
    sys.stderr.flush()
