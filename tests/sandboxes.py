"""Requirements of the code sandbox's tests."""

import pytest

from models.sandbox.bubblewrap import missing

needs_sandbox = pytest.mark.skipif(missing() is not None, reason=missing() or "")
