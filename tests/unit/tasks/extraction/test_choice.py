"""The value that is chosen among the places of a field."""

import numpy as np
import pytest

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.choice import choose_values
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tasks.extraction.probability import FieldScores
from tests.unit.tasks.extraction.test_evidence import ocr

LINE = "27 rue des Halles, 71740 Chauffreuil"


@pytest.mark.parametrize(("is_read", "value"), [(True, "Chauffreuil"), (False, LINE)])
def test_a_whole_line_replaces_a_piece_only_if_no_encoder_has_found_its_ends(is_read: bool, value: str) -> None:
    entries = [ocr("Cabinet", LINE)]
    candidates = all_of(find_candidates(all_of(passages_to_search(entries))))
    schema = {"type": "string"}
    field = WantedField(("city",), schema, names_of(("city",), schema), lambda _: True)
    likely = {"Chauffreuil": 3.0, LINE: 2.9, "71740 Chauffreuil": 2.8}
    logits = np.array([[*(likely.get(span.text, -9.0) for span in candidates.spans), -9.0]], np.float32)
    scored = FieldScores(candidates, [field], logits, entries, is_read=is_read)
    assert all_of(choose_values(scored))["city",].value == value
