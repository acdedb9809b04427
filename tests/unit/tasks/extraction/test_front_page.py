"""The title and the authors on the first page of a paper."""

from collections.abc import Sequence

from tasks.extraction.front_page import authors_as_objects, read_front_page
from tasks.extraction.passages import passages_to_search
from tasks.precontext import Entry
from tests.conftest import each_case
from tests.entries import entry_of
from tests.unit.tasks.extraction.test_extractor import wanted

BODY = [
    (10, line) for line in ("we count the lanterns of four quays", "and compare them with the tide", "every winter") * 3
]


def page(lines: Sequence[tuple[int, str]]) -> Entry:
    """Return a page of lines, each with the size of its type. Three blanks separate columns."""
    top, shown = 40, []
    for size, text in lines:
        words, left = [], 50
        for column in text.split("   "):
            for word in column.split():
                width = len(word) * size // 2
                words.append({"text": word, "bounds": bounds(left, top, left + width, top + size), "confidence": 1.0})
                left += width + size // 4
            left += 3 * size
        edges = bounds(50, top, left, top + size)
        shown.append({"text": text, "bounds": edges, "average_confidence": 1.0, "words": words})
        top += size + size // 3
    section = {"text": "\n".join(text for _, text in lines), "lines": shown}
    data = {"extracted_text": section["text"], "sections": [section], "width": 1200, "height": 1700}
    return entry_of("ocr", data)


def bounds(left: int, top: int, right: int, bottom: int) -> dict[str, object]:
    corners = {
        "top_left": (left, top),
        "top_right": (right, top),
        "bottom_right": (right, bottom),
        "bottom_left": (left, bottom),
    }
    places = {name: {"x": x, "y": y} for name, (x, y) in corners.items()}
    return {**places, "width": right - left, "height": bottom - top}


@each_case(
    ("head", "title", "authors"),
    [
        (
            [
                (8, "Harbour Studies 12"),
                (24, "Lantern Tides Fade:"),
                (24, "a study of four quays"),
                (12, "Ada Berg1,2, Jon P. Lind2 and Mia van der Roth*"),
            ],
            "Lantern Tides Fade: a study of four quays",
            ["Ada Berg", "Jon P. Lind", "Mia van der Roth"],
        ),
        (
            [
                (24, "A small lamp controller"),
                (12, "Ines Alvarez   Tom Okafor"),
                (11, "University of Porto   Quay Systems Ltd"),
                (11, "ines@up.test"),
            ],
            "A small lamp controller",
            ["Ines Alvarez", "Tom Okafor"],
        ),
        (
            [
                (24, "Counting boats"),
                (12, "Ruth Adler"),
                (12, "Samuel Grünwald, PhD"),
                (11, "Institut für Meereskunde"),
                (13, "Abstract"),
                (12, "Alder Quay"),
            ],
            "Counting boats",
            ["Ruth Adler", "Samuel Grünwald"],
        ),
        ([(24, "Lamps for sale"), (12, "all of them are new")], "Lamps for sale", []),
    ],
)
def test_the_largest_lines_are_the_title_and_the_names_below_it_the_authors(
    head: list[tuple[int, str]], title: str, authors: list[str]
) -> None:
    found = read_front_page(passages_to_search([page([*head, *BODY])]))
    assert found is not None
    assert found.title.text == title
    assert [one.text for one in found.authors] == authors
    assert " ".join(found.passage.words[index] for index in found.title.words) == title


def test_authors_may_be_objects_with_names_or_parts_of_names() -> None:
    paper = page([(24, "Counting boats"), (12, "Ruth Adler, Jon van den Berg"), *BODY])
    asked = [wanted(("authors", name), {"type": "string"}, null=True) for name in ("name", "last_name", "city")]
    found = authors_as_objects(
        read_front_page(passages_to_search([paper])), [paper], {("authors",): asked, ("boats",): asked}
    )
    assert {path: one.rows for path, one in found.items()} == {
        ("authors",): [
            {"name": "Ruth Adler", "last_name": "Adler", "city": None},
            {"name": "Jon van den Berg", "last_name": "van den Berg", "city": None},
        ]
    }
    cell = found["authors",].cells["authors", 1, "last_name"].cell
    assert (cell.text, cell.pointer) == ("van den Berg", "/sections/0/lines/1")
