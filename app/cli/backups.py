"""`openfaze backup` and `openfaze restore`: a server's state in one file."""

import sys
from pathlib import Path

import typer

from app.cli import fail
from app.settings import Settings
from app.upkeep import backup
from app.upkeep.backup import BackupFailed, Places, build_places

PIPE = "-"
"""File name that means standard output, or standard input."""


def back_up(settings: Settings, file: Path) -> None:
    places = _places(settings)
    if str(file) == PIPE and sys.stdout.isatty():
        fail("a backup is binary: name a file, or redirect the output to one (openfaze backup - > openfaze.zip)")
    try:
        contents = backup.write(places, sys.stdout.buffer) if str(file) == PIPE else backup.back_up(places, file)
    except BackupFailed as error:
        fail(str(error))
    typer.echo(f"the backup holds {contents.summary}, as of {contents.made} UTC", err=True)
    for one in places.elsewhere:
        typer.echo(f"not included, because it is not on this machine: {one}", err=True)


def restore(settings: Settings, file: Path) -> None:
    try:
        with sys.stdin.buffer if str(file) == PIPE else file.open("rb") as source:
            contents = backup.restore(_places(settings), source)
    except OSError as error:
        fail(f"'{file}' cannot be read: {error.strerror}")
    except BackupFailed as error:
        fail(str(error))
    typer.echo(f"restored as of {contents.made} UTC (openfaze {contents.made_by}): {contents.summary}", err=True)


def _places(settings: Settings) -> Places:
    try:
        return build_places(settings)
    except ValueError as error:
        fail(str(error))
