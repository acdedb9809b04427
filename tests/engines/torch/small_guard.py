"""A Qwen3Guard-Gen whose verdict is known: the real architecture, a tokenizer of words, and weights set by hand.

Its attention counts some words in all that came before; its output takes each word to the one that follows in
an answer, and leans to a verdict and a category by what was counted.
"""

import re
from pathlib import Path
from typing import Any

TEMPLATE = (
    "<|im_start|>user\n# Task: judge the last of the conversation.\n<BEGIN CONVERSATION>\n\n"
    "{% for message in messages %}{{ 'USER' if message['role'] == 'user' else 'ASSISTANT' }}: "
    "{{ message['content'] }}\n\n{% endfor %}<END CONVERSATION>\nAnswer in "
    "{{ 'three' if messages[-1]['role'] == 'assistant' else 'two' }} lines.<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>{{ '\n\n' }}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
TRIGGERS = {
    "bomb": {" Unsafe": 5_000.0, " Violent": 5_000.0},
    "quarrel": {" Cont": 5_000.0, " Unethical": 5_000.0},
    "passport": {" Unsafe": 5_000.0, " PII": 5_000.0},
    "riddle": {" Unsafe": 5_000.0, " Nonsense": 5_000.0},
    "void": {" Unsafe": 5_000.0, " None": 5_000.0},
    "storm": {" Unsafe": 4.0, " Violent": 40.0},
}
"""What it counts, and how much that makes which words of its answer likelier."""
ANSWER = {
    "Safety:": [" Safe", " Unsafe", " Cont"],
    " Cont": ["roversial"],
    **{label: ["\n"] for label in (" Safe", " Unsafe", "roversial")},
    "\n": ["Categories:"],
    "\n\n": ["Safety:"],
    "Categories:": [" None", " Violent", " Unethical", " PII", " Nonsense"],
    " Unethical": [" Acts"],
    " PII": [","],
    ",": [" Suicide"],
    " Suicide": [" &"],
    " &": [" Self-Harm"],
}
"""Which words may follow which; every other is followed by the end."""
WORDS = [*ANSWER, *(word for words in ANSWER.values() for word in words), *TRIGGERS, *(f" {word}" for word in TRIGGERS)]
PIECES = r"Safety:|Categories:|Refusal:| Cont(?=roversial)|roversial|,| ?[\w&'-]+|[^\S\n]*\n+| ?[^\w\s]|\s+"

_MAY_FOLLOW = 20_000.0
_FIRST = 0.5
"""What makes the first of the words that may follow likelier than the others."""


def save_qwen3guard(folder: Path, *, random: bool = False, template: str | None = TEMPLATE) -> Path:
    """With `random`, weights that mean nothing."""
    import torch
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

    tokenizer = _tokenizer()
    tokenizer.chat_template = template
    vocabulary = tokenizer.get_vocab()
    places = len(vocabulary)
    width = places + len(TRIGGERS)
    config = Qwen3Config(
        vocab_size=places,
        hidden_size=width,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=8,
        tie_word_embeddings=False,
        max_position_embeddings=40960,
    )
    torch.manual_seed(0)
    network = Qwen3ForCausalLM(config).eval()
    if not random:
        with torch.no_grad():
            _set_weights(network, vocabulary)
    network.generation_config = GenerationConfig(eos_token_id=[vocabulary["<|im_end|>"], vocabulary["<|endoftext|>"]])
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    plain = re.sub(r"\{[{%].*?[%}]\}", "", TEMPLATE)
    words = dict.fromkeys([*SPECIAL, "<unk>", "\n", "\n\n", " ", *WORDS, *re.findall(PIECES, plain)])
    pieces = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    pieces.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    pieces.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL[1:],
        clean_up_tokenization_spaces=False,
    )


def _set_weights(network: Any, vocabulary: dict[str, int]) -> None:
    places = len(vocabulary)
    for weight in network.parameters():
        # Norms stay as they are.
        if weight.ndim > 1:
            weight.zero_()
    network.model.embed_tokens.weight[:, :places].fill_diagonal_(1.0)
    attention, output = network.model.layers[0].self_attn, network.lm_head.weight
    for word, place in vocabulary.items():
        following = ANSWER.get(word, ["<|im_end|>"])
        for after in following:
            output[vocabulary[after], place] = _MAY_FOLLOW
        output[vocabulary[following[0]], place] += _FIRST
    for number, (trigger, leanings) in enumerate(TRIGGERS.items()):
        for word in (trigger, f" {trigger}"):
            attention.v_proj.weight[number, vocabulary[word]] = 1.0
        # What is counted stands beside the embedding, where only the output looks.
        attention.o_proj.weight[places + number, number] = 1.0
        for word, weight in leanings.items():
            output[vocabulary[word], places + number] = weight
