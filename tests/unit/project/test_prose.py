"""The check of the repository's prose, on texts that are bad on purpose."""

from pathlib import Path

import pytest

from tests import prose

RULES = prose.Rules.read()
LONG = " ".join(["Any", *(f"word{number}" for number in range(1, RULES.most_words))])


def reasons(page: str) -> list[str]:
    return [fault.reason for fault in prose.page_faults("page.md", page, RULES)]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("It belongs into the header.", "'belongs into' is no idiom (belongs in)"),
        ("What stands in the\nthe way.", "'the the' stands twice"),
        (f"One {LONG}.", f"{RULES.most_words + 1} words, of {RULES.most_words} at most"),
        ("| a | It is read anew |", "'anew' is no idiom (again)"),
        ("- This [allows to\n  read](page.md).", "'allows to' is no idiom (lets you)"),
    ],
)
def test_a_bad_sentence_of_a_page_is_found(page: str, reason: str) -> None:
    assert reasons(page) == [reason]


@pytest.mark.parametrize(
    "page",
    [
        "```text\nIt belongs into the the header.\n```",
        "Say `the the` or `file_begun_anew`.",
        f"{LONG}. {LONG}.",
        f"# {LONG}\n{LONG}",
        f"- {LONG}\n- {LONG}",
        f"| {LONG} | {LONG} |",
        "It had had its time.",
        "The value is `1`, [the table](page.md#the-the) says.",
    ],
)
def test_good_sentences_and_code_are_left_alone(page: str) -> None:
    assert reasons(page) == []


def test_a_fault_is_found_at_the_line_where_its_sentence_begins() -> None:
    page = "# Head\n\n```sh\nrun\n```\n\nThis is\nfine. This\nbelongs into it.\n\n- `a\n  b` is. So-called.\n"
    assert [fault.place for fault in prose.page_faults("page.md", page, RULES)] == ["page.md:8", "page.md:12"]


@pytest.mark.parametrize(
    ("docstring", "opener"),
    [
        ("That the passages are of.", "That"),
        ("The same while several keys wait.", "The same"),
        ("None: no limit.", "None"),
        ("The task results that the passages were cut from.", None),
        ("By-products of a run.", None),
        ("Information about a page.", None),
        ("Largest batch. Of several keys, each has its turn.", None),
    ],
)
def test_a_docstring_that_leans_on_the_line_above_is_found_by_its_first_word(
    docstring: str, opener: str | None
) -> None:
    source = f'import x\n\nLIMIT = 1\n"""{docstring}"""\n'
    found = list(prose.code_faults("a.py", source, RULES))
    assert [(fault.place, fault.reason) for fault in found] == (
        [("a.py:4", f"a docstring that begins with {opener!r} does not stand alone")] if opener else []
    )


def test_docstrings_of_modules_classes_functions_and_fields_are_read() -> None:
    source = """
class A:
    '''As a class.'''
    a: int
    '''As a field.'''
    async def b(self):
        '''As a method.'''
"""
    found = prose.code_faults("a.py", "'''As a module.'''" + source, RULES)
    assert {fault.text for fault in found} == {"As a module.", "As a class.", "As a field.", "As a method."}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("'''Text.\n\nIt is read anew.\n'''", ["a.py:1: 'anew' is no idiom (again)"]),
        ("x = 1\n# It is read\n# anew.\ny = 2  # anew\n", ["a.py:2: 'anew'", "a.py:4: 'anew'"]),
        ("# A file that is no text.\n", ["a.py:1: 'is no' is no idiom (is not a)"]),
        ("# There is no text, it is no longer read, and `is no` is code.\n", []),
        ("# Nothing is read at its end.\n", []),
        ("x = 'It is read anew.'\n", []),
    ],
)
def test_phrases_are_found_in_docstrings_and_comments_alone(source: str, found: list[str]) -> None:
    faults = map(str, prose.code_faults("a.py", source, RULES))
    assert [fault[: len(known)] for fault, known in zip(faults, found, strict=True)] == found


@pytest.mark.parametrize("bad", [True, False])
def test_the_command_fails_for_a_fault(
    bad: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "eval").mkdir()
    (tmp_path / "README.md").write_text("It is fine.\n")
    (tmp_path / "docs" / "a.md").write_text("It belongs into the header.\n" if bad else "It belongs in the header.\n")
    (tmp_path / "eval" / "a.py").write_text('"""As before."""\n' if bad else '"""Measurements."""\n')
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    assert prose.main() == bad
    places = [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()]
    assert places == (["docs/a.md:1", "eval/a.py:1"] if bad else [])
