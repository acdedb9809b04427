"""Bad input: the right status, type, code and words, and a server that goes on answering."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import each_case
from tests.e2e.conftest import api_client, data_url, ocr_request
from tests.kit.papers.pages import single_line
from tests.kit.servers.server import Server

GOOD = data_url(single_line("still here").encoded())


def chat(client: httpx.Client, body: object) -> httpx.Response:
    return client.post("/v1/chat/completions", json=body)


def error_of(response: httpx.Response, status: int, kind: str, code: str) -> dict[str, Any]:
    body = response.json()
    assert response.status_code == status, response.text
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert list(error) == ["message", "type", "code", "param", "request_id"]
    assert (error["type"], error["code"]) == (kind, code)
    assert error["request_id"] == response.headers["x-request-id"]
    return error


def bad(response: httpx.Response, code: str = "invalid_request") -> dict[str, Any]:
    return error_of(response, 400, "invalid_request_error", code)


@pytest.fixture(scope="module", autouse=True)
def _answers_at_the_end(server: Server) -> Iterator[None]:
    """Check that after all tests here the server reads a picture as if nothing had happened."""
    yield
    with api_client(server) as client:
        assert "still here" in chat(client, ocr_request(GOOD)).text


@each_case(
    ("authorization", "message"),
    [
        (None, "No API key was provided."),
        ("", "No API key was provided."),
        ("Bearer", "No API key was provided."),
        ("Bearer wrong", "Invalid API key provided."),
        ("Basic abc", "Invalid API key provided."),
    ],
)
def test_no_key_or_a_wrong_one(server: Server, authorization: str | None, message: str) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    response = httpx.post(f"{server.base_url}/v1/chat/completions", json=ocr_request(GOOD), headers=headers)
    error = error_of(response, 401, "authentication_error", "invalid_api_key")
    assert error["message"].startswith(message)
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["oauth-protected-resource", "oauth-protected-resource/mcp", "openid-configuration"])
def test_who_looks_for_a_way_to_log_in_learns_without_a_key_that_there_is_none(server: Server, name: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        answer = httpx.get(f"{server.base_url}/.well-known/{name}", headers=headers)
        error_of(answer, 404, "invalid_request_error", "not_found")


def test_a_wrong_type_and_a_wrong_range(client: httpx.Client) -> None:
    error = bad(chat(client, ocr_request(GOOD, temperature=3)))
    assert error["message"] == "Field 'temperature': Input should be less than or equal to 2, not 3"
    assert error["param"] == "temperature"
    assert bad(chat(client, ocr_request(GOOD, stream="yes")))["param"] == "stream"


def test_an_unknown_model(client: httpx.Client) -> None:
    error = error_of(
        chat(client, {**ocr_request(GOOD), "model": "gpt-9"}), 404, "invalid_request_error", "model_not_found"
    )
    assert "gpt-9" in error["message"]
    error_of(client.get("/v1/models/gpt-9"), 404, "invalid_request_error", "model_not_found")


def test_unknown_routes_and_methods(client: httpx.Client) -> None:
    unknown = error_of(client.get("/v1/nothing"), 404, "invalid_request_error", "not_found")
    assert unknown["message"] == "Unknown route: GET /v1/nothing"
    for path in (
        "/chat/completions",
        "/v1/v1/chat/completions",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/api/v1/chat/completions",
        "/api/chat/completions",
    ):
        meant = error_of(client.post(path, json={}), 404, "invalid_request_error", "not_found")
        hint = ". Did you mean POST /v1/chat/completions? An SDK's base_url ends in /v1."
        assert meant["message"].endswith(hint), path
    error_of(client.get("/v1/chat/completions"), 405, "invalid_request_error", "method_not_allowed")


@each_case(
    ("method", "path", "instead"),
    [
        ("POST", "/v1/completions", "/v1/chat/completions"),
        ("POST", "/v1/audio/speech", "speech"),
        ("POST", "/v1/messages", "Anthropic"),
    ],
)
def test_routes_of_openais_that_are_not_here_say_what_to_use(
    client: httpx.Client, method: str, path: str, instead: str
) -> None:
    error = error_of(client.request(method, path), 404, "invalid_request_error", "not_found")
    assert instead in error["message"]


@each_case(
    ("url", "message"),
    [
        ("data:image/png;base64,@@@@", "invalid base64 payload in data URI"),
        ("data:image/png;base64", "malformed data URI: missing ',' separator"),
    ],
)
def test_bad_data_urls(client: httpx.Client, url: str, message: str) -> None:
    error = bad(chat(client, ocr_request(url)))
    assert error["message"] == message
    assert error["param"] == "messages[1].content[1].image_url.url"


@each_case(
    "url",
    [
        "http://127.0.0.1:1/a.png",
        "file:///etc/passwd",
    ],
)
def test_urls_to_where_nobody_may_look(client: httpx.Client, url: str) -> None:
    bad(chat(client, ocr_request(url)), "url_not_allowed")


@each_case(
    ("system", "missing"),
    [
        ("<task>ocr</task> <guard>S12_IMAGE</guard>", "image_guard"),
        ("Be brief.", "llm"),
    ],
)
def test_what_has_no_engine_says_so(client: httpx.Client, system: str, missing: str) -> None:
    body = ocr_request(GOOD)
    body["messages"][0]["content"] = system  # type: ignore[index]
    response = chat(client, body)
    error = error_of(response, 503, "service_unavailable", "engine_unavailable")
    assert f"'{missing}'" in error["message"]
    assert "retry-after" not in response.headers
    assert response.headers["x-should-retry"] == "false"


def test_errors_say_nothing_of_the_server(client: httpx.Client) -> None:
    for body in (ocr_request("data:image/png;base64,AAAA"), {"model": 5}, ocr_request("http://10.0.0.1/")):
        text = chat(client, body).text
        assert "Traceback" not in text
        assert "site-packages" not in text
        assert "/home/" not in text


def test_two_keys_in_one_request(client: httpx.Client) -> None:
    given = client.headers["authorization"]
    headers = [("authorization", given), ("authorization", "Bearer another")]
    response = httpx.get(client.base_url.join("/v1/models"), headers=headers, trust_env=False)
    error = error_of(response, 400, "invalid_request_error", "invalid_request")
    assert error["param"] == "authorization"
    assert "more than one 'Authorization' header" in error["message"]
