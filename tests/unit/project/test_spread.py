"""Tests that are spread over processes end as they would in one, and a process that is lost takes one test with it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.forked import stem

PYTEST = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
SEES = """
import os
from pathlib import Path

HERE = Path(__file__)

def test_first(tmp_path):
    with (HERE.parent / "seen").open("a") as seen:
        print(os.getpid(), HERE.stem, tmp_path.parent.name, file=seen)

def test_second(tmp_path):
    test_first(tmp_path)
"""


def run(folder: Path, *options: str, **files: str) -> "subprocess.CompletedProcess[str]":
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    own = ("-c", str(folder / "pytest.ini"), "-p", "no:cacheprovider", f"--basetemp={folder / 'temporary'}")
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = -q -p tests.spread --processes 3 --strict-markers\nmarkers = together\n"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    return stem("import pytest").run(PYTEST, *own, *options, str(folder), cwd=folder, env=environment)


def test_a_file_stays_in_one_process_and_files_are_spread(tmp_path: Path) -> None:
    ran = run(tmp_path, **dict.fromkeys("abcdef", SEES))
    assert (ran.returncode, "12 passed" in ran.stdout) == (0, True), ran.stdout
    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    places = {(file, process, folder) for process, file, folder in seen}
    assert (len(seen), len(places)) == (12, 6)
    # Three processes have a folder each for what is temporary.
    assert len({process for _, process, _ in places}) == len({(process, folder) for _, process, folder in places}) == 3


def test_tests_of_one_name_stay_together_across_files(tmp_path: Path) -> None:
    marked = f"import pytest\npytestmark = pytest.mark.together('a')\n{SEES}"
    ran = run(tmp_path, a=marked, b=SEES, c=marked)
    assert "6 passed" in ran.stdout, ran.stdout
    places = {tuple(line.split()[:2]) for line in (tmp_path / "seen").read_text().splitlines()}
    assert len({process for process, file in places if file in ("test_a", "test_c")}) == 1


@pytest.mark.parametrize("end", ["os._exit(7)", "os.kill(os.getpid(), 9)"])
def test_a_test_that_ends_its_process_fails_and_those_after_it_run(tmp_path: Path, end: str) -> None:
    ends = f"{SEES}\ndef test_third():\n    {end}\n\ndef test_fourth(tmp_path):\n    test_first(tmp_path)\n"
    ran = run(tmp_path, a=ends, b=SEES)
    status = 7 if "exit" in end else -9
    assert ran.returncode == 1
    assert "1 failed, 5 passed" in ran.stdout, ran.stdout
    assert f"the process that ran this test has ended with status {status}" in ran.stdout
    assert "test_a.py::test_third" in ran.stdout


def test_what_fails_is_shown_with_what_it_printed_and_what_warned(tmp_path: Path) -> None:
    fails = "def test_it():\n    print('a trace of it')\n    assert [1] == [2]\n"
    warns = "import warnings\ndef test_it():\n    warnings.warn('too old')\n"
    skips = "import pytest\ndef test_it():\n    pytest.skip('not here')\n"
    errs = "import pytest\n@pytest.fixture\ndef broken():\n    raise OSError('no disk')\ndef test_it(broken): ...\n"
    ran = run(tmp_path, "-rs", a=fails, b=warns, c=skips, d=errs, e=SEES)
    assert ran.returncode == 1
    assert "1 failed, 3 passed, 1 skipped, 1 warning, 1 error" in ran.stdout, ran.stdout
    assert all(
        part in ran.stdout for part in ("a trace of it", "assert [1] == [2]", "UserWarning: too old", "not here")
    )
    assert "OSError: no disk" in ran.stdout


def test_after_the_first_failure_no_further_file_begins(tmp_path: Path) -> None:
    fails = "def test_it():\n    assert False\n\ndef test_more():\n    assert False\n"
    ran = run(tmp_path, "-x", "--processes=2", **dict.fromkeys("abcdefgh", fails))
    assert ran.returncode == 1
    # One in each process.
    assert any(f"stopping after {failures} failures" in ran.stdout for failures in (1, 2)), ran.stdout


def test_a_file_that_cannot_be_collected_is_an_error(tmp_path: Path) -> None:
    ran = run(tmp_path, a=SEES, b="import nothing_of_that_name\n")
    assert (ran.returncode, (tmp_path / "seen").exists()) == (2, False)
    assert "1 error" in ran.stdout


def test_session_fixtures_end_in_each_process(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import os, pytest\n"
        "@pytest.fixture(scope='session', autouse=True)\n"
        "def ended():\n"
        "    yield\n"
        f"    open({str(tmp_path / 'ended')!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
    )
    ran = run(tmp_path, **dict.fromkeys("abcd", SEES))
    assert "8 passed" in ran.stdout, ran.stdout
    ended = (tmp_path / "ended").read_text().split()
    assert len(ended) == len(set(ended)) == 3
