"""State of the server, for clients and for operators.

GET /v1/models lists the names of models. GET /health checks that no engine's worker has died, and GET /ready that the
preloaded engines run. GET /metrics has counters and gauges for Prometheus.
"""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from app.assembly.services import Services
from app.errors import retry_headers
from app.monitoring import metrics
from app.runnable_commands import adapt_for_client
from app.wire.model_names import ALL, LISTED, MODEL, ModelType, model_type
from app.wire.parse import check_model
from app.wire.response import Architecture, Model, ModelList
from models.base import RETRY_S
from models.runtime import CapabilityState

STARTED = int(time.time())
MODALITIES: dict[ModelType, tuple[list[str], list[str]]] = {
    "chat": (["text", "image", "file", "audio", "video"], ["text"]),
    "embedding": (["text"], ["embeddings"]),
    "transcription": (["audio"], ["transcription"]),
    "moderation": (["text", "image"], ["moderation"]),
}
"""Modalities that each type of model takes, and those that it answers with."""

router = APIRouter()
metrics_router = APIRouter()
"""Route of the metrics, absent if OPENFAZE_METRICS_PORT serves them on another port."""


@router.get("/v1/models", tags=["models"])
async def list_models() -> ModelList:
    """The two models: one for chat, responses and tasks, one for embeddings."""
    return ModelList(data=[_describe_model(name) for name in LISTED])


@router.get("/v1/models/{model}", tags=["models"])
async def get_model(model: Annotated[str, Path(examples=[MODEL])]) -> Model:
    """A model by its name or an alias; 404 for any other name."""
    check_model(model, None, *ALL)
    return _describe_model(model)


@router.get("/health", tags=["health"])
async def health(request: Request) -> JSONResponse:
    """200 while every engine's worker lives; 503 asks the platform for a restart."""
    services: Services = request.app.state.services
    alive = services.runtime.healthy
    if alive:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "failed"}, 503, retry_headers(None))


@router.get("/ready", tags=["health"])
async def ready(request: Request) -> JSONResponse:
    """200 once the preloaded capabilities run, with the state of each capability; 503 again as soon as the server is
    told to stop."""
    services: Services = request.app.state.services
    await services.runtime.look()
    waiting = not services.ready or services.is_stopping
    body = {
        "status": "stopping" if services.is_stopping else "loading" if waiting else "ready",
        "capabilities": {state.capability: _describe_state(state) for state in services.runtime.states()},
    }
    return JSONResponse(body, 503, retry_headers(RETRY_S)) if waiting else JSONResponse(body)


@metrics_router.get(
    metrics.PATH,
    tags=["metrics"],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def get_metrics(request: Request) -> Response:
    """Metrics in Prometheus' text format."""
    services: Services = request.app.state.services
    content = await services.metrics.text()
    return Response(content, headers={"content-type": metrics.CONTENT_TYPE})


def _describe_model(name: str) -> Model:
    kind = model_type(name)
    inputs, outputs = MODALITIES[kind]
    architecture = Architecture(input_modalities=inputs, output_modalities=outputs)
    return Model(id=name, created=STARTED, type=kind, architecture=architecture)


def _describe_state(state: CapabilityState) -> dict[str, object]:
    return {name: adapt_for_client(value) if isinstance(value, str) else value for name, value in state.public.items()}
