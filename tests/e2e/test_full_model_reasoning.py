"""Reasoning of the LLM's, against a scripted one: told when it was asked for, and never mixed into the answer."""

from collections.abc import Iterator

import pytest

from tests.e2e.full_model import FullModel, Json, content_of, error_of, schema_of, serving_full_model
from tests.llm_server import Reply

QUESTION = "Is 97 a prime?"
THOUGHT = "Not even, not by 3, 5 or 7."
IN_FIELD = Reply("Yes.", reasoning=THOUGHT)
IN_OTHER_FIELD = Reply("Yes.", reasoning=THOUGHT, reasoning_field="reasoning")
IN_TAGS = Reply(chunks=["<thi", "nk>Not even, ", "not by 3, 5 or 7.</", "think>\n\nYes", "."])
EVERY_FORM = pytest.mark.parametrize("reply", [IN_FIELD, IN_OTHER_FIELD, IN_TAGS], ids=["field", "other", "tags"])


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    with serving_full_model() as model:
        yield model


@EVERY_FORM
@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "on", "auto"])
def test_reasoning_is_a_field_of_the_answer_when_it_is_asked_for(model: FullModel, reply: Reply, effort: str) -> None:
    model.script(reply)
    body = model.ask(QUESTION, reasoning_effort=effort).json()
    assert list(body) == ["id", "object", "created", "model", "usage", "vcache", "reasoning", "choices"]
    assert body["reasoning"] == THOUGHT
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Yes."}


@EVERY_FORM
@pytest.mark.parametrize("effort", [None, "off", "none"])
def test_reasoning_that_nobody_asked_for_is_left_out(model: FullModel, reply: Reply, effort: str | None) -> None:
    model.script(reply, reply)
    response = model.ask(QUESTION, reasoning_effort=effort)
    assert "reasoning" not in response.json()
    assert content_of(response) == "Yes."
    assert model.stream(QUESTION, reasoning_effort=effort).text == "Yes."


@pytest.mark.parametrize("effort", ["low", "xhigh", "on"])
def test_a_warning_says_that_the_llm_did_not_reason(model: FullModel, effort: str) -> None:
    model.script(Reply("Yes."), Reply("Yes."))
    body = model.ask(QUESTION, reasoning_effort=effort).json()
    assert "reasoning" not in body
    assert any("reasoning_effort" in warning for warning in body["warnings"])
    assert "warnings" in model.stream(QUESTION, reasoning_effort=effort).chunks[-1]


@pytest.mark.parametrize("effort", [None, "off", "none", "auto", "minimal"])
def test_reasoning_that_nobody_expects_may_be_absent(model: FullModel, effort: str | None) -> None:
    model.script(Reply("Yes."))
    assert "warnings" not in model.ask(QUESTION, reasoning_effort=effort).json()


UNOPENED = (
    Reply(chunks=["Not even, ", "not by 3, 5 or 7.</thi", "nk>\n", "\nYes", "."]),
    Reply(chunks=[f"{THOUGHT}</think>Yes."]),
)


@pytest.mark.parametrize("reply", UNOPENED)
def test_what_stands_before_a_closing_tag_alone_is_reasoning(model: FullModel, reply: Reply) -> None:
    model.script(reply, reply)
    body = model.ask(QUESTION, reasoning_effort="high").json()
    assert (body["reasoning"], body["choices"][0]["message"]["content"]) == (THOUGHT, "Yes.")
    assert "warnings" not in body
    assert content_of(model.ask(QUESTION)) == "Yes."


@pytest.mark.parametrize("stream", [False, True])
def test_a_structured_answer_follows_reasoning_with_a_closing_tag_alone(model: FullModel, stream: bool) -> None:
    model.script(Reply(chunks=["It is ", "odd.</think>", '{"prime"', ": true}"]))
    form = schema_of(prime={"type": "boolean"})
    if stream:
        assert model.stream(QUESTION, response_format=form).text == '{"prime": true}'
    else:
        assert content_of(model.ask(QUESTION, response_format=form)) == '{"prime": true}'


def test_a_stream_knows_from_the_answer_before_it_that_reasoning_has_no_opening_tag() -> None:
    with serving_full_model() as model:
        model.script(*[UNOPENED[0]] * 2, Reply("No reasons."), Reply(chunks=["Plain ", "again."]))
        first = model.stream(QUESTION, reasoning_effort="high")
        assert "</think>" in first.text
        assert any("</think>" in warning for warning in first.chunks[-1]["warnings"])
        assert model.stream(QUESTION, reasoning_effort="high").text == f"<think>{THOUGHT}</think>Yes."
        assert model.stream(QUESTION, reasoning_effort="high").text == "No reasons."
        assert model.stream(QUESTION, reasoning_effort="high").texts == ["Plain ", "again."]


@pytest.mark.parametrize("text", ["Write `</think>` last.", "Write <think> first, then </think>.", 'Write "</think>".'])
def test_a_text_about_tags_keeps_them(model: FullModel, text: str) -> None:
    model.script(Reply(chunks=list(text)), Reply(chunks=list(text)))
    assert content_of(model.ask(QUESTION)) == text
    assert model.stream(QUESTION).text == text


@EVERY_FORM
def test_a_stream_puts_the_reasoning_between_its_own_deltas_before_the_answer(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    texts = model.stream(QUESTION, reasoning_effort="high").texts
    assert texts[0] == "<think>"
    end = texts.index("</think>")
    assert "".join(texts[1:end]) == THOUGHT
    assert "".join(texts[end + 1 :]) == "Yes."


def test_reasoning_without_an_answer_is_closed_all_the_same(model: FullModel) -> None:
    model.script(Reply(reasoning=THOUGHT, finish_reason="length"))
    streamed = model.stream(QUESTION, reasoning_effort="high", max_tokens=5)
    assert streamed.text == f"<think>{THOUGHT}</think>"
    assert streamed.finish_reasons == ["length"]


@pytest.mark.parametrize(
    ("asked", "sent"), [("minimal", "minimal"), ("low", "low"), ("high", "high"), ("xhigh", "high"), ("on", "medium")]
)
def test_the_effort_reaches_the_llm_in_words_that_it_knows(model: FullModel, asked: str, sent: str) -> None:
    model.script(Reply("Yes."))
    model.ask(QUESTION, reasoning_effort=asked)
    assert model.prompts[0]["reasoning_effort"] == sent


@pytest.mark.parametrize("asked", ["off", "none", "auto"])
def test_what_is_no_effort_is_not_passed_on(model: FullModel, asked: str) -> None:
    model.script(Reply("Yes."))
    model.ask(QUESTION, reasoning_effort=asked)
    assert "reasoning_effort" not in model.prompts[0]


@pytest.mark.parametrize(
    ("effort", "thinks"), [(None, False), ("off", False), ("none", False), ("auto", True), ("low", True)]
)
def test_the_llm_reasons_only_where_that_is_asked_for(model: FullModel, effort: str | None, thinks: bool) -> None:
    model.script(Reply("Yes."))
    model.ask(QUESTION, reasoning_effort=effort)
    assert model.prompts[0]["chat_template_kwargs"] == {"enable_thinking": thinks}


def test_a_clients_own_arguments_of_the_template_are_passed_on(model: FullModel) -> None:
    model.script(Reply("Yes."))
    model.ask(QUESTION, chat_template_kwargs={"enable_thinking": True, "style": "short"})
    assert model.prompts[0]["chat_template_kwargs"] == {"enable_thinking": True, "style": "short"}
    error_of(model.ask(QUESTION, chat_template_kwargs="short"), 400, "invalid_request", "chat_template_kwargs")


def test_a_field_that_the_llms_server_refuses_is_named_in_a_warning() -> None:
    def refuse(body: Json) -> Reply:
        unknown = next((name for name in ("top_k", "chat_template_kwargs") if name in body), None)
        return (
            Reply(status=400, error=f"Unrecognized request argument supplied: {unknown}") if unknown else Reply("Yes.")
        )

    with serving_full_model() as model:
        model.script(by_body=refuse)
        assert "warnings" not in model.ask(QUESTION).json()
        [warning] = model.ask(QUESTION, top_k=3, chat_template_kwargs={"style": "short"}).json()["warnings"]
        assert "top_k" in warning
        assert "chat_template_kwargs" in warning


@EVERY_FORM
def test_reasoning_is_no_part_of_a_structured_answer(model: FullModel, reply: Reply) -> None:
    answer = Reply('{"prime": true}', reasoning=THOUGHT) if reply.reasoning else Reply(f"<think>{THOUGHT}</think>{{}}")
    model.script(answer)
    response_format = schema_of(prime={"type": "boolean"}) if reply.reasoning else {"type": "json_object"}
    response = model.ask(QUESTION, response_format=response_format, reasoning_effort="low")
    assert content_of(response) == ('{"prime": true}' if reply.reasoning else "{}")
    assert response.json()["reasoning"] == THOUGHT
