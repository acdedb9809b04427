"""Structured answers where only the LLM that comes along serves: copied from the specialists, or their failure."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.chat.own_answer import COPIED
from app.runnable_commands import adapt_for_client
from tests.conftest import SHARED
from tests.e2e.conftest import data_url
from tests.e2e.full_model import Streamed, client_of_app, content_of, error_of, schema_of, text_part
from tests.kit.papers.printed_codes import PAYMENT, code_drawn, pdf_with, png_of, sheet_of
from tests.kit.servers.server import Server

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
OR_NULL = {"anyOf": [STRING, {"type": "null"}]}


@pytest.fixture
def client(own_server: Server, shared: Path) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{own_server.base_url}/v1", timeout=300, trust_env=False) as client:
        yield client


def sample(name: str, media_type: str) -> dict[str, Any]:
    url = data_url((SHARED / "samples" / name).read_bytes(), media_type)
    if media_type.startswith("audio"):
        return {"type": "input_audio", "input_audio": {"data": url, "format": "flac"}}
    return {"type": "image_url", "image_url": {"url": url}}


def ask(client: httpx.Client, *content: Any, **fields: Any) -> httpx.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": list(content)}], **fields}
    return client.post("/chat/completions", json=body)


def test_a_document_in_the_message_is_copied_from_with_its_evidence(client: httpx.Client, own_server: Server) -> None:
    text = text_part("Extract the fields: Invoice 4711 from Acme GmbH, total 99.50 EUR")
    fields = {"invoice_number": STRING, "vendor": STRING, "total": NUMBER, "iban": OR_NULL}
    loaded = len([entry for entry in own_server.log if entry["event"] == "llm_loaded"])
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
    assert len([entry for entry in own_server.log if entry["event"] == "llm_loaded"]) == loaded


def test_a_field_is_explained_on_request(client: httpx.Client) -> None:
    text = text_part("Extract the fields: Invoice 4711 from Acme GmbH, total 99.50 EUR")
    asked = {"response_format": schema_of(total=NUMBER, vendor=STRING), "explain": "/total"}
    body = ask(client, text, **asked).json()
    explanation = body["explanation"]
    assert (explanation["pointer"], explanation["value"]) == ("/total", 99.5)
    assert explanation["probability"] == body["evidence"]["/total"]["probability"]
    [best] = [one for one in explanation["candidates"] if one["is_chosen"] and one["value"] == 99.5][:1]
    assert best["pointer"] == "/messages/0/content"
    again = ask(client, text, **asked).json()
    assert (again["vcache"], again["explanation"]) == (body["vcache"], explanation)
    assert "explanation" not in ask(client, text, response_format=asked["response_format"], evidence=True).json()
    with client.stream(
        "POST",
        "/chat/completions",
        json={"model": "auto", "stream": True, "messages": [{"role": "user", "content": [text]}], **asked},
    ) as response:
        chunks = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: {")]
    assert [chunk["explanation"]["value"] for chunk in chunks if "explanation" in chunk] == [99.5]


def test_what_nobody_can_judge_is_empty_and_the_rest_is_copied(client: httpx.Client, own_server: Server) -> None:
    lines = "GOLDEN ARCHES RESTAURANTS\n\nDate: 19/10/2018\n\nTotal: 40.00\nCash: 50.00\nChange: 10.00\n"
    url = data_url(lines.encode(), "text/plain")
    receipt = {"type": "file", "file": {"filename": "receipt.txt", "file_data": url}}
    fields: dict[str, Any] = {"summary": {"type": "string", "maxLength": 40}, "change": NUMBER}
    loaded = len([entry for entry in own_server.log if entry["event"] == "llm_loaded"])
    response = ask(client, text_part("Extract these."), receipt, response_format=schema_of(**fields), max_tokens=1)
    assert json.loads(content_of(response)) == {"summary": "", "change": 10}
    [told] = response.json()["warnings"]
    assert "'summary'" in told
    assert "change" not in told
    assert len([entry for entry in own_server.log if entry["event"] == "llm_loaded"]) == loaded


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


def test_a_forced_call_streams_like_any_call(client: httpx.Client) -> None:
    fields = {"tools": [SAVE], "tool_choice": "required", "stream": True, "evidence": True}
    streamed = Streamed.read(ask(client, text_part(f"Save it.\n\n{INVOICE}"), **fields).text)
    deltas = [one for chunk in streamed.chunks for one in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert json.loads("".join(one["function"]["arguments"] for one in deltas)) == INVOICE_VALUES
    assert streamed.finish_reasons == ["tool_calls"]
    assert f"{CALL}/total" in streamed.chunks[-1]["evidence"]


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


def said(response: httpx.Response) -> str:
    return str(response.json()["choices"][0]["message"]["content"])


def test_an_order_about_a_pasted_text_streams_and_has_the_same_answer_in_responses(client: httpx.Client) -> None:
    order = f"Give me the vendor and the total.\n\n{INVOICE}"
    answer = "vendor: Acme GmbH\n\n> Vendor: Acme GmbH\n\ntotal: 99.50\n\n> Total: 99.50 EUR"
    assert said(ask(client, text_part(order))) == answer
    assert Streamed.read(ask(client, text_part(order), stream=True).text).text == answer
    body = client.post("/responses", json={"model": "auto", "input": order}).json()
    assert [part["text"] for item in body["output"] for part in item["content"]] == [answer]


def test_a_text_after_a_colon_is_what_the_order_is_about(client: httpx.Client) -> None:
    moved = "Northgate Plumbing asks us to pay 412.50 GBP by 30 June 2026."
    answer = said(ask(client, text_part(f"Extract the company, the amount and the due date: {moved}")))
    assert [line for line in answer.splitlines() if line.startswith(("company", "amount", "due"))] == [
        "company: Northgate Plumbing",
        "amount: 412.50",
        "due date: 30 June 2026.",
    ]
    named = said(ask(client, text_part(f"Give me JSON with the company, the amount and the phone number: {moved}")))
    assert json.loads(named) == {"company": "Northgate Plumbing", "amount": 412.5, "phone_number": None}


def test_all_values_of_a_form_are_listed(client: httpx.Client) -> None:
    text = "We met on 3 May 2024, then on 7 June 2024; write to ann@example.com or to bob@example.org."
    assert said(ask(client, text_part(f"Find all dates in this text: {text}"))) == "- 3 May 2024\n- 7 June 2024"
    addresses = said(ask(client, text_part(f"List the email addresses: {text}")))
    assert addresses == "- ann@example.com\n- bob@example.org"


TIMETABLE = """<h1>Ferry timetable</h1><table>
<tr><th>From</th><th>To</th><th>Departs</th><th>Price</th></tr>
<tr><td>Oban</td><td>Mull</td><td>08:15</td><td>£9.80</td></tr>
<tr><td>Oban</td><td>Coll</td><td>10:40</td><td>£14.20</td></tr></table>"""
STAFF = """name,department,start,salary
Ana Ruiz,Sales,2021-03-01,42000
Ben Cole,IT,2019-11-15,51000
"""


@pytest.mark.parametrize(
    ("media_type", "document", "question", "row"),
    [
        ("text/html", TIMETABLE, "How much is a ticket to Mull?", "£9.80"),
        ("text/html", TIMETABLE, "How much is a ticket to Coll?", "£14.20"),
        ("text/html", TIMETABLE, "When does the ferry to Coll leave?", "Oban | Coll | 10:40"),
        ("text/csv", STAFF, "What is Ben Cole's salary?", "Ben Cole,IT,2019-11-15,51000"),
        ("text/plain", "The pump is old.\nThe repair will cost 380 pounds.", "How much will the repair cost?", "380"),
        ("text/plain", INVOICE + "Due date: 2026-03-31\n", "When do we have to pay this invoice?", "2026-03-31"),
    ],
)
def test_a_question_that_names_a_row_is_answered_from_that_row(
    client: httpx.Client, media_type: str, document: str, question: str, row: str
) -> None:
    file = {"type": "file", "file": {"file_data": data_url(document.encode(), media_type)}}
    answer = said(ask(client, text_part(question), file))
    others = [one for one in ("£9.80", "£14.20") if one != row and "£" in row]
    assert row in answer
    assert not any(one in answer for one in others)


def test_what_no_value_answers_has_the_lines_with_its_words(client: httpx.Client) -> None:
    lease = "Monthly rent: 1,240.00\nNotice period: two months\nPets: not allowed\n"
    file = {"type": "file", "file": {"file_data": data_url(lease.encode(), "text/plain")}}
    answer = said(ask(client, text_part("Are pets allowed, and how long is the notice period?"), file))
    assert "> Notice period: two months" in answer
    assert "> Pets: not allowed" in answer
    assert "'IBAN'" in said(ask(client, text_part("What is the IBAN?"), file))


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


@pytest.mark.parametrize("question", ["How many buses are there?", "¿Cuántos autobuses hay en esta foto?"])
def test_a_count_has_no_text_of_the_picture(client: httpx.Client, question: str) -> None:
    assert content_of(ask(client, text_part(question), sample("photo_bus.jpg", "image/jpeg"))) == "1 × bus"


def test_things_that_are_not_in_a_picture_are_said_to_be_missing(client: httpx.Client) -> None:
    response = ask(client, text_part("Draw boxes around the cats."), sample("photo_bus.jpg", "image/jpeg"))
    assert "'cats'" in content_of(response)
    assert response.json()["precontext"][-1]["result"]["detected_objects"] == []
