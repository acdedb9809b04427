"""What an LLM reads: the conversation, results as data, pictures in their places, and the tools that it is offered."""

import json
from typing import Any

import pytest

from app.chat.inputs import Turn
from app.chat.plan import Plan
from app.chat.prompt import LLM_TOOLS, TOOL_PREFIX, LlmImage, build_messages, contributing_tools, fence_results
from tasks.code_sandbox import CodeOptions
from tasks.errors import InputError
from tasks.inputs.source import Origin, Source
from tasks.series.options import ForecastOptions
from tasks.wording.gui_elements import GuiOptions
from tasks.wording.options import TaskOptions
from tasks.wording.page_range import OcrOptions
from tasks.wording.search_query import WebSearchOptions
from tasks.wording.translation import TranslateOptions
from tests.conftest import each_case
from tests.kit.chats.entries import entry_of
from tests.kit.chats.plans import step_of
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


PICTURE = Source.from_reference(PIXEL, origin=Origin("image_url", "url", 0, 0))
OTHER = Source.from_reference(PIXEL, origin=Origin("image_url", "url", 0, 1))
PAGE = Source.from_reference("https://a.example/page", origin=Origin(message=0))
TURN = Turn("Hm?", (PICTURE, PAGE))
BY_TASK = {tool.task: tool for tool in LLM_TOOLS}


def names(turn: Turn, plan: Plan | None = None, *tasks: str) -> list[str]:
    return [tool.task for tool in contributing_tools(turn, plan or Plan(), lambda task: not tasks or task in tasks)]


def test_a_definition_is_in_openais_form_and_closed() -> None:
    for tool in LLM_TOOLS:
        definition = tool.definition
        assert list(definition) == ["type", "function"]
        function = definition["function"]
        assert function["name"] == TOOL_PREFIX + tool.task
        assert function["parameters"]["additionalProperties"] is False
        assert set(function["parameters"]["required"]) <= set(function["parameters"]["properties"])


def test_the_arguments_of_a_tool_are_the_options_of_its_task_and_its_inputs() -> None:
    for tool in LLM_TOOLS:
        options = tool.specialist.options.model_json_schema()["properties"]
        properties = tool.definition["function"]["parameters"]["properties"]
        assert set(properties) - set(options) <= {"input", "url", "files"}
        assert set(options) <= set(properties)
        assert all("description" in one for name, one in properties.items() if name in options)


def test_readers_are_offered_only_where_there_is_an_input() -> None:
    readers = {"ocr", "object_detection", "gui_detection"}
    assert not readers & set(names(Turn("Hm?", ())))
    assert readers <= set(names(TURN))


def test_the_web_is_not_searched_beside_a_text_that_a_program_handed_over() -> None:
    assert "web_search" in names(Turn("Hm?", ()))
    assert "web_search" not in names(Turn("Hm?", (), has_handed_text=True))


def test_what_the_plan_has_given_to_a_reader_is_not_given_again() -> None:
    turn = Turn("Hm?", (PICTURE,))
    assert "ocr" not in names(turn, Plan((step_of("ocr", PICTURE),)))
    assert "ocr" in names(Turn("Hm?", (PICTURE, OTHER)), Plan((step_of("ocr", PICTURE),)))
    assert "gui_detection" in names(turn, Plan((step_of("ocr", PICTURE),)))


@pytest.mark.parametrize(
    ("task", "arguments", "options", "sources"),
    [
        ("web_search", {"query": "euro rate"}, WebSearchOptions(query="euro rate"), ()),
        ("code_sandbox", {"code": "print(1)"}, CodeOptions(code="print(1)"), ()),
        (
            "translate",
            {"text": "nine", "target_language": "French"},
            TranslateOptions(text="nine", target_language="fr"),
            (),
        ),
        ("forecast", {"horizon": 3, "input": 2}, ForecastOptions(horizon=3), (PAGE,)),
        ("ocr", {"input": 2, "pages": "2-4"}, OcrOptions(pages="2-4", is_for_llm=True), (PAGE,)),
        ("gui_detection", {"input": 1}, GuiOptions(), (PICTURE,)),
    ],
)
def test_a_call_asks_its_task(task: str, arguments: object, options: TaskOptions, sources: tuple[Source, ...]) -> None:
    request = BY_TASK[task].request(json.dumps(arguments), TURN)
    assert (request.options, request.sources) == (options, sources)


@each_case(
    ("task", "arguments", "words"),
    [
        ("ocr", '{"input": 3}', "There is no input 3; there are 2."),
        ("forecast", '{"horizon": 4, "unit": "week", "input": 3}', "There is no input 3; there are 2."),
        ("ocr", '{"input": "https://a.example/page"}', "There is no input"),
        ("ocr", '{"input": ', "do not fit"),
        ("code_sandbox", f'{{"code": {"[" * 20_000}{"]" * 20_000}}}', "do not fit"),
        ("code_sandbox", '{"code": "1", "files": [3]}', "There is no input 3; there are 2."),
        ("object_detection", '{"input": 1, "labels": [1]}', "do not fit"),
        ("scraper", '{"url": "http://169.254.169.254/"}', "Only URLs in the user's own messages"),
    ],
)
def test_a_call_that_cannot_be_followed_is_the_llms_to_mend(task: str, arguments: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        BY_TASK[task].request(arguments, TURN)
