"""Fits the network that scores spans, and writes `models/extraction/extractor.npz`.

`python -m training.extraction.fit network` runs it: some epochs over variations of the documents in `written/` that are
trained with, and generated documents. It goes on from the weights in the file, with the same result each time from the
same weights on the same kind of processor. Of documents that are for calibration, and of generated ones of unseen
templates, it prints how many values the network finds alone, before the first epoch and after each.

    .venv-torch/bin/python -m training.extraction.train     the meanings of new concepts alone

The file also has the loss of the network on some of the documents (`network_loss.py`), which `tests/deep` computes
again.
"""

import copy
import math
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.embedding.minilm import MiniLm
from models.extraction.network import FILE, ExtractionNetwork, nearest_label
from tasks.extraction.concepts import CONCEPTS
from training.extraction import network_loss
from training.extraction.documents import documents
from training.extraction.examples import TrainingExample, made_example, meanings, written_example
from training.extraction.written import Variations, written_documents

WIDTH, SECOND, WORDS = 320, 64, 48
EPOCHS, RATE = 3, 6e-4
SHARE = 0.5
"""Share of the fitted weights in the mean with those in the file. The mean knows what the documents tell, and keeps
what the network had learned from other papers (Wortsman et al., 2022, arXiv:2109.01903): it finds 89 % of the fields of
67 receipts, and the fitted weights alone 86 %."""
VARIATIONS = 2
"""Number of variations of each written document."""
GENERATED, GENERATED_CHECKED = 800, 100
"""Numbers of generated documents: to train with, and to try the network on."""
CHECKED = 4
"""The network is tried on one in so many of the documents for calibration."""
SEED = 13
AT_ONCE_MADE = 64
"""A process makes the examples of so many documents at once."""
LISTED = 0.3
"""Weight of a column of a table, relative to a single field."""
AT_ONCE = 8
"""Number of documents per step."""
FIELDS, SPANS, HARD = 8, 60, 4
"""A step uses so many fields of a document, so many of the spans that answer none of them, and for each field so many
spans that the network took for likely at first. This takes a quarter of the time of all spans and fields."""


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
        one["matches"][:, :, 4:8] = one["matches"][:, :, 10:14] = 0
    elif draw < 0.35:
        # These fields are trained as if their names were missing from the table of labels.
        without = torch.rand(len(one["fields"])) < 0.5
        one["matches"] = one["matches"].clone()
        one["matches"][without, :, :2] = 0
        one["kinds"] = one["kinds"].clone()
        one["kinds"][without, -6:] = 0
    return one


def part_of(one: dict[str, torch.Tensor], likeliest: torch.Tensor, rng: random.Random) -> dict[str, torch.Tensor]:
    """Return some fields of an example, the spans that answer them, the `likeliest` ones (fields × HARD), and SPANS
    others. `stands_for` has the logarithm of the number of spans that each span stands for, and that of no span."""
    fields = torch.tensor(sorted(rng.sample(range(len(one["answers"])), min(FIELDS, len(one["answers"])))))
    is_kept = one["answers"][fields, :-1].any(0)
    is_kept[likeliest[fields].flatten()] = True
    rest = (~is_kept).nonzero()[:, 0]
    others = rest[torch.randperm(len(rest))[:SPANS]]
    spans = torch.cat([is_kept.nonzero()[:, 0], others])
    stands_for = torch.zeros(len(spans) + 1)
    stands_for[len(spans) - len(others) : len(spans)] = math.log(max(1, len(rest)) / max(1, len(others)))
    answers = torch.cat([one["answers"][fields][:, spans], one["answers"][fields, -1:]], 1)
    of_spans = {name: one[name][spans] for name in ("still", "labels", "near", "texts")}
    of_fields = {name: one[name][fields] for name in ("kinds", "fields", "matches", "listed")}
    return {**one, **of_spans, **of_fields, "answers": answers, "stands_for": stands_for}


def loss_of(scores: torch.Tensor, one: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the loss. For a single field, the probability of any right span counts; for a field in a list, the
    probability of each span."""
    answers, listed, stands_for = one["answers"], one["listed"], one["stands_for"]
    sayable = answers.any(1) & ~listed
    right = scores[sayable].masked_fill(~answers[sayable], -1e9).logsumexp(1)
    loss = ((scores[sayable] + stands_for).logsumexp(1) - right).sum()
    if listed.any():
        odds, said = scores[listed, :-1] - scores[listed, -1:], answers[listed, :-1].float()
        each = functional.binary_cross_entropy_with_logits(odds, said, reduction="none") * stands_for[:-1].exp()
        # Right spans get more weight, because few of the spans are cells.
        loss = loss + LISTED * (each * (1 + 9 * said)).sum(1).div(1 + said.sum(1)).sum()
    return loss


def fit(
    network: Trained,
    examples: Sequence[TrainingExample],
    checked: Mapping[str, Sequence[TrainingExample]],
    epochs: int,
    rate: float,
) -> Trained:
    rng = random.Random(0)
    ready = [tensors(one) for one in examples]
    first = copy.deepcopy(network).eval()
    likeliest: dict[int, torch.Tensor] = {}
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    # The mean of the weights after many steps varies less than the weights after one step.
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    steps = epochs * math.ceil(len(ready) / AT_ONCE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    for epoch in range(epochs):
        network.train()
        order = rng.sample(range(len(ready)), len(ready))
        began, total, count = time.monotonic(), 0.0, 0
        for start in range(0, len(order), AT_ONCE):
            losses = []
            for index in order[start : start + AT_ONCE]:
                if index not in likeliest:
                    with torch.no_grad():
                        scores = first(ready[index], 0)[:, :-1]
                    likeliest[index] = scores.topk(min(HARD, scores.shape[1]), 1).indices
                one = varied(part_of(ready[index], likeliest[index], rng), rng)
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
        line = {name: accuracy(averaged.module, group) for name, group in checked.items()}
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


def write_loss() -> None:
    """Write the loss of the network in the file into it, and the documents of which it is the loss."""
    digests = [one.digest for one in network_loss.sampled()]
    found = network_loss.loss(ExtractionNetwork(), network_loss.examples_of(digests, loaded_minilm()))
    with np.load(FILE) as file:
        arrays = dict(file)
    np.savez_compressed(FILE, **arrays | {"fitted_loss": np.float32(found), "sampled": np.array(digests, np.uint32)})
    print(f"network: loss {found:.3f} on {len(digests)} of the documents")


def refit(processes: int) -> None:
    """Fit the network, and write it."""
    torch.set_num_threads(processes)
    torch.manual_seed(0)
    training, checked = examples_of(processes)
    print(f"network: {len(training)} examples, { ({name: len(group) for name, group in checked.items()}) }", flush=True)
    network, before = network_in_file(training[0]), network_in_file(training[0])
    print({name: accuracy(network, group) for name, group in checked.items()}, flush=True)
    fitted = dict(fit(network, training, checked, EPOCHS, RATE).named_parameters())
    mean = {name: SHARE * fitted[name] + (1 - SHARE) * old for name, old in before.named_parameters()}
    write({name: value.detach().numpy() for name, value in mean.items()}, loaded_minilm())
    write_loss()


def network_in_file(one: TrainingExample) -> Trained:
    """Return the network of the file. Weights of features that the file does not know, because an example has more or
    fewer of their kind, are random."""
    network = Trained(one.still.shape[1], one.kinds.shape[1], one.labels.shape[1], one.matches.shape[2])
    with np.load(FILE) as file, torch.no_grad():
        for name, parameter in network.named_parameters():
            if file[name].shape == tuple(parameter.shape):
                parameter.copy_(torch.from_numpy(file[name].astype(np.float32)))
    return network


def main() -> None:
    """Write the meanings of the concepts that the table has now, beside the weights in the file."""
    with np.load(FILE) as file:
        renewed = ("concepts", "meanings", "fitted_loss", "sampled")
        known = {name: array for name, array in file.items() if name not in renewed}
    write(known, loaded_minilm())
    write_loss()


@cache
def loaded_minilm() -> MiniLm:
    minilm = MiniLm(threads=1)
    minilm.load()
    return minilm


def examples_of(processes: int) -> tuple[list[TrainingExample], dict[str, list[TrainingExample]]]:
    """Return examples to train on, and examples to try the network on, by their kinds."""
    written = written_documents()
    numbers = [
        at
        for at, one in enumerate(written)
        if one.is_trained_with or (one.is_for_calibration and one.digest % CHECKED == 0)
    ]
    parts = [(numbers[at : at + AT_ONCE_MADE], 0) for at in range(0, len(numbers), AT_ONCE_MADE)]
    parts += [([], count) for count in (GENERATED, -GENERATED_CHECKED)]
    training: list[TrainingExample] = []
    checked: dict[str, list[TrainingExample]] = defaultdict(list)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for found in pool.map(_made_examples, parts):
            for kind, one in found:
                (checked[kind] if kind else training).append(one)
    return training, checked


def _made_examples(part: tuple[Sequence[int], int]) -> list[tuple[str, TrainingExample]]:
    """Return the examples of written documents with these numbers, or so many generated ones; those of unseen templates
    if there are less than none. Each has the kind under which the network is tried on it, or none."""
    numbers, count = part
    minilm, written = loaded_minilm(), written_documents()
    found: list[tuple[str, TrainingExample]] = []
    if count:
        split: Literal["train", "test"] = "train" if count > 0 else "test"
        rng = random.Random(SEED)
        made = documents(SEED, abs(count), split=split, noise=0.3)
        return [("" if count > 0 else "generated", made_example(one, rng, minilm)) for one in made]
    variations = Variations([one for one in written if one.is_trained_with])
    for document in (written[number] for number in numbers):
        rng = random.Random(document.digest)
        pages = [variations.page(document, rng) for _ in range(VARIATIONS if document.is_trained_with else 1)]
        kind = "" if document.is_trained_with else "written"
        found += [(kind, written_example(page, rng, minilm)) for page in pages if page.fields]
    return found


if __name__ == "__main__":
    main()
