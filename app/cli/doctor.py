"""`openfaze doctor`: show which engine serves each capability here, and try it."""

import asyncio
import json
import os
import platform
import re
import shutil
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from difflib import SequenceMatcher
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from app.assembly.building import build_config, build_fetcher, build_runtime, build_search
from app.cli.serving import without_password
from app.runnable_commands import adapt_commands, is_in_container
from app.settings import PREFIX, Settings
from models.base import EngineUnavailable, ModelError
from models.capability import BadResult, Candidate, Capability
from models.catalog import CATALOG
from models.devices.cards import Cards, cards
from models.devices.device import AUTO, CPU, CUDA, DRIVER
from models.devices.onnx_sessions import NODES_ON_CPU
from models.hosts.workplace import CardMemory
from models.runtime import CapabilityState, Runtime
from models.setting_types import OFF
from models.weights.files import WEIGHT_SETS
from models.workers.pool import Workers
from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.scrape.browser import REMEDY, BrowserPolicy, BrowserRenderer, find_browser
from tasks.search.providers import names_of
from tasks.wording.search_query import SearchQuery

_WIDTH = 100
"""Largest width of the table, in columns."""
AT_A_TIME = 2
"""At most this many capabilities are tried at the same time."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NUMBERS_DIFFER = 0.05
"""Largest difference between the numbers in a self-test's sentences on a card and on the CPU. Cards compute in 16 bits
and the CPU in 8 or 32, which changes scores by some hundredths at most."""
_WORDS_AGREE = 0.6
"""Least similarity of these sentences without their numbers, from 0 to 1: translations may choose other words."""
Outcome = Literal["ok", "missing", "failed", "off"]
_COLOURS: dict[Outcome, str] = {"ok": "green", "missing": "yellow", "failed": "bold red", "off": "dim"}
_SCRIPTED = (
    b"<!doctype html><title>x</title><script>document.write(['written', 'by', 'a', 'script'].join(' '))</script>"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of trying one capability."""

    capability: str
    outcome: Outcome
    """Outcome of the trial; only `failed` is a fault. The outcome is `missing` if no engine can serve the capability
    and the operator named none. If the cause is unexpected, such as a missing system library, the outcome is `failed`
    instead."""
    engine: str = ""
    licence: str = ""
    weights: str = ""
    """Source of the weights."""
    said: str = ""
    """Result of the self-test if the outcome is `ok`; the reason for any other outcome, and the remedy."""
    loaded_ms: int | None = None
    ran_ms: int | None = None
    card_mb: int | None = None
    """Memory of the cards, in megabytes, that loading and running took; None if there is no card or none was taken."""
    nodes_on_cpu: Mapping[str, int] = field(default_factory=dict)
    """Nodes of the engine's networks that a card leaves to the CPU: their number by operator."""
    card_estimate: CardMemory | None = None
    """Memory on a card that the engine needs by its declaration; None if the engine cannot compute on a card."""


async def examine(settings: Settings, *, as_json: bool = False) -> int:
    """Try everything, and print each finding as it comes, or all of them at the end as JSON. Return the exit status: 1
    if something that should work does not. Raises ValueError for settings that cannot be used."""
    if as_json:
        found = [finding async for finding in _findings(settings, lambda _: None)]
        print(json.dumps(_report(settings, found), indent=2, ensure_ascii=False))
    else:
        found = await _print_findings(settings)
    return int(any(finding.outcome == "failed" for finding in found))


def _report(settings: Settings, found: Sequence[Finding]) -> dict[str, object]:
    weights = {name: list(missing) for name, missing, _ in _weights_in(Path(settings.weights_dir))}
    return {
        "version": version("openfaze"),
        "cards": asdict(seen) if (seen := cards()) else None,
        "container_toolkit": _toolkit(),
        "ok": all(finding.outcome != "failed" for finding in found),
        "capabilities": [asdict(finding) for finding in found],
        "weights_dir": settings.weights_dir,
        "weights": [{"name": name, "missing_files": missing} for name, missing in weights.items()],
        "files_dir": without_password(settings.files_dir),
    }


async def _print_findings(settings: Settings) -> list[Finding]:
    console = _console()
    at_start = cards()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    console.print(f"openfaze {version('openfaze')}, Python {platform.python_version()}, {machine}")
    for line in _describe_cards():
        console.print(line, soft_wrap=True)
    console.print()
    found: list[Finding] = []
    with console.status("") as status:
        async with aclosing(_findings(settings, lambda name: status.update(f"trying {name} …"))) as findings:
            async for finding in findings:
                found.append(finding)
                for row in console.render_lines(_row(finding)):
                    shown = Text.assemble(*((part.text, part.style or "") for part in row))
                    shown.rstrip()
                    console.print(shown, soft_wrap=True)

    for finding in found:
        if finding.outcome in ("missing", "failed"):
            text = f"{finding.capability}: {adapt_commands(finding.said)}"
            title = len(finding.capability) + 1
            console.print(Text.assemble("\n", (text[:title], _COLOURS[finding.outcome]), text[title:]), soft_wrap=True)
    if at_start is not None:
        console.print("\n" + "\n".join(_summarise_cards(settings, at_start, found)), soft_wrap=True)
    counts = Counter(finding.outcome for finding in found)
    weights = ", ".join(size for _, _, size in _weights_in(Path(settings.weights_dir))) or "none"
    for line in (
        "\n" + ", ".join(f"{counts[outcome]} {outcome}" for outcome in _COLOURS if counts[outcome]),
        f"weights in {settings.weights_dir}: {weights}",
        f"files in {without_password(settings.files_dir)}",
    ):
        console.print(Text(line), soft_wrap=True)
    return found


def _describe_cards() -> Iterator[str]:
    seen = cards()
    if seen is None:
        return
    yield f"NVIDIA driver {seen.driver}, for CUDA up to {seen.cuda}"
    for index, card in enumerate(seen.cards):
        yield f"cuda:{index}  {card.name}, {card.free / 1e9:.1f} of {card.total / 1e9:.1f} GB free"
    if not is_in_container():
        yield f"container toolkit: {_toolkit() or 'not in PATH, so docker cannot give containers a card'}"


def _summarise_cards(settings: Settings, at_start: Cards, found: Sequence[Finding]) -> Iterator[str]:
    """Yield the lines of a summary: the engines on the cards with their memory, the other engines with the reason, and
    the state of the LLM."""
    for index, card in enumerate(at_start.cards):
        yield f"cuda:{index}, driver {at_start.driver}"
        yield f"  {card.total / 1e6:>8,.0f} MB  in all, {card.name}"
        held = (card.total - card.free) / 1e6
        yield f"  {held:>8,.0f} MB  in use by others at the start (the LLM, a running openfaze)"
    for one in found:
        if one.card_mb is not None:
            declared = f", declared {one.card_estimate.shown}" if one.card_estimate else ""
            yield f"  {one.card_mb:>8,} MB  {one.capability} ({one.engine}){declared}"
    now = cards()
    for index, card in enumerate(now.cards if now else ()):
        yield f"  {card.free / 1e6:>8,.0f} MB  free on cuda:{index} with all of these loaded"
    off = [one for one in found if one.card_mb is None and one.card_estimate is not None]
    for one in [*(one for one in found if one.capability == "cards" and one.outcome != "ok"), *off]:
        why = one.said if one.outcome != "ok" else f"'{one.engine}' used no memory of a card: it ran on the CPU"
        yield f"not on a card: {one.capability}: {adapt_commands(why)}"
    never = [one.capability for one in found if one.card_mb is None and one.card_estimate is None]
    if never := [name for name in never if name not in ("cards", "llm")]:
        yield f"never on a card: {', '.join(never)}"
    for one in found:
        if one.capability == "llm":
            base = getattr(settings, "llm_base_url", None) if one.engine == "openai-server" else None
            where = f" at {without_password(base)}" if base else f" ({one.engine or 'none'})"
            answer = f"answers: {one.said}" if one.outcome == "ok" else f"does not answer: {adapt_commands(one.said)}"
            yield f"LLM{where} {answer}"


def _toolkit() -> str | None:
    """Return the name of the program that gives containers access to cards. Return None if there is no such program, or
    if this process runs in a container."""
    programs = () if is_in_container() else ("nvidia-ctk", "nvidia-container-cli")
    return next((program for program in programs if shutil.which(program)), None)


def _console() -> Console:
    """Return a console, at most _WIDTH wide, with colours on a terminal unless NO_COLOR is set."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal or console.width > _WIDTH:
        console.width = _WIDTH
    return console


def _row(finding: Finding) -> Table:
    row = Table.grid(
        Column(width=7), Column(width=17), Column(width=23), Column(ratio=1), padding=(0, 1, 0, 0), expand=True
    )
    text = Text(finding.said if finding.outcome in ("ok", "off") else "see below")
    if finding.loaded_ms is not None and finding.ran_ms is not None:
        text.append(f"; loaded in {_seconds(finding.loaded_ms)}, ran in {_seconds(finding.ran_ms)}")
    if finding.card_mb is not None:
        text.append(f", {finding.card_mb:,} MB on the card")
    if finding.nodes_on_cpu:
        text.append(
            f"; left to the CPU: {', '.join(f'{count} {name}' for name, count in finding.nodes_on_cpu.items())}"
        )
    if finding.licence:
        text.append(f"\n{finding.licence}; {finding.weights}", "dim")
    if finding.card_estimate is not None and cards() is not None:
        text.append(f"; takes about {finding.card_estimate.shown} MB on a card", "dim")
    outcome = finding.outcome.upper() if finding.outcome == "failed" else finding.outcome
    row.add_row(Text(outcome, _COLOURS[finding.outcome]), Text(finding.capability), Text(finding.engine or "–"), text)
    return row


async def _findings(settings: Settings, trying: Callable[[str], None]) -> AsyncGenerator[Finding, None]:
    """Yield the findings in the catalog's order. `trying` is called with the name of each capability when its trial
    begins.

    Two capabilities are tried at a time, because most trials spend half of their time waiting for a file or another
    process. If the memory of cards is measured, only one is tried at a time.
    """
    runtime = build_runtime(settings)
    fetcher = build_fetcher(settings)
    try:
        trying("cards")
        if on_cards := await _check_cards(settings, runtime):
            yield on_cards
        await runtime.look()
        gate = asyncio.Semaphore(1 if cards() else AT_A_TIME)

        async def begun(name: str, trial: Callable[[], Awaitable[Finding]]) -> Finding:
            async with gate:
                trying(name)
                return await _run_trial(name, trial)

        chosen = [(state, str(getattr(settings, state.capability, AUTO))) for state in runtime.states()]
        # The web search mostly waits for the network, so it runs in parallel to the other trials.
        web_search = asyncio.create_task(_run_trial("web_search", partial(_search_the_web, settings, fetcher)))
        engines = [
            asyncio.create_task(begun(state.capability, partial(_try, settings, runtime, state, choice)))
            for state, choice in chosen
        ]
        browser = asyncio.create_task(begun("browser", partial(_render_a_page, settings)))
        running = [*engines, web_search, browser]
        try:
            for trial in running:
                yield await trial
        finally:
            for trial in running:
                trial.cancel()
            await asyncio.wait(running)
    finally:
        await fetcher.close()
        await runtime.close()


async def _run_trial(name: str, trial: Callable[[], Awaitable[Finding]]) -> Finding:
    """Return the finding of `trial`. An unexpected exception also becomes a finding, so that the other trials
    continue."""
    try:
        return await trial()
    except Exception as error:  # noqa: BLE001 - it becomes a finding
        return Finding(name, "failed", said=_with_cause(f"{type(error).__name__}: {error}".rstrip(" :"), error))


def _with_cause(message: str, error: Exception) -> str:
    """Return `message` with its reference to this command replaced by the cause of `error`, which a server would only
    log."""
    message = message.removesuffix("; `openfaze doctor` shows why.")
    cause = error.__cause__
    return f"{message} ({type(cause).__name__}: {cause})" if cause is not None else message


async def _check_cards(settings: Settings, runtime: Runtime) -> Finding | None:
    """Return which engines use the cards and which cannot, or None if there is no card and the operator asked for
    none."""
    config = build_config(settings)
    on_cuda = [device for device in (config.device, *config.devices.values()) if device.startswith(CUDA)]
    if obstacle := next(filter(None, map(DRIVER.obstacle, on_cuda)), None):
        return Finding("cards", "failed", said=obstacle)
    if DRIVER.obstacle():
        return None
    off = await asyncio.to_thread(lambda: list(runtime.off_the_card()))
    if off:
        return Finding("cards", "failed" if on_cuda else "missing", said=" ".join(off))
    on = await asyncio.to_thread(lambda: list(runtime.on_the_card()))
    return Finding("cards", "ok", said=f"used by {', '.join(on) or 'nothing that is here'}")


def _free_card_bytes() -> int:
    seen = cards()
    return sum(card.free for card in seen.cards) if seen else 0


class _Alone:
    """The engines of a runtime, of which only one serves its capability. Implements `models.capability.Engines`."""

    def __init__(self, runtime: Runtime, candidate: Candidate) -> None:
        self._runtime = runtime
        self._candidate = candidate
        self.workers: Workers = runtime.workers

    def use(self, capability: Capability[Any], by: Candidate | None = None) -> Any:
        is_its_own = capability.name == self._candidate.spec.capability
        return self._runtime.use(capability, self._candidate if is_its_own else by)

    def find(self, capability: Capability[Any], by: Candidate | None = None) -> Any:
        try:
            return self.use(capability, by)
        except EngineUnavailable:
            return None

    def use_all(self, capability: Capability[Any]) -> list[Any]:
        return [self.use(capability)]


async def compare_with_cpu(settings: Settings, runtime: Runtime, candidate: Candidate) -> None:
    """Let the engine do its self-test on the card and on the CPU. Raises BadResult if what it says differs, and the
    errors of the self-test."""
    spec, self_test = candidate.spec, CATALOG[candidate.spec.capability].self_test
    config = replace(build_config(settings), device=CPU, devices={})
    on_cpu = Runtime(CATALOG, config, {spec.capability: spec.name})
    try:
        told = [await self_test(_Alone(one, candidate)) for one in (runtime, on_cpu)]
    finally:
        await on_cpu.close()
    if not _agree(*told):
        raise BadResult(f"'{spec.name}' on the card: {told[0]}; on the CPU: {told[1]}")


def _agree(one: str, other: str) -> bool:
    (words, numbers), (others, other_numbers) = (
        (_NUMBER.sub("0", said), _NUMBER.findall(said)) for said in (one, other)
    )
    if words != others:
        return SequenceMatcher(None, words, others).ratio() >= _WORDS_AGREE
    return all(abs(float(a) - float(b)) <= _NUMBERS_DIFFER for a, b in zip(numbers, other_numbers, strict=True))


async def _try(settings: Settings, runtime: Runtime, state: CapabilityState, choice: str) -> Finding:
    """Return the finding of a capability. If no engine can run here, or the weights of the engine are missing, the
    outcome is `missing`. It is `failed` if the operator chose an engine by name (`choice`), if the reason why no engine
    can run is unexpected, if an engine runs but does not work, or if it computes something else on a card than on the
    CPU."""
    if choice == OFF:
        return Finding(state.capability, "off", said=f"{PREFIX}{state.capability.upper()}=off")
    if state.candidate is None:
        is_expected = choice == AUTO and state.capability not in dict(runtime.faults())
        return Finding(state.capability, "missing" if is_expected else "failed", said=state.remedy or "")
    spec = state.candidate.spec
    tried = partial(
        Finding,
        state.capability,
        engine=spec.name,
        licence=spec.licence,
        weights=spec.weights,
        card_estimate=state.candidate.card,
    )
    free, started = _free_card_bytes(), time.perf_counter()
    try:
        await runtime.load(state.capability)
        loaded = time.perf_counter()
        message = await CATALOG[state.capability].self_test(runtime)
    except (ModelError, BadResult) as error:
        return tried("failed", said=_with_cause(str(error), error))
    ran_ms, card_mb = _ms(loaded), (free - _free_card_bytes()) // 10**6
    taken = card_mb if card_mb > 0 else None
    if state.capability in set(runtime.on_the_card()):
        try:
            await compare_with_cpu(settings, runtime, state.candidate)
        except (ModelError, BadResult) as error:
            return tried("failed", said=_with_cause(str(error), error))
        message += "; the same on the CPU"
    if state.pairs:
        message += f"; translates {', '.join(state.pairs)}"
    nodes: Mapping[str, int] = NODES_ON_CPU.get(state.capability, {})
    return tried("ok", said=message, loaded_ms=_ms(started, loaded), ran_ms=ran_ms, card_mb=taken, nodes_on_cpu=nodes)


async def _search_the_web(settings: Settings, fetcher: Fetcher) -> Finding:
    """Return the finding of a search. If no provider can be used, for example without a network, the outcome is
    `failed` if the operator named a provider. Otherwise, it is `missing`, because the machine may be meant to have no
    network."""
    if settings.search_provider == (OFF,):
        return Finding("web_search", "off", said=f"{PREFIX}SEARCH_PROVIDER=off")
    search = build_search(settings, fetcher)
    tried = partial(Finding, "web_search", engine=names_of(search.providers))
    started = time.perf_counter()
    try:
        found = await search.search(SearchQuery("openfaze"), 1)
    except EngineUnavailable as error:
        return tried("missing" if settings.search_provider == (AUTO,) else "failed", said=error.remedy)
    finally:
        await search.close()
    return tried("ok", said=f"answered with {len(found)} results in {_seconds(_ms(started))}")


async def _render_a_page(settings: Settings) -> Finding:
    if settings.browser == OFF:
        return Finding("browser", "off", said=f"{PREFIX}BROWSER=off")
    program = find_browser(settings.browser)
    if program is None:
        return Finding("browser", "missing" if settings.browser == AUTO else "failed", said=REMEDY)
    started = time.perf_counter()
    try:
        message = await open_a_page(BrowserPolicy(program))
    except (ModelError, InputError, BadResult) as error:
        return Finding("browser", "failed", engine=without_password(program), said=str(error))
    return Finding("browser", "ok", engine=without_password(program), said=f"{message}, in {_seconds(_ms(started))}")


async def open_a_page(policy: BrowserPolicy) -> str:
    """Let the browser show a page whose text is written by a script. Raises BadResult, and the errors of `render`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n" + _SCRIPTED)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        browser = BrowserRenderer(policy, FetchPolicy(allow=(f"127.0.0.1:{port}",)))
        try:
            shown = await browser.render(f"http://127.0.0.1:{port}/")
        finally:
            await browser.close()
    if b"written by a script" not in shown.html:
        raise BadResult("the browser does not run a page's scripts")
    return "showed what a script writes"


def _ms(since: float, until: float | None = None) -> int:
    return round(((time.perf_counter() if until is None else until) - since) * 1000)


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms} ms"


def _weights_in(root: Path) -> Iterator[tuple[str, Sequence[str], str]]:
    """Yield the name, the missing files and the description of each weight set that has at least one file below `root`.
    It does not matter whether the files were pulled or copied there."""
    for known in WEIGHT_SETS.values():
        here = [root / file.path for file in known.files if (root / file.path).is_file()]
        missing = [file.path for file in known.missing(root)]
        if not here:
            continue
        if missing:
            yield known.name, missing, f"{known.name} (incomplete: {missing[0]} is missing)"
        else:
            megabytes = sum(path.stat().st_size for path in here) / 1e6
            yield known.name, missing, f"{known.name} ({megabytes:.1f} MB)"
