"""The command `openfaze`."""

import asyncio
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from app.calling import as_called_here
from app.settings import PREFIX, Settings, unknown_variables
from models import memory
from models.safety.capability import thresholds_in

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One OpenAI-compatible endpoint over local specialist models. Settings: OPENFAZE_* variables.",
)
keys = typer.Typer(no_args_is_help=True, help=f"Make, list and remove the keys of {PREFIX}KEYS_FILE.")
guard = typer.Typer(no_args_is_help=True, help="Ask what the guard would say.")
cache = typer.Typer(no_args_is_help=True, help="Look at what is kept of answers, and delete it.")
cli.add_typer(keys, name="keys")
cli.add_typer(guard, name="guard")
cli.add_typer(cache, name="cache")


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


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help=f"Instead of {PREFIX}HOST.")] = None,
    port: Annotated[int | None, typer.Option(help=f"Instead of {PREFIX}PORT.")] = None,
) -> None:
    """Serve the API until told to stop; running streams get time to end."""
    settings = read_settings(host=host, port=port)
    with memory.left_alone():
        from app.cli.serving import CannotListen
        from app.cli.serving import serve as serve_until_stopped
        from app.main import create_app
        from app.telemetry import configure_logging
        from models.memory import give_large_blocks_back

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


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs, when all is tried.")] = False,
) -> None:
    """Show what serves each capability here, and try it.

    The exit status is 1 when something that should work does not.
    """
    settings = read_settings()
    with memory.left_alone():
        from app.cli.doctor import examine
        from app.telemetry import configure_logging

    # What is wrong stands in the table.
    configure_logging("error")
    try:
        sys.exit(asyncio.run(examine(settings, as_json=as_json)))
    except ValueError as error:  # the settings' fault: no engine's gets out of it
        fail(str(error))


@cli.command()
def pull(
    name: Annotated[
        str,
        typer.Argument(
            help="A set of weights, an engine (whisper-small), a capability (ocr), a profile (gpu); without: a list."
        ),
    ] = "",
) -> None:
    """Fetch weights into OPENFAZE_WEIGHTS_DIR, each file checked by its SHA-256; what is there is checked again.

    An interrupted file goes on where it stopped. For a machine without a network, pull on another one and copy the
    folder.
    """
    from app.cli import pulling
    from models.weights import PullFailed

    settings = read_settings()
    if not name:
        typer.echo(as_called_here(pulling.listing(settings)))
        return
    try:
        pulling.fetch(pulling.sets_named(name, settings), settings)
    except (pulling.NothingToPull, PullFailed) as error:
        fail(str(error))


@cli.command()
def install(
    name: Annotated[str, typer.Argument(help="What to install (standard); without one: a list.")] = "",
) -> None:
    """Install packages that some engines need and that do not come along, into this Python's environment."""
    from app.cli import extras

    if not name:
        typer.echo(extras.listing())
        return
    try:
        status = extras.install(name)
    except extras.CannotInstall as error:
        fail(str(error))
    sys.exit(status)


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Whose key it is, as `list` shows it.")],
    guard_threshold: Annotated[
        list[str] | None,
        typer.Option(
            help="A score from which on a guard's code applies for this key: S1=0.6. May be given several times.",
            metavar="CODE=SCORE",
        ),
    ] = None,
) -> None:
    """Make a key and print it. It is shown this once: the file holds its SHA-256."""
    from app.access.key_file import KeyFileError
    from app.access.key_file import add_key as add

    file = _keys_file()
    try:
        key = add(file, name, _thresholds(guard_threshold or []))
    except KeyFileError as error:
        fail(str(error))
    typer.echo(key)
    typer.echo(f"'{name}' is in {file}; the key itself is kept nowhere", err=True)


@keys.command("list")
def list_keys() -> None:
    """Show whose keys there are, how their SHA-256 begins, and their thresholds."""
    from app.access.key_file import KeyFileError, read_keys

    file = _keys_file()
    try:
        stored = read_keys(file)
    except KeyFileError as error:
        fail(str(error))
    width = max((len(key.name) for key in stored), default=0)
    for key in stored:
        thresholds = " ".join(f"{code}={score:g}" for code, score in key.guard_thresholds.items())
        typer.echo(f"{key.name:{width}}  {key.sha256[:8]}  {thresholds}".rstrip())


@keys.command("remove")
def remove_key(name: Annotated[str, typer.Argument(help="As `list` shows it.")]) -> None:
    """Remove a key. Running servers refuse it within two seconds."""
    from app.access.key_file import KeyFileError
    from app.access.key_file import remove_key as remove

    file = _keys_file()
    try:
        left = remove(file, name)
    except KeyFileError as error:
        fail(str(error))
    typer.echo(
        f"'{name}' is no longer in {file}, which holds {left or 'no'} key{'' if left == 1 else 's'} now", err=True
    )


def _keys_file() -> Path:
    file = read_settings().keys_file
    if not file:
        fail(f"{PREFIX}KEYS_FILE: set it to the file that holds the keys, or is to hold them")
    return Path(file)


def _thresholds(pairs: list[str]) -> dict[str, float]:
    try:
        return {code: float(score) for pair in pairs for code, score in thresholds_in(pair).items()}
    except ValueError as error:
        fail(f"--guard-threshold: {error}")


@cache.command("stats")
def cache_stats(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show how much is kept, by key. Whose a key is, stands there where OPENFAZE_KEYS_FILE says it."""
    from app.cli import cached

    cached.show(read_settings(), as_json=as_json)


@cache.command("purge")
def purge_cache(
    key: Annotated[str | None, typer.Option(help="As `openfaze keys list` shows it; without, all is deleted.")] = None,
) -> None:
    """Delete what is kept of answers and readings: of one key, or all."""
    from app.cli import cached

    cached.purge(read_settings(), key)


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
    with memory.left_alone():
        from app.cli import guard_explanation
        from app.telemetry import configure_logging
        from models.base import ModelError

    configure_logging("warning")
    # Bytes that are no UTF-8 become signs of replacement, as in a file that a client sends.
    read = (sys.stdin.buffer.read() if text == "-" else os.fsencode(text)).decode("utf-8", "replace")
    if not read.strip():
        fail("there is nothing to judge: the text is empty")
    try:
        asked = guard_explanation.codes_in(codes)
    except ValueError as error:
        fail(f"--codes: {error}")
    try:
        explanation = asyncio.run(guard_explanation.explain(settings, read, asked))
    except (ModelError, ValueError) as error:  # a ValueError is the settings' fault: no engine's gets out of it
        fail(str(error))
    if as_json:
        typer.echo(guard_explanation.as_json(explanation))
    else:
        guard_explanation.print_table(explanation)


def read_settings(**overrides: object) -> Settings:
    """The settings, or exit status 2 with a line for each that cannot be used."""
    given = {name: value for name, value in overrides.items() if value is not None}
    problems = unknown_variables()
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems += [_sentence(problem["loc"], problem["msg"]) for problem in error.errors()]
    if problems:
        fail("\n".join(problems))
    return settings


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {message}" if location else message


def fail(message: str) -> NoReturn:
    typer.echo(as_called_here(message), err=True)
    sys.exit(2)


def main() -> None:
    cli()
