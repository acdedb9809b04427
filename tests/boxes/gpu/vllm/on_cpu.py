"""The entrypoint of vLLM's container in the rehearsal: takes what docker/llm.yml tells vLLM, puts a small model in the
place of the card's and leaves out what only a card knows."""

import os
import sys

MODELS = "/models"
FOR_CARDS = ("--gpu-memory-utilization", "--kv-cache-memory-bytes", "--revision")
FOR_CPUS = (
    *("--dtype", "bfloat16", "--enforce-eager"),
    # A model that knows nothing would write white space until its tokens run out.
    *("--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}'),
)


def _on_cpu(told: list[str]) -> list[str]:
    options = iter(told)
    kept: list[str] = []
    for option in options:
        if option in FOR_CARDS:
            next(options)
        elif option == "--model":
            # Of these, Qwen3.8 thinks unless it is told not to.
            kept += [option, f"{MODELS}/{'thinking' if 'Qwen3.8' in next(options) else 'instruct'}"]
        else:
            kept.append(option)
    return kept


command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *_on_cpu(sys.argv[1:]), *FOR_CPUS]
print(*command, flush=True)
os.execv(command[0], command)
