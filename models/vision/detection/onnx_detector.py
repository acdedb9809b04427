"""The engine of detection networks in ONNX files."""

from collections.abc import Callable, Sequence
from pathlib import Path

from models.vision.detection.detector import Found, Query
from models.vision.detection.head import Head
from models.vision.detection.network import Network, batches


class OnnxDetector:
    """From queries to what they find. Implements `models.base.Engine`.

    Pictures are computed together where the file allows it.
    """

    def __init__(
        self,
        locate: Callable[[], Path],
        make_head: Callable[[Network], Head],
        *,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """`locate` finds or fetches the file; both it and `make_head` raise EngineUnavailable. Called by `load`."""
        self._locate = locate
        self._make_head = make_head
        self._device = device
        self._threads = threads
        self._loaded: tuple[Network, Head, bool] | None = None

    def load(self) -> None:
        network = Network(self._locate(), device=self._device, threads=self._threads)
        together = all(batches(shape) for shape in network.inputs.values())
        self._loaded = network, self._make_head(network), together

    def run(self, batch: Sequence[Query]) -> Sequence[Found | Exception]:
        assert self._loaded is not None, "load() comes first"
        network, head, together = self._loaded
        found: list[Found | Exception] = []
        for group in [batch] if together else [[query] for query in batch]:
            outputs = network.run(head.feeds([query.image for query in group]))
            found += [tuple(head.detections(outputs, index, query)) for index, query in enumerate(group)]
        return found

    def close(self) -> None:
        self._loaded = None
