"""Networks of the real architectures, with random weights, small enough to make on the spot."""

import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

WORDS = ["person", "bicycle", "car", "bus", "dog", "cat", "red", "unicorn", "traffic", "light"]


def save_grounding_dino(folder: Path) -> Path:
    """An MM-Grounding-DINO of some thousand weights, and the tokenizer of a dozen words."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import (
        AutoModelForZeroShotObjectDetection,
        BertConfig,
        BertTokenizerFast,
        GroundingDinoProcessor,
        MMGroundingDinoConfig,
        SwinConfig,
    )
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", *WORDS]
    pieces = Tokenizer(models.WordPiece({word: at for at, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(0)
    config = MMGroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=64,
            embed_dim=12,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 2, 2],
            window_size=4,
            out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
        ),
        num_queries=10,
        encoder_layers=1,
        decoder_layers=2,
        d_model=32,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
    )
    AutoModelForZeroShotObjectDetection.from_config(config).save_pretrained(folder)
    pictures = GroundingDinoImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 160})
    GroundingDinoProcessor(pictures, BertTokenizerFast(tokenizer_object=pieces)).save_pretrained(folder)
    return folder


def stand_in_for_torchvision(monkeypatch: Any) -> None:
    """PyPI's torchvision does not import beside the CPU build of PyTorch; ultralytics asks for its version, and for
    one function."""
    import torch

    def nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
        from models.vision.detection.boxes import suppressed

        kept = suppressed(
            boxes.numpy(), scores.numpy(), torch.zeros(len(boxes), dtype=torch.long).numpy(), most=iou_threshold
        )
        return torch.from_numpy(kept)

    module, operations = ModuleType("torchvision"), ModuleType("torchvision.ops")
    operations.nms = nms  # type: ignore[attr-defined]
    module.ops = operations  # type: ignore[attr-defined]
    module.__version__ = "0.28.0"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", module)
    monkeypatch.setitem(sys.modules, "torchvision.ops", operations)
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.28.0" if name == "torchvision" else version(name))


def export_rf_detr(path: Path) -> Path:
    """An RF-DETR of COCO's 91 category ids in the form of rfdetr's own exports."""
    from transformers import RfDetrConfig, RfDetrForObjectDetection

    backbone = RfDetrConfig().backbone_config.to_dict()
    del backbone["stage_names"], backbone["out_indices"]
    backbone |= {
        "hidden_size": 24,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "mlp_ratio": 1,
        "image_size": 64,
        "patch_size": 16,
        "num_windows": 2,
        "num_register_tokens": 0,
        "out_features": ["stage2", "stage4"],
    }
    config = RfDetrConfig(
        backbone_config=backbone,
        d_model=32,
        decoder_ffn_dim=32,
        decoder_layers=2,
        decoder_self_attention_heads=2,
        decoder_cross_attention_heads=2,
        num_queries=10,
        group_detr=1,
        c2f_num_blocks=1,
        id2label={number: str(number) for number in range(91)},
    )
    return _exported(RfDetrForObjectDetection, config, path, "input", {"dets": "pred_boxes", "labels": "logits"})


def _exported(kind: Any, config: Any, path: Path, picture: str, outputs: dict[str, str]) -> Path:
    """`outputs` are the fields of the network's answer by the names that they have in the file."""
    import torch

    class Fields(torch.nn.Module):
        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network = network

        def forward(self, pictures: Any) -> tuple[Any, ...]:
            answer = self.network(pictures)
            return tuple(getattr(answer, field) for field in outputs.values())

    interpolate = torch.nn.functional.interpolate

    def without_antialiasing(*args: Any, **options: Any) -> Any:
        """ONNX has none for bicubic interpolation; rfdetr's own export replaces it, too."""
        return interpolate(*args, **options | {"antialias": False})

    torch.manual_seed(0)
    with patch.object(torch.nn.functional, "interpolate", without_antialiasing):
        torch.onnx.export(
            Fields(kind(config).eval()),
            (torch.rand(2, 3, 64, 64),),
            str(path),
            input_names=[picture],
            output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in (picture, *outputs)},
            opset_version=17,
            dynamo=False,
        )
    return path
