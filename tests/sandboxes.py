"""What tests of the code sandbox need of the machine."""

import pytest

from models.sandbox.bubblewrap import missing

needs_sandbox = pytest.mark.skipif(missing() is not None, reason=missing() or "")
