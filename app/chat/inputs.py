"""Collects the inputs of a request: its texts, and its media as sources that have not been read yet."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ParamSpec, TypeVar

from app.chat.pasted import brings_text, pasted_in
from app.chat.planning.described_json import without_description, without_forms
from app.chat.planning.programs import WrittenMessage, document_in_instructions, read_message
from app.chat.wish import Wish
from app.errors import BadRequest
from app.wire.request import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    ContentPart,
    File,
    FilePart,
    ImagePart,
    InputFilePart,
    Media,
    TextPart,
    Url,
    UrlPart,
)
from tasks.extraction.examples import MAX_EXAMPLES
from tasks.inputs.loader import Uploads
from tasks.inputs.source import Origin, Source, Total, urls_in
from tasks.json_tokens import parses_quickly
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tasks.schema.json_answer import MAX_ANSWER_CHARS

P = ParamSpec("P")
T = TypeVar("T")

_SHOWN = 80
"""A message quotes at most this many characters of a file id or a URL."""
_SHORT_CHARS = 16_000
_LINKS_LEFT_OUT = (
    "The links from '{url}' on were not read: a request has at most {limit} inputs (OPENFAZE_MAX_SOURCES)."
)
_FEW_MESSAGES = 32


@dataclass(frozen=True, slots=True)
class ExampleTurn:
    """An earlier message of the user with an input, and the answer that follows it in the conversation."""

    sources: tuple[Source, ...]
    document: Entry | None
    """Document that the message contains as text, if the message has no sources."""
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """The latest message of the user, which is the input of the tasks that the request runs."""

    text: str
    sources: tuple[Source, ...]
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options of tasks that the request states in fields, by task: those in `ocr`, and `task_options`."""
    examples: tuple[ExampleTurn, ...] = ()
    """Examples of the answer to a request with a schema, the oldest first."""
    since: int = 0
    """Index of the first message whose text may be copied into the answer. All messages of examples come before this
    message."""
    warnings: tuple[str, ...] = ()
    """Sentences for the caller about inputs that were left out."""
    is_of_earlier: bool = False
    """True if the inputs, or the document pasted as text, are of an earlier message."""
    has_handed_text: bool = False
    """True if a chat program handed over a text as a source. Nothing of the request is searched for on the web
    then."""
    leaves_document: bool = False
    """True if the message does not ask about the document in the messages."""
    wish: Wish = field(default_factory=Wish)
    """Wish of the message beside these sources; empty where a task's result is the answer."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects the inputs of requests."""

    uploads: Uploads
    max_sources: int
    max_total_bytes: int

    async def collect(self, request: ChatRequest, tenant: str, *, fresh: bool = False) -> Turn:
        """Return the latest turn, with the names and types of its uploaded files.

        `fresh` forbids the use of results of earlier requests.

        Raises what `latest_turn` raises, and BadRequest (`file_not_found`) for a file that `tenant` does not have.
        """
        # This work may run in a thread, because searching long texts for URLs, or comparing long inputs of equal
        # length, takes milliseconds.
        turn = await run_off_loop(request, latest_turn, request, self.max_sources)
        if not (turn.sources or turn.examples):
            return turn
        total = Total(self.max_total_bytes)

        async def with_uploads(sources: Iterable[Source]) -> tuple[Source, ...]:
            owned = (replace(source, owner=tenant, fresh=fresh, total=total) for source in sources)
            return tuple(await asyncio.gather(*map(self._with_upload, owned)))

        examples = [replace(one, sources=await with_uploads(one.sources)) for one in turn.examples]
        return replace(turn, sources=await with_uploads(turn.sources), examples=tuple(examples))

    async def _with_upload(self, source: Source) -> Source:
        if source.file_id is None:
            return source
        upload = await self.uploads.find(source.owner, source.file_id)
        if upload is None:
            raise BadRequest(
                f"Field '{source.param}': no file '{source.file_id[:_SHOWN]}' here; "
                "upload it to /v1/files, or send 'file_data'",
                code="file_not_found",
                param=source.param,
            )
        return replace(
            source,
            filename=source.filename or upload.filename,
            format=source.format or upload.media_type,
        )


def is_short(request: ChatRequest) -> bool:
    """True if a request has few and short texts, no content parts, no tools or calls and no schema, so that searching
    it takes less time than starting a thread."""
    form = request.response_format
    if len(request.messages) > _FEW_MESSAGES or request.tools or (form is not None and form.json_schema is not None):
        return False
    if any(message.tool_calls for message in request.messages):
        return False
    contents = [message.content or "" for message in request.messages]
    texts = [text for text in contents if isinstance(text, str)]
    return len(texts) == len(contents) and sum(map(len, texts)) <= _SHORT_CHARS


async def run_off_loop(request: ChatRequest, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work` on the texts of a request, in another thread unless the texts are short."""
    if is_short(request):
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


def text_of(message: ChatMessage) -> str:
    """Return the text of a message in any role, its parts joined by line breaks."""
    if isinstance(message.content, str):
        return message.content
    if message.content is None:
        return message.refusal or ""
    parts = message.content
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def texts_of(request: ChatRequest, *roles: str) -> list[str]:
    """Return the texts of the messages in `roles`, or of all messages if no role is given."""
    return [text_of(message) for message in request.messages if not roles or message.role in roles]


def texts_beside_content(message: ChatMessage) -> Iterator[str]:
    """Yield the texts of a message that an LLM reads in addition to the content: the speaker's name and the calls, with
    their ids."""
    for call in message.tool_calls or ():
        yield from (call.id, call.function.name, call.function.arguments)
    yield from filter(None, (message.name, message.tool_call_id))


def entry_of_user_texts(request: ChatRequest, since: int = 0, *, without_orders: bool = False) -> Entry:
    """Return an entry with the texts of the user messages at index `since` or later. Each text keeps its message's
    index. With `without_orders`, what describes the JSON of the answer is left out."""
    texts = {index: text_of(request.messages[index]) for index in _user_indexes(request) if index >= since}
    if without_orders and _describes_json(request):
        texts = {index: without_description(text) for index, text in texts.items()}
    return _request_entry({index: read_message(text).words for index, text in texts.items()})


def _describes_json(request: ChatRequest) -> bool:
    return request.response_format is not None and request.response_format.type == "json_object"


def pasted_document(request: ChatRequest, since: int = 0) -> Entry | None:
    """Return the document pasted into a user message at index `since` or later, or else the documents that a chat
    program put into the system messages; None if there is none. If several user messages contain a document, the last
    one counts."""
    users = (at for at in reversed(_user_indexes(request)) if at >= since)
    if found := next((found for at in users if (found := _pasted_document_at(request, at))), None):
        return found
    documents = _documents_in_instructions(request)
    return _request_entry(documents) if documents else None


def _documents_in_instructions(request: ChatRequest) -> dict[int, str]:
    system = {at: text_of(one) for at, one in enumerate(request.messages) if one.role in ("system", "developer")}
    return {at: document for at, text in system.items() if (document := document_in_instructions(text))}


def results_of_calls(request: ChatRequest) -> Entry | None:
    """Return the results of the client's tools with which the conversation ends; None if it ends otherwise."""
    begin = len(request.messages)
    while begin and request.messages[begin - 1].role == "tool":
        begin -= 1
    texts = {at: text_of(request.messages[at]) for at in range(begin, len(request.messages))}
    return _request_entry(texts) if texts else None


def text_of_document(entry: Entry) -> str:
    """Return the text of an entry that `pasted_document` or `results_of_calls` made."""
    return "\n\n".join(str(message["content"]) for message in entry.result.data["messages"].values())


def with_own_words(turn: Turn, request: ChatRequest) -> Turn:
    """Return a turn without the markup that a chat program wrote into the message, and without the links in it. The
    form of a JSON object that the message describes is left out, too."""
    text = without_forms(turn.text) if _describes_json(request) else turn.text
    words = read_message(text).words if "<" in text or "[" in text else text
    if words == turn.text:
        return turn
    is_in_markup = [one.is_linked and str(one.url) in turn.text and str(one.url) not in words for one in turn.sources]
    sources = tuple(one for one, is_left_out in zip(turn.sources, is_in_markup, strict=True) if not is_left_out)
    return replace(turn, text=words, sources=sources)


def _user_indexes(request: ChatRequest) -> list[int]:
    return [index for index, message in enumerate(request.messages) if message.role == "user"]


def _pasted_document_at(request: ChatRequest, index: int) -> Entry | None:
    message = _message_without_form(request, index)
    if message.document:
        return _request_entry({index: message.document})
    if (pasted := pasted_in(message.words)) is None:
        return None
    return _request_entry({index: pasted})


def _message_without_form(request: ChatRequest, index: int) -> WrittenMessage:
    """Return a message without the description of the JSON of the answer."""
    text = text_of(request.messages[index])
    return read_message(without_description(text) if _describes_json(request) else text)


def _request_entry(texts: Mapping[int, str]) -> Entry:
    """Return an entry of the texts of messages, by the index of the message."""
    return Entry(REQUEST, JsonResult({"messages": {str(at): {"content": text} for at, text in texts.items()}}))


def latest_turn(request: ChatRequest, max_sources: int) -> Turn:
    """Return the last user message with its media. If it brings none, and no text to be read either, return it with
    the media of the latest user message that brings either.

    - An input that is mentioned several times is one source, at the place of the first mention.
    - URLs are taken only from the text of the last user message, because no other text is a request to read them.
    - If there are more URLs than `max_sources` allows, the first are taken.

    Raises BadRequest if every message is empty, or if more than `max_sources` inputs are attached.
    """
    if not any(_has_content(message) for message in request.messages):
        raise BadRequest("request has no text content: every message is empty", param="messages")
    users = _user_indexes(request)
    last = users[-1] if users else 0
    text = text_of(request.messages[last]) if users else ""
    index = last
    sources: tuple[Source, ...] = ()
    brings_any = False
    for user in reversed(users):
        most_links = max_sources + 1 if user == last else 0
        sources = _without_repeats(_sources_of_message(user, request.messages[user], most_links), max_sources)
        brings_any = bool(sources) or (len(users) > 1 and _brings_text(request, user))
        if brings_any:
            index = user
            break
    # A document pasted after examples is a new input, to which the sources of the examples do not belong.
    if index != last and pasted_in(text) and _examples(request, last, max_sources):
        index, sources = last, ()
    examples = _examples(request, index, max_sources)
    if sum(not source.is_linked for source in sources) > max_sources:
        raise BadRequest(
            f"'messages' holds {max_sources + 1} inputs or more; the limit is {max_sources} (OPENFAZE_MAX_SOURCES)",
            code="too_many_sources",
            param="messages",
        )
    warnings: tuple[str, ...] = ()
    if len(sources) > max_sources:
        surplus = [source for source in sources if source.is_linked][max_sources - len(sources) :]
        sources = tuple(source for source in sources if source not in surplus)
        warnings = (_LINKS_LEFT_OUT.format(url=str(surplus[0].url)[:_SHOWN], limit=max_sources),)
    layout = {name: True for name in ("tables", "markdown") if request.ocr and getattr(request.ocr, name)}
    return Turn(
        text,
        sources,
        {"ocr": layout} if layout else {},
        examples,
        index if examples else 0,
        warnings,
        is_of_earlier=brings_any and index < last,
        has_handed_text=bool(read_message(text).document or _documents_in_instructions(request)),
    )


def _brings_text(request: ChatRequest, index: int) -> bool:
    message = _message_without_form(request, index)
    return bool(message.document) or brings_text(message.words)


def _examples(request: ChatRequest, end: int, max_sources: int) -> tuple[ExampleTurn, ...]:
    """Return the last MAX_EXAMPLES examples before index `end`: pairs of a user message with an input and an assistant
    message with a JSON object.

    Only a request with a schema has examples. A pair does not count if it has more than `max_sources` sources, or an
    answer that has more than MAX_ANSWER_CHARS characters or does not parse quickly.
    """
    if request.response_format is None or request.response_format.type != "json_schema":
        return ()
    found: list[ExampleTurn] = []
    for index in range(end - 2, -1, -1):
        message, answer = request.messages[index], request.messages[index + 1]
        if len(found) == MAX_EXAMPLES:
            break
        if message.role != "user" or answer.role != "assistant" or (value := _parse_object(text_of(answer))) is None:
            continue
        sources = _without_repeats(_sources_of_message(index, message, most_links=0), max_sources)
        document = None if sources else _pasted_document_at(request, index)
        if (sources or document) and len(sources) <= max_sources:
            found.append(ExampleTurn(sources, document, value))
    return tuple(reversed(found))


def _parse_object(text: str) -> Mapping[str, Any] | None:
    # Only small answers are parsed, because no other thread runs meanwhile, and because an empty list of three
    # characters takes sixty bytes of memory.
    if len(text) > MAX_ANSWER_CHARS or not text.lstrip().startswith("{") or not parses_quickly(text):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _has_content(message: ChatMessage) -> bool:
    if isinstance(message.content, list):
        return any(not isinstance(part, TextPart) or _has_text(part.text) for part in message.content)
    return _has_text(message.content or "") or bool(message.tool_calls)


def _has_text(text: str) -> bool:
    """True if a text contains more than white space. Unlike `strip`, this test never copies a long text."""
    return bool(text) and not text.isspace()


def _without_repeats(sources: Iterable[Source], limit: int) -> tuple[Source, ...]:
    """Return the sources without repetitions. Each URL, file or data URL stays only at the place where it comes first.

    A content part is preferred to a mention in a text, because the part can state more about the input. The search
    stops after `limit` + 1 content parts.
    """
    named: dict[object, Source] = {}
    repeats: dict[object, list[Origin]] = {}
    for source in sources:
        name = source.url or source.file_id or (source.payload, source.filename, source.format)
        first = named.setdefault(name, source)
        if first is not source:
            kept, other = (source, first) if first.is_linked else (first, source)
            named[name] = kept
            repeats.setdefault(name, []).append(other.origin)
        elif not source.is_linked and sum(not one.is_linked for one in named.values()) > limit:
            break
    return tuple(
        replace(source, also=tuple(repeats[name])) if name in repeats else source for name, source in named.items()
    )


def _sources_of_message(index: int, message: ChatMessage, most_links: int) -> Iterator[Source]:
    """Yield the inputs that are attached to a message, and the first `most_links` links of each of its texts."""
    if isinstance(message.content, str):
        yield from _sources_in_text(message.content, Origin(message=index), most_links)
        return
    for position, part in enumerate(message.content or []):
        make_origin = partial(Origin, message=index, part=position)
        if isinstance(part, TextPart):
            yield from _sources_in_text(part.text, make_origin("text"), most_links)
        else:
            yield _source_of_part(part, make_origin)


def _sources_in_text(text: str, origin: Origin, most: int) -> Iterator[Source]:
    for url in urls_in(text)[:most] if most and "://" in text else ():
        yield Source.from_reference(url, origin=origin)


def _source_of_part(part: ContentPart, here: Callable[..., Origin]) -> Source:
    match part:
        case ImagePart(file_id=str(file_id), image_url=None):
            return Source(here("file_id"), file_id=file_id)
        case ImagePart():
            return _source_from_reference(part.image_url, here("image_url"))
        case UrlPart():
            return _source_from_reference(getattr(part, part.type), here(part.type))
        case InputFilePart():
            return _source_from_file(part, here)
        case FilePart():
            return _source_from_file(part.file, partial(here, "file"))
        case AudioPart():
            return _source_from_reference(
                part.input_audio.data, here("input_audio", "data"), None, part.input_audio.format
            )
    raise AssertionError(f"no source: {part.type}")


def _source_from_file(file: File, here: Callable[[str], Origin]) -> Source:
    if file.file_url is not None:
        return _source_from_reference(file.file_url, here("file_url"), file.filename, file.format)
    if file.file_data is None and file.file_id is not None:
        return Source(here("file_id"), file_id=file.file_id, filename=file.filename, format=file.format)
    return _source_from_reference(file.file_data, here("file_data"), file.filename, file.format)


def _source_from_reference(
    reference: Url | Media | None, origin: Origin, filename: str | None = None, declared: str | None = None
) -> Source:
    if isinstance(reference, Url):
        reference, origin = reference.url, replace(origin, member="url")
    if reference is None:
        raise BadRequest(f"Field '{origin.param}': Field required", param=origin.param)
    return Source.from_reference(reference, origin=origin, filename=filename, format=declared)
