"""Fixtures that every kind of test shares."""

import importlib.util
import os
import tempfile
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"

# What hypothesis remembers of failures is not the checkout's.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "openfaze-hypothesis"))
# The environments of heavier engines have no hypothesis, and none of its tests.
if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings

    # How long an example takes tells how busy the machine is, so there is no deadline.
    settings.register_profile("openfaze", deadline=None, max_examples=50)
    settings.register_profile("deep", deadline=None, max_examples=500)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "openfaze"))


@pytest.fixture
def shared() -> Path:
    """Real sample inputs and small real weights, kept beside the checkout and never part of it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the sample inputs beside the checkout, and {SHARED} is not there")
    return SHARED
