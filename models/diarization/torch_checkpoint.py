"""Reads, without torch, the checkpoints that torch saved before its version 1.6.

Such a file consists of four pickles (a magic number, the protocol's version, the writer's byte order, the object), a
fifth with the keys of the storages, and then each storage: its number of elements as a little-endian int64, and the
elements (`torch.serialization._legacy_save`). The unpickler here accepts ordered dictionaries and float tensors, and
calls nothing else.
"""

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[np.float32]]
"""Tensors by their names in the checkpoint."""

_MAGIC = 0x1950A86A20F9469CFC6C

_PROTOCOL = 1001


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: str
    """Key of the storage with the tensor's elements."""
    offset: int
    shape: tuple[int, ...]


def read_checkpoint(data: bytes, part: str) -> Tensors:
    """Return the float32 tensors of the dictionary `part` of the checkpoint.

    Raises pickle.UnpicklingError for a file in a different format, and for one with objects other than numbers,
    strings, dictionaries and contiguous float tensors.
    """
    file = io.BytesIO(data)
    magic, protocol, system, checkpoint, keys = (_Unpickler(file).load() for _ in range(5))
    if magic != _MAGIC or protocol != _PROTOCOL or not system["little_endian"]:
        raise pickle.UnpicklingError("this is not a checkpoint in torch's old format")
    storages: dict[str, NDArray[np.float32]] = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(data, np.float32, count, file.tell())
        file.seek(4 * count, io.SEEK_CUR)
    tensors = {}
    for name, tensor in checkpoint[part].items():
        elements = storages[tensor.storage][tensor.offset :][: int(np.prod(tensor.shape))]
        # The tensor is copied, so that the rest of the file (the optimizer's state) need not stay in memory.
        tensors[name] = elements.reshape(tensor.shape).copy()
    return tensors


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED_GLOBALS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"a checkpoint holds no {module}.{name}") from None

    def persistent_load(self, pid: Any) -> str:
        """Return the key in `pid`, which is ("storage", type, key, location, elements, view)."""
        kind, _type, key, *_ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"a checkpoint holds no {kind!r}")
        return str(key)


def _rebuild_tensor(
    storage: str, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], _gradient: bool, _hooks: object
) -> _Tensor:
    contiguous = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    if stride != contiguous:
        raise pickle.UnpicklingError("only contiguous tensors can be read")
    return _Tensor(storage, offset, shape)


class _FloatStorage:
    """Placeholder for the element type of a storage; it has no instances."""


_ALLOWED_GLOBALS = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): _FloatStorage,
}
