"""Fixtures that the tests of chats share."""

from collections.abc import AsyncIterator

import pytest

from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tests.kit.engines.keyword_guards import KeywordGuard


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    yield loader
    await loader.close()


@pytest.fixture
def keywords() -> KeywordGuard:
    return KeywordGuard()
