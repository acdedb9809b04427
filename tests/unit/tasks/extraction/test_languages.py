"""What labels in Polish, Swedish, Danish and Norwegian mean."""

from tasks.extraction.concepts import concepts_of, concepts_of_field
from tasks.extraction.folding import fold
from tests.conftest import each_case


@each_case(
    ("label", "concept"),
    [
        ("Termin płatności", "due_date"),
        ("Do zapłaty", "total"),
        ("Miejsce urodzenia", "birth_place"),
        ("Förfallodatum", "due_date"),
        ("Att betala", "total"),
        ("Org.nr", "registration"),
        ("Forfaldsdato", "due_date"),
        ("I alt", "total"),
        ("Fødselsdato", "birth"),
        ("Å betale", "total"),
    ],
)
def test_a_label_in_a_further_language_names_its_concept(label: str, concept: str) -> None:
    assert concepts_of(tuple(fold(label))) == {concept}


@each_case(
    ("key", "concept"),
    [
        ("termin_platnosci", "due_date"),
        ("imie", "first_name"),
        ("forfallodatum", "due_date"),
        ("fodselsdato", "birth"),
        ("strasse", "street"),
    ],
)
def test_the_keys_of_fields_have_no_accents(key: str, concept: str) -> None:
    assert concepts_of_field(tuple(key.split("_"))) == {concept}
