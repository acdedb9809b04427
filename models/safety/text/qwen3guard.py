"""Qwen3Guard-Gen run by transformers. One pass over a text yields the verdict. If the text is not safe, the model also
writes some tokens that name the categories."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.base import EngineUnavailable
from models.devices.device import TORCH
from models.hosts.host import EngineHost
from models.safety.guard import Judgement
from models.safety.text.dialect import as_messages
from models.safety.text.exchange import Exchange, exchanges_of
from models.safety.text.qwen3guard_dialect import (
    CATEGORIES,
    JUDGED,
    SEVERITY,
    THRESHOLD,
    VERDICT,
    categories_in,
    severity_of,
    verdict_of,
)
from models.safety.text.verdict import NotAVerdict, Verdict, judgement_of

CAPABILITY = "text_guard"
FOLDER = "qwen3guard"
OTHER_MODEL = f"The folder '{FOLDER}' of OPENFAZE_WEIGHTS_DIR holds no Qwen3Guard-Gen."

_LEAST_CATEGORY_SCORE = 0.1
"""The model is asked for a text's categories if its score is at least this. The threshold is low, so that a text which
the model calls safe without being sure gets categories, too."""
_MAX_LENGTH_RATIO = 1.25
"""The longest text of a group that is computed at once is at most this many times as long as the shortest, because all
texts are padded to the length of the longest."""
_TOKENS_AT_ONCE = 16384
"""At most this many tokens, of all texts, are computed together. In the smallest model, keys and values take 0.1 MB per
token in 16 bits."""
_MAX_CATEGORY_TOKENS = 64
"""The categories in an answer may have at most this many tokens. All categories together take fewer."""
_ROUNDING = 2
"""A score has this many decimal places, because its further digits depend on the texts that are computed with it."""


@dataclass(frozen=True, slots=True)
class _PromptHead:
    """The common beginning of all prompts of a kind. The network's keys and values for it are computed only once."""

    ids: tuple[int, ...]
    states: tuple[tuple[Any, Any], ...]
    """Keys and values of each layer: 1 × heads × tokens × width."""


@dataclass(frozen=True, slots=True)
class _AnswerTokens:
    """The tokens of the model's answers."""

    verdict: tuple[int, ...]
    labels: Mapping[str, int]
    """First token of each label that may follow `verdict`."""
    categories: Mapping[str, tuple[int, ...]]
    """Tokens from each label up to the beginning of the categories."""
    ends: frozenset[int]


class Qwen3Guard:
    """The guard as an engine: from an Exchange to its Verdict. Implements `models.base.Engine`."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """`folder` holds any size of Qwen/Qwen3Guard-Gen, in the layout of `save_pretrained` and the model hubs."""
        self._folder = folder
        self._device = device
        self._loaded: tuple[Any, Any, str] | None = None
        self._answer_tokens: _AnswerTokens | None = None
        self._prompt_heads: dict[bool, _PromptHead] = {}

    def load(self) -> None:
        """Load the model. Raises EngineUnavailable if the folder holds a different model."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = TORCH.check(self._device, CAPABILITY)
        tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        # The weights have 16 bits, with which CPUs compute slowly or not at all.
        dtype = "float32" if device == "cpu" else "auto"
        network = AutoModelForCausalLM.from_pretrained(self._folder, local_files_only=True, dtype=dtype)
        self._answer_tokens = _answer_tokens_of(tokenizer, network)
        self._loaded = tokenizer, network.to(device).eval(), device
        self._prompt_heads = {answered: self._compute_prompt_head(answered=answered) for answered in (False, True)}

    def run(self, batch: Sequence[Exchange]) -> Sequence[Verdict | Exception]:
        prompts = [self._prompt(exchange) for exchange in batch]
        verdicts: list[Verdict | Exception] = [Verdict()] * len(batch)
        for answered, head in self._prompt_heads.items():
            places = [index for index, one in enumerate(batch) if (one.answers is not None) == answered]
            for group in _groups(places, [len(prompt) for prompt in prompts]):
                found = self._verdicts([prompts[index] for index in group], head)
                for index, verdict in zip(group, found, strict=True):
                    verdicts[index] = verdict
        return verdicts

    def close(self) -> None:
        self._loaded = self._answer_tokens = None
        self._prompt_heads = {}

    def _prompt(self, exchange: Exchange) -> tuple[int, ...]:
        """Return the tokens of the prompt, up to the place of the verdict."""
        assert self._loaded is not None, "load() comes first"
        assert self._answer_tokens is not None
        tokenizer, _, _ = self._loaded
        text = tokenizer.apply_chat_template(as_messages(exchange), tokenize=False, add_generation_prompt=True)
        return (*tokenizer(text, add_special_tokens=False)["input_ids"], *self._answer_tokens.verdict)

    def _compute_prompt_head(self, *, answered: bool) -> _PromptHead:
        one, other = (self._prompt(Exchange(text, text if answered else None)) for text in ("one", "2"))
        ids = one[: _common_length(one, other)]
        _, states = self._compute([ids], ())
        return _PromptHead(ids, tuple((layer.keys, layer.values) for layer in states.layers))

    def _verdicts(self, prompts: Sequence[tuple[int, ...]], head: _PromptHead) -> Iterator[Verdict | Exception]:
        """Yield the verdicts on prompts whose common beginning with `head` is already computed."""
        import torch

        assert self._answer_tokens is not None
        # At least one token must be left to compute, even if the whole prompt is the common beginning.
        known = min(min(_common_length(prompt, head.ids), len(prompt) - 1) for prompt in prompts)
        past = [
            (keys[:, :, :known].expand(len(prompts), -1, -1, -1), values[:, :, :known].expand(len(prompts), -1, -1, -1))
            for keys, values in head.states
        ]
        logits, states = self._compute([prompt[known:] for prompt in prompts], past)
        labels = tuple(self._answer_tokens.labels)
        for row, prompt in enumerate(prompts):
            best = int(logits[row].argmax())
            shares = torch.softmax(logits[row, list(self._answer_tokens.labels.values())], 0).tolist()
            likely = dict(zip(labels, shares, strict=True))
            try:
                if best not in self._answer_tokens.labels.values():
                    raise NotAVerdict("Its first word is not one of its verdicts.")
                own = [
                    (layer.keys[row : row + 1, :, : len(prompt)], layer.values[row : row + 1, :, : len(prompt)])
                    for layer in states.layers
                ]
                yield self._verdict(likely, own)
            except NotAVerdict as error:
                yield error

    def _verdict(self, likely: Mapping[str, float], past: Sequence[tuple[Any, Any]]) -> Verdict:
        """Return the verdict, with the categories unless the text is certainly safe. Raises NotAVerdict."""
        score = severity_of(likely)
        if score < _LEAST_CATEGORY_SCORE:
            return Verdict()
        label = max((label for label in likely if SEVERITY[label]), key=likely.__getitem__)
        categories = categories_in(self._write_categories(label, past))
        if not categories and likely["Safe"] < max(likely.values()):
            raise NotAVerdict("Its verdict and its categories are at odds.")
        return verdict_of(round(score, _ROUNDING), categories)

    def _write_categories(self, label: str, past: Sequence[tuple[Any, Any]]) -> str:
        """Return the line of categories that follows `label`, written token by token. Raises NotAVerdict."""
        assert self._loaded is not None
        assert self._answer_tokens is not None
        tokenizer, _, _ = self._loaded
        written: list[int] = []
        text = ""
        following = self._answer_tokens.categories[label]
        while len(written) < _MAX_CATEGORY_TOKENS:
            logits, states = self._compute([following], past)
            token = int(logits[0].argmax())
            if token in self._answer_tokens.ends:
                return text.strip()
            written.append(token)
            text = tokenizer.decode(written)
            if "\n" in text:
                return str(text).partition("\n")[0].strip()
            following, past = (token,), [(layer.keys, layer.values) for layer in states.layers]
        raise NotAVerdict("Its categories do not end.")

    def _compute(self, rows: Sequence[Sequence[int]], past: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
        """Return the logits after the last token of each row, and all keys and values. Rows are padded at their ends,
        where the padding does not affect the tokens before it."""
        import torch
        from transformers import DynamicCache

        assert self._loaded is not None, "load() comes first"
        _, network, device = self._loaded
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
        with torch.inference_mode():
            outputs = network.model(input_ids=ids, past_key_values=DynamicCache(past), use_cache=True)
            last = outputs.last_hidden_state[range(len(rows)), [len(row) - 1 for row in rows]]
            return network.lm_head(last).float().cpu(), outputs.past_key_values


class HostedQwen3Guard:
    """A TextGuard whose engine, a Qwen3Guard, runs in an EngineHost."""

    codes = JUDGED

    def __init__(self, host: EngineHost[Exchange, Verdict]) -> None:
        self.name = host.spec.name
        self.thresholds = dict.fromkeys(JUDGED, THRESHOLD)
        self._host = host

    async def judge(self, text: str, codes: Sequence[str], *, answers: str | None = None) -> Judgement:
        """Judge `text` by `codes`. Raises EngineUnavailable, EngineOverloaded (a long text waits for room instead) and
        EngineFailed."""
        exchanges = exchanges_of(text, answers)
        verdicts = await self._host.run_many(exchanges, wait=len(exchanges) > 1)
        return judgement_of(self.name, verdicts, codes)


def _answer_tokens_of(tokenizer: Any, network: Any) -> _AnswerTokens:
    """Return the tokens of the model's answers. Raises EngineUnavailable if the model is not a Qwen3Guard."""
    if not tokenizer.chat_template:
        raise EngineUnavailable(CAPABILITY, OTHER_MODEL)

    def ids_of(text: str) -> tuple[int, ...]:
        return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])

    verdict = ids_of(VERDICT)
    labels, categories = {}, {}
    for label in SEVERITY:
        ids = ids_of(f"{VERDICT} {label}\n{CATEGORIES}")
        if ids[: len(verdict)] != verdict or tokenizer.decode(ids) != f"{VERDICT} {label}\n{CATEGORIES}":
            raise EngineUnavailable(CAPABILITY, OTHER_MODEL)
        labels[label], categories[label] = ids[len(verdict)], ids[len(verdict) :]
    if len(set(labels.values())) < len(labels):
        raise EngineUnavailable(CAPABILITY, OTHER_MODEL)
    ends = network.generation_config.eos_token_id
    known = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id} - {None}
    return _AnswerTokens(verdict, labels, categories, frozenset(known))


def _common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the number of tokens with which both begin."""
    pairs = zip(first, second, strict=False)
    return next((index for index, (mine, theirs) in enumerate(pairs) if mine != theirs), min(len(first), len(second)))


def _groups(places: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Return `places` in groups of similar `lengths`, so that each group can be computed at once."""
    groups: list[list[int]] = []
    for place in sorted(places, key=lengths.__getitem__):
        fits = groups and lengths[place] <= lengths[groups[-1][0]] * _MAX_LENGTH_RATIO
        if not fits or lengths[place] * (len(groups[-1]) + 1) > _TOKENS_AT_ONCE:
            groups.append([])
        groups[-1].append(place)
    return groups
