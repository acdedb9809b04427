"""Values of fields that the results of tasks give."""

from tasks.from_results.given import copy_with_results, given_values
from tasks.from_results.whole_results import TaskResult, TaskResults
from tasks.wording.options import TaskOptions
from tests.kit.papers.filling import STRING
from tests.kit.papers.read_pages import ocr

PAGE = ocr("Opening hours", "9 to 17")
READ = TaskResults([TaskResult("ocr", TaskOptions(), PAGE.result)], reads_out=True, has_text=True)
SCHEMA = {
    "type": "object",
    "properties": {"full_text": STRING, "kind": {"const": "notice"}},
}


def test_a_field_that_is_called_after_a_whole_text_has_it() -> None:
    given = given_values(SCHEMA, READ)
    assert (given.singles, given.lists) == ({("full_text",): "Opening hours\n9 to 17"}, {})
    assert given_values(SCHEMA, TaskResults()).singles == {}


def test_a_result_that_the_schema_forbids_is_not_given() -> None:
    schema = {"type": "object", "properties": {"full_text": {"type": "string", "maxLength": 5}}}
    assert given_values(schema, READ).singles == {}


def test_given_values_are_copied_beside_what_the_schema_states() -> None:
    copied = copy_with_results(SCHEMA, READ, [PAGE], None)
    assert copied.values == {("full_text",): "Opening hours\n9 to 17", ("kind",): "notice"}
    assert list(copied.from_results) == []
