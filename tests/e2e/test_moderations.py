"""POST /v1/moderations as OpenAI's SDK calls it, and as nobody should."""

import io
from collections.abc import Iterator
from typing import Any

import openai
import PIL.Image
import pytest

from tests.conftest import each_case
from tests.e2e.conftest import data_url
from tests.e2e.full_model import FullModel, error_of, serving_full_model, text_part
from tests.e2e.guarded import BOMB, FRANCE
from tests.kit.engines.image_guards import save_nsfw_vit
from tests.kit.papers import hostile
from tests.kit.papers.office_files import document

PATH = "/v1/moderations"


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    """To its guard of pictures red is not safe for work."""
    weights = tmp_path_factory.mktemp("weights")
    save_nsfw_vit(weights / "nsfw-vit", red=4)
    with serving_full_model(image_guard="nsfw-vit", weights_dir=str(weights), max_sources=3) as model:
        yield model


@pytest.fixture(scope="module")
def sdk(model: FullModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{model.base_url}/v1", api_key="none", max_retries=0) as client:
        yield client


def picture(colour: str) -> Any:
    file = io.BytesIO()
    PIL.Image.new("RGB", (80, 60), colour).save(file, "PNG")
    return {"type": "image_url", "image_url": {"url": data_url(file.getvalue())}}


def test_the_openai_sdk_moderates_a_string(sdk: openai.OpenAI) -> None:
    answer = sdk.moderations.create(input=BOMB, model="omni-moderation-latest")
    assert answer.model == "omni-moderation-latest"
    [result] = answer.results
    assert result.flagged
    assert result.categories.illicit_violent
    assert not result.categories.self_harm
    assert result.category_scores.illicit_violent > 0.9
    assert result.category_applied_input_types.illicit_violent == ["text"]
    [result] = sdk.moderations.create(input=FRANCE).results
    assert not result.flagged
    assert not any(result.categories.model_dump().values())


def test_a_picture_needs_an_engine_that_judges_pictures(sdk: openai.OpenAI) -> None:
    parts: Any = [text_part(FRANCE), picture("red")]
    with pytest.raises(openai.InternalServerError) as failure:
        sdk.moderations.create(input=parts)
    assert failure.value.status_code == 503
    assert failure.value.code == "engine_unavailable"
    assert "'image_guard'" in failure.value.message


def test_a_picture_is_judged_with_the_texts_beside_it(seeing: FullModel) -> None:
    with openai.OpenAI(base_url=f"{seeing.base_url}/v1", api_key="none", max_retries=0) as client:
        parts: Any = [text_part(FRANCE), picture("red")]
        [result] = client.moderations.create(input=parts).results
        assert result.flagged
        assert result.categories.sexual
        assert result.category_applied_input_types.sexual == ["text", "image"]
        [result] = client.moderations.create(input=[picture("blue")]).results
        assert not result.flagged
        assert result.category_applied_input_types.sexual == ["image"]
        assert result.category_applied_input_types.hate == []


@each_case(
    ("data", "code"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "invalid_request"),
        (b"", "invalid_request"),
        (b"GIF89a" + bytes(32), "unsupported_media_type"),
        (b"Only words", "invalid_request"),
        (document(lambda word: word.add_paragraph("Only words")), "unsupported_media_type"),
        (hostile.wav(), "unsupported_media_type"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_and_never_called_harmless(
    seeing: FullModel, data: bytes, code: str
) -> None:
    broken = {"type": "image_url", "image_url": {"url": data_url(data)}}
    for parts in ([broken], [picture("blue"), broken]):
        response = seeing.client.post(PATH, json={"input": parts})
        error = error_of(response, 400, code)
        assert error["param"] == f"input[{len(parts) - 1}].image_url"


def test_without_an_engine_it_is_a_503() -> None:
    with serving_full_model(text_guard="off") as model:
        error = error_of(model.client.post(PATH, json={"input": "Hm?"}), 503, "engine_unavailable")
        assert "OPENFAZE_TEXT_GUARD=off" in error["message"]
