"""`each_case` tries all cases in one test, names those that fail, and tries single ones."""

from typing import NoReturn

import pytest

from tests.conftest import each_case


@pytest.fixture(autouse=True)
def _all_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EACH_CASE", raising=False)


def test_each_failing_case_is_named_by_its_id() -> None:
    @each_case("word", ["a", "b"])
    @each_case("size", [1, 2])
    def test_sizes(word: str, size: int) -> None:
        assert (word, size) in [("a", 1), ("b", 1)]

    with pytest.raises(pytest.fail.Exception) as failed:
        test_sizes()
    ids = [line for line in str(failed.value).splitlines() if line.startswith("test_sizes")]
    assert ids == ["test_sizes[2: word='a', size=2]", "test_sizes[4: word='b', size=2]"]


async def test_the_cases_of_async_tests_are_named_too() -> None:
    @each_case("size", [1])
    async def test_sizes(size: int) -> NoReturn:
        raise ValueError(size)

    with pytest.raises(pytest.fail.Exception, match=r"test_sizes\[1: size=1\]\n"):
        await test_sizes()


@pytest.mark.parametrize(
    ("wanted", "tried"), [("3", [21]), ("size=2", [2, 21]), ("size=21", [21])], ids=["number", "text", "id"]
)
def test_the_environment_picks_single_cases(monkeypatch: pytest.MonkeyPatch, wanted: str, tried: list[int]) -> None:
    sizes = []

    @each_case("size", [1, 2, 21])
    def test_sizes(size: int) -> None:
        sizes.append(size)

    monkeypatch.setenv("EACH_CASE", wanted)
    test_sizes()
    assert sizes == tried


def test_a_test_without_the_picked_case_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    @each_case("size", [1])
    def test_sizes(size: int) -> NoReturn:
        raise ValueError(size)

    for wanted in ["0", "2", "word"]:
        monkeypatch.setenv("EACH_CASE", wanted)
        with pytest.raises(pytest.skip.Exception, match="EACH_CASE"):
            test_sizes()
