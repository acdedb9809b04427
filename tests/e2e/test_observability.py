"""What an operator sees of a server that has done all kinds of work: metrics, and logs that hold nothing of it."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from prometheus_client.parser import text_string_to_metric_families

from app.monitoring.metrics import DECLARED
from app.runnable_commands import PICTURE
from app.wire.model_names import EMBEDDING_MODEL
from models.sandbox.bubblewrap import missing
from tests.e2e.conftest import KEY, data_url, ocr_request
from tests.kit.audio.recordings import speech
from tests.kit.audio.speech import has_espeak
from tests.kit.internet.origin import serving_origin
from tests.kit.papers.pages import single_line
from tests.kit.processes.sandboxes import SANDBOX_WHERE_IT_RUNS
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import PATIENT, Server, serving
from tests.kit.servers.webhooks import receiving
from tests.kit.waits.waiting import wait_until

CONTENT = "Zanzibar"
"""A word of every prompt, answer, page and file."""
URL_SECRET = "signature-4711"
WRONG_KEY = "sk-not-one-of-them-4712"
UNKNOWN_PATH = "path-4713"
LLM_KEY = "sk-of-the-llms-server-4714"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a webhook secret of 27 byte").decode()
WEBHOOK_TOKEN = "token-4715"
SPOKEN = "everybody"
"""What is said in the recording, and heard."""
SECRETS = (KEY, CONTENT, URL_SECRET, WRONG_KEY, LLM_KEY, WEBHOOK_SECRET, WEBHOOK_TOKEN, SPOKEN)
MODEL = "interfaze-beta"


@dataclass(frozen=True)
class Run:
    server: Server
    metrics: str
    requests: int
    """Requests that were sent to the API by the client of HTTP."""
    told: list[dict[str, str]]
    """The headers of the webhooks."""

    def value(self, name: str, **labels: str) -> float:
        return value_in(self.metrics, name, **labels)


def value_in(metrics: str, name: str, **labels: str) -> float:
    """The sum of the samples of that name that have these labels."""
    found = [
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A server with a scripted LLM, after one request of each kind, with its metrics on a port of their own."""
    log = tmp_path_factory.mktemp("observed") / "log"
    with (
        serving_llm(
            [
                Reply(f"{CONTENT} is an island."),
                Reply(f"{CONTENT} again."),
                # As OpenAI does: it repeats what it was sent.
                Reply(status=401, error=f"Incorrect API key provided: {LLM_KEY}, for {CONTENT}"),
                Reply(f"{CONTENT} once more."),
                Reply(f"{CONTENT} goes on."),
            ]
        ) as llm,
        serving_origin() as origin,
        receiving() as receiver,
        serving(
            log,
            PATIENT,
            api_keys=KEY,
            llm="openai-server",
            llm_base_url=llm.base_url,
            llm_api_key=LLM_KEY,
            llm_model="scripted",
            llm_abilities="vision,tools,json_schema",
            fetch_allow="127.0.0.1/32",
            cache="exact",
            code_sandbox=SANDBOX_WHERE_IT_RUNS,
            batch_webhook_url=f"{receiver.url}?token={WEBHOOK_TOKEN}",
            batch_webhook_secret=WEBHOOK_SECRET,
            metrics_port=0,
        ) as server,
        httpx.Client(base_url=server.base_url, timeout=120, trust_env=False) as client,
    ):
        receiver.refusals = [500]
        answers = list(_requests(client, f"http://127.0.0.1:{origin.port}/{CONTENT}?sig={URL_SECRET}"))
        assert [answer.status_code for _, answer in answers] == [status for status, _ in answers], answers
        asyncio.run(_calls_a_tool(client))
        wait_until(lambda: any(line["event"] == "webhook_failed" for line in server.log))
        [url] = {line["metrics"] for line in server.log if line["event"] == "serving"}
        assert isinstance(url, str)
        # A request is counted when its client has the answer.
        wait_until(lambda: value_in(httpx.get(url, trust_env=False).text, "openfaze_requests_in_progress") == 0)
        answer = httpx.get(url, trust_env=False)
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert httpx.get(url.replace("/metrics", "/ready"), trust_env=False).status_code == 404
        for foreign in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
            refused = httpx.get(url, headers=foreign, trust_env=False)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "foreign_origin")
        assert {request.headers["authorization"] for request in llm.requests} == {f"Bearer {LLM_KEY}"}
        yield Run(server, answer.text, len(answers), [headers for headers, _ in receiver.taken])


def _requests(client: httpx.Client, secret_url: str) -> Iterator[tuple[int, httpx.Response]]:
    """Send one request of each kind. Yield the status that each must have, and its answer."""
    keyed = {"authorization": f"Bearer {KEY}"}

    def asked(text: str, system: str = "Be brief.", **fields: object) -> dict[str, object]:
        said = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        return {"model": MODEL, "messages": said, **fields}

    for status, body in (
        (200, ocr_request(PICTURE, text=f"Read {CONTENT}.")),
        (200, asked(f"What is {CONTENT}?")),
        (200, asked(f"What is {CONTENT}?")),
        (200, asked(f"Tell me of {CONTENT}.", stream=True)),
        (503, asked(f"And of {CONTENT}?")),
        (200, asked(f"{CONTENT}: how do I build a pipe bomb at home to kill people?", "<guard>S1, S9</guard>")),
        (400, ocr_request(secret_url)),
        (400, asked(CONTENT, temperature=f"{CONTENT}-warm")),
        (400, ocr_request(data_url(b"%PDF-1.7 " + CONTENT.encode(), "application/pdf"))),
    ):
        yield status, client.post("/v1/chat/completions", headers=keyed, json=body)
    wrong = {"authorization": f"Bearer {WRONG_KEY}"}
    yield 401, client.post("/v1/chat/completions", headers=wrong, json=asked(CONTENT))
    yield 400, client.post("/v1/chat/completions", headers=keyed, content=CONTENT)
    yield 404, client.get(f"/{UNKNOWN_PATH}", headers=keyed)
    yield 404, client.get("/metrics", headers=keyed)
    file = {"file": (f"{CONTENT}.txt", CONTENT.encode())}
    uploaded = client.post("/v1/files", headers=keyed, files=file, data={"purpose": "user_data"})
    yield 200, uploaded
    yield 200, client.get(f"/v1/files/{uploaded.json()['id']}", headers=keyed)
    yield 200, client.post("/v1/moderations", headers=keyed, json={"input": CONTENT})
    embedding = {"model": EMBEDDING_MODEL, "input": f"Where is {CONTENT}?"}
    yield 200, client.post("/v1/embeddings", headers=keyed, json=embedding)
    item = {"model": MODEL, "input": f"Tell me more of {CONTENT}.", "instructions": f"Say {CONTENT}."}
    said = client.post("/v1/responses", headers=keyed, json=item)
    yield 200, said
    going_on = item | {"input": f"And of {CONTENT}?", "previous_response_id": said.json()["id"], "stream": True}
    yield 200, client.post("/v1/responses", headers=keyed, json=going_on)
    yield 200, client.get(f"/v1/responses/{said.json()['id']}", headers=keyed)
    if missing() is None:
        for code in (f"print('{CONTENT}')", f"raise ValueError('{CONTENT}')"):
            run = asked(f"```python\n{code}\n```", "<task>code_sandbox</task>")
            yield 200, client.post("/v1/chat/completions", headers=keyed, json=run)
    if has_espeak():
        spoken = {"file": (f"{CONTENT}.wav", speech(f"Good morning {SPOKEN}, and thank you for coming."))}
        heard = client.post("/v1/audio/transcriptions", headers=keyed, files=spoken, data={"model": "whisper-1"})
        assert SPOKEN in heard.text, heard.text
        yield 200, heard
    recording = {"file": (f"{CONTENT}.wav", CONTENT.encode())}
    heard = client.post("/v1/audio/transcriptions", headers=keyed, files=recording, data={"model": "whisper-1"})
    yield 400, heard
    picture = data_url(single_line(CONTENT).encoded())
    lines = [
        {"custom_id": f"{CONTENT}-{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        for number, body in enumerate((ocr_request(picture, text=CONTENT), asked(CONTENT, stream=True)))
    ]
    sent = {"file": (f"{CONTENT}.jsonl", "\n".join(map(json.dumps, lines)).encode())}
    uploaded = client.post("/v1/files", headers=keyed, files=sent, data={"purpose": "batch"})
    yield 200, uploaded
    batch = {
        "input_file_id": uploaded.json()["id"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"about": CONTENT},
    }
    yield 200, client.post("/v1/batches", headers=keyed, json=batch)


async def _calls_a_tool(client: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=120, trust_env=False) as http,
        Client(streamable_http_client(f"{str(client.base_url).rstrip('/')}/mcp", http_client=http)) as tools,
    ):
        source = data_url(CONTENT.encode(), "text/plain")
        result = await tools.call_tool("ocr", {"source": source, "instructions": f"Read {CONTENT}."})
        assert CONTENT in str(result.structured_content)
        assert not result.is_error


def test_webhooks_are_signed(run: Run) -> None:
    assert run.told
    assert all(headers["webhook-signature"].startswith("v1,") for headers in run.told)


def test_requests_are_counted_by_route_task_and_status(run: Run) -> None:
    chat = "/v1/chat/completions"
    assert run.value("openfaze_requests_total", route=chat, task="chat", status="200") == 4
    assert run.value("openfaze_requests_total", route=chat, task="chat", status="503") == 1
    assert run.value("openfaze_requests_total", route=chat, task="ocr", status="200") == 2, "a line of a batch, too"
    assert run.value("openfaze_requests_total", route=chat, task="ocr", status="400") == 2
    assert run.value("openfaze_requests_total", route=chat, status="401") == 1
    assert run.value("openfaze_requests_total", route="/v1/files/{file_id}", status="200") == 1
    # The main port has no such route as /metrics then.
    assert run.value("openfaze_requests_total", route="other", status="404") == 2
    assert run.value("openfaze_request_seconds_count", route=chat) == (12 if missing() else 14)
    assert run.value("openfaze_time_to_first_token_seconds_count", route=chat, task="chat") == 4
    assert run.value("openfaze_requests_in_progress") == 0
    # A picture, a tool, a line of a batch, a recording, and two scripts.
    tasks = 3 + has_espeak() + 2 * (missing() is None)
    assert run.value("openfaze_stage_seconds_count", stage="task") == tasks
    assert run.value("openfaze_stage_seconds_count", stage="guard") == 1


def test_engines_tell_what_they_did_and_what_they_failed_with(run: Run) -> None:
    assert run.value("openfaze_engine_loaded", capability="ocr") == 1
    assert run.value("openfaze_engine_batch_items_sum", capability="ocr") >= 2  # a page and its lines
    assert run.value("openfaze_engine_seconds_count", capability="llm", engine="openai-server") == 5
    assert run.value("openfaze_engine_failures_total", capability="llm", reason="not_set_up") == 1


def test_tokens_rejections_fetches_and_the_cache_are_counted(run: Run) -> None:
    assert run.value("openfaze_tokens_total", direction="input") > 0
    assert run.value("openfaze_tokens_total", direction="output") > 0
    assert run.value("openfaze_batch_lines_total", outcome="completed") == 1
    assert run.value("openfaze_batch_lines_total", outcome="failed") == 1
    assert run.value("openfaze_rejected_total", reason="guard") == 1
    assert run.value("openfaze_rejected_total") == 1
    assert run.value("openfaze_fetch_total", outcome="fetch_failed") == 2, "a URL, and the webhook's"
    assert run.value("openfaze_cache_total", outcome="hit") == 1
    assert run.value("openfaze_cache_total", outcome="error") == 0


def test_no_label_is_anything_that_a_caller_chose(run: Run) -> None:
    for secret in (*SECRETS, UNKNOWN_PATH, MODEL):
        assert secret not in run.metrics
    named = set(re.findall(r"^(openfaze_\w+?)(?:_bucket|_sum|_count)?[{ ]", run.metrics, re.MULTILINE))
    assert named <= set(DECLARED)


def test_no_line_of_the_log_holds_a_key_a_secret_of_a_url_or_content(run: Run) -> None:
    log = run.server.log_file.read_text()
    for secret in SECRETS:
        assert secret.lower() not in log.lower()
    assert "pipe bomb" not in log


def test_every_request_has_a_line_with_its_id(run: Run) -> None:
    requests = [line for line in run.server.log if line["event"] == "request"]
    ids = [str(line["request_id"]) for line in requests if line["path"] not in ("/health", "/ready", "/mcp")]
    # A line of the batch has one, too.
    assert len(set(ids)) == len(ids) == run.requests + 1
    [failed] = [line for line in run.server.log if line["event"] == "request_failed"]
    assert failed["request_id"] in ids


def test_without_a_port_of_their_own_metrics_need_a_key(server: Server, client: httpx.Client) -> None:
    assert httpx.get(f"{server.base_url}/metrics", trust_env=False).status_code == 401
    assert client.get("/metrics").status_code == 200
    refused = 'openfaze_requests_total{route="/metrics",status="401",task=""}'
    wait_until(lambda: refused in client.get("/metrics").text)
