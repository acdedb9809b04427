"""Flags prose that has to be read twice, by patterns that a program can find.

    python -m tests.prose

Pages, docstrings and comments are searched for phrases, pages also for long sentences, and docstrings for words with
which a first sentence does not stand alone. Prints each fault with its file and line, and exits with 1 if there are
any. The patterns are in tests/data/prose.toml.
"""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATTERNS = ROOT / "tests" / "data" / "prose.toml"
CODE = ("app", "tasks", "models", "eval", "training")

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
    """Better words by the pattern of a phrase, for pages, docstrings and comments."""
    page_phrases: dict[str, str]
    """Better words for pages alone."""
    code_phrases: dict[str, str]
    """Better words for docstrings and comments alone."""

    @classmethod
    def read(cls, path: Path = PATTERNS) -> "Rules":
        raw = tomllib.loads(path.read_text("utf-8"))
        return cls(
            raw["most_words"],
            tuple(raw["openers"]),
            frozenset(raw["doubled"]),
            raw["phrases"],
            raw["page_phrases"],
            raw["code_phrases"],
        )

    @cached_property
    def opener(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{'|'.join(self.openers)})\b(?!-)")

    @cached_property
    def page_phrase(self) -> dict[re.Pattern[str], str]:
        return _compiled(self.phrases | self.page_phrases)

    @cached_property
    def code_phrase(self) -> dict[re.Pattern[str], str]:
        return _compiled(self.phrases | self.code_phrases)

    def reasons(self, sentence: str) -> Iterator[str]:
        """Why a sentence of a page has to be read twice."""
        if (count := len(_WORD.findall(sentence))) > self.most_words:
            yield f"{count} words, of {self.most_words} at most"
        for match in _TWICE.finditer(sentence):
            if match[1].lower() not in self.doubled:
                yield f"{match[0]!r} stands twice"
        yield from _unidiomatic(sentence, self.page_phrase)


def _compiled(phrases: Mapping[str, str]) -> dict[re.Pattern[str], str]:
    return {re.compile(rf"\b(?:{said})\b", re.IGNORECASE): better for said, better in phrases.items()}


def _unidiomatic(text: str, phrases: Mapping[re.Pattern[str], str]) -> Iterator[str]:
    for pattern, better in phrases.items():
        if match := pattern.search(text):
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


def docstrings(source: str) -> Iterator[Sentence]:
    """Each docstring of a module, those below names included, with its first line."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for child in body if isinstance(body, list) else ():
            match child:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield Sentence(child.lineno, " ".join(text.split()))


def comments(source: str) -> Iterator[Sentence]:
    """Each comment of a module. Comments on consecutive lines are one."""
    lines: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start != (lines[-1].start[0] + 1, lines[-1].start[1]):
            yield _comment(lines)
            lines = []
        lines.append(token)
    if lines:
        yield _comment(lines)


def _comment(lines: Sequence[tokenize.TokenInfo]) -> Sentence:
    return Sentence(lines[0].start[0], " ".join(line.string.lstrip("# ") for line in lines))


def page_faults(place: str, page: str, rules: Rules) -> Iterator[Fault]:
    for one in sentences(page):
        for reason in rules.reasons(one.text):
            yield Fault(f"{place}:{one.line}", reason, one.text)


def code_faults(place: str, source: str, rules: Rules) -> Iterator[Fault]:
    for one in docstrings(source):
        if match := rules.opener.match(one.text):
            reason = f"a docstring that begins with {match[0]!r} does not stand alone"
            yield Fault(f"{place}:{one.line}", reason, one.text)
    for one in [*docstrings(source), *comments(source)]:
        for reason in _unidiomatic(_CODE.sub("`code`", one.text), rules.code_phrase):
            yield Fault(f"{place}:{one.line}", reason, one.text)


def pages() -> Iterator[Path]:
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def modules() -> Iterator[Path]:
    for folder in CODE:
        yield from sorted((ROOT / folder).rglob("*.py"))


def main() -> int:
    rules = Rules.read()
    checks = [(page_faults, path) for path in pages()] + [(code_faults, path) for path in modules()]
    faults = [
        fault
        for check, path in checks
        for fault in check(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"), rules)
    ]
    for fault in faults:
        print(fault)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
