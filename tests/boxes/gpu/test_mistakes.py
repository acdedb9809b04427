"""What an operator sees who has set something wrong, or has no room left. No LLM is started."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boxes.gpu.box import Box, Parts, boxed


@pytest.fixture
def box(parts: Parts, tmp_path: Path) -> Iterator[Box]:
    with boxed(tmp_path / "box", parts) as box:
        yield box


def test_an_llm_that_nothing_was_chosen_for_is_refused_before_anything_starts(box: Box) -> None:
    del box.variables["LLM_MODEL"]
    refused = box.compose("up", "--detach", "--no-build", check=False)
    assert refused.returncode != 0
    assert "docker/detect" in refused.stderr


def test_a_disk_without_room_for_the_weights_is_named_and_the_server_starts_without_them(box: Box) -> None:
    memory = {"driver": "local", "driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "nr_blocks=3072,mode=1777"}}
    box.add("disk.yml", json.dumps({"volumes": {"weights": memory}}))
    box.start("hub")
    box.start("openfaze")
    box.wait_until_ready()
    assert box.inspected(".State.ExitCode", "weights") != "0"
    assert "MB, and /var/lib/openfaze/weights has 13 MB left" in box.logs("weights")
    [missing] = [json.loads(line) for line in box.logs().splitlines() if '"weights_missing"' in line]
    assert "pp-ocrv6-medium" in missing["sets"]
    assert (box.engine_of("ocr"), box.reads()) == ("pp-ocrv6-small", "It works!")
