"""Evidence of values whose place is known."""

from tasks.extraction.decisions import Decision
from tasks.extraction.evidence import evidence_at, evidence_of_decision
from tasks.extraction.passages import passages_to_search
from tests.kit.papers.read_pages import ocr


def test_a_contradicted_match_says_where_it_stands_and_has_a_low_score() -> None:
    [passage] = passages_to_search([ocr("Receipt", "Cash 10.00")])
    found = evidence_at(passage, [2], "exact", 1.0, "other", "Cash")
    assert (found["precontext"], found["pointer"], found["text"]) == (0, "/sections/0/lines/1", "10.00")
    assert (found["match"], found["score"], found["label"], found["label_text"]) == ("exact", 0.3, "other", "Cash")
    assert found["bounds"]["top_left"] == {"x": 50, "y": 30}
    assert "probability" not in found


def test_a_choice_is_exact_where_its_words_spell_it_and_derived_where_they_imply_it() -> None:
    page = ocr("Paid by card")
    [passage] = passages_to_search([page])
    spelt = evidence_of_decision(Decision("Card", 0.9, passage, (2,), page), None, [page])
    assert (spelt["text"], spelt["match"], spelt["score"], spelt["probability"]) == ("card", "exact", 1.0, 0.9)
    meant = evidence_of_decision(Decision(True, 0.8, passage, (0,), page), None, [page])
    assert (meant["text"], meant["match"], meant["score"]) == ("Paid", "normalised", 0.95)
    derived = evidence_of_decision(Decision(True, 0.8, passage, (0,), page, is_derived=True), None, [page])
    assert (derived["match"], derived["probability"]) == ("derived", 0.8)
