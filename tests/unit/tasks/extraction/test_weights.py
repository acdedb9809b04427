"""The file of fitted weights, and how its names are checked."""

import json
import math
from typing import Any

import pytest

from tasks.extraction.assign import TableFeatures
from tasks.extraction.probability import CALIBRATIONS, WORTHS, Choice
from tasks.extraction.records.fields import MatchFeatures
from tasks.extraction.records.record_lists import RunFeatures, ValueFeatures
from tasks.extraction.weights import FILE, named_weights, weighted

MODELS: dict[str, Any] = {
    "match": MatchFeatures,
    "run": RunFeatures,
    "value": ValueFeatures,
    "choice": Choice,
    "table": TableFeatures,
    **{f"{by}": features for by, features in CALIBRATIONS.items()},
    **{model: CALIBRATIONS[by] for by, model in WORTHS.items()},
}


CHOICE_ROW = {
    "break_even": 0.25,
    "clearly_more": 1.5,
    "least_probability": 0.5,
    "least_of_full": 0.35,
    "rival_share": 0.6,
}


def test_weights_are_told_by_the_names_of_features() -> None:
    backwards = dict(reversed(CHOICE_ROW.items()))
    assert named_weights("choice", backwards, Choice) == Choice(0.25, 1.5, 0.5, 0.35, 0.6)


def test_a_weight_without_a_feature_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the weights of 'choice' lack \[\], and have the unknown \['luck'\]"):
        named_weights("choice", CHOICE_ROW | {"luck": 7.0}, Choice)


def test_a_feature_without_a_weight_is_refused() -> None:
    row = {name: weight for name, weight in CHOICE_ROW.items() if name != "clearly_more"}
    with pytest.raises(ValueError, match=r"lack \['clearly_more'\]"):
        named_weights("choice", row, Choice)


def test_the_file_has_the_weights_of_all_models_and_no_others() -> None:
    rows = json.loads(FILE.read_text("utf-8"))
    assert rows.keys() == MODELS.keys()
    for model, features in MODELS.items():
        assert set(features._fields) == rows[model].keys(), model
        assert all(map(math.isfinite, rows[model].values())), model


def test_features_are_summed_by_their_weights() -> None:
    assert weighted((2.0, -1.0, 0.5), (3.0, 4.0, 1.0)) == 2.5
