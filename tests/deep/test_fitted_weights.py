"""The weights of extraction in the package are what `training.extraction.fit` makes of the documents.

A whole fit takes half an hour. So a part of the documents is fitted here, and the weights in the package must explain
it nearly as well as the weights that know nothing else. A weight that somebody typed, or a feature that changed its
meaning since the last fit, explains it worse.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from tasks.extraction.records.fields import WEIGHTS, MatchFeatures
from tasks.extraction.records.record_lists import RUN_WEIGHTS, VALUE_WEIGHTS
from training.extraction.fit import lists_in
from training.extraction.fit_records import RunSample, match_samples, run_samples
from training.extraction.regression import Sample, fitted, log_loss
from training.extraction.written import WrittenDocument, written_documents

pytestmark = pytest.mark.deep

ONE_IN = 12
"""One in so many of the documents is fitted here."""
WORSE = 1.1
"""The loss may be so many times that of the fit to these documents alone, which is too good for any others."""


@pytest.fixture(scope="module")
def documents() -> Sequence[WrittenDocument]:
    return [one for one in written_documents() if one.is_trained_with and one.has_lists][::ONE_IN]


@pytest.fixture(scope="module")
def matches(documents: Sequence[WrittenDocument]) -> Sequence[Sample[MatchFeatures]]:
    return [one for document in documents for own in lists_in(document) for one in match_samples(own)]


@pytest.fixture(scope="module")
def runs(documents: Sequence[WrittenDocument]) -> Sequence[RunSample]:
    return [one for document in documents for own in lists_in(document) for one in run_samples(own)]


def loss_of(samples: Sequence[Sample[Any]], weights: Sequence[float]) -> float:
    """Return the loss by weights, as a multiple of the loss by the weights that are fitted to the samples."""
    return log_loss(samples, weights) / log_loss(samples, fitted(samples))


def test_columns_of_records_are_matched_by_fitted_weights(matches: Sequence[Sample[MatchFeatures]]) -> None:
    assert loss_of(matches, WEIGHTS) < WORSE


def test_records_are_scored_by_fitted_weights(runs: Sequence[RunSample]) -> None:
    assert loss_of([one.run for one in runs], RUN_WEIGHTS) < WORSE


def test_values_of_records_have_fitted_weights(runs: Sequence[RunSample]) -> None:
    assert loss_of([value for one in runs for value in one.values], VALUE_WEIGHTS) < WORSE


def test_a_typed_weight_is_noticed(matches: Sequence[Sample[MatchFeatures]]) -> None:
    assert loss_of(matches, WEIGHTS._replace(label=-WEIGHTS.label)) > WORSE
    assert loss_of(matches, WEIGHTS._replace(order=WEIGHTS.order + 4)) > WORSE
