"""Small weights in the place of those that `openfaze pull gpu` fetches, and the lists of weights that have their
checksums."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import models
from models.vision.ocr.capability import embedded_weights
from models.weights.files import WEIGHT_SETS
from tests.kit.engines.image_guards import save_nsfw_vit
from tests.kit.engines.networks import save_network
from tests.kit.engines.whisper_model import MELS, random_whisper

SETS = ("pp-ocrv6-medium", "whisper-large-v3-turbo", "rf-detr-seg-small", "nsfw-vit")
"""What the profile fetches where the LLM translates."""
_MODELSCOPE = "https://www.modelscope.cn"


def fill(hub: Path, work: Path) -> None:
    """Writes the sets' files below `hub`, at the paths of their addresses."""
    for path, content in _small(work).items():
        [file] = [file for name in SETS for file in WEIGHT_SETS[name].files if file.path == path]
        served = hub / re.sub(r"https://[^/]+/", "", file.url)
        served.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(content, served)


def lists(hub: Path, folder: Path, address: str) -> Iterator[tuple[Path, Path]]:
    """Copies of the lists of weights with the checksums of what is below `hub`, each with the path below `models` whose
    place it takes. What is not on Hugging Face comes from `address` straight."""
    for root in map(Path, models.__path__):
        for original in sorted(root.rglob("weights.toml")):
            text = original.read_text("utf-8").replace(_MODELSCOPE, address)
            for name in SETS:
                for file in WEIGHT_SETS[name].files:
                    digest = hashlib.sha256((hub / re.sub(r"https://[^/]+/", "", file.url)).read_bytes()).hexdigest()
                    text = re.sub(rf'"{file.sha256}"(.*?)(, size = \d+)? }}', rf'"{digest}"\1 }}', text)
            place = original.relative_to(root)
            own = folder / "-".join(place.parts)
            own.write_text(text)
            yield own, place


def _small(work: Path) -> dict[str, Path]:
    """By the sets' paths: the small OCR model that comes along, a Whisper of random weights, and networks that find
    nothing and judge nothing."""
    detector, recognizer = embedded_weights()
    small = {"pp-ocrv6/PP-OCRv6_det_medium.onnx": detector, "pp-ocrv6/PP-OCRv6_rec_medium.onnx": recognizer}
    whisper = work / "whisper"
    whisper.mkdir()
    random_whisper(whisper)
    (whisper / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    small |= {f"whisper/large-v3-turbo/{file.name}": file for file in whisper.iterdir()}
    boxes, scores = np.full((2, 4), 0.5, np.float32), np.full((2, 91), -8, np.float32)
    answers = {"dets": boxes, "labels": scores, "masks": np.zeros((2, 16, 16), np.float32)}
    small["rf-detr-seg-small.onnx"] = save_network(work / "rf-detr.onnx", answers, picture="input", together=False)
    guard = save_nsfw_vit(work / "nsfw-vit", added=[4, -4])
    names = ("config.json", "preprocessor_config.json", "onnx/model.onnx")
    return small | {f"nsfw-vit/{name}": guard / name for name in names}
