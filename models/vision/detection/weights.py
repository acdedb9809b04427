"""Where the weights of detectors come from."""

from models.weights import WeightFile, WeightSet

FASTESTDET = WeightSet(
    "fastestdet",
    "BSD-3-Clause",
    (
        WeightFile(
            "https://raw.githubusercontent.com/dog-qiuqiu/FastestDet/main/example/onnx-runtime/FastestDet.onnx",
            "31cb14c017fce347cb4c846ec62fdf00d76bb3beecdf4be21e7116ac67feb880",
            "fastestdet.onnx",
            998_169,
        ),
    ),
    "80 labels; fetched at first use, too",
)


def _rf_detr(size: str, sha256: str, purpose: str, about_mb: int) -> WeightSet:
    """Roboflow's own weights (Apache-2.0) in exports that huggingface.co/besit/rfdetr-onnx publishes with checksums;
    Roboflow publishes no ONNX files."""
    name = f"rf-detr-seg-{size}"
    url = f"https://huggingface.co/besit/rfdetr-onnx/resolve/main/rfdetr-seg-{size}.onnx"
    return WeightSet(name, "Apache-2.0", (WeightFile(url, sha256, f"{name}.onnx"),), purpose, about_mb)


RF_DETR_SEG_NANO = _rf_detr(
    "nano",
    "482f13bb698916dfcafbd98b2e563353721eb1d56f5d4851c6ada7bc9fa0ba94",
    "80 labels with outlines, much better",
    135,
)
RF_DETR_SEG_SMALL = _rf_detr(
    "small", "6e9ac79e34143c8cbd63b5e1c653c3108ea944ab08153433c761f72d7fef641c", "the same, better and slower", 135
)
RF_DETR_SEG_MEDIUM = _rf_detr(
    "medium", "33f97a068ea7de3892e4cbc3825e15c5418be818506d7f39f44e1fb1f7ab6abb", "the same, best and slowest", 140
)

RF_DETR_BASE = WeightSet(
    "rf-detr-base",
    "Apache-2.0",
    (
        WeightFile(
            "https://huggingface.co/onnx-community/rfdetr_base-ONNX/resolve/"
            "bcd833d99f9419cb9d1585d5528d2a1b24dcbc80/onnx/model.onnx",
            "48b9502c04be895713efc0579c8904e69a97b3e03413a2f5aab1bdecda7e36ff",
            "rf-detr-base.onnx",
            107_773_649,
        ),
    ),
    "80 labels, boxes only",
)

D_FINE_L = WeightSet(
    "d-fine-l",
    "Apache-2.0",
    (
        WeightFile(
            "https://huggingface.co/onnx-community/dfine_l_coco-ONNX/resolve/main/onnx/model.onnx",
            "d678f3baebfb909d3a20f21d1d807544d0172ed47fa1ab88e7fcdec7e365b236",
            "d-fine-l.onnx",
        ),
    ),
    "80 labels, boxes only",
    125,
)

DETECTION_SETS = (FASTESTDET, RF_DETR_SEG_NANO, RF_DETR_SEG_SMALL, RF_DETR_SEG_MEDIUM, RF_DETR_BASE, D_FINE_L)
