"""Reasoning of the LLM's, against a scripted one: told when it was asked for, and never mixed into the answer."""

import pytest

from tests.e2e.full_model import FullModel
from tests.kit.servers.llm_server import Reply

QUESTION = "Is 97 a prime?"
THOUGHT = "Not even, not by 3, 5 or 7."
IN_FIELD = Reply("Yes.", reasoning=THOUGHT)
IN_OTHER_FIELD = Reply("Yes.", reasoning=THOUGHT, reasoning_field="reasoning")
IN_TAGS = Reply(chunks=["<thi", "nk>Not even, ", "not by 3, 5 or 7.</", "think>\n\nYes", "."])
EVERY_FORM = pytest.mark.parametrize("reply", [IN_FIELD, IN_OTHER_FIELD, IN_TAGS], ids=["field", "other", "tags"])


@EVERY_FORM
def test_reasoning_is_a_field_of_the_answer_when_it_is_asked_for(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    body = model.ask(QUESTION, reasoning_effort="low").json()
    assert list(body) == ["id", "object", "created", "model", "usage", "vcache", "reasoning", "choices"]
    assert body["reasoning"] == THOUGHT
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Yes."}


@EVERY_FORM
def test_a_stream_puts_the_reasoning_between_its_own_deltas_before_the_answer(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    texts = model.stream(QUESTION, reasoning_effort="high").texts
    assert texts[0] == "<think>"
    end = texts.index("</think>")
    assert "".join(texts[1:end]) == THOUGHT
    assert "".join(texts[end + 1 :]) == "Yes."
