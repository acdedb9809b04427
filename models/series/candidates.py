"""The engines that forecast, and how each is put together."""

from collections.abc import Callable
from functools import partial

from models.base import Engine, EngineSpec
from models.candidate import Built, Candidate, EngineConfig, is_installed
from models.host import EngineHost, HostLimits
from models.series import chronos
from models.series.forecaster import HostedForecaster, Outlook, Series

_STATISTICAL = EngineSpec("statsmodels", "forecast", "BSD-3-Clause", "none: it is fitted to each series")


def _built(spec: EngineSpec, factory: Callable[[], Engine[Series, Outlook]], config: EngineConfig) -> Built:
    limits = HostLimits(max_queue=config.max_queue, idle_unload_s=config.idle_unload_s)
    host = EngineHost(spec, factory, limits)
    return Built(HostedForecaster(host), (host,))


def _build_chronos(config: EngineConfig) -> Built:
    factory = partial(chronos.Chronos2, config.weights_dir / chronos.FOLDER, device=config.device)
    return _built(chronos.SPEC, factory, config)


def _build_statistical(config: EngineConfig) -> Built:
    from models.series.statistical import Statistical

    return _built(_STATISTICAL, Statistical, config)


CHRONOS_2 = Candidate(chronos.SPEC, lambda config: chronos.remedy(config.weights_dir / chronos.FOLDER), _build_chronos)
STATSMODELS = Candidate(
    _STATISTICAL,
    lambda _: None if is_installed("statsmodels") else "Install the package 'statsmodels'.",
    _build_statistical,
)
