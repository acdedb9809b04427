"""Blocks of a heading, values with labels, and a text."""

from typing import Any

from tasks.extraction.headed_blocks import headed_blocks
from tests.lists_in_text import TEXT, list_in
from tests.unit.tasks.extraction.test_steps_of_readers import placed, wanted_in

SUBJECTS = """PUPIL REPORT OF MAY

HISTORY          Grade: B       Effort: 2
Writes with care. Aim: more dates.

MUSIC            Grade: A       Effort: 1
Sings in the choir and
plays the horn.

Clubs: chess and rowing
"""
AREAS = """NORTH BAY TO GULL HEAD
Wind: SW 4 or 5, later W 3.  Sea: slight.
Weather: drizzle.  Visibility: poor.

GULL HEAD
Wind: W 5 to 7.  Sea: rough.
Weather: showers.  Visibility: good.
"""


def items(text: str, **columns: Any) -> Any:
    found = list_in(text, "items", **columns)
    return [tuple(one.values()) for one in found or ()]


def test_a_subject_has_its_marks_beside_it_and_a_remark_below() -> None:
    columns = {"subject": TEXT, "grade": TEXT, "effort": TEXT, "remark": TEXT}
    assert items(SUBJECTS, **columns) == [
        ("HISTORY", "B", "2", "Writes with care. Aim: more dates."),
        ("MUSIC", "A", "1", "Sings in the choir and plays the horn."),
    ]


def test_sentences_with_labels_below_a_heading_are_its_values() -> None:
    columns = dict.fromkeys(("area", "wind", "sea", "weather", "visibility"), TEXT)
    assert items(AREAS, **columns) == [
        ("NORTH BAY TO GULL HEAD", "SW 4 or 5, later W 3", "slight", "drizzle", "poor"),
        ("GULL HEAD", "W 5 to 7", "rough", "showers", "good"),
    ]


def test_headings_without_labels_that_name_fields_are_no_items() -> None:
    passage = placed(AREAS)
    columns = [wanted_in("services")]
    assert not any(headed_blocks(passage, columns))


def test_a_single_block_is_no_list() -> None:
    columns = dict.fromkeys(("area", "wind", "sea", "weather", "visibility"), TEXT)
    assert items(AREAS.split("\n\n")[0], **columns) == []
