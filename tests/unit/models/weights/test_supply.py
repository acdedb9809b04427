"""Weights that engines ask for when they load."""

import asyncio
import hashlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from models.base import EngineUnavailable
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.vision.detection.capability import FASTESTDET
from models.vision.detection.detector import Found, Query
from models.vision.detection.fastestdet import FILE as FILE_OF_FASTESTDET
from models.vision.detection.fastestdet import SHA256 as SHA256_OF_FASTESTDET
from models.vision.detection.fastestdet import FastestDetHead
from models.vision.detection.onnx_detector import OnnxDetector
from models.weights.files import WeightFile, WeightSet
from models.weights.pulling import PullFailed
from models.weights.supply import Fetch, Supply, WeightsMissing

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = WeightFile("https://models.test/a.onnx", SHA256, "family/a.onnx", len(CONTENT))
SET = WeightSet("family", "MIT", (FILE,))


class Hub:
    """Fetches by writing, or fails."""

    def __init__(self, *, reason: str | None = None, content: bytes = CONTENT) -> None:
        self.reason = reason
        self.content = content
        self.calls = 0

    def __call__(self, weights: WeightSet, root: Path) -> None:
        self.calls += 1
        target = root / weights.files[0].path
        if self.reason is not None:
            raise PullFailed(weights.files[0], target, self.reason.format(call=self.calls))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.content)


def supply(root: Path, hub: Fetch, weights: WeightSet = SET, *, auto_pull: bool = True) -> Supply:
    return Supply(weights, "object_detection", root, auto_pull=auto_pull, fetch=hub)


def test_nothing_is_fetched_where_that_is_switched_off(tmp_path: Path) -> None:
    hub = Hub()
    stopped = supply(tmp_path, hub, auto_pull=False)
    with pytest.raises(WeightsMissing) as raised:
        stopped.ensure_files()
    assert hub.calls == 0
    assert raised.value.remedy == stopped.remedy()
    assert raised.value.remedy == (
        f"Run `openfaze pull family`, or put https://models.test/a.onnx (sha256 {SHA256}) as 'family/a.onnx' into "
        "OPENFAZE_WEIGHTS_DIR."
    )


@pytest.mark.parametrize("size", [None, 100_000_001])
def test_large_sets_are_not_fetched_unasked(tmp_path: Path, size: int | None) -> None:
    weights = WeightSet("family", "MIT", (WeightFile(FILE.url, SHA256, FILE.path, size),))
    with pytest.raises(WeightsMissing, match="Run `openfaze pull family`"):
        supply(tmp_path, Hub(), weights).ensure_files()


def test_a_failed_fetch_says_why_and_what_to_do_and_names_no_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as raised:
        supply(tmp_path, Hub(reason="the server answered 404")).ensure_files()
    remedy = raised.value.remedy
    assert remedy.startswith("Fetching 'family/a.onnx' failed: the server answered 404. Run `openfaze pull family`")
    assert SHA256 in remedy
    assert str(tmp_path) not in remedy


def test_a_file_with_another_checksum_is_refused_and_left_alone(tmp_path: Path) -> None:
    Hub(content=b"not it")(SET, tmp_path)
    hub = Hub()
    with pytest.raises(EngineUnavailable, match=f"its sha256 is not {SHA256}, and it is not loaded") as raised:
        supply(tmp_path, hub).ensure_files()
    assert not isinstance(raised.value, WeightsMissing)
    assert "`openfaze pull family` replaces it" in raised.value.remedy
    assert hub.calls == 0
    assert (tmp_path / "family" / "a.onnx").read_bytes() == b"not it"


def detector_with(weights: Supply) -> EngineHost[Query, Found]:
    """Return a host of FastestDet that takes its file from `weights`."""
    engine = partial(
        OnnxDetector, lambda: weights.ensure_files()[0], lambda _: FastestDetHead(), device="cpu", threads=1
    )
    return EngineHost(FASTESTDET.spec, engine, HostLimits())


async def test_an_engines_first_callers_share_one_fetch_off_the_event_loop(tmp_path: Path) -> None:
    content = FILE_OF_FASTESTDET.read_bytes()
    hub = Hub(content=content)
    weights = WeightSet("family", "MIT", (WeightFile(FILE.url, SHA256_OF_FASTESTDET, FILE.path, len(content)),))
    host = detector_with(supply(tmp_path, hub, weights))
    query = Query(np.zeros((8, 8, 3), np.uint8))
    assert not any(await asyncio.gather(*(host.run(query) for _ in range(5))))
    assert hub.calls == 1
    await host.close()
