"""`openfaze review`: show the doubtful fields of a table on a local page, where people check and correct them."""

import contextlib
import os
import secrets
from pathlib import Path

import typer

from app.cli import KEY, fail, without_garbage_collection
from app.cli.extract import server_to_ask
from app.extract.client import PaperClient
from app.extract.files import CannotWrite, TooManyRows, check
from app.extract.papers import STATE
from app.extract.state import CannotOpen, JobState


def review(named: Path, url: str | None, port: int, below: float) -> int:
    """Serve the page until Ctrl+C, write the table again, and return the exit status. Exits with status 2 if the table
    cannot be reviewed or written."""
    with without_garbage_collection():
        import uvicorn

        from app.cli.serving import CannotListen, listen
        from app.review.server import review_app
        from app.review.table_review import TableReview

    if not named.name or named.is_dir():
        fail(f"{named} is a folder: name the table that `openfaze extract` made")
    table = named.with_name(named.name.removesuffix(STATE)).resolve()
    state_file = table.with_name(f"{table.name}{STATE}")
    if not state_file.is_file():
        fail(f"{named}: there is no {state_file.name}, which `openfaze extract` writes beside its table")
    try:
        check(table)
    except CannotWrite as error:
        fail(str(error))
    try:
        with contextlib.ExitStack() as closed:
            state = closed.enter_context(contextlib.closing(JobState(state_file)))
            if state.schema is None:
                fail(
                    f"{state_file} was written by an earlier version: run the same `openfaze extract` once "
                    "more, then review"
                )
            if state.folder is not None and state.folder.is_dir():
                # Relative paths of papers are resolved from the folder in which `openfaze extract` ran.
                closed.enter_context(contextlib.chdir(state.folder))
            sockets = listen("127.0.0.1", port)
            base_url = closed.enter_context(server_to_ask(url))
            asker = closed.enter_context(contextlib.closing(PaperClient(base_url, os.environ.get(KEY))))
            desk = closed.enter_context(contextlib.closing(TableReview(state, table, asker, below)))
            token = secrets.token_urlsafe(24)
            address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/review/{token}/"
            typer.echo(f"review {table.name} at {address}\nCtrl+C ends it and writes the table.")
            config = uvicorn.Config(
                review_app(desk, token), log_config=None, access_log=False, server_header=False, lifespan="off"
            )
            with contextlib.suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets)
            typer.echo(f"written: {', '.join(map(str, desk.export()))}")
    except (CannotListen, CannotOpen, CannotWrite, TooManyRows) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or table}: {error.strerror}")
    return 0
