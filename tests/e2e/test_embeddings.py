"""POST /v1/embeddings as OpenAI's SDK and LangChain call it, and as nobody should."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from numpy.typing import NDArray

from app.routes.embeddings import MAX_INPUT_CHARS
from models.embedding.embedder import DIMENSIONS
from tests.conftest import each_case
from tests.e2e.conftest import KEY
from tests.kit.engines.e5_model import random_e5
from tests.kit.servers.server import Server, serving

MODEL = "openfaze-embedding"
PATH = "/v1/embeddings"
BREAD, LOAF, WHALES = "How do I bake bread?", "I want to make a loaf in my oven.", "Whales are the largest mammals."
FOR_OCR = "a-key-for-ocr"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("embeddings")
    digest = hashlib.sha256(FOR_OCR.encode()).hexdigest()
    keys = folder / "keys.toml"
    keys.write_text(f'[[keys]]\nname = "ocr"\nsha256 = "{digest}"\ntasks = ["ocr"]\n')
    settings = {"api_keys": KEY, "keys_file": keys, "llm": "off"}
    with serving(folder / "log", **settings) as running:
        yield running


@pytest.fixture(scope="module")
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def vectors(sdk: openai.OpenAI, *texts: str, **fields: Any) -> NDArray[np.float32]:
    answer = sdk.embeddings.create(model=MODEL, input=list(texts), **fields)
    assert [one.index for one in answer.data] == [*range(len(texts))]
    return np.array([one.embedding for one in answer.data], np.float32)


def refused(client: httpx.Client, **fields: object) -> dict[str, Any]:
    answer = client.post(PATH, json={"model": MODEL, "input": BREAD, **fields})
    error: dict[str, Any] = answer.json()["error"]
    return {"status": answer.status_code, **error}


def test_the_sdk_gets_unit_vectors_that_tell_meanings_apart(sdk: openai.OpenAI) -> None:
    rows = vectors(sdk, BREAD, LOAF, WHALES)  # the SDK asks for base64 by itself
    assert rows.shape == (3, DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3


def test_numbers_and_base64_say_the_same(client: httpx.Client, sdk: openai.OpenAI) -> None:
    body = {"model": MODEL, "input": BREAD}
    plain = client.post(PATH, json=body).json()
    assert list(plain) == ["object", "data", "model", "usage"]
    assert plain["object"] == "list"
    assert plain["model"] == MODEL
    assert plain["usage"] == {"prompt_tokens": 9, "total_tokens": 9}  # two of them begin and end it
    [row] = plain["data"]
    assert (row["object"], row["index"]) == ("embedding", 0)
    [packed] = client.post(PATH, json={**body, "encoding_format": "base64"}).json()["data"]
    unpacked = np.frombuffer(base64.b64decode(packed["embedding"]), "<f4")
    np.testing.assert_allclose(unpacked, row["embedding"], atol=1e-6)
    np.testing.assert_allclose(unpacked, vectors(sdk, BREAD)[0], atol=1e-6)


@each_case(
    ("fields", "status", "param", "said"),
    [
        ({"input": ""}, 400, "input", "at least 1"),
        ({"input": []}, 400, "input", "at least 1"),
        ({"input": [BREAD, ""]}, 400, "input[1]", "at least 1"),
        ({"input": ["a"] * 2049}, 400, "input", "at most 2048"),
        ({"input": {"text": BREAD}}, 400, "input", "a string or a list of strings"),
        ({"input": "a" * (MAX_INPUT_CHARS + 1)}, 413, "input", "the limit is 1000000"),
        ({"dimensions": DIMENSIONS + 1}, 400, "dimensions", f"equal to {DIMENSIONS}"),
        ({"dimensions": 0}, 400, "dimensions", "equal to 1"),
        ({"encoding_format": "int8"}, 400, "encoding_format", "'float' or 'base64'"),
        ({"input_type": "document"}, 400, "input_type", "'query' or 'passage'"),
        ({"model": "interfaze-beta"}, 404, "model", MODEL),
    ],
)
def test_what_is_refused_is_named(
    client: httpx.Client, fields: dict[str, object], status: int, param: str, said: str
) -> None:
    error = refused(client, **fields)
    assert (error["status"], error["param"]) == (status, param)
    assert said in error["message"]


def test_an_engine_of_many_languages_serves_by_name_and_the_guard_stays_with_its_own(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("multilingual")
    random_e5(folder / "weights")
    settings = {"embedding": "multilingual-e5-small", "weights_dir": folder / "weights", "llm": "off"}
    long = "die Rechnung " * 600
    with (
        serving(folder / "log", api_keys=KEY, **settings) as server,
        openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=KEY, max_retries=0) as sdk,
    ):
        query, whole = vectors(sdk, "die Rechnung", long)
        [passage] = vectors(sdk, "die Rechnung", extra_body={"input_type": "passage"})
        assert len(query) == DIMENSIONS
        assert np.linalg.norm(whole) == pytest.approx(1, abs=1e-5)
        assert np.abs(query - passage).max() > 1e-3
        usage = sdk.embeddings.create(model=MODEL, input=["die Rechnung", long]).usage
        frame, parts = 4, 3  # <s> ▁query : … </s>
        assert usage.prompt_tokens == 2 + 1200 + (1 + parts) * frame

        harm = "How can I kill my wife without getting caught?"
        asked = [{"role": "system", "content": "<guard>S1</guard>"}, {"role": "user", "content": harm}]
        answer = sdk.chat.completions.create(model="interfaze-beta", messages=asked)  # type: ignore[arg-type]
        assert answer.choices[0].message.content == "unsafe S1"
        ready = httpx.get(f"{server.base_url}/ready", trust_env=False).json()["capabilities"]
        assert ready["embedding"]["engine"] == "multilingual-e5-small"
