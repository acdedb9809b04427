"""Structured answers where only the LLM that comes along serves: copied from the specialists, or their failure."""

import io
import json
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from app.chat.context.quotes import MAX_LINES
from app.chat.own_answer import COPIED, PASSAGES, TOOL_CHARS
from app.chat.planning.questions import sentences_for
from app.runnable_commands import adapt_for_client
from tasks.result import CORNERS
from tests.conftest import SHARED
from tests.drawn_forms import form_of
from tests.e2e.conftest import data_url
from tests.e2e.full_model import Streamed, client_of_app, content_of, error_of, picture_of, schema_of, text_part
from tests.origin import serving_origin
from tests.pages import foreign_page
from tests.printed_codes import PAYMENT, code_drawn, pdf_with, png_of, sheet_of
from tests.server import REMEMBERING, Server, serving

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
OR_NULL = {"anyOf": [STRING, {"type": "null"}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("filled") / "log", REMEMBERING, weights_dir=SHARED / "weights") as server:
        yield server


@pytest.fixture
def client(server: Server, shared: Path) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.base_url}/v1", timeout=300, trust_env=False) as client:
        yield client


def sample(name: str, media_type: str) -> dict[str, Any]:
    url = data_url((SHARED / "samples" / name).read_bytes(), media_type)
    if media_type.startswith("audio"):
        return {"type": "input_audio", "input_audio": {"data": url, "format": "flac"}}
    return {"type": "image_url", "image_url": {"url": url}}


def ask(client: httpx.Client, *content: Any, **fields: Any) -> httpx.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": list(content)}], **fields}
    return client.post("/chat/completions", json=body)


def answered(client: httpx.Client, text: str, *media: Any, **properties: Any) -> Any:
    return json.loads(content_of(ask(client, text_part(text), *media, response_format=schema_of(**properties))))


def names_of(response: httpx.Response) -> list[str]:
    return [entry["name"] for entry in response.json()["precontext"]]


@pytest.mark.deep
def test_a_transcript_is_what_was_heard(client: httpx.Client, server: Server) -> None:
    speech = sample("speech_jfk.flac", "audio/flac")
    response = ask(client, text_part("Transcribe this."), speech, response_format=schema_of(text=STRING), evidence=True)
    body = response.json()
    heard = body["precontext"][0]["result"]["text"]
    assert "ask what you can do for your country" in heard
    assert json.loads(content_of(response)) == {"text": heard}
    assert (body["unsupported"], body["choices"][0]["finish_reason"]) == ([], "stop")
    assert body["usage"]["completion_tokens"] > 20
    assert not [entry for entry in server.log if entry["event"] == "llm_loaded"]


@pytest.mark.deep
def test_who_asks_for_nothing_but_results_gets_them_as_they_are(client: httpx.Client) -> None:
    """Without a schema, too: the LLM that comes along would make up a text of its own."""
    heard = ask(client, text_part("What is said here?"), sample("speech_jfk.flac", "audio/flac")).json()
    assert heard["choices"][0]["message"]["content"] == heard["precontext"][0]["result"]["text"]
    line = picture_of("The train leaves from platform nine.")
    read = ask(client, text_part("Read the text."), line).json()
    text = read["precontext"][0]["result"]["extracted_text"]
    assert read["choices"][0]["message"]["content"] == text
    [cut] = ask(client, text_part("Read the text."), line, max_tokens=5).json()["choices"]
    assert (cut["message"]["content"], cut["finish_reason"]) == (text[:20], "length")


def test_fields_of_a_page_in_an_unknown_script_come_with_a_warning(client: httpx.Client) -> None:
    url = data_url(foreign_page("Cyrillic").encoded())
    page = {"type": "image_url", "image_url": {"url": url}}
    for text, fields in (("Read the text.", {}), ("Extract these.", {"response_format": schema_of(landlord=OR_NULL)})):
        told = ask(client, text_part(text), page, **fields).json()["warnings"]
        assert any("could not be read" in warning for warning in told)


@pytest.mark.skipif(shutil.which("apertium") is None, reason="needs Apertium with apertium-eng-spa")
def test_who_asks_for_nothing_but_a_translation_gets_it_as_it_is(client: httpx.Client) -> None:
    translated = ask(client, text_part("Translate to Spanish: The house is red.")).json()
    assert translated["choices"][0]["message"]["content"] == translated["precontext"][0]["result"]["translated_text"]
    assert "warnings" not in translated


def test_a_transcript_is_not_lost_where_nothing_translates_it(client: httpx.Client) -> None:
    speech = sample("speech_jfk.flac", "audio/flac")
    plain = ask(client, text_part("Transcribe this and translate it into Japanese."), speech).json()
    heard, lost = plain["precontext"]
    assert lost["result"] is None
    assert "openfaze pull madlad-400" in lost["error"]
    assert plain["warnings"] == [lost["error"]]
    assert plain["choices"][0]["message"]["content"] == f"{heard['result']['text']}\n\n{lost['error']}"
    schema = schema_of(transcript=STRING, translation=OR_NULL, source_language=STRING, target_language=STRING)
    response = ask(client, text_part("Transcribe this, translate it into Japanese."), speech, response_format=schema)
    fields = {"translation": None, "source_language": "en", "target_language": "ja"}
    assert json.loads(content_of(response)) == {"transcript": heard["result"]["text"], **fields}
    assert lost["error"] in response.json()["warnings"]


def test_a_stream_carries_the_same(client: httpx.Client) -> None:
    speech = sample("speech_jfk.flac", "audio/flac")
    fields = {"response_format": schema_of(transcript=STRING, language=STRING), "stream": True}
    streamed = Streamed.read(ask(client, text_part("Who speaks?"), speech, **fields).text)
    assert json.loads(streamed.text)["language"] == "en"
    assert streamed.finish_reasons == ["stop"]


def test_counts_are_those_of_the_detections(client: httpx.Client) -> None:
    people, bus = sample("photo_people.jpg", "image/jpeg"), sample("photo_bus.jpg", "image/jpeg")
    assert answered(client, "How many people are in this picture?", people, count=INTEGER) == {"count": 3}
    assert answered(client, "Count the people and the cars.", people, people=INTEGER, cars=INTEGER) == {
        "people": 3,
        "cars": 0,
    }
    assert answered(client, "Count the buses.", bus, buses=INTEGER) == {"buses": 1}


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.deep)])
def test_labelled_fields_of_a_receipt_are_copied_every_time(client: httpx.Client, times: int) -> None:
    receipt = sample("receipt_001.jpg", "image/jpeg")
    fields = {"date": STRING, "change": NUMBER, "cashier": STRING, "iban": OR_NULL}
    for _ in range(times):
        assert answered(client, "Extract these.", receipt, **fields) == {
            "date": "19/10/2018",
            "change": 10,
            "cashier": "CN",
            "iban": None,
        }


@pytest.mark.deep
@pytest.mark.parametrize("degrees", [90, 5])
def test_a_turned_receipt_gives_the_upright_ones_fields_in_its_own_pixels(client: httpx.Client, degrees: int) -> None:
    fields = {"date": STRING, "change": NUMBER, "cashier": STRING}
    upright = Image.open(SHARED / "samples" / "receipt_001.jpg").convert("RGB")
    turned = upright.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    bodies = []
    for picture in (upright, turned):
        data = io.BytesIO()
        picture.save(data, "PNG")
        part = {"type": "image_url", "image_url": {"url": data_url(data.getvalue())}}
        response = ask(client, text_part("Extract these."), part, response_format=schema_of(**fields), evidence=True)
        assert json.loads(content_of(response)) == {"date": "19/10/2018", "change": 10, "cashier": "CN"}
        bodies.append(response.json())
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    for name in fields:
        before, found = (middle_of(body["evidence"][f"/{name}"]["bounds"]) for body in bodies)
        x, y = before[0] - upright.width / 2, before[1] - upright.height / 2
        assert found == pytest.approx((x * c - y * s + turned.width / 2, x * s + y * c + turned.height / 2), abs=12)


def middle_of(bounds: Mapping[str, Any]) -> tuple[float, float]:
    corners = [bounds[corner] for corner in CORNERS]
    return sum(corner["x"] for corner in corners) / 4, sum(corner["y"] for corner in corners) / 4


def test_a_document_in_the_message_is_copied_from_with_its_evidence(client: httpx.Client, server: Server) -> None:
    text = text_part("Extract the fields: Invoice 4711 from Acme GmbH, total 99.50 EUR")
    fields = {"invoice_number": STRING, "vendor": STRING, "total": NUMBER, "iban": OR_NULL}
    loaded = len([entry for entry in server.log if entry["event"] == "llm_loaded"])
    response = ask(client, text, response_format=schema_of(**fields), evidence=True)
    expected = {"invoice_number": "4711", "vendor": "Acme GmbH", "total": 99.5, "iban": None}
    assert json.loads(content_of(response)) == expected
    body = response.json()
    for name in ("invoice_number", "vendor", "total"):
        found = body["evidence"][f"/{name}"]
        assert (found["name"], found["pointer"]) == ("request", "/messages/0/content")
        assert 0 < found["probability"] <= 1
        assert not found.keys() & {"bounds", "precontext"}
    assert (body["unsupported"], body.get("precontext") or []) == ([], [])
    assert len([entry for entry in server.log if entry["event"] == "llm_loaded"]) == loaded


def test_what_nobody_can_judge_is_empty_and_the_rest_is_copied(client: httpx.Client, server: Server) -> None:
    lines = "GOLDEN ARCHES RESTAURANTS\n\nDate: 19/10/2018\n\nTotal: 40.00\nCash: 50.00\nChange: 10.00\n"
    url = data_url(lines.encode(), "text/plain")
    receipt = {"type": "file", "file": {"filename": "receipt.txt", "file_data": url}}
    fields: dict[str, Any] = {"summary": {"type": "string", "maxLength": 40}, "change": NUMBER}
    loaded = len([entry for entry in server.log if entry["event"] == "llm_loaded"])
    response = ask(client, text_part("Extract these."), receipt, response_format=schema_of(**fields), max_tokens=1)
    assert json.loads(content_of(response)) == {"summary": "", "change": 10}
    [told] = response.json()["warnings"]
    assert "'summary'" in told
    assert "change" not in told
    assert len([entry for entry in server.log if entry["event"] == "llm_loaded"]) == loaded


INVOICE = (
    "Invoice 4711\nVendor: Acme GmbH\nDate: 2026-03-01\nTotal: 99.50 EUR\nPaid: yes\nPayment method: Überweisung\n"
)
INVOICE_FIELDS: dict[str, Any] = {
    "invoice_number": STRING,
    "vendor": STRING,
    "date": {"type": "string", "format": "date"},
    "total": NUMBER,
    "paid": {"type": "boolean"},
    "payment_method": {"type": "string", "enum": ["card", "bank_transfer"]},
}
INVOICE_VALUES = {
    "invoice_number": "4711",
    "vendor": "Acme GmbH",
    "date": "2026-03-01",
    "total": 99.5,
    "paid": True,
    "payment_method": "bank_transfer",
}
SAVE = {
    "type": "function",
    "function": {"name": "save", "parameters": schema_of(**INVOICE_FIELDS)["json_schema"]["schema"]},
}
CALL = "/tool_calls/0/function/arguments"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "save"}}])
def test_a_forced_call_has_the_arguments_that_a_schema_has_as_fields(client: httpx.Client, choice: Any) -> None:
    text = text_part(f"Save it.\n\n{INVOICE}")
    schema = ask(client, text, response_format=schema_of(**INVOICE_FIELDS), evidence=True).json()
    body = ask(client, text, tools=[SAVE], tool_choice=choice, evidence=True).json()
    [answer] = body["choices"]
    [call] = answer["message"]["tool_calls"]
    assert (call["function"]["name"], answer["finish_reason"]) == ("save", "tool_calls")
    assert call["function"]["arguments"] == schema["choices"][0]["message"]["content"]
    assert json.loads(call["function"]["arguments"]) == INVOICE_VALUES
    assert body["evidence"] == {CALL + pointer: found for pointer, found in schema["evidence"].items()}
    assert set(schema["evidence"]) == {f"/{name}" for name in INVOICE_FIELDS}
    assert all(found["probability"] > 0.5 for found in schema["evidence"].values())


def test_keywords_of_other_programs_change_neither_a_schema_nor_a_call(client: httpx.Client) -> None:
    fields = {name: {**field, "example": "x", "x-ui": 1, "nullable": True} for name, field in INVOICE_FIELDS.items()}
    fields["vendor"]["fromat"] = "name"
    form = schema_of(**fields)
    parameters = form["json_schema"]["schema"]
    parameters["x-form"] = {"order": ["total"]}
    tool = {"type": "function", "function": {"name": "save", "parameters": parameters}}
    text = text_part(f"Save it.\n\n{INVOICE}")
    filled = ask(client, text, response_format=form).json()
    called = ask(client, text, tools=[tool], tool_choice="required").json()
    [call] = called["choices"][0]["message"]["tool_calls"]
    assert json.loads(filled["choices"][0]["message"]["content"]) == INVOICE_VALUES
    assert json.loads(call["function"]["arguments"]) == INVOICE_VALUES
    assert ["/properties/vendor/fromat" in one for one in (*filled["warnings"], *called["warnings"])] == [True, True]


def test_a_misspelt_root_leaves_an_open_object_and_says_so(client: httpx.Client) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "proprties": {"a": {}}}}}
    body = ask(client, text_part("Save it."), response_format=form).json()
    assert body["choices"][0]["message"]["content"] == "{}"
    assert any("'/proprties'" in one for one in body["warnings"])


def test_a_forced_call_streams_like_any_call(client: httpx.Client) -> None:
    fields = {"tools": [SAVE], "tool_choice": "required", "stream": True, "evidence": True}
    streamed = Streamed.read(ask(client, text_part(f"Save it.\n\n{INVOICE}"), **fields).text)
    deltas = [one for chunk in streamed.chunks for one in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert json.loads("".join(one["function"]["arguments"] for one in deltas)) == INVOICE_VALUES
    assert streamed.finish_reasons == ["tool_calls"]
    assert f"{CALL}/total" in streamed.chunks[-1]["evidence"]


def weather(**city: Any) -> dict[str, Any]:
    fields = {
        "city": city,
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "hourly": {"type": "boolean"},
        "days": {"type": ["integer", "null"]},
    }
    parameters = {"type": "object", "properties": fields, "required": ["city", "days"]}
    return {"type": "function", "function": {"name": "get_weather", "parameters": parameters}}


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("What's the weather like in Paris today?", {}),
        ("What's the weather in Paris in celsius?", {"unit": "celsius"}),
        ("What is the weather in Celsius in Paris tomorrow?", {"unit": "celsius"}),
        ("Wie ist das Wetter in Paris in Fahrenheit, ohne hourly?", {"unit": "fahrenheit", "hourly": False}),
        ("I don't want hourly weather in Paris today.", {"hourly": False}),
        ("Show Don hourly weather in Paris today.", {"hourly": True}),
        ("Show me the hourly weather in Paris for 3 days.", {"hourly": True, "days": 3}),
    ],
)
def test_arguments_in_a_sentence_are_the_words_that_fit_them(
    client: httpx.Client, text: str, arguments: dict[str, Any]
) -> None:
    tools = [weather(type="string")]
    body = ask(client, text_part(text), tools=tools, tool_choice="required", evidence=True).json()
    [call] = body["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris", "days": None} | arguments
    found = body["evidence"][f"{CALL}/city"]
    assert (found["name"], found["pointer"], found["text"]) == ("request", "/messages/0/content", "Paris")


def test_the_beginning_of_a_description_says_which_tool_is_called(client: httpx.Client) -> None:
    def tool(name: str, description: str) -> dict[str, Any]:
        parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}

    of_weather, of_tables = "What is the weather in Paris?", "Book a table for dinner in Paris."
    tools = [
        tool("a", "Reserves seats in a restaurant. ".ljust(TOOL_CHARS) + of_weather * 20),
        tool("b", "Tells the temperature and the rain of a city. ".ljust(TOOL_CHARS) + of_tables * 20),
    ]
    for text, name in ((of_weather, "b"), (of_tables, "a")):
        answer = ask(client, text_part(text), tools=tools, tool_choice="required").json()
        [call] = answer["choices"][0]["message"]["tool_calls"]
        assert call["function"]["name"] == name


def test_a_name_at_the_beginning_of_a_sentence_is_an_argument(client: httpx.Client) -> None:
    text = text_part("Acme GmbH charged us 99.50 EUR on 3 May 2026.")
    parameters = {"type": "object", "properties": {"vendor": {"type": "string"}}, "required": ["vendor"]}
    tool = {"type": "function", "function": {"name": "save", "parameters": parameters}}
    [call] = ask(client, text, tools=[tool], tool_choice="required").json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"vendor": "Acme GmbH"}


def test_a_sentence_is_not_an_argument(client: httpx.Client) -> None:
    question = text_part("Tell me about the weather.")
    tool = weather(type="string", minLength=1)
    error = error_of(ask(client, question, tools=[tool], tool_choice="required"), 400, "not_found_in_input")
    assert error["param"] == f"{CALL}/city"


def test_a_json_object_has_the_keys_that_the_prompt_names(client: httpx.Client) -> None:
    text = text_part(f"Return JSON with the keys invoice_number, vendor, date, total and paid (boolean).\n\n{INVOICE}")
    body = ask(client, text, response_format={"type": "json_object"}, evidence=True).json()
    values = {name: value for name, value in INVOICE_VALUES.items() if name != "payment_method"}
    assert json.loads(body["choices"][0]["message"]["content"]) == values
    assert set(body["evidence"]) == {f"/{name}" for name in values}
    unnamed = ask(client, text_part(f"Answer as JSON.\n\n{INVOICE}"), response_format={"type": "json_object"}).json()
    assert unnamed["choices"][0]["message"]["content"] == "{}"
    assert any("No keys" in text for text in unnamed["warnings"])


def test_a_fact_that_nothing_says_is_no_field(client: httpx.Client, server: Server) -> None:
    loaded = len([entry for entry in server.log if entry["event"] == "llm_loaded"])
    asked = text_part("What is the capital of France, and how many people live there?")
    body = ask(client, asked, response_format=schema_of(capital=STRING, people=OR_NULL)).json()
    assert json.loads(body["choices"][0]["message"]["content"]) == {"capital": "", "people": None}
    tool = {
        "type": "function",
        "function": {"name": "save", "parameters": schema_of(people=INTEGER)["json_schema"]["schema"]},
    }
    error = error_of(ask(client, asked, tools=[tool], tool_choice="required"), 400, "not_found_in_input")
    assert error["param"] == f"{CALL}/people"
    assert len([entry for entry in server.log if entry["event"] == "llm_loaded"]) == loaded


@pytest.mark.parametrize("order", ["Sum up the page", "Extract from"])
def test_fields_of_free_words_about_a_linked_page_are_filled_or_named(tmp_path: Path, order: str) -> None:
    page = (
        b"<html><head><title>The harbour</title></head><body><h1>The harbour</h1><p>Ferries leave at nine.</p></body>"
    )
    with serving_origin() as origin, client_of_app(tmp_path, fetch_allow=("127.0.0.1",)) as asking:
        origin.files["/harbour.html"], origin.headers["/harbour.html"] = page, {"content-type": "text/html"}
        asking.base_url = asking.base_url.join("/v1")
        text = text_part(f"{order} {origin.url('/harbour.html')}")
        body = ask(asking, text, response_format=schema_of(title=STRING, summary=STRING)).json()
    assert json.loads(body["choices"][0]["message"]["content"]).keys() == {"title", "summary"}
    assert any("'summary'" in one for one in body["warnings"])


@pytest.mark.deep
def test_a_long_input_neither_fills_a_context_nor_cuts_the_answer(client: httpx.Client) -> None:
    pages = "\n".join(
        f"Clause {number}: the parties agree that nothing here matters to anybody." for number in range(300)
    )
    url = data_url(f"{pages}\nTotal: 99.50 EUR\n".encode(), "text/plain")
    long = {"type": "file", "file": {"filename": "contract.txt", "file_data": url}}
    fields: dict[str, Any] = {"summary": STRING, "signed": {"type": "boolean"}, "notes": {"type": "array", "items": {}}}
    [answer] = ask(client, text_part("Extract these."), long, response_format=schema_of(**fields)).json()["choices"]
    assert json.loads(answer["message"]["content"]) == {"summary": "", "signed": False, "notes": []}
    assert answer["finish_reason"] == "stop"


def test_texts_behind_a_label_are_cut_each_with_its_evidence(client: httpx.Client) -> None:
    texts = {"type": "array", "items": STRING}
    resume = text_part("Extract: Name: Ann Lee\nSkills: Python, Go, Rust\nTags: a, b")
    response = ask(client, resume, response_format=schema_of(skills=texts, tags=texts), evidence=True)
    assert json.loads(content_of(response)) == {"skills": ["Python", "Go", "Rust"], "tags": ["a", "b"]}
    body = response.json()
    said = {pointer: found["text"].strip(",") for pointer, found in body["evidence"].items()}
    assert said == {"/skills/0": "Python", "/skills/1": "Go", "/skills/2": "Rust", "/tags/0": "a", "/tags/1": "b"}
    assert all(found["probability"] > 0.5 for found in body["evidence"].values())
    assert (body["unsupported"], [text for text in body.get("warnings") or [] if "not read" in text]) == ([], [])


FORM = "Patient intake\n\nSmoker: [ ]Yes [x]No [ ]Former"


def test_a_ticked_box_decides_with_its_evidence(client: httpx.Client) -> None:
    choices: dict[str, Any] = {"type": "string", "enum": ["Yes", "No", "Former"]}
    form = text_part(f"Extract: {FORM}")
    for fields in ({"evidence": True}, {"verbatim": True}):
        body = ask(client, form, response_format=schema_of(smoker=choices), **fields).json()
        assert json.loads(body["choices"][0]["message"]["content"]) == {"smoker": "No"}
        assert body["unsupported"] == []
        found = body["evidence"]["/smoker"]
        assert "No" in found["text"]
        assert (found["name"], found["pointer"]) == ("request", "/messages/0/content")
        assert found["probability"] > 0.5


def test_codes_of_a_picture_and_of_a_pdf_fill_fields_with_their_places(client: httpx.Client) -> None:
    code = code_drawn(PAYMENT, "QRCode", scale=4)
    picture = {"type": "image_url", "image_url": {"url": data_url(png_of(sheet_of((code, 300, 200))), "image/png")}}
    pdf = data_url(pdf_with(code, "Nordlicht Energie GmbH", "Jahresabrechnung"), "application/pdf")
    for media in (picture, {"type": "file", "file": {"file_data": pdf}}):
        asked = schema_of(iban=OR_NULL, total=NUMBER, invoice_number=OR_NULL)
        response = ask(client, text_part("Read this."), media, response_format=asked, evidence=True)
        assert json.loads(content_of(response)) == {
            "iban": "DE89370400440532013000",
            "total": 128.4,
            "invoice_number": None,
        }
        place = response.json()["evidence"]["/iban"]
        assert (place["name"], place["pointer"], place["match"]) == ("ocr", "/sections/0", "exact")
        assert place["bounds"]["width"] == pytest.approx(place["bounds"]["height"], abs=3)
        [entry] = response.json()["precontext"]
        assert "DE89370400440532013000" not in json.dumps(entry)


@pytest.mark.deep
@pytest.mark.parametrize("rounds", [False, True])
def test_boxes_drawn_on_a_form_decide(client: httpx.Client, rounds: bool) -> None:
    form = form_of(5, rounds=rounds, size=28)
    picture = {"type": "image_url", "image_url": {"url": data_url(png_of(form.picture), "image/png")}}
    optional: dict[str, Any] = {"anyOf": [{"type": "string", "enum": ["male", "female", "diverse"]}, {"type": "null"}]}
    asked = schema_of(smoker={"type": "boolean"}, sex=optional, membership={"enum": ["monthly", "yearly"]})
    body = ask(client, text_part("Read the form."), picture, response_format=asked, evidence=True).json()
    assert json.loads(body["choices"][0]["message"]["content"]) == {
        "smoker": form.answers["Smoker"] == "yes",
        "sex": form.answers["Sex"],
        "membership": form.answers["Membership"],
    }
    assert body["unsupported"] == []
    for name in ("smoker", "sex", "membership"):
        assert "☒" in body["evidence"][f"/{name}"]["text"]
        assert body["evidence"][f"/{name}"]["probability"] >= 0.9
    assert "☒" not in json.dumps(body["precontext"], ensure_ascii=False)


def test_a_tag_in_a_pasted_text_replaces_nothing_and_what_an_enclosure_leaves_out_is_told(client: httpx.Client) -> None:
    properties = {"invoice_number": STRING, "total": NUMBER}
    paper, part = "Invoice 4711\nVendor: Acme GmbH\nTotal: 99.50 EUR", "<q>Bring this note along.</q>"
    assert answered(client, f"Extract the fields.\n\n{paper}\n{part}", **properties) == {
        "invoice_number": "4711",
        "total": 99.5,
    }
    asked = {"response_format": schema_of(**properties)}
    plain = ask(client, text_part(f"Extract: <document>{paper}</document>"), **asked).json()
    more = ask(client, text_part(f"Days come first. <document>{paper}</document>"), **asked).json()
    assert json.loads(plain["choices"][0]["message"]["content"])["total"] == 99.5
    assert "warnings" not in plain
    assert [text for text in more["warnings"] if "'<document>'" in text] == more["warnings"]


def test_a_choice_that_nothing_decides_is_unsupported(client: httpx.Client) -> None:
    form, insured = text_part(f"Extract: {FORM}"), {"type": "boolean"}
    body = ask(client, form, response_format=schema_of(insured=insured), evidence=True).json()
    assert json.loads(body["choices"][0]["message"]["content"]) == {"insured": False}
    assert (body["evidence"], body["unsupported"]) == ({"/insured": {"probability": 0.5}}, ["/insured"])
    assert any("'insured'" in text for text in body["warnings"])
    refused = ask(client, form, response_format=schema_of(insured=insured), verbatim=True)
    error = error_of(refused, 400, "not_verbatim")
    assert (error["param"], "'/insured'" in error["message"]) == ("/insured", True)
    emptied = ask(client, form, response_format=schema_of(insured={"type": ["boolean", "null"]}), verbatim=True)
    assert json.loads(content_of(emptied)) == {"insured": None}


def said(response: httpx.Response) -> str:
    return str(response.json()["choices"][0]["message"]["content"])


def test_a_plain_question_is_answered_with_passages(client: httpx.Client) -> None:
    receipt = sample("receipt_001.jpg", "image/jpeg")
    body = ask(client, text_part("Who served the customers here, and how?"), receipt).json()
    first, *lines = body["choices"][0]["message"]["content"].splitlines()
    read = body["precontext"][0]["result"]["extracted_text"]
    assert first == sentences_for("Who?").passages
    assert 0 < len(lines) < MAX_LINES
    # As Markdown, of which the words are those that were read.
    assert set(re.findall(r"\w+", "\n".join(lines))) <= set(re.findall(r"\w+", read))
    assert adapt_for_client(PASSAGES) in body["warnings"]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("text", "value", "row"),
    [
        ("Give me the total.", "9.00", "Round d Total (RM): 9.00"),
        ("What is the invoice number?", "TD01167104", "Document No : TD01167104"),
        ("Wie hoch ist der Betrag?", "9.00", "Round d Total (RM): 9.00"),
    ],
)
def test_a_question_or_an_order_is_answered_by_the_value_with_its_line(
    client: httpx.Client, server: Server, text: str, value: str, row: str
) -> None:
    loaded = len([entry for entry in server.log if entry["event"] == "llm_loaded"])
    response = ask(client, text_part(text), sample("receipt_000.jpg", "image/jpeg"))
    assert said(response) == f"{value}\n\n> {row}"
    assert adapt_for_client(COPIED) in response.json()["warnings"]
    assert len([entry for entry in server.log if entry["event"] == "llm_loaded"]) == loaded


def test_an_order_about_a_pasted_text_streams_and_has_the_same_answer_in_responses(client: httpx.Client) -> None:
    order = f"Give me the vendor and the total.\n\n{INVOICE}"
    answer = "vendor: Acme GmbH\n\n> Vendor: Acme GmbH\n\ntotal: 99.50\n\n> Total: 99.50 EUR"
    assert said(ask(client, text_part(order))) == answer
    assert Streamed.read(ask(client, text_part(order), stream=True).text).text == answer
    body = client.post("/responses", json={"model": "auto", "input": order}).json()
    assert [part["text"] for item in body["output"] for part in item["content"]] == [answer]


def test_a_later_question_is_about_the_text_that_was_pasted_before(client: httpx.Client) -> None:
    messages = [
        {"role": "user", "content": f"Give me the total.\n\n{INVOICE}"},
        {"role": "assistant", "content": "99.50"},
        {"role": "user", "content": "And what is the vendor?"},
    ]
    response = client.post("/chat/completions", json={"model": "auto", "messages": messages})
    assert said(response) == "Acme GmbH\n\n> Vendor: Acme GmbH"


def test_an_order_to_list_gives_the_rows(client: httpx.Client) -> None:
    receipt = "ACME BOOKS\nItem   Price\nLamp   30.00\nChair   33.60\nTotal   63.60"
    assert said(ask(client, text_part(f"List the items.\n\n{receipt}"))).startswith("- Lamp | 30.00\n- Chair | 33.60")


def test_a_value_that_is_not_there_is_not_found_in_the_language_of_the_question(client: httpx.Client) -> None:
    answer = said(ask(client, text_part(f"Wie lautet die IBAN?\n\n{INVOICE}")))
    assert answer == "Nicht gefunden: Nichts im Gelesenen beantwortet „IBAN“."


def test_a_specialist_that_fails_is_the_answer(client: httpx.Client, tmp_path: Path) -> None:
    broken = {"type": "image_url", "image_url": {"url": data_url(b"\xff\xd8\xff\xe0 no picture", "image/jpeg")}}
    text = text_part("What is the total?")
    response = ask(client, text, broken, response_format=schema_of(total=NUMBER))
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == "messages[0].content[1].image_url.url"
    with client_of_app(tmp_path, object_detection="off") as asking:
        asking.base_url = asking.base_url.join("/v1")
        people = sample("photo_people.jpg", "image/jpeg")
        count = text_part("How many people are there, and what do they wear?")
        for fields in ({"response_format": schema_of(count=INTEGER)}, {}):
            error = error_of(ask(asking, count, people, **fields), 503, "engine_unavailable")
            assert "object_detection" in error["message"]


@pytest.mark.parametrize("question", ["What is in this picture?", "How many people are there?", "Detect all objects."])
def test_a_question_about_a_picture_is_answered_by_the_objects_in_it(client: httpx.Client, question: str) -> None:
    response = ask(client, text_part(question), sample("photo_people.jpg", "image/jpeg"))
    [found] = [one for one in response.json()["precontext"] if one["name"] == "object_detection"]
    people = [one for one in found["result"]["detected_objects"] if one["label"] == "person"]
    assert content_of(response).splitlines()[0] == f"{len(people)} × person"
    assert response.json()["warnings"] == [adapt_for_client(COPIED)]


@pytest.mark.deep
@pytest.mark.usefixtures("shared")
def test_what_is_in_a_picture_is_what_is_written_there_where_nothing_finds_objects(tmp_path: Path) -> None:
    receipt = sample("receipt_001.jpg", "image/jpeg")
    with client_of_app(tmp_path, object_detection="off") as client:
        client.base_url = client.base_url.join("/v1")
        body = ask(client, text_part("What is in this picture?"), receipt).json()
        read, unseen = body["precontext"]
        assert (read["name"], unseen["name"], unseen["result"]) == ("ocr", "object_detection", None)
        assert body["choices"][0]["message"]["content"] == read["result"]["extracted_text"]
        assert unseen["error"] in body["warnings"]
        people = sample("photo_people.jpg", "image/jpeg")
        for question, photo in (("Detect all bags.", receipt), ("Describe this picture.", people)):
            error = error_of(ask(client, text_part(question), photo), 503, "engine_unavailable")
            assert "object_detection" in error["message"]


@pytest.mark.parametrize("schema", [STRING, INTEGER, NUMBER])
def test_a_row_of_digits_of_any_length_is_read(client: httpx.Client, schema: Any) -> None:
    nullable = {"anyOf": [schema, {"type": "null"}]}
    text = text_part(f"Extract: Invoice\nTotal: {'7' * 400}\nDate: 2020-01-01")
    response = ask(client, text, response_format=schema_of(total=nullable, date=OR_NULL))
    assert json.loads(content_of(response))["date"] == "2020-01-01"
    rows = {"type": "array", "items": {"type": "object", "properties": {"name": STRING, "total": nullable}}}
    table = text_part(f"Extract:\n\nname,total\na,{'7' * 400}\nb,2\nc,3")
    assert ask(client, table, response_format=schema_of(rows=rows)).status_code == 200


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "http://a[b/", "http://\u2100.com/"])
def test_an_address_that_cannot_be_split_is_refused(client: httpx.Client, url: str) -> None:
    picture = {"type": "image_url", "image_url": {"url": url}}
    for question in ("What is the total?", "Read it."):
        error = error_of(ask(client, text_part(question), picture), 400, "url_not_allowed")
        assert error["param"] == "messages[0].content[1].image_url.url"
