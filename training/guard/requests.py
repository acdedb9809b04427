"""Generated ordinary requests and system texts, all harmless: frames of what people ask of a server like this one and
of any assistant, and of what applications tell it, with their gaps filled."""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = ("requests", "general_requests", "system_texts")
_A_FRAME = 16
"""Number of fillings of a frame, fewer where there are not so many."""
_GAP = re.compile(r"\{(\w+)\}")


def requests() -> Iterator[tuple[str, str, str]]:
    """Yield the text, the language and the frame of each request; the requests are the same each time."""
    for name in FILES:
        chance = random.Random(0)
        for language, table in tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")).items():
            lists = {gap: _phrases(text) for gap, text in table.items() if gap != "frames"}
            for frame in table["frames"].strip().splitlines():
                for text in sorted({_filled(frame, lists, chance) for _ in range(_A_FRAME)}):
                    yield text, language, frame


def _filled(frame: str, lists: Mapping[str, list[str]], chance: random.Random) -> str:
    text = _GAP.sub(lambda gap: chance.choice(lists[gap[1]]), frame)
    return text[:1].upper() + text[1:]


def _phrases(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split(";") if phrase.strip()]
