"""Which weights `openfaze pull` lists, which of them a name means, and what it says while it fetches them."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.cli.pulling import NothingToPull, fetch, left_out, reader_of, sets_named, sets_of
from app.settings import Settings
from models.catalog import CATALOG
from models.weights.files import RECOMMENDED, WEIGHT_SETS, WeightSet
from models.weights.pulling import PullFailed
from tests.conftest import each_case
from tests.unit.models.weights.test_files import CONTENT, WeightServer, serving_weights

NAMES = ("rf-detr-seg-small", "whisper-small")


def settings(folder: Path | str = "weights", **choices: str) -> Settings:
    return Settings(_env_file=None, weights_dir=str(folder), **choices)  # type: ignore[arg-type]


def set_named(name: str, given: Settings) -> WeightSet:
    [known] = sets_named(name, given)
    return known


@pytest.mark.parametrize(("capability", "name"), RECOMMENDED.items())
def test_a_capability_means_its_recommended_set(capability: str, name: str) -> None:
    assert set_named(capability, settings()).name == name


def test_a_capability_means_the_set_of_the_engine_that_was_chosen_for_it() -> None:
    assert set_named("ocr", settings(ocr="paddleocr")).name == "paddleocr"
    assert set_named("speech_to_text", settings(speech_to_text="whisper-base")).name == "whisper-base"


@each_case("name", [*CATALOG, *(one.spec.name for capability in CATALOG.values() for one in capability.engines)])
def test_every_capability_and_engine_means_a_set_or_says_how_it_comes_by_its_weights(name: str) -> None:
    engines = [one.spec for capability in CATALOG.values() for one in capability.engines]
    told = [f"{spec.name}: {spec.weights}." for spec in engines if name in (spec.name, spec.capability)]
    if name in WEIGHT_SETS or name in RECOMMENDED:
        assert reader_of(set_named(name, settings())).spec.name in [line.partition(":")[0] for line in told]
        return
    with pytest.raises(NothingToPull) as reason:
        set_named(name, settings())
    assert all(line in str(reason.value) for line in told) or "has several sets" in str(reason.value)


@pytest.mark.parametrize(
    ("choices", "differing", "said"),
    [
        ({}, {}, []),
        ({"translate": "llm"}, {}, []),
        (
            {"object_detection": "fastestdet"},
            {"rf-detr-seg-small": None},
            ["Without rf-detr-seg-small (~135 MB), as OPENFAZE_OBJECT_DETECTION=fastestdet."],
        ),
        ({"ocr": "off"}, {"pp-ocrv6-medium": None}, ["Without pp-ocrv6-medium (~139 MB), as OPENFAZE_OCR=off."]),
        ({"image_guard": "on", "translate": "madlad-400"}, {}, []),
        (
            {"speech_to_text": "whisper-small"},
            {"whisper-large-v3-turbo": "whisper-small"},
            ["Without whisper-large-v3-turbo (1.6 GB), as OPENFAZE_SPEECH_TO_TEXT=whisper-small."],
        ),
    ],
)
def test_a_profile_has_no_set_that_nothing_would_read(
    choices: dict[str, str], differing: dict[str, str | None], said: list[str]
) -> None:
    expected = [differing.get(known.name, known.name) for known in sets_of("gpu")]
    assert [known.name for known in sets_named("gpu", settings(**choices))] == [name for name in expected if name]
    assert list(left_out("gpu", settings(**choices))) == said
    assert not list(left_out("madlad-400", settings(**choices)))


def test_of_several_sets_one_that_cannot_be_fetched_keeps_none_of_the_others(
    server: WeightServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = replace(server.file("/model", size=len(CONTENT)), path="damaged", sha256="0" * 64)
    whole = server.file("/model", size=len(CONTENT))
    sets = [
        WeightSet(name, "MIT", (file,), "x")
        for name, file in (("rf-detr-seg-small", damaged), ("whisper-small", whole))
    ]
    with pytest.raises(PullFailed, match="its sha256 is"):
        fetch(sets, settings(tmp_path))
    said = capsys.readouterr().err
    assert "6 MB in total" in said
    assert "rf-detr-seg-small could not be fetched: its sha256 is " in said
    assert "whisper-small is here" in said
    assert (tmp_path / whole.path).read_bytes() == CONTENT


def test_what_several_sets_need_together_must_fit_on_the_disk(
    server: WeightServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4_000_000))
    files = [replace(server.file("/model", size=len(CONTENT)), path=name) for name in "ab"]
    sets = [WeightSet(name, "MIT", (file,)) for name, file in zip(NAMES, files, strict=True)]
    with pytest.raises(PullFailed, match="rf-detr-seg-small and whisper-small need 6 MB"):
        fetch(sets, settings(tmp_path))
    assert not server.requests


def test_an_unknown_name_gets_a_guess_and_the_list() -> None:
    with pytest.raises(
        NothingToPull, match=r"no weights 'wisper-small'\. Did you mean 'whisper-small'\?\n\nWeights in"
    ):
        set_named("wisper-small", settings())


@pytest.fixture
def server() -> Iterator[WeightServer]:
    with serving_weights() as server:
        yield server


def test_fetching_says_how_much_and_where_to_and_then_what_the_engine_still_lacks(
    server: WeightServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = server.file("/model", size=len(CONTENT))
    fetch([WeightSet("paddleocr", "Apache-2.0", (file,), "reads")], settings(tmp_path))
    first, *_, done, lacking = capsys.readouterr().err.splitlines()
    assert first == f"Fetching paddleocr (3 MB, Apache-2.0): reads. Into {tmp_path}."
    assert done == "paddleocr is here, with every checksum correct"
    assert lacking.startswith("'paddleocr' cannot run yet. ")
    assert "openfaze install standard`" in lacking
