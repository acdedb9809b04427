"""Fixtures that every kind of test shares."""

import os
import tempfile
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"

# What hypothesis remembers of failures is not the checkout's.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "openfaze-hypothesis"))


@pytest.fixture
def shared() -> Path:
    """Real sample inputs and small real weights, kept beside the checkout and never part of it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the sample inputs beside the checkout, and {SHARED} is not there")
    return SHARED
