"""Compares forecasts of classic series with the better of the naive and the seasonal naive forecast, and measures the
share of later values inside the intervals.

    .venv/bin/python -m eval.forecast [--ends 5 6 7 8] [--folder weights] [--pmdarima]

Each series is cut off at several points, one horizon apart, and the values after the cut are forecast from the values
before it. Cuts are counted backwards; the last cut is 0. Methods and bounds of models/series were chosen with knowledge
of cuts 1 to 4. Cuts 5 to 8, the default, are held out. The mean absolute error is divided by the error of the seasonal
naive forecast on the values before the cut (MASE). With a folder that contains `chronos-2`, this engine is measured,
too.

With `--pmdarima`, the series are seven that come with that package, with which nothing was chosen; the cuts are 0 to
3. It is not among the dependencies: `uv pip install --no-deps --target FOLDER pmdarima`, and put the folder into
PYTHONPATH.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median

import numpy as np

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.runtime import Runtime
from models.series.capability import FORECAST
from models.series.forecaster import Floats, Forecaster, Series
from models.series.methods import SeasonalNaive


@dataclass(frozen=True)
class Classic:
    name: str
    values: Floats
    season: int
    horizon: int


@dataclass(frozen=True)
class Outcome:
    naive: float
    """Mean absolute scaled error (MASE) of naive."""
    seasonal_naive: float
    """Mean absolute scaled error of seasonal naive."""
    error: float
    """Mean absolute scaled error of the engine."""
    held: float
    """Share of the values inside the interval."""
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--ends", type=int, nargs="+")
    parser.add_argument("--folder", type=Path, help="where `chronos-2` lies")
    parser.add_argument("--pmdarima", action="store_true", help="the seven series of pmdarima")
    arguments = parser.parse_args()
    series = list(packaged() if arguments.pmdarima else classics())
    ends = arguments.ends or ([0, 1, 2, 3] if arguments.pmdarima else [5, 6, 7, 8])
    config = EngineConfig(weights_dir=arguments.folder or Path("weights"))
    for engine in ["statsmodels", *(["chronos-2"] if arguments.folder else [])]:
        asyncio.run(measure(engine, config, series, ends))


async def measure(engine: str, config: EngineConfig, series: Sequence[Classic], ends: Sequence[int]) -> None:
    runtime = Runtime(CATALOG, config, {"forecast": engine})
    await runtime.load("forecast")
    print(f"\n{engine}, ends {', '.join(map(str, ends))}")
    print(f"{'':22}{'n':>6}{'h':>4}{'naive':>8}{'seasonal':>10}{'MASE':>8}{'ratio':>8}{'within 80 %':>13}{'s':>7}")
    every = []
    for classic in series:
        outcomes = [found async for found in tried(classic, runtime.use(FORECAST), ends)]
        if not outcomes:
            continue
        every.append(outcomes)
        print(f"{classic.name:22}{len(classic.values):6}{classic.horizon:4}{row(outcomes)}", flush=True)
    means = [mean(outcomes) for outcomes in every]
    print(f"{'mean of the series':32}{row(means)}")
    ratios = [ratio(one) for one in means]
    print(
        f"ratio to the better naive forecast: median {median(ratios):.2f}, geometric mean {geometric_mean(ratios):.2f}"
    )
    await runtime.close()


async def tried(classic: Classic, forecaster: Forecaster, ends: Sequence[int]) -> AsyncIterator[Outcome]:
    for end in ends:
        known = len(classic.values) - (end + 1) * classic.horizon
        if known < 2 * classic.horizon + 2 * classic.season:
            continue
        past, actual = classic.values[:known], classic.values[known : known + classic.horizon]
        started = time.perf_counter()
        outlook = await forecaster.forecast(
            Series(past, classic.horizon, (classic.season,) if classic.season > 1 else ())
        )
        seconds = time.perf_counter() - started
        scale = float(np.abs(past[classic.season :] - past[: -classic.season]).mean())
        naive, seasonal = (SeasonalNaive(season)(past, classic.horizon).value for season in (1, classic.season))
        yield Outcome(
            float(np.abs(naive - actual).mean()) / scale,
            float(np.abs(seasonal - actual).mean()) / scale,
            float(np.abs(outlook.value - actual).mean()) / scale,
            float(np.mean((outlook.lower <= actual) & (actual <= outlook.upper))),
            seconds,
        )


def mean(outcomes: Sequence[Outcome]) -> Outcome:
    rows = np.array([[one.naive, one.seasonal_naive, one.error, one.held, one.seconds] for one in outcomes])
    return Outcome(*rows.mean(axis=0).tolist())


def row(outcomes: Sequence[Outcome]) -> str:
    one = mean(outcomes)
    return (
        f"{one.naive:8.2f}{one.seasonal_naive:10.2f}{one.error:8.2f}{ratio(one):8.2f}{one.held:13.0%}{one.seconds:7.1f}"
    )


def ratio(outcome: Outcome) -> float:
    """Return the error, divided by that of the better of both naive forecasts."""
    return outcome.error / min(outcome.naive, outcome.seasonal_naive)


def classics() -> Iterator[Classic]:
    """Yield the series that come with statsmodels, with usual horizons."""
    import pandas as pd
    import statsmodels.datasets as data

    root = Path(data.__file__).parent

    def table(name: str) -> pd.DataFrame:
        return pd.read_csv(root / name / f"{name}.csv", encoding="latin-1")

    def numbers(column: "pd.Series[float]") -> Floats:
        return column.dropna().to_numpy(np.float64)

    co2 = table("co2")
    weeks = pd.Series(co2["co2"].to_numpy(), index=pd.to_datetime(co2["date"].astype(str)))
    yield Classic("CO2, monthly", numbers(weeks.resample("MS").mean().interpolate()), 12, 12)
    yield Classic("El Niño, monthly", table("elnino").iloc[:, 1:].to_numpy(np.float64).ravel(), 12, 12)
    yield Classic("electric equipment", numbers(table("elec_equip").iloc[:, -1]), 12, 12)
    yield Classic("sunspots, yearly", numbers(table("sunspots")["SUNACTIVITY"]), 1, 10)
    yield Classic("Nile, yearly", numbers(table("nile")["volume"]), 1, 10)
    macro = table("macrodata")
    for column in ("realgdp", "realinv", "cpi", "unemp", "tbilrate"):
        yield Classic(f"US {column}, quarterly", numbers(macro[column]), 4, 8)
    german = data.interest_inflation.load().data
    yield Classic("German interest", numbers(german["R"]), 4, 8)
    yield Classic("German inflation", numbers(german["Dp"]), 4, 8)


def packaged() -> Iterator[Classic]:
    """Yield series of pmdarima with usual horizons. Left out are sunspots, which are known already, prices of
    a share, and half-hours and weeks, whose seasons are long."""
    from pmdarima import datasets

    for name, season, horizon in (
        ("airpassengers", 12, 12),
        ("ausbeer", 4, 8),
        ("austres", 4, 8),
        ("heartrate", 1, 10),
        ("lynx", 1, 10),
        ("wineind", 12, 12),
        ("woolyrnq", 4, 8),
    ):
        values = np.asarray(getattr(datasets, f"load_{name}")(), np.float64)
        yield Classic(name, values[np.isfinite(values)], season, horizon)


if __name__ == "__main__":
    main()
