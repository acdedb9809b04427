"""Fits `models/speech/english.json`.

    .venv/bin/python -m training.speech.train

Needs espeak-ng, and half an hour on two cores. The same espeak-ng and seed give the same file.
"""

import json
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.capability import EngineConfig
from models.speech.english_head import ENGLISH_FILE
from models.speech.transcriber import SpeechWindow
from models.speech.whisper import Whisper
from models.speech.whisper_files import TINY_EN, files_of
from training.speech.clips import Clip, Samples, clips

SEED = 0
_STRENGTH = 0.01
"""Inverse of the regularisation. A larger value fits the voices better instead of the languages."""


def means(engine: Whisper, found: Iterable[Samples]) -> Iterator[NDArray[np.float32]]:
    """Yield the mean of the encoder's states, float32[384], for each recording."""
    for samples in found:
        yield engine.states(SpeechWindow(samples)).mean(axis=0)


def main() -> None:
    engine = Whisper(files_of(TINY_EN, EngineConfig()), fills_windows=False)
    engine.load()
    found: list[Clip] = list(clips(english=1000, accents=500, each=30, seed=SEED))
    print(f"{len(found)} clips", flush=True)
    features = np.stack(list(means(engine, (clip.samples for clip in found))))
    scale = StandardScaler().fit(features)
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=2000)
    model.fit(scale.transform(features), [clip.is_english for clip in found])
    weights = model.coef_[0] / scale.scale_
    bias = float(model.intercept_[0] - weights @ scale.mean_)
    stored = {"bias": round(bias, 4), "weights": [round(float(weight), 4) for weight in weights]}
    ENGLISH_FILE.write_text(json.dumps(stored) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
