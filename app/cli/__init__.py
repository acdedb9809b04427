"""The commands of `openfaze`, and functions that they share: reading the settings, and exiting with a message."""

import contextlib
import gc
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import typer

from app.runnable_commands import adapt_commands

if TYPE_CHECKING:
    from app.settings import Settings

KEY_VARIABLE = "OPENFAZE_API_KEY"
"""Name of the variable that holds the API key for commands that send requests to a server."""
ENV_FILE = ".env"
"""A file of settings in the working folder, which only `openfaze serve` reads by itself. Other commands may be called
in a folder of somebody else's files, which must not name the server that gets the key and the papers."""


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Switch the garbage collector off while the block runs. Imports allocate much and free little, and the collector
    makes them a fifth slower."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def read_settings(*, for_clients: bool = False, **overrides: object) -> "Settings":
    """Return the settings. If some settings cannot be used, print a line for each of them and exit with status 2.

    `for_clients` states that a server for others reads them. It alone reads the file ENV_FILE. KEY_VARIABLE is
    accepted by all other commands: for such a server, it may be a misspelt OPENFAZE_API_KEYS, and the server would
    answer without keys.
    """
    with without_garbage_collection():
        from pydantic import ValidationError

        from app.settings import Settings, unknown_variables

    given = {name: value for name, value in overrides.items() if value is not None}
    env_file = ENV_FILE if for_clients else None
    problems = unknown_variables(() if for_clients else (KEY_VARIABLE,), env_file)
    try:
        settings = Settings(_env_file=env_file, **given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems += [_describe_problem(problem["loc"], problem["msg"]) for problem in error.errors()]
    if problems:
        fail("\n".join(problems))
    return settings


def _describe_problem(location: tuple[int | str, ...], message: str) -> str:
    from app.settings import PREFIX

    message = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {message}" if location else message


def fail(message: str) -> NoReturn:
    typer.echo(adapt_commands(message), err=True)
    sys.exit(2)
