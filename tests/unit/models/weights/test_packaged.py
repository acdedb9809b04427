"""Weights that Python packages have, and that come from elsewhere where a package is gone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.base import EngineUnavailable
from models.weights.files import WEIGHT_SETS, WeightFile, WeightSet
from models.weights.pulling import PullFailed, pull
from tests.conftest import each_case
from tests.unit.models.weights.test_files import CONTENT, WeightServer, serving_weights

IN_PACKAGES = [known for known in WEIGHT_SETS.values() if any(file.packaged for file in known.files)]
HALF = len(CONTENT) // 2


@pytest.fixture
def server() -> Iterator[WeightServer]:
    with serving_weights() as server:
        yield server


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of an importable package with CONTENT in two halves."""
    folder = tmp_path / "packages" / "halves_of_weights"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('it is never imported')")
    (folder / "one").write_bytes(CONTENT[:HALF])
    (folder / "two").write_bytes(CONTENT[HALF:])
    monkeypatch.syspath_prepend(folder.parent)  # type: ignore[no-untyped-call]
    return folder


def in_halves(file: WeightFile) -> WeightSet:
    return WeightSet(
        "test", "MIT", (replace(file, packaged=("halves_of_weights/one", "halves_of_weights/two")),), "reads"
    )


@each_case("weights", IN_PACKAGES)
def test_the_packages_have_the_very_files_that_are_fetched_elsewhere(weights: WeightSet, tmp_path: Path) -> None:
    if remedy := weights.remedy(tmp_path):
        pytest.skip(f"needs the packages of requirements/weights.in. {remedy}")
    for file in weights.files:
        assert file.is_whole(tmp_path)
        assert sum(piece.stat().st_size for piece in file.pieces(tmp_path)) == file.size


def test_a_file_in_pieces_is_found_in_its_package_and_not_fetched(
    package: Path, server: WeightServer, tmp_path: Path
) -> None:
    weights = in_halves(server.file("/model", size=len(CONTENT)))
    assert weights.pieces(tmp_path, "ocr") == [(package / "one", package / "two")]
    pull(weights, tmp_path)
    assert not server.requests
    assert weights.comes_from == "inside 'halves-of-weights', or `openfaze pull test`"


def test_without_a_piece_it_is_missing_until_it_was_fetched(
    package: Path, server: WeightServer, tmp_path: Path
) -> None:
    (package / "two").unlink()
    weights = in_halves(server.file("/model", size=len(CONTENT)))
    with pytest.raises(EngineUnavailable) as unavailable:
        weights.paths(tmp_path, "ocr")
    assert (unavailable.value.capability, unavailable.value.remedy) == ("ocr", "Run `openfaze pull test`.")
    pull(weights, tmp_path)
    assert weights.remedy(tmp_path) is None
    [fetched] = weights.paths(tmp_path, "ocr")
    assert fetched == tmp_path / "det" / "model.onnx"
    assert fetched.read_bytes() == CONTENT


def test_another_file_in_the_second_place_is_refused(package: Path, server: WeightServer, tmp_path: Path) -> None:
    (package / "two").unlink()
    weights = in_halves(server.file("/other", size=len(CONTENT)))
    with pytest.raises(PullFailed, match="sha256"):
        pull(weights, tmp_path)
    assert weights.missing(tmp_path) == list(weights.files)


def test_what_is_fetched_takes_the_place_of_a_damaged_package(
    package: Path, server: WeightServer, tmp_path: Path
) -> None:
    (package / "two").write_bytes(CONTENT[HALF:-1] + b"x")
    weights = in_halves(server.file("/model", size=len(CONTENT)))
    pull(weights, tmp_path)
    assert weights.paths(tmp_path, "ocr") == [tmp_path / "det" / "model.onnx"]
