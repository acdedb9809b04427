"""`openfaze batch run`: answer the lines of a file in this process, without a server."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

import pydantic_core
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.access.keys import EVERYONE, Caller
from app.assembly.building import without_keys
from app.assembly.services import Services
from app.batches.lines import RECORD_START, BadFile, Checker, LineRunner, RawLine, Splitter, custom_id_of, url_of
from app.cli import fail, printable
from app.errors import ApiError
from app.routes.batches import ENDPOINTS
from app.settings import Settings

T = TypeVar("T")

_PIECE = 1 << 20
_SHOWN = 10
"""At most this many problems are printed."""
_ID_CHARS, _MESSAGE_CHARS = 80, 400


@dataclass(slots=True)
class _Failures:
    """The lines whose answer is an error: their number, and the messages of the first ones."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def note(self, record: bytes) -> None:
        self.count += 1
        if self.count > _SHOWN:
            return
        line = pydantic_core.from_json(record)
        error = line["response"]["body"]["error"]
        message = f"{line['response']['status_code']} {error['code']}: {printable(error['message'], _MESSAGE_CHARS)}"
        self.first.append(f"{printable(line['custom_id'], _ID_CHARS)}: {message}")

    def describe(self, output: Path) -> Iterator[str]:
        yield from self.first
        if unshown := self.count - len(self.first):
            yield f"… and {unshown} more, in {output}"


def run(settings: Settings, file: Path, output: Path) -> bool:
    """Answer the lines of `file` that have no answer in `output` yet. Return True if no answer in `output` is an error,
    including answers of earlier runs. Exits with status 2 for a file that cannot be used."""
    try:
        with file.open("rb") as lines, output.open("ab+") as answers:
            reader = _Reader(lines)
            count = _check(file.name, reader)
            failures = _Failures()
            done = _read_done_ids(output.name, answers, failures)
            asyncio.run(_run(settings, reader, answers, count, done, failures))
    except OSError as error:
        fail(str(error))
    except ValueError as error:  # from settings that cannot be used
        fail(str(error))
    for failure in failures.describe(output):
        typer.echo(failure, err=True)
    typer.echo(f"{count - failures.count} of {count} lines have an answer in {output}", err=True)
    return not failures.count


def _read_done_ids(name: str, answers: IO[bytes], failures: _Failures) -> set[str]:
    """Return the ids of the lines that have an answer in the output; errors among them are added to `failures`. An
    unfinished last line, which a killed run left, is cut off."""
    done: set[str] = set()
    whole = 0
    answers.seek(0)
    for line in answers:
        if not line.startswith(RECORD_START[: len(line)]):
            fail(f"{name} is not the output file of a batch: name another file with --output")
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        done.add(custom_id_of(line))
        if b'"response":{"status_code":200,' not in line[:2000]:
            failures.note(line)
    answers.truncate(whole)
    return done


class _Reader:
    """Reads the lines of the file, one piece of the file at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __iter__(self) -> Iterator[list[RawLine]]:
        """Yield the lines of each piece. Raises BadFile."""
        splitter = Splitter()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield splitter.feed(piece)
        yield splitter.finish()


def _check(name: str, lines: _Reader) -> int:
    """Return the number of lines. Exits with status 2 if some of them cannot be run."""
    checker = Checker(list(ENDPOINTS))
    try:
        for chunk in lines:
            checker.check(chunk)
        checker.finish()
    except BadFile as error:
        checker.problems.append(error.problem)
    if checker.problems:
        problems = [f"{name}:{one['line'] or 1}: {one['message']}" for one in checker.problems[:_SHOWN]]
        unshown = len(checker.problems) - _SHOWN
        fail("\n".join([*problems, f"… and {unshown} more"] if unshown > 0 else problems))
    return checker.count


async def _run(
    settings: Settings, lines: _Reader, answers: IO[bytes], count: int, done: set[str], failures: _Failures
) -> None:
    """Run each line that is not in `done`, and write its answer as soon as it ends; errors are also added to
    `failures`."""
    services = Services(without_keys(settings))
    runner, slots = LineRunner(services, ENDPOINTS), asyncio.Semaphore(settings.batch_lines_at_once)
    caller, never = Caller(EVERYONE), asyncio.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())

    async def pause(_: ApiError, seconds: float) -> None:
        # The line keeps its slot while it waits, because all lines belong to one caller.
        await asyncio.sleep(seconds)

    async def run_line(line: RawLine) -> None:
        url = url_of(line.data)
        outcome = await runner.run(line.data, url, lambda: caller, stop=never, pause=pause)
        assert outcome is not None
        answers.write(outcome.line + b"\n")
        answers.flush()
        if not outcome.is_answer:
            failures.note(outcome.line)
        progress.advance(bar)

    try:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("lines", total=count, completed=len(done))
            async with asyncio.TaskGroup() as group:
                for chunk in lines:
                    for line in chunk:
                        if custom_id_of(line.data) in done:
                            continue
                        await slots.acquire()
                        group.create_task(run_line(line)).add_done_callback(lambda _: slots.release())
    except ExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
    finally:
        await services.close()
