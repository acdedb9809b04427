"""A tiny translation model with random weights.

The translations are single words of nonsense, but models are loaded, asked for a language, decoded and joined like the
files of a real model.
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS = 16, 2
_SENTENCE = "the red house is here and a small green tree stands by one blue river where two old dogs sleep"


def random_madlad(folder: Path, *targets: str) -> None:
    """Write a model in the form of MADLAD-400: one model for all languages, whose first token names the language."""
    folder.mkdir(parents=True)
    pieces = _trained([f"<2{target}>" for target in targets])
    (folder / "sentencepiece.model").write_bytes(pieces)
    _convert(folder, pieces)


def _trained(symbols: list[str]) -> bytes:
    import sentencepiece

    rng, words = np.random.default_rng(0), _SENTENCE.split()
    sentences = [" ".join(rng.choice(words, 8)) for _ in range(200)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=60,
        user_defined_symbols=symbols,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def _convert(folder: Path, pieces: bytes) -> None:
    import sentencepiece
    from ctranslate2.specs import TransformerSpec

    processor: Any = sentencepiece.SentencePieceProcessor(model_proto=pieces)
    tokens = [processor.id_to_piece(number) for number in range(processor.get_piece_size())]
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, shape).astype(np.float32)

    spec = TransformerSpec.from_config(1, HEADS)
    spec.encoder.embeddings[0].weight = weight(len(tokens), WIDTH)
    spec.decoder.embeddings.weight = weight(len(tokens), WIDTH)
    spec.decoder.projection.weight = weight(len(tokens), WIDTH)
    # Each translation is one word and then the end, so that none is empty.
    is_word = np.array([token.strip("▁").isalpha() for token in tokens])
    spec.decoder.projection.bias = np.where(is_word, 0, -1e3).astype(np.float32)
    spec.decoder.projection.bias[tokens.index("</s>")] = 100
    for stack in (spec.encoder, spec.decoder):
        stack.position_encodings.encodings = weight(1024, WIDTH)
        _fill_norm(stack.layer_norm)
        for layer in stack.layer:
            _fill_attention(layer.self_attention, weight, [3 * WIDTH, WIDTH])
            if stack is spec.decoder:
                _fill_attention(layer.attention, weight, [WIDTH, 2 * WIDTH, WIDTH])
            _fill_norm(layer.ffn.layer_norm)
            layer.ffn.linear_0.weight, layer.ffn.linear_0.bias = weight(4 * WIDTH, WIDTH), weight(4 * WIDTH)
            layer.ffn.linear_1.weight, layer.ffn.linear_1.bias = weight(WIDTH, 4 * WIDTH), weight(WIDTH)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    assert json.loads((folder / "config.json").read_text())["add_source_eos"] is False


def _fill_attention(attention: Any, weight: Any, widths: list[int]) -> None:
    _fill_norm(attention.layer_norm)
    for linear, width in zip(attention.linear, widths, strict=True):
        linear.weight, linear.bias = weight(width, WIDTH), weight(width)


def _fill_norm(norm: Any) -> None:
    norm.gamma, norm.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
