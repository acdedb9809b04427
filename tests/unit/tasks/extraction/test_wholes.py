"""Fields for parts of a value, and the fields for the whole values that contain them."""

from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.wholes import whole_of


def test_the_whole_of_several_parts_is_the_same_in_every_process() -> None:
    """The order of a field's concepts in memory, which differs between processes, does not decide."""
    ends = {}
    for person in ("first_name", "last_name"):
        for place in ("city", "postcode", "state"):
            name = f"{person}_{place}_address"
            field = field_text({"type": "string"}, names_of((name,), {"type": "string"}))
            assert {person, place} <= field.concepts
            whole = whole_of(field)
            ends[person, place] = whole and whole.names.own[0][-1]
    assert ends == {
        ("first_name", "city"): "address",
        ("first_name", "postcode"): "name",
        ("first_name", "state"): "name",
        ("last_name", "city"): "address",
        ("last_name", "postcode"): "name",
        ("last_name", "state"): "name",
    }
