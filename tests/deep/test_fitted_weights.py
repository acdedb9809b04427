"""The weights of extraction in the package are what `training.extraction.fit` makes of the documents.

A whole fit takes half an hour. So a part of the documents is fitted here, and the weights in the package must explain
it nearly as well as the weights that know nothing else. A weight that somebody typed, or a feature that changed its
meaning since the last fit, explains it worse. The network's file has the loss that it had after its fit.
"""

from typing import Any

import numpy as np
import pytest

from models.embedding.minilm import MiniLm
from models.extraction.labels import FILE as LABELS
from models.extraction.labels import LabelModel
from models.extraction.network import FILE, ExtractionNetwork
from tasks.extraction.probability import CALIBRATIONS, Source
from training.extraction import labelled, network_loss
from training.extraction.fit import (
    KEPT,
    LEFT,
    SHRUNK,
    SIGNS,
    calibration_documents,
    samples_by_source,
    values_in,
    weights_in_file,
)
from training.extraction.regression import SHRINK, Sample, fitted, log_loss

pytestmark = pytest.mark.deep

ONE_IN = 5
"""One in so many of the documents is fitted here."""
WORSE = 1.15
"""The loss may be so many times that of the fit to these documents alone, which is too good for any others."""
SAME = 0.01
"""The network's loss on its sample may differ by this from that after its fit."""
SOURCES = [source for source in CALIBRATIONS if source not in LEFT]


@pytest.fixture(scope="module")
def samples() -> dict[Source, list[Sample[Any]]]:
    return samples_by_source(values_in(calibration_documents()[::ONE_IN]))


@pytest.mark.parametrize("source", SOURCES)
def test_probabilities_have_fitted_weights(source: Source, samples: dict[Source, list[Sample[Any]]]) -> None:
    row = weights_in_file()[source]
    kept = {name: row[name] for name in KEPT.get(source, ())}
    own = samples[source]
    best = log_loss(own, fitted(own, kept, SHRUNK.get(source, SHRINK), SIGNS.get(source)))
    assert log_loss(own, CALIBRATIONS[source](**row)) < WORSE * best, source
    # A typed weight is noticed.
    typed = row | {"bias": row["bias"] + 3}
    assert log_loss(own, CALIBRATIONS[source](**typed)) > WORSE * best, source


def test_the_network_is_the_fitted_one() -> None:
    minilm = MiniLm(threads=1)
    minilm.load()
    with np.load(FILE) as file:
        fitted_loss, digests = float(file["fitted_loss"]), set(map(int, file["sampled"]))
    examples = network_loss.examples_of(digests, minilm)
    assert len(examples) > len(digests) / 2, "documents of the sample were changed"
    assert network_loss.loss(ExtractionNetwork(), examples) == pytest.approx(fitted_loss, abs=SAME)


def test_the_model_of_labels_is_the_fitted_one() -> None:
    with np.load(LABELS) as file:
        share = float(file["share"])
    assert labelled.share_nearest(LabelModel(), labelled.sampled()) == pytest.approx(share, abs=0.01)
