"""The commands of `openfaze`, and what all of them do: read the settings, keep to the terminal's width, and fail with a
sentence."""

import contextlib
import gc
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import typer

from app.calling import as_called_here

if TYPE_CHECKING:
    from app.settings import Settings

KEY = "OPENFAZE_API_KEY"
"""The variable from which commands that ask a server take the key."""
WIDTH = 100
"""Columns of what is shown, where no terminal says how many it has."""
_PASTED, _BLANK = re.compile(r"`[^`]*`"), "\0"


@contextlib.contextmanager
def left_alone() -> Iterator[None]:
    """No rounds of the garbage collector meanwhile: for imports, which make a lot and drop little. They take a fifth
    longer with them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def read_settings(**overrides: object) -> "Settings":
    """The settings, or exit status 2 with a line for each that cannot be used."""
    with left_alone():
        from pydantic import ValidationError

        from app.settings import Settings, unknown_variables

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
    from app.settings import PREFIX

    message = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {message}" if location else message


def columns(elsewhere: int = WIDTH) -> int:
    """The terminal's; `elsewhere` for what goes into a file or another program. COLUMNS says it for all of them."""
    return shutil.get_terminal_size((elsewhere, 0)).columns


def wrapped(text: str, width: int, hanging: int = 0) -> str:
    """In lines of `width`, all but the first indented by `hanging`. What is to be pasted stays in one piece: a command
    in backticks, an address."""
    kept = _PASTED.sub(lambda command: command[0].replace(" ", _BLANK), text)
    lines = textwrap.wrap(kept, width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_BLANK, " ")


def printable(text: str, most_chars: int) -> str:
    """In one line that no terminal takes for commands, and in which disguises are seen."""
    cut = text if len(text) <= most_chars else f"{text[: most_chars - 1]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)


def fail(message: str) -> NoReturn:
    typer.echo(as_called_here(message), err=True)
    sys.exit(2)
