"""A label of just the field's meaning counts, also after the value."""

import numpy as np
import pytest

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.concept_labels import CONCEPT_BONUS, ConceptLabels
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_of
from tests.unit.tasks.extraction.test_evidence import ocr


@pytest.mark.parametrize(
    ("name", "type_", "lines", "preferred"),
    [
        pytest.param("bedrooms", "integer", ["164.500 €", "3 bedrooms", "1 baño"], {"3"}, id="after the number"),
        pytest.param("bathrooms", "integer", ["164.500 €", "3 hab.", "2 baños"], {"2"}, id="in another language"),
        pytest.param("year_built", "integer", ["Construido en 1978", "Planta 4"], {"1978"}, id="before it"),
        pytest.param("year_built", "integer", ["Built of stone", "Floor 4"], set(), id="nowhere"),
        pytest.param("odd_thing", "integer", ["3 bedrooms"], set(), id="a field that means nothing known"),
        pytest.param("gnomes", "integer", ["- 3 gnomes, 12 ducks"], {"3"}, id="its own name after it"),
        pytest.param("gnomes", "integer", ["Garden: yes, ducks 12, gnomes ca. 3."], {"3"}, id="its own name before it"),
    ],
)
def test_the_place_is_preferred_whose_label_has_the_fields_meaning(
    name: str, type_: str, lines: list[str], preferred: set[str]
) -> None:
    candidates = all_of(find_candidates(passages_of([ocr(*lines)])))
    schema = {"type": type_}
    logits = np.zeros(len(candidates.spans) + 1, np.float32)
    ConceptLabels(candidates).prefer(logits, field_text(schema, names_of((name,), schema)))
    assert {span.text for span, logit in zip(candidates.spans, logits, strict=False) if logit > 0} == preferred
    assert logits[-1] == (-CONCEPT_BONUS if preferred else 0)
