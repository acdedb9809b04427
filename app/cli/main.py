"""The command `openfaze`."""

import asyncio
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from dotenv import load_dotenv

from app.cli import ENV_FILE, KEY_VARIABLE, fail, read_settings, without_garbage_collection
from app.cli.keys import keys

_LOOKED_AT = 64 * 1024
_SCHEMA = (
    "a file with a JSON schema, a pydantic class (module:Class), or a line such as "
    '"number, date, total: number, lines[description, amount: number]"'
)

cli = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One OpenAI-compatible endpoint over local specialist models. Settings: OPENFAZE_* variables, and for `serve` "
    "also the lines of .env in its working folder.",
)
cli.add_typer(keys, name="keys")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"openfaze {version('openfaze')}")
        raise typer.Exit


@cli.callback()
def openfaze(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    env_file: Annotated[
        Path | None,
        typer.Option(
            help="A file of settings for the command, such as the .env of a server.", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    if env_file:
        load_dotenv(env_file)
    elif context.invoked_subcommand != "serve" and _has_settings(Path(ENV_FILE)):
        typer.echo(
            f"note: only `openfaze serve` reads {ENV_FILE} by itself: --env-file names it to other commands", err=True
        )


def _has_settings(file: Path) -> bool:
    """True if the beginning of a file names a setting. The file may be anybody's: it is not parsed."""
    try:
        # Opening a pipe would wait for its other end.
        if not file.is_file():
            return False
        with file.open("rb") as lines:
            return b"OPENFAZE_" in lines.read(_LOOKED_AT)
    except OSError:
        return False


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Instead of OPENFAZE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of OPENFAZE_PORT.")] = None,
) -> None:
    """Serve the API until told to stop. Running streams get time to end.

    Settings are OPENFAZE_* variables, and lines of a file .env in the working folder.
    """
    settings = read_settings(for_clients=True, host=host, port=port)
    with without_garbage_collection():
        from app.cli.serving import CannotListen
        from app.cli.serving import serve as serve_until_stopped
        from app.main import create_app
        from app.telemetry import configure_logging

    configure_logging(settings.log_level)
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
    text: Annotated[str, typer.Argument(help="The question; `-` reads it from standard input.")] = "",
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file", "-f", help="A file to ask about. May be given several times.", exists=True, dir_okay=False
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            "--task",
            "-t",
            help="A task, such as ocr. By default, the full model answers.",
        ),
    ] = "chat",
    schema: Annotated[str | None, typer.Option(help=f"Fields of the answer: {_SCHEMA}.")] = None,
    guard_codes: Annotated[str, typer.Option("--guard", help="Codes of the guard, such as S1,S9, or ALL.")] = "",
    reasoning: Annotated[str | None, typer.Option(help="Effort: low, medium or high.")] = None,
    url: Annotated[
        str | None,
        typer.Option(help="URL of the server. By default, it is the one at OPENFAZE_HOST and OPENFAZE_PORT."),
    ] = None,
    is_here: Annotated[
        bool, typer.Option("--here", help="Answer in this process, without a server. That takes longer.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the body of the answer, for programs.")] = False,
) -> None:
    """Ask a running server, and print its answer as it comes.

    With a schema, a table shows how certain each field is and where it comes from. The key is taken from
    OPENFAZE_API_KEY. The exit status is 0 if the request was answered without an error.
    """
    from app.cli import ask, running
    from app.folders.schemas import schema_of

    if not (text or file):
        fail(
            'there is nothing to ask: give a text, a --file, or both (openfaze ask "What is the total?" -f receipt.jpg)'
        )
    try:
        wanted = schema_of(schema) if schema else None
    except ValueError as error:
        fail(f"--schema: {error}")
    question = ask.Question(ask.read_text(text), file or (), task, wanted, guard_codes, reasoning)
    if not is_here:
        sys.exit(0 if ask.ask(url or running.find(), question, as_json=as_json) else 1)
    settings = read_settings()
    with without_garbage_collection():
        from app.cli.serving import CannotListen, serve_in_thread
        from app.telemetry import configure_logging

    configure_logging("error")
    try:
        with serve_in_thread(settings) as own_url:
            is_answered = ask.ask(own_url, question, as_json=as_json)
    except (CannotListen, ValueError) as error:
        fail(str(error))
    sys.exit(0 if is_answered else 1)


@cli.command("extract")
def extract_fields(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, zip archives, mailboxes (.mbox), addresses.")
    ] = None,
    out: Annotated[Path, typer.Option(help="A .xlsx, .csv, .tsv, .jsonl or .sqlite file.", dir_okay=False)] = Path(
        "papers.xlsx"
    ),
    schema: Annotated[
        str | None,
        typer.Option(help=f"Fields of a row: {_SCHEMA}. By default, a schema is proposed and written to a file."),
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
    url: Annotated[
        str | None, typer.Option(help="URL of a running server. By default, this process does the work.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Number of papers that are asked about at a time.", min=1, max=64)] = 2,
    review: Annotated[
        float | None, typer.Option(help="List the fields whose probability is below this, such as 0.9.", min=0, max=1)
    ] = None,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Ask again about papers that had an error.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Ask again about all papers that nobody has reviewed."),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Make no table: print why --field of one paper has its value.")
    ] = False,
    field: Annotated[
        str | None,
        typer.Option(
            help="With --explain, the field: a name, such as total, or a JSON pointer, such as /lines/0/amount."
        ),
    ] = None,
) -> None:
    """Make a table from a folder of papers: a row per paper, a sheet per list, cells coloured by their probability.

    A run that was stopped can be resumed, because `<out>.state` holds the answers so far. The exit status is 0 if each
    paper has an answer, 1 if some have an error. The key for --url is taken from OPENFAZE_API_KEY.
    """
    from app.cli.folders import explain_field, extract_folder
    from app.folders.extract import ExtractOptions

    if explain:
        explain_field(sources or (), field, schema, url)
        return
    sys.exit(
        extract_folder(
            ExtractOptions(
                sources=sources or (),
                out=out,
                schema=schema,
                urls=urls,
                examples=examples,
                key=os.environ.get(KEY_VARIABLE),
                jobs=jobs,
                review=review,
                retry_errors=retry_errors,
                again=again,
            ),
            url,
        )
    )


@cli.command("review")
def review_table(
    table: Annotated[Path, typer.Argument(help="A table that `openfaze extract` made, or its state (<table>.state).")],
    url: Annotated[
        str | None, typer.Option(help="URL of a running server. By default, this process does the work.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 0,
    below: Annotated[
        float, typer.Option(help="Fields whose probability is below this are doubtful.", min=0, max=1)
    ] = 0.9,
) -> None:
    """Review the doubtful fields of a table in a browser on this machine, with the keyboard.

    Corrections are stored immediately in the table's state, and serve as examples for the remaining papers. The key for
    --url is taken from OPENFAZE_API_KEY.
    """
    from app.cli import folders

    folders.review_table(table, url, port, below)


@cli.command()
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs, once everything has been tried.")
    ] = False,
) -> None:
    """Show what serves each capability here, and try it.

    The exit status is 1 if something that should work does not.
    """
    settings = read_settings()
    with without_garbage_collection():
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
            help="A set of weights, an engine (whisper-small), a capability (ocr) or a profile (gpu). By default, all "
            "are listed.",
        ),
    ] = "",
) -> None:
    """Fetch weights into OPENFAZE_WEIGHTS_DIR. Each file is checked by its SHA-256, even if it is already there.

    An interrupted download is resumed. For a machine without a network, pull on another machine and copy the folder.
    """
    from app.cli import pulling
    from models.weights.pulling import PullFailed

    settings = read_settings()
    if not name:
        typer.echo(pulling.listing(settings))
        return
    try:
        sets = pulling.sets_named(name, settings)
        if not sets:
            typer.echo(f"'{name}' needs no weights beyond those installed with openfaze.", err=True)
        for note in pulling.left_out(name, settings):
            typer.echo(note, err=True)
        pulling.fetch(sets, settings)
    except (pulling.NothingToPull, PullFailed) as error:
        fail(str(error))


@cli.command()
def install(
    name: Annotated[
        str,
        typer.Argument(
            help="What to install, such as standard. By default, everything is listed.",
        ),
    ] = "",
) -> None:
    """Install packages that some engines need and that are not included, into this Python's environment."""
    from app.cli import extras

    if not name:
        typer.echo(extras.listing())
        return
    try:
        status = extras.install(name)
    except extras.CannotInstall as error:
        fail(str(error))
    sys.exit(status)


@cli.command("mcp")
def serve_mcp(
    files: Annotated[
        list[Path] | None, typer.Option(help="A folder whose files may be named by path. May be given several times.")
    ] = None,
) -> None:
    """Serve the tasks as tools of the Model Context Protocol on standard input and output, for a program that starts
    this command."""
    settings = read_settings()
    with without_garbage_collection():
        from app.cli import mcp
        from app.telemetry import configure_logging

    # The protocol uses standard output; logs go to standard error.
    configure_logging("warning")
    mcp.serve(settings, files or ())


def main() -> None:
    cli()
