"""Small detection networks with known, constant answers, made here in real ONNX files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Answers = Mapping[str, NDArray[Any]]

_OPSET = 17


def save_network(
    path: Path, answers: Answers, *, picture: str, side: int = 64, sizes: str | None = None, together: bool = True
) -> Path:
    """Save an ONNX file that takes pictures of `side` pixels as `picture`, and answers each picture with `answers`.

    The picture's mean is added to each answer, to reveal the picture, except to whole numbers. `together` permits any
    number of pictures in a batch. `sizes` names a second input, which scales the answer `boxes`.
    """
    batch: int | str = "batch" if together else 1
    inputs = [helper.make_tensor_value_info(picture, TensorProto.FLOAT, [batch, 3, side, side])]
    nodes = [
        helper.make_node("ReduceMean", [picture], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Squeeze", ["mean", "axes"], ["means"]),
        helper.make_node("Cast", ["means"], ["wholes"], to=TensorProto.INT64),
        helper.make_node("Mul", ["wholes", "nothing"], ["zeros"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
        numpy_helper.from_array(np.zeros(1, np.int64), "nothing"),
    ]
    if sizes is not None:
        inputs.append(helper.make_tensor_value_info(sizes, TensorProto.INT64, [batch, 2]))
        nodes += [
            helper.make_node("Cast", [sizes], ["sizes32"], to=TensorProto.FLOAT),
            helper.make_node("Concat", ["sizes32", "sizes32"], ["corners"], axis=1),
            helper.make_node("Unsqueeze", ["corners", "one"], ["scale"]),
        ]
        constants.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    outputs = []
    for name, value in answers.items():
        is_whole = np.issubdtype(value.dtype, np.integer)
        constants.append(numpy_helper.from_array(value[None], f"{name}.constant"))
        # An array in the shape of the batch: zeros for whole numbers, else the pictures' means.
        added = "zeros" if is_whole else "means"
        axes = f"{name}.axes"
        constants.append(numpy_helper.from_array(np.arange(2, value.ndim + 1, dtype=np.int64), axes))
        shaped = f"{name}.added"
        if value.ndim > 1:
            nodes.append(helper.make_node("Unsqueeze", [added, axes], [shaped]))
        else:
            nodes.append(helper.make_node("Identity", [added], [shaped]))
        scaled = sizes is not None and name == "boxes"
        nodes.append(helper.make_node("Add", [f"{name}.constant", shaped], [f"{name}.sum" if scaled else name]))
        if scaled:
            nodes.append(helper.make_node("Mul", [f"{name}.sum", "scale"], [name]))
        kind = TensorProto.INT64 if is_whole else TensorProto.FLOAT
        outputs.append(helper.make_tensor_value_info(name, kind, [batch, *value.shape]))
    graph = helper.make_graph(nodes, "test", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
