"""Has any version that the locks pin a known vulnerability? Asks OSV (https://osv.dev), which is told
names and versions.

    python requirements/audit.py [--url https://api.osv.dev]

Exits with 1 where one has, and says which. Where OSV could not be asked, it says so and exits with NOT_ASKED, which
`make check` takes for a warning: who has no network can check everything else.
"""

import argparse
import json
import re
import sys
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path

LIMIT_S = 8.0
"""For an answer. Names that do not resolve would be waited for much longer."""
NOT_ASKED = 3
"""Status of an audit that did not take place. (argparse exits with 2.)"""
AT_ONCE = 1000
"""Queries that OSV takes in one request."""
ACCEPTED: dict[str, str] = {}
"""Ids of vulnerabilities that do not concern us, and why."""

Package = tuple[str, str]
"""Name and version."""


def pinned(folder: Path) -> dict[Package, list[str]]:
    """The locks that pin each, by their names."""
    found: dict[Package, list[str]] = {}
    for lock in sorted(folder.glob("*.txt")):
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE):
            found.setdefault((name, version), []).append(lock.name)
    return found


def vulnerabilities(url: str, packages: Sequence[Package]) -> list[list[str]]:
    """The ids of each package's, in their order. Raises OSError, and ValueError for an answer that is none."""
    found: list[list[str]] = []
    for at in range(0, len(packages), AT_ONCE):
        asked = [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
            for name, version in packages[at : at + AT_ONCE]
        ]
        request = urllib.request.Request(  # noqa: S310 - whoever runs it says where
            f"{url}/v1/querybatch", json.dumps({"queries": asked}).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:  # noqa: S310
            results = json.load(answer)["results"]
        if len(results) != len(asked):
            raise ValueError("OSV answered something else than it was asked")
        found += [[one["id"] for one in result.get("vulns", ())] for result in results]
    return found


def main(url: str) -> int:
    packages = pinned(Path(__file__).parent)
    outcome: list[list[list[str]]] = []
    reasons: list[str] = []

    def ask() -> None:
        try:
            outcome.append(vulnerabilities(url, list(packages)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            reasons.append(str(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(LIMIT_S)
    if not outcome:
        reason = reasons[0] if reasons else f"no answer within {LIMIT_S:g} s"
        print(f"Not audited: {len(packages)} pinned packages, as {url} cannot be asked ({reason}).", file=sys.stderr)
        return NOT_ASKED
    bad = False
    for ((name, version), locks), ids in zip(packages.items(), outcome[0], strict=True):
        if known := sorted(set(ids) - ACCEPTED.keys()):
            bad = True
            print(f"{name} {version} ({', '.join(locks)}): {', '.join(known)}; https://osv.dev/{known[0]}")
    if not bad:
        print(f"No known vulnerability in {len(packages)} pinned packages.")
    return int(bad)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="https://api.osv.dev")
    sys.exit(main(parser.parse_args().url))
