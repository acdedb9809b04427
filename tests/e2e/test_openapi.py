"""Whatever the OpenAPI description allows, nothing breaks the server."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.schemas import APIOperation

from app.main import create_app
from app.settings import Settings
from tests.e2e.conftest import KEY
from tests.llm_server import serving_llm
from tests.server import serving

DESCRIPTION = schemathesis.openapi.from_dict(create_app(Settings(_env_file=None)).openapi())
OPERATIONS = [operation.ok() for operation in DESCRIPTION.get_all_operations()]


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("openapi") / "log"
    with (
        serving_llm() as llm,
        serving(
            log,
            api_keys=KEY,
            llm="openai-server",
            llm_base_url=llm.base_url,
            llm_model="scripted",
            llm_abilities="vision,tools,json_schema",
            fetch_timeout_s=2,
        ) as server,
    ):
        yield server.base_url


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_request_breaks_the_server(operation: APIOperation, base_url: str) -> None:
    @given(case=operation.as_strategy())
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def check(case: Case) -> None:
        response = case.call(base_url=base_url, headers={"authorization": f"Bearer {KEY}"}, timeout=60)
        if response.status_code < 400:
            return
        error: dict[str, Any] = response.json()["error"]
        assert set(error) == {"message", "type", "code", "param", "request_id"}
        # What is not there may say so; that something broke may not happen.
        assert response.status_code < 500 or error["type"] == "service_unavailable", error

    check()
