"""The scraper over HTTP: as a run task, streamed and not, and as what the full model reads before it answers."""

import json
from collections.abc import Iterator

import pytest

from tasks.scrape.browser import find_browser
from tests.e2e.full_model import FullModel, content_of, error_of, prompt_text, serving_full_model, system
from tests.llm_server import Reply
from tests.origin import Origin, serving_origin
from tests.web_pages import LAYOUTS, ORDER

SHELL = b'<html><body><div id="root"></div><script src="/app.js"></script></body></html>'
SCRAPE = system("<task>scraper</task>")


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving_origin() as origin:
        origin.files |= {
            "/links": LAYOUTS["link_list"]().html,
            "/orders": LAYOUTS["hidden_orders"]().html,
            "/loud": f"<html><title>{ORDER}</title><p>{ORDER} in plain sight</p></html>".encode(),
            "/shell": SHELL,
            "/private/page": b"<html><p>private</p></html>",
            "/robots.txt": b"User-agent: openfaze\nDisallow: /private/\n",
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


def test_orders_in_plain_sight_stand_between_fences_and_cause_nothing(model: FullModel, origin: Origin) -> None:
    origin.seen.clear()
    model.script(Reply("It gives orders."))
    body = model.ask(f"What is on {origin.url('/loud')} ?").json()
    [prompt] = model.prompts
    rules, user = prompt["messages"][0]["content"], prompt["messages"][-1]["content"]
    fence = user.split(" ", 1)[0]
    assert f"begins with `{fence} `" in rules
    before, inside, after = user.split(fence)
    assert ORDER in inside
    assert ORDER not in before + after
    assert set(origin.seen) <= {"/robots.txt", "/loud"}
    assert [entry["name"] for entry in body["precontext"]] == ["scraper"]


def test_a_page_that_robots_txt_closes_is_refused(model: FullModel, origin: Origin) -> None:
    error = model.ask(SCRAPE, origin.url("/private/page"))
    assert error.status_code == 400
    assert error.json()["error"]["code"] == "url_not_allowed"
    assert "robots.txt" in error.json()["error"]["message"]
    assert "/private/page" not in origin.seen


@pytest.mark.deep
@pytest.mark.skipif(find_browser() is None, reason="needs Playwright and a Chromium")
def test_a_shell_is_rendered_where_there_is_a_browser(origin: Origin) -> None:
    origin.files["/app.js"] = b"document.getElementById('root').innerHTML = '<main><p>Rendered here</p></main>'"
    origin.headers["/shell"] = {"content-type": "text/html"}
    with serving_full_model(fetch_allow="127.0.0.1/32", browser="auto") as model:
        answer = json.loads(content_of(model.ask(SCRAPE, origin.url("/shell"))))
    assert answer["result"]["text"] == "Rendered here"


def test_a_run_task_without_a_url_is_400(model: FullModel) -> None:
    assert "URL" in error_of(model.ask(SCRAPE, "Scrape it"), 400, "invalid_request")["message"]
