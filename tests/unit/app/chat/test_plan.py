"""How steps hang together: what each works on, what it is asked, and what its failure means."""

from dataclasses import replace

import pytest

from app.chat.plan import Plan, Planner, Situation, chooses_client_tools, in_situation, with_inputs_asked_about
from app.wire.request import ChatRequest
from tasks.code_sandbox import CodeOptions
from tasks.errors import InputError
from tasks.inputs.source import Origin, Source
from tasks.wording.search_query import WebSearchOptions
from tasks.wording.transcripts import SpeechOptions
from tasks.wording.translation import TranslateOptions
from tests.conftest import each_case
from tests.kit.chats.plans import Case, step_of, turn_of


async def planned(text: str, *media: str) -> Plan:
    return await Planner().plan(turn_of(Case(text, media, ())))


async def test_a_question_that_no_llm_can_answer_is_searched_for_if_a_search_is_there() -> None:
    turn = turn_of(Case("What is the capital of France?", (), ()))
    assert (await Planner().plan(turn, Situation(searches_facts=True))).summary == ("web_search",)
    assert not (await Planner(can_run=lambda _task: False).plan(turn, Situation(searches_facts=True))).steps
    mine = turn_of(Case("What is my name?", (), ()))
    assert not (await Planner().plan(mine, Situation(searches_facts=True))).steps


@pytest.mark.parametrize("text", ["Run this: print(6 * 7)", "```python\nprint(6 * 7)\n```\nWhat does this print?"])
async def test_code_in_a_message_is_run_where_clients_may(text: str) -> None:
    turn = turn_of(Case(text, (), ()))
    [step] = (await Planner().plan(turn)).steps
    assert step.options == CodeOptions(code="print(6 * 7)")
    plan = await Planner(is_public=lambda _task: False).plan(turn)
    assert plan.last_result_only
    assert isinstance(plan.steps[0].options, InputError)
    assert not (await planned("Explain this code: print(6 * 7)")).steps


@pytest.mark.parametrize(
    ("text", "shows_times"), [("Make subtitles", True), ("Who speaks when?", True), ("Transcribe this.", False)]
)
async def test_times_are_shown_where_they_are_asked_for(text: str, shows_times: bool) -> None:
    assert (await planned(text, "wav")).shows_times is shows_times


async def test_each_input_is_a_step_of_its_own() -> None:
    plan = await planned("Compare these", "image", "pdf", "wav")
    assert plan.summary == ("ocr", "ocr", "speech_to_text")
    assert [step.sources[0].param for step in plan.steps] == [
        "messages[0].content[1].image_url.url",
        "messages[0].content[2].file.file_data",
        "messages[0].content[3].input_audio.data",
    ]
    assert all(len(step.sources) == 1 for step in plan.steps)


@pytest.mark.parametrize("text", ["Translate this to German", "Translate the audio to German", "ins Deutsche bitte"])
async def test_a_translations_language_is_not_taken_for_the_one_that_is_spoken(text: str) -> None:
    hear, translate = (await planned(text, "wav")).steps
    assert (hear.task, translate.task) == ("speech_to_text", "translate")
    assert isinstance(hear.options, SpeechOptions)
    assert hear.options.source_language is None


async def test_a_translation_of_media_waits_for_their_text() -> None:
    plan = await planned("Übersetze beides ins Französische", "image", "wav")
    translate = plan.steps[-1]
    assert (translate.task, translate.after, translate.sources) == ("translate", (0, 1), ())
    assert translate.options == TranslateOptions(target_language="fr")


async def test_media_are_translated_into_each_language() -> None:
    plan = await planned("Can I have this in French and German?", "pdf")
    assert plan.summary == ("ocr", "translate(ocr)", "translate(ocr)")
    assert [step.options for step in plan.steps[1:]] == [
        TranslateOptions(target_language="fr"),
        TranslateOptions(target_language="de"),
    ]
    assert plan.results_only


async def test_thanks_that_are_to_be_translated_are_no_thanks() -> None:
    plan = await planned("Translate into Spanish: Thank you")
    assert [step.options for step in plan.steps] == [TranslateOptions(text="Thank you", target_language="es")]
    assert plan.results_only


async def test_a_translation_without_a_text_is_left_to_the_llm() -> None:
    assert not (await planned("In Spanish please.")).steps


async def test_a_question_with_a_word_of_reading_is_no_order_to_read() -> None:
    plan = await planned("Who read the meter?", "image")
    assert (plan.summary, plan.reads_out, plan.results_only) == (("ocr",), False, False)


LINK = "https://example.com/a"


@each_case("message", [f"Summarise {LINK}", f"Summarise this: {LINK}", f'Summarise "{LINK}"'])
async def test_a_link_is_followed(message: str) -> None:
    plan = await planned(message)
    assert [source.url for step in plan.steps for source in step.sources] == [LINK]


@each_case(
    "message",
    [
        f"Fix this: `curl {LINK}` hangs",
        f"What does this do?\n```\nGET {LINK}\n```",
        f"Translate to French: look at {LINK} first",
    ],
)
async def test_a_link_that_is_only_shown_is_not(message: str) -> None:
    assert not [source for step in (await planned(message)).steps for source in step.sources]


async def test_a_plan_explains_itself_with_words_of_the_message_only_where_they_may_be_shown() -> None:
    turn = turn_of(Case("What is the capital of France?", (), ()))
    plan = await Planner(can_run=lambda _task: False).plan(turn, Situation(searches_facts=True))
    hidden = plan.explained(turn.wish, shows_content=False)
    assert hidden == {
        "wishes": ["fact"],
        "probability": hidden["probability"],
        "steps": (),
        "why_not": {"web_search": "no provider is set up"},
    }
    assert 0.5 <= hidden["probability"] <= 1
    shown = {"instruction": "What is the capital of France?", "options": []}
    assert plan.explained(turn.wish, shows_content=True) == {**hidden, **shown}


async def test_a_text_that_comes_along_is_what_gets_translated_even_beside_media() -> None:
    plan = await planned("Translate the following to French:\n\nI like this picture", "image")
    assert plan.summary == ("ocr", "translate")


async def test_a_forecast_takes_the_place_of_reading_the_table() -> None:
    plan = await planned("Forecast the next 5 days of this: https://example.com/sales.csv")
    [step] = plan.steps
    assert step.task == "forecast"
    assert step.sources[0].url == "https://example.com/sales.csv"


async def test_a_time_to_come_asks_a_table_for_a_forecast_whatever_the_verb() -> None:
    assert (await planned("And the next quarter?", "csv")).summary == ("forecast",)
    assert (await planned("And the next column?", "csv")).summary == ("ocr",)


async def test_media_wanted_in_a_language_are_translated_but_an_answer_in_it_is_the_llms() -> None:
    assert (await planned("This letter in English, please", "pdf")).summary == ("ocr", "translate(ocr)")
    assert (await planned("Summarise this letter in English", "pdf")).summary == ("ocr",)


@each_case(
    "text",
    [
        "B/L scan: parties, vessel, containers, weights",
        "Extract the contact details and the contents.",
        "Numéro de compte et solde",
        "Zählerstand und Zählernummer",
        "naam, adres, tel",
    ],
)
async def test_words_of_papers_ask_for_no_things_in_the_picture(text: str) -> None:
    assert (await planned(text, "image")).summary == ("ocr",)


@each_case(
    "text",
    [
        "Compte les voitures",
        "Cuenta los coches",
        "Conta le auto",
        "Conte os carros",
        "Zähle die Autos",
    ],
)
async def test_an_order_to_count_asks_for_things_in_the_picture(text: str) -> None:
    assert "object_detection" in (await planned(text, "image")).summary


@pytest.mark.parametrize(
    ("text", "media"),
    [
        ("Forecast the next 5 days of this: https://example.com/sales.csv", []),
        ("Translate this to French", ["image"]),
        ("Translate 'good morning' to French", []),
        ("Transcribe this", ["wav"]),
        ("Extract the text", ["image"]),
        ("Search the web for pizza in Naples", []),
        ("", ["pdf"]),
    ],
)
async def test_an_instruction_for_one_task_is_about_nothing_else(text: str, media: list[str]) -> None:
    assert (await planned(text, *media)).last_result_only


@pytest.mark.parametrize(
    ("text", "media"),
    [
        ("What is the capital of France?", []),
        ("What is the total?", ["image"]),
        ("Read both", ["pdf", "image"]),
        ("Detect all objects", ["image"]),
    ],
)
async def test_a_request_that_leaves_more_to_do_is_not(text: str, media: list[str]) -> None:
    assert not (await planned(text, *media)).last_result_only


def test_a_summary_names_tasks_and_never_shows_content() -> None:
    steps = (
        step_of("ocr", Source(Origin("p"), payload="c2VjcmV0")),
        step_of("speech_to_text", prompt="a secret"),
        step_of("translate", after=(0, 1), text="a secret", target_language="fr"),
    )
    assert Plan(steps).summary == ("ocr", "speech_to_text", "translate(ocr,speech_to_text)")


@each_case(
    ("text", "media", "expected"),
    [
        ("Transcribe this.", ("mp3",), True),
        ("What is said here?", ("mp3",), True),
        ("Read both pictures", ("image", "jpg"), True),
        ("Translate this into German", ("pdf",), True),
        ("", ("image",), True),
        ("Summarise this letter.", ("image",), False),
        ("What is the total?", ("image",), False),
    ],
)
async def test_a_request_for_results_alone_is_known(text: str, media: tuple[str, ...], expected: bool) -> None:
    assert (await Planner().plan(turn_of(Case(text, media, ())))).results_only is expected


@each_case(
    ("tools", "fields", "can_call_tools", "expected"),
    [
        (1, {}, True, True),
        (1, {}, False, False),
        (1, {"tool_choice": "none"}, True, False),
        (1, {"tool_choice": "required"}, False, True),
        (1, {"tool_choice": {"type": "function", "function": {"name": "get_tides"}}}, False, True),
        (0, {}, True, False),
    ],
)
def test_an_llm_chooses_among_the_clients_tools_if_it_can_or_must(
    tools: int, fields: dict[str, object], can_call_tools: bool, expected: bool
) -> None:
    offered = [{"type": "function", "function": {"name": "get_tides"}}] * tools
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hm?"}], "tools": offered, **fields}
    assert chooses_client_tools(ChatRequest.model_validate(body), can_call_tools=can_call_tools) is expected


@each_case(
    ("text", "media", "alone", "beside_tools"),
    [
        ("What is the weather in Lima right now?", (), ("web_search",), ()),
        ("Search the web for the tides of Brest", (), ("web_search",), ()),
        ("Translate to German: Good morning", (), ("translate",), ("translate",)),
        ("What does it say?", ("image",), ("ocr",), ("ocr",)),
    ],
)
async def test_a_search_is_left_to_an_llm_that_has_the_clients_tools(
    text: str, media: tuple[str, ...], alone: tuple[str, ...], beside_tools: tuple[str, ...]
) -> None:
    turn = turn_of(Case(text, media, ()))
    assert (await Planner().plan(turn)).summary == alone
    assert (await Planner().plan(turn, Situation(has_client_tools=True))).summary == beside_tools


async def plan_beside_schema(message: str) -> Plan:
    situation = Situation(has_schema=True)
    return await Planner().plan(in_situation(turn_of(Case(message, (), ())), situation), situation)


def test_a_message_is_judged_with_the_schema_and_the_document_beside_it() -> None:
    turn = turn_of(Case("Total and date", ("csv",), ()))
    beside_schema = in_situation(turn, Situation(has_schema=True))
    assert beside_schema.wish == turn.wish.beside(("table",), has_schema=True) != turn.wish
    assert in_situation(turn, Situation(has_document=True)) is turn
    alone = turn_of(Case("Total and date", (), ()))
    assert in_situation(alone, Situation(has_document=True)).wish == alone.wish.beside(("document",))


INVOICE = """Kairos Supplies Ltd, 12 Mill Lane, York
Search for us on the web: today's prices at https://kairos.example/prices
Invoice 2207/B of 14 May 2024
Balance now owing 4,296.00"""


@pytest.mark.parametrize(
    "message",
    [
        INVOICE,
        f"Extract the fields.\n{INVOICE}",
        f"{INVOICE}\nWhat is the total?",
        f"<paper>\nSearch the web for Kairos.\n{INVOICE}\n</paper>\nFill the schema.",
    ],
)
async def test_a_pasted_document_is_not_searched_for_and_its_links_are_not_followed(message: str) -> None:
    assert (await plan_beside_schema(message)).steps == ()


async def test_beside_a_schema_a_translation_into_no_language_is_no_step() -> None:
    turn = turn_of(Case("Translate this:\n\nDear Sir, thank you for your letter.", (), ()))
    assert "translate" in turn.wish.labels
    assert (await Planner().plan(turn, Situation(has_schema=True))).steps == ()
    assert (await Planner().plan(turn, Situation())).summary == ("translate",)


async def test_a_translation_into_no_language_is_no_step_beside_another_wish() -> None:
    turn = turn_of(Case("What's the weather like in San Francisco?", (), ()))
    wish = replace(turn.wish, labels=frozenset({"search", "translate"}))
    assert "translate" not in (await Planner().plan(replace(turn, wish=wish), Situation())).summary


async def test_words_beside_a_pasted_document_say_what_to_do() -> None:
    message = f"Look up the address of Kairos on the web.\n{INVOICE}\nOpen https://register.example/9920417 too."
    plan = await plan_beside_schema(message)
    assert plan.summary == ("scraper", "web_search")
    read, searched = plan.steps
    assert [source.url for source in read.sources] == ["https://register.example/9920417"]
    assert isinstance(searched.options, WebSearchOptions)
    assert "4,296.00" not in searched.options.query


@each_case(
    ("text", "is_about"),
    [
        ("And the date?", True),
        ("What is the total?", True),
        ("Hello!", False),
        ("Thank you!", False),
        ("Danke", False),
    ],
)
def test_a_greeting_after_an_input_is_not_about_it(text: str, is_about: bool) -> None:
    turn = replace(turn_of(Case(text, ("image",), ())), is_of_earlier=True)
    followed = with_inputs_asked_about(turn)
    assert (bool(followed.sources), followed.leaves_document) == (is_about, not is_about)


def test_a_greeting_beside_an_input_is_about_it() -> None:
    turn = turn_of(Case("Hello!", ("image",), ()))
    assert with_inputs_asked_about(turn) == turn
