"""What engines take of a card, as they declare it: told, counted with, and divided in docs/gpu-memory.md."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from app.cli import pulling
from eval.card_memory import Network, engines, figures
from models.capability import Candidate
from models.catalog import CATALOG
from models.hosts.residents import CUDA_BYTES
from models.hosts.workplace import CardMemory
from models.setting_types import GPU
from models.speech.capability import WHISPER_LARGE_V3_TURBO
from models.translation.capability import MADLAD_400
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr.recognizer import LineRecognizer
from models.vision.ppocr.runtimes import open_session
from models.vision.ppocr.session import OcrSession, Pictures
from models.weights.files import WEIGHT_SETS
from tests.conftest import ROOT
from tests.kit.engines.parts import finished
from tests.kit.papers.pages import paragraph_page
from tests.kit.project import gpu_cards

PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("gpu-memory", "engines")}
ENGINES = [one for capability in CATALOG.values() for one in capability.engines]
BY_THE_OPERATOR = re.compile(r"the (file|folder|directory) OPENFAZE_")
GIB = 1024**3
CUDA_ITSELF = CUDA_BYTES // 10**6
MARGIN = 0.5
"""GiB that stay free when all engines compute: vLLM starts again only where its share is free."""


@pytest.mark.parametrize("engine", ENGINES, ids=lambda one: f"{one.spec.capability}-{one.spec.name}")
def test_an_engine_that_a_card_can_compute_says_what_it_takes_of_one(engine: Candidate) -> None:
    where = engine.spec.weights
    may_be_unknown = engine.backend is None or BY_THE_OPERATOR.match(where)
    assert (engine.card is not None) or may_be_unknown
    assert engine.card is None or engine.backend is not None


@pytest.mark.parametrize("engine", list(engines(Path("weights"))), ids=lambda engine: engine[0])
def test_an_engine_declares_what_its_networks_take_by_calculation(
    engine: tuple[str, CardMemory | None, list[Network]],
) -> None:
    _, card, networks = engine
    assert card is not None
    assert 0.6 * card.most < sum(figures(network).session_mb for network in networks) <= card.most


def test_the_memory_of_a_network_is_that_of_its_weights_and_of_what_it_keeps_at_a_time(tmp_path: Path) -> None:
    # x (4 MB) → a → b → b + a: at the sum, a, b and the result are kept.
    kind, shape = onnx.TensorProto.FLOAT, ("batch", 1000, 1000)
    nodes = [
        onnx.helper.make_node("Mul", ["x", "w"], ["a"]),
        onnx.helper.make_node("Exp", ["a"], ["b"]),
        onnx.helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    values = [onnx.helper.make_tensor_value_info(name, kind, shape) for name in "xy"]
    weights = onnx.numpy_helper.from_array(np.ones((1000, 1000), np.float32), "w")
    graph = onnx.helper.make_graph(nodes, "sums", values[:1], values[1:], [weights])
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), tmp_path / "net"
    )
    found = figures(Network(tmp_path / "net", (2, 1000, 1000)))
    assert (found.weights_mb, found.peak_mb) == (4, 3 * 8)


def table_of_engines() -> Iterator[str]:
    yield "| capability | engine | profile | licence | to fetch | MB of a card |"
    yield f"|{'---|' * 6}"
    for one in ENGINES:
        fetched = [known for known in WEIGHT_SETS.values() if not known.files[0].packaged]
        sets = [known for known in fetched if pulling.reader_of(known).spec.name == one.spec.name]
        size = sets[0].shown_size + (" …" if len(sets) > 1 else "") if sets else ""
        card = one.card.shown if one.card else ""
        cells = (one.spec.capability, f"`{one.spec.name}`", one.profile, one.spec.licence, size, card)
        yield f"| {' | '.join(cells)} |"


def test_the_page_of_engines_has_every_engine_as_the_catalog_has_it() -> None:
    table = "\n".join(table_of_engines())
    assert table in PAGES["engines"], f"put this into docs/engines.md:\n\n{table}"


def engines_on_a_box(card: int) -> list[tuple[Candidate, CardMemory]]:
    """Those that docker/gpu.yml starts on a card of so many GB, with what they compute together there."""
    readers = [pulling.reader_of(known) for known in WEIGHT_SETS.values() if GPU in known.profiles]
    # The LLM translates.
    assert MADLAD_400 not in readers
    assert WHISPER_LARGE_V3_TURBO in readers
    taken = []
    for reader in readers:
        assert reader.card is not None
        if reader is WHISPER_LARGE_V3_TURBO:
            items = gpu_cards.TABLE["card"][str(card)]["speech"]
            taken.append((reader, CardMemory(reader.card.base, reader.card.item, items)))
        else:
            taken.append((reader, reader.card))
    return taken


def division() -> Iterator[str]:
    yield (
        "| GB of the card (GiB that are there) | model | share | weights | to compute | for conversations: GiB, and "
        "how many tokens | guard | left for openfaze | its engines, loaded | … and all computing |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    guard = gpu_cards.TABLE["guard"]
    for card in gpu_cards.SIZES:
        row = gpu_cards.TABLE["card"][str(card)]
        there, left, vllm = row["gib"], row["gib"], ["none", "", "", "", "", ""]
        for name in [row[key] for key in ("model_ampere", "model") if key in row]:
            model = gpu_cards.TABLE["model"][name]
            weights, to_compute, for_tokens = model["weights_gib"], row["compute_gib"], row["tokens_gib"]
            of_guard = row.get("guard_share", 0)
            left = there * (1 - row["share"] - of_guard)
            assert weights + to_compute + for_tokens <= there * row["share"], f"{card} GB: more than vLLM's share"
            states = row["conversations"] * model["conversation_mib"] / 1024
            tokens = int((for_tokens - states) * 1024**2 / model["token_kib"])
            assert tokens > row["context"] * (4 if card == 24 else 1), f"{card} GB: too few tokens"
            if of_guard:
                needed = guard["weights_gib"] + guard["compute_gib"] + guard["tokens_gib"]
                assert needed <= there * of_guard, f"{card} GB: the guard has more than its share"
                assert guard["tokens_gib"] * 1024**2 >= guard["token_kib"] * guard["context"]
            share = f"{row['share']:.2f} = {there * row['share']:.1f}"
            conversations = f"{for_tokens:.1f}: {round(tokens, -3):,}"
            vllm = [model["repository"].partition("/")[2], share, f"{weights}", f"{to_compute:g}", conversations]
            vllm.append(f"{there * of_guard:.1f}" if of_guard else "none")
        engines = [CardMemory(CUDA_ITSELF, 0), *(memory for _, memory in engines_on_a_box(card))]
        loaded = sum(one.base for one in engines) * 1e6 / GIB
        all_computing = sum(one.most for one in engines) * 1e6 / GIB
        assert all_computing + MARGIN <= left, f"{card} GB: {all_computing:.2f} GiB of engines in {left:.2f}"
        cells = (f"{card} ({there})", *vllm, f"{left:.1f}", f"{loaded:.1f}", f"{all_computing:.1f}")
        yield f"| {' | '.join(cells)} |"


def test_the_division_of_a_cards_memory_adds_up() -> None:
    table = "\n".join(division())
    assert table in PAGES["gpu-memory"], f"put this into docs/gpu-memory.md:\n\n{table}"


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


@pytest.mark.parametrize(("device", "most"), [("cpu", 1536), pytest.param("cuda", 2560, marks=pytest.mark.deep)])
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
