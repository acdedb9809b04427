"""The languages that engines know, by every name and code that they have."""

import pytest

from models.translation.languages import (
    LANGUAGES,
    STEMS,
    TAG_OF_NAME,
    Language,
    name_of,
    names_at,
    tag_of_code,
    tag_of_name,
)
from tasks.translate import languages_of
from tasks.wording.named_languages import named
from tasks.wording.translation import parse_order
from tests.conftest import ROOT, each_case

TABLES = ROOT / "models/translation"
MADLAD = (ROOT / "training/languages/madlad.txt").read_text().split()
RARE = [language for language in LANGUAGES.values() if not language.is_common]


def rows(name: str) -> list[list[str]]:
    head, *lines = (TABLES / name).read_text(encoding="utf-8").splitlines()
    assert all(line.count("\t") == head.count("\t") for line in lines)
    return [line.split("\t") for line in lines]


def test_the_tables_name_each_language_once() -> None:
    tags = [tag for tag, *_ in rows("languages.tsv")]
    assert tags == sorted(set(tags))
    by_hand = [tag for tag, *_ in rows("names.tsv")]
    assert by_hand == sorted(set(by_hand))
    assert set(by_hand) <= set(tags)
    assert len(tags) > 400


def test_no_code_means_two_languages() -> None:
    codes = [code for language in LANGUAGES.values() for code in (language.tag, *language.codes)]
    assert sorted(codes) == sorted(set(codes))


def test_every_language_has_an_english_name_and_every_two_letter_code_a_longer_one() -> None:
    for language in LANGUAGES.values():
        assert language.name[:1].isalpha(), language.tag
        assert len(language.tag) == 3 or any(len(code) == 3 for code in language.codes), language.tag


def test_every_language_of_madlad_is_known_and_said_to_be_its() -> None:
    assert len(MADLAD) > 400
    tags = [tag_of_code(name) for name in MADLAD]
    assert None not in tags
    assert all("madlad-400" in LANGUAGES[str(tag).partition("-")[0]].engines for tag in tags)


@each_case(
    ("written", "tag"),
    [
        ("fra", "fr"),
        ("pt_br", "pt-BR"),
        ("ZH-hant", "zh-Hant"),
        ("zh_Hant_TW", "zh-Hant-TW"),
        ("nan_Latn_TW", "nan-Latn-TW"),
        ("es-419", "es-419"),
        ("cmn", "zh"),
        ("fil", "tl"),
        ("nob", "no"),
        ("iw", "he"),
        ("en-somehow", None),
        ("qqq", None),
        ("", None),
    ],
)
def test_codes_are_understood_in_any_case_and_with_regions(written: str, tag: str | None) -> None:
    assert tag_of_code(written) == tag


@each_case(
    ("name", "tag"),
    [
        ("Kinyarwanda", "rw"),
        ("Māori", "mi"),
        ("maori", "mi"),
        ("te reo Māori", "mi"),
        ("Kʼicheʼ", "quc"),
        ("k’iche’", "quc"),
        ("kiche", "quc"),
        ("Odia", "or"),
        ("Oriya", "or"),
        ("Twi", "ak"),
        ("Sorani", "ckb"),
        ("Crimean Tatar", "crh"),
        ("qırımtatarca", "crh"),
        ("isiZulu", "zu"),
        ("Swiss German", "gsw"),
        ("Українська", "uk"),
        ("日本語", "ja"),
        ("ქართული", "ka"),
        ("Norwegian Nynorsk", "nn"),
        ("Klingon", "tlh"),
    ],
)
def test_names_are_english_and_a_languages_own_with_or_without_marks(name: str, tag: str) -> None:
    assert tag_of_name(name) == tag
    assert parse_order(f"Translate the following into {name}:\n\nGood morning").targets[0] == tag
    assert parse_order(f"Translate good morning to {name}.").targets[0] == tag
    assert named(name) == tag


@each_case("language", LANGUAGES.values())
def test_every_language_is_accepted_by_its_names_and_codes(language: Language) -> None:
    for written in (language.name, *language.names, language.tag, *language.codes):
        if written.startswith("'"):  # a quotation, unless it is written with the proper letter
            continue
        tag = tag_of_name(written) or tag_of_code(written)
        # Two languages may share a name; the first in the table has it.
        assert tag == language.tag or written in language.names[1:]
        asked = parse_order(f"Translate the following into {written.title()}: Good morning")
        assert asked.targets[0] == tag, written
        assert asked.text == "Good morning"


def test_hardly_any_name_is_shared() -> None:
    shared = {name for language in LANGUAGES.values() for name in language.names if TAG_OF_NAME[name] != language.tag}
    assert len(shared) < 5, shared


@each_case(
    ("message", "target", "source"),
    [
        ("Translate my letter to Uma into French: hello", "fr", None),
        ("Translate this mail from Mari into German: hello", "de", None),
        ("Translate the news from afar into Spanish: hello", "es", None),
        ("Translate to German as well as you can: hello", "de", None),
        ("Translate from Quechua into Aymara: hello", "ay", "qu"),
        ("Quechua to Spanish: hello", "es", "qu"),
        ("quy -> es: hello", "es", "quy"),
        ("Translate into Latin American Spanish: hello", "es-419", None),
        ("Translate to Swiss German: hello", "gsw", None),
        ("Translate to zh_Hant_TW: hello", "zh-Hant-TW", None),
        ("Translate to es-419: hello", "es-419", None),
        ("Translate to Malayalam: hello", "ml", None),
        ("Translate to Uma: hello", "ppk", None),
        ("Translate to rw: hello", "rw", None),
        ("translate hello to kin", "rw", None),
        ("Übersetze ins Quechua: hallo", "qu", None),
    ],
)
def test_names_that_mean_something_else_too_give_way(message: str, target: str, source: str | None) -> None:
    asked = parse_order(message)
    assert (asked.targets[0], asked.source) == (target, source)


@pytest.mark.parametrize("words", ["translate it to her", "please translate as is, now", "translate this from afar"])
def test_words_are_no_languages(words: str) -> None:
    with pytest.raises(Exception, match="needs the language|knows no language"):
        parse_order(words + " if you can")


def test_a_variant_is_named_in_full() -> None:
    assert name_of("pt-BR") == "Brazilian Portuguese (pt-BR)"
    assert name_of("zh-Hant") == "Traditional Chinese (zh-Hant)"
    assert name_of("quy") == "Ayacucho Quechua"


def test_the_longest_name_at_a_place_comes_first() -> None:
    found = list(names_at("in Norwegian Nynorsk", 3))
    assert found[0] == "norwegian nynorsk"
    assert found.index("norwegian nynorsk") < found.index("norwegian")
    assert "kʼicheʼ" not in names_at("K’iche’", 0)
    assert next(names_at("K’iche’", 0)) == "k'iche'"
    assert list(names_at("norm", 4)) == []


def test_stems_are_of_common_languages() -> None:
    assert all(tag_of_name(stem) is not None for stem in STEMS)
    assert len(RARE) > 300


async def test_alemannic_is_not_taken_for_albanian() -> None:
    text = "Dr Bodesee isch e See im Alpevorland. Er lyt zwüsche Dütschland, Öschtriich und dr Schwiiz."
    assert "sq" not in await languages_of(text)
