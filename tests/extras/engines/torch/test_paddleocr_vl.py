"""PaddleOCR-VL in transformers: loading, writing, its brakes, and pages that it reads after PP-OCR."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from models.base import EngineOverloaded, EngineUnavailable
from models.capability import Built, EngineConfig
from models.vision.ocr.capability import PADDLEOCR_VL, PP_OCR_V6_SMALL, OcrSettings
from models.vision.ocr.paddleocr_vl import PaddleOcrVl
from models.vision.ocr.regions import TextRegion
from models.vision.ocr.second_reading import RegionTranscript
from models.vision.text import Image, TextLine
from tests.extras.engines.torch.small_page_reader import save_page_reader

# Deprecations within transformers and PyTorch are theirs.
pytestmark = [pytest.mark.filterwarnings("ignore")]

WORDS = ("open", " face", " 2026")
LOOP = (*WORDS, " face")


def region(seed: int = 0, height: int = 40, width: int = 300, letters: int = 30) -> TextRegion:
    picture = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return TextRegion(picture, (0,), letters)


REGIONS = [region(), region(1, 140, 200), region(2, 30, 30), region(3, 25, 900)]


def engine_of(folder: Path) -> PaddleOcrVl:
    engine = PaddleOcrVl(folder, device="cpu")
    engine.load()
    return engine


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> PaddleOcrVl:
    return engine_of(save_page_reader(tmp_path_factory.mktemp("random"), WORDS, random=True))


@pytest.fixture(scope="module")
def looping(tmp_path_factory: pytest.TempPathFactory) -> PaddleOcrVl:
    return engine_of(save_page_reader(tmp_path_factory.mktemp("looping"), LOOP))


def transcripts(engine: PaddleOcrVl, regions: Sequence[TextRegion]) -> list[RegionTranscript]:
    results = engine.run(regions)
    assert all(isinstance(one, RegionTranscript) for one in results)
    return list(results)  # type: ignore[arg-type]


def steps(engine: PaddleOcrVl, regions: Sequence[TextRegion]) -> int:
    """How many tokens were computed one after the other for `regions`, each by itself but those of the prompt."""
    assert engine._loaded is not None
    counted = []
    norm = engine._loaded[1].model.language_model.norm
    hook = norm.register_forward_hook(lambda _module, _inputs, output: counted.append(output.shape[1]))
    transcripts(engine, regions)
    hook.remove()
    prompt, *others = counted
    assert prompt > 1
    assert set(others) == {1}
    return len(counted)


def test_what_it_writes_comes_with_a_probability_for_each_character(tmp_path: Path) -> None:
    [written] = transcripts(engine_of(save_page_reader(tmp_path, WORDS)), [region()])
    assert written.text == "open face 2026"
    assert len(written.probabilities) == len(written.text)
    assert all(0.99 < one <= 1.001 for one in written.probabilities)


def test_it_writes_what_the_network_would_write_by_itself(tmp_path: Path) -> None:
    """With weights that mean nothing, by the example in transformers' page on it."""
    import torch
    from transformers import (
        AutoTokenizer,
        PaddleOCRVLForConditionalGeneration,
        PaddleOCRVLImageProcessorPil,
        PaddleOCRVLProcessor,
    )

    words = tuple(f" w{number}" for number in range(60))
    folder = save_page_reader(tmp_path, words, random=True)
    engine, tokenizer = engine_of(folder), AutoTokenizer.from_pretrained(folder)
    pictures = PaddleOCRVLImageProcessorPil.from_pretrained(folder)
    processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
    network = PaddleOCRVLForConditionalGeneration.from_pretrained(folder)
    said = set()
    for one in REGIONS:
        content = [{"type": "image", "image": Pillow.fromarray(one.picture)}, {"type": "text", "text": "OCR:"}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=True,
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            ids = network.generate(**inputs, max_new_tokens=40, do_sample=False)
        expected = tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        [written] = transcripts(engine, [one])
        assert written.text[: len(expected)] == expected[: len(written.text)]
        said.add(written.probabilities)
    assert len(said) == len(REGIONS)


def test_going_round_in_circles_is_stopped_and_what_was_repeated_is_cut_off(looping: PaddleOcrVl) -> None:
    [written] = transcripts(looping, [region(letters=4000)])
    assert written.text == "open face 2026"
    assert steps(looping, [region(letters=4000)]) <= 48 + 3 + 16


def test_its_folder_as_it_is_published_runs_none_of_the_python_files_in_it(tmp_path: Path) -> None:
    save_page_reader(tmp_path, WORDS)
    config, pictures = tmp_path / "config.json", tmp_path / "preprocessor_config.json"
    told = json.loads(config.read_text())
    text = told.pop("text_config")
    rope = text.pop("rope_parameters")
    told = text | told | {"rope_theta": rope["rope_theta"]}
    told["rope_scaling"] = {"mrope_section": rope["mrope_section"], "rope_type": "default", "type": "default"}
    told["vision_config"]["model_type"] = "paddleocr_vl"
    told["auto_map"] = {"AutoConfig": "configuration_paddleocr_vl.PaddleOCRVLConfig"}
    config.write_text(json.dumps(told))
    told = json.loads(pictures.read_text()) | {"image_processor_type": "PaddleOCRVLImageProcessor"}
    told["auto_map"] = {"AutoImageProcessor": "image_processing.PaddleOCRVLImageProcessor"}
    pictures.write_text(json.dumps(told))
    for module in ("configuration_paddleocr_vl", "image_processing"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('this was run')")
    assert [one.text for one in transcripts(engine_of(tmp_path), [region()])] == ["open face 2026"]


def page(*rows: str) -> Image:
    picture = Pillow.new("RGB", (700, 60 + 60 * len(rows)), "white")
    for number, text in enumerate(rows):
        ImageDraw.Draw(picture).text((24, 30 + 60 * number), text, fill="black", font=ImageFont.load_default(40))
    return np.asarray(picture)


async def read(built: Built, *pages: Image) -> list[list[TextLine]]:
    found = await asyncio.gather(*(built.service.read(one, wait=True) for one in pages))
    return [sorted(lines, key=lambda line: line.quad[0][1]) for lines in found]


async def both(root: Path, *pages: Image) -> list[list[list[TextLine]]]:
    """What PP-OCR alone reads, and the two together."""
    config = EngineConfig(weights_dir=root, device="cpu", own=[OcrSettings(ocr="paddleocr-vl")])
    assert PADDLEOCR_VL.remedy(config) is None
    results = []
    for engine in (PP_OCR_V6_SMALL, PADDLEOCR_VL):
        assert engine.build is not None
        built = engine.build(config)
        results.append(await read(built, *pages))
        assert all(part.loaded for part in built.parts)
        for part in built.parts:
            await part.close()
    return results


async def test_letters_come_from_it_and_boxes_from_pp_ocr(tmp_path: Path) -> None:
    save_page_reader(tmp_path / "paddleocr-vl", ("openface", " 2026"))
    # Letters five pixels high, of which PP-OCR is not sure.
    sharp = Pillow.fromarray(page("openfaze 2026", "another line"))
    picture = np.asarray(sharp.resize((100, 25), Pillow.Resampling.BOX))
    [before], [after] = await both(tmp_path, picture)
    assert before[0].words[0].text != "openface"
    assert before[0].words[0].confidence < 0.95
    assert [line.text for line in after] == ["openface 2026", before[1].text]
    assert after[0].words[0].confidence > 0.99
    assert [line.quad for line in after] == [line.quad for line in before]
    for one, other in zip(before, after, strict=True):
        assert [word.quad for word in one.words] == [word.quad for word in other.words]
    assert after[0].words[1:] == before[0].words[1:]


async def test_pages_beyond_those_that_may_wait_are_refused_unless_they_may_take_their_time(tmp_path: Path) -> None:
    save_page_reader(tmp_path / "paddleocr-vl", WORDS)
    assert PADDLEOCR_VL.build is not None
    built, picture = PADDLEOCR_VL.build(EngineConfig(weights_dir=tmp_path, device="cpu", max_queue=1)), page("a page")
    hasty = await asyncio.gather(*(built.service.read(picture) for _ in range(9)), return_exceptions=True)
    # Four are read at a time, and one may wait.
    assert [isinstance(one, EngineOverloaded) for one in hasty] == [False] * 5 + [True] * 4
    assert await read(built, *[picture] * 9) == [hasty[0]] * 9
    for part in built.parts:
        await part.close()


async def test_another_model_in_its_folder_is_refused(tmp_path: Path) -> None:
    save_page_reader(tmp_path / "paddleocr-vl", WORDS, kind="qwen2_vl")
    assert PADDLEOCR_VL.build is not None
    built = PADDLEOCR_VL.build(EngineConfig(weights_dir=tmp_path, device="cpu"))
    with pytest.raises(EngineUnavailable, match="holds no PaddleOCR-VL"):
        await read(built, page("openfaze"))
    for part in built.parts:
        await part.close()
