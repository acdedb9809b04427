"""Measures papers whose fields are known: fields right, errors by kind, how far probabilities are right, and time.

    python -m eval.documents FOLDER                  every paper of the folder
    python -m eval.documents FOLDER --show           each field that is not right, too
    python -m eval.documents FOLDER --url http://…   a server that already runs

A paper `NAME.EXT` has its truth in `NAME.EXT.json`: `kind`, `prompt`, `schema` and `truth`, which
`training.extraction.judging` compares with the answer. A server in a process of its own answers through the API with
nothing but its bundled models.
"""

import argparse
import base64
import json
import mimetypes
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from tests.kit.servers.server import serving
from training.extraction.judging import Kind, Verdict, is_empty, judged, letters

SURE = 0.9
TYPES = {".md": "text/markdown", ".eml": "message/rfc822"}


@dataclass(frozen=True)
class Answer:
    """A server's answer to one paper; `problem` is empty unless the request was refused."""

    fields: Mapping[str, Any]
    probabilities: Mapping[str, float]
    text: str
    seconds: float = field(compare=False)
    problem: str = ""


class PaperClient:
    """A client that asks a server for the fields of papers."""

    def __init__(self, base_url: str, key: str) -> None:
        headers = {"authorization": f"Bearer {key}", "x-interfaze-bypass-cache": "true"}
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=120)

    def fields_of(self, paper: Path, asked: Mapping[str, Any]) -> Answer:
        schema = {"type": "json_schema", "json_schema": {"name": "paper", "schema": asked["schema"]}}
        response, seconds = self._post(
            [{"role": "user", "content": _parts(paper, asked["prompt"])}], evidence=True, response_format=schema
        )
        if response.is_error:
            return Answer({}, {}, "", seconds, f"{response.status_code} {response.text[:200]}")
        body = response.json()
        evidence = (body.get("evidence") or {}).items()
        return Answer(
            json.loads(body["choices"][0]["message"]["content"]),
            {pointer: found["probability"] for pointer, found in evidence if found.get("probability") is not None},
            letters(json.dumps(body.get("precontext"), ensure_ascii=False)) or letters(asked["prompt"]),
            seconds,
        )

    def reading_seconds(self, paper: Path) -> float:
        """Return the seconds that reading the paper takes without any extraction."""
        messages = [
            {"role": "system", "content": "<task>ocr</task>"},
            {"role": "user", "content": _parts(paper, "Read this.")},
        ]
        return self._post(messages)[1]

    def _post(self, messages: list[Any], **options: Any) -> tuple[httpx.Response, float]:
        started = time.perf_counter()
        body = {"model": "interfaze-beta", "temperature": 0, "messages": messages, **options}
        return self._client.post("/v1/chat/completions", json=body), time.perf_counter() - started


def _parts(paper: Path, prompt: str) -> list[dict[str, Any]]:
    if paper.suffix == ".txt":
        return [{"type": "text", "text": f"{prompt}\n\n{paper.read_text()}"}]
    kind = TYPES.get(paper.suffix.lower()) or mimetypes.guess_type(paper.name)[0] or "text/plain"
    url = f"data:{kind};base64,{base64.b64encode(paper.read_bytes()).decode()}"
    return [
        {"type": "text", "text": prompt},
        {"type": "file", "file": {"filename": paper.name, "file_data": url}},
    ]


class Tally:
    """Counts of verdicts over papers."""

    def __init__(self) -> None:
        self.kinds: dict[str, Counter[Kind]] = defaultdict(Counter)
        self.probabilities: list[tuple[float, bool]] = []
        self.seconds: list[float] = []
        self.beyond_reading: list[float] = []
        self.different = 0
        """Number of papers whose second answer was another one."""

    def add(self, kind: str, answer: Answer, verdicts: list[Verdict]) -> None:
        self.seconds.append(answer.seconds)
        for verdict in verdicts:
            self.kinds[kind]["request refused" if answer.problem else verdict.kind] += 1
            probability = answer.probabilities.get(verdict.pointer)
            if probability is not None and not is_empty(verdict.got):
                self.probabilities.append((probability, verdict.kind == "right"))

    def report(self) -> Iterator[str]:
        for kind, counts in sorted(self.kinds.items()):
            yield f"{kind:28} {counts['right']:4} of {counts.total():4} right"
        total: Counter[Kind] = Counter()
        for counts in self.kinds.values():
            total += counts
        yield f"{'all':28} {total['right']:4} of {total.total():4} right: {total['right'] / total.total():.1%}"
        for name, count in total.most_common():
            if name != "right":
                yield f"    {name:24} {count:4}"
        sure = [is_right for probability, is_right in self.probabilities if probability >= SURE]
        if sure:
            wrong = 1 - sum(sure) / len(sure)
            yield f"probability of {SURE} or more: {len(sure)} fields, {wrong:.1%} of them not right"
        yield f"calibration error {self._calibration_error():.3f}"
        yield f"seconds a paper: median {median(self.seconds):.2f}, longest {max(self.seconds):.2f}"
        if self.beyond_reading:
            beyond, longest = median(self.beyond_reading), max(self.beyond_reading)
            yield f"seconds beyond reading: median {beyond:.2f}, longest {longest:.2f}"
            yield f"answers that differ when asked again: {self.different} of {len(self.seconds)}"

    def _calibration_error(self) -> float:
        """Return the expected calibration error over ten bins (Naeini et al., 2015)."""
        bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        for probability, right in self.probabilities:
            bins[min(9, int(10 * probability))].append((probability, right))
        gaps = [abs(sum(p for p, _ in found) - sum(right for _, right in found)) for found in bins.values()]
        return sum(gaps) / max(1, len(self.probabilities))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", help="base URL of a running server, without /v1")
    parser.add_argument("--key", default="none")
    parser.add_argument("--show", action="store_true", help="print each field that is not right")
    parser.add_argument("--again", action="store_true", help="read each paper alone, and ask twice: time and sameness")
    given = parser.parse_args()
    with ExitStack() as stack:
        if given.url:
            url = given.url
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(serving(folder / "log", preload="ocr")).base_url
        tally = asked_of_all(PaperClient(url, given.key), given.folder, asks_again=given.again, shows=given.show)
    print("\n".join(tally.report()))


def asked_of_all(asker: PaperClient, folder: Path, *, asks_again: bool, shows: bool) -> Tally:
    """Ask for the fields of each paper of a folder and judge the answers."""
    tally = Tally()
    for path in sorted(folder.glob("*.json")):
        asked = json.loads(path.read_text())
        paper = path.with_suffix("")
        answer = asker.fields_of(paper, asked)
        verdicts = list(judged(answer.fields, asked["truth"], answer.text))
        tally.add(asked["kind"], answer, verdicts)
        if asks_again and not answer.problem:
            tally.beyond_reading.append(answer.seconds - asker.reading_seconds(paper))
            tally.different += asker.fields_of(paper, asked) != answer
        if shows:
            print(f"{paper.name} {answer.problem}", flush=True)
            for verdict in () if answer.problem else verdicts:
                if verdict.kind != "right":
                    sure = answer.probabilities.get(verdict.pointer, "")
                    print(f"    {verdict.kind:20} {verdict.pointer} {verdict.got!r} for {verdict.truth!r} {sure}")
    return tally


if __name__ == "__main__":
    main()
