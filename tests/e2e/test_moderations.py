"""POST /v1/moderations as OpenAI's SDK calls it, and as nobody should."""

import io
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import PIL.Image
import pytest

from tests import hostile
from tests.e2e.conftest import data_url
from tests.e2e.full_model import FullModel, Json, error_of, serving_full_model, text_part
from tests.e2e.guarded import BOMB, FRANCE, MURDER
from tests.image_guards import save_nsfw_vit
from tests.llm_server import Reply, serving_llm
from tests.office_files import document

PATH = "/v1/moderations"
CATEGORIES = 13


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    with serving_full_model() as model:
        yield model


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


def results_of(response: httpx.Response) -> list[Json]:
    assert response.status_code == 200, response.text
    body = response.json()
    assert list(body) == ["id", "model", "results"]
    assert body["id"].startswith("modr-")
    for result in body["results"]:
        assert list(result) == [
            "flagged",
            "categories",
            "category_scores",
            "category_applied_input_types",
            "codes",
            "code_scores",
        ]
        assert len(result["categories"]) == len(result["category_scores"]) == CATEGORIES
        assert all(0 <= score <= 1 for score in result["category_scores"].values())
    results: list[Json] = body["results"]
    return results


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


def test_each_of_several_strings_has_its_result_in_order(sdk: openai.OpenAI) -> None:
    texts = [FRANCE, MURDER, "", BOMB, FRANCE]
    results = sdk.moderations.create(input=texts).results
    assert [result.flagged for result in results] == [False, True, False, True, False]
    assert results[1].categories.violence
    assert results[3].categories.illicit_violent


def test_our_codes_are_beside_openais_categories(model: FullModel) -> None:
    [result] = results_of(model.client.post(PATH, json={"input": BOMB}))
    assert "S9" in result["codes"]
    assert list(result["code_scores"]) == [f"S{number}" for number in range(1, 15)]
    assert result["code_scores"]["S9"] > 0.9


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


@pytest.mark.parametrize(
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


def test_addresses_that_nobody_may_look_at_are_refused(seeing: FullModel) -> None:
    part = {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}}
    error_of(seeing.client.post(PATH, json={"input": [part]}), 400, "url_not_allowed")


def test_more_pictures_than_a_request_may_have_are_refused(seeing: FullModel) -> None:
    assert len(results_of(seeing.client.post(PATH, json={"input": [picture("blue")] * 3}))) == 1
    error = error_of(seeing.client.post(PATH, json={"input": [picture("blue")] * 4}), 400, "too_many_sources")
    assert "4 pictures; the limit is 3 (OPENFAZE_MAX_SOURCES)" in error["message"]


def test_two_hundred_and_fifty_six_strings_are_judged(model: FullModel) -> None:
    texts = [BOMB if number % 7 == 3 else f"Bread number {number}." for number in range(256)]
    results = results_of(model.client.post(PATH, json={"input": texts}))
    assert [result["flagged"] for result in results] == [text == BOMB for text in texts]


@pytest.mark.parametrize(
    "name", ["omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest", "text-moderation-stable"]
)
def test_openais_models_and_ours_are_known(model: FullModel, name: str) -> None:
    for asked in (name, "interfaze-beta", "auto"):
        assert model.client.post(PATH, json={"input": "Hm?", "model": asked}).json()["model"] == asked


def test_any_other_model_is_not(model: FullModel) -> None:
    error = error_of(model.client.post(PATH, json={"input": "Hm?", "model": "gpt-9"}), 404, "model_not_found")
    assert error["param"] == "model"


def test_without_an_engine_it_is_a_503() -> None:
    with serving_full_model(text_guard="off") as model:
        error = error_of(model.client.post(PATH, json={"input": "Hm?"}), 503, "engine_unavailable")
        assert "OPENFAZE_TEXT_GUARD=off" in error["message"]


def test_a_caller_who_hangs_up_takes_the_judging_along() -> None:
    with serving_llm([Reply(hang_before_first_byte=True)] * 9) as judge:
        told = {"text_guard": "llama-guard-server", "guard_model": "Llama-Guard-3-8B", "guard_base_url": judge.base_url}
        with serving_full_model(**told) as model:
            host, port = model.base_url.removeprefix("http://").split(":")
            body = b'{"input": ["one", "two", "three"]}'
            head = f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n"
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(head.encode() + body)
                judge.wait_for_requests(3)
            judge.wait_for_cancelled(3)


def test_what_was_judged_is_in_no_log(model: FullModel) -> None:
    results_of(model.client.post(PATH, json={"input": BOMB}))
    assert not any("pipe" in str(entry) for entry in model.log)
