"""Who may call."""

import pytest

from app.access.keys import ApiKeys
from app.errors import InvalidApiKey


@pytest.mark.parametrize("header", ["Bearer one", "bearer two", "Bearer  one"])
def test_any_of_the_keys_opens(header: str) -> None:
    ApiKeys(["one", "two"]).check(header)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer three", "Basic one", "one", "Bearer ONE"])
def test_anything_else_does_not(header: str | None) -> None:
    with pytest.raises(InvalidApiKey) as refusal:
        ApiKeys(["one", "two"]).check(header)
    assert refusal.value.message == "Invalid API key provided."


def test_without_keys_everyone_may_call() -> None:
    ApiKeys([]).check(None)
