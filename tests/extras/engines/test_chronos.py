"""Chronos-2 of the real architecture with small random weights."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("chronos")

from models.capability import EngineConfig
from models.series.capability import CHRONOS_2
from models.series.forecaster import Series

# Deprecations within transformers and PyTorch are theirs.
pytestmark = [pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def weights_dir(tmp_path: Path) -> Path:
    import torch
    from chronos.chronos2.config import Chronos2CoreConfig
    from chronos.chronos2.model import Chronos2Model

    torch.manual_seed(0)
    config = Chronos2CoreConfig(
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        chronos_config={
            "context_length": 256,
            "input_patch_size": 16,
            "input_patch_stride": 16,
            "output_patch_size": 16,
            "max_output_patches": 4,
            "quantiles": [0.01, 0.05, *(round(0.1 * number, 1) for number in range(1, 10)), 0.95, 0.99],
            "use_reg_token": True,
            "use_arcsinh": True,
            "time_encoding_scale": 256,
        },
        chronos_pipeline_class="Chronos2Pipeline",
        architectures=["Chronos2Model"],
    )
    Chronos2Model(config).save_pretrained(tmp_path / "chronos-2")
    return tmp_path


@pytest.mark.parametrize("horizon", [1, 12, 100])
async def test_a_series_is_continued_with_its_interval(weights_dir: Path, horizon: int) -> None:
    config = EngineConfig(device="cpu", weights_dir=weights_dir)
    assert CHRONOS_2.remedy(config) is None
    built = CHRONOS_2.build(config)
    values = 100 + np.arange(300.0) + 10 * np.sin(np.arange(300) * np.pi / 6)
    outlooks = [
        await built.service.forecast(Series(known, horizon), wait=True) for known in (values, values, values[:5])
    ]
    for outlook in outlooks:
        assert outlook.value.shape == outlook.lower.shape == outlook.upper.shape == (horizon,)
        assert np.isfinite(outlook.value).all()
        assert (outlook.lower <= outlook.value).all()
        assert (outlook.value <= outlook.upper).all()
    assert np.array_equal(outlooks[0].value, outlooks[1].value)
    assert built.parts[0].healthy
    for part in built.parts:
        await part.close()
