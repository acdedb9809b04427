"""Scores of the leaves of an answer."""

from eval.replay.scoring import Leaf, scored


def test_each_leaf_of_the_truth_gets_a_verdict() -> None:
    truth = {"name": "Corner Bakery", "total": {"any": [27.25, 27]}, "tax": 1.5, "tip": None, "phone": "555"}
    answer = {"name": "corner bakery.", "total": 27, "tax": 2.5, "tip": 1}
    assert [*scored(answer, truth)] == [
        Leaf("/name", "right", "corner bakery.", "Corner Bakery"),
        Leaf("/total", "right", 27, {"any": [27.25, 27]}),
        Leaf("/tax", "wrong", 2.5, 1.5),
        Leaf("/tip", "invented", 1, None),
        Leaf("/phone", "missed", None, "555"),
    ]


def test_rows_are_paired_by_their_right_leaves() -> None:
    truth = {"items": [{"name": "Pen", "price": 1.2}, {"name": "Ink", "price": None}, {"name": "Cap", "price": 9}]}
    answer = {"items": [{"name": "Ink", "price": None}, {"name": "Pen", "price": 1.2}]}
    found = [(leaf.pointer, leaf.verdict) for leaf in scored(answer, truth)]
    assert found == [
        ("/items/1/name", "right"),
        ("/items/1/price", "right"),
        ("/items/0/name", "right"),
        ("/items/0/price", "right"),
        ("/items/2/name", "missed"),
        ("/items/2/price", "missed"),
    ]


def test_a_row_too_many_is_invented_without_its_empty_leaves() -> None:
    truth = {"items": [{"name": "Pen", "price": 1}]}
    answer = {"items": [{"name": "Pen", "price": 1}, {"name": "Sum", "price": None}]}
    assert [leaf.verdict for leaf in scored(answer, truth)] == ["right", "right", "invented"]


def test_a_list_of_texts_is_a_set() -> None:
    found = [(leaf.pointer, leaf.verdict) for leaf in scored({"skills": ["Go", "C"]}, {"skills": ["Python", "Go"]})]
    assert found == [("/skills/0", "missed"), ("/skills/0", "right"), ("/skills/1", "invented")]
