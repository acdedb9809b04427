"""What becomes of what an installation keeps, by the commands of docs/deployment.md: a backup and its restore, and the
way from version 0.1.0 to this one on the same volumes and back."""

from pathlib import Path

import openai
import pytest

from tests.fences import printed
from tests.image import building
from tests.image.contents import FILES, kept, made
from tests.image.installation import Installation, installed

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


def test_what_is_backed_up_is_restored_where_nothing_is_left(installation: Installation) -> None:
    installation.configure(OPENFAZE_PRELOAD="")
    installation.up()
    first = made(installation, "before")
    installation.follow(BACKUP)
    installation.remove()
    installation.follow(RESTORE)
    installation.wait_until_ready()
    assert kept(installation, first) == first


@pytest.mark.deep  # it builds another image
def test_an_upgrade_loses_nothing_and_the_way_back_leads_to_what_was_there_before(tmp_path: Path, image: str) -> None:
    release = tmp_path / "0.1.0"
    release.mkdir()
    old = building.previous(release)
    with installed(tmp_path / "installation", old, release) as server:
        server.configure(OPENFAZE_PRELOAD="")
        server.up()
        first = made(server, "0.1.0")
        server.execute("sh", "-c", "echo of 0.1.0 > weights/some")

        server.compose("stop", "openfaze")
        server.follow(BACKUP)
        server.compose("stop", "openfaze")
        server.install(image, building.ROOT)
        server.up()
        assert server.execute("openfaze", "--version").stdout.split()[-1] != "0.1.0"
        assert kept(server, first) == first
        second = made(server, "0.2.0")
        assert kept(server, second) == second
        assert server.execute("cat", "weights/some").stdout == "of 0.1.0\n"

        back, _, last = RESTORE.rstrip().rpartition("\n")
        assert last == "docker compose up -d"
        server.follow(back)
        server.install(old, release)
        server.up()
        assert kept(server, first) == first
        with server.sdk() as client:
            assert len(list(client.files.list())) == len(FILES)
        # No backup has them: they are where they were.
        assert server.execute("cat", "weights/some").stdout == "of 0.1.0\n"
