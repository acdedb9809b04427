"""Markup, code, placeholders, addresses, numbers and white space survive a translation, whatever the engine does."""

# ruff: noqa: E501 - a case a line

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.language.openai_server import OpenAiServer
from models.runtime import Runtime
from models.translation.apertium import directions
from models.translation.capability import TRANSLATE
from models.translation.llm import LlmTranslator, NotTranslated
from models.translation.translator import Translator
from models.workers.pool import Workers
from tasks.base import Progress, unreported
from tasks.translate import Translation
from tasks.translation.segments import Sentence, cut, joined, pieces_of
from tests.kit.engines.translation_model import random_madlad
from tests.kit.servers.llm_server import Reply, serving_llm

# A text, and what must be in its translation, in this order; then what may stand anywhere.
TABLE: list[tuple[str, list[str], list[str]]] = [
    ("The <b>red</b> house is big.", ["<b>", "</b>"], []),
    ("<p>Hello, my friend.</p>\n<p>The house is red.</p>", ["<p>", "</p>\n<p>", "</p>"], []),
    ('Click <a href="https://example.com/a?b=1&c=2" title="Go on">here</a> now.', ["<a href=", "</a>"], ["b=1&c=2"]),
    ("<p>Read this.</p><script>var word = 'house';</script>", ["<p>", "</p><script>var word = 'house';</script>"], []),
    ("Use <code>the house</code> here.", [], ["<code>the house</code>"]),
    ("<b>One <i>two</i></b> three", ["<b>", "<i>", "</i>", "</b>"], []),
    ("<g id=\"1\">Hello</g> <x id=\"2\"/> world", ['<g id="1">', "</g>", '<x id="2"/>'], []),
    ("# The house\n\nIt is red.", ["# ", "\n\n"], []),
    ("- one dog\n- two cats\n  - three birds\n", ["- ", "\n- ", "\n  - ", "\n"], []),
    ("> The house is red.\n> > It is big.", ["> ", "\n> > "], []),
    ("This is **very good** and *nice*.", ["**", "**", "*", "*"], []),
    ("See [the docs](https://example.com/a_b_c) for help.", ["[", "](https://example.com/a_b_c)"], []),
    ("See [the docs][1].\n\n[1]: https://example.com 'Title'", ["[", "][1]", "\n\n[1]: https://example.com 'Title'"], []),
    ("Run `pip install house` now.", [], ["`pip install house`"]),
    ("Read it.\n\n```python\nprint('The house')\n\nx = 1\n```\n\nThe end.", ["```python\nprint('The house')\n\nx = 1\n```"], []),
    ("| House | Price |\n|:------|------:|\n| red | 12 |", ["| ", " | ", " |\n|:------|------:|\n| ", " | 12 |"], []),
    ("The first line\nThe second line\r\nThe third line", ["\n", "\r\n"], []),
    ("\n\n  The house.\n\n\n\tThe dog.  \n", ["\n\n  ", "\n\n\n\t", "  \n"], []),
    ("---\ntitle: The house\n---\n\nThe house is red.", ["---\ntitle: The house\n---\n\n"], []),
    ("Hello {name}, you have {count} messages.", [], ["{name}", "{count}"]),
    ("Hello {{ user.name }}, welcome to {{place}}.", [], ["{{ user.name }}", "{{place}}"]),
    ("The file ${FILE} is in $HOME now.", [], ["${FILE}", "$HOME"]),
    ("{n, plural, one {# house} other {# houses}} are here.", [], ["{n, plural, one {# house} other {# houses}}"]),
    ("First line\\nSecond line with a \\\"word\\\"", [], ["\\n", '\\"']),
    ("Go to https://example.com/the/house?q=red+dog#top, please.", [], ["https://example.com/the/house?q=red+dog#top"]),
    ("The price was 1,234.56 on 2024-05-17 at 10:30.", [], ["1,234.56", "2024-05-17", "10:30"]),
    ("<p>**Hi** {name}, see `x` at https://a.b/c &amp; <b>pay 5</b>.</p>", ["<p>**", "**", "<b>", "</b>", "</p>"], ["{name}", "`x`", "https://a.b/c", "&amp;", "5"]),
]  # fmt: skip


def assert_kept(text: str, translation: str, ordered: Sequence[str], anywhere: Sequence[str]) -> None:
    place = 0
    for part in ordered:
        assert part in translation[place:], (part, translation)
        place = translation.index(part, place) + len(part)
    for part in anywhere:
        assert translation.count(part) == text.count(part), (part, translation)
    for sign in "<>{}`|\n\r\t*":
        assert translation.count(sign) == text.count(sign), (sign, translation)


async def translations_of(
    translator: Translator, *texts: str, source: str | None = "en", progress: Progress = unreported
) -> list[str]:
    translation = Translation(translator, source, "es", progress, Workers())
    return await translation.of([pieces_of(text) for text in texts])


async def check_table(translator: Translator, source: str | None = "en") -> None:
    translations = await translations_of(translator, *[text for text, _, _ in TABLE], source=source)
    for (text, ordered, anywhere), translation in zip(TABLE, translations, strict=True):
        assert_kept(text, translation, ordered, anywhere)


@pytest.fixture
async def apertium() -> AsyncIterator[Translator]:
    if shutil.which("apertium") is None or ("en", "es") not in directions():
        pytest.skip("needs Apertium with apertium-eng-spa")
    runtime = Runtime(CATALOG, EngineConfig(), {"translate": "apertium"})
    yield runtime.use_all(TRANSLATE)[0]
    await runtime.close()


async def test_apertium_keeps_the_structure(apertium: Translator) -> None:
    await check_table(apertium)


@pytest.mark.parametrize(
    ("text", "translation"),
    [
        ("[red](a) [house](b)", "[Casa](b) [roja](a)"),
        ("A <b>red</b> house", "Una casa <b>roja</b>"),
        ("**Hello.** The *big* dog is **here. It is** good", "**Hola.** El perro *grande* es **aquí. Es** bien"),
        ("a <b>[red] {x}</b> dog", "Un <b>[rojo] {x}</b> perro"),
    ],
)
async def test_markup_moves_with_its_words(apertium: Translator, text: str, translation: str) -> None:
    assert await translations_of(apertium, text) == [translation]


@pytest.mark.parametrize(
    ("text", "translation"),
    [
        ('{"red house": "red house", "n": 3}', '{"red house": "RED HOUSE", "n": 3}'),
        ('{\n  "a": ["one dog", "", {"b": "{name}!"}],\n  "c": null\n}', '{\n  "a": ["ONE DOG", "", {"b": "{name}!"}],\n  "c": null\n}'),
        (r'["a \"red\" house\n\tand <b>dog</b>", "caf\u00e9 \ud83c\udf89"]', r'["A \"RED\" HOUSE\n\tAND <b>DOG</b>", "CAFÉ 🎉"]'),
        ('{"name": "one', '{"NAME": "ONE'),
    ],
)  # fmt: skip
async def test_of_json_the_strings_are_translated(text: str, translation: str) -> None:
    assert await translations_of(Slow(), text) == [translation]


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda part: st.lists(part) | st.dictionaries(st.text(), part))
)
def test_json_stays_json(value: object) -> None:
    text = json.dumps([value])
    pieces = pieces_of(text)
    originals = (piece.original for piece in pieces if isinstance(piece, Sentence))
    assert json.loads(joined(pieces, originals)) == [value]


async def test_a_ctranslate2_model_that_talks_nonsense_keeps_the_structure(tmp_path: Path) -> None:
    random_madlad(tmp_path / "madlad-400", "es")
    runtime = Runtime(CATALOG, EngineConfig(device="cpu", threads=1, weights_dir=tmp_path), {"translate": "madlad-400"})
    await check_table(runtime.use_all(TRANSLATE)[0])
    await runtime.close()


@asynccontextmanager
async def llm_that(speaks: Callable[[str], str]) -> AsyncIterator[LlmTranslator]:
    """`speaks` makes the translation of each value that it is sent."""

    def reply(body: dict[str, Any]) -> Reply:
        asked = json.loads(body["messages"][1]["content"])
        return Reply(json.dumps({key: speaks(text) for key, text in asked.items()}, ensure_ascii=False))

    with serving_llm(reply) as server:
        llm = OpenAiServer(server.base_url)
        try:
            yield LlmTranslator(lambda: llm)
        finally:
            await llm.close()


def shouted(text: str) -> str:
    return re.sub(r"[a-z]+", lambda word: word.group().upper(), text)


MISBEHAVIOURS: dict[str, Callable[[str], str]] = {
    "behaves": shouted,
    "drops marks": lambda text: re.sub(r"⟦\d+⟧", "", shouted(text)) or "HOLA",
    "doubles marks": lambda text: re.sub(r"(⟦\d+⟧)", r"\1 \1", shouted(text)),
    "reverses the order": lambda text: " ".join(re.findall(r"⟦\d+⟧|[^⟦⟧]+", shouted(text))[::-1]),
    "writes numbers its own way": lambda text: shouted(re.sub(r"\d(?![^⟦]*⟧)", "7", text)),
}


@pytest.mark.parametrize("how", MISBEHAVIOURS)
async def test_an_llm_keeps_the_structure_even_if_it(how: str) -> None:
    async with llm_that(MISBEHAVIOURS[how]) as translator:
        await check_table(translator)


@pytest.mark.parametrize("invented", ["<b>HOLA</b>", "{name} HOLA", "`HOLA`", "**HOLA**", "HOLA https://evil.example"])
async def test_a_translation_with_invented_markup_is_refused(invented: str) -> None:
    async with llm_that(lambda _: invented) as translator:
        with pytest.raises(NotTranslated):
            await translations_of(translator, "The house is red.")


@given(st.text(st.sampled_from("ab .\n<>/{}[]()*_`#|~&;!%$@:-1\ue000\ue801\t\r\"'\\")))
def test_pieces_of_any_text_joined_are_the_text(text: str) -> None:
    assert "".join(piece if isinstance(piece, str) else piece.original for piece in pieces_of(text)) == text


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dear Mr. Smith, hello. It is 3.14. Why? Yes!", ["Dear Mr. Smith, hello. ", "It is 3.14. ", "Why? ", "Yes!"]),
        ('He said "Go." Then he left.', ['He said "Go." ', "Then he left."]),
        ("你好。我是学生！好吗？", ["你好。", "我是学生！", "好吗？"]),
        ("यह घर है। वह लाल है।", ["यह घर है। ", "वह लाल है।"]),
    ],
)
def test_prose_is_cut_at_the_ends_of_sentences(text: str, sentences: list[str]) -> None:
    assert cut(text) == sentences


class Slow:
    """Upper case; notes how many calls are under way."""

    name, batch_chars = "slow", 60

    def __init__(self) -> None:
        self.running = self.most = 0
        self.waits: list[bool] = []

    async def pairs(self) -> Sequence[str]:
        return ["any → any"]

    async def can_translate(self, source: str | None, target: str) -> bool:
        return source != target

    async def translate(
        self, sentences: Sequence[str], source: str | None, target: str, *, wait: bool = False
    ) -> list[str]:
        self.waits.append(wait)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return [sentence.upper() for sentence in sentences]


async def test_a_long_text_goes_in_batches_and_reports_its_progress() -> None:
    reports: list[tuple[str, int, int]] = []
    slow = Slow()
    text = "the red house is here.\n" * 20
    assert await translations_of(slow, text, progress=lambda *report: reports.append(report)) == [text.upper()]
    assert reports[-1] == ("translate", 20, 20)
    assert len(reports) == 10
    assert slow.most == 2
    assert slow.waits == [False] + 9 * [True]
