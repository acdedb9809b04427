"""The scenario of a benchmark: a TOML file with a mix of requests.

concurrency = 4             # callers, each of whom sends the next request after an answer
duration_s = 30             # after warmup_s = 3, which does not count
# rate = 10                 # instead of concurrency: requests that begin per second, whether or not others have ended

[[requests]]
name = "ocr"
weight = 3                  # drawn three times as often as a request of weight 1
task = "ocr"                # without it, the full model
prompt = "Read it."
files = ["receipt.png"]     # in the scenario's folder, or one of the included samples
stream = false
max_tokens = 64
"""

import base64
import io
import json
import mimetypes
import tomllib
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

BUILT_IN = Path(__file__).parent / "scenarios"
SAMPLES = Path(__file__).parents[1] / "playground" / "samples"
_SAMPLE_RATE = 16_000
"""Sample rate of a repeated recording, in Hz."""


class BadScenario(ValueError):
    """Raised for a scenario that cannot be used. The message states the fault in a sentence."""


class RequestTemplate(BaseModel):
    """One kind of request, and its weight in the mix."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=40)]
    weight: Annotated[float, Field(gt=0)] = 1
    path: Annotated[str, Field(pattern="^/")] = "/chat/completions"
    """Path of the route below the base URL."""
    task: str | None = None
    prompt: str = ""
    """Prompt of the request. `{number}` in the prompt is replaced by the number of the request, which makes all prompts
    different."""
    files: tuple[str, ...] = ()
    lasts_s: Annotated[float, Field(gt=0, le=4 * 3600)] | None = None
    """Length in seconds to which a recording in `files` is extended by repetition, or cut."""
    stream: bool = False
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    body: dict[str, Any] | None = None
    """Whole body apart from the model. It replaces `task`, `prompt` and `files`."""

    @model_validator(mode="after")
    def _says_something(self) -> "RequestTemplate":
        if self.body is None and not (self.prompt or self.files):
            raise ValueError("a request needs a 'prompt', 'files' or a 'body'")
        return self


class Scenario(BaseModel):
    model_config = ConfigDict(extra="forbid")

    description: str = ""
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 4
    rate: Annotated[float, Field(gt=0)] | None = None
    duration_s: Annotated[float, Field(gt=0)] = 30
    warmup_s: Annotated[float, Field(ge=0)] = 3
    fresh: bool = True
    """True if openfaze servers must not answer from their cache. Other servers ignore the header that says so."""
    requests: Annotated[tuple[RequestTemplate, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> "Scenario":
        names = [template.name for template in self.requests]
        if len(set(names)) != len(names):
            raise ValueError("two requests have the same 'name'")
        return self


def built_in() -> Mapping[str, str]:
    """Return the descriptions of the built-in scenarios, by name."""
    return {path.stem: read(path).description for path in sorted(BUILT_IN.glob("*.toml"))}


def find(name: str) -> tuple[Scenario, Path]:
    """Return a built-in scenario, or the scenario in a file, with the folder of its files. Raises BadScenario."""
    path = BUILT_IN / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        raise BadScenario(f"no scenario '{name}': give a TOML file, or one of {', '.join(built_in())}")
    return read(path), path.parent


def read(path: Path) -> Scenario:
    """Return the scenario in a TOML file. Raises BadScenario."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadScenario(f"{path}: {error}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise BadScenario(f"{path}: {place + ': ' if place else ''}{problem['msg']}") from None


class RequestBodies:
    """Bodies of the requests of one kind. Their files are read once."""

    def __init__(self, template: RequestTemplate, folder: Path, model: str) -> None:
        """Read the files of `template`. Raises BadScenario for a file that does not exist."""
        self._varies = "{number}" in template.prompt
        body = template.body
        if body is None:
            parts: list[dict[str, Any]] = [{"type": "text", "text": template.prompt}] if template.prompt else []
            parts += [_content_part(name, folder, template.lasts_s) for name in template.files]
            messages: list[dict[str, Any]] = [{"role": "user", "content": parts if template.files else template.prompt}]
            if template.task:
                messages.insert(0, {"role": "system", "content": f"<task>{template.task}</task>"})
            body = {"messages": messages}
        if template.max_tokens:
            body = body | {"max_tokens": template.max_tokens}
        if template.stream:
            body = body | {"stream": True, "stream_options": {"include_usage": True}}
        self._body = json.dumps({"model": model} | body).encode()

    def of(self, number: int) -> bytes:
        return self._body.replace(b"{number}", str(number).encode()) if self._varies else self._body


def _content_part(name: str, folder: Path, lasts_s: float | None) -> dict[str, Any]:
    path = next((path for path in (folder / name, SAMPLES / name) if path.is_file()), None)
    if path is None:
        samples = ", ".join(sorted(path.name for path in SAMPLES.iterdir()))
        raise BadScenario(f"no file '{name}' in '{folder}'; included samples: {samples}")
    content, kind = path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if lasts_s is not None:
        content, kind = _repeat(content, lasts_s), "audio/wav"
    url = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    if kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"file_data": url, "filename": path.name}}


def _repeat(recording: bytes, lasts_s: float) -> bytes:
    """Return `recording` as a WAV file of 16 kHz, repeated or cut to `lasts_s` seconds."""
    import av

    with av.open(io.BytesIO(recording), "r") as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_SAMPLE_RATE)
        frames = [made.to_ndarray() for frame in container.decode(audio=0) for made in resampler.resample(frame)]
    samples = np.resize(np.concatenate(frames, axis=1)[0], int(lasts_s * _SAMPLE_RATE))
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(_SAMPLE_RATE)
        written.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()
