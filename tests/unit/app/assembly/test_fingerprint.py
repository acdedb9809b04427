"""What makes answers that were kept those of another server."""

import os
from pathlib import Path
from typing import Any

from app.assembly.building import build_runtime
from app.assembly.fingerprint import build_fingerprint
from app.settings import Settings
from models.weights.files import WEIGHT_SETS
from tests.kit.servers.llm_server import serving_llm


async def shape(folder: Path, **more: Any) -> bytes:
    settings = Settings(_env_file=None, weights_dir=str(folder / "weights"), **more)
    runtime = build_runtime(settings)
    try:
        return await build_fingerprint(settings, runtime)()
    finally:
        await runtime.close()


async def test_weights_that_come_and_go_are_part_of_it(tmp_path: Path) -> None:
    before = await shape(tmp_path, llm="off")
    assert await shape(tmp_path, llm="off") == before
    file = tmp_path / "weights" / WEIGHT_SETS["qwen3-4b"].files[0].path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"pulled")
    assert await shape(tmp_path, llm="off") != before
    file.unlink()
    assert await shape(tmp_path, llm="off") == before


async def test_a_file_of_the_operators_own_counts_by_size_and_time(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"one")
    os.utime(model, ns=(1, 1))
    before = await shape(tmp_path, llm_gguf=model)
    assert await shape(tmp_path, llm_gguf=model) == before
    os.utime(model, ns=(2, 2))
    assert await shape(tmp_path, llm_gguf=model) != before
    model.write_bytes(b"another")
    os.utime(model, ns=(1, 1))
    assert await shape(tmp_path, llm_gguf=model) != before


async def test_a_folder_of_the_operators_own_counts_by_its_files(tmp_path: Path) -> None:
    model = tmp_path / "speech"
    model.mkdir()
    before = await shape(tmp_path, llm="off", speech_model=model)
    (model / "model.bin").write_bytes(b"one")
    after = await shape(tmp_path, llm="off", speech_model=model)
    assert after != before
    assert await shape(tmp_path, llm="off", speech_model=model) == after


async def test_the_model_of_an_llms_server_is_part_of_it(tmp_path: Path) -> None:
    with serving_llm() as upstream:
        for named in (None, "scripted"):
            seen = []
            for root in ("/weights/one", "/weights/other"):
                upstream.routes = {"/v1/models": {"data": [{"id": "scripted", "root": root}]}}
                seen.append(await shape(tmp_path, llm_base_url=upstream.base_url, llm_model=named))
            assert seen[0] != seen[1]
        assert await shape(tmp_path, llm_base_url=upstream.base_url, llm_model="scripted") == seen[1]
