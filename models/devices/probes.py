"""Computes small networks of the operators that engines use on a card and on the CPU, and compares their values.

A library may multiply matrices on a card for which it has no other kernels, so a probe that multiplies proves little.
"""

import base64
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.devices.cards import CannotUse

ONNX_NETWORK = base64.b64decode(
    "CAgSADqOAwoiCgF4CgFrEgFjIgRDb252KhEKBHBhZHNAAUABQAFAAaABBwoMCgFjEgFyIgRSZWx1ChYKAXIKAWEKAWIKAWQSAWwiBVNsaWNlChcK"
    "AWwSAWgiBENhc3QqCQoCdG8YCqABAgoXCgFoEgFmIgRDYXN0KgkKAnRvGAGgAQIKJgoBZgoACgFzEgF5IgZSZXNpemUqEQoEbW9kZSIGbGluZWFy"
    "oAEDEgFwKlcIAggBCAMIAxABQgFrSkgAAADAAACAvwAAAAAAAIA/AAAAQAAAAMAAAIC/AAAAAAAAgD8AAABAAAAAwAAAgL8AAAAAAACAPwAAAEAA"
    "AADAAACAvwAAAAAqEQgBEAdCAWFKCAEAAAAAAAAAKhEIARAHQgFiSggFAAAAAAAAACoRCAEQB0IBZEoIAgAAAAAAAAAqGQgEEAFCAXNKEAAAgD8A"
    "AIA/AAAAQAAAAEBaGwoBeBIWChQIARIQCgIIAQoCCAEKAggGCgIIBmIbCgF5EhYKFAgBEhAKAggBCgIIAgoCCAgKAggMQgQKABAR"
)
"""ONNX file of a network of Conv, Relu, Slice, Cast (to float16 and back) and Resize."""
_WIDTH, _HEADS = 16, 2
"""Size of the translation network: the numbers of a token's vector, and the heads of attention."""
_TOKENS = ("<s>", "</s>", "<unk>", *"abcdefgh")
_SENTENCE = [*"abcdefgh"]
_MOST_TOKENS = 5
_SEED = 130
"""Seed of the translation network's weights, with which no other translation is nearly as likely."""
_TOLERANCE = 0.02
"""Largest difference between values of a card and of the CPU, relative to 1 or to larger values. Cards compute these
networks in float16 and TF32, with 10 bits after the leading one, which leaves differences of some 0.001."""


class WrongValues(CannotUse):
    """Raised if a card computes something else than the CPU."""

    def __init__(self, ours: object, theirs: object) -> None:
        super().__init__(f"A network has wrong values on the card: {ours} instead of {theirs}.")


def check_onnxruntime(session: Any) -> None:
    """Compute ONNX_NETWORK in `session`, which was opened with it, and on the CPU. Raises WrongValues, and the
    exceptions of onnxruntime."""
    import onnxruntime as ort

    on_cpu = ort.InferenceSession(ONNX_NETWORK, providers=["CPUExecutionProvider"])
    picture = (np.arange(36, dtype=np.float32) % 7 / 7).reshape(1, 1, 6, 6)
    ours, theirs = (one.run(None, {"x": picture})[0] for one in (session, on_cpu))
    _compare(ours, theirs)


def check_ctranslate2(device: str, compute_type: str) -> None:
    """Translate a sentence by a network of constant weights on `device` and on the CPU. Raises WrongValues, and the
    exceptions of CTranslate2."""
    import ctranslate2

    with tempfile.TemporaryDirectory() as folder:
        _save_translation_network(folder)
        ours, theirs = (
            ctranslate2.Translator(
                folder, device=name, compute_type=kind, inter_threads=1, intra_threads=1
            ).translate_batch([_SENTENCE], beam_size=2, max_decoding_length=_MOST_TOKENS, return_scores=True)[0]
            for name, kind in ((device, compute_type), ("cpu", "float32"))
        )
    if ours.hypotheses != theirs.hypotheses:
        raise WrongValues(ours.hypotheses[0], theirs.hypotheses[0])
    _compare(np.array(ours.scores), np.array(theirs.scores))


def _compare(ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    difference = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
    if not (difference <= _TOLERANCE).all():  # so that NaN is wrong, too
        at = np.unravel_index(np.argmax(np.nan_to_num(difference, nan=np.inf)), difference.shape)
        raise WrongValues(f"{ours[at]:.4g}", f"{theirs[at]:.4g}")


def _save_translation_network(folder: str) -> None:
    from ctranslate2.specs import TransformerSpec

    random = np.random.default_rng(_SEED)

    def weights(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 0.5, shape).astype(np.float32)

    def fill_norm(norm: Any) -> None:
        norm.gamma, norm.beta = np.ones(_WIDTH, np.float32), np.zeros(_WIDTH, np.float32)

    def fill_linear(linear: Any, outputs: int, inputs: int = _WIDTH) -> None:
        linear.weight, linear.bias = weights(outputs, inputs), weights(outputs)

    spec = TransformerSpec.from_config(1, _HEADS)
    spec.encoder.embeddings[0].weight = weights(len(_TOKENS), _WIDTH)
    spec.decoder.embeddings.weight = weights(len(_TOKENS), _WIDTH)
    spec.decoder.projection.weight = 4 * weights(len(_TOKENS), _WIDTH)
    for stack in (spec.encoder, spec.decoder):
        stack.position_encodings.encodings = weights(16, _WIDTH)
        fill_norm(stack.layer_norm)
        for layer in stack.layer:
            attentions: list[tuple[Any, tuple[int, ...]]] = [(layer.self_attention, (3 * _WIDTH, _WIDTH))]
            if stack is spec.decoder:
                attentions.append((layer.attention, (_WIDTH, 2 * _WIDTH, _WIDTH)))
            for attention, widths in attentions:
                fill_norm(attention.layer_norm)
                for linear, width in zip(attention.linear, widths, strict=True):
                    fill_linear(linear, width)
            fill_norm(layer.ffn.layer_norm)
            fill_linear(layer.ffn.linear_0, 4 * _WIDTH)
            fill_linear(layer.ffn.linear_1, _WIDTH, 4 * _WIDTH)
    spec.register_source_vocabulary(list(_TOKENS))
    spec.register_target_vocabulary(list(_TOKENS))
    spec.validate()
    spec.optimize()
    spec.save(folder)
