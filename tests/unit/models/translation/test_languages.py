"""The languages that engines know, by every name and code that they have."""

from models.translation.languages import (
    LANGUAGES,
    Language,
    names_at,
    tag_of_code,
    tag_of_name,
)
from tasks.wording.named_languages import tag_of_text
from tasks.wording.translation import parse_order
from tests.conftest import ROOT, each_case

TABLES = ROOT / "models/translation"
MADLAD = (ROOT / "training/languages/madlad.txt").read_text().split()


def rows(name: str) -> list[list[str]]:
    head, *lines = (TABLES / name).read_text(encoding="utf-8").splitlines()
    assert all(line.count("\t") == head.count("\t") for line in lines)
    return [line.split("\t") for line in lines]


def test_every_language_of_madlad_is_known_and_said_to_be_its() -> None:
    assert len(MADLAD) > 400
    tags = [tag_of_code(name) for name in MADLAD]
    assert None not in tags
    assert all("madlad-400" in LANGUAGES[str(tag).partition("-")[0]].engines for tag in tags)


@each_case(
    ("written", "tag"),
    [
        ("pt_br", "pt-BR"),
        ("ZH-hant", "zh-Hant"),
        ("zh_Hant_TW", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("cmn", "zh"),
        ("fil", "tl"),
        ("iw", "he"),
        ("en-somehow", None),
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
        ("Kʼicheʼ", "quc"),
        ("kiche", "quc"),
        ("Odia", "or"),
        ("Sorani", "ckb"),
        ("qırımtatarca", "crh"),
        ("Swiss German", "gsw"),
        ("日本語", "ja"),
        ("ქართული", "ka"),
        ("Norwegian Nynorsk", "nn"),
    ],
)
def test_names_are_english_and_a_languages_own_with_or_without_marks(name: str, tag: str) -> None:
    assert tag_of_name(name) == tag
    assert parse_order(f"Translate the following into {name}:\n\nGood morning").targets[0] == tag
    assert parse_order(f"Translate good morning to {name}.").targets[0] == tag
    assert tag_of_text(name) == tag


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


@each_case(
    ("message", "target", "source"),
    [
        ("Translate my letter to Uma into French: hello", "fr", None),
        ("Translate this mail from Mari into German: hello", "de", None),
        ("Translate to German as well as you can: hello", "de", None),
        ("Translate from Quechua into Aymara: hello", "ay", "qu"),
        ("Quechua to Spanish: hello", "es", "qu"),
        ("quy -> es: hello", "es", "quy"),
        ("Translate into Latin American Spanish: hello", "es-419", None),
        ("Translate to zh_Hant_TW: hello", "zh-Hant-TW", None),
        ("Translate to Malayalam: hello", "ml", None),
        ("Translate to Uma: hello", "ppk", None),
        ("translate hello to kin", "rw", None),
        ("Übersetze ins Quechua: hallo", "qu", None),
    ],
)
def test_names_that_mean_something_else_too_give_way(message: str, target: str, source: str | None) -> None:
    asked = parse_order(message)
    assert (asked.targets[0], asked.source_language) == (target, source)


def test_the_longest_name_at_a_place_comes_first() -> None:
    found = list(names_at("in Norwegian Nynorsk", 3))
    assert found[0] == "norwegian nynorsk"
    assert found.index("norwegian nynorsk") < found.index("norwegian")
    assert "kʼicheʼ" not in names_at("K’iche’", 0)
    assert next(names_at("K’iche’", 0)) == "k'iche'"
    assert list(names_at("norm", 4)) == []
