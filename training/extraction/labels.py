"""Fits the model that compares labels with names of fields, and writes `models/extraction/labels.npz`.

`python -m training.extraction.fit labels` runs it, in some two minutes. A field of a written document has several names
and, mostly, a label before its value or above its column. A name has to be more alike to the label, or to another name
of the field, than to the labels of the other fields of a dozen documents, and to other texts of these. How likely a
label names a field is fitted to documents for calibration.
"""

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.extraction.labels import FILE, GROUPS, LabelModel, groups_of
from training.extraction.labelled import LabelledDocument, labelled, sampled, share_nearest
from training.extraction.written import written_documents

DIMENSIONS = 64
EPOCHS, RATE, DOCUMENTS_AT_ONCE = 16, 3e-3, 12
TEMPERATURE = 0.07
DESCRIBED = 0.2
"""A name gets its description in this share of the examples."""
OTHER_TEXTS = 4
"""A step compares the names with so many further texts of each document."""
SEED = 5


def refit() -> None:
    """Fit the model, and write it."""
    torch.manual_seed(SEED)
    written = written_documents()
    training = [labelled(one) for one in written if one.is_trained_with]
    checked = [labelled(one) for one in written if one.is_for_calibration]
    vectors = _fitted(training)
    scale = 127 / np.abs(vectors).max()
    rounded = np.round(vectors * scale).astype(np.int8)
    np.savez_compressed(FILE, vectors=rounded, probability=np.zeros(2, np.float32))
    model = LabelModel()
    probability = _fitted_probability(model, checked)
    share = share_nearest(model, sampled())
    np.savez_compressed(FILE, vectors=rounded, probability=probability, share=np.float32(share))
    print(f"labels: {FILE.stat().st_size} bytes, the nearest of a document's texts is the label of", end=" ")
    print(f"{share:.3f} of the fields of documents of unseen trades", flush=True)


def _fitted(documents: Sequence[LabelledDocument]) -> np.ndarray:  # type: ignore[type-arg]
    rng = random.Random(SEED)
    bag = nn.EmbeddingBag(GROUPS, DIMENSIONS, mode="sum")
    nn.init.normal_(bag.weight, std=0.1)
    optimizer = torch.optim.Adam(bag.parameters(), lr=RATE)
    for epoch in range(EPOCHS):
        order = rng.sample(documents, len(documents))
        losses = []
        for start in range(0, len(order), DOCUMENTS_AT_ONCE):
            names, labels, others = _examples(order[start : start + DOCUMENTS_AT_ONCE], rng)
            scores = _embedded(bag, names) @ _embedded(bag, [*labels, *others]).T / TEMPERATURE
            # Fields of several documents have the same label.
            same = [[one == other and row != column for column, other in enumerate((*labels, *others))]
                    for row, one in enumerate(labels)]  # fmt: skip
            scores = scores.masked_fill(torch.tensor(same), -1e4)
            own = torch.arange(len(names))
            loss = functional.cross_entropy(scores, own) + functional.cross_entropy(scores[:, : len(names)].T, own)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
        print(f"labels: {epoch + 1}: loss {sum(losses) / len(losses):.3f}", flush=True)
    return bag.weight.detach().numpy()  # type: ignore[no-any-return]


def _examples(documents: Sequence[LabelledDocument], rng: random.Random) -> tuple[list[str], list[str], list[str]]:
    """Return names, a label or another name for each, and other texts."""
    names, labels, others = [], [], []
    for document in documents:
        for one in document.fields:
            name = rng.choice(one.names)
            alike = [*[one.label] * bool(one.label) * 2, *(other for other in one.names if other != name)]
            if not alike:
                continue
            described = one.descriptions and rng.random() < DESCRIBED
            names.append(f"{name}: {rng.choice(one.descriptions)}" if described else name)
            labels.append(rng.choice(alike))
        others += rng.sample(document.texts, min(OTHER_TEXTS, len(document.texts)))
    return names, labels, others


def _embedded(bag: nn.EmbeddingBag, texts: Sequence[str]) -> torch.Tensor:
    groups = [groups_of(text) or [0] for text in texts]
    starts = np.cumsum([0, *map(len, groups[:-1])])
    flat = torch.tensor([group for own in groups for group in own])
    return functional.normalize(bag(flat, torch.from_numpy(starts)), dim=1)


def _fitted_probability(model: LabelModel, documents: Sequence[LabelledDocument]) -> np.ndarray:  # type: ignore[type-arg]
    """Return the slope and the bias of a logistic regression for the probability that a label is that of the field,
    among the labels of the document."""
    cosines, are_own = [], []
    for document in documents:
        labels = [one.label for one in document.fields if one.label]
        vectors = model.vectors(labels)
        for one in document.fields:
            if one.label:
                name = model.vectors([one.names[document.digest % len(one.names)]])[0]
                cosines += (vectors @ name).tolist()
                are_own += [label == one.label for label in labels]
    given, own = torch.tensor(cosines), torch.tensor(are_own, dtype=torch.float32)
    weights = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        found = functional.binary_cross_entropy_with_logits(weights[0] * given + weights[1], own)
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimizer.step(loss)  # type: ignore[arg-type]
    print(f"labels: slope {weights[0].item():.2f}, bias {weights[1].item():.2f}", flush=True)
    return weights.detach().numpy().astype(np.float32)
