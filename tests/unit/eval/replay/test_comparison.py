"""The comparison of two results."""

from dataclasses import replace

from eval.replay.answers import ScoredLeaf, ScoredPaper
from eval.replay.comparison import change, paired, report, totals, verdict
from eval.replay.scoring import Verdict


def paper(name: str, *verdicts: Verdict, seconds: float = 0.1, own: str = "develop", sure: float = 0.5) -> ScoredPaper:
    return ScoredPaper(own, name, tuple(ScoredLeaf(one, sure) for one in verdicts), seconds + 0.2, 0.2)


def test_totals_count_verdicts_and_sure_fields_that_are_not_right() -> None:
    papers = [paper("a", "right", "wrong", sure=0.9), paper("b", "missed", "invented", "right", seconds=0.3)]
    found = totals(papers)
    assert (found.right, found.wrong, found.missed, found.invented) == (2, 1, 1, 1)
    assert (found.sure, found.sure_and_wrong, found.share, round(found.seconds, 6)) == (2, 1, 0.4, 0.2)


def test_papers_are_paired_by_set_and_name() -> None:
    one, other = paper("a", "right"), paper("a", "wrong", own="new")
    assert paired([one, other, paper("b", "right")], [replace(other, seconds=1.0), one]) == [
        (one, one),
        (other, replace(other, seconds=1.0)),
    ]


def test_an_equal_change_of_every_paper_has_no_spread() -> None:
    pairs = [(paper(name, "right", "wrong"), paper(name, "right", "right")) for name in "abc"]
    found = change(pairs)
    assert (found.mean, found.low, found.high) == (0.5, 0.5, 0.5)


def test_the_gate_holds_for_what_is_as_good() -> None:
    pairs = [(paper(name, "right", "wrong"),) * 2 for name in "abc"]
    assert verdict(pairs) == (
        "The gate holds: lower bound +0.00% ≥ -0.5%; wrong at ≥ 0.9: 0 ≤ 0; 0.10 s ≤ 0.3 s a paper, "
        "and 0.20 s of engines, before 0.20 s"
    )


def test_the_gate_names_each_condition_that_fails() -> None:
    pairs = [(paper(name, "right"), paper(name, "wrong", seconds=0.5, sure=0.95)) for name in "abc"]
    assert verdict(pairs) == (
        "The gate DOES NOT HOLD: NOT lower bound -100.00% ≥ -0.5%; NOT wrong at ≥ 0.9: 3 ≤ 0; "
        "NOT 0.50 s ≤ 0.3 s a paper, and 0.20 s of engines, before 0.20 s"
    )


def test_a_report_names_no_paper_of_a_closed_set() -> None:
    before = [paper("open", "wrong"), paper("hidden", "wrong", own="measure")]
    after = [paper("open", "right"), paper("hidden", "right", own="measure")]
    told = "\n".join(report(before, after))
    assert "+1 right: develop/open (0 → 1 of 1 → 1)" in told
    assert "hidden" not in told
