"""What the compose file of a GPU box tells vLLM, read by vLLM's own parser and by the picture processor of its models.

The build for CPUs that is installed for these tests may be of another version than the image, so that an argument that
only one of them knows would not show here.
"""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.extras.llm_servers.upstreams import vllms_python
from tests.kit.project.gpu_cards import AMPERE, HOPPER, TABLE, WITH_LLM, arguments_of

PHOTO = 4032, 3024
"""Width and height of a photo of 12 megapixels."""
MODELS_OWN = {"longest_edge": 16_777_216, "shortest_edge": 65_536}
"""What the processor of Qwen3.5 is published with."""

_PARSED = """
import json, sys
import numpy as np
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager
from vllm.utils.argparse_utils import FlexibleArgumentParser

own, width, height, *commands = sys.argv[1:]
photo = Image.fromarray(np.zeros((int(height), int(width), 3), np.uint8))
processor = Qwen2VLImageProcessorPil(patch_size=16, merge_size=2, temporal_patch_size=2, size=json.loads(own))
for command in commands:
    # As `vllm serve`, which the image is started with.
    parser = FlexibleArgumentParser()
    make_arg_parser(parser.add_subparsers(dest="subparser").add_parser("serve"))
    args = parser.parse_args(["serve", *json.loads(command)])
    args.model = args.model_tag or args.model
    validate_parsed_serve_args(args)
    assert args.tool_call_parser in ToolParserManager.list_registered(), args.tool_call_parser
    reasoning = args.reasoning_parser or None
    assert reasoning is None or reasoning in ReasoningParserManager.list_registered(), reasoning
    [grid] = processor(photo, **args.mm_processor_kwargs)["image_grid_thw"]
    said = dict(model=args.model, context=args.max_model_len, share=args.gpu_memory_utilization, reasoning=reasoning)
    print(json.dumps({**said, "tools": args.tool_call_parser, "tokens": int(np.prod(grid)) // 4}))
"""


def read_by_vllm(*commands: Sequence[str]) -> list[dict[str, Any]]:
    arguments = [json.dumps(MODELS_OWN), *map(str, PHOTO), *map(json.dumps, commands)]
    done = subprocess.run(
        [vllms_python(), "-c", _PARSED, *arguments], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_vllm_knows_what_the_compose_file_of_a_card_tells_it_and_a_photo_leaves_room_for_a_conversation() -> None:
    rows = [TABLE["card"][str(size)] for size in WITH_LLM]
    for capability in (AMPERE, HOPPER):
        read = read_by_vllm(*(arguments_of(size, capability) for size in WITH_LLM))
        models = [row.get("model_ampere", row["model"]) if capability == AMPERE else row["model"] for row in rows]
        assert [one["model"] for one in read] == [TABLE["model"][name]["repository"] for name in models]
    assert {one["reasoning"] for one in read} == {"qwen3"}
    tokens = [one["tokens"] for one in read]
    bounds = [row["picture"] for row in rows]
    assert all(0.9 * bound < count <= bound for count, bound in zip(tokens, bounds, strict=True)), tokens
    assert all(one["tokens"] <= one["context"] / 4 for one in read)
