"""docker/detect, with programs that show what machines with and without a card show."""

from pathlib import Path

import pytest

from tests.kit.project.gpu_cards import AMPERE, HOPPER, SIZES, TABLE, WITH_GUARD, WITH_LLM, Machine, settings_of

L4 = "0, 23034, 580.65.06, [N/A], NVIDIA L4, 8.9"
A100 = "0, 81920, 580.65.06, Enabled, NVIDIA A100-SXM4-80GB, 8.0"
PARTS = """GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-1)
  MIG 1g.10gb     Device  0: (UUID: MIG-small)
  MIG 3g.40gb     Device  1: (UUID: MIG-large)
GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-2)
  MIG 7g.80gb     Device  0: (UUID: MIG-of-another)"""
EVERY_FILE = "docker-compose.yml:docker/gpu.yml:docker/llm.yml"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with docker, the container toolkit, and no card."""
    made = Machine(tmp_path)
    made.add_docker()
    return made


def said(machine: Machine) -> dict[str, str]:
    lines = machine.detect().stdout.splitlines()
    assert len(lines) == 5
    return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in lines)}


def model(machine: Machine) -> str:
    return machine.settings()["LLM_MODEL"]


def test_without_a_card_all_is_on_the_cpu_and_nothing_is_missing(machine: Machine) -> None:
    told = said(machine)
    assert (told["card"], told["missing"], told["now"]) == ("none", "nothing", "docker compose up -d")
    assert machine.settings() == {"COMPOSE_FILE": "docker-compose.yml"}


@pytest.mark.parametrize("found", ["proc/driver/nvidia/version", "sys/bus/pci/devices/0000:01:00.0/vendor"])
def test_a_card_without_a_driver_is_named_with_the_remedy(machine: Machine, found: str) -> None:
    seen = machine.root / found
    seen.parent.mkdir(parents=True)
    seen.write_text("0x10de\n")
    (seen.parent / "class").write_text("0x030000\n")
    assert "www.nvidia.com/drivers" in said(machine)["missing"]
    assert machine.settings() == {"COMPOSE_FILE": "docker-compose.yml"}


def test_the_audio_device_of_a_card_of_another_maker_is_no_card(machine: Machine) -> None:
    for number, (vendor, kind) in enumerate((("0x1002", "0x030000"), ("0x10de", "0x040300"))):
        device = machine.root / f"sys/bus/pci/devices/{number}"
        device.mkdir(parents=True)
        (device / "vendor").write_text(vendor)
        (device / "class").write_text(kind)
    assert said(machine)["missing"] == "nothing"


def test_a_card_gets_openfaze_s_engines_and_an_llm(machine: Machine) -> None:
    machine.add_cards(L4)
    told = said(machine)
    assert "NVIDIA L4" in told["card"]
    assert told["missing"] == "nothing"
    assert told["now"] == "docker compose up -d && docker compose up -d vllm"
    settings = machine.settings()
    assert (settings["COMPOSE_FILE"], settings["GPU_DEVICE"], settings["GPU_SPEECH"]) == (EVERY_FILE, "0", "1")
    assert model(machine) == TABLE["model"]["qwen3_5_9b_int4"]["repository"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("capability", [AMPERE, HOPPER])
def test_each_size_of_a_card_gets_its_row_of_the_table(size: int, capability: str) -> None:
    row = TABLE["card"][str(size)]
    settings = settings_of(size, capability)
    assert settings["GPU_SPEECH"] == str(row["speech"])
    files = settings["COMPOSE_FILE"].split(":")
    assert ("LLM_MODEL" in settings) == (size in WITH_LLM) == ("docker/llm.yml" in files)
    assert ("LLM_GUARD_MODEL" in settings) == (size in WITH_GUARD) == ("docker/guard.yml" in files)
    if size in WITH_LLM:
        chosen = row.get("model_ampere", row["model"]) if capability == AMPERE else row["model"]
        known = TABLE["model"][chosen]
        assert known["ampere"] or capability != AMPERE
        assert (settings["LLM_MODEL"], settings["LLM_REVISION"]) == (known["repository"], known["revision"])
        assert (settings["LLM_SHARE"], settings["LLM_CONTEXT"]) == (f"{row['share']:.2f}", str(row["context"]))
        assert settings["LLM_CONVERSATIONS"] == str(row["conversations"])
        assert int(settings["LLM_KV_CACHE_BYTES"]) == pytest.approx(row["tokens_gib"] * 1024**3, abs=1)
        assert int(settings["LLM_PICTURE_PIXELS"]) == row["picture"] * 32 * 32
        left = int(row["gib"] * 1024) * 1024**2 * (1 - row["share"] - row.get("guard_share", 0)) - 1024**3 / 2
        assert int(settings["LLM_LEAVES_MB"]) == pytest.approx(left / 1e6, abs=1)
    if size in WITH_GUARD:
        guard = TABLE["guard"]
        assert (settings["LLM_GUARD_MODEL"], settings["LLM_GUARD_REVISION"]) == (guard["repository"], guard["revision"])
        assert float(settings["LLM_GUARD_SHARE"]) == row["guard_share"]
        assert int(settings["LLM_GUARD_KV_CACHE_BYTES"]) == guard["tokens_gib"] * 1024**3
        assert int(settings["LLM_GUARD_CONTEXT"]) == guard["context"]


@pytest.mark.parametrize(
    ("mebibytes", "row"),
    [(8188, 8), (15356, 16), (40960, 32), (143771, 96)],
)
def test_a_card_between_two_sizes_gets_the_smaller_one_s_row(machine: Machine, mebibytes: int, row: int) -> None:
    machine.add_cards(f"0, {mebibytes}, 580.65.06, [N/A], A card, 9.0")
    assert f"row of {row} GB" in said(machine)["openfaze"]


def test_a_card_that_is_too_small_is_left_alone(machine: Machine) -> None:
    machine.add_cards("0, 6144, 580.65.06, [N/A], NVIDIA GeForce RTX 2060, 7.5")
    assert "8 GB" in said(machine)["missing"]
    assert machine.settings() == {"COMPOSE_FILE": "docker-compose.yml"}


def test_of_several_cards_the_largest_is_taken_and_another_one_when_it_is_asked_for(machine: Machine) -> None:
    machine.add_cards("0, 8188, 580.65.06, [N/A], A small one, 8.9", L4.replace("0,", "1,", 1))
    assert "number 1 of 2" in said(machine)["card"]
    assert machine.settings()["GPU_DEVICE"] == "1"
    machine.environment["GPU_DEVICE"] = "0"
    machine.detect()
    assert "LLM_MODEL" not in machine.settings()
    del machine.environment["GPU_DEVICE"]
    machine.detect()
    assert machine.settings()["GPU_DEVICE"] == "0"
    machine.environment["GPU_DEVICE"] = "2"
    assert machine.detect(check=False).returncode == 2


def test_of_a_card_that_is_divided_the_largest_part_is_taken(machine: Machine) -> None:
    machine.add_cards(A100, parts=PARTS)
    told = said(machine)
    assert "3g.40gb" in told["card"]
    assert machine.settings()["GPU_DEVICE"] == "MIG-large"
    assert "row of 32 GB" in told["openfaze"]
    machine.add_cards(A100, parts=PARTS.splitlines()[0])
    assert "nvidia-smi mig" in said(machine)["missing"]
    assert machine.settings() == {"COMPOSE_FILE": "docker-compose.yml"}


def test_a_driver_that_is_too_old_for_the_llm_leaves_openfaze_s_engines_the_card(machine: Machine) -> None:
    machine.add_cards(L4.replace("580.65.06", "550.54.15"))
    told = said(machine)
    assert "580" in told["missing"]
    assert "550.54.15" in told["missing"]
    assert machine.settings()["COMPOSE_FILE"] == "docker-compose.yml:docker/gpu.yml"


def test_a_driver_that_is_too_old_for_all_leaves_the_cpu(machine: Machine) -> None:
    # It knows no compute_cap.
    machine.add_program(
        "nvidia-smi",
        'case $1 in *compute_cap) echo "Field \\"compute_cap\\" is not a valid field to query."; exit 2 ;; esac\n'
        'echo "0, 24576, 470.82.01, [N/A], NVIDIA GeForce RTX 3090"',
    )
    assert "470.82.01" in said(machine)["missing"]
    assert machine.settings() == {"COMPOSE_FILE": "docker-compose.yml"}


def test_a_turing_card_computes_openfaze_s_engines_and_no_llm(machine: Machine) -> None:
    machine.add_cards("0, 24576, 580.65.06, [N/A], NVIDIA TITAN RTX, 7.5")
    assert "Ampere" in said(machine)["LLM"]
    assert machine.settings()["COMPOSE_FILE"] == "docker-compose.yml:docker/gpu.yml"


@pytest.mark.parametrize(
    ("info", "remedy"),
    [
        (" Runtimes: io.containerd.runc.v2 runc\n Kernel Version: 6.8.0-1013-nvidia", "install-guide"),
        (" Runtimes: runc\n Discovered Devices:\n  cdi: nvidia.com/gpu=0", None),
    ],
)
def test_without_the_container_toolkit_all_is_on_the_cpu_with_the_remedy(
    machine: Machine, info: str, remedy: str | None
) -> None:
    machine.add_cards(L4)
    machine.add_docker(info)
    told = said(machine)
    assert (remedy or "nothing") in told["missing"]
    expected = "docker-compose.yml" if remedy else EVERY_FILE
    assert machine.settings()["COMPOSE_FILE"] == expected


def test_podman_needs_a_cdi_file_and_a_machine_without_either_needs_docker(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.add_cards(L4)
    assert "docs.docker.com" in said(machine)["missing"]
    machine.add_program("podman", "true")
    assert "nvidia-ctk cdi generate" in said(machine)["missing"]
    cdi = machine.root / "etc/cdi/nvidia.yaml"
    cdi.parent.mkdir(parents=True)
    cdi.write_text("kind: nvidia.com/gpu\n")
    assert said(machine)["missing"] == "nothing"


def test_the_other_lines_and_files_of_env_stay_and_a_second_run_changes_nothing(machine: Machine) -> None:
    env = machine.folder / ".env"
    files = 'COMPOSE_FILE="docker-compose.yml:docker/browser.yml"'
    env.write_text(f"# mine\nHF_TOKEN='a b'\n{files}\nVLLM_ARGS=--max-model-len 4096\n")
    env.chmod(0o640)
    machine.add_cards(L4)
    machine.detect()
    first = env.read_text()
    assert first.startswith("# mine\nHF_TOKEN='a b'\nVLLM_ARGS=--max-model-len 4096\n")
    assert machine.settings()["COMPOSE_FILE"] == f"{EVERY_FILE}:docker/browser.yml"
    assert env.stat().st_mode & 0o777 == 0o640
    machine.detect()
    assert env.read_text() == first
    machine.add_cards()
    machine.add_program("nvidia-smi", "echo No devices were found; exit 6")
    machine.detect()
    assert env.read_text().startswith("# mine\nHF_TOKEN='a b'\nVLLM_ARGS=--max-model-len 4096\n")
    assert machine.settings()["COMPOSE_FILE"] == "docker-compose.yml:docker/browser.yml"
    assert "LLM_MODEL" not in machine.settings()


def test_an_llm_of_the_operator_s_own_is_kept(machine: Machine) -> None:
    (machine.folder / ".env").write_text("OPENFAZE_LLM_BASE_URL=http://elsewhere:8000/v1\n")
    machine.add_cards(L4)
    assert "elsewhere" in said(machine)["LLM"]
    assert machine.settings()["COMPOSE_FILE"] == "docker-compose.yml:docker/gpu.yml"


@pytest.mark.parametrize("own", ["OPENFAZE_TEXT_GUARD=openfaze", "OPENFAZE_GUARD_BASE_URL=http://elsewhere:8001/v1"])
def test_a_guard_of_the_operator_s_own_is_kept(machine: Machine, own: str) -> None:
    machine.add_cards("0, 81559, 580.65.06, [N/A], NVIDIA H100, 9.0")
    assert TABLE["guard"]["repository"] in said(machine)["LLM"]
    assert machine.settings()["COMPOSE_FILE"] == f"{EVERY_FILE}:docker/guard.yml"
    left = int(machine.settings()["LLM_LEAVES_MB"])
    with (machine.folder / ".env").open("a") as env:
        env.write(f"{own}\n")
    assert TABLE["guard"]["repository"] not in said(machine)["LLM"]
    assert machine.settings()["COMPOSE_FILE"] == EVERY_FILE
    assert "LLM_GUARD_MODEL" not in machine.settings()
    assert int(machine.settings()["LLM_LEAVES_MB"]) > left


def test_a_smaller_row_may_be_asked_for_and_one_that_there_is_not_is_refused(machine: Machine) -> None:
    machine.add_cards(L4)
    machine.environment["GPU_MEMORY"] = "16"
    machine.detect()
    assert model(machine) == TABLE["model"]["qwen3_5_4b_int4"]["repository"]
    machine.environment["GPU_MEMORY"] = "17"
    before = machine.settings()
    refused = machine.detect(check=False)
    assert (refused.returncode, machine.settings()) == (2, before)
    assert "17" in refused.stderr


def test_every_model_of_the_table_is_pinned_with_its_licence() -> None:
    for known in (*TABLE["model"].values(), TABLE["guard"]):
        assert len(known["revision"]) == 40
        assert int(known["revision"], 16)
        assert known["licence"] == "Apache-2.0"
        assert known.get("ampere", True) or known["bits"] == 8
        # A shell reads the table, and writes this into a line that is split at its spaces.
        assert set(known["repository"]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-")
    used = {row[key] for row in TABLE["card"].values() for key in ("model", "model_ampere") if key in row}
    assert used == TABLE["model"].keys()
