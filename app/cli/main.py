"""The command `openfaze`."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from app.cli import columns, fail, left_alone, read_settings
from app.cli.keys import keys

cli = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One OpenAI-compatible endpoint over local specialist models. Settings: OPENFAZE_* variables.",
)
guard = typer.Typer(no_args_is_help=True, help="Ask what the guard would say.")
cache = typer.Typer(no_args_is_help=True, help="Look at what is kept of answers, and delete it.")
batch = typer.Typer(no_args_is_help=True, help="Answer many requests from one file.")
cli.add_typer(keys, name="keys")
cli.add_typer(guard, name="guard")
cli.add_typer(cache, name="cache")
cli.add_typer(batch, name="batch")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"openfaze {version('openfaze')}")
        raise typer.Exit


@cli.callback()
def openfaze(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _begun(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a completer: the shell's proposals from `names` for a word that the user has begun."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


def _task_names() -> Iterable[str]:
    from app.access.key_file import CHAT
    from tasks.catalog import TASK_NAMES

    return (*TASK_NAMES, CHAT)


def _weights_names() -> Iterable[str]:
    from app.cli import pulling

    return pulling.names()


def _packages_names() -> Iterable[str]:
    from app.cli import extras

    return extras.PURPOSES


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Instead of OPENFAZE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of OPENFAZE_PORT.")] = None,
) -> None:
    """Serve the API until told to stop; running streams get time to end."""
    settings = read_settings(host=host, port=port)
    with left_alone():
        from app.cli.serving import CannotListen
        from app.cli.serving import serve as serve_until_stopped
        from app.main import create_app
        from app.telemetry import configure_logging
        from models.malloc import give_large_blocks_back

    configure_logging(settings.log_level, settings.log_format)
    give_large_blocks_back()
    try:
        app = create_app(settings)
    except ValueError as error:
        fail(str(error))
    try:
        serve_until_stopped(app)
    except CannotListen as error:
        fail(str(error))


@cli.command("ask")
def ask_server(
    text: Annotated[str, typer.Argument(help="What to ask; `-` reads it from standard input.")] = "",
    file: Annotated[
        list[Path] | None, typer.Option("--file", "-f", help="May be given again.", exists=True, dir_okay=False)
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            "--task", "-t", help="Such as ocr; without, the full model answers.", autocompletion=_begun(_task_names)
        ),
    ] = "chat",
    schema: Annotated[
        Path | None, typer.Option(help="A file with the JSON schema of the answer.", exists=True, dir_okay=False)
    ] = None,
    guard_codes: Annotated[str, typer.Option("--guard", help="Such as S1,S9, or ALL.")] = "",
    reasoning: Annotated[str | None, typer.Option(help="low, medium or high.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Where the server is; without: OPENFAZE_PORT, or where the last was started.")
    ] = None,
    is_here: Annotated[
        bool, typer.Option("--here", help="Without a server, in this process: that takes longer.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The body of the answer, for programs.")] = False,
) -> None:
    """Ask a running server, and print its answer as it comes.

    With a schema, a table of its fields says how sure each is and where it comes from. The key is that in
    OPENFAZE_API_KEY. The exit status is 0 with a whole answer.
    """
    from app.cli import ask, running

    if not (text or file):
        fail(
            'there is nothing to ask: give a text, a --file, or both (openfaze ask "What is the total?" -f receipt.jpg)'
        )
    asked = ask.Question(
        ask.read_text(text), file or (), task, ask.read_schema(schema) if schema else None, guard_codes, reasoning
    )
    if not is_here:
        sys.exit(0 if ask.ask(url or running.find(), asked, as_json=as_json) else 1)
    settings = read_settings()
    with left_alone():
        from app.cli.serving import CannotListen, served_here
        from app.telemetry import configure_logging

    configure_logging("error")
    try:
        with served_here(settings) as own:
            is_answered = ask.ask(own, asked, as_json=as_json)
    except (CannotListen, ValueError) as error:
        fail(str(error))
    sys.exit(0 if is_answered else 1)


@cli.command("extract")
def extract_fields(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, zip archives, mailboxes (.mbox), addresses.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="A .xlsx, .csv, .tsv, .jsonl, .sqlite or .parquet file.", dir_okay=False)
    ] = Path("papers.xlsx"),
    schema: Annotated[
        str | None,
        typer.Option(
            help='A file with a JSON schema, a pydantic class (module:Class), or a line such as "number, date, total: '
            'number, lines[description, amount: number]". Without, one is proposed and written to a file.'
        ),
    ] = None,
    urls: Annotated[
        Path | None, typer.Option(help="A file with addresses of papers, one a line.", exists=True, dir_okay=False)
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            help='Corrected papers, as JSON Lines of {"paper": path, "answer": {…}}.', exists=True, dir_okay=False
        ),
    ] = None,
    url: Annotated[str | None, typer.Option(help="A server that runs; without, this process does the work.")] = None,
    jobs: Annotated[int, typer.Option(help="Papers at a time.", min=1, max=64)] = 2,
    review: Annotated[
        float | None, typer.Option(help="List the fields that are less probable, such as 0.9.", min=0, max=1)
    ] = None,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Ask again about papers that had an error.")
    ] = False,
) -> None:
    """Make a table of a folder of papers: a row a paper, a sheet a list, each cell as sure as its colour.

    A run that was stopped goes on where it was: `<out>.state` holds what has come. The exit status is 0 if each paper
    has an answer, 1 if some have an error. The key for --url is that in OPENFAZE_API_KEY.
    """
    from app.cli.extract import Wanted, extract

    sys.exit(extract(Wanted(sources or (), out, schema, urls, examples, url, jobs, review, retry_errors)))


@cli.command("review")
def review_table(
    table: Annotated[Path, typer.Argument(help="A table that `openfaze extract` made, or its state (<table>.state).")],
    url: Annotated[str | None, typer.Option(help="A server that runs; without, this process does the work.")] = None,
    port: Annotated[int, typer.Option(help="Port of the page on 127.0.0.1; 0 is a free one.", min=0, max=65535)] = 0,
    below: Annotated[float, typer.Option(help="Fields that are less probable are doubtful.", min=0, max=1)] = 0.9,
) -> None:
    """Review the doubtful fields of a table in a browser on this machine, with the keyboard.

    Corrections are kept at once in the table's state, and are examples for the papers that are left. The key for --url
    is that in OPENFAZE_API_KEY.
    """
    from app.cli.review import review

    sys.exit(review(table, url, port, below))


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs, when all is tried.")] = False,
) -> None:
    """Show what serves each capability here, and try it.

    The exit status is 1 when something that should work does not.
    """
    settings = read_settings()
    with left_alone():
        from app.cli.doctor import examine
        from app.telemetry import configure_logging

    # The table shows each fault, so the log has to be silent.
    configure_logging("error")
    try:
        sys.exit(asyncio.run(examine(settings, as_json=as_json)))
    except ValueError as error:  # from the settings: errors of engines end as findings
        fail(str(error))


@cli.command()
def pull(
    name: Annotated[
        str,
        typer.Argument(
            help="A set of weights, an engine (whisper-small), a capability (ocr), a profile (gpu); without: a list.",
            autocompletion=_begun(_weights_names),
        ),
    ] = "",
) -> None:
    """Fetch weights into OPENFAZE_WEIGHTS_DIR, each file checked by its SHA-256; what is there is checked again.

    An interrupted file goes on where it stopped. For a machine without a network, pull on another one and copy the
    folder.
    """
    from app.cli import pulling
    from models.pulling import PullFailed

    settings = read_settings()
    if not name:
        typer.echo(pulling.listing(settings, columns()))
        return
    try:
        sets = pulling.sets_named(name, settings)
        if not sets:
            typer.echo(f"'{name}' needs no weights but those that are installed with openfaze.", err=True)
        for said in pulling.left_out(name, settings):
            typer.echo(said, err=True)
        pulling.fetch(sets, settings)
    except (pulling.NothingToPull, PullFailed) as error:
        fail(str(error))


@cli.command()
def install(
    name: Annotated[
        str,
        typer.Argument(help="What to install (standard); without one: a list.", autocompletion=_begun(_packages_names)),
    ] = "",
) -> None:
    """Install packages that some engines need and that are not included, into this Python's environment."""
    from app.cli import extras

    if not name:
        typer.echo(extras.listing(columns()))
        return
    try:
        status = extras.install(name)
    except extras.CannotInstall as error:
        fail(str(error))
    sys.exit(status)


@cli.command("backup")
def back_up_state(
    file: Annotated[
        Path,
        typer.Argument(
            help="Is replaced, once the new one is whole; `-` is standard output.", dir_okay=False, allow_dash=True
        ),
    ],
) -> None:
    """Copy uploads, batches, responses, counters and keys into one file, with the settings that the server has.

    The server may run meanwhile. Weights and the cache are left out: they come again by themselves.
    """
    from app.cli import backups

    backups.back_up(read_settings(), file)


@cli.command("restore")
def restore_state(
    file: Annotated[
        Path,
        typer.Argument(help="As `openfaze backup` wrote it; `-` is standard input.", dir_okay=False, allow_dash=True),
    ],
) -> None:
    """Put back what a backup holds, where no server runs and no state is yet."""
    from app.cli import backups

    backups.restore(read_settings(), file)


@cache.command("stats")
def cache_stats(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show how much is kept, by key. Keys are shown by name if OPENFAZE_KEYS_FILE has their names."""
    from app.cli import cached
    from app.telemetry import configure_logging

    # The command itself prints each fault as a sentence, so the log has to be silent.
    configure_logging("error")
    cached.show(read_settings(), as_json=as_json)


@cache.command("purge")
def purge_cache(
    key: Annotated[str | None, typer.Option(help="As `openfaze keys list` shows it; without, all is deleted.")] = None,
) -> None:
    """Delete what is kept of answers and readings: of one key, or all."""
    from app.cli import cached
    from app.telemetry import configure_logging

    configure_logging("error")
    cached.purge(read_settings(), key)


@batch.command("run")
def run_batch(
    file: Annotated[Path, typer.Argument(help="Each line as POST /v1/batches takes it.", exists=True, dir_okay=False)],
    output: Annotated[
        Path | None, typer.Option(help="Without: beside the file, with `.out` before its suffix.")
    ] = None,
) -> None:
    """Answer the lines of a file here, without a server; the output has a line for each, in the order they end.

    A run that was interrupted goes on: what is in the output is not run again. The exit status is 1 when a line has an
    error for its answer.
    """
    settings = read_settings()
    with left_alone():
        from app.cli import batch as batches
        from app.telemetry import configure_logging

    configure_logging("error")
    sys.exit(0 if batches.run(settings, file, output or file.with_suffix(f".out{file.suffix}")) else 1)


@cli.command("mcp")
def serve_mcp(
    files: Annotated[
        list[Path] | None, typer.Option(help="A folder whose files may be named by path; may be given again.")
    ] = None,
) -> None:
    """Serve the tasks as tools of the Model Context Protocol on standard input and output, for a program that starts
    this command."""
    settings = read_settings()
    with left_alone():
        from app.cli import mcp
        from app.telemetry import configure_logging

    # The protocol uses standard output; logs go to standard error.
    configure_logging("warning")
    mcp.serve(settings, files or ())


@cli.command("bench")
def measure(
    scenario: Annotated[str, typer.Argument(help="One that comes along, or a TOML file; without: a list.")] = "",
    base_url: Annotated[
        str | None,
        typer.Option(help="Of any server that speaks OpenAI's API; without, as `ask` finds it."),
    ] = None,
    model: Annotated[str, typer.Option(help="As that server calls it.")] = "interfaze-beta",
    concurrency: Annotated[int | None, typer.Option(help="Callers, instead of the scenario's.", min=1)] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a second that begin, whatever becomes of them.")] = None,
    duration_s: Annotated[float | None, typer.Option("--duration", help="Seconds.")] = None,
    prices: Annotated[str, typer.Option(help="Dollars a million tokens: input=1.50,output=3.50.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go, for programs.")] = None,
    page: Annotated[Path | None, typer.Option("--report", help="Where a page with plots goes (HTML).")] = None,
) -> None:
    """Measure how fast a server answers. A key is taken from OPENFAZE_API_KEY.

    The exit status is 1 when nothing was answered.
    """
    from app.bench.load import BenchTarget
    from app.cli import bench, running

    if not scenario:
        typer.echo(bench.listing())
        return
    given = {"concurrency": concurrency, "rate": rate, "duration_s": duration_s}
    changes = {name: value for name, value in given.items() if value is not None}
    target = BenchTarget(base_url or f"{running.find()}/v1", model, bench.key_here())
    sys.exit(0 if bench.run(scenario, changes, target, prices, json_file, page) else 1)


@guard.command("explain")
def explain_text(
    text: Annotated[str, typer.Argument(help="What to judge; `-` reads it from standard input.")],
    codes: Annotated[str, typer.Option(help="Such as S1,S9. Without: all that engines here judge.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="With all layers, for programs.")] = False,
) -> None:
    """Show how unsafe a text is by each code, why, and what a client would be told: `safe`, or `unsafe S1`.

    The text is judged as a request's would be, by the same engines and thresholds. The exit status is 0 either way.
    """
    settings = read_settings()
    with left_alone():
        from app.cli import guard_explanation
        from app.telemetry import configure_logging
        from models.base import ModelError

    configure_logging("warning")
    # Bytes that are not UTF-8 become replacement characters, like those in a file that a client sends.
    read = (sys.stdin.buffer.read() if text == "-" else os.fsencode(text)).decode("utf-8", "replace")
    if not read.strip():
        fail("there is nothing to judge: the text is empty")
    try:
        asked = guard_explanation.codes_in(codes)
    except ValueError as error:
        fail(f"--codes: {error}")
    try:
        explanation = asyncio.run(guard_explanation.explain(settings, read, asked))
    except (ModelError, ValueError) as error:  # a ValueError comes from the settings, never from an engine
        fail(str(error))
    if as_json:
        typer.echo(guard_explanation.as_json(explanation))
    else:
        guard_explanation.print_table(explanation)


def main() -> None:
    cli()
