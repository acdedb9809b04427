"""Makes the small model of the rehearsal, in the environment of vLLM: `small_model.py GGUF FOLDER instruct|thinking`.

Its shape and its processor are those of Qwen3-VL, with a picture encoder of random weights. Its layers add nothing, so
that the next token follows from the last one alone: an answer is "It works.", and so is what JSON has between quotes,
where its grammar leaves that open; a thought, before an answer, is "Let me see"; JSON ends as soon as its grammar lets
it. Of the kind `thinking`, the chat template has it think unless `enable_thinking` is false.
"""

import sys
from itertools import pairwise
from pathlib import Path

import torch
from transformers import AutoTokenizer, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

MARKS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
WORDS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
"""Tokens that are text all the same, as Qwen has them: vLLM's parsers look for them there."""
THOUGHT = ("\n", "Let", " me", " see", "</think>", "\n\n")
SAID = ("It", " works", ".", "<|im_end|>")
WIDTH, HEAD = 64, 32
_QUOTE, _OTHER = WIDTH - 2, WIDTH - 1
"""The coordinates of tokens that end in a quotation mark, and of all that are not in an answer."""
_PICTURE = {"longest_edge": 16_777_216, "shortest_edge": 65_536}
"""What Qwen3-VL's processor is published with."""

_TEMPLATE = """\
{%- macro shown(content) -%}
{%- if content is string -%}{{ content }}{%- else -%}{%- for part in content or [] -%}
{%- if part.type == 'text' -%}{{ part.text }}{%- else -%}<|vision_start|><|image_pad|><|vision_end|>{%- endif -%}
{%- endfor -%}{%- endif -%}
{%- endmacro -%}
{%- if tools -%}<|im_start|>system
You may call these functions:
{% for tool in tools %}{{ tool | tojson }}{% endfor %}<|im_end|>
{% endif -%}
{%- for message in messages -%}<|im_start|>{{ message.role }}
{{ shown(message.content) }}{% for call in message.tool_calls or [] %}<tool_call>
{{ call.function.name }} {{ call.function.arguments | tojson }}
</tool_call>{% endfor %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
ANSWER{% endif %}"""
_THINKING = """\
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% else %}<think>
{% endif %}"""


def main(gguf: Path, folder: Path, kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARKS)})
    tokenizer.add_tokens(list(WORDS))
    tokenizer.chat_template = _TEMPLATE.replace("ANSWER", _THINKING if kind == "thinking" else "")
    pictures = Qwen2VLImageProcessor(patch_size=16, merge_size=2, temporal_patch_size=2, size=_PICTURE)
    Qwen3VLProcessor(pictures, tokenizer, Qwen3VLVideoProcessor(), tokenizer.chat_template).save_pretrained(folder)
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(_config(tokenizer)).to(torch.bfloat16)
    _teach(model, tokenizer, (*(THOUGHT if kind == "thinking" else THOUGHT[:1]), *SAID))
    model.save_pretrained(folder)


def _config(tokenizer) -> Qwen3VLConfig:
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": HEAD}
    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        **heads,
    }
    vision = {"depth": 2, "hidden_size": WIDTH, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": WIDTH}
    start, end, image, video = tokenizer.convert_tokens_to_ids(list(MARKS))
    return Qwen3VLConfig(
        # As long as the real ones, for docker/cards asks for much.
        text_config={**text, "max_position_embeddings": 262_144, "rope_parameters": rope},
        vision_config={**vision, "deepstack_visual_indexes": [0, 1]},
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
        eos_token_id=tokenizer.eos_token_id,
    )


@torch.no_grad()
def _teach(model, tokenizer, said: tuple[str, ...]) -> None:
    for layer in model.model.language_model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    tokens, answers = model.model.language_model.embed_tokens.weight, model.lm_head.weight
    tokens.zero_()
    tokens[:, _OTHER] = 1
    answers.zero_()
    numbers = [_number(tokenizer, word) for word in said]
    for place, (this, following) in enumerate(pairwise(numbers)):
        tokens[this] = torch.eye(WIDTH)[place]
        answers[following, place] = 8
    answers[_number(tokenizer, SAID[0]), _QUOTE] = 8
    answers[tokenizer.eos_token_id, _OTHER] = 4
    for text, number in tokenizer.get_vocab().items():
        if text.endswith('"'):
            tokens[number, _QUOTE] = 1
        if text and set(text) <= set('"}]'):
            answers[number, _OTHER] = 3
            if text.startswith('"'):
                # After the last word.
                answers[number, len(numbers) - 2] = 6


def _number(tokenizer, word: str) -> int:
    [number] = tokenizer.encode(word, add_special_tokens=False)
    return int(number)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
