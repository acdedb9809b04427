"""Fixtures that every kind of test shares."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """Real sample inputs and small real weights, kept beside the checkout and never part of it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the sample inputs beside the checkout, and {SHARED} is not there")
    return SHARED
