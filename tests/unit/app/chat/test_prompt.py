"""What the LLM is shown: every message in its place, and results that cannot pose as anything else."""

from typing import Any

from app.chat.prompt import LlmImage, build_messages, fence_results
from tests.entries import entry_of
from tests.unit.app.chat.test_inputs import PIXEL, image, request, text, user

OCR = entry_of("ocr", {})


def test_system_texts_come_first_in_one_message() -> None:
    asked = request(
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "<task>ocr</task> as it was written"},
        {"role": "developer", "content": "and this"},
    )
    assert build_messages(asked, ["Be brief.", "Be kind."]) == [
        {"role": "system", "content": "Be brief.\n\nBe kind."},
        {"role": "user", "content": "Hi"},
    ]


def test_results_stand_before_the_latest_users_words_alone() -> None:
    asked = request(
        {"role": "user", "content": "First"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Hm?"},
    )
    system, first, _, last = build_messages(asked, [], ["<one>", "<two>"], "==f==")
    assert "`==f==`" in system["content"]
    assert first["content"] == "First"
    assert last["content"] == "<one>\n\n<two>\n\nHm?"


def test_what_only_specialists_see_is_mentioned() -> None:
    parts: list[Any] = [
        text("Look"),
        image(PIXEL),
        {"type": "file", "file": {"file_data": PIXEL}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "https://a.example/v.mp4"}},
    ]
    [message] = build_messages(request(user(*parts)), [])
    assert message["content"] == "Look\n[image]\n[file]\n[audio]\n[video]"


def test_an_llm_that_sees_gets_its_own_copy_of_each_image_in_place() -> None:
    asked = request(user(text("Which of"), image("https://a.example/1.png"), image("https://a.example/2.png")))
    [_, message] = build_messages(asked, [], ["<one>"], "==f==", {(0, 1): [LlmImage(PIXEL)]})
    assert message["content"] == [text("<one>"), text("Which of"), image(PIXEL), text("[image]")]


def test_a_video_is_its_frames_each_after_its_time() -> None:
    video = {"type": "video_url", "video_url": {"url": "https://a.example/v.mp4"}}
    asked = request(user(text("Before"), video, text("After")))
    frames = [LlmImage(PIXEL, "[video at 0 s]"), LlmImage(PIXEL, "[video at 7.5 s]")]
    [message] = build_messages(asked, [], images={(0, 1): frames})
    assert message["content"] == [
        text("Before"),
        *(text("[video at 0 s]"), image(PIXEL)),
        *(text("[video at 7.5 s]"), image(PIXEL)),
        text("After"),
    ]


def test_each_result_is_fenced_with_its_place_and_name() -> None:
    assert fence_results([(0, OCR), (4, OCR)], ["nine", ""], "==f==") == [
        "==f== result 1: ocr\nnine\n==f==",
        "==f== result 5: ocr\n\n==f==",
    ]
