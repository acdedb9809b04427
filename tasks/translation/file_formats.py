"""Finds the texts in JSON, subtitles and resource files. A translation changes nothing else: keys, times, comments and
markup stay as they are. Of a catalogue with sources and targets (PO, XLIFF), the targets are filled."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import yaml

from tasks.json_tokens import decoded, encoded, is_json, tokens

Quoting = Literal["", "json", '"', "'", "''"]
"""The way in which a text is written in its file: in a JSON string, with backslashes before one of the quotes, or with
single quotes doubled; "" for as it is."""


@dataclass(frozen=True, slots=True)
class TextPlace:
    """A place of a file, and the text whose translation belongs there."""

    start: int
    end: int
    text: str
    quoting: Quoting = ""
    before: str = ""
    """Markup that is put before the translation, and not in the file yet."""
    after: str = ""


def quoted(text: str, quoting: Quoting) -> str:
    """Return a text as it is written in its file."""
    match quoting:
        case "json":
            return encoded(text)[1:-1]
        case "''":
            return text.replace("'", "''")
        case '"' | "'":
            return re.sub(rf"(?<!\\){quoting}", rf"\\{quoting}", text)
        case _:
            return text


def places_in(text: str) -> list[TextPlace] | None:
    """Return the places of the texts of a file in order, without overlaps; None if the text is not in one of the
    formats."""
    if is_json(text):
        return list(_in_json(text))
    return next((found for head, find in _FORMATS if head.search(text) and (found := find(text))), None)


def _in_json(text: str) -> Iterator[TextPlace]:
    for token in tokens(text):
        if token.kind == "string" and _is_unicode(value := decoded(text[token.start : token.end])):
            yield TextPlace(token.start + 1, token.end - 1, value, "json")


def _is_unicode(text: str) -> bool:
    """False if the text has halves of surrogate pairs, which JSON can escape and engines cannot read."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_STRING: Final = r'"(?:[^"\\\n]|\\.)*"'
_STRINGS: Final = rf"{_STRING}(?:\s*\n{_STRING})*"
_PO_ENTRY: Final = re.compile(
    rf"^msgid\s+(?P<one>{_STRINGS})(?:\s*\nmsgid_plural\s+(?P<many>{_STRINGS}))?(?P<targets>(?:\s*\nmsgstr[^\n\"]*{_STRINGS})+)",
    re.MULTILINE,
)
_PO_TARGET: Final = re.compile(rf"msgstr(?:\[(?P<form>\d+)\])?\s+(?P<target>{_STRINGS})")
_BETWEEN_STRINGS: Final = re.compile(r'"\s*\n"')


def _in_po(text: str) -> list[TextPlace]:
    found = []
    for entry in _PO_ENTRY.finditer(text):
        sources = [_BETWEEN_STRINGS.sub("", entry[name] or '""')[1:-1] for name in ("one", "many")]
        for target in _PO_TARGET.finditer(text, *entry.span("targets")) if sources[0] else ():
            source = sources[1] if sources[1] and target["form"] not in (None, "0") else sources[0]
            found.append(TextPlace(target.start("target") + 1, target.end("target") - 1, source, '"'))
    return found


_XLIFF_UNIT: Final = re.compile(
    r"<source\b[^<>]*+>(?P<source>[^<]*+(?:<(?!/?source\b)[^<]*+)*+)</source>"
    r"(?:\s*+<target\b[^<>]*(?:(?P<alone>/>)|(?<!/)>(?P<target>[^<]*+(?:<(?!/?target\b)[^<]*+)*+)</target>))?"
)


def _in_xliff(text: str) -> list[TextPlace]:
    found = []
    for unit in _XLIFF_UNIT.finditer(text):
        if unit["target"] is not None:
            found.append(TextPlace(*unit.span("target"), unit["source"]))
        elif unit["alone"]:
            found.append(TextPlace(*unit.span("alone"), unit["source"], before=">", after="</target>"))
        else:
            found.append(TextPlace(unit.end(), unit.end(), unit["source"], before="<target>", after="</target>"))
    return found


def _by(pattern: str, quoting: Quoting = "") -> Callable[[str], list[TextPlace]]:
    """Return a function that finds the places where `pattern` matches, in its group `text`."""
    compiled = re.compile(pattern, re.MULTILINE | re.DOTALL)

    def find(text: str) -> list[TextPlace]:
        found = (one for one in compiled.finditer(text) if one["text"])
        return [TextPlace(*one.span("text"), one["text"], quoting) for one in found]

    return find


def _if_all_lines(pattern: str, needed: str = "") -> re.Pattern[str]:
    """Return a pattern of a text in which each line that is not blank begins with `pattern`, and some line with
    `needed`. Atomic groups keep it fast."""
    return re.compile(
        rf"\A(?=(?:.*\n)?[ \t]*+{needed})(?:(?>[ \t]*+(?:{pattern})[^\n]*+(?:\n|\Z))|[ \t\r]*+\n)++\s*\Z", re.DOTALL
    )


def _in_yaml(text: str) -> list[TextPlace]:
    """Return the places of the texts of a YAML file whose keys are names in a program: prose has lines with colons,
    too."""
    found: list[TextPlace] = []
    names = 0
    # For each open collection, True if its next node is a key, False if it is a value, and None in a list.
    awaited: list[bool | None] = [None]
    loader = _YamlLoader(text)
    try:
        while len(awaited) <= _DEEPEST and loader.check_event():
            event = loader.get_event()  # type: ignore[no-untyped-call]
            if isinstance(event, yaml.CollectionEndEvent):
                awaited.pop()
            elif isinstance(event, yaml.NodeEvent):
                is_key = awaited[-1]
                awaited[-1] = None if is_key is None else not is_key
                if is_key:
                    if not isinstance(event, yaml.ScalarEvent) or not (event.style or _NAME.fullmatch(event.value)):
                        return []
                    names += 1
                elif isinstance(event, yaml.ScalarEvent) and _is_text(event, loader):
                    found.append(_yaml_place(event, text))
                if isinstance(event, yaml.CollectionStartEvent):
                    awaited.append(True if isinstance(event, yaml.MappingStartEvent) else None)
    except (yaml.YAMLError, ValueError):
        return []
    return found if names > 1 and len(awaited) <= _DEEPEST else []


def _is_text(event: yaml.ScalarEvent, loader: yaml.SafeLoader) -> bool:
    tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
    return bool(event.value.strip()) and tag == "tag:yaml.org,2002:str"


def _yaml_place(event: yaml.ScalarEvent, text: str) -> TextPlace:
    assert event.start_mark is not None
    assert event.end_mark is not None
    start, end = event.start_mark.index, event.end_mark.index
    if event.style in ("|", ">"):
        start = text.index("\n", start) + 1  # the first line says how the others are folded
    elif event.style:
        start, end = start + 1, end - 1
    own = text[start:end].replace("''", "'") if event.style == "'" else text[start:end]
    return TextPlace(start, end, own, _YAML_QUOTING.get(event.style or "", ""))


_YamlLoader: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_YAML_QUOTING: Final[dict[str, Quoting]] = {"'": "''", '"': '"'}
_DEEPEST: Final = 100
"""A YAML file has at most this many collections within each other. The time that the parser takes grows with the square
of their number."""
_NAME: Final = re.compile(r"[a-z_\d][\w.\-]*")
_CUE: Final = r"-->[^\n]*\n(?P<text>[^\s][^\n]*(?:\n(?!\s*\n)[^\n]+)*)"
_KEY: Final = r"(?:[\w.\-]|\\.)++"
_PROPERTY: Final = rf"[ \t]*+{_KEY}[ \t]*+[=:][ \t]*+(?P<text>(?:[^\n\\]|\\\r?\n|\\.)*+)"
_XML_HEAD: Final = r"\A[^<]{0,10}(?:<\?[^<>]*>\s*)?(?:<!--.{0,2000}?-->\s*)?"
_FORMATS: Final[tuple[tuple[re.Pattern[str], Callable[[str], list[TextPlace]]], ...]] = (
    (re.compile(r"\A\ufeff?(?:WEBVTT\b|\s*\d+[ \t]*\r?\n[\d:]+[,.]\d+[ \t]*-->)"), _by(_CUE)),
    (re.compile(r'^msgid\s+"[^\n]*\n(?:"[^\n]*\n|msgid_plural[^\n]*\n)*msgstr', re.MULTILINE), _in_po),
    (re.compile(rf"{_XML_HEAD}<xliff\b", re.DOTALL), _in_xliff),
    (
        re.compile(r"<resheader\b"),
        _by(r"<data\b(?![^<>]*\b(?:mime)?type=)[^<>]*>\s*<value>(?P<text>[^<]*)</value>"),
    ),
    (
        re.compile(rf"{_XML_HEAD}<resources\b", re.DOTALL),
        _by(
            r"<(?P<tag>string|item)\b(?![^<>]*translatable=\"false\")[^<>]*(?<!/)>"
            r"(?P<text>[^<]*+(?:<(?!/?(?:string|item)\b)[^<]*+)*+)</(?P=tag)>",
            "'",
        ),
    ),
    (
        _if_all_lines(rf"/\*(?:(?!\*/).)*\*/|//|(?:{_STRING}|\w+)[ \t]*=[ \t]*{_STRING}[ \t]*;"),
        _by(rf'^[ \t]*(?:{_STRING}|\w+)[ \t]*=[ \t]*"(?P<text>(?:[^"\\\n]|\\.)*)"', '"'),
    ),
    (
        _if_all_lines(rf"[#!;]|\[[^\]\n]+\]|{_PROPERTY.replace('P<text>', ':')}", rf"{_KEY}[ \t]*+="),
        _by(rf"^{_PROPERTY}"),
    ),
    (re.compile(r"^(?:[a-z_][\w.\-]*|[\"'][^\"'\n]+[\"']):(?:[ \t][^\n]*|\r?)$", re.MULTILINE), _in_yaml),
)
"""The formats: a pattern by which a text of this format is recognised, and the function that finds its places."""
