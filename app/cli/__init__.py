"""The commands of `openfaze`, and what all of them do: read the settings, and fail with a sentence."""

import sys
from typing import NoReturn

import typer
from pydantic import ValidationError

from app.calling import as_called_here
from app.settings import PREFIX, Settings, unknown_variables

KEY = "OPENFAZE_API_KEY"
"""The variable from which commands that ask a server take the key."""


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
