"""Tiny multilingual Whisper model with random weights.

Its transcripts are nonsense, but files are loaded, asked for a language, decoded and aligned like those of a real
model.
"""

from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, LAYERS, MELS = 32, 2, 1, 80
_TEXTS = 50_257
"""Number of text tokens. The numbers of the other tokens follow, as in every multilingual Whisper."""


def random_whisper(folder: Path, seed: int = 0) -> None:
    """Write `model.bin`, `config.json`, `vocabulary.json` and `tokenizer.json`."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    names = _token_names()
    rng = np.random.default_rng(seed)

    def weight(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.05, shape).astype(np.float32)

    spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    _fill_encoder(spec.encoder, weight)
    _fill_decoder(spec.decoder, weight, len(names))
    # CTranslate2 recognises a multilingual model by this token.
    spec.register_vocabulary(["" if index == _TEXTS - 1 else name for index, name in enumerate(names)])
    languages = [index for index, name in enumerate(names) if len(name) in (6, 7) and name.startswith("<|")]
    spec.config.lang_ids = languages
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], [220, _TEXTS]
    spec.config.alignment_heads = [(0, 0), (0, 1)]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    _tokenizer(names).save(str(folder / "tokenizer.json"))


def _token_names() -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    texts = letters + [f"Ġt{number}" for number in range(_TEXTS - len(letters))]
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES if code != "yue"]
    marks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *(f"<|{mark}|>" for mark in marks)]
    return texts + special + [f"<|{number * 0.02:.2f}|>" for number in range(1501)]


def _tokenizer(names: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {name: index for index, name in enumerate(names[:_TEXTS])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(names[_TEXTS:])
    return tokenizer


def _fill_encoder(encoder: Any, weight: Any) -> None:
    encoder.conv1.weight, encoder.conv1.bias = weight(WIDTH, MELS, 3), weight(WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = weight(WIDTH, WIDTH, 3), weight(WIDTH)
    encoder.position_encodings.encodings = weight(1500, WIDTH)
    _fill_norm(encoder.layer_norm)
    for layer in encoder.layer:
        _fill_attention(layer.self_attention, weight, [3 * WIDTH, WIDTH])
        _fill_feed_forward(layer.ffn, weight)


def _fill_decoder(decoder: Any, weight: Any, tokens: int) -> None:
    decoder.embeddings.weight = weight(tokens, WIDTH)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = weight(448, WIDTH)
    _fill_norm(decoder.layer_norm)
    for layer in decoder.layer:
        _fill_attention(layer.self_attention, weight, [3 * WIDTH, WIDTH])
        _fill_attention(layer.attention, weight, [WIDTH, 2 * WIDTH, WIDTH])
        _fill_feed_forward(layer.ffn, weight)


def _fill_attention(attention: Any, weight: Any, widths: list[int]) -> None:
    _fill_norm(attention.layer_norm)
    for linear, width in zip(attention.linear, widths, strict=True):
        linear.weight, linear.bias = weight(width, WIDTH), weight(width)


def _fill_feed_forward(feed_forward: Any, weight: Any) -> None:
    _fill_norm(feed_forward.layer_norm)
    feed_forward.linear_0.weight, feed_forward.linear_0.bias = weight(4 * WIDTH, WIDTH), weight(4 * WIDTH)
    feed_forward.linear_1.weight, feed_forward.linear_1.bias = weight(WIDTH, 4 * WIDTH), weight(WIDTH)


def _fill_norm(norm: Any) -> None:
    norm.gamma, norm.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
