"""Computes the server's fingerprint: a digest of everything that influences its answers. An answer stored under another
fingerprint is never returned."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path

import pydantic_core

from app.settings import Settings
from models.base import EngineUnavailable
from models.language.capability import LLM, OPENAI_SERVER, LlmSettings
from models.language.llm import LlmError
from models.runtime import LOOK_AGAIN_S, Runtime
from models.weights.files import WEIGHT_SETS

_MODEL_S = 1.0
"""A request waits at most this time, in seconds, for the LLM's server to list its model."""
_WITHOUT_INFLUENCE = frozenset(
    {"host", "port", "open", "api_keys", "keys_file", "log_level", "preload"}
    | {"metrics_port", "traces_url", "traces_content"}
    | {"weights_dir", "files_dir", "max_files_mb", "files_ttl_hours", "shutdown_grace_s"}
    | {"card_mb"}
    | {
        name
        for name in Settings.model_fields
        if name.startswith(("batch_", "cache", "default_", "prices", "response", "state"))
    }
)
"""Settings without influence on answers. Servers that share a cache share answers only if all other settings are
equal."""


def build_fingerprint(settings: Settings, runtime: Runtime) -> Callable[[], Awaitable[bytes]]:
    """Return a function that computes the server's fingerprint.

    The fingerprint covers the packages, the settings, the serving engines, their weights, and the model of an LLM's
    server.
    """
    packages = sorted(f"{one.name} {one.version}" for one in distributions())
    given = settings.model_dump_json(exclude=set(_WITHOUT_INFLUENCE))
    fixed = hashlib.sha256(pydantic_core.to_json([packages, given])).digest()
    unknown = f"unknown {secrets.token_hex(8)}"
    known: tuple[float, bytes] | None = None

    async def fingerprint() -> bytes:
        nonlocal known
        now = time.monotonic()
        if known is None or now - known[0] >= LOOK_AGAIN_S:
            await runtime.look()
            serving = [(one.capability, one.candidate and one.candidate.spec.name) for one in runtime.states()]
            weights = await asyncio.to_thread(_seen_weights, settings)
            model = await _model_behind(settings, runtime, unknown)
            known = now, hashlib.sha256(fixed + pydantic_core.to_json([serving, weights, model])).digest()
        return known[1]

    return fingerprint


def _seen_weights(settings: Settings) -> Sequence[object]:
    try:
        return list(_weights(settings))
    except OSError as error:  # an unreadable folder, or a file that was just deleted
        return [error.errno]


def _weights(settings: Settings) -> Iterator[tuple[str, object]]:
    """Yield the installed weights: openfaze's with their checksums, the operator's own with the sizes and modification
    times of their files."""
    for one in WEIGHT_SETS.values():
        if not one.missing(Path(settings.weights_dir)):
            yield one.name, [file.sha256 for file in one.files]
    for name in sorted(Settings.model_fields.keys() - _WITHOUT_INFLUENCE):
        if isinstance(path := getattr(settings, name), Path):
            stats = [file.stat() for file in [path, *sorted(path.rglob("*"))] if file.exists()]
            yield name, [(stat.st_size, stat.st_mtime_ns) for stat in stats]


async def _model_behind(settings: Settings, runtime: Runtime, unknown: str) -> object:
    """Return the identity of the model of the LLM's server. None if the LLM runs locally, or if the server does not
    report its model and a setting names it. If none does, return `unknown`, which differs between processes."""
    try:
        if runtime.choose(LLM.name) is not OPENAI_SERVER:
            return None
        await runtime.prepare(LLM.name)
        async with asyncio.timeout(_MODEL_S):
            return await runtime.use(LLM).identity()
    except EngineUnavailable:
        return None
    except (LlmError, TimeoutError):
        return unknown if settings.of(LlmSettings).llm_model is None else None
