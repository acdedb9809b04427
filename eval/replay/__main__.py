"""The commands of `eval.replay`."""

import argparse
import time
from pathlib import Path

from eval.replay import __doc__ as told
from eval.replay.answers import PROCESSES, read, score_all, write
from eval.replay.comparison import report, table
from eval.replay.papers import all_papers


def main() -> None:
    parser = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("read", "run"):
        one = commands.add_parser(name)
        one.add_argument("folders", type=Path, nargs="*")
        one.add_argument("--receipts", type=Path)
        one.add_argument("--store", type=Path, required=True)
        one.add_argument("--processes", type=int, default=PROCESSES)
        if name == "run":
            one.add_argument("--out", type=Path, required=True)
    compare = commands.add_parser("compare")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.command == "compare":
        lines = [*report(read(given.before), read(given.after))]
    else:
        began = time.perf_counter()
        papers = score_all(all_papers(given.folders, given.receipts), given.store, given.processes)
        if given.command == "run":
            write(papers, given.out)
        lines = [*table(papers), f"in {time.perf_counter() - began:.0f} s"]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
