"""What engines take of a card, as they declare it: told, counted with, and divided in docs/gpu-memory.md."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from app.cli import pulling
from models.capability import Candidate
from models.catalog import CATALOG
from models.hosts.workplace import CardMemory
from models.setting_types import GPU
from models.speech.capability import WHISPER_LARGE_V3_TURBO
from models.translation.capability import MADLAD_400
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr.onnx_session import Pictures
from models.vision.ppocr.recognizer import LineRecognizer
from models.vision.ppocr.runtimes import open_session
from models.vision.ppocr.session import OcrSession
from models.weights.files import WEIGHT_SETS
from tests import gpu_cards
from tests.conftest import ROOT
from tests.pages import paragraph_page
from tests.parts import finished

PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("gpu-memory", "engines")}
ENGINES = [one for capability in CATALOG.values() for one in capability.engines]
BY_THE_OPERATOR = re.compile(r"the (file|folder|directory) OPENFAZE_")
GIB = 1024**3
CUDA_ITSELF = 500
"""Megabytes of its context and its libraries, once a process."""
MARGIN = 0.5
"""GiB that stay free when all engines compute: vLLM starts again only where its share is free."""
CARDS = {16: 15.6, 24: 22.5, 48: 44.5, 80: 79.2}
"""GiB that are there of each, by its GB."""
TO_COMPUTE = {16: 2.0, 24: 2.3, 48: 2.5, 80: 3.0}
"""GiB that are allowed vLLM for activations, CUDA graphs and the driver's own."""
LLMS = {
    "Qwen/Qwen3-VL-4B-Instruct-FP8": (4.9, 36 * 8 * 128),
    "Qwen/Qwen3-VL-8B-Instruct-FP8": (9.9, 36 * 8 * 128),
    "Qwen/Qwen3.6-35B-A3B-FP8": (34.5, 10 * 2 * 256),
}
"""GiB of the weights; layers × heads × width of what a token leaves of keys, and as much of values, in 16 bits."""


@pytest.mark.parametrize("engine", ENGINES, ids=lambda one: f"{one.spec.capability}-{one.spec.name}")
def test_an_engine_that_a_card_can_compute_says_what_it_takes_of_one(engine: Candidate) -> None:
    where = engine.spec.weights
    may_be_unknown = engine.backend is None or BY_THE_OPERATOR.match(where)
    assert (engine.card is not None) or may_be_unknown
    assert engine.card is None or engine.backend is not None


def table_of_engines() -> Iterator[str]:
    yield "| capability | engine | profile | licence | to fetch | MB of a card |"
    yield f"|{'---|' * 6}"
    for one in ENGINES:
        sets = [known for known in WEIGHT_SETS.values() if pulling.reader_of(known).spec.name == one.spec.name]
        size = sets[0].shown_size + (" …" if len(sets) > 1 else "") if sets else ""
        card = one.card.shown if one.card else ""
        cells = (one.spec.capability, f"`{one.spec.name}`", one.profile, one.spec.licence, size, card)
        yield f"| {' | '.join(cells)} |"


def test_the_page_of_engines_has_every_engine_as_the_catalog_has_it() -> None:
    table = "\n".join(table_of_engines())
    assert table in PAGES["engines"], f"put this into docs/engines.md:\n\n{table}"


def chosen(card: int, setting: str) -> str:
    """What a setting is on a card where nobody sets it."""
    value = gpu_cards.services_of(card)["openfaze"]["environment"][setting]
    return re.fullmatch(rf"\$\{{{setting}:-(\w+)\}}", value)[1]  # type: ignore[index]


def engines_on_a_box(card: int) -> list[tuple[Candidate, CardMemory]]:
    """Those that docker/gpu.yml starts on a card of so many GB, with what they compute together there."""
    readers = [pulling.reader_of(known) for known in WEIGHT_SETS.values() if GPU in known.profiles]
    assert MADLAD_400 in readers
    assert WHISPER_LARGE_V3_TURBO in readers
    taken = []
    for reader in readers:
        assert reader.card is not None
        if reader is WHISPER_LARGE_V3_TURBO:
            items = int(chosen(card, "OPENFAZE_SPEECH_BATCH"))
            taken.append((reader, CardMemory(reader.card.base, reader.card.item, items)))
        elif reader is not MADLAD_400 or chosen(card, "OPENFAZE_TRANSLATE") == "auto":
            taken.append((reader, reader.card))
    return taken


def division() -> Iterator[str]:
    yield (
        "| GB of the card (GiB that are there) | model | share | weights | to compute | for tokens: GiB, and how many "
        "| left for openfaze | its engines, loaded | … and all computing |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for card, there in CARDS.items():
        told = gpu_cards.options_of(card)
        weights, kept = LLMS[told["model"]]
        share = float(told["gpu-memory-utilization"])
        for_tokens = int(told["kv-cache-memory-bytes"]) / GIB
        assert weights + TO_COMPUTE[card] + for_tokens <= there * share, f"{card} GB: more than vLLM's share"
        tokens = int(for_tokens * GIB / (kept * 2 * 2))
        assert tokens > int(told["max-model-len"]), f"{card} GB: one conversation of full length would not fit"
        left = there * (1 - share)
        engines = [CardMemory(CUDA_ITSELF, 0), *(memory for _, memory in engines_on_a_box(card))]
        loaded = sum(one.base for one in engines) * 1e6 / GIB
        all_computing = sum(one.most for one in engines) * 1e6 / GIB
        assert all_computing + MARGIN <= left, f"{card} GB: {all_computing:.2f} GiB of engines in {left:.2f}"
        cells = (
            f"{card} ({there})",
            told["model"].removeprefix("Qwen/"),
            f"{share:.2f} = {there * share:.1f}",
            f"{weights}",
            f"{TO_COMPUTE[card]:g}",
            f"{for_tokens:.1f}: {round(tokens, -3):,}",
            f"{left:.1f}",
            f"{loaded:.1f}",
            f"{all_computing:.1f}",
        )
        yield f"| {' | '.join(cells)} |"


def test_the_division_of_a_cards_memory_adds_up() -> None:
    table = "\n".join(division())
    assert table in PAGES["gpu-memory"], f"put this into docs/gpu-memory.md:\n\n{table}"


def test_what_a_cards_file_chooses_holds_for_who_fetches_and_who_serves() -> None:
    for size in gpu_cards.SIZES:
        services = gpu_cards.services_of(size)
        setting = "OPENFAZE_TRANSLATE"
        assert services["weights"]["environment"][setting] == services["openfaze"]["environment"][setting]


class Widths:
    """A session on the CPU that notes what it computes together."""

    def __init__(self, session: OcrSession) -> None:
        self._session = session
        self.together: list[tuple[int, int]] = []

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        self.together += [(len(pictures), pictures.shape[2]) for pictures in batches]
        return self._session.infer(batches)

    def characters(self) -> str:
        return self._session.characters()


@pytest.mark.parametrize(("device", "most"), [("cpu", 1536), pytest.param("cuda", 12 * 640, marks=pytest.mark.deep)])
def test_lines_are_computed_together_as_their_memory_was_counted(
    device: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Widths] = []

    def opening(path: Path, *, device: str, **options: Any) -> Widths:
        opened.append(Widths(open_session(path, device="cpu", **options)))
        return opened[-1]

    monkeypatch.setattr("models.vision.ppocr.recognizer.open_session", opening)
    engine = LineRecognizer(embedded_weights()[1], device=device, threads=1)
    engine.load()
    page = paragraph_page(lines=12, size=24, width=900, seed=4)
    boxes = [line.box for line in page.lines]
    crops = [page.pixels[max(0, y0 - 4) : y1 + 4, max(0, x0 - 4) : x1 + 4] for x0, y0, x1, y1 in boxes]
    read = [reading.text for reading in finished(engine, crops)]
    assert read == page.text.split("\n")
    [session] = opened
    assert max(count * width for count, width in session.together) <= most
    assert max(count for count, _ in session.together) > 3 or device == "cpu"
