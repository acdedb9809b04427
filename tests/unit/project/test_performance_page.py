"""The commands that measure: engines do real work, peers take turns, and the page keeps every machine's figures."""

import re
from pathlib import Path

import pytest

from app.assembly.building import build_runtime
from app.settings import Settings
from bench.devices import (
    PERFORMANCE,
    WORK,
    first_word,
    heard_whole,
    machine,
    measured,
    put,
    rows,
    section,
    versions,
)
from bench.flames import TITLE as FLAMES
from bench.peers import PARTS, QUICK, TITLE, Figure
from bench.peers import section as section_of_peers
from models.catalog import CATALOG
from models.devices.device import CPU

FIGURE = r"(?:[\d.,]+ .+ a second|first word on \d+ characters after [\d,]+ ms|[\d.,]+ minutes of speech in [\d.,]+ s)"
ROW = re.compile(rf"\| (\w+)(?:, whole)? \| `([\w.-]+)` \| (cpu|cuda) \| {FIGURE} \| ([\d,]*) \|")


@pytest.mark.parametrize(
    "capability", ["diarization", "embedding", pytest.param("forecast", marks=pytest.mark.deep), "text_guard"]
)
async def test_what_is_measured_is_what_the_engine_does(capability: str) -> None:
    work, runtime = WORK[capability], build_runtime(Settings(_env_file=None, device=CPU))
    answer = await work.run(runtime, 0)
    assert answer.said or answer.numbers
    figure = await measured(work, runtime, CPU, 0)
    assert float(figure.split()[0].replace(",", "")) > 0
    assert figure.endswith(f" {work.unit} a second")
    await runtime.close()


@pytest.mark.deep
async def test_an_llm_is_measured_by_its_first_word() -> None:
    runtime = build_runtime(Settings(_env_file=None, device=CPU))
    assert re.fullmatch(r"first word on \d+ characters after [\d,]+ ms", await first_word(runtime, CPU))
    await runtime.close()


async def test_a_row_names_the_engine_and_where_it_ran() -> None:
    [row] = [row async for row in rows(CPU, 0, ["embedding"])]
    assert ROW.fullmatch(row)


def test_a_machines_new_figures_take_the_place_of_its_old_ones() -> None:
    page = "# Performance\n\nText.\n"
    old, new, other = (section(title, day, ["| x |"]) for title, day in (("A", "then"), ("A", "now"), ("B", "then")))
    both = put(put(page, old), other)
    assert both.startswith(page)
    assert old in both
    assert other in both
    later = put(both, new)
    assert old not in later
    assert later == put(put(page, other), new)


def test_what_only_a_part_measured_leaves_the_other_rows_and_says_when_each_was() -> None:
    rows = [
        "| ocr | `x` | cpu | 1 a second |  |",
        "| ocr | `x` | cuda | 9 a second | 5 |",
        "| llm | `y` | cpu | 2 |  |",
    ]
    page = put("# Performance\n", section("A", "Yesterday.", rows))
    newer = ["| ocr | `x` | cuda | 12 a second | 6 |", "| translate | `z` | cpu | 3 a second |  |"]
    for day in ("Today", "Tomorrow"):
        page = put(page, section("A", f"{day}.", newer), ["ocr", "translate"])
    assert page == put(
        "# Performance\n",
        section("A", "Yesterday.\n\nocr, translate: Tomorrow.", [rows[0], newer[0], rows[2], newer[1]]),
    )
    assert put(page, section("A", "All.", rows)) == put("# Performance\n", section("A", "All.", rows))
    # Peers' rows are named by their first cell alone.
    figures = section_of_peers(["| a hit | 2 ms |", "| idle | 3 MB |"], "Yesterday.")
    one = put(put("# Performance\n", figures), section_of_peers(["| a hit | 1 ms |"], "Today."), ["cache"], named_by=1)
    assert [line for line in one.splitlines() if "ms" in line or "MB" in line][-2:] == [
        "| a hit | 1 ms |",
        "| idle | 3 MB |",
    ]
    # A part of what was never measured here is a section of its own.
    assert put("# Performance\n", section("A", "Today.", newer), ["ocr"]) == put(
        "# Performance\n", section("A", "Today.", newer)
    )


@pytest.mark.deep
async def test_a_recording_is_heard_as_for_a_caller() -> None:
    row = await heard_whole(CPU, 0.2)
    assert ROW.fullmatch(row)
    assert row.startswith("| speech_to_text, whole | `whisper-base` | cpu | 0.2 minutes of speech in ")


def test_the_page_has_rows_of_engines_that_there_are() -> None:
    _, *sections = re.split(r"^## ", PERFORMANCE.read_text(), flags=re.MULTILINE)
    assert sections
    for one in sections:
        if one.startswith((TITLE, FLAMES)):
            continue
        found = [ROW.fullmatch(line) for line in one.splitlines() if line.startswith("| ") and "`" in line]
        assert found
        for row in found:
            assert row is not None
            assert row[2] in {engine.spec.name for engine in CATALOG[row[1]].engines}
            assert bool(row[4]) is (row[3] == "cuda")


def test_machine_and_versions_are_said() -> None:
    assert "CPUs" in machine()
    assert {"openfaze", "Python", "onnxruntime"} <= set(re.split(r"[ ,]+", versions()))


def test_a_figure_stands_beside_its_aim_and_says_what_has_changed() -> None:
    page = "\n".join(["| a hit | 1.50 ms | ≤ 2.00: met |  |  |", "| pages, 8 callers | 2,000 a second |  |  |  |"])
    assert Figure("a hit", 1.8, "ms", aim=2.0).row(page) == "| a hit | 1.80 ms | ≤ 2.00: met |  | +20% **worse** |"
    assert Figure("a hit", 2.1, "ms", aim=2.0).row("") == "| a hit | 2.10 ms | ≤ 2.00: **missed** |  |  |"
    pages = Figure("pages, 8 callers", 1500, "a second", 1200, rising=True, others={"raw": 0.5})
    assert pages.row(page) == "| pages, 8 callers | 1,500 a second | ≥ 1,200: met | raw 0.5 | -25% **worse** |"
    assert pages.change("| pages, 8 callers | 1,400 a second |") == "+7%"
    assert Figure("pages, 8 callers", 900, "a second", 1200, rising=True).row("").count("missed") == 1


def test_figures_against_others_are_kept_beside_those_of_the_engines() -> None:
    engines, peers = section("2 CPUs", "then", ["| x |"]), section_of_peers(["| y |"], "now")
    page = put(put("# Performance\n", engines), peers)
    assert engines in page
    assert put(page, peers) == page


@pytest.mark.deep
def test_a_part_of_the_comparison_measures_real_servers(tmp_path: Path) -> None:
    [hit] = PARTS["cache"](QUICK, tmp_path)
    assert (hit.unit, hit.aim) == ("ms", 2.0)
    assert hit.value > 0
