"""A folder with an image classifier as `save_pretrained` and the model hubs lay it out: what it judges, and by which
files."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.safety.images import CAPABILITY
from models.vision.text import Image

FILE = "preprocessor_config.json"
_LONGEST = 8
"""Times its shorter side, the most of a picture that is resized before all but its middle is cut off."""
_NOT_DONE_HERE = ("crop_pct", "do_flip_channel_order", "do_pad", "do_thumbnail", "rescale_offset")
"""Steps of some processors that only they have."""


class UnknownStep(ValueError):
    """The configuration asks for what is not done here. The message is a clause that names the field."""


@dataclass(frozen=True, slots=True, eq=False)
class Preprocessing:
    size: tuple[int, int] | int | None
    """Height and width to stretch to, or the length that the shorter side gets; None: as it is."""
    resample: int
    """PIL's number of the filter."""
    crop: tuple[int, int] | None
    """Height and width of the middle that is left."""
    scale: float
    """What the pixels' 0 to 255 are multiplied with."""
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    """Each channel's; after `scale`."""

    @property
    def cuts(self) -> bool:
        """Whether it leaves out the ends of a picture that is no square."""
        return self.crop is not None

    def planes(self, picture: Image) -> NDArray[np.float32]:
        """3 × height × width, as the network takes it."""
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
            picture = _middle(picture, min(height, _LONGEST * short), min(width, _LONGEST * short))
            height, width = picture.shape[:2]
            size = (int(size * height / short), int(size * width / short))
        image = PIL.Image.fromarray(np.ascontiguousarray(picture))
        return np.asarray(image.resize((size[1], size[0]), PIL.Image.Resampling(self.resample)))


def preprocessing_of(config: Mapping[str, Any]) -> Preprocessing:
    """What a preprocessor_config.json describes. Raises UnknownStep."""
    for field in _NOT_DONE_HERE:
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
        # The shorter side to some processors, both sides to others.
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
    """Black around a picture that is smaller."""
    there_height, there_width = picture.shape[:2]
    missing = max(0, height - there_height), max(0, width - there_width)
    if any(missing):
        around = [(-(-side // 2), side // 2) for side in missing]
        picture = np.pad(picture, [*around, (0, 0)])
        there_height, there_width = picture.shape[:2]
    top, left = (there_height - height) // 2, (there_width - width) // 2
    return picture[top : top + height, left : left + width]


_NUDE = frozenset(
    "hentai naked nude nudes nudity porn porno pornographic pornography topless xxx".split()  # noqa: SIM905
)
_UNFIT = _NUDE | frozenset(
    """adult enticing erotic erotica explicit lewd nsfw provocative racy sensual sex sexual sexually sexy suggestive
    unsafe""".split()  # noqa: SIM905
)
_GORE = frozenset(
    "blood bloody bloodshed corpse dismemberment gore gory mutilation violence violent".split()  # noqa: SIM905
)

WORDS: Mapping[str, frozenset[str]] = {"S1_IMAGE": _GORE, "S12_IMAGE": _NUDE, "S15_IMAGE": _UNFIT}
"""By code, the words of a label that mean it. A label of nudity alone says what is bared; one that says no more than
`nsfw` or `sexy` does not."""

_NEGATING = frozenset("clean neutral no non normal not safe sfw without".split())  # noqa: SIM905
_UNSAFE = re.compile(r"\b(?:not|un) ?safe(?: for work)?\b")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")


def codes_of(label: str) -> frozenset[str]:
    """The codes that `label` means; none for `normal`, `non-violent`, `safe for work`, and for what is not understood.

    >>> sorted(codes_of("Pornography"))
    ['S12_IMAGE', 'S15_IMAGE']
    >>> codes_of("not_nsfw")
    frozenset()
    """
    words = _WORD.findall(_UNSAFE.sub("nsfw", " ".join(re.findall(r"[a-z]+", _HUMP.sub(" ", label).lower()))))
    # `nonviolent`, in one word.
    if any(word in _NEGATING or word.startswith("non") for word in words):
        return frozenset()
    return frozenset(code for code, meaning in WORDS.items() if not meaning.isdisjoint(words))


def meaning_of(labels: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """By each code that some of `labels` mean, those labels, which count in full."""
    meant = {code: {label: 1.0 for label in labels if code in codes_of(label)} for code in WORDS}
    return {code: found for code, found in meant.items() if found}


_CONFIG = "config.json"
_NETWORKS = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
"""Where Optimum and the hubs put exports, the most exact first."""
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_LARGEST_CONFIG = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierFolder:
    path: Path
    labels: tuple[str, ...]
    """The name of each output of the network."""
    meaning: Mapping[str, Mapping[str, float]]
    """By code, the labels that mean it, each with 1. Never empty."""
    exclusive: bool
    """Whether the labels share one certainty (a softmax); else each has its own (a sigmoid)."""
    preprocessing: Preprocessing

    @property
    def network(self) -> Path | None:
        """Its ONNX file, where there is one."""
        return next((self.path / name for name in _NETWORKS if (self.path / name).is_file()), None)

    @property
    def has_weights(self) -> bool:
        """Whether PyTorch could load it. Pickled weights, which run code when they are loaded, do not count."""
        return any((self.path / name).is_file() for name in _WEIGHTS)


def classifier_in(path: Path, name: str) -> ClassifierFolder:
    """Reads the configuration alone. Raises EngineUnavailable, which calls the folder `name`."""
    config = _json(path / _CONFIG, name)
    labels = _labels(config.get("id2label"), name)
    meaning = meaning_of(labels)
    if not meaning:
        raise _unfit(name, f"none of its labels ({', '.join(labels[:8])}) says nudity, not safe for work or gore")
    try:
        preprocessing = preprocessing_of(_json(path / FILE, name))
    except UnknownStep as error:
        raise _unfit(name, f"in {FILE}, {error}") from error
    exclusive = len(labels) > 1 and config.get("problem_type") != "multi_label_classification"
    return ClassifierFolder(path, labels, meaning, exclusive, preprocessing)


def _json(file: Path, name: str) -> Mapping[str, Any]:
    if not file.is_file():
        raise _unfit(name, f"it has no {file.name}")
    try:
        with file.open("rb") as stream:
            content = json.loads(stream.read(_LARGEST_CONFIG))
    except (OSError, ValueError, RecursionError) as error:
        raise _unfit(name, f"its {file.name} cannot be read") from error
    if not isinstance(content, dict):
        raise _unfit(name, f"its {file.name} is no JSON object")
    return content


def _labels(named: object, name: str) -> tuple[str, ...]:
    """`id2label`: the labels by their number, from 0 on without a gap."""
    if not isinstance(named, Mapping) or set(named) != {str(number) for number in range(len(named))} or not named:
        raise _unfit(name, f"its {_CONFIG} has no 'id2label' with a label for each output")
    return tuple(str(named[str(number)]) for number in range(len(named)))


def _unfit(name: str, why: str) -> EngineUnavailable:
    return EngineUnavailable(CAPABILITY, f"The folder {name} holds no image classifier of transformers': {why}.")
