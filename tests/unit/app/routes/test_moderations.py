"""From guard codes to OpenAI's categories, and what POST /v1/moderations takes."""

import json
from collections.abc import Sequence
from typing import get_args

import pytest
from openai.types.moderation import Categories, CategoryAppliedInputTypes, CategoryScores
from openai.types.moderation_model import ModerationModel

from app.errors import BadRequest
from app.routes.moderations import (
    CATEGORIES,
    MAX_INPUTS,
    ModeratedImage,
    ModeratedText,
    ModerationRequest,
    ModerationResult,
    to_result,
)
from app.wire.model_names import MODERATION_ALIASES
from app.wire.parse import parse
from models.safety.guard import IMAGE_CODES
from tasks.guardrails import Check
from tests.conftest import each_case

OPENAIS = {str(field.alias or name) for name, field in Categories.model_fields.items()}


def check(codes: Sequence[str] = (), /, **scores: float) -> Check:
    return {"source": "input[0]", "codes": list(codes), "scores": scores}


def flagged(result: ModerationResult) -> set[str]:
    return {name for name, is_flagged in result.categories.items() if is_flagged}


def test_the_categories_are_openais() -> None:
    assert set(CATEGORIES) == OPENAIS
    for kind in (CategoryScores, CategoryAppliedInputTypes):
        assert {str(field.alias or name) for name, field in kind.model_fields.items()} == OPENAIS
    assert set(get_args(ModerationModel)) == set(MODERATION_ALIASES)


@pytest.mark.parametrize(
    ("code", "categories"),
    [
        ("S1", {"illicit/violent", "violence"}),
        ("S2", {"illicit"}),
        ("S3", {"sexual"}),
        ("S4", {"sexual/minors"}),
        ("S5", {"harassment"}),
        ("S6", set()),
        ("S7", {"illicit"}),
        ("S8", {"illicit"}),
        ("S9", {"illicit/violent"}),
        ("S10", {"harassment", "hate"}),
        ("S11", {"self-harm", "self-harm/intent", "self-harm/instructions"}),
        ("S12", {"sexual"}),
        ("S13", set()),
        ("S14", {"illicit"}),
        ("S1_IMAGE", {"violence", "violence/graphic"}),
        ("S12_IMAGE", {"sexual"}),
        ("S15_IMAGE", {"sexual"}),
    ],
)
def test_each_code_has_its_categories(code: str, categories: set[str]) -> None:
    result = to_result([check([code], **{code: 0.9})])
    assert flagged(result) == categories
    assert result.flagged == bool(categories)
    assert (result.codes, result.code_scores) == ([code], {code: 0.9})
    scored = {name for name, score in result.category_scores.items() if score}
    assert scored == categories
    kind = "image" if code in IMAGE_CODES else "text"
    applied = {name: kinds for name, kinds in result.category_applied_input_types.items() if kinds}
    assert {name for name, own in CATEGORIES.items() if code in own} == set(applied)
    assert all(kinds == [kind] for kinds in applied.values())


def test_a_threat_is_hate_or_defamation_with_violence() -> None:
    assert flagged(to_result([check(["S1", "S10"], S1=0.9, S10=0.8)])) == {
        "harassment",
        "harassment/threatening",
        "hate",
        "hate/threatening",
        "illicit/violent",
        "violence",
    }
    assert "hate/threatening" not in flagged(to_result([check(["S1", "S5"], S1=0.9, S5=0.8)]))
    result = to_result([check(["S10"], S1=0.2, S10=0.8)])
    assert not result.categories["hate/threatening"]
    assert result.category_scores["hate/threatening"] == 0.2
    assert result.category_scores["hate"] == 0.8


def test_nothing_unsafe_is_nothing_flagged_with_the_scores_all_the_same() -> None:
    result = to_result([check(S1=0.1, S9=0.3)])
    assert not result.flagged
    assert flagged(result) == set()
    assert result.category_scores["illicit/violent"] == 0.3
    assert result.category_applied_input_types["violence"] == ["text"]
    assert result.category_applied_input_types["hate"] == []
    assert result.codes == []


def test_several_checks_are_one_result_by_their_highest_scores() -> None:
    checks = [check(["S12"], S12=0.9), check(["S12_IMAGE"], S12_IMAGE=0.7), check(S12=0.2)]
    result = to_result(checks)
    assert flagged(result) == {"sexual"}
    assert result.category_scores["sexual"] == 0.9
    assert result.category_applied_input_types["sexual"] == ["text", "image"]
    assert result.codes == ["S12", "S12_IMAGE"]


# The request.


def read(body: str) -> ModerationRequest:
    return parse(ModerationRequest, body.encode())


def test_a_string_a_list_of_strings_and_parts() -> None:
    assert read('{"input": "Hm?"}').input == "Hm?"
    assert read('{"input": ["Hm?", ""], "model": "omni-moderation-latest"}').input == ["Hm?", ""]
    parts = [
        {"type": "text", "text": "Hm?"},
        {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
    ]
    [told, shown] = list(read(json.dumps({"input": parts})).input)
    assert isinstance(told, ModeratedText)
    assert isinstance(shown, ModeratedImage)


@each_case(
    ("body", "param", "words"),
    [
        ("{}", "input", "Field required"),
        ('{"input": null}', "input", "a string, a list of strings or a list of 'text' and 'image_url' parts"),
        ('{"input": 5}', "input", "a string, a list of strings"),
        ('{"input": {"type": "text", "text": "a"}}', "input", "a string, a list of strings"),
        ('{"input": []}', "input", "at least 1 item"),
        ('{"input": [5]}', "input[0]", ""),
        ('{"input": [null]}', "input[0]", ""),
        ('{"input": [["a"]]}', "input[0]", ""),
        ('{"input": [{"type": "audio"}]}', "input[0]", "'text', 'image_url'"),
        ('{"input": [{"type": "text"}]}', "input[0].text", "Field required"),
        ('{"input": [{"type": "text", "text": 5}]}', "input[0].text", "valid string"),
        ('{"input": [{"type": "image_url", "image_url": 5}]}', "input[0].image_url", "a URL or an object with a 'url'"),
        ('{"input": "a", "model": 5}', "model", "valid string"),
        ('["a"]', None, ""),
    ],
)
def test_what_is_no_input_is_refused_with_its_place(body: str, param: str | None, words: str) -> None:
    with pytest.raises(BadRequest) as failure:
        read(body)
    assert (failure.value.param or "").startswith(param or "")
    assert words in failure.value.message
    assert "·" not in failure.value.message


def test_one_input_too_many_is_refused_with_the_limit() -> None:
    with pytest.raises(BadRequest, match="at most 256 items"):
        read(json.dumps({"input": ["a"] * (MAX_INPUTS + 1)}))
