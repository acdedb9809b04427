"""A server as one starts it, for the programs and frameworks of other people, and a browser."""

from collections.abc import Iterator

import pytest

from tests.conftest import SHARED
from tests.e2e.conftest import browser as browser
from tests.kit.servers.server import Server, serving


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("integrations") / "log"
    with serving(log, preload="ocr", weights_dir=SHARED / "weights") as server:
        yield server
