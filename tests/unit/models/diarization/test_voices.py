"""Resemblyzer's encoder against the original's numbers, on both runtimes."""

import pickle
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
from models.diarization import resemblyzer_weights as weights
from models.diarization.capability import PYANNOTE, RESEMBLYZER, DiarizationSettings
from models.diarization.resemblyzer import Resemblyzer
from models.diarization.resemblyzer_weights import SPEC, read_weights, voice_weights
from models.diarization.torch_checkpoint import read_checkpoint
from models.diarization.voices import DIMENSIONS, WINDOW, HostedVoiceEncoder, Voice
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.speech.transcriber import Samples

TONE = (0.1 * np.sin(2 * np.pi * 220 * np.arange(WINDOW) / 16_000)).astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint() -> Path:
    path = voice_weights()
    if path is None:
        pytest.skip(f"needs the voice encoder. {weights.REMEDY}")
    return path


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[Resemblyzer]:
    engine = Resemblyzer(checkpoint, threads=1)
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


def test_the_mel_filters_are_librosas() -> None:
    """Numbers of librosa 0.11: filters.mel(sr=16000, n_fft=400, n_mels=40)."""
    filters = mel._FILTERS
    assert filters.shape == (40, 201)
    assert filters.sum() == pytest.approx(0.9994972, abs=1e-6)
    assert filters[0, 1] == pytest.approx(0.0073902095, rel=1e-6)
    assert filters[20].argmax() == 44
    assert filters[39].max() == pytest.approx(0.0017249404, rel=1e-6)


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


@pytest.mark.parametrize(
    ("start", "dimensions", "numbers"),
    [
        (0, [13, 212, 79, 83, 135, 158], [0.31526, 0.27973, 0.17587, 0.16612, 0.16469, 0.16432]),
        (51_200, [212, 83, 196, 218, 162, 135], [0.23965, 0.22061, 0.21144, 0.19593, 0.17346, 0.16975]),
    ],
)
def test_real_speech_has_the_originals_numbers(
    engine: Resemblyzer, speech: Samples, start: int, dimensions: list[int], numbers: list[float]
) -> None:
    """The largest of resemblyzer 0.1.4's on torch 2.13, for 1.6 s raised to -30 dB."""
    [voice] = vectors(engine, speech[start : start + WINDOW])
    assert np.argsort(-voice)[:6].tolist() == dimensions
    np.testing.assert_allclose(voice[dimensions], numbers, atol=5e-5)


def test_voices_are_256_floats_of_length_one_and_nowhere_negative(engine: Resemblyzer) -> None:
    for voice in vectors(engine, TONE, hummed(), hummed()[:4000]):
        assert voice.shape == (DIMENSIONS,)
        assert voice.dtype == np.float32
        assert np.linalg.norm(voice) == pytest.approx(1, abs=1e-5)
        assert voice.min() >= 0


def test_how_loud_a_window_is_makes_no_difference(engine: Resemblyzer) -> None:
    loud, faint = vectors(engine, hummed() * 10, hummed() / 100)
    assert loud @ faint == pytest.approx(1, abs=1e-5)


def test_a_voice_does_not_depend_on_its_company(engine: Resemblyzer) -> None:
    windows = [TONE, hummed(), hummed()[::-1].copy(), hummed()[:9000]]
    together = vectors(engine, *windows)
    for window, voice in zip(windows, together, strict=True):
        np.testing.assert_allclose(vectors(engine, window)[0], voice, atol=1e-5)


def test_silence_has_finite_numbers(engine: Resemblyzer) -> None:
    assert np.isfinite(vectors(engine, np.zeros(WINDOW, np.float32))).all()


@pytest.mark.parametrize("count", [0, WINDOW + 1])
def test_a_window_of_another_length_is_refused(engine: Resemblyzer, count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {WINDOW} samples, not {count}"):
        engine.run([np.zeros(count, np.float32)])


def test_an_engine_loads_again_after_it_was_closed(checkpoint: Path) -> None:
    engine = Resemblyzer(checkpoint, threads=1)
    engine.load()
    before = vectors(engine, TONE)
    engine.close()
    engine.load()
    np.testing.assert_array_equal(vectors(engine, TONE), before)


async def test_a_host_embeds_long_lists_in_order(engine: Resemblyzer, checkpoint: Path) -> None:
    host = EngineHost[Samples, Voice](SPEC, lambda: Resemblyzer(checkpoint), HostLimits(max_batch=4, max_queue=2))
    windows = [np.roll(hummed(), 997 * number)[: WINDOW - 100 * number] for number in range(9)]
    try:
        matrix = await HostedVoiceEncoder(host).embed(windows)
        assert (await HostedVoiceEncoder(host).embed([])).shape == (0, DIMENSIONS)
    finally:
        await host.close()
    np.testing.assert_allclose(matrix, vectors(engine, *windows), atol=1e-5)


def test_a_changed_checkpoint_is_not_read(checkpoint: Path, tmp_path: Path) -> None:
    changed = tmp_path / "pretrained.pt"
    changed.write_bytes(checkpoint.read_bytes()[:-1] + b"\0")
    with pytest.raises(EngineUnavailable, match="pretrained.pt is not that of resemblyzer 0.1.4"):
        read_weights(changed)


def test_a_checkpoint_that_would_run_code_is_refused() -> None:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, ("1 + 1",)

    with pytest.raises(pickle.UnpicklingError, match=r"a checkpoint holds no builtins\.eval"):
        read_checkpoint(pickle.dumps(Malicious()), "model_state")


def test_another_pickle_is_no_checkpoint() -> None:
    data = b"".join(pickle.dumps(part) for part in (1, 1001, {"little_endian": True}, {}, []))
    with pytest.raises(pickle.UnpicklingError, match="not a checkpoint in torch's old format"):
        read_checkpoint(data, "model_state")


def test_missing_weights_name_their_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    assert RESEMBLYZER.remedy(EngineConfig()) == "Run `openfaze install weights`."
    with pytest.raises(EngineUnavailable, match="openfaze install weights"):
        Resemblyzer().load()


def test_pyannote_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Set OPENFAZE_DIARIZATION_MODEL" in str(PYANNOTE.remedy(EngineConfig()))
    config = EngineConfig(own=[DiarizationSettings(diarization_model=tmp_path)])
    assert "has no config.yaml" in str(PYANNOTE.remedy(config))
    (tmp_path / "config.yaml").touch()
    monkeypatch.setattr(pyannote, "find_spec", lambda name: None)
    assert "`openfaze install pyannote`" in str(PYANNOTE.remedy(config))
    monkeypatch.setattr(pyannote, "find_spec", MappingProxyType({"pyannote": 1, "pyannote.audio": 1}).get)
    assert PYANNOTE.remedy(config) is None
