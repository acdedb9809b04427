"""What becomes of what an installation keeps, by the commands of docs/deployment.md: a backup and its restore."""

import openai
import pytest

from tests.boxes.image.contents import kept, made
from tests.boxes.image.installation import Installation
from tests.kit.project.fences import printed

BACKUP = printed("deployment.md", "--create --file -")
RESTORE = printed("deployment.md", "--extract --file -")


def test_what_is_backed_up_is_restored(installation: Installation) -> None:
    installation.configure(OPENFAZE_PRELOAD="")
    installation.up()
    first = made(installation, "before")
    installation.follow(BACKUP)
    installation.wait_until_ready()
    second = made(installation, "after")
    installation.follow(RESTORE)
    installation.wait_until_ready()
    assert kept(installation, first) == first
    with installation.sdk() as client:
        assert {one.id for one in client.files.list()}.isdisjoint({second["upload"]})
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(second["response"])
