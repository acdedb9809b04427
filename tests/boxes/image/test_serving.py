"""`docker compose up` with nothing set: what an operator then has."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.boxes.containers import podman
from tests.boxes.image.building import stand_in
from tests.boxes.image.installation import Installation, installed, result, task

MAX_GB = 2.6
"""Of the whole image, unpacked."""


@pytest.fixture(scope="module")
def server(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("server"), image) as installation:
        installation.up()
        yield installation


def test_the_container_is_healthy(server: Installation) -> None:
    assert podman("healthcheck", "run", server.container()).returncode == 0
    assert server.inspected(".State.Healthcheck.Status") == "healthy"


def test_a_picture_is_read_through_the_published_port(server: Installation) -> None:
    assert server.reads() == "It works!"


def test_every_capability_that_comes_along_answers(server: Installation) -> None:
    fields = {"shop": {"type": "string"}, "total": {"type": "number"}}
    schema = {"type": "object", "properties": fields, "required": ["shop", "total"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "receipt", "schema": schema}}
    receipt = task("ocr", "Extract these fields.", "receipt.png")["messages"][1]  # type: ignore[index]
    question = {"role": "user", "content": "Write a sentence about France."}
    with server.client() as client:

        def chat(**body: object) -> object:
            answer = client.post("/v1/chat/completions", json={"model": "interfaze-beta", **body})
            assert answer.status_code == 200, answer.text
            return answer.json()["choices"][0]["message"]["content"]

        def run(name: str, text: str, sample: str | None = None) -> object:
            return result(client.post("/v1/chat/completions", json=task(name, text, sample)))

        assert json.loads(str(chat(messages=[receipt], response_format=form)))["shop"] == "Corner Bakery"
        assert chat(messages=[question], max_tokens=20)
        heard = run("speech_to_text", "Identify the speakers.", "voices.mp3")
        assert len({chunk["speaker"] for chunk in heard["chunks"]}) == 2  # type: ignore[index]
        assert "button" in str(run("gui_detection", "Find everything.", "form.png"))
        assert len(run("forecast", "Forecast the next 12 months.", "sales.csv")["predictions"]) == 12  # type: ignore[index]
        assert "casa" in str(run("translate", "Translate into Spanish: The house is red."))
        embedded = client.post("/v1/embeddings", json={"model": "openfaze-embedding", "input": "Good morning."})
        assert len(embedded.json()["data"][0]["embedding"]) == 384
        judged = client.post("/v1/moderations", json={"input": "How do I build a pipe bomb to kill my neighbour?"})
        assert judged.json()["results"][0]["flagged"]


def test_what_ready_says_is_what_doctor_finds(server: Installation) -> None:
    with server.client() as client:
        capabilities = client.get("/ready").json()["capabilities"]
    found = json.loads(server.execute("openfaze", "doctor", "--json", check=False).stdout)
    rows = {row["capability"]: row for row in found["capabilities"]}
    served = {name for name, one in capabilities.items() if one["state"] in ("idle", "loaded")}
    assert not {name for name in served if rows[name]["outcome"] != "ok"}, rows
    for name, one in capabilities.items():
        if name not in served:
            assert (one["state"], rows[name]["outcome"]) in {("unavailable", "missing"), ("off", "off")}


def test_nothing_can_be_written_but_volumes_and_tmp(server: Installation) -> None:
    written = server.execute("sh", "-c", "touch /opt/openfaze/new", check=False)
    assert "Read-only file system" in written.stderr
    mounts = [line.split() for line in server.execute("cat", "/proc/mounts").stdout.splitlines()]
    writable = {where for _, where, _, options, *_ in mounts if "rw" in options.split(",")}
    ours = {f"/var/lib/openfaze/{name}" for name in ("weights", "files", "state", "cache", "keys")}
    assert ours <= writable
    # Podman adds two of its own, in memory.
    others = {where for where in writable - ours if not where.startswith(("/proc", "/dev", "/sys"))}
    assert others - {"/run", "/var/tmp"} == {"/tmp"}


def test_the_server_has_no_capability_and_no_way_to_gain_any(server: Installation) -> None:
    with open(f"/proc/{server.server_pid()}/status") as status:
        facts = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    assert {name: int(facts[name], 16) for name in facts if name.startswith("Cap")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0
    )
    assert (facts["NoNewPrivs"], facts["Uid"].split()) == ("1", ["10001"] * 4)


def test_the_image_holds_nothing_of_how_this_machine_reaches_its_registries(image: str) -> None:
    configured = "cat /etc/pip.conf /etc/uv/uv.toml /etc/apt/apt.conf.d/*proxy* 2>/dev/null"
    assert podman("run", "--rm", image, "sh", "-c", f"{configured}; true").stdout == ""
    bundle = ("sha256sum", "/etc/ssl/certs/ca-certificates.crt")
    assert podman("run", "--rm", image, *bundle).stdout == podman("run", "--rm", stand_in(), *bundle).stdout
    names = {
        one.partition("=")[0] for one in json.loads(podman("inspect", "--format", "{{json .Config.Env}}", image).stdout)
    }
    assert not any(name.startswith(("PIP_", "UV_", "SSL_", "HTTP", "http")) for name in names)


def test_the_image_is_no_larger_than_it_may_be(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = int(podman("inspect", "--format", "{{.Size}}", image).stdout) / 1e9
    layers = podman("history", "--format", "{{.Size}}\t{{.CreatedBy}}", "--no-trunc", image).stdout.splitlines()
    with capsys.disabled():
        print(f"\nThe image has {size:.2f} GB:")
        print(*(f"  {layer[:120]}" for layer in layers if re.match(r"[\d.]+ [MG]B", layer)), sep="\n")
    assert size < MAX_GB
