"""The names of lists and the headings above records."""

from tasks.extraction.names import names_of
from tasks.extraction.records.fields import SAME_TOPIC, heading_likeness
from tests.conftest import each_case


@each_case(
    ("name", "heading", "has_topic"),
    [("jobs", "Berufserfahrung", True), ("education", "Ausbildung", True), ("jobs", "Ausbildung", False)],
)
def test_a_heading_names_a_list_of_the_same_topic(name: str, heading: str, has_topic: bool) -> None:
    assert (heading_likeness(names_of((name,), {"type": "array"}), heading) >= SAME_TOPIC) == has_topic
