"""How the ways to fill a list agree."""

from tasks.extraction.agreement import Agreement, agreements

TABLE = [{"item": "Rye bread", "price": 5.2}, {"item": "Butter", "price": 7.5}]


def test_a_value_agrees_with_the_same_field_of_other_ways() -> None:
    records = [{"item": "rye bread", "price": 5.2}]
    network = [{"item": "Butter", "price": 5.2}, {"item": "Rye bread", "price": 1.0}]
    first, second = agreements(TABLE, [records, network])
    assert first == {"item": Agreement(2, 2, 0), "price": Agreement(2, 2, 0)}
    assert second == {"item": Agreement(2, 1, 0), "price": Agreement(2, 0, 0)}


def test_another_field_with_the_value_speaks_against_it() -> None:
    shifted = [{"item": 5.2, "price": "Rye bread"}, {"item": "Butter", "price": None}]
    first, second = agreements(TABLE, [shifted])
    assert first == {"item": Agreement(1, 0, 1), "price": Agreement(1, 0, 1)}
    assert second == {"item": Agreement(1, 1, 0), "price": Agreement(1, 0, 0)}


def test_a_way_without_rows_is_not_compared() -> None:
    assert agreements(TABLE[:1], [[]]) == [{"item": Agreement(), "price": Agreement()}]


def test_an_empty_value_is_not_compared() -> None:
    assert agreements([{"item": "", "price": None}], [TABLE]) == [{}]
