"""tests/boxes/card/run on a machine without a card, and what is written from what it finds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.devices.device import DRIVER
from tests.boxes.card.page import PAGE, with_proof
from tests.conftest import ROOT

OK = {"ok": True, "ended_after_s": 10.2, "first_ms": 1234, "pieces_per_second": 61.5}
ENGINE = {
    "capability": "ocr",
    "engine": "pp-ocrv6-small",
    "ok": True,
    "same": True,
    "difference": 0.0125,
    "per_second": 8.25,
    "unit": "pages",
    "free_before": 20_000_000_000,
    "free_loaded": 19_000_000_000,
    "free_after": 18_500_000_000,
    "free_unloaded": 19_900_000_000,
}


def found(**values: object) -> dict[str, Any]:
    about = {"machine": "NVIDIA X9, 8 CPUs", "versions": "openfaze 1", "day": "2026-01-02", "seconds": 300, "card": {}}
    return {**about, "card": {"driver": "580"}, "engines": [ENGINE], "stream": OK, "hang": OK, "break": OK, **values}


def test_a_machine_has_one_row_and_with_a_card_a_section() -> None:
    page = with_proof(PAGE.read_text(), found())
    assert with_proof(page, found()) == page
    newer = with_proof(page, found(day="2026-01-03"))
    assert newer.count("| NVIDIA X9, 8 CPUs, 2026-01-0") == 1
    assert "| ocr | `pp-ocrv6-small` | yes, 0.013 | 8.25 pages | 1,000 | 1,500 | 100 |" in newer
    assert newer.count("## Proved on NVIDIA X9, 8 CPUs") == 1


def test_without_a_card_there_is_a_row_that_says_so_and_no_section() -> None:
    broken = {**OK, "ok": False}
    page = with_proof(PAGE.read_text(), found(card=None, hang=broken))
    [row] = [line for line in page.splitlines() if "NVIDIA X9" in line]
    assert "| no card: NVIDIA X9, 8 CPUs, 2026-01-02, 300 s |" in row
    assert "not as they should be: hang" in row
    assert "## Proved on" not in page


@pytest.mark.deep
@pytest.mark.skipif(DRIVER.obstacle() is None, reason="there is a card: run tests/boxes/card/run")
def test_it_runs_through_on_the_cpu_and_says_that_no_card_was_there(tmp_path: Path) -> None:
    out = tmp_path / "proof.json"
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPENFAZE_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.boxes.card.proof", out, "--seconds", "0"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No card was there" in done.stdout
    proof = json.loads(out.read_text())
    assert (proof["ok"], proof["card"], proof["device"]) == (True, None, "cpu")
    assert {"ocr", "object_detection", "speech_to_text"} <= {one["capability"] for one in proof["engines"]}
    assert all(one["per_second"] > 0 for one in proof["engines"])
    for kind in ("hang", "break"):
        assert (proof[kind]["answered"], proof[kind]["exit_statuses"], proof[kind]["answered_again"]) == (
            500,
            [70],
            200,
        )
    assert (proof["stream"]["status"], proof["stream"]["whole"]) == (200, True)
