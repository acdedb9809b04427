"""A PaddleOCR-VL that writes what it is told to, whatever it sees: the real architecture with its vision, a tokenizer
of words, and weights set by hand. Its output takes each word to the one that follows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

SPECIAL = ["<unk>", "<s>", "</s>", "<|IMAGE_START|>", "<|IMAGE_PLACEHOLDER|>", "<|IMAGE_END|>", "<video>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<s>' }}User:{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}Assistant:"
)
"""The order and the marks of the published one, without its line ends."""
PROMPT = ["User:", "OCR:", "Assistant:"]
_FOLLOWS = 1000.0


def save_page_reader(
    folder: Path, words: Sequence[str] = (), *, random: bool = False, kind: str = "paddleocr_vl"
) -> Path:
    """Writes `words` and ends, or goes round in circles where the last of them stands before, too. With `random`,
    weights that mean nothing."""
    import torch
    from transformers import (
        GenerationConfig,
        PaddleOCRVLConfig,
        PaddleOCRVLForConditionalGeneration,
        PaddleOCRVLImageProcessorPil,
    )

    tokenizer = _tokenizer([*SPECIAL, *PROMPT, *dict.fromkeys(words)])
    ids = tokenizer.get_vocab()
    size = len(ids)
    config = PaddleOCRVLConfig(
        text_config={
            "vocab_size": size,
            "hidden_size": size,
            "intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "max_position_embeddings": 32768,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]},
            "bos_token_id": ids["<s>"],
            "eos_token_id": ids["</s>"],
            "pad_token_id": ids["<unk>"],
            "tie_word_embeddings": False,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 56,
        },
        image_token_id=ids["<|IMAGE_PLACEHOLDER|>"],
        video_token_id=ids["<video>"],
        vision_start_token_id=ids["<|IMAGE_START|>"],
        vision_end_token_id=ids["<|IMAGE_END|>"],
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    network = PaddleOCRVLForConditionalGeneration(config).eval()
    if not random:
        with torch.no_grad():
            _set_weights(network, [ids[word] for word in ["Assistant:", *words]], ids["</s>"])
    # … and keeps nothing of what was computed unless it is told to, as the published one does.
    network.generation_config = GenerationConfig(eos_token_id=ids["</s>"], pad_token_id=ids["<unk>"], use_cache=False)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    PaddleOCRVLImageProcessorPil(min_pixels=56 * 56, max_pixels=280 * 280).save_pretrained(folder)
    if kind != "paddleocr_vl":
        file = folder / "config.json"
        file.write_text(file.read_text().replace('"paddleocr_vl"', f'"{kind}"'))
    return folder


def _tokenizer(words: Sequence[str]) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    pieces.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+:| ?\w+"), "isolated")
    pieces.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<unk>",
        additional_special_tokens=SPECIAL[3:],
        extra_special_tokens={"image_token": "<|IMAGE_PLACEHOLDER|>"},
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _set_weights(network: Any, chain: Sequence[int], end: int) -> None:
    """Nothing of the layers is left: what is written next depends on the last word alone."""
    for name, weight in network.model.language_model.named_parameters():
        if weight.ndim > 1 and "embed_tokens" not in name:
            weight.zero_()
    network.model.language_model.embed_tokens.weight.zero_().fill_diagonal_(1.0)
    network.lm_head.weight.zero_()
    places: dict[int, int] = {}
    for one, following in zip(chain, [*chain[1:], end], strict=True):
        places.setdefault(one, following)
    for one, following in places.items():
        network.lm_head.weight[following, one] = _FOLLOWS
