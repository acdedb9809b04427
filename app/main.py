"""The application: routes, middleware, and the lifetime of the shared parts."""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator
from importlib.metadata import version
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route

from app.assembly.metric_sources import fill_from_batches
from app.assembly.services import Services
from app.batches.lines import LineRunner
from app.batches.runner import BatchRunner
from app.batches.store import BatchStore
from app.batches.webhook import build_webhook
from app.errors import ApiError, BadRequest, MethodNotAllowed, NotFound
from app.mcp.mount import MCP_PATH, Mount
from app.middleware import EXPOSED_HEADERS, PAGES, RequestScope, error_response
from app.monitoring.metrics import Routes
from app.routes import audio, batches, chat, embeddings, files, moderations, pages, responses, status
from app.routes.absent import instead_of
from app.routes.openapi import Api
from app.settings import Settings
from app.state.entries import sweep_for_ever
from app.telemetry import log_stray_exceptions
from app.wire.parse import reason_of
from models.concurrency import Threads

SWITCH_INTERVAL_S = 0.0001
"""A computing thread hands Python's lock to the event loop after this many seconds. With Python's default of 5 ms, a
short request would wait at each of its dozens of steps while another thread works on a text. Threads that compute
without pause are not slower with this value."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application. Raises ValueError for settings that cannot be used."""
    settings = settings or Settings()
    routers = [one.router for one in (chat, responses, embeddings, audio, moderations, files, batches, status, pages)]
    if settings.metrics_port is None:
        routers.append(status.metrics_router)
    mcp = Mount()
    routers.append(APIRouter(routes=[Route(MCP_PATH, mcp)]))
    services = Services(settings, Routes([route for router in routers for route in router.routes]))

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(Threads(thread_name_prefix="work"))
        log_stray_exceptions(loop)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        works = (
            services.watch_calls_for_ever(),
            services.report_devices(),
            services.preload(),
            services.loader.workers.start(),
            services.watch_servers_for_ever(),
            services.files.sweep_for_ever(),
            sweep_for_ever(services.expiring_stores),
            services.keys.follow_file(),
            services.admission_control.maintain_for_ever(),
            runner.run_for_ever(),
        )
        tasks = [asyncio.create_task(work) for work in works]
        # What the start has made stays. The garbage collector need not look through it again and again.
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await mcp.close()
            await services.close()

    app = Api(
        title="openfaze",
        version=version("openfaze"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # The framework's redirect would lead to whatever host and scheme the request names.
        redirect_slashes=False,
    )
    runner = BatchRunner(
        BatchStore(services.database),
        services.files,
        services.keys,
        LineRunner(app, settings.batch_lines_at_once),
        build_webhook(settings, services.fetcher),
    )
    fill_from_batches(services.metrics, runner.outcomes, runner.faults)
    app.state.services = services
    app.state.batches = runner
    app.add_middleware(RequestScope, services=services)
    if settings.cors_origins:
        # This middleware is the outermost one, because a browser's preflight request has no key.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=EXPOSED_HEADERS,
            # Of a listed origin, a public page may call a private address.
            allow_private_network=True,
        )
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    for router in routers:
        # The routes are added directly, because an included router would be searched a second time for each request.
        app.router.routes.extend(router.routes)
    return app


async def _http_exception(request: Request, error: Exception) -> Response:
    """Answer an error that the router raises: an unknown route, or a method that the route does not have."""
    assert isinstance(error, HTTPException)
    path: str = request.scope["path"]
    route = f"{request.method} {path}"
    public: ApiError
    match error.status_code:
        case 404 if path.endswith("/") and path[:-1] in PAGES:
            query = request.scope["query_string"].decode("latin-1")
            return RedirectResponse(quote(path[:-1]) + (f"?{query}" if query else ""))
        case 404:
            public = NotFound(f"Unknown route: {route}{_suggest_route(request)}")
        case 405 if (replacement := instead_of(path)) is not None:
            public = NotFound(f"Unknown route: {route}: {replacement}.")
        case 405:
            public = MethodNotAllowed(f"Method not allowed: {route}")
        case _:
            public = BadRequest("The request could not be read.")
    response = error_response(public, request.state.request_id)
    response.headers.update(error.headers or {})
    return response


def _suggest_route(request: Request) -> str:
    """Return a hint for an unknown route: the route that a corrected `base_url` would reach, or the replacement of an
    OpenAI route."""
    names = [name for name in request.scope["path"].split("/") if name]
    while names and names[0] in ("api", "v1"):
        del names[0]
    corrected = "/".join(["/v1", *names])
    if _is_served(request, corrected):
        return f". Did you mean {request.method} {corrected}? An SDK's base_url ends in /v1."
    replacement = instead_of(request.scope["path"]) or instead_of(corrected)
    return "" if replacement is None else f": {replacement}."


def _is_served(request: Request, path: str) -> bool:
    """True if there is a route of `path` for the request's method."""
    scope = {"type": "http", "path": path, "method": request.method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problem = error.errors()[0]
    where, *path = problem["loc"]
    param = ".".join(map(str, path)) or str(where)
    public = BadRequest(f"Field '{param}': {reason_of(problem)}", param=param)
    return error_response(public, request.state.request_id)
