"""Networks small enough to make on the spot, in the files and forms that PaddleOCR's real models have.

Their script is colours: a line is a black bar, a letter a coloured cell on it, a space a grey one. The detector
finds whatever is not white; the recogniser names the colour of each eight pixels. Every step from loading to words
is then the real one, and what must come out is known exactly.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.extras.engines.paddle.painting import COLOURS, GREY

MakeModels = Callable[[str, str, str], Path]
"""Detector's name, recogniser's name and the six letters of its script to a weights directory."""


@pytest.fixture(scope="session")
def make_models(tmp_path_factory: pytest.TempPathFactory) -> MakeModels:
    def make(detector: str, recognizer: str, letters: str) -> Path:
        root = tmp_path_factory.mktemp("weights")
        _save_detector(root / "paddleocr" / detector)
        _save_recognizer(root / "paddleocr" / recognizer, letters)
        return root

    return make


@pytest.fixture(scope="session")
def latin_weights(make_models: MakeModels) -> Path:
    return make_models("PP-OCRv6_medium_det", "PP-OCRv6_medium_rec", "abcdef")


def _save_detector(directory: Path) -> None:
    import paddle
    from paddle import nn

    class Detector(nn.Layer):
        """1 where no white is within 12 pixels: the shrunken core of a line, as DB networks learn it."""

        def __init__(self) -> None:
            super().__init__()
            self.not_white = nn.Conv2D(1, 1, 1)
            self.not_white.weight.set_value(np.full((1, 1, 1, 1), -16, np.float32))
            self.not_white.bias.set_value(np.full(1, 8, np.float32))

        def forward(self, x: "paddle.Tensor") -> "paddle.Tensor":
            probability = nn.functional.sigmoid(self.not_white(x.min(axis=1, keepdim=True)))
            return 1 - nn.functional.max_pool2d(1 - probability, 25, 1, 12)

    _save(Detector(), directory, height=None)
    _write_config(
        directory,
        [
            {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
            {"DetResizeForTest": {"resize_long": 960}},
            {"NormalizeImage": {"mean": [0.5] * 3, "std": [0.5] * 3, "scale": "1./255.", "order": "hwc"}},
            {"ToCHWImage": None},
            {"KeepKeys": {"keep_keys": ["image", "shape"]}},
        ],
        {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": 0.6, "max_candidates": 1000, "unclip_ratio": 1.5},
    )


def _save_recognizer(directory: Path, letters: str) -> None:
    import paddle
    from paddle import nn

    black, white = (0, 0, 0), (255, 255, 255)
    rgb = np.array([black, *COLOURS[: len(letters)], GREY, white], np.float32)
    bgr = rgb[:, ::-1] / 127.5 - 1

    class Recognizer(nn.Layer):
        """Softmax over minus the squared distance to each colour; black and white are CTC's blank."""

        def __init__(self) -> None:
            super().__init__()
            self.nearness = nn.Conv2D(3, len(bgr), 1)
            self.nearness.weight.set_value(8 * bgr[:, :, None, None])
            bias = -4 * (bgr**2).sum(axis=1)
            bias[len(letters) + 1] -= 8  # Half of yellow and half of black is near grey, and no space.
            self.nearness.bias.set_value(bias)

        def forward(self, x: "paddle.Tensor") -> "paddle.Tensor":
            columns = nn.functional.avg_pool2d(x, (48, 8), (48, 8))
            scores = self.nearness(columns)[:, :, 0, :].transpose([0, 2, 1])
            blank = paddle.maximum(scores[:, :, :1], scores[:, :, -1:])
            return nn.functional.softmax(paddle.concat([blank, scores[:, :, 1:-1]], axis=-1), axis=-1)

    _save(Recognizer(), directory, height=48)
    _write_config(
        directory,
        [
            {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
            {"MultiLabelEncode": {"gtc_encode": "NRTRLabelEncode"}},
            {"RecResizeImg": {"image_shape": [3, 48, 320]}},
            {"KeepKeys": {"keep_keys": ["image"]}},
        ],
        {"name": "CTCLabelDecode", "character_dict": list(letters)},
    )


def _save(network: object, directory: Path, *, height: int | None) -> None:
    import paddle

    network.eval()  # type: ignore[attr-defined]
    shape = [None, 3, height, None]
    paddle.jit.save(network, str(directory / "inference"), input_spec=[paddle.static.InputSpec(shape, "float32", "x")])


def _write_config(directory: Path, steps: list[dict[str, object]], after: dict[str, object]) -> None:
    config = {
        "Global": {"model_name": directory.name},
        "PreProcess": {"transform_ops": steps},
        "PostProcess": after,
    }
    (directory / "inference.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
