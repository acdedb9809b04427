"""The commands of `openfaze`, and functions that they share: reading the settings, fitting the terminal's width, and
exiting with a message."""

import contextlib
import gc
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import typer

from app.runnable_commands import adapt_commands

if TYPE_CHECKING:
    from app.settings import Settings

KEY = "OPENFAZE_API_KEY"
"""Name of the variable that holds the API key for commands that send requests to a server."""
WIDTH = 100
"""Width of the output, in columns, if no terminal states its own."""
_PASTED, _BLANK = re.compile(r"`[^`]*`"), "\0"


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

    The variable KEY is accepted, except `for_clients` of a server: it may be a misspelt OPENFAZE_API_KEYS there, and
    the server would answer without keys.
    """
    with without_garbage_collection():
        from pydantic import ValidationError

        from app.settings import Settings, unknown_variables

    given = {name: value for name, value in overrides.items() if value is not None}
    problems = unknown_variables(() if for_clients else (KEY,))
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems += [_describe_problem(problem["loc"], problem["msg"]) for problem in error.errors()]
    if problems:
        fail("\n".join(problems))
    return settings


def _describe_problem(location: tuple[int | str, ...], message: str) -> str:
    from app.settings import PREFIX

    message = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {message}" if location else message


def terminal_width(without_terminal: int = WIDTH) -> int:
    """Return the terminal's width in columns, or `without_terminal` if the output goes into a file or another program.
    The variable COLUMNS overrides both."""
    return shutil.get_terminal_size((without_terminal, 0)).columns


def wrapped(text: str, width: int, hanging: int = 0) -> str:
    """Return `text` wrapped to `width` characters, all lines but the first indented by `hanging`. Commands in backticks
    and addresses are never split, so that they can be copied."""
    kept = _PASTED.sub(lambda command: command[0].replace(" ", _BLANK), text)
    lines = textwrap.wrap(kept, width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_BLANK, " ")


def printable(text: str, max_chars: int) -> str:
    """Return `text` as one line, cut to `max_chars` characters. Afterwards, characters that are invisible or control a
    terminal are escaped."""
    cut = text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)


def fail(message: str) -> NoReturn:
    typer.echo(adapt_commands(message), err=True)
    sys.exit(2)
