"""The keys that a prompt names for the JSON that it asks for."""

import pytest

from app.chat.planning.described_json import schema_of_named_keys

TEXT, NUMBER = ["string", "null"], ["number", "null"]


@pytest.mark.parametrize(
    ("prompt", "types"),
    [
        ("Extract the invoice number and the total as JSON.", {"invoice_number": TEXT, "total": NUMBER}),
        ("Return JSON with the keys number, vendor and total.", {"number": TEXT, "vendor": TEXT, "total": NUMBER}),
        ("Give me a JSON object with keys town and height_m for Zermatt.", {"town": TEXT, "height_m": TEXT}),
        ("Produce a JSON object with keys 'town' and 'height_m' for Zermatt.", {"town": TEXT, "height_m": TEXT}),
        ("Answer in JSON: `shop name` (string), `points` (number)", {"shop name": TEXT, "points": NUMBER}),
        ("Extrahiere die Rechnungsnummer und den Betrag als JSON.", {"Rechnungsnummer": TEXT, "Betrag": NUMBER}),
        ("提取发票号码和总额，以JSON返回。", {"发票号码": TEXT, "总额": TEXT}),
    ],
)
def test_names_in_a_prompt_are_keys(prompt: str, types: dict[str, list[str]]) -> None:
    schema = schema_of_named_keys(prompt)
    assert schema is not None
    assert {key: field["type"] for key, field in schema["properties"].items()} == types


@pytest.mark.parametrize("prompt", ["Return a JSON object.", "Reply in JSON only.", "Extract everything as JSON.", ""])
def test_a_prompt_that_names_nothing_has_no_keys(prompt: str) -> None:
    assert schema_of_named_keys(prompt) is None


@pytest.mark.parametrize("gap", [" ", "\t", ", ", "'", "(", "_"])
def test_long_prompts_are_searched_fast(gap: str) -> None:
    """Quadratic, a run of half a million characters would take hours, longer than a test may."""
    schema_of_named_keys(f"total{gap * (500_000 // len(gap))}date")
