"""Declaration of the capability `forecast`: its engines, and how each is built."""

from collections.abc import Callable
from functools import partial

import numpy as np

from models.base import Engine, EngineSpec
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import TORCH
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory, HostLimits
from models.series import chronos
from models.series.forecaster import Forecaster, Outlook, Series
from models.setting_types import STANDARD

_STATISTICAL = EngineSpec("statsmodels", "forecast", "BSD-3-Clause", "none: it is fitted to each series")


class ForecastSettings(OwnSettings):
    forecast: str = "auto"
    """`chronos-2`, `statsmodels` or `auto`."""


def _built(spec: EngineSpec, factory: Callable[[], Engine[Series, Outlook]], limits: HostLimits) -> Built:
    host = EngineHost(spec, factory, limits)
    return Built(Forecaster(host), (host,))


def _build_chronos(config: EngineConfig) -> Built:
    factory = partial(chronos.Chronos2, config.weights_dir / chronos.FOLDER, device=config.device)
    return _built(chronos.SPEC, factory, config.limits())


def _build_statistical(config: EngineConfig) -> Built:
    from models.series.statistical import Statistical

    return _built(_STATISTICAL, Statistical, config.limits())


CHRONOS_2 = Candidate(
    chronos.SPEC,
    lambda config: chronos.remedy(config.weights_dir / chronos.FOLDER),
    _build_chronos,
    backend=TORCH,
    profile=STANDARD,
    card=CardMemory(base=480, item=200),
)
STATSMODELS = Candidate(
    _STATISTICAL,
    lambda _: None if is_installed("statsmodels") else "Install the package 'statsmodels'.",
    _build_statistical,
)


async def _continue_a_year(engines: Engines) -> str:
    months = np.arange(60)
    swing = 100 + months + 10 * np.sin(months * np.pi / 6)
    outlook = await engines.use(FORECAST).forecast(Series(swing[:48], 12, (12,)))
    error = float(np.abs(outlook.value - swing[48:]).mean())
    if error > 5:
        raise BadResult(f"errs by {error:.1f} a month where the seasons swing by 10")
    return f"continued a year to within {error:.2f} of 10, by {outlook.method}"


FORECAST: Capability[Forecaster] = Capability(
    "forecast", (CHRONOS_2, STATSMODELS), _continue_a_year, ForecastSettings, order=100
)
