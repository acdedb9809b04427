"""Skips all where no container can run. The image is built once."""

from collections.abc import Iterator

import pytest

from tests.boxes import containers
from tests.boxes.image import building
from tests.boxes.image.installation import Installation, installed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if reason := containers.reason_to_skip(*building.BASE):
        for item in items:
            item.add_marker(pytest.mark.skip(reason))


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the image of this checkout."""
    return building.current()


@pytest.fixture
def installation(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One that has not been started, for a test to configure."""
    with installed(tmp_path_factory.mktemp("installation"), image) as new:
        yield new
