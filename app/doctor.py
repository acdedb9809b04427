"""`openfaze doctor`: what serves each capability here, and whether it just worked."""

import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.building import build_fetcher, build_runtime, build_search
from app.self_tests import SELF_TESTS, SelfTestFailed
from app.settings import Settings
from models.base import EngineUnavailable, ModelError
from models.runtime import CapabilityState, Runtime
from models.supply import WeightsMissing
from models.weight_sets import WEIGHT_SETS
from models.weights import WeightSet
from tasks.search.providers import names_of
from tasks.search.query import SearchQuery


async def examine(settings: Settings) -> int:
    """Prints a table, a capability a line. Returns the exit status: 1 when one that should work did not."""
    runtime = build_runtime(settings)
    table = Table("capability", "engine", "licence", "weights", "self-test", box=None, pad_edge=False)
    failed = False
    try:
        for state in runtime.states():
            outcome, passed = await _try(runtime, state)
            failed |= not passed
            spec = state.candidate.spec if state.candidate else None
            table.add_row(
                state.capability,
                spec.name if spec else "–",
                spec.licence if spec else "",
                spec.weights if spec else "",
                outcome,
            )
        providers, outcome, passed = await _search_the_web(settings)
        failed |= not passed
        table.add_row("web_search", providers, "", "", outcome)
    finally:
        await runtime.close()
    # Wide enough that no row is cut when the output is piped.
    console = Console(width=None if Console().is_terminal else 800)
    console.print(table)
    console.print(_weights_in(Path(settings.weights_dir)), highlight=False)
    return int(failed)


def _weights_in(root: Path) -> str:
    """What `openfaze pull` has put below `root`, or somebody has copied there."""
    here = [_described(known, root) for known in WEIGHT_SETS.values() if len(known.missing(root)) < len(known.files)]
    return f"weights in {root}: {', '.join(here) or 'none'}"


def _described(weights: WeightSet, root: Path) -> str:
    if missing := weights.missing(root):
        return f"{weights.name} (incomplete: {missing[0].path} is missing)"
    megabytes = sum((root / file.path).stat().st_size for file in weights.files) / 1e6
    return f"{weights.name} ({megabytes:.1f} MB)"


async def _search_the_web(settings: Settings) -> tuple[str, str, bool]:
    """The providers, what came of asking them, and whether that is well: a machine without a network may be meant so,
    unless a provider was named."""
    fetcher = build_fetcher(settings)
    search = build_search(settings, fetcher)
    started = time.perf_counter()
    try:
        found = await search.search(SearchQuery("openfaze"), 1)
    except EngineUnavailable as error:
        return names_of(search.providers) or "–", error.remedy, settings.search_provider in {("auto",), ("off",)}
    finally:
        await search.close()
        await fetcher.close()
    ran_ms = (time.perf_counter() - started) * 1000
    return names_of(search.providers), f"ok: answered with {len(found)} results, ran in {ran_ms:.0f} ms", True


async def _try(runtime: Runtime, state: CapabilityState) -> tuple[str, bool]:
    if state.candidate is None:
        return state.remedy or "", True
    started = time.perf_counter()
    try:
        await runtime.load(state.capability)
        loaded = time.perf_counter()
        found = await SELF_TESTS[state.capability](runtime)
    except WeightsMissing as error:
        return error.remedy, True
    except (ModelError, SelfTestFailed) as error:
        return f"failed: {error}", False
    load_ms, run_ms = (loaded - started) * 1000, (time.perf_counter() - loaded) * 1000
    return f"ok: {found}, loaded in {load_ms:.0f} ms, ran in {run_ms:.0f} ms", True
