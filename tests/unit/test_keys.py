"""Who may call."""

import hashlib
import re

import pytest

from app.access.keys import ApiKeys
from app.errors import InvalidApiKey


@pytest.mark.parametrize("header", ["Bearer one", "bearer two", "Bearer  one"])
def test_any_of_the_keys_opens(header: str) -> None:
    ApiKeys(["one", "two"]).check(header)


def test_each_key_is_a_tenant_of_its_own_whose_name_is_not_the_key() -> None:
    keys = ApiKeys(["one", "two"])
    tenants = [keys.check(f"Bearer {key}").tenant for key in ("one", "two", "one")]
    assert tenants[0] == tenants[2] != tenants[1]
    assert all(re.fullmatch("[0-9a-f]{32}", tenant) for tenant in tenants)
    assert tenants[0] not in hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer three", "Basic one", "one", "Bearer ONE"])
def test_anything_else_does_not(header: str | None) -> None:
    with pytest.raises(InvalidApiKey) as refusal:
        ApiKeys(["one", "two"]).check(header)
    assert refusal.value.message == "Invalid API key provided."


def test_without_keys_everyone_may_call() -> None:
    assert ApiKeys([]).check(None) == ApiKeys([]).check("Bearer any")
