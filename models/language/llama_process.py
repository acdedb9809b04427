"""The process of the embedded LLM: llama.cpp's own HTTP server, on loopback and with a random key.

    python -m models.language.llama_process

It reads its options as a line of JSON (`ServerOptions`), and answers with a line of JSON: the address and the abilities
of the model, or the error and whether a library is missing. It ends when its standard input does, and thus with the
process that started it.
"""

import http.client
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from models.devices.native import library_missing_from, provide_openmp

_BATCH_TOKENS = 128
"""A prompt is read in batches of this many tokens, and cancellation is checked in between. Larger batches would not be
faster on a CPU."""
_GPU_BATCH_TOKENS = 512
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class ServerOptions:
    gguf: str
    key: str
    context_tokens: int
    """Largest number of tokens of one call, prompt and answer together."""
    max_tokens: int
    """Number of tokens after which an answer ends whose call sets no limit."""
    parallel: int
    threads: int
    n_gpu_layers: int
    """Number of layers on the GPU; -1 for all that fit, 0 for none."""

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> None:
    # llama.cpp and its libraries may write to standard output, which the answer needs for itself.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    options = ServerOptions(**json.loads(sys.stdin.readline()))
    answer, server = _started(options)
    print(json.dumps(answer), file=answers, flush=True)
    if server is not None:
        sys.stdin.read()
    # Nothing is written, so that nothing has to be finished: the server would wait for its callers.
    os._exit(0)


def _started(options: ServerOptions) -> tuple[dict[str, Any], object]:
    try:
        provide_openmp()
        import xllamacpp

        server = xllamacpp.Server(_params(xllamacpp, options))
        address = server.listening_address
        properties = _properties(address, options.key)
    except ImportError as error:
        remedy = library_missing_from(error) or "Install the package 'xllamacpp'."
        return {"error": f"The embedded LLM needs llama.cpp. {remedy}", "remedy": remedy}, None
    except (RuntimeError, ValueError, OSError) as error:
        return {"error": f"llama.cpp does not load {Path(options.gguf).name}: {error}"}, None
    capabilities = properties["chat_template_caps"]
    calls_tools = capabilities["supports_tools"] and capabilities["supports_tool_calls"]
    context_tokens = properties["default_generation_settings"]["n_ctx"]
    return {"address": address, "calls_tools": calls_tools, "context_tokens": context_tokens}, server


def _params(xllamacpp: Any, options: ServerOptions) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = options.gguf
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [options.key]
    params.ui = False
    params.verbosity = 0
    params.n_parallel = options.parallel
    params.n_ctx = options.context_tokens * options.parallel
    # Each call has its own share of the context, so that one long call cannot starve the others.
    params.kv_unified = False
    # Otherwise, up to 8 GiB of other callers' prompts would stay in memory.
    params.cache_ram_mib = 0
    has_gpu = options.n_gpu_layers != 0 and any(
        device["type"] != xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
        for device in xllamacpp.get_device_info()
    )
    # Without a GPU, fitting the model into memory is useless: llama.cpp would load the model twice to find out how much
    # fits, and does not consider main memory.
    params.fit_params = has_gpu
    params.warmup = has_gpu
    params.n_batch = _GPU_BATCH_TOKENS if has_gpu else _BATCH_TOKENS
    params.n_gpu_layers = options.n_gpu_layers
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.n_predict = options.max_tokens
    # The temperature and `top_p` are from SmolLM2's model card; the penalty is openfaze's own. At OpenAI's default
    # temperature of 1, a small model loses its subject and repeats itself until its context is full.
    params.sampling.temp, params.sampling.top_p, params.sampling.penalty_repeat = 0.2, 0.9, 1.1
    return params


def _properties(address: str, key: str) -> dict[str, Any]:
    """Return what llama.cpp says of the model. This waits until it answers calls."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_TIMEOUT_S)
    connection.request("GET", "/props", headers={"authorization": f"Bearer {key}"})
    response = connection.getresponse()
    found: dict[str, Any] = json.loads(response.read())
    connection.close()
    if response.status != http.client.OK:
        raise OSError(f"it answers {response.status} at /props")
    return found


if __name__ == "__main__":
    main()
