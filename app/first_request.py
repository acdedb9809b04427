"""The request that a newcomer is shown: it needs no file, no network and no weights besides those that come along."""

import json

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAAAUAQAAAAAVDQaSAAAAZ0lEQVR42mP8zwABTAxEMv4zMDAw/WlgYGBg+IOQYv"
    "hl867w1TPr/0yMDi9q/zxPYGBhYGL42K+fAFUzv4GBiYGhjoGBeQEDEwPjXQaGhCMMLAwMHPwN938xMDEcYGBmkExgYCTCPQC1JhklfCU1zAAAAABJRU5ErkJggg=="
)
"""A small picture that says `SAID`."""
SAID = "It works!"
BODY = {
    "model": "interfaze-beta",
    "messages": [
        {"role": "system", "content": "<task>ocr</task>"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]},
    ],
}


def as_curl(base_url: str, *, keyed: bool) -> str:
    """A line to paste into a shell. `keyed`: the server asks for a key, which stands in OPENFAZE_API_KEY."""
    key = ' -H "Authorization: Bearer $OPENFAZE_API_KEY"' if keyed else ""
    return f"curl -s {base_url}/v1/chat/completions{key} -H 'Content-Type: application/json' -d '{json.dumps(BODY)}'"
