"""The command `openfaze`."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError

from app.settings import PREFIX, Settings, unknown_variables

if TYPE_CHECKING:
    from rich.progress import TaskID

    from models.weights import Progress, WeightSet

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One OpenAI-compatible endpoint over local specialist models. Settings: OPENFAZE_* variables.",
)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help=f"Instead of {PREFIX}HOST.")] = None,
    port: Annotated[int | None, typer.Option(help=f"Instead of {PREFIX}PORT.")] = None,
) -> None:
    """Serve the API until told to stop; running streams get time to end."""
    import uvicorn

    from app.main import create_app
    from app.memory import give_large_blocks_back
    from app.telemetry import configure_logging

    settings = read_settings(host=host, port=port)
    configure_logging(settings.log_level)
    give_large_blocks_back()
    try:
        app = create_app(settings)
    except ValueError as error:
        fail(str(error))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )


@cli.command()
def doctor() -> None:
    """Show what serves each capability here, and try it."""
    from app.doctor import examine
    from app.telemetry import configure_logging

    configure_logging("warning")
    sys.exit(asyncio.run(examine(read_settings())))


@cli.command()
def pull(
    name: Annotated[
        str, typer.Argument(help="A set of weights, or a capability (object_detection); without one, they are listed.")
    ] = "",
) -> None:
    """Fetch weights into OPENFAZE_WEIGHTS_DIR, each file checked by its SHA-256; what is there is checked again.

    An interrupted file goes on where it stopped. For a machine without a network, pull on another one and copy the
    folder.
    """
    from models.weight_sets import WEIGHT_SETS
    from models.weights import PullFailed
    from models.weights import pull as pull_weights

    settings = read_settings()
    root = Path(settings.weights_dir)
    found = _set_named(name, settings)
    if found is None:
        rows = [
            f"{known.name:24}{known.licence:14}{'missing' if known.missing(root) else 'here'}"
            for known in WEIGHT_SETS.values()
        ]
        listing = "\n".join(rows)
        if name:
            fail(f"no weights '{name}'; there are:\n{listing}")
        typer.echo(listing)
        return
    try:
        with _shown_progress() as progress:
            pull_weights(found, root, progress=progress)
    except PullFailed as error:
        fail(str(error))
    typer.echo(f"{found.name} is in {root}, every file with its checksum", err=True)


def _set_named(name: str, settings: Settings) -> "WeightSet | None":
    """The set `name`; of a capability, the set of the engine that the operator chose for it, else the recommended."""
    from models.weight_sets import RECOMMENDED, WEIGHT_SETS

    chosen = str(getattr(settings, name)) if name in RECOMMENDED else name
    return WEIGHT_SETS.get(chosen) or WEIGHT_SETS.get(RECOMMENDED.get(name, ""))


@contextmanager
def _shown_progress() -> Iterator["Progress"]:
    """A bar a file on a terminal; a line a file elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    from models.weights import WeightFile

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        shown: dict[str, TaskID] = {}

        def show(file: WeightFile, done: int, total: int | None) -> None:
            if file.path not in shown:
                shown[file.path] = bars.add_task(file.path, total=total)
            bars.update(shown[file.path], completed=done, total=total)

        yield show


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
    typer.echo(message, err=True)
    sys.exit(2)


def main() -> None:
    cli()
