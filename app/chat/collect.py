"""What a request says and shows: its texts, and its media as sources that nobody has read yet."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import BadRequest
from app.wire.request import AudioPart, ChatRequest, FilePart, ImagePart, Message, TextPart, Url, UrlPart
from tasks.media.source import Source, urls_in


@dataclass(frozen=True, slots=True)
class Turn:
    """The user's latest message, which a run task works on."""

    text: str
    sources: tuple[Source, ...]


def text_of(message: Message) -> str:
    """The text of a message in any role, its parts joined by line breaks."""
    if isinstance(message.content, str):
        return message.content
    parts = message.content or []
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def texts_of(request: ChatRequest, *roles: str) -> list[str]:
    """The texts of the messages in `roles`, or of all of them."""
    return [text_of(message) for message in request.messages if not roles or message.role in roles]


def latest_turn(request: ChatRequest, max_sources: int) -> Turn:
    """The last user message and, where it shows nothing itself, the media of the one before that did.

    URLs count only in the text of user messages: whatever else mentions one is not asking for it.
    Raises BadRequest when every message is empty, or shows more than `max_sources`.
    """
    if not any(_says_something(message) for message in request.messages):
        raise BadRequest("request has no text content: every message is empty", param="messages")
    turns = [(index, m) for index, m in enumerate(request.messages) if m.role == "user"]
    text = text_of(turns[-1][1]) if turns else ""
    found = (tuple(_sources(index, message)) for index, message in reversed(turns))
    sources = next((sources for sources in found if sources), ())
    if len(sources) > max_sources:
        raise BadRequest(
            f"'messages' holds {len(sources)} inputs; the limit is {max_sources} (OPENFAZE_MAX_SOURCES)",
            code="too_many_sources",
            param="messages",
        )
    return Turn(text, sources)


def _says_something(message: Message) -> bool:
    if isinstance(message.content, list):
        return any(not isinstance(part, TextPart) or part.text.strip() for part in message.content)
    return bool(message.content and message.content.strip()) or bool(message.tool_calls)


def _sources(index: int, message: Message) -> Iterator[Source]:
    path = f"messages[{index}].content"
    parts = message.content if isinstance(message.content, list) else [message.content or ""]
    for position, part in enumerate(parts):
        here = path if isinstance(message.content, str) else f"{path}[{position}]"
        match part:
            case str():
                yield from _linked(part, here)
            case TextPart():
                yield from _linked(part.text, f"{here}.text")
            case ImagePart():
                yield _source(part.image_url, f"{here}.image_url")
            case UrlPart():
                yield _source(getattr(part, part.type), f"{here}.{part.type}")
            case FilePart():
                yield _file(part, f"{here}.file")
            case AudioPart():
                yield Source.from_reference(
                    part.input_audio.data, param=f"{here}.input_audio.data", format=part.input_audio.format
                )


def _linked(text: str, param: str) -> Iterator[Source]:
    for url in urls_in(text):
        yield Source.from_reference(url, param=param)


def _source(reference: Url | str | None, param: str) -> Source:
    match reference:
        case Url():
            return Source.from_reference(reference.url, param=f"{param}.url")
        case str():
            return Source.from_reference(reference, param=param)
        case None:
            raise BadRequest(f"Field '{param}': Field required", param=param)


def _file(part: FilePart, param: str) -> Source:
    if part.file.file_data is None:
        if part.file.file_id is not None:
            raise BadRequest(
                f"Field '{param}.file_id': no file '{part.file.file_id}' here; send 'file_data'",
                code="file_not_found",
                param=f"{param}.file_id",
            )
        raise BadRequest(f"Field '{param}.file_data': Field required", param=f"{param}.file_data")
    return Source.from_reference(
        part.file.file_data,
        param=f"{param}.file_data",
        filename=part.file.filename,
        format=part.file.format,
    )
