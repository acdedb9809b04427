"""`openfaze review`: show the doubtful fields of a table on a local page, where people check and correct them."""

import contextlib
import secrets
import socket
from pathlib import Path

import uvicorn

from app.folders.client import PaperClient
from app.folders.desk import TableReview
from app.folders.extract import Server, failing
from app.folders.failures import Failed
from app.folders.files import check
from app.folders.page import review_app
from app.folders.papers import STATE
from app.folders.state import JobState


def review(named: Path, server: Server, key: str | None, port: int, below: float, playground: Path) -> None:
    """Serve the page until Ctrl+C, and write the table again. `playground` is the folder of the server's playground.
    Raises Failed if the table cannot be reviewed or written."""
    if not named.name or named.is_dir():
        raise Failed(f"{named} is a folder: name the table that `openfaze extract` made")
    table = named.with_name(named.name.removesuffix(STATE)).resolve()
    state_file = table.with_name(f"{table.name}{STATE}")
    if not state_file.is_file():
        raise Failed(f"{named}: there is no {state_file.name}, which `openfaze extract` writes beside its table")
    with failing(table), contextlib.ExitStack() as closed:
        check(table)
        state = closed.enter_context(contextlib.closing(JobState(state_file)))
        if state.schema is None:
            raise Failed(f"{state_file} names no schema: run the same `openfaze extract` once more, then review")
        listening = closed.enter_context(_listen(port))
        asker = closed.enter_context(contextlib.closing(PaperClient(closed.enter_context(server()), key)))
        desk = TableReview(state, table, asker, below)
        token = secrets.token_urlsafe(24)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/review/{token}/"
        print(f"review {table.name} at {address}\nCtrl+C ends it and writes the table.", flush=True)
        app = review_app(desk, token, playground.resolve())
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="off")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([listening])
        print(f"written: {', '.join(desk.export()['written'])}")


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise Failed(f"--port: cannot listen on port {port}: {error.strerror}. 0 takes a free one") from None
