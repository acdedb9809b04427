"""`openfaze bench`: measure how fast a server answers, and how often it fails."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app.bench.load import BenchTarget, TimedResponse, run_load
from app.bench.report import as_json, as_page, errors_of, rows_of, table_of
from app.bench.scenario import BadScenario, Scenario, built_in, find
from app.cli import KEY, fail
from app.state.counters import Prices


def listing() -> str:
    names = built_in()
    width = max(map(len, names))
    return "\n".join(f"{name:{width}}  {text}" for name, text in names.items())


def run(
    name: str,
    changes: Mapping[str, object],
    target: BenchTarget,
    prices: str,
    json_file: Path | None,
    page: Path | None,
) -> bool:
    """Run a scenario against `target` and print the measurements. Return True if at least one request was answered
    without an error."""
    try:
        scenario, folder = find(name)
        scenario = Scenario.model_validate({**scenario.model_dump(), **changes})
        priced = Prices.read(prices) if prices else None
        answers = asyncio.run(_measure(scenario, folder, target))
    except (BadScenario, ValueError) as error:
        fail(str(error))
    out = Console()
    out.print(table_of(rows_of(answers, scenario)))
    counted = as_json(Path(name).stem, scenario, target, answers, priced)
    if counted["cost_usd"] is not None:
        out.print(f"cost: ${counted['cost_usd']:.4f}", highlight=False)
    for count, message in errors_of(answers):
        out.print(f"{count} × {message}", style="red", highlight=False, markup=False)
    try:
        if json_file is not None:
            json_file.write_text(json.dumps(counted, indent=2) + "\n")
        if page is not None:
            page.write_text(as_page(counted, answers))
    except OSError as error:
        fail(f"the report cannot be written: {error}")
    return any(one.is_good for one in answers)


async def _measure(scenario: Scenario, folder: Path, target: BenchTarget) -> list[TimedResponse]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[told]}"))
    seconds = scenario.warmup_s + scenario.duration_s
    good = bad = 0
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        shown = progress.add_task(target.base_url, total=seconds, told="")

        def heard(answer: TimedResponse) -> None:
            nonlocal good, bad
            good, bad = good + answer.is_good, bad + (not answer.is_good)
            progress.update(shown, told=f"{good:,} answers, {bad:,} errors")

        async def tick() -> None:
            while True:
                await asyncio.sleep(0.25)
                progress.advance(shown, 0.25)

        ticking = asyncio.create_task(tick())
        try:
            return await run_load(scenario, folder, target, heard)
        finally:
            ticking.cancel()


def key_here() -> str | None:
    return os.environ.get(KEY) or None
