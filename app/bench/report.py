"""Reports on a benchmark: a table for a terminal, JSON for programs, and a page with plots for people."""

import html
import io
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import fmean
from typing import Any

import numpy as np
from rich.table import Table

from app.bench.load import BenchTarget, TimedResponse
from app.bench.scenario import Scenario
from app.state.counters import Prices

ALL = "all"
_PERCENTILES = (50, 90, 95, 99)
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; background: #fff; border-radius: .5rem; margin: 1rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dd { margin: 0; }
"""
_LOG_SCALE_RATIO = 20
"""A plot has a logarithmic axis if the longest duration is more than this many times the shortest."""
_HEADS = ("p50 ms", "p90 ms", "p95 ms", "p99 ms", "most ms")


@dataclass(frozen=True, slots=True)
class ReportRow:
    """Measurements of one kind of request, or of all kinds together."""

    name: str
    answers: int
    """Number of responses that are not errors."""
    errors: int
    per_second: float
    """Throughput in answers per second."""
    mean_ms: float | None
    percentiles_ms: Mapping[int, float]
    """Milliseconds by percentile; empty if there is no answer."""
    most_ms: float | None
    first_ms: float | None
    """Median time to the first chunk of streamed answers, in milliseconds."""
    input_tokens: int
    output_tokens: int


def rows_of(answers: Sequence[TimedResponse], scenario: Scenario) -> list[ReportRow]:
    """Return a row for each kind of request in the scenario's order and, if there are several kinds, a row for all
    kinds together."""
    names = [template.name for template in scenario.requests]
    lines = [_row_of(name, [one for one in answers if one.name == name], scenario.duration_s) for name in names]
    return lines if len(names) == 1 else [*lines, _row_of(ALL, answers, scenario.duration_s)]


def _row_of(name: str, answers: Sequence[TimedResponse], seconds: float) -> ReportRow:
    good = [one for one in answers if one.is_good]
    # An answer that arrived after the end of the scenario does not count towards the throughput.
    in_time = sum(one.began_s + one.seconds <= seconds for one in good)
    times = np.array([1e3 * one.seconds for one in good])
    firsts = [1e3 * one.first_s for one in good if one.first_s is not None]
    return ReportRow(
        name=name,
        answers=len(good),
        errors=len(answers) - len(good),
        per_second=in_time / seconds,
        mean_ms=float(fmean(times)) if good else None,
        percentiles_ms={each: float(np.percentile(times, each)) for each in _PERCENTILES} if good else {},
        most_ms=float(times.max()) if good else None,
        first_ms=float(np.median(firsts)) if firsts else None,
        input_tokens=sum(one.input_tokens for one in good),
        output_tokens=sum(one.output_tokens for one in good),
    )


def errors_of(answers: Iterable[TimedResponse]) -> list[tuple[int, str]]:
    """Return the ten most frequent errors with their counts and statuses, the most frequent first."""
    errors = Counter(f"{one.status or 'no answer'}: {one.error}" for one in answers if not one.is_good)
    return [(count, error) for error, count in errors.most_common(10)]


def table_of(lines: Sequence[ReportRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("request")
    for column in ("answers", "errors", "/s", "p50 ms", "p95 ms", "p99 ms", "most ms", "first ms", "tokens out"):
        table.add_column(column, justify="right")
    for line in lines:
        table.add_row(
            line.name,
            f"{line.answers:,}",
            f"{line.errors:,}",
            _format_number(line.per_second),
            *(_format_number(line.percentiles_ms.get(each)) for each in (50, 95, 99)),
            _format_number(line.most_ms),
            _format_number(line.first_ms),
            f"{line.output_tokens:,}" if line.output_tokens else "",
        )
    return table


def _format_number(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 else f"{number:.2f}"


def as_json(
    name: str, scenario: Scenario, target: BenchTarget, answers: Sequence[TimedResponse], prices: Prices | None
) -> dict[str, Any]:
    """Return the report as a JSON object, without the individual answers."""
    lines = rows_of(answers, scenario)
    total = lines[-1]
    return {
        "scenario": name,
        "asked": scenario.model_dump(exclude={"requests"}) | {"requests": [one.name for one in scenario.requests]},
        "base_url": target.base_url,
        "model": target.model,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "openfaze": version("openfaze"),
        "lines": [asdict(line) for line in lines],
        "errors": [{"count": count, "error": error} for count, error in errors_of(answers)],
        "cost_usd": None if prices is None else prices.of(total.input_tokens, total.output_tokens) / 1e9,
    }


def as_page(counted: Mapping[str, Any], answers: Sequence[TimedResponse]) -> str:
    """Return the report as one HTML file that loads nothing else."""
    rows = "".join(_to_html_row(line) for line in counted["lines"])
    facts = {
        "Server": counted["base_url"],
        "Model": counted["model"],
        "Date": counted["date"],
        "Asked from": counted["machine"],
        "Load": _describe_load(counted["asked"]),
    }
    if counted["cost_usd"] is not None:
        facts["Cost"] = f"${counted['cost_usd']:.4f}"
    facts_html = "".join(f"<dt>{name}</dt><dd>{html.escape(str(value))}</dd>" for name, value in facts.items())
    errors = "".join(f"<li>{one['count']:,} × {html.escape(one['error'])}</li>" for one in counted["errors"])
    title = f"openfaze bench: {html.escape(counted['scenario'])}"
    heads = "".join(f"<th>{name}</th>" for name in ("request", "answers", "errors", "/s", *_HEADS, "first ms"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><dl>{facts_html}</dl><table><tr>{heads}</tr>{rows}</table>{_plots(answers)}"
        + (f"<h2>Errors</h2><ul>{errors}</ul>" if errors else "")
        + "</html>\n"
    )


def _to_html_row(line: Mapping[str, Any]) -> str:
    cells = [
        f"{line['answers']:,}",
        f"{line['errors']:,}",
        _format_number(line["per_second"]),
        *(_format_number(line["percentiles_ms"].get(each)) for each in _PERCENTILES),
        _format_number(line["most_ms"]),
        _format_number(line["first_ms"]),
    ]
    return f"<tr><td>{html.escape(line['name'])}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _describe_load(load: Mapping[str, Any]) -> str:
    who = f"{load['rate']:g} requests a second" if load["rate"] else f"{load['concurrency']} callers"
    return f"{who} for {load['duration_s']:g} s, after {load['warmup_s']:g} s of warm-up"


def _plots(answers: Sequence[TimedResponse]) -> str:
    """Return two plots as SVG: the duration of each answer by its beginning, and the share of answers by duration."""
    good = [one for one in answers if one.is_good]
    if not good:
        return ""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    over_time, shares = figure.subplots(1, 2)
    for name in dict.fromkeys(one.name for one in good):
        mine = [one for one in good if one.name == name]
        over_time.plot([one.began_s for one in mine], [one.seconds for one in mine], ".", markersize=3, label=name)
        ordered = np.sort([one.seconds for one in mine])
        shares.step(ordered, np.arange(1, len(mine) + 1) / len(mine), where="post", label=name)
    times = [one.seconds for one in good]
    # Durations differ widely, for example between a receipt and ten minutes of speech, so the axis is logarithmic.
    scale = "log" if max(times) > _LOG_SCALE_RATIO * min(times) else "linear"
    over_time.set(xlabel="began after, s", ylabel="took, s", yscale=scale)
    shares.set(xlabel="took at most, s", ylabel="share of the answers", xscale=scale, ylim=(0, 1))
    for axes in (over_time, shares):
        axes.grid(visible=True, alpha=0.3)
    shares.legend()
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
