"""Calls that clients make, run with each major of the openai package; prints what came of them as JSON.

python client_calls.py BASE_URL KEY PICTURE SAMPLES
"""

import base64
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import openai


def openai_calls(base_url: str, key: str, picture: str) -> dict[str, Any]:
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    messages: Any = [
        {"role": "system", "content": "<task>ocr</task>"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture}}]},
    ]
    whole = client.chat.completions.create(model="interfaze-beta", messages=messages)
    streamed = client.chat.completions.create(
        model="interfaze-beta", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(streamed)
    raw = client.chat.completions.with_raw_response.create(model="interfaze-beta", messages=messages)
    return {
        "version": openai.__version__,
        "models": [model.id for model in client.models.list()],
        "text": text_of(whole.choices[0].message.content),
        "streamed_text": text_of("".join(c.choices[0].delta.content or "" for c in chunks if c.choices)),
        "streamed_usage": chunks[-1].usage.total_tokens if chunks[-1].usage else None,
        "request_id_matches": raw.headers["x-request-id"] == raw.parse().id,
        "errors": {
            "model": failure(lambda: client.chat.completions.create(model="gpt-9", messages=messages)),
            "empty": failure(
                lambda: client.chat.completions.create(model="auto", messages=[{"role": "user", "content": ""}])
            ),
            "llm": failure(
                lambda: client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "Hi"}])
            ),
            "key": failure(
                lambda: client.with_options(api_key="wrong").chat.completions.create(model="auto", messages=messages)
            ),
            "stream": failure(lambda: client.chat.completions.create(model="gpt-9", messages=messages, stream=True)),
        },
    }


def interfaze_calls(base_url: str, key: str, picture: str, path: Path, samples: Path) -> dict[str, Any]:
    import interfaze

    client = interfaze.Interfaze(base_url=base_url, api_key=key, max_retries=0)
    asked = client.chat.completions.create(
        task="ocr", messages=[{"role": "user", "content": [interfaze.inputs.image(picture)]}]
    )
    stream = client.chat.completions.stream(
        task="ocr", messages=[{"role": "user", "content": [interfaze.inputs.image(picture)]}]
    )
    streamed = "".join(stream.text_deltas())
    guarded = client.chat.completions.create(
        task="ocr", guard=["S1"], messages=[{"role": "user", "content": [interfaze.inputs.image(picture)]}]
    )
    return {
        "tasks_ocr": client.tasks.ocr(interfaze.inputs.from_path(path))["extracted_text"],
        "file_part": client.tasks.ocr(base64_of(path), prompt="Read it.")["extracted_text"],
        "vcache": asked.vcache,
        "text": text_of(asked.choices[0].message.content),
        "streamed_text": text_of(streamed),
        "guarded_text": text_of(guarded.choices[0].message.content),
        "heard": client.tasks.transcribe(interfaze.inputs.from_path(samples / "speech_jfk.flac")),
        "people": client.tasks.object_detection(
            interfaze.inputs.from_path(samples / "photo_people.jpg"), prompt="Find the people"
        )["detected_objects"],
    }


def base64_of(path: Path) -> str:
    return f"data:application/octet-stream;base64,{base64.b64encode(path.read_bytes()).decode()}"


def text_of(content: str | None) -> str:
    return str(json.loads(content or "null")["result"]["extracted_text"])


def failure(call: Any) -> list[Any]:
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    return []


def main() -> None:
    base_url, key, path, samples = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    picture = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    report: dict[str, Any] = {"openai": openai_calls(base_url, key, picture)}
    if importlib.util.find_spec("interfaze"):
        report["interfaze"] = interfaze_calls(base_url, key, picture, path, samples)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
