"""`openfaze pull`: list the weight sets, find those that a name stands for, and fetch them."""

import difflib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from app.assembly.building import build_config
from app.runnable_commands import adapt_commands
from app.settings import PREFIX, Settings
from models.capability import Candidate
from models.catalog import CATALOG
from models.devices.device import AUTO
from models.setting_types import GPU, ON, PROFILES
from models.weights.files import RECOMMENDED, WEIGHT_SETS, WeightFile, WeightSet, shown_bytes
from models.weights.pulling import Progress, PullFailed, pull


class NothingToPull(Exception):
    """Raised for a name that stands for no weight set that can be fetched. The message states the reason or the
    possible names."""


def listing(settings: Settings) -> str:
    """Return a list of all weight sets. Each set is listed under the capability that it serves."""
    root = Path(settings.weights_dir)
    rows = {known.name: (known.shown_size, known.licence, _state(known, root)) for known in WEIGHT_SETS.values()}
    widths = [max(map(len, column)) for column in zip(*rows.values(), strict=True)]
    longest = max(map(len, rows))
    lines = [f"Weights in {root} ({PREFIX}WEIGHTS_DIR):"]
    for capability in CATALOG:
        sets = [known for known in WEIGHT_SETS.values() if reader_of(known).spec.capability == capability]
        lines += ["", capability] if sets else []
        for known in sets:
            cells = [cell.ljust(size) for cell, size in zip(rows[known.name], widths, strict=True)]
            lines.append("  ".join([f"  {known.name.ljust(longest)}", *cells, known.purpose]))
    sizes = {profile: _size(sets_of(profile)) for profile in PROFILES}
    ends = ", ".join(f"{profile} ({shown_bytes(size) if size else 'nothing'})" for profile, size in sizes.items())
    fetching = adapt_commands("`openfaze pull NAME` fetches one: a set, an engine or a capability;")
    return "\n".join([*lines, "", fetching, f"or all of a profile: {ends}."])


def names() -> list[str]:
    """Return all names that `openfaze pull` knows. It fetches weights for some of them, and explains the others."""
    return list(dict.fromkeys([*PROFILES, *WEIGHT_SETS, *CATALOG, *(one.spec.name for one in _engines())]))


def sets_of(profile: str) -> list[WeightSet]:
    return [known for known in WEIGHT_SETS.values() if profile in known.profiles]


def _size(sets: Iterable[WeightSet]) -> int:
    return sum(known.about for known in sets)


def _state(weight_set: WeightSet, root: Path) -> str:
    missing = len(weight_set.missing(root))
    return "here" if not missing else "missing" if missing == len(weight_set.files) else "in part"


def reader_of(weight_set: WeightSet) -> Candidate:
    """Return the engine that reads the set. The name of a set begins with the name of its engine."""
    engines = {one.spec.name: one for one in _engines()}
    name = weight_set.name
    while name not in engines:
        name = name.rpartition("-")[0]
    return engines[name]


def _engines() -> Iterator[Candidate]:
    return (one for capability in CATALOG.values() for one in capability.engines)


def sets_named(name: str, settings: Settings) -> list[WeightSet]:
    """Return the weight sets that `name` means.

    - A profile: its sets; if the operator chose another engine for a capability, the set of that engine instead.
    - A set: that set.
    - A capability: the set of the engine that the operator chose for it, else the recommended set.

    Raises NothingToPull if nothing can be fetched under `name`; that includes the name of an engine unless a set has
    the same name.
    """
    if name not in PROFILES:
        return [_set_named(name, settings)]
    chosen = (
        known if _serves(known, settings) else WEIGHT_SETS.get(_choice(known, settings)) for known in sets_of(name)
    )
    return list(dict.fromkeys(known for known in chosen if known is not None))


def left_out(name: str, settings: Settings) -> Iterator[str]:
    """Yield a sentence for each set of the profile `name` that is not fetched because the operator chose another
    engine."""
    for known in sets_of(name):
        if not _serves(known, settings):
            setting = f"{PREFIX}{reader_of(known).spec.capability.upper()}"
            yield f"Without {known.name} ({known.shown_size}), as {setting}={_choice(known, settings)}."


def _choice(weight_set: WeightSet, settings: Settings) -> str:
    return str(getattr(settings, reader_of(weight_set).spec.capability, AUTO))


def _serves(weight_set: WeightSet, settings: Settings) -> bool:
    return _choice(weight_set, settings) in (AUTO, ON, reader_of(weight_set).spec.name)


def _set_named(name: str, settings: Settings) -> WeightSet:
    if name in WEIGHT_SETS:
        return WEIGHT_SETS[name]
    if name in CATALOG:
        chosen = str(getattr(settings, name, AUTO))
        if known := WEIGHT_SETS.get(chosen) or WEIGHT_SETS.get(RECOMMENDED.get(name, "")):
            return known
        raise NothingToPull(f"No weights are fetched for '{name}'.{_describe_engines(CATALOG[name].engines, settings)}")
    sets = [known for known in WEIGHT_SETS.values() if reader_of(known).spec.name == name]
    if sets:
        raise NothingToPull(f"'{name}' has several sets. Name one: {', '.join(known.name for known in sets)}.")
    if engines := [one for one in _engines() if one.spec.name == name]:
        raise NothingToPull(f"The weights of '{name}' are not fetched.{_describe_engines(engines, settings)}")
    close = difflib.get_close_matches(name, names(), n=1)
    guess = f" Did you mean '{close[0]}'?" if close else ""
    raise NothingToPull(f"There are no weights '{name}'.{guess}\n\n{listing(settings)}")


def _describe_engines(engines: Sequence[Candidate], settings: Settings) -> str:
    """Return a line for each of `engines`: where its weights come from, and what else it lacks to run here."""
    return "".join(f"\n  {one.spec.name}: {one.spec.weights}.{_missing_for(one, settings)}" for one in engines)


def _missing_for(candidate: Candidate, settings: Settings) -> str:
    """Return the reason why an engine could not run here even if the operator chose it by name; empty if there is
    none."""
    capability = candidate.spec.capability
    chosen = {capability: candidate.spec.name} if capability in Settings.model_fields else {}
    remedy = candidate.remedy(build_config(settings.model_copy(update=chosen)))
    return f" {remedy}" if remedy else ""


def fetch(sets: Sequence[WeightSet], settings: Settings) -> None:
    """Fetch `sets`. Print sizes and the folder first, and at the end what their engines still lack. If a set cannot be
    fetched, the others still are, and the first PullFailed is raised at the end."""
    root = Path(settings.weights_dir)
    missing = {known.name: known.missing(root) for known in sets}
    on_a_card = [card for known in sets if GPU in known.profiles and (card := reader_of(known).card)]
    for known in sets:
        doing = "Fetching" if missing[known.name] else "Checking"
        typer.echo(
            f"{doing} {known.name} ({known.shown_size}, {known.licence}): {known.purpose}. Into {root}.", err=True
        )
        if len(on_a_card) == len(sets) and (card := reader_of(known).card):
            typer.echo(f"  It takes about {card.shown} MB on a card.", err=True)
    if len(sets) > 1:
        typer.echo(f"{shown_bytes(_size(sets))} in total, including what is already downloaded", err=True)
    _check_room([known for known in sets if missing[known.name]], root)
    failures: dict[str, PullFailed] = {}
    with _shown_progress(sum(_missing_bytes(known, root) for known in sets)) as progress:
        for known in sets:
            try:
                pull(known, root, progress=progress)
            except PullFailed as error:
                failures[known.name] = error
    for known in sets:
        reader = reader_of(known)
        if known.name in failures:
            typer.echo(f"{known.name} could not be fetched: {failures[known.name].reason}", err=True)
            continue
        typer.echo(f"{known.name} is here, with every checksum correct", err=True)
        if lacking := _missing_for(reader, settings):
            typer.echo(adapt_commands(f"'{reader.spec.name}' cannot run yet.{lacking}"), err=True)
    if failures:
        raise next(iter(failures.values()))


def _check_room(sets: Sequence[WeightSet], root: Path) -> None:
    """Check that the missing files fit on the disk. Raises PullFailed."""
    existing_folder = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
    missing = [file for known in sets for file in known.missing(root)]
    needed, free = sum(_missing_bytes(known, root) for known in sets), shutil.disk_usage(existing_folder).free
    if needed > free:
        names, verb = " and ".join(known.name for known in sets), "need" if len(sets) > 1 else "needs"
        verb += " about" if any(file.size is None for file in missing) else ""
        raise PullFailed(
            missing[0],
            root / missing[0].path,
            f"{names} {verb} {needed / 1e6:,.0f} MB, but {existing_folder} has {free / 1e6:,.0f} MB left",
        )


def _missing_bytes(weight_set: WeightSet, root: Path) -> int:
    """Return the size of the missing files in bytes, or roughly the size of the whole set if its publisher states no
    sizes."""
    missing = weight_set.missing(root)
    sizes = [file.size for file in missing if file.size is not None]
    return sum(sizes) if len(sizes) == len(missing) else weight_set.about


@contextmanager
def _shown_progress(needed: int) -> Iterator[Progress]:
    """Show the progress: a terminal gets a bar, any other output a line for each tenth of the `needed` bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Bars(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("", total=needed)
        fetched: dict[str, int] = {}
        shown_tenths = 0

        def show(file: WeightFile, done: int, _: int | None) -> None:
            nonlocal shown_tenths
            fetched[file.path] = done
            size = sum(fetched.values())
            bars.update(bar, completed=size, description=file.path)
            tenths = min(10, 10 * size // needed) if needed else 0
            if not console.is_terminal and tenths > shown_tenths:
                shown_tenths = tenths
                typer.echo(f"{tenths}0 %: {shown_bytes(size)} of {shown_bytes(needed)}, now {file.path}", err=True)

        yield show
