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


def save_sam(folder: Path) -> Path:
    """A SAM 2 that sees 64 × 64 pixels."""
    import torch
    from transformers import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2MaskDecoderConfig,
        Sam2Model,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )

    torch.manual_seed(0)
    backbone = Sam2HieraDetConfig(
        hidden_size=8,
        num_attention_heads=1,
        image_size=[64, 64],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 4],
        window_size_per_stage=[4, 4, 4, 2],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[2, 2],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        fpn_hidden_size=32,
    )
    prompts = Sam2PromptEncoderConfig(hidden_size=32, image_size=64, patch_size=16, mask_input_channels=4)
    decoder = Sam2MaskDecoderConfig(hidden_size=32, mlp_dim=16, num_attention_heads=2, iou_head_hidden_dim=16)
    config = Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    Sam2Model(config).save_pretrained(folder)
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


def export_d_fine(path: Path) -> Path:
    """A D-FINE of 80 classes in the form of Optimum's exports."""
    from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config

    backbone = HGNetV2Config(
        stem_channels=[3, 8, 8],
        embedding_size=8,
        hidden_sizes=[16, 32, 32, 32],
        depths=[1, 1, 1, 1],
        out_indices=[2, 3, 4],
        stage_in_channels=[8, 16, 32, 32],
        stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[16, 32, 32, 32],
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[1, 1, 1, 1],
    )
    config = DFineConfig(
        backbone_config=backbone,
        encoder_hidden_dim=32,
        encoder_in_channels=[32, 32, 32],
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        d_model=32,
        num_queries=20,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=32,
        decoder_layers=2,
        decoder_attention_heads=2,
        num_denoising=0,
        num_labels=80,
    )
    return _exported(
        DFineForObjectDetection, config, path, "pixel_values", {"logits": "logits", "pred_boxes": "pred_boxes"}
    )


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


def save_random_icons(path: Path) -> Path:
    """A detector in TorchScript of the form of OmniParser's icon_detect_v3: six outputs, a pair for each stride."""
    import torch

    class Icons(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scores = torch.nn.ModuleList(torch.nn.Conv2d(3, 2, side, stride=side) for side in (8, 16, 32))
            self.sides = torch.nn.ModuleList(torch.nn.Conv2d(3, 4, side, stride=side) for side in (8, 16, 32))

        def forward(self, pictures: Any) -> tuple[Any, ...]:
            pairs = zip(self.scores, self.sides, strict=True)
            return tuple(one for score, side in pairs for one in (8 * score(pictures), 2 + side(pictures)))

    torch.manual_seed(0)
    return _scripted(Icons(), path)


def save_still_icons(path: Path, *, row: int, column: int, stride: int) -> Path:
    """One that finds a single box whatever it sees: from 1 stride left and 0.5 above the middle of a cell to 2 strides
    right and 1.5 below; its logit is 2."""
    import torch

    class Icons(torch.nn.Module):
        def forward(self, pictures: Any) -> tuple[Any, ...]:
            outputs: list[Any] = []
            for side in (8, 16, 32):
                grid = pictures[:, :1, ::side, ::side]
                rows = torch.arange(grid.shape[2])[None, None, :, None]
                columns = torch.arange(grid.shape[3])[None, None, None]
                there = (rows == row) & (columns == column) & torch.tensor(side == stride)
                outputs.append(torch.where(there, 2.0, -20.0).expand_as(grid))
                sides = torch.tensor([1.0, 0.5, 2.0, 1.5])[None, :, None, None]
                outputs.append(sides.expand(1, 4, grid.shape[2], grid.shape[3]))
            return tuple(outputs)

    return _scripted(Icons(), path)


def _scripted(network: Any, path: Path) -> Path:
    import torch

    torch.jit.trace(network.eval(), torch.rand(1, 3, 64, 96)).save(path)
    return path
