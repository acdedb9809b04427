"""Trains `models/vision/gui/network.npz` on generated pages, in styles that are not those of the measuring set.

    .venv/bin/python -m training.gui.train --pages 630 --photos DIR

Needs Chromium, npm and its registry for the pages' frameworks, and photos that show no screen. Any photos will do; the
weights in the package were made with the sample pictures of scikit-image and scikit-learn. The same pages, photos and
seed give the same weights on the same machine; rendered pages are kept in --folder.
"""

import argparse
import asyncio
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.runtime import Runtime
from models.vision.gui.elements import TYPES
from models.vision.gui.engine import WEIGHTS
from models.vision.gui.regions import Floats
from models.vision.ocr.capability import OCR
from models.vision.text import Image, TextLine
from training.gui.frameworks import fetched
from training.gui.labelled import Labelled, labelled
from training.gui.labels import NOTHING, Examples, examples_of
from training.gui.pages import training_pages

SEED = 0
HIDDEN = (80, 40)
_NETWORKS = 3
"""Number of networks; their mean is more often right than each of them."""
_NOISE = 0.15
"""Noise that is added to the features in each pass, relative to their spread."""
_KEPT = 0.4
"""Share of the boxes without an element that is kept: there are twenty per box with an element."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=630)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/openfaze-gui"))
    parser.add_argument("--passes", type=int, default=10)
    arguments = parser.parse_args()

    pages = training_pages(fetched(arguments.folder / "npm"), arguments.pages)
    seen = asyncio.run(labelled(pages, arguments.folder / "training"))
    photos = asyncio.run(read_photos(arguments.photos))
    with ProcessPoolExecutor() as pool:
        examples = [*pool.map(_of_page, seen), *pool.map(_of_photo, photos)]
    save(*trained([one for one in examples if one is not None], arguments.passes), WEIGHTS)


def _of_page(one: Labelled) -> Examples | None:
    return examples_of(one.image, one.lines, one.elements)


def _of_photo(photo: tuple[Image, tuple[TextLine, ...]]) -> Examples | None:
    return examples_of(*photo, None)


async def read_photos(folder: Path) -> list[tuple[Image, tuple[TextLine, ...]]]:
    """Return the pictures in `folder`, each with its text lines from OCR."""
    runtime = Runtime(CATALOG, EngineConfig())
    images = await asyncio.to_thread(_pictures_in, folder)
    try:
        return [(image, tuple(await runtime.use(OCR).read(image))) for image in images]
    finally:
        await runtime.close()


def _pictures_in(folder: Path) -> list[Image]:
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in (".jpg", ".png")]
    return [np.asarray(PIL.Image.open(path).convert("RGB")) for path in paths]


def trained(examples: list[Examples], passes: int) -> tuple[list[MLPClassifier], Floats, Floats]:
    """Return the networks, and the mean and standard deviation of the features that they were trained with."""
    features = np.concatenate([one.features for one in examples])
    labels = np.concatenate([one.labels for one in examples])
    dice = np.random.default_rng(SEED)
    kept = (labels != NOTHING) | (dice.random(len(labels)) < _KEPT)
    weights = np.where(labels == NOTHING, 1 / _KEPT, 1.0)[kept]
    features, labels = features[kept], labels[kept]
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
    scaled = np.clip((features - mean) / spread, -8, 8)
    print(f"{len(labels)} boxes, of each type: {np.bincount(labels, minlength=len(TYPES) + 1)}", flush=True)
    networks = []
    for seed in range(SEED, SEED + _NETWORKS):
        network = MLPClassifier(
            HIDDEN, alpha=1e-2, batch_size=512, learning_rate_init=2e-3, warm_start=True, max_iter=1, random_state=seed
        )
        for _ in range(passes):
            # Noise stands for styles that are similar to the styles of these pages.
            noise = dice.normal(0, _NOISE, scaled.shape).astype(np.float32)
            with warnings.catch_warnings():
                # A single pass never converges, so the warning means nothing.
                warnings.simplefilter("ignore", ConvergenceWarning)
                network.fit(scaled + noise, labels, sample_weight=weights)
            print(f"network {seed}: loss {network.loss_:.4f}", flush=True)
        networks.append(network)
    return networks, mean, spread


def save(networks: list[MLPClassifier], mean: Floats, spread: Floats, path: Path) -> None:
    """Write the networks to `path` with weights in half precision, which changes no probability by more than 0.01."""
    arrays = {"mean": mean.astype(np.float32), "spread": spread.astype(np.float32)}
    assert all(list(network.classes_) == list(range(len(TYPES) + 1)) for network in networks)
    for layer, weights in enumerate(zip(*(network.coefs_ for network in networks), strict=True)):
        arrays[f"weight{layer}"] = np.stack(weights).astype(np.float16)
    for layer, biases in enumerate(zip(*(network.intercepts_ for network in networks), strict=True)):
        arrays[f"bias{layer}"] = np.stack(biases).astype(np.float32)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
