"""Skips all where no container can run. The image and what stands in for a card are made once."""

import pytest

from tests.boxes import containers
from tests.boxes.gpu.box import Parts, parts_made
from tests.boxes.image import building


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if reason := containers.reason_to_skip(*building.BASE):
        for item in items:
            item.add_marker(pytest.mark.skip(reason))


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return parts_made(tmp_path_factory.mktemp("parts"), building.current())
