"""OPENFAZE_PERSONAL_DATA=redact over HTTP: what an LLM is sent and what leaves has placeholders instead."""

import base64
import json
import re
from collections.abc import Iterator

import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from tests.e2e.conftest import data_url, ocr_request
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    Streamed,
    content_of,
    picture_of,
    serving_full_model,
    text_part,
)
from tests.e2e.guarded import BYPASS, guard
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply

CARD = "4111 1111 1111 1111"
MAIL = "ann.lee@example.org"
PHONE = "+49 170 1234567"
NOTE = f"Ann has {MAIL}, {PHONE} and the card {CARD}."
REDACTED = "Ann has [EMAIL], [PHONE] and the card [CARD]."
SECRETS = (CARD, "1111 1111", MAIL, "example.org", PHONE, "1234567")
BOTH = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture(scope="module")
def model(remembering: None) -> Iterator[FullModel]:
    with serving_full_model(
        personal_data="redact",
        translate="llm",
        fetch_allow="127.0.0.1/32",
        browser="off",
        scrape_host_rps=1000,
    ) as model:
        yield model


@pytest.fixture(scope="module")
def seeing(remembering: None) -> Iterator[FullModel]:
    with serving_full_model("vision", personal_data="redact") as model:
        yield model


def hides(text: str) -> None:
    assert not [secret for secret in SECRETS if secret in text]


def asked(model: FullModel, *messages: Json | str | list[Json], stream: bool, **fields: object) -> str:
    """The answer's text, of which nothing personal has left, nor gone to the LLM."""
    response = model.ask(guard("S7"), *messages, stream=stream, **fields)
    assert response.status_code == 200, response.text
    hides(response.text)
    hides(json.dumps(model.prompts, ensure_ascii=False))
    return Streamed.read(response.text).text if stream else str(content_of(response))


@BOTH
def test_neither_the_llm_nor_the_client_sees_personal_data(model: FullModel, stream: bool) -> None:
    model.script(Reply(f"I have noted it. {NOTE} Anything else? Order 4500123456 is on its way.", reasoning=NOTE))
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"who": MAIL})}}
    answer = asked(
        model,
        "Who is she?",
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": NOTE},
        f"Please note this down: {NOTE}",
        stream=stream,
        reasoning_effort="low",
        headers=BYPASS,
    )
    thought = f"<think>{REDACTED}</think>" if stream else ""
    assert answer == f"{thought}I have noted it. {REDACTED} Anything else? Order 4500123456 is on its way."
    [prompt] = model.prompts
    assert prompt["messages"][-1]["content"] == f"Please note this down: {REDACTED}"
    assert prompt["messages"][-2]["content"] == REDACTED
    assert prompt["messages"][-3]["tool_calls"][0]["function"]["arguments"] == '{"who": "[EMAIL]"}'


@BOTH
def test_a_run_task_reads_a_picture_without_personal_data(model: FullModel, stream: bool) -> None:
    picture = single_line(f"Visa {CARD}, {MAIL}").encoded()
    body = ocr_request(data_url(picture), stream=stream)
    plain = json.loads(content_of(model.client.post(PATH, json={**body, "stream": False})))["result"]
    body["messages"][0]["content"] += " <guard>S7</guard>"  # type: ignore[index]
    response = model.client.post(PATH, json=body)
    content = Streamed.read(response.text).text if stream else content_of(response)
    hides(content)
    result = json.loads(content)["result"]
    assert result["extracted_text"] == "Visa [CARD], [EMAIL]"
    [[line], [plain_line]] = [one["sections"][0]["lines"] for one in (result, plain)]
    assert [word["text"] for word in line["words"]] == ["Visa", "[CARD],", "[EMAIL]"]
    assert line["text"] == " ".join(word["text"] for word in line["words"]) == result["sections"][0]["text"]
    assert line["bounds"] == plain_line["bounds"]
    assert line["words"][0] == plain_line["words"][0]
    card = line["words"][1]["bounds"]
    assert card["top_left"] == plain_line["words"][1]["bounds"]["top_left"]
    assert card["top_right"] == plain_line["words"][-2]["bounds"]["top_right"]
    assert list(result) == list(plain)


def test_an_llm_that_sees_is_not_shown_a_picture_with_personal_data(seeing: FullModel) -> None:
    seeing.script(Reply("A card."), Reply("A sign."), Reply("A card."))
    seeing.ask(guard("S7"), [text_part("What is it?"), picture_of(f"Visa {CARD}")])
    seeing.ask(guard("S7"), [text_part("What is it?"), picture_of("Platform nine")])
    seeing.ask(guard("S7"), [text_part("What is it?"), picture_of(f"Visa {CARD}")], headers=BYPASS)
    sent = [json.dumps(prompt["messages"]) for prompt in seeing.prompts]
    assert ["data:image/png" in prompt for prompt in sent] == [False, True, False]
    assert "[image]" in sent[2]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_an_llm_that_sees_gets_no_metadata_of_a_picture(seeing: FullModel, form: str) -> None:
    exif = PIL.Image.Exif()
    exif[0x010E] = MAIL
    notes = PngInfo()
    notes.add_text("Author", MAIL)
    picture = single_line("Platform nine").encoded(form, exif=exif, pnginfo=notes, comment=MAIL.encode())
    assert MAIL.encode() in picture
    seeing.script(Reply("A sign."))
    part = {"type": "image_url", "image_url": {"url": data_url(picture, f"image/{form.lower()}")}}
    seeing.ask(guard("S7"), [text_part("What is it?"), part])
    [url] = re.findall(r"data:image/\w+;base64,([\w+/=]+)", json.dumps(seeing.prompts[-1]["messages"]))
    assert MAIL.encode() not in base64.b64decode(url)
