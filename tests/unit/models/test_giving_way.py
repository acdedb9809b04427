"""What engines with long batches leave to the small work of other keys."""

import pytest

from models.capability import Candidate, EngineConfig
from models.diarization.capability import RESEMBLYZER
from models.extraction.capability import PAGE_ENCODER
from models.host import EngineHost, HostLimits
from models.series.capability import STATSMODELS
from models.speech.capability import WHISPER_BASE, WHISPER_TINY_EN


@pytest.mark.parametrize(
    "engine", [WHISPER_BASE, WHISPER_TINY_EN, RESEMBLYZER, PAGE_ENCODER, STATSMODELS], ids=lambda one: one.spec.name
)
def test_on_a_cpu_they_give_way_after_a_moment_and_rest(engine: Candidate) -> None:
    config = EngineConfig(device="cpu")
    if remedy := engine.remedy(config):
        pytest.skip(remedy)
    assert engine.build is not None
    hosts = [part for part in engine.build(config).parts if isinstance(part, EngineHost)]
    assert hosts
    for host in hosts:
        assert host.limits.long_s <= 0.05
        assert host.limits.rest >= 0.5


def test_windows_of_voices_are_encoded_together_while_keys_compete() -> None:
    config = EngineConfig(device="cpu")
    if remedy := RESEMBLYZER.remedy(config):
        pytest.skip(remedy)
    assert RESEMBLYZER.build is not None
    [host] = [part for part in RESEMBLYZER.build(config).parts if isinstance(part, EngineHost)]
    assert host.limits.contested_batch == 8, "a window alone takes more than twice as long as one of eight"


def test_engines_of_one_recording_rest_together() -> None:
    config = EngineConfig(device="cpu")
    groups = set()
    for engine in (WHISPER_BASE, RESEMBLYZER):
        if remedy := engine.remedy(config):
            pytest.skip(remedy)
        assert engine.build is not None
        groups |= {part.limits.rest_group for part in engine.build(config).parts if isinstance(part, EngineHost)}
    assert len(groups) == 1
    assert None not in groups


def test_on_a_card_they_do_not_rest() -> None:
    limits = HostLimits(max_batch=32, device="cuda")
    assert limits.giving_way() == limits
