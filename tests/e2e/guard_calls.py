"""Guarded calls of the official client; prints what came of them as JSON.

python guard_calls.py BASE_URL BOMB MURDER FRANCE PICTURE
"""

import asyncio
import json
import sys
from typing import Any

import interfaze
from pydantic import BaseModel


class City(BaseModel):
    city: str


def told(completion: Any) -> dict[str, Any]:
    [choice] = completion.choices
    entries = completion.precontext
    verdict = entries[-1].result
    return {
        "content": choice.message.content,
        "finish_reason": choice.finish_reason,
        "precontext": [entry.name for entry in entries],
        "verdict": {"safe": verdict["safe"], "codes": verdict["codes"]},
    }


def main() -> None:
    base_url, bomb, murder, france, picture = sys.argv[1:]
    client = interfaze.Interfaze(base_url=base_url, api_key="none", max_retries=0)
    chat = client.chat.completions

    def said(*content: Any) -> Any:
        return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": list(content)}]

    def text(words: str) -> dict[str, str]:
        return {"type": "text", "text": words}

    async def asked_side_by_side() -> Any:
        other = interfaze.AsyncInterfaze(base_url=base_url, api_key="none", max_retries=0)
        return await other.chat.completions.create(guard=["S9"], messages=said(text(bomb)))

    read = chat.create(task="ocr", guard=["S1", "S9"], messages=said(text("Read it."), interfaze.inputs.image(picture)))
    parsed = chat.parse(guard=["S9"], messages=said(text(france)), response_format=City)
    report = {
        "blocked": told(chat.create(guard=["S9"], messages=said(text(bomb)))),
        "blocked_task": told(chat.create(guard=["S9"], task="translate", messages=said(text(bomb)))),
        "blocked_async": told(asyncio.run(asked_side_by_side())),
        "blocked_by_all": chat.create(guard=["ALL"], messages=said(text(bomb))).choices[0].message.content,
        "blocked_by_two": chat.create(guard=["S1", "S9"], messages=said(text(f"{murder} {bomb}")))
        .choices[0]
        .message.content,
        "blocked_stream": "".join(chat.stream(guard=["S9"], messages=said(text(bomb))).text_deltas()),
        "blocked_task_stream": "".join(chat.stream(guard=["S9"], task="ocr", messages=said(text(bomb))).text_deltas()),
        "final": chat.stream(guard=["S9"], messages=said(text(bomb))).get_final_completion().choices[0].message.content,
        "passed": told(chat.create(guard=["S1", "S9"], messages=said(text(france)))),
        "passed_stream": "".join(chat.stream(guard=["S1", "S9"], messages=said(text(france))).text_deltas()),
        "passed_task": {
            "text": json.loads(read.choices[0].message.content or "")["result"]["extracted_text"],
            "precontext": read.precontext,
        },
        "parsed": json.loads(parsed.choices[0].message.content or "null"),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
