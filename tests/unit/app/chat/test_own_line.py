"""A pasted line that is the whole message is the user's own words, and no document."""

from app.chat.answer import _LONGEST_LINE, _is_one_line
from app.chat.inputs import entry_of_user_texts
from app.wire.request import ChatRequest
from tests.conftest import each_case


@each_case(
    "pasted, message, is_own",
    [
        ("Book a table for four at seven.", "Book a table for four at seven.", True),
        (" Book a table for four.\n", "Book a table for four.", True),
        ("Total: 12.50", "Total: 12.50", False),
        ("Invoice\n12.50", "Invoice\n12.50", False),
        ("Book a table.", "Book a table. Thanks", False),
        ("a" * (_LONGEST_LINE + 1), "a" * (_LONGEST_LINE + 1), False),
    ],
)
def test_a_line_without_a_label_is_the_users_own(pasted: str, message: str, is_own: bool) -> None:
    request = ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": pasted}]})
    assert _is_one_line(entry_of_user_texts(request), message) is is_own
