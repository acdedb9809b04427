"""Specialists as tools of the LLM's: which are offered, and what their calls may ask for."""

import json

import pytest

from app.chat.inputs import Turn
from app.chat.plan import Plan, Step
from app.chat.prompt import PREFIX, TOOLS, offered
from tasks.errors import InputError
from tasks.inputs.source import Origin, Source
from tests.conftest import each_case
from tests.unit.app.chat.test_inputs import PIXEL

PICTURE = Source.from_reference(PIXEL, origin=Origin("image_url", "url", 0, 0))
OTHER = Source.from_reference(PIXEL, origin=Origin("image_url", "url", 0, 1))
PAGE = Source.from_reference("https://a.example/page", origin=Origin(message=0))
TURN = Turn("Hm?", (PICTURE, PAGE))
BY_TASK = {tool.task: tool for tool in TOOLS}


def names(turn: Turn, plan: Plan | None = None, *tasks: str) -> list[str]:
    return [tool.task for tool in offered(turn, plan or Plan(), lambda task: not tasks or task in tasks)]


def test_a_definition_is_in_openais_form_and_closed() -> None:
    for tool in TOOLS:
        definition = tool.definition()
        assert list(definition) == ["type", "function"]
        function = definition["function"]
        assert function["name"] == PREFIX + tool.task
        assert function["parameters"]["additionalProperties"] is False
        assert set(function["parameters"]["required"]) | set(tool.optional) == set(function["parameters"]["properties"])


def test_readers_are_offered_only_where_there_is_an_input() -> None:
    readers = {"ocr", "object_detection", "gui_detection"}
    assert not readers & set(names(Turn("Hm?", ())))
    assert readers <= set(names(TURN))


def test_what_the_plan_has_given_to_a_reader_is_not_given_again() -> None:
    turn = Turn("Hm?", (PICTURE,))
    assert "ocr" not in names(turn, Plan((Step("ocr", (PICTURE,), "Hm?"),)))
    assert "ocr" in names(Turn("Hm?", (PICTURE, OTHER)), Plan((Step("ocr", (PICTURE,), "Hm?"),)))
    assert "gui_detection" in names(turn, Plan((Step("ocr", (PICTURE,), "Hm?"),)))


@pytest.mark.parametrize(
    ("task", "arguments", "text", "sources"),
    [
        ("web_search", {"query": "euro rate"}, "euro rate", ()),
        ("code_sandbox", {"code": "print(1)"}, "print(1)", ()),
        ("translate", {"text": "nine", "to": "fr"}, "Translate the following into fr:\n\nnine", ()),
        ("forecast", {"horizon": "3 steps", "input": 2}, "Forecast the next 3 steps.\n\n", (PAGE,)),
        ("ocr", {"input": 2, "pages": "2-4"}, "Read pages 2-4.", (PAGE,)),
        ("gui_detection", {"input": 1}, "Find the elements of the user interface.", (PICTURE,)),
    ],
)
def test_a_call_asks_its_task(task: str, arguments: object, text: str, sources: tuple[Source, ...]) -> None:
    request = BY_TASK[task].request(json.dumps(arguments), TURN)
    assert (request.text, request.sources) == (text, sources)


@each_case(
    ("task", "arguments", "words"),
    [
        ("ocr", '{"input": 3}', "There is no input 3; there are 2."),
        ("forecast", '{"horizon": "4 weeks", "input": 3}', "There is no input 3; there are 2."),
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
