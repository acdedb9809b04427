"""The command `openfaze`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from app.settings import PREFIX, Settings, unknown_variables

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
    from app.telemetry import configure_logging

    settings = read_settings(host=host, port=port)
    configure_logging(settings.log_level)
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
    name: Annotated[str, typer.Argument(help="A set of weights; without one, they are listed.")] = "",
) -> None:
    """Fetch weights into OPENFAZE_WEIGHTS_DIR, each file checked by its SHA-256."""
    from models.weight_sets import WEIGHT_SETS
    from models.weights import PullFailed, WeightFile
    from models.weights import pull as pull_weights

    root = Path(read_settings().weights_dir)
    if name not in WEIGHT_SETS:
        rows = [
            f"{known.name:24}{known.licence:14}{'missing' if known.missing(root) else 'here'}"
            for known in WEIGHT_SETS.values()
        ]
        listing = "\n".join(rows)
        if name:
            fail(f"no weights '{name}'; there are:\n{listing}")
        typer.echo(listing)
        return

    def show(file: WeightFile, done: int) -> None:
        typer.echo(f"\r{file.path}  {done / 1e6:.1f} MB", nl=False, err=True)

    try:
        pull_weights(WEIGHT_SETS[name], root, progress=show)
    except PullFailed as error:
        fail(f"\n{error}")
    typer.echo(f"\n{name} is in {root}", err=True)


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
