"""The keys that a prompt names for the JSON that it asks for."""

from collections.abc import Iterator

import pytest

from app.chat.planning import named_keys
from app.chat.planning.named_keys import names_listed_in, schema_of_named_keys


@pytest.mark.parametrize("gap", [" ", "\t", ", "])
def test_gaps_between_names_are_searched_in_linear_time(gap: str) -> None:
    """Quadratic, a run of half a million characters would take hours, longer than a test may."""
    assert list(names_listed_in(f"total{gap * (500_000 // len(gap))}date"))


def test_after_few_words_for_keys_alone_keys_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def nothing_in(text: str) -> Iterator[tuple[str, str]]:
        searched.append(text)
        yield from ()

    monkeypatch.setattr(named_keys, "names_listed_in", nothing_in)
    assert schema_of_named_keys("keys " * 700) is None
    assert 0 < len(searched) < 10


def test_words_of_courtesy_are_no_keys() -> None:
    schema = schema_of_named_keys("Give me JSON with the keys total and date, please.")
    assert schema is not None
    assert list(schema["properties"]) == ["total", "date"]
