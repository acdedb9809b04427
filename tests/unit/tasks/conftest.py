"""What tests of several tasks use."""

from collections.abc import AsyncIterator

import pytest

from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader


@pytest.fixture(scope="module")
async def loader(request: pytest.FixtureRequest) -> AsyncIterator[MediaLoader]:
    """A loader with the `LIMITS` of the module, if it has any."""
    loader = MediaLoader(Fetcher(FetchPolicy()), getattr(request.module, "LIMITS", MediaLimits()))
    yield loader
    await loader.close()
