"""Model files like those of multilingual-e5-small, with random weights: BERT's encoder in ONNX and a tokenizer of
XLM-RoBERTa.

The vectors mean nothing, but files are read, texts are cut and states are pooled as in the published model.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from models.embedding.multilingual_e5 import MAX_TOKENS, WEIGHTS

WIDTH, HEADS = 384, 12
_MARKS = ("<s>", "<pad>", "</s>", "<unk>")
_WORDS = ("▁query", "▁passage", "▁the", "▁die", "▁Rechnung", "▁invoice", "▁вода", "▁agua", "请求", "ung", "ing", "en")
_LETTERS = "▁:.,abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZäöüßñавдо请求退款0123456789"


def random_e5(root: Path, *, layers: int = 1, inner: int = 64, words: int = 0) -> None:
    """Write both files to the places of `openfaze pull` below `root`. `words` adds rows to the table of words."""
    network, vocabulary = (root / file.path for file in WEIGHTS.files)
    network.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = random_tokenizer()
    tokenizer.save(str(vocabulary))
    onnx.save(_Graph().model(tokenizer.get_vocab_size() + words, layers, inner), str(network))


def random_tokenizer() -> Tokenizer:
    pieces = [(mark, 0.0) for mark in _MARKS] + [(word, -4.0) for word in _WORDS]
    pieces += [(letter, -8.0) for letter in _LETTERS]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(list(_MARKS))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>", length=MAX_TOKENS)
    return tokenizer


class _Graph:
    def __init__(self) -> None:
        self._random = np.random.default_rng(5)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self, words: int, layers: int, inner: int) -> onnx.ModelProto:
        names = ("input_ids", "attention_mask", "token_type_ids")
        x = self._embedded(words)
        hidden = self._op("Equal", self._whole("attention_mask"), self._constant(np.array(0, np.int64)))
        added = self._op("Where", hidden, self._constant(np.float32(-1e9)), self._constant(np.float32(0)))
        for _ in range(layers):
            x = self._norm(self._op("Add", x, self._attended(x, added)))
            x = self._norm(
                self._op("Add", x, self._dense(self._op("Gelu", self._dense(x, WIDTH, inner)), inner, WIDTH))
            )
        self._nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
        shape = ["batch", "sequence"]
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in names]
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, WIDTH])
        graph = helper.make_graph(self._nodes, "e5", inputs, [output], self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)

    def _embedded(self, words: int) -> str:
        length = self._op("Gather", self._op("Shape", "input_ids"), self._constant(np.array(1, np.int64)))
        first, step = self._constant(np.array(0, np.int64)), self._constant(np.array(1, np.int64))
        places = self._op("Gather", self._weight(MAX_TOKENS, WIDTH), self._op("Range", first, length, step))
        kinds = self._op("Gather", self._weight(2, WIDTH), "token_type_ids")
        return self._norm(
            self._op("Add", self._op("Add", self._op("Gather", self._weight(words, WIDTH), "input_ids"), kinds), places)
        )

    def _attended(self, x: str, added: str) -> str:
        apart = self._constant(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
        split = [self._op("Reshape", self._dense(x, WIDTH, WIDTH), apart) for _ in range(3)]
        query, value = (self._op("Transpose", split[which], perm=[0, 2, 1, 3]) for which in (0, 2))
        scores = self._op("MatMul", query, self._op("Transpose", split[1], perm=[0, 2, 3, 1]))
        scores = self._op("Mul", scores, self._constant(np.float32((WIDTH // HEADS) ** -0.5)))
        shares = self._op("Softmax", self._op("Add", scores, added), axis=-1)
        joined = self._op("Transpose", self._op("MatMul", shares, value), perm=[0, 2, 1, 3])
        together = self._constant(np.array([0, 0, WIDTH], np.int64))
        return self._dense(self._op("Reshape", joined, together), WIDTH, WIDTH)

    def _whole(self, mask: str) -> str:
        """Return the mask, repeated for each head and query."""
        return self._op("Unsqueeze", mask, self._constant(np.array([1, 2], np.int64)))

    def _dense(self, x: str, width: int, out: int) -> str:
        return self._op("Add", self._op("MatMul", x, self._weight(width, out)), self._weight(out))

    def _norm(self, x: str) -> str:
        ones = self._constant(np.ones(WIDTH, np.float32))
        return self._op("LayerNormalization", x, ones, self._weight(WIDTH), epsilon=1e-12)

    def _weight(self, *shape: int) -> str:
        return self._constant(self._random.normal(0, 0.05, shape).astype(np.float32))

    def _constant(self, value: NDArray[np.generic] | np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _op(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
