"""Fields that are right of made cards and forms, by kind: those that the rules were tuned on, and those held out.

python -m bench.cards                     both halves, four papers of each kind, some minutes
python -m bench.cards --half tuned --show each field that is not right, too
python -m bench.cards --keep FOLDER       and keep the papers, with their truths, for bench.documents
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.documents import PaperClient, asked_of_all
from bench.made_cards import HELD_OUT, KINDS, made_cards
from tests.server import serving

HALVES = {"tuned": KINDS, "held out": HELD_OUT}


def write_papers(half: str, each: int, folder: Path) -> None:
    """Write the papers of a half, each with its truth as bench.documents reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, made in enumerate(made_cards(HALVES[half], each)):
        name = f"{number:02}-{made.kind.replace(' ', '-')}.jpg"
        (folder / name).write_bytes(made.picture)
        asked = {"kind": made.kind, "prompt": made.prompt, "schema": made.schema, "truth": made.truth}
        (folder / f"{name}.json").write_text(json.dumps({"file": name, **asked}, ensure_ascii=False, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=4, help="papers of each kind")
    parser.add_argument("--half", choices=[*HALVES], help="one half only")
    parser.add_argument("--url", help="base URL of a running server, without /v1")
    parser.add_argument("--show", action="store_true", help="print each field that is not right, of the tuned half")
    parser.add_argument("--keep", type=Path, help="a folder for the papers")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = given.url or stack.enter_context(serving(folder / "log", preload="ocr")).base_url
        for half in [given.half] if given.half else HALVES:
            papers = folder / half.replace(" ", "-")
            write_papers(half, given.each, papers)
            shows = given.show and half == "tuned"
            tally = asked_of_all(PaperClient(url, "none"), papers, asks_again=False, shows=shows)
            print(f"{half}:", *tally.report(), sep="\n", flush=True)


if __name__ == "__main__":
    main()
