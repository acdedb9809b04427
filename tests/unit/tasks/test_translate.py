"""The `translate` task as requests meet it."""

import base64
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from models.base import EngineUnavailable
from models.translation.capability import remedy_into
from models.translation.translator import Translator
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.translate import TranslateData, TranslateTask, languages_of
from tasks.translation.segments import pieces_of
from tests.kit.chats.requests import request_of


class Tagging:
    """Knows some pairs; puts the languages before each sentence."""

    batch_chars = 1000

    def __init__(self, name: str, *pairs: str) -> None:
        self.name = name
        self._pairs = pairs

    async def pairs(self) -> Sequence[str]:
        return [pair.replace("-", " → ") for pair in self._pairs]

    async def can_translate(self, source: str | None, target: str) -> bool:
        return f"{source}-{target}" in self._pairs

    async def translate(
        self, sentences: Sequence[str], source: str | None, target: str, *, wait: bool = False
    ) -> list[str]:
        return [f"{self.name} {source} {target} {sentence}" for sentence in sentences]


async def translated(
    loader: MediaLoader, text: str, *translators: Translator, sources: tuple[Source, ...] = (), most_chars: int = 1000
) -> TranslateData:
    remedy = partial(remedy_into, weights_dir=Path("nowhere"))
    task = TranslateTask(lambda: translators, loader, remedy=remedy, most_chars=most_chars)
    return (await task.run(request_of("translate", text, sources))).data


def attached(text: str, filename: str = "a.txt") -> Source:

    return Source(
        Origin("file", message=0, part=1), payload=base64.b64encode(text.encode()).decode(), filename=filename
    )


HOUSE = "The house is red and it has a large garden."


async def test_the_result_is_as_the_contract_says(loader: MediaLoader) -> None:
    result = await translated(loader, f"Translate the following into French:\n\n{HOUSE}", Tagging("a", "en-fr"))
    assert list(result.items()) == [
        ("translated_text", f"a en fr {HOUSE}"),
        ("source_language", "auto-detected"),
        ("target_language", "fr"),
        ("batch_size", 1),
    ]


async def test_the_first_engine_that_knows_the_pair_translates(loader: MediaLoader) -> None:
    engines = Tagging("a", "en-es"), Tagging("b", "en-fr"), Tagging("c", "en-fr")
    result = await translated(loader, f"Translate into French: {HOUSE}", *engines)
    assert result["translated_text"].startswith("b ")


async def test_attached_texts_are_translated_each_by_itself(loader: MediaLoader) -> None:
    sources = attached(HOUSE), attached("# Title\n\nThe second file is here for you.\n", "b.md")
    result = await translated(loader, "Translate these files into French", Tagging("a", "en-fr"), sources=sources)
    assert result["batch_size"] == 2
    assert result["translated_text"].startswith(f"a en fr {HOUSE}\n\n# a en fr Title\n\n")


async def test_each_language_has_a_result(loader: MediaLoader) -> None:
    result = await translated(loader, f"Translate into French and Italian: {HOUSE}", Tagging("a", "en-fr", "en-it"))
    french, italian = result["results"]
    assert {name: value for name, value in result.items() if name != "results"} == french
    assert (french["target_language"], french["translated_text"]) == ("fr", f"a en fr {HOUSE}")
    assert (italian["target_language"], italian["translated_text"]) == ("it", f"a en it {HOUSE}")


async def test_the_items_of_a_list_are_translated_each_by_itself(loader: MediaLoader) -> None:
    garden = "The garden is large and green."
    for message in (
        f'Translate into French: ["{HOUSE}", "{garden}"]',
        f'["{HOUSE}", "{garden}"]\n\nin French, please',
        f'{{"text": ["{HOUSE}", "{garden}"], "target_language": "fr"}}',
    ):
        result = await translated(loader, message, Tagging("a", "en-fr"))
        assert result["translated_text"] == [f"a en fr {HOUSE}", f"a en fr {garden}"]
        assert result["batch_size"] == 2
    listed = attached(f'["{HOUSE}", "{garden}"]', "a.json")
    result = await translated(loader, "Translate into French", Tagging("a", "en-fr"), sources=(listed,))
    assert result["translated_text"] == [f"a en fr {HOUSE}", f"a en fr {garden}"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (HOUSE, "en"),
        ("La maison est rouge et le jardin est grand.", "fr"),
        ("你好，我是学生。", "zh"),
        ('{"the house is here": "la casa es roja", "the garden is there": "y tiene un jardín"}', "es"),
        ("<div class='the house is here'><p>La casa es roja y tiene un jardín.</p></div>", "es"),
    ],
)
async def test_the_language_of_a_text_is_found(text: str, language: str) -> None:
    assert (await languages_of(pieces_of(text)))[0] == language


async def test_a_few_words_may_be_in_several_languages() -> None:
    assert "en" in await languages_of(pieces_of("See you!"))
    assert await languages_of(pieces_of("Hasta luego")) == ["es"]


async def test_a_pair_that_nothing_here_knows_is_answered_with_the_sets_that_bring_it(loader: MediaLoader) -> None:
    with pytest.raises(EngineUnavailable, match="from English into German.*`openfaze pull madlad-400`") as failure:
        await translated(loader, f"Translate into German: {HOUSE}", Tagging("a", "en-fr"))
    assert "(a: en → fr)" in failure.value.remedy
