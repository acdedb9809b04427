"""Bad input: the right status, type, code and words, and a server that goes on answering."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import each_case
from tests.e2e.conftest import api_client, data_url, ocr_request
from tests.kit.internet.origin import Origin
from tests.kit.papers.pages import single_line
from tests.kit.servers.server import Server
from tests.kit.waits.waiting import wait_until

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


def test_the_log_has_probes_only_for_who_looks_closely_and_no_path_whole(client: httpx.Client, server: Server) -> None:
    client.get("/health")
    client.get(f"/v1/{'a' * 60_000}")
    wait_until(lambda: any(str(line.get("path")).startswith("/v1/aaa") for line in server.log))
    paths = [str(line["path"]) for line in server.log if line["event"] == "request"]
    assert "/health" not in paths
    assert max(map(len, paths)) == 200


def test_broken_json(client: httpx.Client) -> None:
    response = client.post("/v1/chat/completions", content=b'{"model": ')
    assert "JSON" in bad(response, "invalid_json")["message"]


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
        ("POST", "/completions", "/v1/chat/completions"),
        ("POST", "/v1/audio/speech", "speech"),
        ("POST", "/v1/images/generations", "pictures"),
        ("GET", "/v1/assistants", "previous_response_id"),
        ("GET", "/v1/fine_tuning/jobs", "train"),
        ("POST", "/v1/vector_stores", "/v1/files"),
        ("GET", "/v1/realtime", "/v1/audio/transcriptions"),
        ("POST", "/v1/messages", "Anthropic"),
    ],
)
def test_routes_of_openais_that_are_not_here_say_what_to_use(
    client: httpx.Client, method: str, path: str, instead: str
) -> None:
    error = error_of(client.request(method, path), 404, "invalid_request_error", "not_found")
    assert instead in error["message"]


def test_an_empty_message(client: httpx.Client) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": ""}]}
    assert bad(chat(client, body))["message"] == "request has no text content: every message is empty"


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


def test_a_part_of_twenty_one_megabytes(client: httpx.Client) -> None:
    content = b"\x89PNG\r\n\x1a\n" + bytes(21 * 1024 * 1024)
    error = error_of(chat(client, ocr_request(data_url(content))), 413, "payload_too_large", "file_too_large")
    assert "21" in error["message"]
    assert "20 MB" in error["message"]


def test_a_body_over_the_limit(client: httpx.Client) -> None:
    response = client.post("/v1/chat/completions", content=b" " * (129 * 1024 * 1024))
    error_of(response, 413, "payload_too_large", "request_too_large")


def test_a_task_without_its_input(client: httpx.Client) -> None:
    assert "ocr" in bad(chat(client, ocr_request()))["message"]


@each_case(
    "url",
    [
        "http://127.0.0.1:1/a.png",
        "http://localhost/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/a.png",
        "http://2130706433/a.png",
        "file:///etc/passwd",
    ],
)
def test_urls_to_where_nobody_may_look(client: httpx.Client, url: str) -> None:
    bad(chat(client, ocr_request(url)), "url_not_allowed")


def test_a_redirect_to_a_metadata_address(fetching_client: httpx.Client, origin: Origin) -> None:
    error = bad(chat(fetching_client, ocr_request(origin.redirect_to("http://169.254.169.254/"))), "url_not_allowed")
    assert "redirect" in error["message"]


def test_a_url_that_never_ends(fetching_client: httpx.Client, origin: Origin) -> None:
    error_of(chat(fetching_client, ocr_request(origin.url("/endless"))), 413, "payload_too_large", "file_too_large")


@pytest.fixture
def fetching_client(open_server: Server) -> Iterator[httpx.Client]:
    with api_client(open_server) as client:
        yield client


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


def test_an_early_failure_of_a_stream_keeps_its_status(client: httpx.Client) -> None:
    bad(chat(client, ocr_request("data:image/png;base64,", stream=True)))


def test_errors_say_nothing_of_the_server(client: httpx.Client) -> None:
    for body in (ocr_request("data:image/png;base64,AAAA"), {"model": 5}, ocr_request("http://10.0.0.1/")):
        text = chat(client, body).text
        assert "Traceback" not in text
        assert "site-packages" not in text
        assert "/home/" not in text


def test_a_payload_is_not_repeated_in_an_error(client: httpx.Client) -> None:
    secret = base64.b64encode(b"my secret text").decode()
    assert secret not in chat(client, ocr_request(f"data:image/png;base64,{secret}")).text


def test_two_keys_in_one_request(client: httpx.Client) -> None:
    given = client.headers["authorization"]
    headers = [("authorization", given), ("authorization", "Bearer another")]
    response = httpx.get(client.base_url.join("/v1/models"), headers=headers, trust_env=False)
    error = error_of(response, 400, "invalid_request_error", "invalid_request")
    assert error["param"] == "authorization"
    assert "more than one 'Authorization' header" in error["message"]
