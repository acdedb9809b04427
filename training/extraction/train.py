"""Fits the network that scores spans, and writes `models/extraction/extractor.npz`.

.venv-torch/bin/python -m training.extraction.train ../shared/data/receipts   all of it
.venv-torch/bin/python -m training.extraction.train                           the meanings of new concepts alone

The file in this repository was fitted in two steps: one epoch on 9,000 documents of the first 72 templates, then four
epochs on 12,000 documents of all 192 templates and 3,600 documents of the first 72.
"""

import argparse
import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.embedding.minilm import MiniLm
from models.extraction.network import FILE, nearest_label
from tasks.extraction.concepts import CONCEPTS
from training.extraction.documents import documents
from training.extraction.examples import (
    Receipt,
    TrainingExample,
    TrainingField,
    example,
    is_held_out,
    made_example,
    meanings,
    passage_of,
    receipts,
)

NAMES = json.loads(Path(__file__).with_name("receipt_names.json").read_text("utf-8"))
WIDTH, SECOND, WORDS = 320, 64, 48
EPOCHS = 5
TIMES = 4
"""Number of times that each receipt is used, each time with other names, because there are many more generated
documents than receipts."""
LISTED = 0.3
"""Weight of a column of a table, relative to a single field."""
AT_ONCE = 8
"""Number of documents per step."""


def receipt_fields(receipt: Receipt, rng: random.Random, *, plain: bool = False) -> Iterator[TrainingField]:
    """Return the fields of a receipt, each under one of its names; with `plain`, under the data set's names."""
    for key, value in receipt.fields.items():
        name = key if plain else rng.choice(NAMES[key])
        name, _, told = name.partition("|")
        schema: dict[str, Any] = {"type": "string"}
        if told:
            schema["description"] = told
        yield TrainingField((name,), schema, value)
    if not plain:
        for name in rng.sample(NAMES["absent"], 2):
            yield TrainingField((name,), {"type": "string"}, None)


class Trained(nn.Module):
    """The network of `models.extraction.network`, for gradients."""

    def __init__(self, still: int, kinds: int, slots: int, named: int) -> None:
        super().__init__()

        def weight(rows: int, columns: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, columns) / math.sqrt(rows))

        whole = kinds + named + WORDS
        self.text, self.field = weight(384, WORDS), weight(384, WORDS)
        self.still, self.seen, self.whole = weight(still, WIDTH), weight(4 * WORDS, WIDTH), weight(whole, WIDTH)
        self.pair, self.meaning = weight(slots * named, WIDTH), weight(4 * WORDS, WIDTH)
        self.bias = nn.Parameter(torch.zeros(WIDTH))
        self.second, self.second_bias = weight(WIDTH, SECOND), nn.Parameter(torch.zeros(SECOND))
        self.last = nn.Parameter(torch.randn(SECOND) / math.sqrt(SECOND))
        self.none, self.none_bias = weight(whole + 1, SECOND), nn.Parameter(torch.zeros(SECOND))
        self.none_last = nn.Parameter(torch.randn(SECOND) / math.sqrt(SECOND))

    def forward(self, one: dict[str, torch.Tensor], drop: float) -> torch.Tensor:
        vectors = torch.cat([one["vectors"], torch.zeros(1, 384)])
        known = functional.dropout(vectors @ self.text, drop, self.training)
        field = functional.dropout(one["fields"] @ self.field, drop, self.training)
        labels, near = one["labels"], one["near"]
        places = torch.stack([one["texts"][:, 0], one["texts"][:, 1], near, labels[:, 2]], 1)
        seen = known[places]
        best = one["matches"][:, near].amax(1)
        whole = torch.cat([one["kinds"], best, field], 1)
        own = one["still"] @ self.still + seen.flatten(1) @ self.seen
        pair = one["matches"][:, labels].flatten(2) @ self.pair
        meaning = (seen[None] * field[:, None, None]).flatten(2) @ self.meaning
        hidden = functional.relu(own[None] + (whole @ self.whole + self.bias)[:, None] + pair + meaning)
        hidden = functional.dropout(hidden, drop, self.training)
        scores = functional.relu(hidden @ self.second + self.second_bias) @ self.last
        most = scores.amax(1, keepdim=True).clamp(min=0)
        none = functional.relu(torch.cat([whole, most], 1) @ self.none + self.none_bias) @ self.none_last
        return torch.cat([scores, none[:, None]], 1)


def tensors(one: TrainingExample) -> dict[str, torch.Tensor]:
    count = len(one.vectors)
    labels = np.where(one.labels < 0, count, one.labels)
    near = nearest_label(one.labels)
    return {
        "still": torch.from_numpy(one.still),
        "labels": torch.from_numpy(labels.astype(np.int64)),
        "near": torch.from_numpy(np.where(near < 0, count, near).astype(np.int64)),
        "texts": torch.from_numpy(one.texts.astype(np.int64)),
        "vectors": torch.from_numpy(one.vectors.astype(np.float32)),
        "kinds": torch.from_numpy(one.kinds),
        "fields": torch.from_numpy(one.fields.astype(np.float32)),
        "matches": torch.from_numpy(one.matches),
        "answers": torch.from_numpy(one.answers),
        "listed": torch.from_numpy(one.listed),
    }


def varied(one: dict[str, torch.Tensor], rng: random.Random) -> dict[str, torch.Tensor]:
    """Return the example unchanged, without embeddings, or with unknown concepts for some fields, at random."""
    one = dict(one)
    draw = rng.random()
    if draw < 0.05:
        one["vectors"], one["fields"] = torch.zeros_like(one["vectors"]), torch.zeros_like(one["fields"])
        one["matches"] = one["matches"].clone()
        one["matches"][:, :, 4:8] = one["matches"][:, :, 10:] = 0
    elif draw < 0.35:
        # These fields are trained as if their names were missing from the table of labels.
        without = torch.rand(len(one["fields"])) < 0.5
        one["matches"] = one["matches"].clone()
        one["matches"][without, :, :2] = 0
        one["kinds"] = one["kinds"].clone()
        one["kinds"][without, -6:] = 0
    return one


def loss_of(scores: torch.Tensor, one: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the loss. For a single field, the probability of any right span counts; for a field in a list, the
    probability of each span."""
    answers, listed = one["answers"], one["listed"]
    sayable = answers.any(1) & ~listed
    kept = scores[sayable]
    right = kept.masked_fill(~answers[sayable], -1e9).logsumexp(1)
    loss = (kept.logsumexp(1) - right).sum()
    if listed.any():
        odds, said = scores[listed, :-1] - scores[listed, -1:], answers[listed, :-1].float()
        each = functional.binary_cross_entropy_with_logits(odds, said, reduction="none")
        # Right spans get more weight, because few of the spans are cells.
        loss = loss + LISTED * (each * (1 + 9 * said)).sum(1).div(1 + said.sum(1)).sum()
    return loss


def fit(
    examples: Sequence[TrainingExample], held_out: Mapping[str, Sequence[TrainingExample]], epochs: int = EPOCHS
) -> Trained:
    torch.manual_seed(0)
    rng = random.Random(0)
    ready = [tensors(one) for one in examples]
    still, kinds = examples[0].still.shape[1], examples[0].kinds.shape[1]
    network = Trained(still, kinds, examples[0].labels.shape[1], examples[0].matches.shape[2])
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
    # The mean of the weights after many steps varies less than the weights after one step.
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    steps = epochs * math.ceil(len(ready) / AT_ONCE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.15)
    for epoch in range(epochs):
        network.train()
        order = rng.sample(range(len(ready)), len(ready))
        began, total, count = time.monotonic(), 0.0, 0
        for start in range(0, len(order), AT_ONCE):
            losses = []
            for index in order[start : start + AT_ONCE]:
                one = varied(ready[index], rng)
                losses.append(loss_of(network(one, 0.1), one))
                count += len(one["answers"])
            loss = torch.stack(losses).sum() / AT_ONCE
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            averaged.update_parameters(network)
            total += loss.item() * AT_ONCE
        line = {name: accuracy(averaged.module, group) for name, group in held_out.items()}
        print(f"{epoch + 1}: loss {total / count:.3f}, {time.monotonic() - began:.0f} s, {line}", flush=True)
    return averaged.module


def accuracy(network: Trained, group: Sequence[TrainingExample]) -> str:
    """Return the share of fields whose most probable span is right, and the F1 score of the cells of lists."""
    network.eval()
    right = count = hits = said = meant = 0
    with torch.no_grad():
        for one in group:
            ready = tensors(one)
            scores, listed = network(ready, 0), ready["listed"]
            best = scores.argmax(1)
            are_right = ready["answers"][torch.arange(len(best)), best]
            right += int(are_right[~listed].sum())
            count += int((~listed).sum())
            found = (scores[:, :-1] > scores[:, -1:])[listed]
            truth = ready["answers"][listed, :-1]
            hits, said, meant = hits + int((found & truth).sum()), said + int(found.sum()), meant + int(truth.sum())
    cells = f" cells {2 * hits / (said + meant):.2f}" if meant else ""
    return f"{right / max(1, count):.3f}{cells}"


def write(weights: Mapping[str, np.ndarray[Any, Any]], minilm: MiniLm) -> None:
    """Write the network's file: its weights, and the meanings of the concepts that the table has now."""
    arrays = {**weights, "meanings": meanings(minilm)}
    halves = {name: value.astype(np.float16) for name, value in arrays.items()}
    np.savez_compressed(FILE, concepts=np.array(list(CONCEPTS)), **halves)
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("receipts", type=Path, nargs="?", help="without it, only the concepts are renewed")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--documents", type=int, default=12_000, help="made ones to train on")
    given = parser.parse_args()
    torch.set_num_threads(2)
    minilm = MiniLm(threads=2)
    minilm.load()
    if given.receipts is None:
        with np.load(FILE) as known:
            write({name: array for name, array in known.items() if name not in ("concepts", "meanings")}, minilm)
        return
    rng = random.Random(1)
    training: list[TrainingExample] = []
    held_out: dict[str, list[TrainingExample]] = defaultdict(list)
    for receipt in receipts(given.receipts):
        passages = [passage_of(receipt.lines)]
        if is_held_out(receipt):
            fields = list(receipt_fields(receipt, rng, plain=True))
            for field in fields:
                held_out[field.path[0]].append(example(passages, [field], minilm))
        else:
            training += [example(passages, list(receipt_fields(receipt, rng)), minilm) for _ in range(TIMES)]
    for split, count, group in (("train", given.documents, training), ("test", 250, None)):
        for made in documents(13, count, split=split, noise=0.3):
            one = made_example(made, rng, minilm)
            (group if group is not None else held_out[made.kind]).append(one)
    print(len(training), {name: len(group) for name, group in held_out.items()})
    network = fit(training, held_out, given.epochs)
    weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
    write(weights, minilm)


if __name__ == "__main__":
    main()
