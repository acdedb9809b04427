"""Trains the network of `models/extraction/page_encoder.py`, and writes its weights.

python -m training.extraction.train_encoder FOLDER OUT --seconds 560 --tokens 49152 --rate 4e-4

FOLDER is that of all-MiniLM-L6-v2 (`models.embedding.minilm_weights.embedding_weights()`). OUT.npz has the weights at
the end, OUT.0.npz and OUT.1.npz those after the shares KEPT of the time. Of packages, it needs torch, numpy,
tokenizers and safetensors alone.

`models/extraction/page_encoder.npz` was made so on one H100: 10 million parameters of the layers and heads were
trained, from weights in float16; the word embeddings stayed as they are, in int8. 60 % of the samples are variations of
the documents in `written/`: of 1,236 of the 1,947 that are there now, in 16 languages, 41 % of them English. A twelfth
of them was held out. Their writers saw neither the code's
rules nor any paper that extraction is measured on; kinds and layouts are of their own choice. 40 % are generated
documents of `templates/`. Each sample has other values, layout, noise and names of fields. The file has the moving
mean of the weights after 40 % of the time: 224 s, some 4,100 steps, 350,000 samples.

Of the documents of the same writers that were held out, it finds 52 to 53 % of the values exactly (first and last
token), and finds 75 % of the absent fields absent; of generated documents of unseen templates, 88 % of the values.
After the whole time it is 52 and 79 %, but on papers of other people fewer fields are right.

A field's state is the mean of its prompt's tokens: the state of the marker alone does not learn to stand for the field.
After 50 steps on one batch of four documents, it has 7 % of their values, and the mean has all.
"""

import argparse
import math
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from models.embedding.passages import read_tokenizer
from models.extraction.encoder_weights import write_weights
from models.extraction.page_tokens import COLUMNS, FIELD_KINDS, MARKER, ROWS, SIZES
from training.extraction.documents import documents
from training.extraction.encoder_samples import EncoderSample, batches, collated, page_of, sample_of
from training.extraction.written import FOLDER, Variations, WrittenDocument, written_documents

WIDTH, HEADS, LAYERS = 384, 12, 6
POSITIONS = 1024
"""Number of positions on a page; all-MiniLM-L6-v2 has half as many."""
KEPT = (0.4, 0.7)
"""Shares of the time after which the weights are kept, too."""
WARM_UP = 300
"""The rate rises during so many steps."""
HEAD_RATE = 3.0
"""The rate of weights that all-MiniLM-L6-v2 does not have, relative to that of the others."""
HEADS_OF_NETWORK = ("of_", "none", "bias", "list_bias", "kinds", "rows", "lefts", "rights", "sizes")
"""Beginnings of the names of these weights."""
SHOWN = 0.08
"""The accuracy is shown each time that this share of the time has passed."""

Batch = dict[str, torch.Tensor]


class EncoderLayer(nn.Module):
    """A layer of BERT, with the names of `models.extraction.page_encoder`."""

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.after_attention, self.after = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = drop

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        texts, tokens, _ = states.shape
        query, key, value = (
            one(states).view(texts, tokens, HEADS, -1).transpose(1, 2) for one in (self.query, self.key, self.value)
        )
        drop = self.drop if self.training else 0.0
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        found = self.out(found.transpose(1, 2).reshape(texts, tokens, WIDTH))
        states = self.after_attention(states + functional.dropout(found, drop))
        found = self.down(functional.gelu(self.up(states)))
        return self.after(states + functional.dropout(found, drop))


def waves(count: int, scale: float) -> torch.Tensor:
    """Return sines and cosines of `count` places, in which near places are alike."""
    at = torch.arange(count)[:, None]
    rates = torch.exp(-math.log(1000.0) * torch.arange(WIDTH // 2) / (WIDTH // 2))
    return scale * torch.cat([torch.sin(at * rates), torch.cos(at * rates)], 1)


def looked_up(table: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """Return rows of a small table by a product, whose gradient takes less time than that of indexing."""
    return functional.one_hot(indices, len(table)).to(table.dtype) @ table


class Encoder(nn.Module):
    """The network of `models.extraction.page_encoder`, for gradients."""

    def __init__(self, weights: Mapping[str, torch.Tensor], drop: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(weights["embeddings.word_embeddings.weight"].float(), freeze=True)
        places = weights["embeddings.position_embeddings.weight"].float()
        self.positions = nn.Parameter(torch.cat([places, places])[:POSITIONS].clone())
        self.segments = nn.Parameter(weights["embeddings.token_type_embeddings.weight"].float().clone())
        self.kinds = nn.Parameter(0.02 * torch.randn(1 + 2 * len(FIELD_KINDS), WIDTH))
        size = float(self.words.weight.std())
        self.rows = nn.Parameter(waves(1 + ROWS, size))
        self.lefts = nn.Parameter(waves(1 + COLUMNS, size).flip(1))
        self.rights = nn.Parameter(waves(1 + COLUMNS, size).roll(WIDTH // 4, 1))
        self.sizes = nn.Parameter(0.02 * torch.randn(1 + SIZES, WIDTH))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.norm.load_state_dict(
            {"weight": weights["embeddings.LayerNorm.weight"], "bias": weights["embeddings.LayerNorm.bias"]}
        )
        self.layers = nn.ModuleList([EncoderLayer(drop) for _ in range(LAYERS)])
        for number, layer in enumerate(self.layers):
            at = f"encoder.layer.{number}."
            for own, other in (
                ("query", "attention.self.query"), ("key", "attention.self.key"), ("value", "attention.self.value"),
                ("out", "attention.output.dense"), ("after_attention", "attention.output.LayerNorm"),
                ("up", "intermediate.dense"), ("down", "output.dense"), ("after", "output.LayerNorm"),
            ):  # fmt: skip
                getattr(layer, own).load_state_dict(
                    {"weight": weights[f"{at}{other}.weight"], "bias": weights[f"{at}{other}.bias"]}
                )
        self.of_field, self.of_token = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, 3 * WIDTH)
        for part in self.of_field.weight.data.split(WIDTH):
            nn.init.orthogonal_(part, 0.6)
        # At first, a token is as likely as its state resembles the field's.
        self.of_token.weight.data.copy_(self.of_field.weight.data)
        for head in (self.of_field, self.of_token):
            nn.init.zeros_(head.bias)
        self.none = nn.Linear(WIDTH, 2)
        self.bias = nn.Parameter(torch.tensor([0.0, 0.0, -3.0]))
        self.list_bias = nn.Parameter(torch.tensor([-4.0, -4.0]))
        self.drop = drop

    def forward(self, one: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of texts × fields × 3 × tokens (first, last, inside), and of texts × fields × 2 of no value."""
        states = self.words(one["ids"])
        places = self.rows.new_zeros(())
        for name in ("rows", "lefts", "rights", "sizes"):
            places = places + looked_up(getattr(self, name), one[name])
        states = states + one["page"][..., None] * places
        for name in ("positions", "segments", "kinds"):
            states = states + looked_up(getattr(self, name), one[name])
        states = functional.dropout(self.norm(states), self.drop, self.training)
        count = states.shape[1]
        mask = torch.where(one["token"], 0.0, -1e4)[:, None, None, :].expand(-1, HEADS, count, count)
        if torch.is_autocast_enabled(states.device.type):
            mask = mask.to(torch.bfloat16)
        for layer in self.layers:
            states = layer(states, mask)
        states = functional.layer_norm(states, (WIDTH,))
        numbers = torch.arange(1, one["field"].shape[1] + 1, device=states.device)
        owned = (one["owners"][:, None] == numbers[:, None]).to(states.dtype)
        markers = (owned @ states) / owned.sum(-1, keepdim=True).clamp(min=1)
        fields = self.of_field(markers).view(*markers.shape[:2], 3, WIDTH).transpose(1, 2)
        tokens = self.of_token(states).view(*states.shape[:2], 3, WIDTH).permute(0, 2, 3, 1)
        scores = (fields @ tokens).float() / math.sqrt(WIDTH) + self.bias[:, None, None]
        return scores.transpose(1, 2), self.none(markers).float()


def masked(one: Batch) -> Batch:
    """Hide some tokens, so that the network does not learn the documents by heart."""
    share = 0.08 * one["page"] + 0.05 * (one["owners"] > 0)
    hidden = torch.rand(one["ids"].shape, device=one["ids"].device) < share
    return {**one, "ids": torch.where(hidden, MARKER, one["ids"])}


def loss_of(scores: torch.Tensor, none: torch.Tensor, one: Batch, list_bias: torch.Tensor) -> torch.Tensor:
    """Return the loss. Each end of a single value is one of the page's tokens or none; for a list, each token is an end
    of a value or not; and each token is inside a value or not."""
    page, field, listed = one["page"][:, None], one["field"], one["listed"]
    total = scores.new_zeros(())
    single = field & ~listed
    for part, name in enumerate(("first", "last")):
        logits = scores[:, :, part].masked_fill(~page, -1e4)
        answers = one[name]
        all_logits = torch.cat([logits, none[..., part : part + 1]], -1)
        right = torch.cat([answers, ~answers.any(-1, keepdim=True)], -1)
        said = all_logits.masked_fill(~right, -1e4).logsumexp(-1)
        each = all_logits.logsumexp(-1) - said
        total = total + (each * single).sum() / field.sum()
        odds = logits + list_bias[part] - none[..., part : part + 1]
        cost = functional.binary_cross_entropy_with_logits(odds, answers.float(), reduction="none")
        cost = (cost * page).sum(-1) / (1 + answers.sum(-1))
        total = total + 0.5 * (cost * (field & listed)).sum() / field.sum()
    inside = functional.binary_cross_entropy_with_logits(scores[:, :, 2], one["inside"].float(), reduction="none")
    inside = (inside * page).sum(-1) / (4 + one["inside"].sum(-1))
    return total + 0.3 * (inside * field).sum() / field.sum()


def verdicts(scores: torch.Tensor, none: torch.Tensor, one: Batch) -> tuple[torch.Tensor, ...]:
    """Return for each single field whether it is right, and whether it has a value."""
    page = one["page"][:, None]
    rights = []
    for part, name in enumerate(("first", "last")):
        logits = torch.cat([scores[:, :, part].masked_fill(~page, -1e4), none[..., part : part + 1]], -1)
        right = torch.cat([one[name], ~one[name].any(-1, keepdim=True)], -1)
        rights.append(right.gather(-1, logits.argmax(-1, keepdim=True))[..., 0])
    single = one["field"] & ~one["listed"]
    return (rights[0] & rights[1])[single], one["first"].any(-1)[single]


def tokenizer_of(file: Path) -> Any:
    tokenizer = read_tokenizer(file)
    tokenizer.no_truncation()
    return tokenizer


def tensors_of(samples: list[EncoderSample]) -> Batch:
    return {name: torch.from_numpy(array) for name, array in collated(samples).items()}


class Stream(IterableDataset[Batch]):
    """Endless batches; each worker makes its own. `made` is the share of the documents from templates."""

    def __init__(self, tokenizer: Path, folder: Path, tokens: int, made: float, seed: int) -> None:
        self.tokenizer, self.folder, self.tokens, self.made, self.seed = tokenizer, folder, tokens, made, seed

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        worker = torch.utils.data.get_worker_info()
        seed = f"{self.seed} {worker.id if worker else 0}"
        for batch in batches(self._samples(random.Random(seed), seed), self.tokens):
            yield tensors_of(batch)

    def _samples(self, rng: random.Random, seed: str) -> Iterator[EncoderSample]:
        tokenizer = tokenizer_of(self.tokenizer)
        written = [one for one in written_documents(self.folder) if one.is_trained_with]
        variations = Variations(written)
        made = documents(int.from_bytes(seed.encode(), "big") % 2**31, 10**9, split="train", noise=0.3)
        while True:
            is_made = rng.random() < self.made
            page = page_of(next(made), rng) if is_made else variations.page(rng.choice(written), rng)
            sample = sample_of(page, tokenizer, rng) if page.fields else None
            if sample is not None:
                yield sample


def held_out_batches(tokenizer: Any, folder: Path, made: int) -> dict[str, list[Batch]]:
    """Return two variations of each written document that is held out, and `made` documents of unseen templates."""
    rng = random.Random(7)
    held_out: list[WrittenDocument] = [one for one in written_documents(folder) if one.is_held_out]
    variations = Variations(held_out)
    pages = {"written": [variations.page(one, rng) for one in held_out for _ in range(2)]}
    pages["test"] = [page_of(one, rng) for one in documents(13, made, split="test", noise=0.3)]
    found: dict[str, list[Batch]] = {}
    for name, own in pages.items():
        samples = [one for page in own if page.fields and (one := sample_of(page, tokenizer, rng))]
        found[name] = [tensors_of(batch) for batch in batches(iter(samples), 16_000)]
    return found


def checkpoint(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights of all-MiniLM-L6-v2."""
    return {name: one.float() for name, one in load_file(folder / "model.safetensors").items()}


def trained(network: Encoder) -> dict[str, nn.Parameter]:
    return {name: one for name, one in network.named_parameters() if one.requires_grad}


def optimizer_of(network: Encoder, rate: float) -> torch.optim.Optimizer:
    """Return the optimizer; each of its groups has a `factor` of the rate."""
    named = trained(network).items()
    body = [one for name, one in named if not name.startswith(HEADS_OF_NETWORK)]
    heads = [one for name, one in named if name.startswith(HEADS_OF_NETWORK)]
    groups = [{"params": body, "factor": 1.0}, {"params": heads, "factor": HEAD_RATE}]
    return torch.optim.AdamW(groups, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))


def fit(
    network: Encoder, feed: Iterator[Batch], held_out: Mapping[str, list[Batch]], given: argparse.Namespace
) -> dict[str, torch.Tensor]:
    """Train for `given.seconds`, and return the moving mean of the weights."""
    device = network.bias.device.type
    optimizer = optimizer_of(network, given.rate)
    own = list(trained(network).values())
    averaged = {name: one.detach().clone() for name, one in trained(network).items()}
    began, step, shown, total, samples = time.monotonic(), 0, 0.0, 0.0, 0
    waited, kept = 0.0, 0
    while (passed := (time.monotonic() - began) / given.seconds) < 1:
        factor = min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * passed)))
        for group in optimizer.param_groups:
            group["lr"] = given.rate * factor * group["factor"]
        at = time.monotonic()
        one = masked({name: tensor.to(device, non_blocking=True) for name, tensor in next(feed).items()})
        waited += time.monotonic() - at
        network.train()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            scores, none = network(one)
        loss = loss_of(scores, none, one, network.list_bias)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        samples += len(one["ids"])
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.values()), own, 1 - min(0.998, step / (step + 10)))
        total = 0.98 * total + 0.02 * loss.detach() if step > 1 else loss.detach()
        if kept < len(KEPT) and passed > KEPT[kept]:
            write(given.out.with_suffix(f".{kept}.npz"), averaged)
            kept += 1
        if passed - shown >= SHOWN or step == 100:
            shown = passed
            print(
                f"{time.monotonic() - began:.0f} s, step {step}, {samples} samples, loss {float(total):.3f}, "
                f"waited {waited:.0f} s: {accuracy(network, averaged, held_out)}",
                flush=True,
            )
    print("end", step, samples, accuracy(network, averaged, held_out), flush=True)
    return averaged


def write(file: Path, weights: Mapping[str, torch.Tensor]) -> None:
    write_weights(file, {name: one.float().cpu().numpy() for name, one in weights.items()})


def accuracy(network: Encoder, averaged: Mapping[str, torch.Tensor], held_out: Mapping[str, list[Batch]]) -> str:
    """Return the shares of values that `averaged` finds, and of absent fields that it finds absent."""
    device = network.bias.device.type
    kept = {name: one.detach().clone() for name, one in trained(network).items()}
    network.load_state_dict(averaged, strict=False)
    network.eval()
    found = []
    with torch.no_grad():
        for name, own in held_out.items():
            rights, values = [], []
            for batch in own:
                one = {key: tensor.to(device) for key, tensor in batch.items()}
                with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                    scores, none = network(one)
                right, has_value = verdicts(scores, none, one)
                rights.append(right.cpu())
                values.append(has_value.cpu())
            right, value = torch.cat(rights).float(), torch.cat(values)
            found.append(f"{name} {right[value].mean():.3f}/{right[~value].mean():.3f} of {int(value.sum())}")
    network.load_state_dict(kept, strict=False)
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("out", type=Path)
    parser.add_argument("--written", type=Path, default=FOLDER)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--tokens", type=int, default=65_536, help="of a batch")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--made", type=float, default=0.4, help="share of the documents from templates")
    parser.add_argument("--workers", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(given.seed)
    network = Encoder(checkpoint(given.weights)).to(device)
    tokenizer = given.weights / "tokenizer.json"
    loader = DataLoader(
        Stream(tokenizer, given.written, given.tokens, given.made, given.seed),
        batch_size=None,
        num_workers=given.workers,
        prefetch_factor=4 if given.workers else None,
        pin_memory=device == "cuda",
    )
    feed = iter(loader)
    held_out = held_out_batches(tokenizer_of(tokenizer), given.written, 120)
    print(f"ready after {time.monotonic() - began:.0f} s on {device}", flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    averaged = fit(network, feed, held_out, given)
    write(given.out.with_suffix(".npz"), {name: one.half() for name, one in averaged.items()})


if __name__ == "__main__":
    main()
