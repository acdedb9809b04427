"""Requirements of the code sandbox's tests."""

import pytest

from models.sandbox.bubblewrap import missing

needs_sandbox = pytest.mark.skipif(missing() is not None, reason=missing() or "")

# What a server is set to whose tests need the sandbox in some places only: those skip where it is missing.
SANDBOX_WHERE_IT_RUNS = "off" if missing() else "on"
