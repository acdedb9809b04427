"""Routes of other servers that this server does not have, each with a replacement that the client's error names."""

from collections.abc import Mapping

_ANSWERS = "send the text as a user message to POST /v1/chat/completions"
_CONVERSATIONS = "POST /v1/responses continues a conversation by its 'previous_response_id'"
_PICTURES = "this server generates no pictures or videos; POST /v1/chat/completions reads them"

INSTEAD: Mapping[str, str] = {
    "/v1/completions": f"OpenAI's older completions are not supported: {_ANSWERS}",
    "/v1/edits": f"OpenAI's older edits are not supported: {_ANSWERS}",
    "/v1/engines": "GET /v1/models lists the models",
    "/v1/audio/speech": "this server does not generate speech; POST /v1/audio/transcriptions transcribes it",
    "/v1/audio/voices": "this server does not generate speech; POST /v1/audio/transcriptions transcribes it",
    "/v1/images": _PICTURES,
    "/v1/videos": _PICTURES,
    "/v1/realtime": 'there is no spoken dialogue; POST /v1/audio/transcriptions with "stream": true transcribes a file',
    "/v1/assistants": _CONVERSATIONS,
    "/v1/threads": _CONVERSATIONS,
    "/v1/conversations": _CONVERSATIONS,
    "/v1/chatkit": _CONVERSATIONS,
    "/v1/responses/compact": f"conversations are not compacted: {_CONVERSATIONS}",
    "/v1/responses/input_tokens": "the 'usage' of an answer counts its tokens",
    "/v1/vector_stores": "files are read as a whole: upload them with POST /v1/files and name them in a message; "
    "POST /v1/embeddings makes vectors for your own store",
    "/v1/uploads": "POST /v1/files takes a file in one piece",
    "/v1/containers": "the full model runs code by itself when it needs to (OPENFAZE_CODE_SANDBOX)",
    "/v1/fine_tuning": "this server does not train models; OPENFAZE_LLM_BASE_URL chooses another one",
    "/v1/fine-tunes": "this server does not train models; OPENFAZE_LLM_BASE_URL chooses another one",
    "/v1/evals": "this server runs no evaluations",
    "/v1/organization": "the command `openfaze keys` manages keys and limits, and shows their usage",
    "/v1/messages": f"Anthropic's API is not supported: {_ANSWERS}",
    "/api/chat": f"Ollama's API is not supported: {_ANSWERS}",
    "/api/generate": f"Ollama's API is not supported: {_ANSWERS}",
    "/api/tags": "Ollama's API is not supported: GET /v1/models lists the models",
}
"""Replacement of each family of routes, by the path with which the family begins."""


def instead_of(path: str) -> str | None:
    """Return the replacement of `path`, which may lack its `/v1`; None for a route that is not in INSTEAD."""
    for whole in (path.rstrip("/"), f"/v1{path.rstrip('/')}"):
        for begins, replacement in INSTEAD.items():
            if whole == begins or whole.startswith(f"{begins}/"):
                return replacement
    return None
