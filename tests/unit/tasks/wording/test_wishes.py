"""The model of wishes: its features, its file and its labels."""

from pathlib import Path

import numpy as np
import pytest

from tasks.wording.message import Message, split_message
from tasks.wording.wishes import LABELS, WishModel, features_of, wishes_in
from tests.conftest import each_case

TOTAL = split_message("What is the total of this receipt?")


@each_case(
    ("message", "kinds"),
    [
        (split_message("What is the total of this receipt?\n```\n12 euros\n```"), ("image",)),
        (Message("What is the", "total of this receipt?"), ("image",)),
        (TOTAL, ()),
        (TOTAL, ("audio",)),
    ],
)
def test_the_kinds_of_inputs_and_the_parts_of_a_message_are_features(message: Message, kinds: tuple[str, ...]) -> None:
    assert set(features_of(message, kinds)[0].tolist()) != set(features_of(TOTAL, ("image",))[0].tolist())


def test_a_schema_is_a_feature() -> None:
    with_schema = features_of(TOTAL, ("image",), has_schema=True)[0]
    assert set(with_schema.tolist()) > set(features_of(TOTAL, ("image",))[0].tolist())


def test_a_file_with_other_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wishes.npz"
    np.savez(path, labels=np.array(["translate"]))
    with pytest.raises(ValueError, match=r"wishes\.npz has other labels"):
        WishModel.load(path)


def test_a_message_wishes_what_is_likely_or_else_the_likeliest() -> None:
    unlikely = dict.fromkeys(LABELS, 0.1)
    assert wishes_in({**unlikely, "value": 0.9, "bare": 0.5}) == {"value", "bare"}
    assert wishes_in({**unlikely, "value": 0.2}) == {"value"}
    assert wishes_in({**unlikely, "value": 0.2, "material": 0.9}) == {"value"}
