"""Resemblyzer's encoder against the original's numbers, on both runtimes."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.diarization import mel_spectrogram as mel
from models.diarization import pyannote
from models.diarization.capability import PYANNOTE
from models.diarization.resemblyzer import Resemblyzer
from models.diarization.resemblyzer_weights import SPEC, read_weights, voice_weights
from models.diarization.voices import DIMENSIONS, WINDOW, HostedVoiceEncoder, Voice
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.speech.transcriber import Samples

TONE = (0.1 * np.sin(2 * np.pi * 220 * np.arange(WINDOW) / 16_000)).astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint() -> Path:
    try:
        return voice_weights()
    except EngineUnavailable as error:
        pytest.skip(f"needs the voice encoder. {error}")


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[Resemblyzer]:
    engine = Resemblyzer(threads=1)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def speech(shared: Path) -> Samples:
    """The first channel of the real clip, 16 kHz."""
    with av.open(str(shared / "samples" / "speech_jfk.flac")) as container:
        resampler = av.AudioResampler("fltp", "mono", 16_000)
        frames = [part for frame in container.decode(container.streams.audio[0]) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in (*frames, *resampler.resample(None))])


def vectors(engine: Resemblyzer, *windows: Samples) -> NDArray[np.float32]:
    return np.stack([voice for voice in engine.run(windows) if not isinstance(voice, Exception)])


def hummed() -> Samples:
    """Harmonics of a gliding 120 Hz, at the level that the encoder was trained on."""
    times = np.arange(WINDOW) / 16_000
    glide = np.sin(2 * np.pi * 3 * times)
    sound = sum(np.sin(2 * np.pi * 120 * k * times + k * glide) / k for k in range(1, 20))
    sound = 0.05 * sound * (1 + 0.5 * np.sin(2 * np.pi * 4 * times))
    levelled: Samples = (sound * 10 ** (-30 / 20) / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)
    return levelled


def test_the_spectrogram_is_librosas() -> None:
    """Numbers of librosa 0.11: feature.melspectrogram as resemblyzer calls it."""
    [frames] = mel.mel_spectrograms(hummed()[None])
    assert frames.shape == (161, 40)
    assert frames.sum() == pytest.approx(64.315056, rel=1e-5)
    np.testing.assert_allclose(frames[80, :5], [0.20213711, 0.27002606, 0.09108897, 0.0445692, 0.03805747], rtol=1e-4)


def test_a_voice_has_the_originals_numbers(engine: Resemblyzer) -> None:
    """The largest of resemblyzer 0.1.4's on torch 2.13."""
    [voice] = vectors(engine, hummed())
    largest = np.argsort(-voice)[:6]
    assert largest.tolist() == [246, 189, 36, 111, 202, 91]
    np.testing.assert_allclose(voice[largest], [0.28258, 0.20106, 0.19079, 0.18195, 0.17383, 0.16789], atol=2e-5)


async def test_a_host_embeds_windows_of_any_loudness_alike_alone_and_together(engine: Resemblyzer) -> None:
    host = EngineHost[Samples, Voice](SPEC, Resemblyzer, HostLimits(max_batch=4, max_queue=2))
    windows = [hummed() * 10, hummed() / 100, TONE, np.zeros(WINDOW, np.float32), *(hummed()[:-n] for n in (900, 9000))]
    try:
        matrix = await HostedVoiceEncoder(host).embed(windows)
        assert (await HostedVoiceEncoder(host).embed([])).shape == (0, DIMENSIONS)
    finally:
        await host.close()
    assert np.isfinite(matrix).all()
    assert matrix[0] @ matrix[1] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(matrix, np.concatenate([vectors(engine, window) for window in windows]), atol=1e-5)


@pytest.mark.parametrize("count", [0, WINDOW + 1])
def test_a_window_of_another_length_is_refused(engine: Resemblyzer, count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {WINDOW} samples, not {count}"):
        engine.run([np.zeros(count, np.float32)])


def test_a_changed_checkpoint_is_not_read(checkpoint: Path, tmp_path: Path) -> None:
    changed = tmp_path / "pretrained.pt"
    changed.write_bytes(checkpoint.read_bytes()[:-1] + b"\0")
    with pytest.raises(EngineUnavailable, match="pretrained.pt"):
        read_weights(changed)


def test_pyannote_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = EngineConfig(weights_dir=tmp_path)
    folder = tmp_path / pyannote.FOLDER
    assert "`hf download pyannote/" in str(PYANNOTE.remedy(config))
    folder.mkdir()
    (folder / "config.yaml").touch()
    monkeypatch.setattr(pyannote, "find_spec", lambda name: None)
    assert "`openfaze install pyannote`" in str(PYANNOTE.remedy(config))
    monkeypatch.setattr(pyannote, "find_spec", MappingProxyType({"pyannote": 1, "pyannote.audio": 1}).get)
    assert PYANNOTE.remedy(config) is None
