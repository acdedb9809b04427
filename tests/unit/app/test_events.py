"""Events of an answer: which are joined."""

from app.chat.answer_cache import decode_events, encode_events
from app.events import PIECE, Event, Finish, ReasoningChunk, TextChunk, ToolCallChunk, joined, text_chunks

WORDS: list[Event] = [TextChunk("word ")] * 1000


def test_adjacent_text_is_joined_and_nothing_else_is() -> None:
    call = ToolCallChunk(0, "{}", "1", "f")
    likely = TextChunk("c", {"content": []})
    reasoning, finish = [ReasoningChunk("a"), ReasoningChunk("b")], Finish("stop", 1, 2)
    text = TextChunk("word " * 1000)
    events = [*reasoning, *WORDS, call, call, likely, likely, *WORDS, finish]
    assert list(joined(events)) == [ReasoningChunk("ab"), text, call, call, likely, likely, text, finish]


def test_joined_text_has_the_size_of_a_piece_at_most() -> None:
    pieces = list(joined([TextChunk("x" * 1000)] * 200 + [TextChunk("y" * 3 * PIECE)]))
    sizes = [len(piece.text) for piece in pieces if isinstance(piece, TextChunk)]
    assert sizes == [PIECE] * 6 + [200_000 - 3 * PIECE]


def test_an_answer_is_kept_in_few_pieces_however_many_it_was_written_in() -> None:
    kept = decode_events(encode_events([*WORDS, Finish("stop", 1, 2)]))
    assert list(kept) == [TextChunk("word " * 1000), Finish("stop", 1, 2, vcache=True)]


def test_a_long_text_is_several_chunks_and_an_empty_one_is_one() -> None:
    text = "é" * (2 * PIECE + 1)
    chunks = [chunk.text for chunk in text_chunks(text)]
    assert "".join(chunks) == text
    assert [*map(len, chunks)] == [PIECE, PIECE, 1]
    assert [*text_chunks("")] == [TextChunk("")]
