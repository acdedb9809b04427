"""POST /v1/embeddings: vectors for texts, with OpenAI's fields."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, Field, Tag
from pydantic_core import PydanticCustomError, to_json
from starlette.responses import Response

from app.access.admission import Admission
from app.access.key_file import EMBEDDINGS
from app.assembly.services import Services
from app.errors import PayloadTooLarge, took_too_long
from app.http.request import read_body, until_disconnect
from app.monitoring.metrics import Stages
from app.routes.openapi import DirectRoute, json_body
from app.wire.model_names import EMBEDDING_ALIASES, EMBEDDING_MODEL
from app.wire.parse import check_model, parse_off_loop
from app.wire.request import FAIL_FAST, RequestModel, by_json_type
from models.embedding.capability import EMBEDDING
from models.embedding.embedder import DIMENSIONS
from models.embedding.passages import QUERY, Passage, Role
from models.language.llm import estimate_tokens

MAX_INPUT_CHARS = 1_000_000
"""The texts of one request have at most this many characters together."""
MAX_TEXTS = 2048
"""A request has at most this many texts, as with OpenAI."""
T = TypeVar("T")
_EXAMPLES = {
    "Embed a text": {"model": EMBEDDING_MODEL, "input": "How do I bake bread?"},
    "Embed texts, as 64 numbers each": {
        "model": EMBEDDING_MODEL,
        "input": ["How do I bake bread?", "Bread is baked in an oven."],
        "dimensions": 64,
    },
}


def _refuse_tokens(value: Any) -> Any:
    if isinstance(value, int | list):
        raise PydanticCustomError(
            "tokens",
            "Input should be text, not tokens, which belong to another model: send strings "
            "(LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False))",
        )
    return value


Text = Annotated[str, Field(min_length=1), BeforeValidator(_refuse_tokens)]


class EmbeddingRequest(RequestModel):
    input: Annotated[
        Annotated[str, Field(min_length=1), Tag("·string")]
        | Annotated[list[Text], FAIL_FAST, Field(min_length=1, max_length=MAX_TEXTS), Tag("·list")],
        by_json_type("a string or a list of strings"),
    ]
    model: str
    encoding_format: Literal["float", "base64"] | None = None
    """`base64`: the numbers as float32, the lowest byte first."""
    dimensions: int | None = Field(default=None, ge=1, le=DIMENSIONS)
    """Number of leading elements that are returned of each vector; the shortened vectors also have length 1."""
    input_type: Role = QUERY
    """`passage` for texts that queries are to find; some engines distinguish the two roles."""

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class Embedding(BaseModel):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class EmbeddingList(BaseModel):
    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


router = APIRouter(prefix="/v1/embeddings", tags=["embeddings"], route_class=DirectRoute)


@router.post("", response_model=EmbeddingList, openapi_extra=json_body(EmbeddingRequest, _EXAMPLES))
async def embed(request: Request) -> Response:
    """Returns a vector for each text: texts with similar meanings have vectors that are near each other. A text that is
    too long for the engine is read in parts, whose vectors are averaged."""
    services: Services = request.app.state.services
    stages: Stages = request.state.stages
    stages.task = EMBEDDINGS
    wanted = await parse_off_loop(EmbeddingRequest, await read_body(request, services.max_request_bytes))
    request.state.log = {"model": wanted.model, "stages": stages.milliseconds}
    stages.done("read")
    embedding = _embed(services, wanted, request.state.admission, stages.seconds)
    content, tokens = await until_disconnect(request.receive, embedding)
    stages.input_tokens += tokens
    stages.done("embed")
    return Response(content, headers={"server-timing": stages.header}, media_type="application/json")


async def _embed(
    services: Services, wanted: EmbeddingRequest, admission: Admission, spent_s: float
) -> tuple[bytes, int]:
    """Admit and answer a request that arrived `spent_s` seconds ago. Return the JSON and the number of tokens. Raises
    what the route raises."""
    check_model(wanted.model, "model", EMBEDDING_MODEL, *EMBEDDING_ALIASES)
    texts, seconds = wanted.texts, services.settings.request_timeout_s
    chars = sum(map(len, texts))
    if chars > MAX_INPUT_CHARS:
        raise PayloadTooLarge(f"Field 'input': {chars} characters; the limit is {MAX_INPUT_CHARS}", param="input")
    estimate = await asyncio.to_thread(estimate_tokens, *texts) if admission.is_limited else 0
    # The exact number of tokens is known only later.
    await admission.reserve(EMBEDDINGS, estimate)
    try:
        async with asyncio.timeout(seconds - spent_s) as limit:
            await services.runtime.prepare(EMBEDDING.name)
            embedder = services.runtime.use(EMBEDDING)
            passages = await asyncio.to_thread(embedder.passages, texts, wanted.input_type)
            rows = await embedder.embed_passages([one for each in passages for one in each])
            frame = embedder.frame(wanted.input_type)
            content, tokens = await asyncio.to_thread(_encode_response, wanted, passages, rows, frame)
    except TimeoutError:
        if not limit.expired():
            raise
        raise took_too_long(seconds) from None
    await admission.settle(tokens)
    return content, tokens


def _encode_response(
    wanted: EmbeddingRequest, passages: Sequence[Sequence[Passage]], rows: NDArray[np.float32], frame: int
) -> tuple[bytes, int]:
    """Return the response and its number of tokens. The response is encoded text by text, because the vectors of
    thousands of texts have a million numbers, and other threads run in between."""
    data: list[bytes] = []
    position = 0
    for index, each in enumerate(passages):
        vector = _mean_vector(each, rows[position : position + len(each)], frame, wanted.dimensions)
        position += len(each)
        data.append(b'{"object":"embedding","index":%d,"embedding":%b}' % (index, _encode_vector(vector, wanted)))
    tokens = sum(len(passage) for each in passages for passage in each)
    usage = EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens)
    empty = to_json(EmbeddingList(data=[], model=wanted.model, usage=usage))
    content = empty.replace(b'"data":[]', b'"data":[%b]' % b",".join(data), 1)
    return content, tokens


def _mean_vector(
    passages: Sequence[Passage], rows: NDArray[np.float32], frame: int, dimensions: int | None
) -> NDArray[np.float32]:
    """Return the mean of the passages' `rows`, scaled to length 1.

    The weight of a row is the number of its passage's tokens minus `frame`, the number of tokens that each passage has
    in addition to its text. A weight is at least 1.
    """
    vector: NDArray[np.float32] = rows[0]
    if len(passages) == 1 and dimensions is None:
        return vector
    weights = np.array([max(1, len(passage) - frame) for passage in passages], np.float32)
    vector = (weights @ rows)[:dimensions]
    # A zero vector has no direction.
    vector /= np.linalg.norm(vector) or 1
    return vector


def _encode_vector(vector: NDArray[np.float32], wanted: EmbeddingRequest) -> bytes:
    """Return the vector as JSON."""
    if wanted.encoding_format == "base64":
        return b'"%b"' % base64.b64encode(vector.astype("<f4", copy=False).tobytes())
    return to_json(vector.tolist(), inf_nan_mode="null")
