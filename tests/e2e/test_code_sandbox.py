"""Code in the sandbox over HTTP: as a run task, as a tool of the full model, and where there is none."""

import json
import socket
import time
from collections.abc import Iterator
from functools import partial

import httpx
import psutil
import pytest

from app.main import create_app
from app.settings import Settings
from models.sandbox import running
from models.sandbox.script import SandboxLimits
from tests.e2e.conftest import data_url
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    body_of,
    content_of,
    error_of,
    serving_full_model,
    system,
    text_part,
)
from tests.kit.processes.sandboxes import needs_sandbox
from tests.kit.servers.llm_server import Call, Reply

TASK = system("<task>code_sandbox</task>")
TOOL = "openfaze_code_sandbox"
SEVENTEEN = "import math\nprint(math.factorial(17))"


@pytest.fixture(scope="module", autouse=True)
def _patience() -> Iterator[None]:
    """However long a busy machine takes to end a script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "_GRACE_S", 60.0)
        patch.setattr("models.sandbox.capability.SandboxLimits", partial(SandboxLimits, seconds=120.0))
        yield


@pytest.fixture(scope="module")
def on() -> Iterator[FullModel]:
    with serving_full_model("tools", code_sandbox="on") as model:
        yield model


@pytest.fixture(scope="module")
def auto() -> Iterator[FullModel]:
    with serving_full_model("tools", code_sandbox="auto") as model:
        yield model


def children() -> set[psutil.Process]:
    """The processes below this one: servers of other tests may be among them. Processes of a cluster, which come and go
    with engines, and the server's workers are not."""
    return {one for one in psutil.Process().children(recursive=True) if not is_of_ray_or_worker(one)}


def is_of_ray_or_worker(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has just ended, or nobody has asked how it ended
        return False
    return command.startswith("ray::") or "site-packages/ray/" in command or "models.workers.process" in command


def run(model: FullModel, code: str, *parts: Json, stream: bool = False) -> Json:
    said = [text_part(f"Run this.\n```python\n{code}\n```"), *parts]
    if stream:
        answered: Json = json.loads(model.stream(TASK, said).text)
    else:
        answered = json.loads(content_of(model.ask(TASK, said)))
    assert list(answered) == ["name", "result"]
    assert answered["name"] == "code_sandbox"
    result: Json = answered["result"]
    return result


@needs_sandbox
@pytest.mark.parametrize("stream", [False, True])
def test_the_run_task_runs_the_messages_code(on: FullModel, stream: bool) -> None:
    assert run(on, SEVENTEEN, stream=stream) == {
        "code_script": SEVENTEEN,
        "language": "python",
        "output": "355687428096000\n",
        "exit_code": 0,
        "timed_out": False,
    }
    assert on.prompts == []


@needs_sandbox
def test_a_file_of_the_request_is_read_from_input(on: FullModel) -> None:
    csv = {"type": "file", "file": {"filename": "a.csv", "file_data": data_url(b"x,y\n1,2\n", "text/csv")}}
    assert run(on, "print(open('/input/a.csv').read())", csv)["output"] == "x,y\n1,2\n\n"


@needs_sandbox
def test_a_client_that_leaves_ends_its_script(on: FullModel) -> None:
    before = children()
    url, body = httpx.URL(on.base_url), json.dumps(body_of(TASK, "import time\nprint(1)\ntime.sleep(1000)")).encode()
    with socket.create_connection((url.host, url.port)) as caller:
        caller.sendall(
            f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        )
        deadline = time.monotonic() + 60
        while not (begun := children() - before):
            assert time.monotonic() < deadline, "no script began"
    _, alive = psutil.wait_procs(begun, timeout=60)
    assert alive == []


@needs_sandbox
def test_the_task_is_listed_only_where_it_is_on(on: FullModel, auto: FullModel) -> None:
    wrong = system("<task>sing</task>")
    assert error_of(on.ask(wrong, "x"), 400, "invalid_request")["message"].endswith(", forecast, code_sandbox")
    assert error_of(auto.ask(wrong, "x"), 400, "invalid_request")["message"].endswith(", forecast")
    refused = error_of(auto.ask(TASK, "print(1)"), 400, "invalid_request")["message"]
    assert refused.startswith(
        "invalid task 'code_sandbox': this server runs it only with OPENFAZE_CODE_SANDBOX=on. Supported "
    )


@needs_sandbox
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_17_factorial_runs_code(auto: FullModel, stream: bool) -> None:
    auto.script(Reply(tool_calls=[Call(TOOL, json.dumps({"code": SEVENTEEN}))]), Reply("355687428096000."))
    if stream:
        headers = {"x-show-additional-info": "true"}
        text = auto.stream("What is 17 factorial?", headers=headers).text
        assert '"output":"355687428096000\\n"' in text
        assert text.endswith("355687428096000.")
    else:
        body = auto.ask("What is 17 factorial?").json()
        [entry] = body["precontext"]
        assert (entry["name"], entry["result"]["output"]) == ("code_sandbox", "355687428096000\n")
        assert body["choices"][0]["message"]["content"] == "355687428096000."
    first, second = auto.prompts
    assert TOOL in [tool["function"]["name"] for tool in first["tools"]]
    told = second["messages"][-1]
    assert told["role"] == "tool"
    assert "output:\n355687428096000\n" in told["content"]


def test_without_bubblewrap_a_server_that_is_to_offer_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ValueError, match=r"OPENFAZE_CODE_SANDBOX=on cannot run here\. Install bubblewrap \("):
        create_app(Settings(_env_file=None, code_sandbox="on"))
