"""The keys that a prompt names for the JSON that it asks for."""

import pytest

from app.chat.planning.described_json import names_listed_in


@pytest.mark.parametrize("gap", [" ", "\t", ", "])
def test_gaps_between_names_are_searched_in_linear_time(gap: str) -> None:
    """Quadratic, a run of half a million characters would take hours, longer than a test may."""
    assert list(names_listed_in(f"total{gap * (500_000 // len(gap))}date"))
