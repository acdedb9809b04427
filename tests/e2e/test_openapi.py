"""The OpenAPI description is whole, its examples work, and whatever it allows, nothing breaks the server."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case

from app.main import create_app
from app.middleware import PROBES
from app.routes.batches import EXAMPLE_FILE
from app.settings import Settings
from tests.e2e.conftest import KEY
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import serving


@functools.cache
def document() -> dict[str, Any]:
    """Return the description. Making it takes longer than any process should wait that only collects the tests."""
    return create_app(Settings(_env_file=None)).openapi()


def reply(body: dict[str, Any]) -> Reply:
    """What fits the schema of the example, whatever was asked."""
    return Reply(json.dumps({"guest": "Anna Kowalski", "nights": 3}) if body.get("response_format") else "ok")


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("openapi") / "log"
    with (
        serving_llm(reply) as llm,
        serving(
            log,
            api_keys=KEY,
            llm="openai-server",
            llm_base_url=llm.base_url,
            llm_model="scripted",
            llm_abilities="vision,tools,json_schema",
        ) as server,
    ):
        yield server.base_url


def references(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for name, item in value.items():
                if name == "$ref" or (isinstance(item, str) and item.startswith("#/")):
                    yield item
                else:
                    yield from references(item)
        case list():
            for item in value:
                yield from references(item)


def found(pointer: str) -> Any:
    """What `#/a/b` means in the document. Raises KeyError."""
    place: Any = document()
    for name in pointer.removeprefix("#/").split("/"):
        place = place[name]
    return place


def test_every_reference_leads_somewhere() -> None:
    pointers = set(references(document()))
    assert "#/components/schemas/ChatRequestChatMessage" in pointers
    for pointer in pointers:
        assert isinstance(found(pointer), dict)


def test_the_description_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(document()).validate()


def test_every_operation_but_the_probes_asks_for_a_key() -> None:
    [(scheme, described)] = document()["components"]["securitySchemes"].items()
    assert (described["type"], described["scheme"]) == ("http", "bearer")
    assert document()["security"] == [{scheme: []}]
    open_paths = {
        path
        for path, methods in document()["paths"].items()
        for operation in methods.values()
        if operation.get("security", document()["security"]) == []
    }
    assert open_paths == set(PROBES)


def test_a_refused_request_has_the_form_that_is_described(base_url: str) -> None:
    answer = httpx.get(f"{base_url}/v1/models", trust_env=False)
    assert answer.status_code == 401
    jsonschema.validate(answer.json(), document()["components"]["schemas"]["Error"])


def examples() -> Iterator[tuple[str, Any, Any]]:
    """Yield the path, the schema and the body of each example."""
    for path, methods in document()["paths"].items():
        for content_type, content in methods.get("post", {}).get("requestBody", {}).get("content", {}).items():
            for example in content.get("examples", {}).values():
                yield path, content["schema"], example["value"]
            assert content.get("examples") or content_type == "multipart/form-data", path


def test_each_example_is_a_request_that_works(base_url: str) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    for path, schema, body in examples():
        jsonschema.validate(body, {**schema, "components": document()["components"]})
        if body.get("input_file_id") == EXAMPLE_FILE:
            form = {"data": {"purpose": "batch"}, "files": {"file": ("in.jsonl", b"{}")}}
            uploaded = httpx.post(f"{base_url}/v1/files", headers=headers, trust_env=False, **form).json()  # type: ignore[arg-type]
            body = {**body, "input_file_id": uploaded["id"]}
        answer = httpx.post(f"{base_url}{path}", json=body, headers=headers, timeout=120, trust_env=False)
        assert answer.status_code == 200, f"{path}: {body}: {answer.text}"


# Hypothesis warns on Python 3.14 of its own generator of random numbers.
@pytest.mark.filterwarnings("ignore:It looks like `register_random`")
@pytest.mark.hypothesis
def test_no_request_breaks_the_server(base_url: str) -> None:
    for described in schemathesis.openapi.from_dict(document()).get_all_operations():
        operation = described.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=settings().max_examples // 3, derandomize=True, suppress_health_check=list(HealthCheck))
        def check(case: Case) -> None:
            answer = case.call(base_url=base_url, headers={"authorization": f"Bearer {KEY}"}, timeout=60)
            if answer.status_code < 400:
                return
            error: dict[str, Any] = answer.json()["error"]
            assert set(error) == {"message", "type", "code", "param", "request_id"}
            # What is not there may say so, and the LLM knows one schema; that something broke may not happen.
            is_told = error["code"] == "schema_not_satisfied" or error["type"] == "service_unavailable"
            assert answer.status_code < 500 or is_told, error

        check()
