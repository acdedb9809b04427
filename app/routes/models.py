"""GET /v1/models: the names a client may ask for."""

import time
from typing import Annotated

from fastapi import APIRouter, Path

from app.errors import NotFound
from app.wire.response import Model, ModelList

MODEL = "interfaze-beta"
ALIASES = ("interfaze-1", "interfaze-1-lite", "interfaze", "auto")
STARTED = int(time.time())
_SHOWN = 80
"""Characters of an unknown name that a message repeats."""

router = APIRouter(prefix="/v1/models", tags=["models"])


def check_model(name: str, param: str | None = None) -> None:
    """Raises NotFound for a name that is neither the model's nor an alias."""
    if name != MODEL and name not in ALIASES:
        shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
        raise NotFound(f"The model '{shown}' does not exist. Available: {MODEL}", code="model_not_found", param=param)


@router.get("")
async def list_models() -> ModelList:
    return ModelList(data=[Model(id=MODEL, created=STARTED)])


@router.get("/{model}")
async def get_model(model: Annotated[str, Path(examples=[MODEL])]) -> Model:
    check_model(model)
    return Model(id=model, created=STARTED)
