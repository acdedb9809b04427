"""`openfaze extract` and `openfaze review`: the commands of the package for folders of papers, with a server to ask."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from app.cli import KEY_VARIABLE, fail, read_settings, without_garbage_collection
from app.folders.explanation import explain
from app.folders.extract import ExtractOptions, Server, extract
from app.folders.failures import Failed
from app.folders.review import review

PLAYGROUND = Path(__file__).parents[1] / "playground"

T = TypeVar("T")


def extract_folder(wanted: ExtractOptions, url: str | None) -> int:
    """Make the table, and return the exit status. Exits with status 2 if nothing can be done."""
    return _done(lambda: extract(wanted, _server_at(url)))


def explain_field(sources: Sequence[str], field: str | None, schema: str | None, url: str | None) -> None:
    """Print why a field of a paper has its value. Exits with status 2 if nothing can be explained."""
    if len(sources) != 1 or not field:
        fail("--explain needs one paper and a --field: openfaze extract --explain invoice.pdf --field total")
    print(_done(lambda: explain(sources[0], field, schema, os.environ.get(KEY_VARIABLE), _server_at(url))))


def review_table(table: Path, url: str | None, port: int, below: float) -> None:
    """Serve the page of a review until Ctrl+C. Exits with status 2 if the table cannot be reviewed."""
    _done(lambda: review(table, _server_at(url), os.environ.get(KEY_VARIABLE), port, below, PLAYGROUND))


def _done(command: Callable[[], T]) -> T:
    try:
        return command()
    except Failed as error:
        fail(str(error))


def _server_at(url: str | None) -> Server:
    return _own_server if url is None else lambda: contextlib.nullcontext(url)


@contextlib.contextmanager
def _own_server() -> Iterator[str]:
    """Yield the URL of a server in this process."""
    settings = read_settings()
    with without_garbage_collection():
        from app.cli.serving import CannotListen, serve_in_thread
        from app.telemetry import configure_logging

    configure_logging("error")
    try:
        with serve_in_thread(settings) as own:
            yield own
    except CannotListen as error:
        fail(str(error))
