"""Subtitles and resource files under translation: only their texts change."""

import pytest

from tasks.translation.file_formats import places_in
from tasks.translation.segments import Sentence, joined, pieces_of
from tests.conftest import each_case

# ruff: noqa: E501 - a file a line


def shouted(text: str) -> str:
    """The file with its texts in capitals."""
    pieces = pieces_of(text)
    return joined(pieces, [one.restored(one.text.upper()) for one in pieces if isinstance(one, Sentence)])


SRT = "1\n00:00:01,000 --> 00:00:04,000\n<i>Hello there.</i>\nHow are you?\n\n2\n00:00:05,000 --> 00:00:07,500\n- Fine."
VTT = "WEBVTT\n\nNOTE a note\n\nintro\n00:01.000 --> 00:04.000 align:start\n<v Roger>Hello <c.loud>there</c>."
PROPERTIES = "# A comment\ntitle.one=Hello, {0}!\nbody = Welcome to \\\n    the shop.\nnone=\na\\ key: Fine\\n"
INI = "; a comment\r\n[Main window]\r\ntitle = Open the window\r\nsize=100\r\n"
STRINGS = '/* A\ncomment */\n"a greeting" = "Hello, %@!";\n\nbye = "Good bye\\n";\n'
RESX = '<root>\n<resheader name="v"><value>no</value></resheader>\n<data name="a b"><value>Hi {0}</value><comment>x</comment></data>'
ANDROID = '<?xml version="1.0"?>\n<resources>\n<string name="a">It\\\'s <b>%1$s</b></string>\n<string name="b" translatable="false">no</string></resources>'
YAML = "# a comment\nen:\n  hi: Hello there\n  bye: \"Good %{day}\"\n  items:\n  - 'It''s ä'\n  long: >\n    Folded\n    text.\n  on: true\n  n: 3\n"
JSON = '{"title": "Hello \\"you\\"", "n": 3, "list": ["Open", {"b": "Good {{name}}"}]}'


@each_case(
    ("file", "expected"),
    [
        (SRT, SRT.replace("Hello there", "HELLO THERE").replace("How are you", "HOW ARE YOU").replace("Fine", "FINE")),
        (SRT.replace("\n", "\r\n"), shouted(SRT).replace("\n", "\r\n")),
        (VTT, VTT.replace("Hello", "HELLO").replace("there", "THERE")),
        (
            PROPERTIES,
            PROPERTIES.replace("Hello", "HELLO")
            .replace("Welcome to", "WELCOME TO")
            .replace("the shop", "THE SHOP")
            .replace("Fine", "FINE"),
        ),
        (INI, INI.replace("Open the", "OPEN THE").replace(" window\r\ns", " WINDOW\r\ns")),
        (STRINGS, STRINGS.replace("Hello", "HELLO").replace("Good bye", "GOOD BYE")),
        (RESX, RESX.replace("Hi", "HI")),
        (ANDROID, ANDROID.replace("It\\'s", "IT\\'S")),
        (
            YAML,
            YAML.replace("Hello there", "HELLO THERE")
            .replace("Good", "GOOD")
            .replace("It''s ä", "IT''S Ä")
            .replace("Folded", "FOLDED")
            .replace("text.", "TEXT."),
        ),
        (JSON, JSON.replace("Hello", "HELLO").replace("you", "YOU").replace("Open", "OPEN").replace("Good", "GOOD")),
    ],
)
def test_only_the_texts_of_a_file_are_translated(file: str, expected: str) -> None:
    assert shouted(file) == expected


@each_case(
    ("file", "expected"),
    [
        (
            'msgid ""\nmsgstr ""\n"Language: \\n"\n\n#: a.py:1\nmsgid "Open %s"\nmsgstr ""\n',
            'msgid ""\nmsgstr ""\n"Language: \\n"\n\n#: a.py:1\nmsgid "Open %s"\nmsgstr "OPEN %s"\n',
        ),
        (
            'msgid "A file"\nmsgid_plural ""\n"%d "\n"files"\nmsgstr[0] ""\nmsgstr[1] "old"\n"text"\n',
            'msgid "A file"\nmsgid_plural ""\n"%d "\n"files"\nmsgstr[0] "A FILE"\nmsgstr[1] "%d FILES"\n',
        ),
        (
            '<xliff><source>Hi <g id="1">you</g></source><target>old</target><note>no</note></xliff>',
            '<xliff><source>Hi <g id="1">you</g></source><target>HI <g id="1">YOU</g></target><note>no</note></xliff>',
        ),
        (
            '<xliff><source>Hi</source> <target state="new"/><source>you</source></xliff>',
            '<xliff><source>Hi</source> <target state="new">HI</target><source>you</source><target>YOU</target></xliff>',
        ),
    ],
)
def test_the_targets_of_a_catalogue_are_filled(file: str, expected: str) -> None:
    assert shouted(file) == expected


@each_case(
    ("file", "expected"),
    [
        ("a: 'x'\nb: 'the water'", "a: 'x'\nb: 'l''eau \"x\"'"),
        ('a: "1"\nb: "the water"', 'a: "1"\nb: "l\'eau \\"x\\""'),
        ('a = "the water";', 'a = "l\'eau \\"x\\"";'),
        ("<resources><string>the water</string></resources>", '<resources><string>l\\\'eau "x"</string></resources>'),
    ],
)
def test_a_translation_is_written_as_its_file_demands(file: str, expected: str) -> None:
    pieces = pieces_of(file)
    texts = ['l\'eau "x"' if "water" in one.text else one.text for one in pieces if isinstance(one, Sentence)]
    assert joined(pieces, texts) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Title: The house\nAuthor: Ada Berg",
        "Dear Ada,\nplease read this: it is short.\n",
        "The total = 5 and\nthe rest is nothing.",
        "See a --> b.",
    ],
)
def test_prose_is_no_file(text: str) -> None:
    assert places_in(text) is None


@pytest.mark.parametrize(
    "file",
    ["a: x\nb: " + "[" * 20_000, "a=b\n" + "\n" * 20_000 + "x y", " " * 20_000 + "x", "<xliff>" + "<source>" * 20_000],
)
def test_a_hostile_file_is_not_taken_apart(file: str) -> None:
    assert places_in(file) is None
