"""What a request says and shows."""

from collections.abc import Iterable
from typing import Any

import pytest

from app.chat.inputs import Collector, latest_turn
from app.errors import BadRequest
from app.wire.request import ChatRequest
from tasks.inputs.loader import Upload
from tasks.inputs.source import Origin
from tests.conftest import each_case

PIXEL = "data:image/png;base64,iVBORw0KGgo="


class Shelf:
    """Where `me` has uploaded one file."""

    async def find(self, owner: str, file_id: str) -> Upload | None:
        if (owner, file_id) != ("me", "file-1"):
            return None
        return Upload(id=file_id, owner=owner, size=4, filename="scan.pdf", media_type="application/pdf")

    async def read(self, upload: Upload) -> bytes:
        raise NotImplementedError("collecting reads nothing")


def request(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "interfaze-beta", "messages": list(messages), **fields})


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_the_text_and_media_of_the_latest_user_message_are_taken() -> None:
    turn = latest_turn(
        request(user(text("first")), {"role": "assistant", "content": "ok"}, user(text("second"), image(PIXEL))),
        16,
    )
    assert turn.text == "second"
    assert [source.param for source in turn.sources] == ["messages[2].content[1].image_url.url"]


INVOICE = "Invoice number: 5813\nVendor: Quillfeather Lamps\nDate: 2026-03-14\nTotal: 84.30 EUR"
ANSWER = {"role": "assistant", "content": "9.00"}


@each_case(
    "words",
    [
        f"What is the total of this invoice?\n\n{INVOICE}",
        f"{INVOICE}\n\nWhat is the total of this invoice?",
        "What is the total?\n\nTotal: 84.30 EUR",
        "Sum this up:\n\n" + "The lamps arrived on time and all of them were whole, as the driver said. " * 5,
        '<context>\n<source id="1">Total: 84.30 EUR</source>\n</context>\n\nWhat is the total?',
        "What is the total?\n```\nTotal: 84.30 EUR\n```",
    ],
)
def test_a_text_in_the_last_message_comes_before_media_of_earlier_ones(words: str) -> None:
    turn = latest_turn(request(user(text("Total?"), image(PIXEL)), ANSWER, user(text(words))), 16)
    assert (turn.sources, turn.is_of_earlier) == ((), False)


@each_case(
    "words",
    [
        "What is the total?",
        "Please give me:\n- Date\n- Total\n- Vendor",
        "And the date?\n\nUse the format YYYY-MM-DD, please.",
        "I think it is 12.50, is that so?",
        "What is the total? Answer with 2 decimals.",
    ],
)
def test_a_message_without_a_text_of_its_own_is_about_the_media_of_earlier_ones(words: str) -> None:
    turn = latest_turn(request(user(text("Total?"), image(PIXEL)), ANSWER, user(text(words))), 16)
    assert (len(turn.sources), turn.is_of_earlier) == (1, True)


def test_a_text_that_came_later_than_a_picture_is_asked_about() -> None:
    messages = [user(text("Total?"), image(PIXEL)), ANSWER, user(text(f"And of this?\n\n{INVOICE}")), ANSWER]
    turn = latest_turn(request(*messages, user(text("And the date?"))), 16)
    assert (turn.sources, turn.is_of_earlier) == ((), True)


@each_case(
    ("system", "words", "is_handed"),
    [
        ("Be brief.", "What is the total?", False),
        ("Be brief.", f"What is the total?\n\n{INVOICE}", False),
        ("Be brief.", "<source>Total: 84.30 EUR</source>\n\nWhat is the total?", True),
        ("Answer from this.\n<context>\nTotal: 84.30 EUR\n</context>", "What is the total?", True),
        ("Be brief.", "<files>receipt.jpg</files>\nWhat is the total?", False),
    ],
)
def test_a_text_of_any_length_may_be_handed_over_by_a_program(system: str, words: str, is_handed: bool) -> None:
    turn = latest_turn(request({"role": "system", "content": system}, user(text(words))), 16)
    assert turn.has_handed_text is is_handed


def test_examples_are_the_last_eight_papers_with_an_answer_before_the_input() -> None:
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    shown = [(user(text(f"Slip {number}")), {"role": "assistant", "content": "{}"}) for number in range(10)]
    talk = [user(text("Slip 90")), {"role": "assistant", "content": "no JSON"}]
    messages = [*[one for pair in shown for one in pair], *talk, user(image(PIXEL))]
    turn = latest_turn(request(*messages, response_format=asked), 16)
    papers = [one.document.result.data["messages"] for one in turn.examples if one.document]
    assert papers == [{str(2 * number): {"content": f"Slip {number}"}} for number in range(2, 10)]
    assert turn.since == len(messages) - 1
    assert latest_turn(request(*messages), 16).examples == ()


@each_case(
    ("part", "param"),
    [
        ({"type": "image_url", "image_url": PIXEL}, "image_url"),
        ({"type": "file", "file": {"file_data": "aGk=", "filename": "a.txt"}}, "file.file_data"),
        ({"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}, "video_url.url"),
        ({"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}}, "audio_url.url"),
        ({"type": "input_file", "file_data": "aGk=", "filename": "a.txt"}, "file_data"),
    ],
)
def test_every_kind_of_part_is_a_source_with_its_path(part: dict[str, Any], param: str) -> None:
    [source] = latest_turn(request(user(part)), 16).sources
    assert source.param == f"messages[0].content[0].{param}"


def test_urls_in_other_roles_are_not_followed() -> None:
    turn = latest_turn(
        request(
            {"role": "system", "content": "See https://example.com/system.png"},
            {"role": "user", "content": "Read it."},
            {"role": "assistant", "content": "https://example.com/assistant.png"},
            {"role": "tool", "content": "https://example.com/tool.png", "tool_call_id": "c"},
        ),
        16,
    )
    assert turn.sources == ()


def test_the_first_links_are_taken_beside_what_is_attached() -> None:
    links = [f"https://example.com/{number}" for number in range(2000)]
    turn = latest_turn(request(user(text(" ".join(links)), *(image(f"{PIXEL}{number}") for number in range(3)))), 16)
    assert [source.url for source in turn.sources if source.is_linked] == links[:13]
    assert len(turn.sources) == 16
    assert len(turn.warnings) == 1
    assert f"'{links[13]}'" in turn.warnings[0]
    assert latest_turn(request(user(text(" ".join(links[:16])))), 16).warnings == ()


def test_too_many_sources_are_refused_with_the_limit_and_the_value() -> None:
    with pytest.raises(BadRequest, match="holds 17 inputs or more; the limit is 16"):
        latest_turn(request(user(*(image(f"{PIXEL}{number}") for number in range(17)))), 16)


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "file", "file": {"file_id": "file-1"}}, "file.file_id"),
        ({"type": "input_file", "file_id": "file-1"}, "file_id"),
        ({"type": "input_image", "file_id": "file-1"}, "file_id"),
    ],
)
async def test_an_uploaded_file_is_a_source_with_its_name_and_type(part: dict[str, Any], param: str) -> None:
    [source] = (await Collector(Shelf(), 16, 1000).collect(request(user(part)), "me")).sources
    assert (source.file_id, source.owner, source.param) == ("file-1", "me", f"messages[0].content[0].{param}")
    assert (source.filename, source.format) == ("scan.pdf", "application/pdf")


LINK = "https://example.com/a.png"


def test_what_is_named_twice_is_one_source_at_its_first_place() -> None:
    other = "https://example.com/b.png"
    turn = latest_turn(request(user(image(LINK), image(other), text(f"{LINK} and {other}"), image(LINK))), 16)
    assert [source.url for source in turn.sources] == [LINK, other]
    assert params(turn.sources[0].also) == ("messages[0].content[2].text", "messages[0].content[3].image_url.url")


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "image_url"}, "image_url"),
        ({"type": "file", "file": {}}, "file.file_data"),
        ({"type": "input_file", "filename": "a.pdf"}, "file_data"),
        ({"type": "audio_url", "video_url": LINK}, "audio_url"),
    ],
)
def test_a_part_that_names_nothing_is_refused(part: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest, match="Field required") as refusal:
        latest_turn(request(user(part)), 16)
    assert refusal.value.param == f"messages[0].content[0].{param}"


def params(origins: Iterable[Origin]) -> tuple[str, ...]:
    return tuple(origin.param for origin in origins)


def data_urls(turn: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(source.param, params(source.also)) for source in turn.sources]


def test_equal_data_urls_are_one_source_and_those_of_one_length_are_told_apart() -> None:
    other = PIXEL[:-2] + "=="
    parts = [image(PIXEL), image(other), image(PIXEL), image(other), image(PIXEL + "AAAA")]
    asked = request(user(*parts))
    where = [f"messages[0].content[{place}].image_url.url" for place in range(5)]
    turn = latest_turn(asked, 3)
    assert data_urls(turn) == [(where[0], (where[2],)), (where[1], (where[3],)), (where[4], ())]
