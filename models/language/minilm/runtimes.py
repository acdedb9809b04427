"""Which runtime computes the network."""

from importlib.util import find_spec

from models.language.minilm.network import Network
from models.language.minilm.weights import Tensors


def build_network(weights: Tensors, *, threads: int) -> Network:
    """On OpenVINO, which is five to twenty times as fast as NumPy; on NumPy where there is no OpenVINO."""
    if find_spec("openvino") is not None:
        from models.language.minilm.openvino_network import OpenVinoNetwork

        return OpenVinoNetwork(weights, threads=threads)
    from models.language.minilm.numpy_network import NumpyNetwork

    return NumpyNetwork(weights)
