"""The file with the encoder's weights."""

from pathlib import Path

import numpy as np

from models.extraction.encoder_weights import read_weights, write_weights


def test_weights_are_read_as_they_were_written_up_to_rounding(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    scales = np.array([[1e-3], [1.0], [30.0]])
    weights = {
        name: (scales * random.standard_normal((3, 8))).astype(np.float32)
        for name in ("layers.0.up.weight", "of_field.weight", "rows")
    }
    weights |= {"layers.0.up.bias": random.standard_normal(8).astype(np.float32), "of_token.weight": np.zeros((2, 8))}
    file = tmp_path / "weights.npz"
    write_weights(file, weights)
    found = read_weights(file)
    assert found.keys() == weights.keys()
    for name, array in weights.items():
        assert found[name].dtype == np.float32
        largest = np.abs(array).max(axis=-1, keepdims=True)
        assert (np.abs(found[name] - array) <= 0.5001 / 127 * largest).all(), name


def test_matrices_of_layers_are_kept_in_int8(tmp_path: Path) -> None:
    file = tmp_path / "weights.npz"
    write_weights(file, {"layers.0.up.weight": np.ones((2, 4), np.float32), "rows": np.ones((2, 4), np.float32)})
    with np.load(file) as stored:
        assert {name: array.dtype.name for name, array in stored.items()} == {
            "layers.0.up.weight": "int8",
            "layers.0.up.weight.scale": "float32",
            "rows": "float16",
        }
