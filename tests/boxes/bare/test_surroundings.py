"""What else a server meets on machines: other folders, rights, languages, no network, and programs that come later."""

import json

import pytest

from tests.boxes.bare.conftest import BESIDE, Newcomer
from tests.boxes.bare.machines import Server
from tests.boxes.containers import podman

NETWORK = "podman"


def test_a_home_that_cannot_be_written_to_will_do(newcomer: Newcomer) -> None:
    with newcomer.machine.serving(newcomer.checkout, BESIDE, variables={"HOME": "/read-only"}) as server:
        works(server)


def test_a_path_with_a_space_and_an_umlaut_and_files_for_nobody_else_will_do(newcomer: Newcomer) -> None:
    checkout = newcomer.machine.clone("Meine Prüfung/open faze", umask="077")
    with newcomer.machine.serving(checkout, BESIDE, umask="077") as server:
        works(server)
    newcomer.machine.run(f"rm -rf '{checkout}'")


def test_it_works_without_a_network_once_it_is_set_up(newcomer: Newcomer) -> None:
    container = newcomer.machine.container.id
    if podman("network", "disconnect", NETWORK, container, check=False).returncode:
        pytest.skip("podman cannot take this container's network away")
    try:
        with newcomer.machine.serving(newcomer.checkout, BESIDE) as server:
            works(server)
            assert "thank you for coming" in server.task("speech_to_text", "", "voices.mp3").result["text"]
    finally:
        podman("network", "connect", NETWORK, container)


def test_code_runs_once_bubblewrap_is_installed(newcomer: Newcomer) -> None:
    """Debian's own Python links to libraries that are packages of their own."""
    newcomer.machine.install("bubblewrap")
    with newcomer.machine.serving(newcomer.checkout, BESIDE, variables={"OPENFAZE_CODE_SANDBOX": "on"}) as server:
        works(server)
        ran = server.task("code_sandbox", "import numpy\nprint(numpy.arange(4).sum() * 7)").result
        assert (ran["output"], ran["exit_code"]) == ("42\n", 0)
    examined = newcomer.machine.run(f"cd {newcomer.checkout} && .venv/bin/openfaze doctor --json").stdout
    [sandbox] = [one for one in json.loads(examined)["capabilities"] if one["capability"] == "code_sandbox"]
    assert sandbox["outcome"] == "ok"


def works(server: Server) -> None:
    """Asserts that engines compute in the server, and the language model in a process of its own."""
    assert "Corner Bakery" in server.task("ocr", "Read it.", "receipt.png").result["extracted_text"]
    assert server.chat("Write a sentence about France.").content
    assert "Traceback" not in server.log
