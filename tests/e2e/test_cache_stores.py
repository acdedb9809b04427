"""Where answers are kept, over HTTP: they outlive servers, an operator sees and deletes them, and no store that breaks
costs anybody an answer."""

from pathlib import Path
from typing import Any

from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import (
    PATH,
    client_of_app,
    vcache,
)


def test_answers_outlive_the_server(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cache": "exact", "cache_url": f"sqlite:///{tmp_path / 'a.sqlite'}", "llm": "off"}
    body = ocr_request(data_url(b"Still here", "text/plain"))
    told = []
    for more in ({}, {}, {"max_pages": 7}):
        with client_of_app(tmp_path, **settings, **more) as client:
            told.append(vcache(client.post(PATH, json=body)))
    # A setting that shapes answers asks anew.
    assert told == [False, True, False]
