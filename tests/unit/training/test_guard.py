"""A head that is fitted to some of the data knows the rest: the training works, and the data is worth something."""

import numpy as np
import pytest

from eval.guard_requests import requests_of
from models.safety.text.head import load_head
from tests.conftest import SHARED
from training.guard.contrasts import contrasts
from training.guard.data import REQUESTS, LabelledText, examples, trades
from training.guard.data import SETS as NAMES
from training.guard.fit import best_threshold
from training.guard.fit_gate import LOST, acquitted_below
from training.guard.requests import requests

SETS = SHARED / "data" / "guard"


@pytest.mark.shared
def test_the_head_in_the_package_was_made_from_this_data() -> None:
    if not SETS.is_dir():
        pytest.skip("the sets to train on are not beside this checkout")
    found = examples(SETS)
    unsafe = sum(example.unsafe for example in found)
    assert load_head().about["examples"] == {"unsafe": unsafe, "harmless": len(found) - unsafe}


def test_contrasts_put_what_is_unsafe_and_what_is_not_into_the_same_forms() -> None:
    made = list(contrasts())
    assert made == list(contrasts())
    safe = {text for text, code, _ in made if code is None}
    unsafe = {text for text, code, _ in made if code is not None}
    assert not safe & unsafe
    assert {code for _, code, _ in made} == {None, *(f"S{number}" for number in range(1, 14))}
    assert not [text for text in safe | unsafe if "{" in text]
    for some, others in ((safe, unsafe), (unsafe, safe)):
        beginnings = {text.split()[0] for text in others}
        assert sum(text.split()[0] in beginnings for text in some) > 0.85 * len(some)


def test_ordinary_requests_are_none_that_the_guard_is_measured_on() -> None:
    measured = {text for name in ("ordinary", "alarming", "unsafe") for text, _ in requests_of(name)}
    assert not measured & {text for text, _, _ in requests()}


def test_a_blocked_request_costs_more_than_an_unsafe_text_that_passes() -> None:
    def example(source: str, *, unsafe: bool) -> LabelledText:
        return LabelledText("", unsafe, None, "", "en", source)

    requested = [example(REQUESTS, unsafe=False)] * 10
    found = [example("everyday", unsafe=False), *[example(NAMES[0], unsafe=True)] * 10, *requested]
    odds = np.array([0.0, *[0.9] * 8, *[0.4] * 2, *[0.1] * 9, 0.5])
    assert 0.5 < best_threshold(found, odds) <= 0.9
    odds[-1] = 0.1
    assert 0.1 < best_threshold(found, odds) <= 0.4


def test_a_fifth_of_the_lines_of_trades_is_held_out() -> None:
    held, known = trades(held_out=True), trades(held_out=False)
    assert not {one.text for one in held} & {one.text for one in known}
    assert 0.15 < len(held) / (len(held) + len(known)) < 0.25
    assert {one.language for one in known if one.unsafe} == {one.language for one in known if not one.unsafe}


def test_the_gate_costs_the_head_few_of_its_unsafe_texts() -> None:
    odds = np.linspace(-5, 4.99, 1000)
    kinds, blocked = np.array(["a", "b"] * 500), np.arange(1000) >= 100
    threshold = acquitted_below(odds, kinds, blocked)
    assert LOST - 0.002 < (blocked & (odds < threshold)).mean() <= LOST
