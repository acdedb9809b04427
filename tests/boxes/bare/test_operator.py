"""docs/deployment.md, followed on bare Debian machines as it is printed."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.runnable_commands import BODY, SAID
from tests.boxes.bare.machines import PACKAGES
from tests.boxes.containers import BOOTED, SYSTEMD, Container, base, started
from tests.kit.project.fences import ROOT, printed

NAME = "localhost"
"""For which Caddy makes a certificate of its own."""
AUTHORITY = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"
CLONE = "/root/openfaze"
READY_S = 180.0
BOOT_S = 120
BOOTING = 'until systemctl is-system-running --wait | grep --extended-regexp "running|degraded"; do sleep 0.5; done'
MACHINE = ("curl", "python3", "systemd", "systemd-sysv", "dbus")

# Its machines stay in one process.
pytestmark = [pytest.mark.timeout(1800), pytest.mark.xdist_group("operator")]


def commands(part: str) -> str:
    """The page's only ones that have `part`, with a name that is here."""
    return printed("deployment.md", part).replace("YOUR.NAME", NAME)


def copy_clone(container: Container) -> None:
    """What git has of this checkout, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    pack = ["tar", "--create", "--null", "--files-from=-"]
    packed = subprocess.run(pack, cwd=ROOT, input=listed, stdout=subprocess.PIPE, check=True).stdout
    unpack = f"mkdir --parents {CLONE} && tar --extract --directory={CLONE} --no-same-owner"
    container.run(unpack, input=packed, text=False, encoding=None, errors=None)


@dataclass(frozen=True)
class Machine:
    container: Container

    def follow(self, part: str) -> str:
        """Runs the fence of the page that has `part`, as root in the clone; what it printed."""
        return self.run(commands(part))

    def run(self, code: str) -> str:
        return self.container.run(
            f"set -euo pipefail; cd {CLONE}; export DEBIAN_FRONTEND=noninteractive\n{code}"
        ).stdout

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while self.container.run("curl -sf http://127.0.0.1:8000/ready", check=False).returncode:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.5)

    def log(self) -> str:
        return self.container.run("journalctl --unit openfaze --no-pager | tail -50").stdout

    def ask(self, address: str, body: object) -> str:
        """The content that a chat at `address` is answered with, with the key that the page made."""
        command = (
            f"curl -sS --cacert {AUTHORITY} {address}/v1/chat/completions -H 'content-type: application/json' "
            '-H "authorization: Bearer $(cat alice.key)" --data-binary @-'
        )
        if address.startswith("http:"):
            command = command.replace(f"--cacert {AUTHORITY}", "")
        answer = json.loads(self.container.run(f"cd {CLONE}; {command}", input=json.dumps(body)).stdout)
        assert "choices" in answer, answer
        return str(answer["choices"][0]["message"]["content"])


def run_task(name: str, text: str) -> dict[str, object]:
    messages = [{"role": "system", "content": f"<task>{name}</task>"}, {"role": "user", "content": text}]
    return {"model": "interfaze-beta", "messages": messages}


@pytest.fixture(
    scope="module",
    params=[pytest.param(debian, marks=pytest.mark.xdist_group(f"operator{debian}")) for debian in (12, 13)],
    ids=lambda debian: f"debian{debian}",
)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """With a server as the page has it started by systemd."""
    with started(base(request.param, *MACHINE), *BOOTED, command=SYSTEMD) as container:
        booted = container.run(f"timeout {BOOT_S} bash -c '{BOOTING}'", check=False)
        if booted.returncode:
            pytest.skip(f"needs containers in which systemd can boot within {BOOT_S} s: {booted.stderr}")
        machine = Machine(container)
        copy_clone(container)
        machine.run("apt-get update -qq")
        machine.follow("systemctl enable --now openfaze\n")
        machine.wait_until_ready()
        yield machine


def test_the_server_reads_and_runs_code_confined_as_it_is(machine: Machine) -> None:
    machine.run("echo OPENFAZE_CODE_SANDBOX=on >> /var/lib/openfaze/.env; systemctl restart openfaze")
    machine.wait_until_ready()
    assert SAID in machine.ask("http://127.0.0.1:8000", BODY)
    ran = machine.ask("http://127.0.0.1:8000", run_task("code_sandbox", "```python\nprint(6 * 7)\n```"))
    assert "42" in ran
    assert machine.run("systemctl show openfaze --property NRestarts").strip() == "NRestarts=0"


def test_caddy_serves_it_by_its_name(machine: Machine) -> None:
    code = commands("systemctl reload caddy")
    install, _, last = code.rstrip().rpartition("\n")
    machine.run(install)
    machine.run(f"until test -e {AUTHORITY}; do sleep 0.2; done")
    models = json.loads(machine.run(last.replace("curl -s", f"curl -sS --cacert {AUTHORITY}")))
    assert models["data"][0]["id"] == "interfaze-beta"
    assert SAID in machine.ask(f"https://{NAME}", BODY)


def test_a_server_that_is_killed_starts_again_and_one_with_wrong_settings_stays_down(machine: Machine) -> None:
    machine.run("systemctl kill --signal KILL openfaze; until systemctl is-active openfaze; do sleep 0.5; done")
    machine.wait_until_ready()
    machine.run("cp /var/lib/openfaze/.env env.before; echo OPENFAZE_OCR=nothing >> /var/lib/openfaze/.env")
    machine.run("systemctl restart openfaze; until systemctl is-failed openfaze; do sleep 0.5; done")
    assert "OPENFAZE_OCR" in machine.log()
    machine.run("cat env.before > /var/lib/openfaze/.env; systemctl reset-failed openfaze; systemctl start openfaze")
    machine.wait_until_ready()


def test_what_is_backed_up_is_restored(machine: Machine) -> None:
    upload = (
        "curl -sS http://127.0.0.1:8000/v1/files -F purpose=user_data -F file=@NOTICE "
        '-H "authorization: Bearer $(cat alice.key)"'
    )
    file_id = json.loads(machine.run(upload))["id"]
    machine.follow("--create --directory")
    machine.follow("--extract --directory")
    machine.wait_until_ready()
    content = f'/v1/files/{file_id}/content -H "authorization: Bearer $(cat alice.key)"'
    assert machine.run(f"curl -sS http://127.0.0.1:8000{content}") == (ROOT / "NOTICE").read_text()


@pytest.mark.xdist_group("pip")
def test_pip_installs_a_server_that_answers() -> None:
    with contextlib.ExitStack() as gone, started(base(13, *PACKAGES)) as container:
        machine = Machine(container)
        copy_clone(container)
        install, _, serve = commands("pip install .\n").rstrip().rpartition("\n")
        machine.run(install)
        # Away from the clone: what is installed has all that it opens.
        machine.run("mv app tasks models /tmp; touch alice.key")
        process = container.start(f"cd / && exec {CLONE}/{serve}")
        gone.callback(process.communicate)
        machine.wait_until_ready()
        assert SAID in machine.ask("http://127.0.0.1:8000", BODY)
