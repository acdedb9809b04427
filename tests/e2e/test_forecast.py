"""Forecasts over HTTP, as clients of a real server ask for them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import api_client, data_url
from tests.e2e.full_model import FullModel, content_of, serving_full_model
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.servers.llm_server import Reply
from tests.kit.servers.server import Server

SALES = "date,sold\n" + "".join(f"2026-01-{day:02},{100 + day + 40 * (day % 7 < 2)}\n" for day in range(1, 31))
"""Thirty days; two of seven are busier."""
NEXT = ["2026-01-31 00:00:00", "2026-02-01 00:00:00"]


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving_origin() as origin:
        origin.files["/sold.csv"] = SALES.encode()
        origin.files["/export"] = SALES.encode()
        yield origin


@pytest.fixture
def client(open_server: Server) -> Iterator[httpx.Client]:
    with api_client(open_server) as client:
        yield client


@pytest.fixture(scope="module")
def model(remembering: None) -> Iterator[FullModel]:
    with serving_full_model(fetch_allow="127.0.0.1/32", forecast="statsmodels") as model:
        yield model


def body(text: str, *files: tuple[str, str]) -> dict[str, Any]:
    parts = [
        {"type": "file", "file": {"file_data": data_url(data.encode(), "text/csv"), "filename": name}}
        for name, data in files
    ]
    return {
        "model": "interfaze-beta",
        "messages": [
            {"role": "system", "content": "<task>forecast</task>"},
            {"role": "user", "content": [{"type": "text", "text": text}, *parts]},
        ],
    }


def result_of(content: str) -> dict[str, Any]:
    answer = json.loads(content)
    assert list(answer) == ["name", "result"]
    assert answer["name"] == "forecast"
    result: dict[str, Any] = answer["result"]
    return result


def test_a_file_is_forecast(client: httpx.Client) -> None:
    answer = client.post("/v1/chat/completions", json=body("Forecast the next 2 days.", ("sold.csv", SALES))).json()
    assert "precontext" not in answer
    rows = result_of(answer["choices"][0]["message"]["content"])["predictions"]
    assert [row["date"] for row in rows] == NEXT
    # The 31st is a quiet day of the week, the 1st of February the 32nd.
    assert [round(row["value"], -1) for row in rows] == [130, 130]
    for row in rows:
        assert list(row) == ["date", "value", "lower", "upper"]
        assert row["lower"] <= row["value"] <= row["upper"]
        assert isinstance(row["value"], int)


@pytest.mark.parametrize("path", ["/sold.csv", "/export"])
def test_an_address_in_the_text_is_fetched_and_forecast(client: httpx.Client, origin: Origin, path: str) -> None:
    response = client.post("/v1/chat/completions", json=body(f"Forecast the next 2 days of this: {origin.url(path)}"))
    rows = result_of(response.json()["choices"][0]["message"]["content"])["predictions"]
    assert [row["date"] for row in rows] == NEXT


def test_the_full_model_forecasts_without_a_tag(model: FullModel, origin: Origin) -> None:
    model.script(Reply("It goes on."))
    response = model.ask(f"Forecast the next 2 days of this: {origin.url('/sold.csv')}")
    assert content_of(response) == "It goes on."
    [entry] = response.json()["precontext"]
    assert entry["name"] == "forecast"
    assert [row["date"] for row in entry["result"]["predictions"]] == NEXT
    shown = json.dumps(model.prompts[0]["messages"])
    assert "date | value | lower | upper" in shown
    assert "2026-02-01 | " in shown
