"""The file of fitted weights, and how its names are checked."""

import json
import math
from typing import Any

import pytest

from tasks.extraction.assign import TableFeatures
from tasks.extraction.probability import CALIBRATIONS, Choice
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
}


def test_weights_are_told_by_the_names_of_features() -> None:
    row = {"break_even": 0.25, "clearly_more": 1.5, "rival_share": 0.6}
    assert named_weights("choice", row, Choice) == Choice(rival_share=0.6, clearly_more=1.5, break_even=0.25)


def test_a_weight_without_a_feature_is_refused() -> None:
    row = {"break_even": 0.25, "clearly_more": 1.5, "rival_share": 0.6, "luck": 7.0}
    with pytest.raises(ValueError, match=r"the weights of 'choice' lack \[\], and have the unknown \['luck'\]"):
        named_weights("choice", row, Choice)


def test_a_feature_without_a_weight_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lack \['clearly_more', 'rival_share'\]"):
        named_weights("choice", {"break_even": 0.25}, Choice)


def test_the_file_has_the_weights_of_all_models_and_no_others() -> None:
    rows = json.loads(FILE.read_text("utf-8"))
    assert rows.keys() == MODELS.keys()
    for model, features in MODELS.items():
        assert set(features._fields) == rows[model].keys(), model
        assert all(map(math.isfinite, rows[model].values())), model


def test_features_are_summed_by_their_weights() -> None:
    assert weighted((2.0, -1.0, 0.5), (3.0, 4.0, 1.0)) == 2.5
