"""What a request says and shows."""

from typing import Any

import pytest

from app.chat.collect import latest_turn, text_of
from app.errors import BadRequest
from app.wire.request import ChatRequest

PIXEL = "data:image/png;base64,iVBORw0KGgo="


def request(*messages: dict[str, Any]) -> ChatRequest:
    return ChatRequest.model_validate({"model": "interfaze-beta", "messages": list(messages)})


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


def test_a_message_without_media_speaks_of_the_media_before_it() -> None:
    turn = latest_turn(request(user(image(PIXEL)), user(text("and page 2?"))), 16)
    assert turn.text == "and page 2?"
    assert [source.param for source in turn.sources] == ["messages[0].content[0].image_url.url"]


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "image_url", "image_url": PIXEL}, "image_url"),
        ({"type": "input_image", "image_url": {"url": PIXEL}}, "image_url.url"),
        ({"type": "file", "file": {"file_data": "aGk=", "filename": "a.txt"}}, "file.file_data"),
        ({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}, "input_audio.data"),
        ({"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}, "video_url.url"),
        ({"type": "file_url", "file_url": "https://example.com/a.pdf"}, "file_url"),
    ],
)
def test_every_kind_of_part_is_a_source_with_its_path(part: dict[str, Any], param: str) -> None:
    [source] = latest_turn(request(user(part)), 16).sources
    assert source.param == f"messages[0].content[0].{param}"


def test_urls_in_the_users_text_are_sources() -> None:
    turn = latest_turn(request({"role": "user", "content": "Read https://example.com/a.pdf, please."}), 16)
    assert [source.url for source in turn.sources] == ["https://example.com/a.pdf"]


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


def test_an_empty_request_is_refused() -> None:
    with pytest.raises(BadRequest, match="request has no text content: every message is empty"):
        latest_turn(request({"role": "system", "content": " "}, user(text("\n"))), 16)


def test_too_many_sources_are_refused_with_the_limit_and_the_value() -> None:
    with pytest.raises(BadRequest, match="holds 17 inputs; the limit is 16"):
        latest_turn(request(user(*[image(PIXEL)] * 17)), 16)


def test_a_file_that_was_never_uploaded_is_refused() -> None:
    with pytest.raises(BadRequest, match="no file 'file-1' here") as refusal:
        latest_turn(request(user({"type": "file", "file": {"file_id": "file-1"}})), 16)
    assert refusal.value.param == "messages[0].content[0].file.file_id"


def test_content_is_a_string_or_parts_in_every_role() -> None:
    for role in ("system", "developer", "user", "assistant", "tool"):
        for content in ("hi", [text("hi")]):
            [message] = request({"role": role, "content": content}).messages
            assert text_of(message) == "hi"
