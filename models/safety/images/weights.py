"""Where the weights of image guards come from."""

from models.weights import WeightFile, WeightSet

_EXPORT = (
    "https://huggingface.co/onnx-community/nsfw_image_detection-ONNX/resolve/1ceb3c7fe1e9f3f2507e6df577437f23a9149fd5"
)
"""Falconsai/nsfw_image_detection (Apache-2.0) in the export for onnxruntime, at a fixed revision. The checksums are
those that several public projects state which fetch it at this revision (SnapZap's installer among them). The network
has about 343 MB; they disagree on the bytes."""

NSFW_VIT = WeightSet(
    "nsfw-vit",
    "Apache-2.0",
    (
        WeightFile(
            f"{_EXPORT}/config.json",
            "0e01783cf842a0acaa6b3b6594b941bee4d39a1918756b27d23f503878889696",
            "nsfw-vit/config.json",
        ),
        WeightFile(
            f"{_EXPORT}/preprocessor_config.json",
            "ae9bb157b9629887cc74913a4e7c12c9308f374f0930e8072320e8f2e1583c5e",
            "nsfw-vit/preprocessor_config.json",
        ),
        WeightFile(
            f"{_EXPORT}/onnx/model.onnx",
            "a4316a4fb750169ac4fcabaabee1fcbd982b0ee8c0cc63fe3e944954bb9a7d9c",
            "nsfw-vit/onnx/model.onnx",
        ),
    ),
    "what is not safe for work (S15_IMAGE)",
    343,
)

IMAGE_GUARD_SETS = (NSFW_VIT,)
