"""Flags prose that has to be read twice, by patterns that a program can find.

    python -m tests.prose [--shrink]

The pages are read whole, the docstrings of the product for how their first sentence begins. Prints what it finds, with
its file and line, and exits with 1. The patterns are in tests/data/prose.toml. Sentences that began badly before there
was this check are listed in tests/data/docstrings_that_lean.txt, which only gets shorter: `--shrink` takes off what has
been rewritten.
"""

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATTERNS = ROOT / "tests" / "data" / "prose.toml"
LISTED = ROOT / "tests" / "data" / "docstrings_that_lean.txt"
"""A docstring's first sentence a line, wherever it stands: a file may move."""
PRODUCT = ("app", "tasks", "models")

_HIDDEN = re.compile(r"^( *)(```|~~~).*?^\1\2|<!--.*?-->", re.MULTILINE | re.DOTALL)
"""What a reader of a page does not read as prose: fences and comments."""
_NEW_BLOCK = re.compile(r"\s*$|\s*(?:[-*+]|\d+[.)]) |\s*#+ |\s*[|>]")
"""How a line begins that does not go on with the sentence before it: empty, an item, a heading, a row of a table."""
_MARKUP = re.compile(r"^\s*(?:[-*+]|\d+[.)]|#+|>) +|[*_]{1,2}(?=\w)|(?<=[\w.:?!,)])[*_]{1,2}")
_CODE = re.compile(r"``.+?``|`[^`]*`")
_LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^()]*\)")
_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!\bvs)[.?!:;][\")”]*\s+(?=[\W\d]*[A-Z`“])")
_WORD = re.compile(r"[^\W_][\w'’.,/-]*")
_TWICE = re.compile(r"\b([a-z]+)\s+\1\b", re.IGNORECASE)


@dataclass(frozen=True)
class Sentence:
    line: int
    text: str


@dataclass(frozen=True)
class Fault:
    place: str
    """The file and the line."""
    reason: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}: {self.text[:100]}"


@dataclass(frozen=True)
class Rules:
    most_words: int
    openers: tuple[str, ...]
    doubled: frozenset[str]
    phrases: dict[str, str]

    @classmethod
    def read(cls, path: Path = PATTERNS) -> "Rules":
        raw = tomllib.loads(path.read_text("utf-8"))
        return cls(raw["most_words"], tuple(raw["openers"]), frozenset(raw["doubled"]), raw["phrases"])

    @cached_property
    def opener(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{'|'.join(self.openers)})\b(?!-)")

    @cached_property
    def phrase(self) -> dict[re.Pattern[str], str]:
        return {re.compile(rf"\b(?:{said})\b", re.IGNORECASE): better for said, better in self.phrases.items()}

    def reasons(self, sentence: str) -> Iterator[str]:
        """Why a sentence of a page has to be read twice."""
        if (count := len(_WORD.findall(sentence))) > self.most_words:
            yield f"{count} words, of {self.most_words} at most"
        for match in _TWICE.finditer(sentence):
            if match[1].lower() not in self.doubled:
                yield f"{match[0]!r} stands twice"
        for pattern, better in self.phrase.items():
            if match := pattern.search(sentence):
                yield f"{match[0]!r} is no idiom ({better})"


def sentences(page: str) -> Iterator[Sentence]:
    """The sentences of a page of Markdown, code and links reduced to what is read, with their first lines."""
    page = _HIDDEN.sub(lambda match: "\n" * match[0].count("\n"), page)
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*page.splitlines(), ""], 1):
        if block and _NEW_BLOCK.match(line):
            yield from _split(block)
            block = []
        if line.startswith("#"):
            yield from _split([(number, line)])
        elif line.lstrip().startswith("|"):
            for cell in line.strip().strip("|").split("|"):
                yield from _split([(number, cell)])
        elif line.strip():
            block.append((number, line))


def _split(block: list[tuple[int, str]]) -> Iterator[Sentence]:
    """A paragraph's sentences. Each of its lines keeps a mark of its number until the sentences are cut."""
    text = "\n".join(_MARKUP.sub("", line).strip() for _, line in block)
    text = _LINK.sub(lambda match: match[1], _CODE.sub(_one_word, text))
    start = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        if sentence := " ".join(text[start:end].split()):
            yield Sentence(block[0][0] + text.count("\n", 0, start), sentence)
        start = end


def _one_word(code: re.Match[str]) -> str:
    """Code counts for one word, and keeps its lines."""
    return "`code`" + "\n" * code[0].count("\n")


def first_sentences(source: str) -> Iterator[Sentence]:
    """The first sentence of each docstring of a module, those below names included."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for child in body if isinstance(body, list) else ():
            match child:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield Sentence(child.lineno, re.split(r"(?<=[.:?!])\s", " ".join(text.split()), maxsplit=1)[0])


def page_faults(place: str, page: str, rules: Rules) -> Iterator[Fault]:
    for one in sentences(page):
        for reason in rules.reasons(one.text):
            yield Fault(f"{place}:{one.line}", reason, one.text)


def docstring_faults(place: str, source: str, rules: Rules) -> Iterator[Fault]:
    for one in first_sentences(source):
        if match := rules.opener.match(one.text):
            yield Fault(
                f"{place}:{one.line}", f"a docstring that begins with {match[0]!r} does not stand alone", one.text
            )


def pages() -> Iterator[Path]:
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def modules() -> Iterator[Path]:
    for folder in PRODUCT:
        yield from sorted((ROOT / folder).rglob("*.py"))


def unlisted(faults: Iterable[Fault], listed: set[str]) -> tuple[list[Fault], set[str]]:
    """The faults whose sentence is not listed, and what is listed without a fault."""
    faults = list(faults)
    return [fault for fault in faults if fault.text not in listed], listed - {fault.text for fault in faults}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shrink", action="store_true", help="take off the list what has been rewritten")
    shrink = parser.parse_args(arguments).shrink
    rules = Rules.read()
    listed = LISTED.read_text("utf-8").splitlines()
    leaning = [
        fault
        for path in modules()
        for fault in docstring_faults(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"), rules)
    ]
    faults, rewritten = unlisted(leaning, set(listed))
    for path in pages():
        faults += page_faults(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"), rules)
    for fault in faults:
        print(fault)
    if shrink:
        LISTED.write_text("".join(f"{text}\n" for text in listed if text not in rewritten), "utf-8")
    elif rewritten:
        print(f"{LISTED.relative_to(ROOT)}: {len(rewritten)} are rewritten: `python -m tests.prose --shrink`")
    return int(bool(faults) or bool(rewritten and not shrink))


if __name__ == "__main__":
    sys.exit(main())
