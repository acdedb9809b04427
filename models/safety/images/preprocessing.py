"""Prepares a picture for an image classifier of transformers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from models.vision.text import Image

FILE = "preprocessor_config.json"

_MAX_ASPECT_RATIO = 8
"""If the configuration states only the length of the shorter side, a picture with a larger aspect ratio than this loses
its ends before it is resized."""

_UNSUPPORTED_STEPS = ("crop_pct", "do_flip_channel_order", "do_pad", "do_thumbnail", "rescale_offset")
"""Steps that only some processors have, and that are not implemented here."""


class UnknownStep(ValueError):
    """Raised if the configuration contains a step that is not implemented here. The message is a clause that names the
    field."""


@dataclass(frozen=True, slots=True, eq=False)
class Preprocessing:
    size: tuple[int, int] | int | None
    """Height and width to which the picture is stretched, or the length of its shorter side; None: the size stays."""
    resample: int
    """PIL's number of the filter for resizing."""
    crop: tuple[int, int] | None
    """Height and width of the middle part that is kept; None: nothing is cut off."""
    scale: float
    """Factor on the pixels' values of 0 to 255."""
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    """Standard deviation of each channel, after `scale`."""

    @property
    def crops_ends(self) -> bool:
        """True if the ends of a picture that is not square are cut off."""
        return self.crop is not None

    def planes(self, picture: Image) -> NDArray[np.float32]:
        """Return the picture as the network takes it: 3 × height × width."""
        if self.size is not None:
            picture = self._resized(picture, self.size)
        if self.crop is not None:
            picture = _middle(picture, *self.crop)
        values = picture.astype(np.float32)
        values *= self.scale
        values -= self.mean
        values /= self.deviation
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def _resized(self, picture: Image, size: tuple[int, int] | int) -> Image:
        height, width = picture.shape[:2]
        if isinstance(size, int):
            short = min(height, width)
            picture = _middle(picture, min(height, _MAX_ASPECT_RATIO * short), min(width, _MAX_ASPECT_RATIO * short))
            height, width = picture.shape[:2]
            size = (int(size * height / short), int(size * width / short))
        image = PIL.Image.fromarray(np.ascontiguousarray(picture))
        return np.asarray(image.resize((size[1], size[0]), PIL.Image.Resampling(self.resample)))


def preprocessing_of(config: Mapping[str, Any]) -> Preprocessing:
    """Return the preprocessing that a preprocessor_config.json describes. Raises UnknownStep."""
    for field in _UNSUPPORTED_STEPS:
        if config.get(field):
            raise UnknownStep(f"the step '{field}' is not known here")
    crops = bool(config.get("do_center_crop"))
    normalises = config.get("do_normalize", True)
    return Preprocessing(
        size=_size(config.get("size"), crops=crops) if config.get("do_resize", True) else None,
        resample=_resample(config.get("resample", PIL.Image.Resampling.BILINEAR)),
        crop=_height_and_width(config.get("crop_size"), "crop_size") if crops else None,
        scale=_number(config.get("rescale_factor", 1 / 255), "rescale_factor") if config.get("do_rescale", True) else 1,
        mean=_channels(config.get("image_mean"), "image_mean") if normalises else np.zeros(3, np.float32),
        deviation=_deviation(config.get("image_std")) if normalises else np.ones(3, np.float32),
    )


def _size(size: object, *, crops: bool) -> tuple[int, int] | int:
    if isinstance(size, Mapping) and size.keys() == {"shortest_edge"} and crops:
        return _side(size["shortest_edge"], "size")
    if isinstance(size, int) and crops:
        # Some processors take a single number for the shorter side, others for both sides.
        raise UnknownStep("'size' should be 'height' and 'width', or 'shortest_edge'")
    return _height_and_width(size, "size")


def _height_and_width(size: object, field: str) -> tuple[int, int]:
    if isinstance(size, Mapping) and size.keys() == {"height", "width"}:
        return _side(size["height"], field), _side(size["width"], field)
    if isinstance(size, int):
        return _side(size, field), _side(size, field)
    raise UnknownStep(f"'{field}' should be 'height' and 'width'")


def _side(value: object, field: str) -> int:
    if isinstance(value, int) and 1 <= value <= 4096:
        return value
    raise UnknownStep(f"'{field}' should be of 1 to 4096 pixels")


def _resample(value: object) -> int:
    if isinstance(value, int) and value in list(PIL.Image.Resampling):
        return value
    raise UnknownStep("'resample' should be the number of one of PIL's filters")


def _number(value: object, field: str) -> float:
    if isinstance(value, int | float) and value > 0:
        return float(value)
    raise UnknownStep(f"'{field}' should be a number above 0")


def _channels(values: object, field: str) -> NDArray[np.float32]:
    if isinstance(values, list) and len(values) == 3 and all(isinstance(value, int | float) for value in values):
        return np.array(values, np.float32)
    raise UnknownStep(f"'{field}' should be three numbers")


def _deviation(values: object) -> NDArray[np.float32]:
    deviation = _channels(values, "image_std")
    if not (deviation > 0).all():
        raise UnknownStep("'image_std' should be three numbers above 0")
    return deviation


def _middle(picture: Image, height: int, width: int) -> Image:
    """Return the middle of a picture. A smaller picture gets a black margin."""
    there_height, there_width = picture.shape[:2]
    missing = max(0, height - there_height), max(0, width - there_width)
    if any(missing):
        margins = [(-(-side // 2), side // 2) for side in missing]
        picture = np.pad(picture, [*margins, (0, 0)])
        there_height, there_width = picture.shape[:2]
    top, left = (there_height - height) // 2, (there_width - width) // 2
    return picture[top : top + height, left : left + width]
