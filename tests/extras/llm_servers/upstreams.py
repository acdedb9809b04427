"""Real LLM servers on loopback, each in a process of its own, with models that a CPU can run.

llama.cpp's server comes inside xllamacpp, and SmolLM2-135M in a package. vLLM has an environment of its own, and two
layers of random weights beside SmolLM2's tokenizer: what it says means nothing, how it says it is vLLM's.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from models.language.capability import embedded_gguf
from tests.kit.servers.server import free_port

ENVIRONMENT = Path(__file__).resolve().parents[3] / ".venv-llm-servers"
CONTEXT_TOKENS = 2048
MODEL = "small"
TOOLS_TEMPLATE = """\
{%- if tools %}<|im_start|>system
You may call these functions:
<tools>{% for tool in tools %}{{ tool | tojson }}{% endfor %}</tools>
A call is JSON: <tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content or '' }}{% for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

_LLAMA_CPP = """
import signal, sys, xllamacpp
gguf, alias, port, context = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path, params.model_alias = gguf, {alias}
params.hostnames, params.port = ["127.0.0.1"], int(port)
params.n_ctx, params.n_parallel, params.n_gpu_layers = int(context), 1, 0
params.endpoint_slots, params.ui, params.fit_params = True, False, False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
signal.pause()
"""
_TINY_MODEL = """
import sys, torch
from pathlib import Path
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
gguf, template, folder, context = Path(sys.argv[1]), *sys.argv[2:]
tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
tokenizer.chat_template = template
tokenizer.save_pretrained(folder)
torch.manual_seed(0)
ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
shape = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2)
config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=int(context), **shape, **ids)
LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
"""


@dataclass(frozen=True)
class Upstream:
    kind: str
    base_url: str
    process: "subprocess.Popen[bytes]"

    @property
    def calls_tools(self) -> bool:
        """llama.cpp drops tools that the model's template does not know, and says nothing."""
        return self.kind == "vLLM"

    @property
    def checks_models(self) -> bool:
        """llama.cpp has one model, and answers with it whatever it is asked for."""
        return self.kind == "vLLM"

    def busy(self) -> int:
        """The answers that it works on, by its own count."""
        if self.kind == "vLLM":
            metrics = httpx.get(f"{self.base_url}/metrics", trust_env=False).text
            return sum(int(float(n)) for n in re.findall(r"^vllm:num_requests_running\{.*\} (\S+)$", metrics, re.M))
        slots = httpx.get(f"{self.base_url}/slots", trust_env=False).json()
        return sum(slot["is_processing"] for slot in slots)

    def wait_until_idle(self, within_s: float = 60) -> None:
        deadline = time.monotonic() + within_s
        while self.busy():
            assert time.monotonic() < deadline, "the answer goes on although nobody hears it"
            time.sleep(0.05)

    def kill(self) -> None:
        """With all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


@contextlib.contextmanager
def serving_upstream(kind: str, folder: Path) -> Iterator[Upstream]:
    """`llama.cpp` or `vLLM`, until the block ends."""
    port = free_port()
    command, variables, limit_s = (_vllm if kind == "vLLM" else _llama_cpp)(folder, port)
    log = folder / "upstream.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **variables}, stdout=output, stderr=output, start_new_session=True
        )
        upstream = Upstream(kind, f"http://127.0.0.1:{port}", process)
        try:
            _wait_until_up(upstream, log, limit_s)
            yield upstream
        finally:
            upstream.kill()


def vllms_python() -> str:
    """Skips the test where there is none."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        pytest.skip(f"needs vLLM: `make {ENVIRONMENT.name}/.torchvision` installs it")
    return str(python)


def _llama_cpp(_folder: Path, port: int) -> tuple[Sequence[str], dict[str, str], float]:
    program = [sys.executable, "-c", _LLAMA_CPP, str(embedded_gguf()), MODEL, str(port), str(CONTEXT_TOKENS)]
    return program, {}, 60


def _vllm(folder: Path, port: int) -> tuple[Sequence[str], dict[str, str], float]:
    python = vllms_python()
    made = [python, "-c", _TINY_MODEL, str(embedded_gguf()), TOOLS_TEMPLATE, str(folder / "model")]
    subprocess.run([*made, str(CONTEXT_TOKENS)], check=True, capture_output=True, timeout=300)
    options = {
        "model": folder / "model",
        "served-model-name": MODEL,
        "host": "127.0.0.1",
        "port": port,
        "max-model-len": CONTEXT_TOKENS,
        "max-num-seqs": 4,
        "tool-call-parser": "hermes",
        "dtype": "bfloat16",
        # Random weights would write white space until their tokens run out.
        "structured-outputs-config": '{"backend": "xgrammar", "disable_any_whitespace": true}',
    }
    told = [f"--{name}={value}" for name, value in options.items()]
    # Its command line asks for the package `vllm`, which the build for CPUs is not called.
    module = [python, "-m", "vllm.entrypoints.openai.api_server"]
    variables = {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "OMP_NUM_THREADS": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
        # The tags around calls allow any white space, of which random weights make no end; a schema does not.
        "VLLM_ENFORCE_STRICT_TOOL_CALLING": "0",
    }
    return [*module, *told, "--enable-auto-tool-choice", "--enforce-eager"], variables, 500


def _wait_until_up(upstream: Upstream, log: Path, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline and upstream.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if client.get(f"{upstream.base_url}/health").status_code == 200:
                    return
            time.sleep(0.1)
    raise RuntimeError(f"{upstream.kind} did not come up:\n{log.read_text()[-5000:]}")
