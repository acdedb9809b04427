"""Which messages ask for a translation, of what, and into which languages."""

import tomllib
from pathlib import Path

from app.chat.plan import Plan, Planner
from tasks.wording.translation import listed_texts, parse_order
from tests.conftest import each_case
from tests.plans import Case, turn_of

_MESSAGES = tomllib.loads((Path(__file__).parents[3] / "data" / "translation_wishes.toml").read_text("utf-8"))[
    "messages"
]
WANTED = [(one["message"], one["targets"].split(), one["text"]) for one in _MESSAGES if "targets" in one]
UNWANTED = [one["message"] for one in _MESSAGES if "targets" not in one]


async def planned(text: str, *media: str) -> Plan:
    return await Planner().plan(turn_of(Case(text, media, ())))


@each_case(("message", "targets", "text"), WANTED)
async def test_a_text_is_translated_into_each_language_that_the_message_names(
    message: str, targets: list[str], text: str
) -> None:
    plan = await planned(message)
    assert {step.task for step in plan.steps} == {"translate"}
    orders = [parse_order(step.text) for step in plan.steps]
    assert [(order.targets, order.text) for order in orders] == [((target,), text) for target in targets]


@each_case("message", UNWANTED)
async def test_other_messages_ask_for_no_translation(message: str) -> None:
    assert (await planned(message)).steps == ()


@each_case(
    ("message", "expected"),
    [
        ("Good evening. I need two tickets. — in Spanish please", True),
        ("Can I have this in Spanish? I need two tickets.", True),
        ("Translate 'bread and butter' into Spanish and Portuguese", True),
        ("Translate 'bread' into Spanish and explain the grammar", False),
    ],
)
async def test_the_translations_are_the_answer_if_the_instruction_asks_for_nothing_else(
    message: str, expected: bool
) -> None:
    assert (await planned(message)).results_only is expected


async def test_media_are_translated_into_each_language() -> None:
    plan = await planned("Can I have this in French and German?", "pdf")
    assert plan.summary == ("ocr", "translate(ocr)", "translate(ocr)")
    assert [step.text for step in plan.steps[1:]] == [
        "Translate the following into French:",
        "Translate the following into German:",
    ]
    assert plan.results_only


@each_case(
    ("text", "listed"),
    [
        ('["a", "b"]', ["a", "b"]),
        (' [ "a"]\n', ["a"]),
        ('```json\n["a", "b"]\n```', ["a", "b"]),
        ("[]", None),
        ('["a", 1]', None),
        ('[{"text": "a"}]', None),
        ('["a"', None),
        ('"a"', None),
    ],
)
def test_a_json_list_of_texts_is_known(text: str, listed: list[str] | None) -> None:
    assert listed_texts(text) == listed
