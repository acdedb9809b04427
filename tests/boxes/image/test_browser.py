"""What docker/browser.yml adds: a Chromium beside openfaze that does not reach its API."""

import json
from pathlib import Path

import pytest

from tests.boxes.containers import base, podman
from tests.boxes.image import building
from tests.boxes.image.building import ROOT, stand_in
from tests.boxes.image.installation import installed, result, task

pytestmark = pytest.mark.deep  # it is an image of its own, and one of Chromium

FILE = "docker/browser.yml"
SHELL = '<title>App</title><div id="root"></div><script src="/app.js"></script>'
SCRIPT = "document.getElementById('root').innerHTML = '<main><p>Written by a script.</p></main>'"


def test_a_page_is_shown_by_a_browser_that_does_not_reach_the_api(tmp_path: Path) -> None:
    recipe = (ROOT / "docker/browser/Dockerfile").read_text()
    [original] = [line for line in recipe.splitlines() if line.startswith("FROM ")]
    chromium = building.made("chromium", recipe.replace(original, f"FROM {base(12)}"))
    with installed(tmp_path / "installation", building.current(FILE)) as installation:
        site = installation.folder / "site"
        site.mkdir()
        (site / "index.html").write_text(SHELL)
        (site / "app.js").write_text(SCRIPT)
        command = ["python3", "-m", "http.server", "--directory", "/site", "8080"]
        shop = {"image": stand_in(), "command": command, "volumes": [f"{site}:/site:ro"]}
        installation.configure(OPENFAZE_PRELOAD="", OPENFAZE_FETCH_ALLOW="shop:8080")
        installation.add(FILE)
        installation.add("shop.yml", json.dumps({"services": {"browser": {"image": chromium}, "shop": shop}}))
        installation.up()
        with installation.client() as client:
            shown = result(client.post("/v1/chat/completions", json=task("scraper", "http://shop:8080/")))
        assert (shown["text"], shown["metadata"]["rendered"]) == ("Written by a script.", True)
        networks = json.loads(installation.inspected("json .NetworkSettings.Networks"))
        assert len(networks) == 2
        for network in networks.values():
            connecting = ("timeout", "5", "bash", "-c", f"</dev/tcp/{network['IPAddress']}/8000")
            assert podman("exec", installation.container("browser"), *connecting, check=False).returncode
