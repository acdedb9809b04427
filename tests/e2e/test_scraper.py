"""The scraper over HTTP: as a run task, streamed and not, and as what the full model reads before it answers."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.full_model import FullModel, content_of, error_of, prompt_text, serving_full_model, system
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.internet.web_pages import LAYOUTS
from tests.kit.servers.llm_server import Reply

SCRAPE = system("<task>scraper</task>")


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving_origin() as origin:
        origin.files |= {
            "/links": LAYOUTS["link_list"]().html,
        }
        yield origin


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    with serving_full_model(fetch_allow="127.0.0.1/32", browser="off", scrape_host_rps=1000) as model:
        yield model


@pytest.mark.deep
def test_a_run_task_answers_with_the_page(model: FullModel, origin: Origin) -> None:
    answer = json.loads(content_of(model.ask(SCRAPE, f"Extract titles and points from {origin.url('/links')}")))
    assert answer["name"] == "scraper"
    assert answer["result"]["url"] == origin.url("/links")
    assert len(answer["result"]["data"]) == 25


def test_the_full_model_reads_a_linked_page_before_it_answers(model: FullModel, origin: Origin) -> None:
    model.script(Reply("A list of links."))
    body = model.ask(f"What is on {origin.url('/links')} ?").json()
    assert [entry["name"] for entry in body["precontext"]] == ["scraper"]
    assert "The museum and the wooden bridge" in prompt_text(model.prompts[0])


def test_a_run_task_without_a_url_is_400(model: FullModel) -> None:
    assert "URL" in error_of(model.ask(SCRAPE, "Scrape it"), 400, "invalid_request")["message"]
