"""Institutions whose names say what they are."""

from tasks.extraction.institutions import kinds_asked
from tasks.extraction.names import names_of
from tests.conftest import each_case
from tests.filling import OR_NULL, filled, pasted

WATER = (
    "Certificate of Analysis\nTarnbeck Water Laboratory Ltd\nUnit 6, Old Creamery Yard, Tarnbeck\n"
    "Certificate no. TWL/25/1187\nIssued 9 October 2025\nParameter Unit Result\nIron mg/l 0.20\nZinc mg/l 0.9"
)
BLOOD = (
    "CLÍNICA VETERINARIA EL ALMENDRO\nC/ Pintor Maella, 31 bajo\nANALÍTICA SANGUÍNEA\nPaciente: TRUFA\n"
    "Fecha extracción: 06/10/2025\nHematíes 7,12\nPlaquetas 233"
)
STATEMENT = (
    "Rechnungsabschluss\nRaiffeisenkasse Moorwarfen\nEnno Tjarks\nZeitraum 01.07.2026 bis 30.09.2026\n"
    "Sollzinsen 3,50\nEntgelte 12,00"
)
REPORT = "Laboratorio Analisi San Zeno S.r.l.\nSig.ra Fiammetta Corradin\nGlobuli rossi 4,9\nEmoglobina 13,1"


@each_case(
    ("key", "around", "kinds"),
    [
        ("clinic", (), ("clinic",)),
        ("clinic_name", (), ("clinic",)),
        ("name", ("clinic",), ("clinic",)),
        ("clinica", (), ("clinic",)),
        ("nombreClinica", (), ("clinic",)),
        ("clinic_address", (), ()),
        ("clinic_phone", (), ()),
        ("name", (), ()),
        ("patient", (), ()),
        ("Försäkringsbolag", (), ("insurer",)),
    ],
)
def test_a_field_asks_for_institutions_by_the_whole_of_its_name(
    key: str, around: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    assert kinds_asked(names_of((*around, key), {"type": "string"})) == kinds


@each_case(
    ("paper", "key", "name"),
    [
        (WATER, "laboratory", "Tarnbeck Water Laboratory Ltd"),
        (BLOOD, "clinica", "CLÍNICA VETERINARIA EL ALMENDRO"),
        (STATEMENT, "bank", "Raiffeisenkasse Moorwarfen"),
        ("Dina recept\nApotek Linnéa\nGun-Britt Sjöstrand\nUttag kvar 3", "apotek", "Apotek Linnéa"),
    ],
)
async def test_an_institution_without_a_label_is_found_by_its_name(paper: str, key: str, name: str) -> None:
    assert await filled(pasted(paper), **{key: OR_NULL}) == {key: name}


async def test_the_first_word_of_an_institutions_name_is_not_its_label() -> None:
    found = await filled(pasted(REPORT), laboratorio=OR_NULL)
    assert found == {"laboratorio": "Laboratorio Analisi San Zeno S.r.l"}


@each_case(
    ("paper", "key", "value"),
    [
        ("Northgate Insurance Brokers\nInsurer: Aldermoor & Sons\nPremium: 120.00", "insurer", "Aldermoor & Sons"),
        ("Employer: Acme Ltd\nInstitute of Directors Leeds\nSalary: 120.00", "employer", "Acme Ltd"),
        ("Bank: Commerzbank\nSparkasse Nord\nKonto: 4711", "bank", "Commerzbank"),
        ("Leeds University\nInstitution: ETH\nDegree: MSc", "institution", "ETH"),
    ],
)
async def test_a_label_names_an_institution_of_any_name(paper: str, key: str, value: str) -> None:
    assert await filled(pasted(paper), **{key: OR_NULL}) == {key: value}


@each_case(
    ("paper", "key"),
    [
        ("Laboratory Report\nPatient: Ada Holm\nIron 0.20", "laboratory"),
        ("Commercial Bank Statement\nHolder: Ada Holm\nBalance: 120.00", "bank"),
        ("Anna Holm\n12 Market Street\nMilk 1.29\nTotal 1.29", "shop_name"),
        ("Travel Itinerary\nLeeds to York, 12:00", "travel_agency"),
        ("Konto 4711\nKasselweg Zwei\nSaldo 12,00", "bank"),
    ],
)
async def test_headings_and_streets_are_not_names_of_institutions(paper: str, key: str) -> None:
    found = await filled(pasted(paper), **{key: OR_NULL})
    assert found[key] not in paper.splitlines()
