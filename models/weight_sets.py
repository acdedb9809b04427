"""Where weights come from: the files of each set, below the weights directory, and their checksums.

Addresses and SHA-256 of the OCR models are those of RapidOCR 3.10.0 (rapidocr/default_models.yaml), a mirror of the
models that the PaddleOCR project publishes under Apache-2.0. It states no sizes, and PaddleOCR's own archives no
checksums.
"""

from collections.abc import Mapping

from models.language.llm_weights import QWEN3_4B
from models.safety.images.weights import IMAGE_GUARD_SETS
from models.speech import whisper_files
from models.translation.weights import MADLAD_400, TRANSLATION_SETS
from models.vision.detection.weights import DETECTION_SETS
from models.weights import WeightFile, WeightSet

_MIRROR = "https://www.modelscope.cn/models/RapidAI/RapidOCR/resolve/v3.10.0"

_PP_OCRV6_MEDIUM = WeightSet(
    "pp-ocrv6-medium",
    "Apache-2.0",
    (
        WeightFile(
            f"{_MIRROR}/onnx/PP-OCRv6/det/PP-OCRv6_det_medium.onnx",
            "92078b7355007ccfffcd4c8cd441a3afd4538904d06881b29a155e1e679907c2",
            "pp-ocrv6/PP-OCRv6_det_medium.onnx",
        ),
        WeightFile(
            f"{_MIRROR}/onnx/PP-OCRv6/rec/PP-OCRv6_rec_medium.onnx",
            "eef444829dbbe18d7fea59a3f6eb75647518d2b3a9568d27c92e42940204894b",
            "pp-ocrv6/PP-OCRv6_rec_medium.onnx",
        ),
    ),
    "more exact and slower than small",
    139,
)


def _paddle_model(source: str, name: str, config: str, network: str, parameters: str) -> tuple[WeightFile, ...]:
    """A directory of PaddleOCR's: `source` on the mirror, PaddleOCR's own `name`, the checksums of its files."""
    checksums = {"inference.yml": config, "inference.json": network, "inference.pdiparams": parameters}
    return tuple(
        WeightFile(f"{_MIRROR}/paddle/{source}/{file}", sha256, f"paddleocr/{name}/{file}")
        for file, sha256 in checksums.items()
    )


def _paddle_script(
    script: str, config: str, network: str, parameters: str, *, languages: str, about_mb: int = 92
) -> WeightSet:
    """PP-OCRv5's recogniser of a script, and the detector that goes with all of them."""
    recognizer = _paddle_model(
        f"PP-OCRv5/rec/{script}_PP-OCRv5_rec_mobile",
        f"{script}_PP-OCRv5_mobile_rec",
        config,
        network,
        parameters,
    )
    return WeightSet(f"paddleocr-{script}", "Apache-2.0", _PP_OCRV5_DETECTOR + recognizer, languages, about_mb)


_PP_OCRV5_DETECTOR = _paddle_model(
    "PP-OCRv5/det/ch_PP-OCRv5_det_server",
    "PP-OCRv5_server_det",
    "28fb721efc3634fc8aa677e474b9602cb815a91cf569ef357a7a553d7b3ce685",
    "af5876933d8806a1b50d895867e0781e135cd92ff37381992828fc8d1b842d28",
    "183146fe9d9910352f68482f623bcbbb9fa7b9e8fa1463b9ad288cef00524d2d",
)

_PADDLEOCR = WeightSet(
    "paddleocr",
    "Apache-2.0",
    _paddle_model(
        "PP-OCRv6/det/PP-OCRv6_det_medium",
        "PP-OCRv6_medium_det",
        "7298d5ead546584af2504d03355f881ac7a7bc0eb1e282d3e159277c1d0af871",
        "0f1a7ec35da36173529c7a60238b7f7919e3831929c3f700ad90ad4896adecd5",
        "85218d2e3d98f5a21c58b4220627be923a97aee5db3cc71f39536ab31ac53960",
    )
    + _paddle_model(
        "PP-OCRv6/rec/PP-OCRv6_rec_medium",
        "PP-OCRv6_medium_rec",
        "991b700facf5b50a7de193468207d5f4255b538dde0d312ae3b7c7a9b6873129",
        "0b2e25e990bd072f1bf77d59d67d508bce6c4bd44af6624e0fb27d6da2cd00e8",
        "1b01c79a914587933f615569e75de54f2e638ebb5d3f3b3c1b38c24ede8c7319",
    ),
    "Latin letters, Chinese, Japanese",
    139,
)

_SETS = (
    QWEN3_4B,
    whisper_files.SMALL,
    whisper_files.LARGE_V3_TURBO,
    *DETECTION_SETS,
    *IMAGE_GUARD_SETS,
    *TRANSLATION_SETS,
    _PP_OCRV6_MEDIUM,
    _PADDLEOCR,
    _paddle_script(
        "arabic",
        "21368419e6c016c31db55d316d59e11c128e1913e6e6fe10287084710043d3a6",
        "d43832804d89c0e18d59f8446a3babd0ef60c44bc335efddac3176caf71d50af",
        "4b4271fd1dd89a40b2056e1a42e58de7c0df2fdcf1a97ca9a8916d7ec45f9143",
        languages="Arabic, Persian, Urdu …",
    ),
    _paddle_script(
        "cyrillic",
        "5c76cc91fa98410178a09f498db10050d0ec1634a660053d3005ab7be581f501",
        "5d90f1bfca52d80c01de176c5238fae2459995a99ff1dbfe5319ab4ed1735df2",
        "434dc9fa2a99fa3653e08f8cf793ae56be7dd41c35c4980e6255147cc02bbc80",
        languages="Bulgarian, Kazakh, Mongolian …",
    ),
    _paddle_script(
        "devanagari",
        "9bd172dd26440c8ce94d1cde5d5baea6aefdc7cf3c5c8492e0beedef656d4e54",
        "20d3b121184ec6b7de1705015022f4b22117990f6e5728a5d21c314bac9c1444",
        "719be7d20bfe9530e2deae324c999e9911087496bce5e70846767c448d023a01",
        languages="Hindi, Marathi, Nepali …",
    ),
    _paddle_script(
        "el",
        "17d85b2fe2d2f24cd4ab07bcbc33e0c126859b956ced36e281dc65e2d0c1f0bf",
        "7fb97d32c52562deb0a0654e0839acbb54cacc0441a857cc1d66e12892337e41",
        "4d69bbb8ed9f84373631d121ab459f8583cd978df813b5fb9b139b7783b05fbd",
        languages="Greek",
    ),
    _paddle_script(
        "eslav",
        "025039bac23eb4a308efcefa4d58eab3af440767815c6ba6938468bf6353ee5a",
        "3fb6e2e658f5139ff16e35260de8f0577f106a9505c902e1dfc1f4f1d03cc9cb",
        "f11057b05d8517868bca505271278973d706600d9dcc184cbcf5c4512091c32b",
        languages="Russian, Ukrainian, Belarusian",
        about_mb=98,
    ),
    _paddle_script(
        "korean",
        "f757fa1c40e99edcf27e9cce879b93eb2a51fa46f5ef39095689b8c37dd75998",
        "562404e3c590c50c93778d5f0a94df21b47b5ab8f3ea6d47c7f8a7930c3bc844",
        "cac3e5f12cf04aaa77f6a5bc704e4e736ef2908476551891d84b41b4e9090462",
        languages="Korean",
        about_mb=98,
    ),
    _paddle_script(
        "ta",
        "88a28f5a1bb30cabe38a0985cb5e6619fa4f0c7c78e57a08274674228c5219a6",
        "9f845b15eef3272a47201fa0e411f8e466392b7dcfd705ade2890bf434b70370",
        "7e7bb6c9cbcc401aeaceb0cdace485dbfcc15a410f299294e7c3123bbcbc68f0",
        languages="Tamil",
    ),
    _paddle_script(
        "te",
        "acebbe53f1831bf28ddfed75aedf58225d7aa5d09100c1d5a9140a2a53b137ce",
        "ad866e22872fbc0ee498b2c47d9537bd8f49f125353e43d82a4d173b595e6bfb",
        "45967d00d6b4af590221733bf0d93791babc1feb17b98da401dba53d3cf110c9",
        languages="Telugu",
    ),
    _paddle_script(
        "th",
        "f6ba7fefc38ca1ff398ddafa75d67d16e0b3757c4e6c833adffee98a981766c9",
        "b92a9442af5ac6da3c6ba30ce1672d00a2d7a0fbd8068ed543ac6dcb9d5c7764",
        "45ec91f2322b58b8d30ba27d18fcfdbb8bf388b918dd978162d2af91e0c66d4b",
        languages="Thai",
    ),
)

WEIGHT_SETS: Mapping[str, WeightSet] = {weight_set.name: weight_set for weight_set in _SETS}
"""What `openfaze pull <name>` can fetch. A set is called after the engine that reads it, with a dash and more where the
engine has several."""

RECOMMENDED: Mapping[str, str] = {
    "image_guard": "nsfw-vit",
    "llm": "qwen3-4b",
    "object_detection": "fastestdet",
    "ocr": "pp-ocrv6-medium",
    "speech_to_text": "whisper-small",
    "translate": MADLAD_400.name,
}
"""The set that `openfaze pull <capability>` fetches, unless the operator chose an engine of another one."""
