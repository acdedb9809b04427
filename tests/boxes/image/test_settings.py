"""Settings of the shell and of `.env`, and keys, as an operator gives them to a container."""

import httpx

from tests.boxes.image.installation import LIMIT_S, Installation, error, task, until
from tests.kit.project.fences import printed


def refusal_of(server: Installation, sample: str) -> str:
    with server.client() as client:
        status, message = error(client.post("/v1/chat/completions", json=task("ocr", "Read it.", sample)))
    assert status == 413
    return message


def test_settings_of_the_shell_and_of_env_reach_the_server_and_the_shell_counts_more(
    installation: Installation,
) -> None:
    installation.configure(OPENFAZE_MAX_PAGES=20, OPENFAZE_MAX_PART_MB=0.001, OPENFAZE_PRELOAD="", TZ="Asia/Tokyo")
    installation.variables["OPENFAZE_MAX_PART_MB"] = "0.01"
    installation.up()
    inside = dict(line.partition("=")[::2] for line in installation.execute("env").stdout.splitlines())
    assert (inside["OPENFAZE_MAX_PAGES"], inside["OPENFAZE_MAX_PART_MB"]) == ("20", "0.01")
    assert inside["TZ"] == "Asia/Tokyo"
    assert "OPENFAZE_MAX_PART_MB" in refusal_of(installation, "receipt.png")
    # The container's own stay what they are.
    assert (inside["OPENFAZE_PORT"], inside["OPENFAZE_HOST"]) == ("8000", "0.0.0.0")


def test_keys_are_made_beside_the_running_server_and_open_it_at_once(installation: Installation) -> None:
    installation.configure(OPENFAZE_KEYS_FILE="keys/keys.toml", OPENFAZE_OPEN=0, OPENFAZE_PRELOAD="")

    def keys(*arguments: str) -> str:
        # Above what it prints podman names what it made.
        said = installation.compose("run", "--rm", "-T", "openfaze", "openfaze", "keys", *arguments).stdout
        return (said.splitlines() or [""])[-1]

    def status(key: str) -> int:
        with installation.client(key=key) as client:
            return client.get("/v1/models").status_code

    first = keys("add", "alice")
    installation.up()
    assert (status(first), status("wrong"), _without_key(installation)) == (200, 401, 401)
    second = keys("rotate", "alice")
    until("opened by the new key", lambda: status(second) == 200)
    until("closed to the old one", lambda: status(first) == 401)
    keys("remove", "alice")
    until("closed to a removed key", lambda: status(second) == 401)


def test_the_lines_of_the_page_lead_to_a_server_with_a_key(installation: Installation) -> None:
    code = printed("deployment.md", "OPENFAZE_TRUSTED_PROXIES=172")
    assert "docker compose build\n" in code
    installation.follow(code.replace("docker compose build\n", ""))
    installation.wait_until_ready()
    key = (installation.folder / "alice.key").read_text().splitlines()[-1]
    assert installation.reads(key=key) == "It works!"
    assert _without_key(installation) == 401


def _without_key(server: Installation) -> int:
    return httpx.get(f"http://127.0.0.1:{server.port}/v1/models", timeout=LIMIT_S, trust_env=False).status_code
