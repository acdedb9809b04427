"""Links in the text of a request: what becomes of those that cannot be read, with an LLM, without one, and for a task
that runs alone."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import each_case
from tests.e2e.full_model import (
    FullModel,
    client_of_app,
    error_of,
    picture_of,
    prompt_text,
    serving_full_model,
    text_part,
)
from tests.kit.internet.origin import Origin
from tests.kit.servers.llm_server import Reply

UNKNOWN = "http://shop.nowhere.invalid/lamps"


@pytest.fixture(scope="module", autouse=True)
def _files(origin: Origin) -> None:
    origin.files["/broken.pdf"] = b"%PDF-1.7 and nothing else"
    origin.files["/a.svg"] = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    origin.files["/note.txt"] = b"The lamp is green."


@pytest.fixture(scope="module")
def model(remembering: None) -> Iterator[FullModel]:
    with serving_full_model("tools,json_schema,vision", fetch_allow="127.0.0.1/32") as model:
        yield model


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The server without a capable LLM."""
    with client_of_app(tmp_path_factory.mktemp("alone"), fetch_allow="127.0.0.1/32") as client:
        yield client


@each_case(
    ("path", "name"),
    [
        ("http://localhost:3000/", "scraper"),
        ("http://192.0.2.17/setup.pdf", "ocr"),
        (UNKNOWN, "scraper"),
        ("http://[::1", None),
        ("/missing", "scraper"),
        ("/broken.pdf", "ocr"),
        ("/a.svg", "ocr"),
    ],
)
def test_a_link_that_cannot_be_read_is_an_entry_and_a_warning(
    model: FullModel, origin: Origin, path: str, name: str | None
) -> None:
    url = origin.url(path) if path.startswith("/") else path
    model.script(Reply("Something behind it failed."), Reply("Something behind it failed."))
    question = f"Somebody sent {url} to me. Who wrote it?"
    assert model.stream(question).text == "Something behind it failed."
    body = model.ask(question).json()
    assert body["choices"][0]["message"]["content"] == "Something behind it failed."
    assert [entry["name"] for entry in body.get("precontext", ())] == ([name] if name else [])
    for entry in body.get("precontext", ()):
        assert (entry["result"], bool(entry["error"])) == (None, True)
        assert any(entry["error"] in warning for warning in body["warnings"])
        assert entry["error"] in prompt_text(model.prompts[0])


def test_an_attached_part_that_cannot_be_read_fails_the_request(model: FullModel, origin: Origin) -> None:
    model.script(Reply("ok"))
    part = {"type": "file", "file": {"file_data": origin.url("/missing")}}
    question = f"Read it. It is like {origin.url('/note.txt')}, and {UNKNOWN}."
    error = error_of(model.ask([part, text_part(f"See {UNKNOWN}.")]), 400, "fetch_failed", origin.url("/missing"))
    assert error["param"] == "messages[0].content[0].file.file_data"
    response = model.ask([text_part(question), picture_of("Nine")])
    assert [bool(entry.get("error")) for entry in response.json()["precontext"]] == [False, False, True]
