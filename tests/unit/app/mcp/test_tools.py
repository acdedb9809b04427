"""The chat request that a call of a tool becomes."""

from typing import Any

import pytest

from app.errors import BadRequest
from app.mcp.tools import EXTRACT, TOOLS
from tests.conftest import each_case

PICTURE = "data:image/png;base64,AAAA"


def test_the_arguments_of_a_tool_are_the_options_of_its_task() -> None:
    for tool in TOOLS.values():
        if tool.name != EXTRACT:
            assert tool.specialist is not None
            options = tool.specialist.options.model_json_schema()["properties"].keys()
            given = tool.input_schema["properties"].keys() - {"source", "text", "instructions"}
            assert given <= options
            # The text of a task that works on nothing else is called `text`: a query, a script.
            assert options - given <= {"text", "query", "code"}


@each_case(
    ("tool", "arguments", "task_options", "words"),
    [
        ("ocr", {"source": PICTURE, "pages": "2-3", "tables": True}, {"pages": "2-3", "tables": True}, None),
        ("ocr", {"source": PICTURE, "instructions": "Read the stamp."}, None, "Read the stamp."),
        ("translate", {"text": "Thank you", "target_language": "es"}, {"target_language": "es"}, None),
        ("forecast", {"source": PICTURE, "horizon": 3, "unit": "week"}, {"horizon": 3, "unit": "week"}, None),
        ("web_search", {"text": "tides of Brest"}, None, "tides of Brest"),
    ],
)
def test_arguments_become_options_of_the_task(
    tool: str, arguments: dict[str, Any], task_options: dict[str, Any] | None, words: str | None
) -> None:
    request = TOOLS[tool].called_with(arguments)
    system, user = request["messages"]
    assert system["content"] == f"<task>{tool}</task>"
    assert request.get("task_options") == task_options
    assert next((part["text"] for part in user["content"] if part["type"] == "text"), None) == words


@each_case(
    ("tool", "arguments", "param"),
    [
        ("ocr", {"source": PICTURE, "pages": 3}, "pages"),
        ("ocr", {"source": PICTURE, "page": "3"}, "page"),
        ("ocr", {}, "source"),
        ("translate", {"text": "a", "source": PICTURE, "target_language": "es"}, "text"),
        ("translate", {"text": "a", "target_language": "Klingonese"}, "target_language"),
        ("translate", {"text": "a"}, "target_language"),
        ("forecast", {"text": "1 2 3", "horizon": 0}, "horizon"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(tool: str, arguments: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as error:
        TOOLS[tool].called_with(arguments)
    assert error.value.param == param
