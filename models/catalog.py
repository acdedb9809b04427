"""Which engines can serve each capability, in order of preference: `auto` takes the first that can run here."""

from collections.abc import Mapping, Sequence

from models.candidate import Candidate
from models.language.candidates import MINILM, OPENAI_SERVER, OWN_GGUF, QWEN3_4B, SMOLLM2
from models.safety.candidates import TEXT_GUARD
from models.safety.images.candidates import IMAGE_GUARD
from models.sandbox.bubblewrap import BUBBLEWRAP
from models.series.candidates import CHRONOS_2, STATSMODELS
from models.speech.candidates import OWN_WHISPER, WHISPER_LARGE_V3_TURBO, WHISPER_SMALL, WHISPER_TINY_EN
from models.speech.voices_candidates import PYANNOTE, RESEMBLYZER
from models.translation.candidates import TRANSLATE
from models.vision.detection.candidates import OBJECT_DETECTION, OPEN_VOCABULARY, SAM_2_1
from models.vision.gui.candidates import GUI_DETECTION, GUI_GROUNDING
from models.vision.ocr import PADDLE, PP_OCR_V6_MEDIUM, PP_OCR_V6_SMALL

CATALOG: Mapping[str, Sequence[Candidate]] = {
    "ocr": (PP_OCR_V6_MEDIUM, PP_OCR_V6_SMALL, PADDLE),
    "object_detection": OBJECT_DETECTION,
    "open_vocabulary": OPEN_VOCABULARY,
    "segmentation": (SAM_2_1,),
    "gui_detection": GUI_DETECTION,
    "gui_grounding": GUI_GROUNDING,
    "speech_to_text": (OWN_WHISPER, WHISPER_LARGE_V3_TURBO, WHISPER_SMALL, WHISPER_TINY_EN),
    "diarization": (PYANNOTE, RESEMBLYZER),
    "translate": TRANSLATE,
    "forecast": (CHRONOS_2, STATSMODELS),
    "code_sandbox": (BUBBLEWRAP,),
    "text_guard": TEXT_GUARD,
    "image_guard": IMAGE_GUARD,
    "embedding": (MINILM,),
    "llm": (OPENAI_SERVER, OWN_GGUF, QWEN3_4B, SMOLLM2),
}
