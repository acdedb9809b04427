"""GET /health: is the process alive? GET /ready: do the engines that it promised run?"""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from app.calling import as_sent
from app.errors import retry_headers
from app.services import Services
from models.base import RETRY_S
from models.runtime import CapabilityState

router = APIRouter(tags=["health"])


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """200 while every engine's worker lives; 503 asks the platform for a restart."""
    services: Services = request.app.state.services
    alive = services.runtime.healthy
    if alive:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "failed"}, 503, retry_headers(None))


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """200 once the preloaded capabilities run, with the state of each capability."""
    services: Services = request.app.state.services
    waiting = not services.ready
    body = {
        "status": "loading" if waiting else "ready",
        "capabilities": {state.capability: _told(state) for state in services.runtime.states()},
    }
    return JSONResponse(body, 503, retry_headers(RETRY_S)) if waiting else JSONResponse(body)


def _told(state: CapabilityState) -> dict[str, object]:
    return {name: as_sent(told) if isinstance(told, str) else told for name, told in state.public.items()}
