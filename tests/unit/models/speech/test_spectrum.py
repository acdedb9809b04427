"""What Whisper sees of sound."""

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from models.speech.spectrum import log_mel_function
from models.speech.transcriber import RATE

FRAMES = 1000
MOST = FRAMES * 160


@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("samples", [0, 1, 400, 3 * RATE + 77, MOST - 200, MOST - 1, MOST + 999])
def test_it_is_what_faster_whispers_own_code_makes(bands: int, samples: int) -> None:
    sound = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    sound[samples // 2 :] *= 1e-4
    extractor = FeatureExtractor(feature_size=bands)
    whole = np.pad(sound[:MOST], (0, max(0, MOST - samples)))
    made = log_mel_function(extractor)(sound, FRAMES)
    assert made.dtype == np.float32
    assert made.shape == (bands, FRAMES)
    assert np.allclose(made, extractor(whole, padding=0)[:, :FRAMES], atol=1e-4)
