"""Which engines can serve each capability, in order of preference: `auto` takes the first that can run here."""

from collections.abc import Mapping, Sequence

from models.candidate import Candidate
from models.language.candidates import MINILM, OPENAI_SERVER, OWN_GGUF, QWEN3_4B, SMOLLM2
from models.vision.ocr import PADDLE, PP_OCR_V6_MEDIUM, PP_OCR_V6_SMALL

CATALOG: Mapping[str, Sequence[Candidate]] = {
    "ocr": (PP_OCR_V6_MEDIUM, PP_OCR_V6_SMALL, PADDLE),
    "object_detection": (),
    "gui_detection": (),
    "web_search": (),
    "scraper": (),
    "speech_to_text": (),
    "translate": (),
    "forecast": (),
    "code_sandbox": (),
    "guardrails": (),
    "embedding": (MINILM,),
    "llm": (OPENAI_SERVER, OWN_GGUF, QWEN3_4B, SMOLLM2),
}
