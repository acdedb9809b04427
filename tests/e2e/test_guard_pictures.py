"""`<guard>` over HTTP, with pictures: which are judged, and that none is looked at before."""

import base64
import io
import json
from collections.abc import Iterator

import httpx
import PIL.Image
import pytest

from tests.e2e.conftest import data_url
from tests.e2e.full_model import FullModel, Json, content_of, error_of, serving_full_model, text_part
from tests.e2e.guarded import BYPASS, guard, is_blocked, sources
from tests.kit.engines.image_guards import save_nsfw_vit
from tests.kit.processes.sandboxes import SANDBOX_WHERE_IT_RUNS, needs_sandbox
from tests.kit.servers.llm_server import Reply


def colour(name: str) -> Json:
    file = io.BytesIO()
    PIL.Image.new("RGB", (80, 60), name).save(file, "PNG")
    return {"type": "image_url", "image_url": {"url": data_url(file.getvalue())}}


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    """A server with an LLM that sees, a guard to which red is not safe for work, and the sandbox where it runs."""
    weights = tmp_path_factory.mktemp("weights")
    save_nsfw_vit(weights / "nsfw-vit", red=4)
    with serving_full_model(
        "vision", image_guard="nsfw-vit", weights_dir=str(weights), code_sandbox=SANDBOX_WHERE_IT_RUNS
    ) as model:
        yield model


@pytest.mark.deep
@pytest.mark.parametrize("headers", [None, BYPASS])
def test_a_picture_is_judged_before_anything_else_looks_at_it(seeing: FullModel, headers: Json | None) -> None:
    seeing.script(Reply("A wall."))
    said = [text_part("What is this?"), colour("red")]
    checks = is_blocked(seeing.ask(guard("S1", "S15_IMAGE"), said, headers=headers), "S15_IMAGE")
    assert sources(checks) == ["messages[1].content[1].image_url.url"]
    assert seeing.prompts == []
    assert content_of(seeing.ask(guard("S15_IMAGE"), [said[0], colour("blue")], headers=headers)) == "A wall."


@pytest.mark.parametrize(("task", "headers"), [(None, BYPASS), ("ocr", None)])
def test_a_picture_that_cannot_be_decoded_cannot_be_judged(
    seeing: FullModel, task: str | None, headers: Json | None
) -> None:
    seeing.script(Reply("A wall."))
    broken = {"type": "image_url", "image_url": {"url": data_url(b"\x89PNG\r\n\x1a\n" + bytes(100))}}
    said = [text_part("What is this?"), broken, colour("blue")]
    error_of(seeing.ask(guard("S15_IMAGE", task=task), said, headers=headers), 400, "invalid_request")
    assert seeing.prompts == []


def drawing(name: str, colour: str) -> str:
    file = io.BytesIO()
    PIL.Image.new("RGB", (80, 60), colour).save(file, "PNG")
    encoded = base64.b64encode(file.getvalue()).decode()
    return f"import base64, pathlib\npathlib.Path({name!r}).write_bytes(base64.b64decode({encoded!r}))"


@needs_sandbox
def test_a_picture_that_a_script_draws_is_judged(seeing: FullModel) -> None:
    def asked(*codes: str, colour: str = "blue", then: str = "") -> httpx.Response:
        return seeing.ask(guard(*codes, task="code_sandbox"), drawing("a.png", colour) + then)

    shown = json.loads(content_of(asked("S15_IMAGE")))["result"]["images"]
    assert [image["filename"] for image in shown] == ["a.png"]
    assert sources(is_blocked(asked("S15_IMAGE", colour="red"), "S15_IMAGE")) == ["code_sandbox"]
