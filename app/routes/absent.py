"""Routes of other servers that this server does not have, each with a replacement that the client's error names."""

from collections.abc import Mapping

_ANSWERS = "send the text as a user message to POST /v1/chat/completions"
_CONVERSATIONS = "POST /v1/responses goes on with a conversation by its 'previous_response_id'"
_PICTURES = "no engine here makes pictures or films; POST /v1/chat/completions reads them"

INSTEAD: Mapping[str, str] = {
    "/v1/completions": f"OpenAI's older completions are not here: {_ANSWERS}",
    "/v1/edits": f"OpenAI's older edits are not here: {_ANSWERS}",
    "/v1/engines": "GET /v1/models lists what there is",
    "/v1/audio/speech": "no engine here speaks; POST /v1/audio/transcriptions listens",
    "/v1/audio/voices": "no engine here speaks; POST /v1/audio/transcriptions listens",
    "/v1/images": _PICTURES,
    "/v1/videos": _PICTURES,
    "/v1/realtime": 'nothing here is spoken with; POST /v1/audio/transcriptions with "stream": true listens to a file',
    "/v1/assistants": _CONVERSATIONS,
    "/v1/threads": _CONVERSATIONS,
    "/v1/conversations": _CONVERSATIONS,
    "/v1/chatkit": _CONVERSATIONS,
    "/v1/responses/compact": f"nothing is compacted here: {_CONVERSATIONS}",
    "/v1/responses/input_tokens": "the 'usage' of an answer counts its tokens",
    "/v1/vector_stores": "files are read whole: upload them by POST /v1/files and name them in a message; "
    "POST /v1/embeddings makes vectors for a store of your own",
    "/v1/uploads": "POST /v1/files takes a file in one piece",
    "/v1/containers": "the full model runs code by itself where it needs to (OPENFAZE_CODE_SANDBOX)",
    "/v1/fine_tuning": "nothing is trained here; a better model is a setting away (OPENFAZE_LLM_BASE_URL)",
    "/v1/fine-tunes": "nothing is trained here; a better model is a setting away (OPENFAZE_LLM_BASE_URL)",
    "/v1/evals": "nothing is evaluated here; `openfaze bench` measures how fast a server answers",
    "/v1/organization": "keys, limits and what was used are lines of a file and a command: `openfaze keys`",
    "/v1/messages": f"Anthropic's API is not here: {_ANSWERS}",
    "/api/chat": f"Ollama's API is not here: {_ANSWERS}",
    "/api/generate": f"Ollama's API is not here: {_ANSWERS}",
    "/api/tags": "Ollama's API is not here: GET /v1/models lists what there is",
}
"""Replacement of each family of routes, by the path with which the family begins."""


def instead_of(path: str) -> str | None:
    """Return the replacement of `path`, which may lack its `/v1`; None for a route that is not known."""
    for whole in (path.rstrip("/"), f"/v1{path.rstrip('/')}"):
        for begins, instead in INSTEAD.items():
            if whole == begins or whole.startswith(f"{begins}/"):
                return instead
    return None
