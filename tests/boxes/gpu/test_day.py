"""A box with a card of 24 GB from its first start on: the tests follow each other, as days do."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.boxes.containers import podman
from tests.boxes.gpu.box import SAID, Box, Parts, asked, boxed, picture_question
from tests.boxes.gpu.hub import SETS
from tests.boxes.image.installation import error, kill, result, task, until

MISTAKE = "--max-modle-len 32768"
CANNOT = "The language model cannot be reached"


@pytest.fixture(scope="module")
def box(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Started with a mistake in what `.env` tells vLLM."""
    with boxed(tmp_path_factory.mktemp("box"), parts) as box:
        box.configure(VLLM_ARGS=MISTAKE)
        box.start("hub")
        box.start()
        box.wait_until_ready()
        yield box


def test_the_first_start_fetches_the_weights_and_uses_them(box: Box) -> None:
    assert box.inspected(".State.ExitCode", "weights") == "0"
    for name in SETS:
        assert f"{name} is in /var/lib/openfaze/weights, with every checksum correct" in box.logs("weights")
    assert "weights_missing" not in box.events()
    with box.client() as client:
        capabilities = client.get("/ready").json()["capabilities"]
    engines = {
        name: capabilities[name]["engine"] for name in ("ocr", "speech_to_text", "object_detection", "translate")
    }
    assert engines == {
        "ocr": "pp-ocrv6-medium",
        "speech_to_text": "whisper-large-v3-turbo",
        "object_detection": "rf-detr-seg-small",
        "translate": "llm",
    }
    assert podman("healthcheck", "run", box.container()).returncode == 0


def test_an_llm_that_never_starts_says_why_in_its_log_and_keeps_trying(box: Box) -> None:
    until("tried again", lambda: int(box.inspected(".RestartCount", "vllm")) > 0, limit_s=900)
    assert f"unrecognized arguments: {MISTAKE.split()[0]}" in box.logs("vllm")


def test_without_the_llm_all_else_is_served_and_what_needs_it_says_so(box: Box) -> None:
    until("said", lambda: box.state_of("llm")[0] == "unavailable")
    assert box.state_of("llm")[1].startswith(CANNOT)
    assert box.reads() == "It works!"
    with box.client() as client:
        heard = result(client.post("/v1/chat/completions", json=task("speech_to_text", "Write it down.", "voices.mp3")))
        assert heard["chunks"]
        forecast = task("forecast", "Forecast the next 12 months.", "sales.csv")
        assert len(result(client.post("/v1/chat/completions", json=forecast))["predictions"]) == 12
        status, message = error(asked(client, "What is the capital of France?"))
        assert (status, message.partition(":")[0]) == (503, CANNOT)
        status, message = error(
            client.post("/v1/chat/completions", json=task("translate", "Translate into Thai: Red."))
        )
        assert status == 503
        assert "cannot be reached" in message


def test_an_llm_that_comes_late_is_taken_in_without_a_restart(box: Box) -> None:
    server = box.server_pid()
    box.configure(VLLM_ARGS="")
    box.start("vllm")
    box.wait_for_llm()
    with box.client() as client:
        assert said(asked(client, "Say something.")) == SAID
    assert box.state_of("llm") == ("loaded", "")
    assert box.server_pid() == server
    assert [event for event in box.events() if event.startswith("server_")] == ["server_away", "server_back"]


def test_a_picture_is_seen_by_the_llm_itself(box: Box) -> None:
    with box.client() as client:
        text = asked(client, "What is this?", headers={"x-interfaze-bypass-moa": "true"})
        seen = picture_question(client, "What is this?", headers={"x-interfaze-bypass-moa": "true"})
    assert said(seen) == SAID
    tokens = [answer.json()["usage"]["prompt_tokens"] for answer in (text, seen)]
    # A token for each 32 × 32 pixels of it.
    assert tokens[1] - tokens[0] > 100


def test_the_llm_translates_judges_pictures_and_points_at_what_is_meant(box: Box) -> None:
    with box.client() as client:
        translated = result(
            client.post("/v1/chat/completions", json=task("translate", "Translate into Thai: A red house."))
        )
        assert SAID in json.dumps(translated)
        guarded = picture_question(client, "What is this?", system="<guard>S12_IMAGE</guard>")
        assert guarded.status_code == 200, guarded.text
        pointed = result(client.post("/v1/chat/completions", json=task("gui_detection", "the Send button", "form.png")))
        assert "button" in json.dumps(pointed)
    assert "gui_grounding_failed" not in box.events()


def test_an_llm_that_is_killed_amid_an_answer_ends_the_stream_with_an_error_and_comes_back_by_itself(box: Box) -> None:
    # It may not end by itself.
    endless = {"stream": True, "max_tokens": 8000, "logit_bias": {"2": -100}}
    with box.client() as client, client.stream("POST", "/v1/chat/completions", json=body(**endless)) as response:
        lines = response.iter_lines()
        next(line for line in lines if '"content"' in line)
        box.kill("vllm")
        rest = list(lines)
    told = json.loads(rest[rest.index("event: error") + 1].removeprefix("data: "))["error"]
    assert told["code"] == "upstream_unavailable"
    assert "data: [DONE]" in rest
    assert box.reads() == "It works!"
    with box.client() as client:
        assert error(asked(client, "Are you there?"))[0] == 503
    assert box.state_of("llm")[0] == "unavailable"
    box.wait_for_llm()
    with box.client() as client:
        assert said(asked(client, "Are you there?")) == SAID


def test_a_server_that_is_killed_and_started_again_finds_its_weights_and_the_llm(box: Box) -> None:
    killed = box.server_pid()
    kill(killed)
    until("dead", lambda: box.inspected(".State.Running") == "false")
    # Podman's restart policy starts none that waits for another container, as Docker's does.
    podman("start", box.container())
    box.wait_until_ready()
    assert box.server_pid() != killed
    assert box.reads() == "It works!"
    with box.client() as client:
        assert said(asked(client, "Are you there?")) == SAID


def test_after_a_night_without_a_network_all_starts_in_any_order_and_nothing_is_fetched(box: Box) -> None:
    podman("stop", "--time=5", *map(box.container, ("openfaze", "vllm", "hub")))
    podman("start", box.container())
    box.wait_until_ready()
    assert box.reads() == "It works!"
    podman("start", "--attach", box.container("weights"))
    assert box.inspected(".State.ExitCode", "weights") == "0"
    podman("start", box.container("vllm"))
    box.wait_for_llm()
    with box.client() as client:
        assert said(asked(client, "Are you there?")) == SAID


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "interfaze-beta", "messages": [{"role": "user", "content": "Count to a thousand."}], **fields}
