"""llama.cpp's server inside this process, which no other user can reach.

xllamacpp starts llama.cpp's HTTP server together with the model. The server gets a Unix socket in a directory that only
this user can open, and a random key; it opens no port. Chats are direct calls and do not use the socket. The socket
serves requests for which there is no direct call (tokenizer, properties, slots).
"""

import http.client
import json
import re
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.devices.native import library_missing_from
from models.devices.signals import signal_handlers_kept
from models.language.llm import LlmNotSetUp

_TEMPLATE_MARKER = re.compile(r"<\|?/?[A-Za-z_][\w-]*\|?>|\[/?[A-Z_]{3,}\]")
_CONTROL_START = re.compile(r"<(?=\|)")

_BATCH_TOKENS = 128
"""A prompt is read in batches of this many tokens, and cancellation is checked in between. Larger batches would not be
faster on a CPU."""
_GPU_BATCH_TOKENS = 512
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    calls_tools: bool
    """True if the template shows tools to the model, and llama.cpp reads the model's calls."""
    can_think: bool
    """True if the template has a switch for reasoning before the answer."""
    markers: re.Pattern[str]
    """Pattern of the first character of every marker that would end a message or begin another."""

    @classmethod
    def of(cls, props: Mapping[str, Any]) -> "ChatTemplate":
        """Return the template that llama.cpp describes at `/props`."""
        text, caps = props["chat_template"], props["chat_template_caps"]
        markers = {*_TEMPLATE_MARKER.findall(text), props["bos_token"], props["eos_token"]} - {""}
        literal = "|".join(f"{re.escape(marker[0])}(?={re.escape(marker[1:])})" for marker in sorted(markers))
        return cls(
            calls_tools=caps["supports_tools"] and caps["supports_tool_calls"],
            can_think="enable_thinking" in text,
            markers=re.compile(f"{_CONTROL_START.pattern}|{literal}" if literal else _CONTROL_START.pattern),
        )

    def with_broken_markers(self, value: Any) -> Any:
        """Return `value` with a space inside each marker in its texts. Otherwise llama.cpp would take a marker such as
        `<|im_end|>` in a quoted document for a real one."""
        if isinstance(value, str):
            return self.markers.sub(lambda found: f"{found[0]} ", value)
        if isinstance(value, Mapping):
            return {key: self.with_broken_markers(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.with_broken_markers(item) for item in value]
        return value


@dataclass(frozen=True, slots=True)
class ServerOptions:
    context_tokens: int
    """Largest number of tokens of one call, prompt and answer together."""
    parallel: int
    threads: int
    n_gpu_layers: int
    """Number of layers on the GPU; -1 for all that fit, 0 for none."""
    chat_template: str | None
    """Template in Jinja; None for the model's own template."""


class LlamaServer:
    """A loaded model on llama.cpp. All calls block and release the GIL; chats may run side by side.

    Raises LlmNotSetUp when the model cannot be loaded.
    """

    def __init__(self, gguf: Path, options: ServerOptions) -> None:
        if not gguf.is_file():
            raise LlmNotSetUp(f"There is no model at {gguf}.")
        try:
            import xllamacpp
        except ImportError as error:
            remedy = library_missing_from(error) or "Install the package 'xllamacpp'."
            public = f"{LlmNotSetUp.public} {remedy}"
            raise LlmNotSetUp(f"The embedded LLM needs llama.cpp. {remedy}", public=public) from error
        self._key = secrets.token_urlsafe(32)
        self._directory = Path(tempfile.mkdtemp(prefix="openfaze-llm-"))
        self._socket = self._directory / "llama.sock"
        try:
            # llama.cpp installs its own handlers for these signals, which would then no longer stop the process.
            handlers = signal_handlers_kept(signal.SIGINT, signal.SIGTERM)
            with handlers:
                self._native: Any = xllamacpp.Server(self._params(xllamacpp, gguf, options))
            props = self._request("GET", "/props")
            # This request waits until llama.cpp's queue runs, because a server that is closed before that would never
            # end.
            self.busy_slots()
        except (RuntimeError, ValueError, OSError) as error:
            self.close()
            raise LlmNotSetUp(f"llama.cpp does not load {gguf.name}: {error}") from error
        self.template = ChatTemplate.of(props)
        self.context_tokens: int = props["default_generation_settings"]["n_ctx"]

    def chat(self, body: bytes, on_chunk: Callable[[bytes], bool]) -> None:
        """Pass every chunk of the streamed answer to `on_chunk` until this function returns True.

        Errors of the model are chunks, too. Raises ValueError for a body that is not a valid request.
        """
        self._native.handle_chat_completions(body, on_chunk)

    def count_tokens(self, text: str) -> int:
        """Number of tokens of `text`. Raises OSError once the server is closed."""
        return len(self._request("POST", "/tokenize", {"content": text, "parse_special": False})["tokens"])

    def busy_slots(self) -> int:
        return sum(slot["is_processing"] for slot in self._request("GET", "/slots"))

    def close(self) -> None:
        """Free the model. No chat may be under way."""
        self._native = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def _params(self, xllamacpp: Any, gguf: Path, options: ServerOptions) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path = str(gguf)
        params.hostnames = [str(self._socket)]
        params.api_keys = [self._key]
        params.endpoint_slots = True
        params.ui = False
        params.n_threads_http = 2
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
        # Without a GPU, fitting the model into memory is useless: llama.cpp would load the model twice to find out how
        # much fits, and does not consider main memory.
        params.fit_params = has_gpu
        # Nor are the processors slow at first. A model is opened under Python's lock, which all requests need.
        params.warmup = has_gpu
        params.n_batch = _GPU_BATCH_TOKENS if has_gpu else _BATCH_TOKENS
        params.n_gpu_layers = options.n_gpu_layers
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
        if options.chat_template is not None:
            params.chat_template = options.chat_template
        return params

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = _UnixConnection(self._socket)
        try:
            headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise OSError(f"llama.cpp answers {response.status} at {path}")
        return json.loads(answer)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
