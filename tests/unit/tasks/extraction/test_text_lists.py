"""Lists of texts after the name of the list."""

from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tasks.extraction.text_lists import named_list
from tasks.precontext import Entry
from tasks.result import JsonResult
from tests.conftest import each_case


@each_case(
    ("line", "items"),
    [
        ("Guests: Stephen King, Henry Ford, Mary Shelley", ["Stephen King", "Henry Ford", "Mary Shelley"]),
        ("Guests: grand piano, heavy drums; golden yellow", ["grand piano, heavy drums", "golden yellow"]),
        ("Guests: Ann, Bob and Carla", ["Ann", "Bob", "Carla"]),
        ("Guests: Anna, Bert, und Carla", ["Anna", "Bert", "Carla"]),
        ("Guests: Research and Development", ["Research and Development"]),
    ],
)
def test_the_items_of_a_line_are_as_they_are_printed(line: str, items: list[str]) -> None:
    [passage] = passages_to_search([Entry("ocr", JsonResult({"text": line}))])
    found = named_list(passage, names_of(("guests",), {}))
    assert [item.text for item in found] == items
    for item in found:
        assert " ".join(passage.words[word] for word in item.words).rstrip(",;") == item.text
