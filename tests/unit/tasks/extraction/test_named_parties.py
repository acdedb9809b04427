"""Parties that a sentence introduces, in texts of several languages."""

from tasks.extraction.named_parties import named_parties
from tests.conftest import each_case
from tests.filling import OR_NULL, STRING, filled, pasted

LEASE = """This lease is made between Harbour Lets Ltd of 12 Dock Row, Galway H91 X2P4 (hereinafter "the Landlord") and
Mr Ciaran Duffy, residing at 7 Elm Grove, Sligo (hereinafter called "the Tenant")."""
MIETE = """Zwischen Frau Edda Brix, Deichstraße 4, 25746 Heide (nachfolgend „Vermieterin“), und Herrn Knut Ohm, wohnhaft
Am Siel 9, 25761 Büsum (im Folgenden „Mieter“ genannt), wird vereinbart:"""
CONTRAT = """Entre : Atelier Morvan SARL, 8 rue du Port, 56000 Vannes, SIRET 555 123 456 00011, ci-après dénommé
« le Prestataire », et Ville de Lanester, représentée par sa maire Mme Rose Tanguy, ci-après « le Client »."""
INCARICO = """Tra Studio Verdi S.r.l. con sede legale in Via Po 3, 10124 Torino, rappresentata da Dott. Ugo Bassi, di
seguito "Committente", e Mara Pozzi, residente in Via Roma 12, 12100 Cuneo, di seguito "Collaboratrice"."""
UMOWA = """zawarta pomiędzy spółką Sosna sp. z o.o. z siedzibą w Gdyni (81-300) przy ul. Leśnej 2, NIP 5551112223,
reprezentowaną przez prezesa zarządu Ewę Lis, zwaną dalej „Zamawiającym”, a Janem Kosem, zwanym dalej „Wykonawcą”."""


@each_case(
    ("text", "parts"),
    [
        (LEASE, ["Harbour Lets Ltd", "12 Dock Row, Galway H91 X2P4", "Ciaran Duffy", "7 Elm Grove, Sligo"]),
        (MIETE, ["Edda Brix", "Deichstraße 4, 25746 Heide", "Knut Ohm", "Am Siel 9, 25761 Büsum"]),
        (CONTRAT, ["Atelier Morvan SARL", "8 rue du Port, 56000 Vannes", "Ville de Lanester", "Rose Tanguy"]),
        (
            INCARICO,
            ["Studio Verdi S.r.l.", "Ugo Bassi", "Via Po 3, 10124 Torino", "Mara Pozzi", "Via Roma 12, 12100 Cuneo"],
        ),
        (UMOWA, ["Sosna sp. z o.o.", "Ewę Lis", "Gdyni (81-300) przy ul. Leśnej 2", "Janem Kosem"]),
        (
            "Between Ada Holm (the Landlord) of 9 Dock Row, Galway and Ben Ek (the Tenant) of 3 Elm Grove, Sligo.",
            ["Ada Holm", "Ben Ek"],
        ),
        (
            'Between Ada Holm ("the Landlord") of 9 Dock Row, Galway and Marks and Spencer Ltd ("the Tenant").',
            ["Ada Holm", "Marks and Spencer Ltd"],
        ),
        (
            "Between Ada Holm (the Landlord), of 9 Dock Row, Galway, and Ben Ek (the Tenant).",
            ["Ada Holm", "Ben Ek"],
        ),
        (
            'Between Ada Holm BV of 9 Dock Row, Delft (the Netherlands) (hereinafter "the Seller") and Ben Ek.',
            ["Ada Holm BV", "9 Dock Row, Delft"],
        ),
        ("The form is called “the Form” here, and nobody signs it.", []),
    ],
)
def test_a_definition_introduces_the_name_the_address_and_the_representative_before_it(
    text: str, parts: list[str]
) -> None:
    assert [" ".join(text[part.start : part.end].split()) for part in filter(None, named_parties(text))] == parts


async def test_fields_of_a_party_are_copied_from_what_introduces_it() -> None:
    found = await filled(pasted(f"Extract the fields.\n\n{LEASE}"), landlord_name=STRING, tenant_address=OR_NULL)
    assert found == {"landlord_name": "Harbour Lets Ltd", "tenant_address": "7 Elm Grove, Sligo"}


async def test_a_field_called_like_a_party_is_its_name() -> None:
    found = await filled(pasted(f"Extract the fields.\n\n{MIETE}"), vermieter=STRING, mieter_anschrift=STRING)
    assert found == {"vermieter": "Edda Brix", "mieter_anschrift": "Am Siel 9, 25761 Büsum"}


async def test_a_name_in_a_sentence_ends_before_a_small_word() -> None:
    found = await filled(
        pasted("Extract the fields.\n\nThe seller is Nora Quill of 8 Orchard Row, Bath."), seller=STRING
    )
    assert found == {"seller": "Nora Quill"}
