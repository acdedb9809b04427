"""Where the embedded weights are."""

from importlib.util import find_spec
from pathlib import Path

from models.base import EngineUnavailable


def embedded_weights() -> tuple[Path, Path]:
    """The ONNX files of the PP-OCRv6 small detector and recogniser inside the `rapidocr` package.

    The package is located, not imported: its own code configures logging and is not used here.

    Raises EngineUnavailable where the package or the files are missing.
    """
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise EngineUnavailable("ocr", "Install the package 'rapidocr', which carries the weights.")
    folder = Path(spec.origin).parent / "models"
    detector, recognizer = folder / "PP-OCRv6_det_small.onnx", folder / "PP-OCRv6_rec_small.onnx"
    if not (detector.is_file() and recognizer.is_file()):
        raise EngineUnavailable("ocr", "Install rapidocr 3.10, whose wheel carries the PP-OCRv6 small weights.")
    return detector, recognizer
