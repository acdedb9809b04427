"""Every set of weights that `openfaze pull` can fetch, from the weights.toml beside the engines that read them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.weights import WeightFile, WeightSet


def _tables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(Path(__file__).parent.rglob("weights.toml")):
        found |= tomllib.loads(file.read_text("utf-8"))
    return found


def _weight_set(name: str, row: Mapping[str, Any]) -> WeightSet:
    files = tuple(WeightFile(**file) for file in row["files"])
    pairs = tuple((source, target) for source, target in row.get("pairs", ()))
    return WeightSet(name, row["licence"], files, row["purpose"], row.get("about_mb"), pairs)


_TABLES = _tables()

WEIGHT_SETS: Mapping[str, WeightSet] = {name: _weight_set(name, row) for name, row in _TABLES.items()}
"""By name."""

RECOMMENDED: Mapping[str, str] = {
    row["recommended_for"]: name for name, row in _TABLES.items() if "recommended_for" in row
}
"""The set that `openfaze pull <capability>` fetches, unless the operator chose an engine of another one."""
