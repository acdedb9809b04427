"""Cards and forms with known fields, drawn as such papers are printed: labels in small print above the value, in two
languages, below a rule, inside a cell with a number, and characters in the cells of a comb.

Every person, number and address is made up. Half of the kinds (`HELD_OUT`) are for measuring alone: nothing is tuned on
them.
"""

# Rows of data are kept whole.
# ruff: noqa: E501

import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.pages import typeface_of

Row = tuple[str, str, Any]
"""A field's key, its type (`s` text, `d` day, `n` number, `b` boolean, `e` enum with `|`; `?` may be null), its truth."""

TYPES = {"s": "string", "d": "string", "n": "number", "b": "boolean", "e": "string"}
FIRST = (
    "Ngozi",
    "Mateusz",
    "Élodie",
    "Jörg",
    "Inés",
    "Luca",
    "Sanne",
    "Dilara",
    "Thandiwe",
    "Håkan",
    "Beatriz",
    "Oskar",
)
SECOND = ("Amara", "Piotr", "Claire", "Heinz", "María", "Paolo", "Johanna", "Selin", "Ruth", "Erik", "Luísa", "Emil")
LAST = ("Okafor", "Wiśniewski", "Lefèvre", "Grünwald", "Ortega Ruiz", "Bellini", "Van Houten", "Yıldırım", "Dlamini",
        "Bergström", "Carvalho", "Lindqvist")  # fmt: skip
CITIES = {
    "de": ("Bremen", "Kassel", "Freiburg", "Rostock"),
    "fr": ("Limoges", "Nantes", "Dijon", "Annecy"),
    "es": ("Zaragoza", "Murcia", "Vigo", "Cádiz"),
    "it": ("Bergamo", "Lecce", "Trieste", "Perugia"),
    "nl": ("Zwolle", "Breda", "Almere", "Delft"),
    "en": ("Norwich", "Bristol", "Swansea", "Leeds"),
    "us": ("Fresno", "Tulsa", "Boise", "Dayton"),
}
COUNTRIES = ("NGA", "TUR", "BRA", "IND", "UKR", "KEN", "VNM", "MAR")
STREETS = {
    "de": ("Ahornweg", "Lindenstraße", "Am Markt"),
    "fr": ("rue des Tilleuls", "avenue Foch", "rue Haute"),
    "es": ("Calle Mayor", "Calle del Sol", "Avenida Norte"),
    "it": ("Via Verdi", "Via Garibaldi", "Viale Europa"),
    "nl": ("Kerkstraat", "Molenweg", "Dorpsplein"),
    "en": ("Mill Lane", "Station Road", "High Street"),
    "us": ("Oak Street", "Main Street", "Cedar Avenue"),
}
FACES = ("sans", "serif", "sans", "times")


@dataclass(frozen=True)
class MadeCard:
    kind: str
    picture: bytes
    prompt: str
    schema: dict[str, Any]
    truth: dict[str, Any]


class Sheet:
    """Paper of a card or a form; a text is placed by its upper left corner and its size."""

    def __init__(self, rng: random.Random, width: int, height: int, paper: str = "white") -> None:
        self.rng = rng
        self.face = rng.choice(FACES)
        self.image = Image.new("RGB", (width, height), paper)
        self._draw = ImageDraw.Draw(self.image)
        self.rows: list[Row] = []

    def say(self, x: float, y: float, text: str, size: int, *, bold: bool = False, ink: str = "#1a1a1a") -> float:
        face = ("sans-bold" if self.face == "sans" else "serif-bold") if bold else self.face
        self._draw.text((x, y), text, ink, typeface_of(face, size))
        return x + self.width_of(text, size)

    def width_of(self, text: str, size: int) -> float:
        return typeface_of(self.face, size).getlength(text)

    def box(self, x: float, y: float, width: float, height: float, line: int = 1, fill: str | None = None) -> None:
        self._draw.rectangle((x, y, x + width, y + height), fill, "#444444", line)

    def rule(self, x: float, y: float, end: float) -> None:
        self._draw.line((x, y, end, y), "#333333", 1)

    def waves(self, ink: str) -> None:
        """Draw the light lines of a card's background."""
        width, height = self.image.size
        for top in range(-40, height, 14):
            points = [(x, top + 18 * np.sin(x / 70 + top / 40)) for x in range(0, width, 12)]
            self._draw.line(points, ink, 1)

    def portrait(self, x: float, y: float, width: float, height: float) -> None:
        self._draw.rectangle((x, y, x + width, y + height), "#c3c9cf")
        self._draw.ellipse((x + width * 0.28, y + height * 0.18, x + width * 0.72, y + height * 0.6), "#8d949b")
        self._draw.ellipse((x + width * 0.1, y + height * 0.62, x + width * 0.9, y + height * 1.2), "#79818a")
        self._draw.rectangle((x, y + height, x + width, y + height * 1.21), self.image.getpixel((2, 2)))

    def above(self, x: float, y: float, label: str, value: str, small: int, size: int) -> float:
        """Draw a label in small print above its value, and return where the next line begins."""
        for line in label.split("\n"):
            self.say(x, y, line, small, ink="#40464d")
            y += 1.2 * small
        for line in value.split("\n"):
            self.say(x, y + 2, line, size)
            y += 1.25 * size
        return y + 0.5 * size

    def cell(self, place: tuple[float, float, float, float], label: str, value: str, small: int, size: int) -> None:
        x, y, width, height = place
        self.box(x, y, width, height)
        lines = label.split("\n")
        for at, line in enumerate(lines):
            self.say(x + 5, y + 3 + 1.2 * small * at, line, small)
        top = max(y + 6 + 1.2 * small * len(lines), y + height - size * 1.3 * (1 + value.count("\n")) - 4)
        for at, line in enumerate(value.split("\n")):
            self.say(x + 14, top + 1.25 * size * at, line, size)

    def comb(self, x: float, y: float, text: str, cells: int, pitch: float, size: int, *, open_top: bool) -> None:
        """Draw a comb with a character of `text` in each cell."""
        for at in range(cells):
            left = x + at * pitch
            if open_top:
                self._draw.line((left, y + size * 0.9, left, y + size * 1.45), "#555555", 1)
            else:
                self.box(left, y, pitch, size * 1.45)
            if at < len(text) and text[at] != " ":
                letter = text[at]
                self.say(left + (pitch - self.width_of(letter, size)) / 2, y + size * 0.12, letter, size)
        if open_top:
            self.rule(x, y + size * 1.45, x + cells * pitch)
            self._draw.line((x + cells * pitch, y + size * 0.9, x + cells * pitch, y + size * 1.45), "#555555", 1)

    def tick(self, x: float, y: float, size: int, *, ticked: bool) -> None:
        """Draw a cross or a tick without a box."""
        if not ticked:
            return
        if self.rng.random() < 0.5:
            self._draw.line((x, y, x + size, y + size), "#101050", 3)
            self._draw.line((x + size, y, x, y + size), "#101050", 3)
        else:
            points = [(x, y + size / 2), (x + size / 3, y + size), (x + size, y)]
            self._draw.line(points, "#101050", 3)

    def field(self, key: str, kind: str, value: Any) -> None:
        self.rows.append((key, kind, value))

    def done(self, kind: str, prompt: str) -> MadeCard:
        """Return the sheet as a photo or a scan, a little turned, with grain."""
        rng, picture = self.rng, self.image
        turn = rng.choice((0, 0, 0.4, -0.7, 1.2, -1.8))
        if turn:
            picture = picture.rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor="#d8d4cc")
        picture = picture.filter(ImageFilter.GaussianBlur(rng.choice((0, 0.4, 0.7))))
        grain = np.random.default_rng(rng.randrange(9999)).normal(0, rng.choice((0, 4, 8)), (*picture.size[::-1], 1))
        pixels = np.clip(np.asarray(picture, np.float64) + grain, 0, 255).round().astype(np.uint8)
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "JPEG", quality=rng.choice((60, 75, 88)))
        schema = {
            "type": "object",
            "properties": {key: _schema_of(told) for key, told, _ in self.rows},
            "required": [key for key, _, _ in self.rows],
            "additionalProperties": False,
        }
        return MadeCard(kind, data.getvalue(), prompt, schema, {key: value for key, _, value in self.rows})


def _schema_of(told: str) -> dict[str, Any]:
    kind, _, options = told.partition(":")
    plain = TYPES[kind[0]]
    found: dict[str, Any] = {"type": [plain, "null"] if kind.endswith("?") else plain}
    if kind[0] == "d":
        found["format"] = "date"
    if kind[0] == "e":
        found["enum"] = [*options.split("|"), *([None] if kind.endswith("?") else [])]
    return found


@dataclass(frozen=True)
class _Person:
    given: str
    surname: str
    birth: date
    sex: str

    @classmethod
    def of(cls, rng: random.Random) -> "_Person":
        given = rng.choice(FIRST) + (f" {rng.choice(SECOND)}" if rng.random() < 0.5 else "")
        return cls(given, rng.choice(LAST), date(1950, 1, 1) + timedelta(rng.randrange(20_000)), rng.choice("MF"))


def _day(rng: random.Random, first: int, last: int) -> date:
    return date(rng.randint(first, last), rng.randint(1, 12), rng.randint(1, 28))


def _digits(rng: random.Random, count: int) -> str:
    return str(rng.randint(1, 9)) + "".join(str(rng.randrange(10)) for _ in range(count - 1))


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(count))


def _money(rng: random.Random, most: int) -> float:
    return rng.randint(1000, most * 100) / 100


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}"


def _euros(amount: float) -> str:
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


PERMITS = {
    "de": ("AUFENTHALTSTITEL", "NAME, VORNAMEN", "GÜLTIG BIS", "ART DES TITELS", "ORT UND DATUM DER AUSSTELLUNG",
           "ANMERKUNGEN", "STAATSANGEHÖRIGKEIT", "GEBURTSDATUM", "GESCHLECHT",
           ("NIEDERLASSUNGSERLAUBNIS", "AUFENTHALTSERLAUBNIS", "BLAUE KARTE EU"), "ERWERBSTÄTIGKEIT GESTATTET"),
    "fr": ("TITRE DE SÉJOUR", "NOM, PRÉNOMS", "VALABLE JUSQU'AU", "TYPE DE TITRE", "LIEU ET DATE DE DÉLIVRANCE",
           "REMARQUES", "NATIONALITÉ", "DATE DE NAISSANCE", "SEXE",
           ("CARTE DE RÉSIDENT", "VIE PRIVÉE ET FAMILIALE", "PASSEPORT TALENT"), "AUTORISE SON TITULAIRE À TRAVAILLER"),
    "es": ("PERMISO DE RESIDENCIA", "APELLIDOS, NOMBRE", "VÁLIDO HASTA", "TIPO DE PERMISO",
           "LUGAR Y FECHA DE EXPEDICIÓN", "OBSERVACIONES", "NACIONALIDAD", "FECHA DE NACIMIENTO", "SEXO",
           ("LARGA DURACIÓN", "RESIDENCIA TEMPORAL", "REAGRUPACIÓN FAMILIAR"), "AUTORIZA A TRABAJAR"),
    "nl": ("VERBLIJFSTITEL", "NAAM, VOORNAMEN", "GELDIG TOT", "SOORT TITEL", "PLAATS EN DATUM VAN AFGIFTE",
           "OPMERKINGEN", "NATIONALITEIT", "GEBOORTEDATUM", "GESLACHT",
           ("REGULIER ONBEPAALDE TIJD", "VERBLIJF BIJ PARTNER", "KENNISMIGRANT"), "ARBEID VRIJ TOEGESTAAN"),
}  # fmt: skip


def residence_permit(rng: random.Random) -> MadeCard:
    """A residence permit of the EU: labels in capitals in two languages above the values, the name in two lines."""
    language = rng.choice(sorted(PERMITS))
    title, name, until, sort, issued, remarks, nation, birth, sex, sorts, remark = PERMITS[language]
    who, sheet = _Person.of(rng), Sheet(rng, 1010, 640, rng.choice(("#f3e9ec", "#eef1e6", "#f4f0e4")))
    sheet.face = "sans"
    sheet.waves("#e3d3da")
    small, size = rng.choice((12, 13, 15)), rng.choice((21, 24))
    number = f"{_letters(rng, 2)}{_digits(rng, 7)}"
    sheet.say(40, 24, title, 30, bold=True)
    sheet.say(760, 30, number, 26)
    sheet.portrait(40, 110, 230, 310)
    x, y = 310.0, 90.0
    order = rng.random() < 0.5
    valid, issue = _day(rng, 2026, 2033), _day(rng, 2018, 2024)
    city, kind, country = rng.choice(CITIES[language]).upper(), rng.choice(sorts), rng.choice(COUNTRIES)
    two = rng.choice((lambda one, other: f"{one} / {other}", lambda one, other: f"{one}\n{other}"))
    y = sheet.above(x, y, two(name, "SURNAME, FORENAMES"), f"{who.surname.upper()}\n{who.given.upper()}", small, size)
    if order:
        sheet.above(x, y, two(sex, "SEX"), who.sex, small, size)
        sheet.above(x + 190, y, two(nation, "NATIONALITY"), country, small, size)
        y = sheet.above(x + 430, y, two(birth, "DATE OF BIRTH"), who.birth.strftime("%d %m %Y"), small, size)
    sheet.above(x, y, two(until, "VALID UNTIL"), valid.strftime("%d.%m.%Y"), small, size)
    y = sheet.above(x + 300, y, two(sort, "TYPE OF PERMIT"), kind, small, size)
    y = sheet.above(x, y, two(issued, "PLACE AND DATE OF ISSUE"), f"{city} {issue.strftime('%d.%m.%Y')}", small, size)
    sheet.above(x, y, two(remarks, "REMARKS"), remark, small, size)
    keys = rng.choice((
        ("surname", "given_names", "valid_until", "permit_type", "place_of_issue", "date_of_issue", "remarks", "card_number",
         "nationality", "date_of_birth", "sex"),
        ("familyName", "givenNames", "expiryDate", "typeOfPermit", "issuePlace", "issueDate", "remarks", "documentNumber",
         "nationality", "birthDate", "sex"),
    ))  # fmt: skip
    values = (who.surname, who.given, valid.isoformat(), kind, city, issue.isoformat(), remark, number)
    for key, told, value in zip(keys, "ssdssdss", values, strict=False):
        sheet.field(key, told, value)
    for key, told, value in zip(
        keys[8:], ("s?", "d?", "e?:M|F|X"), (country, who.birth.isoformat(), who.sex), strict=True
    ):
        sheet.field(key, told, value if order else None)
    return sheet.done(
        "residence permit", rng.choice(("read this permit", "Aufenthaltstitel auslesen", "data of the card"))
    )


def licence(rng: random.Random) -> MadeCard:
    """A driving licence of the EU, with numbers in small print before the values."""
    language = rng.choice(("de", "fr", "es", "it", "nl"))
    title = {"de": "FÜHRERSCHEIN", "fr": "PERMIS DE CONDUIRE", "es": "PERMISO DE CONDUCCIÓN", "it": "PATENTE DI GUIDA",
             "nl": "RIJBEWIJS"}[language]  # fmt: skip
    who, sheet = _Person.of(rng), Sheet(rng, 1010, 640, rng.choice(("#f6e4e6", "#f5e9ea")))
    sheet.face = "sans"
    sheet.waves("#ecd2d6")
    sheet.say(230, 24, title, 34, bold=True, ink="#35406e")
    sheet.portrait(40, 150, 240, 310)
    small, size = rng.choice((15, 18, 20)), rng.choice((22, 25))
    dot = rng.choice((".", ".", ""))
    apart = rng.choice((6, 14, 34))
    issue, expiry = _day(rng, 2010, 2023), _day(rng, 2025, 2036)
    form = rng.choice(("%d.%m.%Y", "%d/%m/%Y", "%d.%m.%y"))
    authority = {"de": "Landratsamt", "fr": "Préfecture", "es": "Jefatura", "it": "MIT-UCO", "nl": "Gemeente"}[language]
    city, born = rng.choice(CITIES[language]), rng.choice(CITIES[language])
    number, classes = f"{_letters(rng, 1)}{_digits(rng, 9)}", rng.choice(("B", "AM/B/L", "A1 B BE", "AM A1 B C1"))
    x, y, pitch = 320.0, 105.0, rng.choice((46, 50))

    def line(code: str, value: str, left: float = x) -> None:
        end = sheet.say(left, y + size - small, code, small, ink="#35406e")
        sheet.say(max(end + apart, left + apart), y, value, size)

    line(f"1{dot}", who.surname.upper())
    y += pitch
    line(f"2{dot}", who.given.upper())
    y += pitch
    line(f"3{dot}", f"{who.birth.strftime(form)} {born.upper()}")
    y += pitch
    line(f"4a{dot}", issue.strftime(form))
    if is_beside := rng.random() < 0.6:
        line(f"4c{dot}", f"{authority} {city}", 640)
        y += pitch
        line(f"4b{dot}", expiry.strftime(form))
        if rng.random() < 0.4:
            line(f"4d{dot}", _digits(rng, 11), 640)
    else:
        y += pitch
        line(f"4b{dot}", expiry.strftime(form))
        y += pitch
        line(f"4c{dot}", f"{authority} {city}")
    y += pitch
    line(f"5{dot}", number)
    y += pitch
    line(f"7{dot}", "")
    y += pitch
    line(f"9{dot}", classes, x if is_beside else 640)
    keys = rng.choice((
        ("surname", "first_names", "date_of_birth", "place_of_birth", "date_of_issue", "date_of_expiry", "issued_by",
         "licence_number", "categories"),
        ("nachname", "vorname", "geburtsdatum", "geburtsort", "ausstellungsdatum", "gueltig_bis", "behoerde",
         "fuehrerscheinnummer", "klassen"),
        ("nom", "prenoms", "date_naissance", "lieu_naissance", "date_delivrance", "date_expiration", "autorite",
         "numero_permis", "categories"),
    ))  # fmt: skip
    values = (who.surname, who.given, who.birth.isoformat(), born, issue.isoformat(), expiry.isoformat(),
              f"{authority} {city}", number, classes)  # fmt: skip
    for key, told, value in zip(keys, ("s", "s", "d", "s", "d", "d", "s", "s", "s"), values, strict=True):
        sheet.field(key, told, value)
    return sheet.done(
        "driving licence", rng.choice(("licence data please", "Führerschein", "permis : extraire les champs"))
    )


def wage_statement(rng: random.Random) -> MadeCard:
    """A form like W-2: cells with a number and a label in small print, and the value below in the same cell."""
    who, sheet = _Person.of(rng), Sheet(rng, 1500, 860)
    small, size = rng.choice((14, 16)), rng.choice((22, 25))
    wages, held = _money(rng, 90_000), _money(rng, 9_000)
    social, medicare = round(wages * 0.062, 2), round(wages * 0.0145, 2)
    ssn, ein = f"{_digits(rng, 3)}-{_digits(rng, 2)}-{_digits(rng, 4)}", f"{_digits(rng, 2)}-{_digits(rng, 7)}"
    firm = f"{rng.choice(LAST)} {rng.choice(('Logistics LLC', 'Foods Inc.', 'Dental Group'))}"
    city = rng.choice(CITIES["us"])
    street = f"{rng.randint(10, 999)} {rng.choice(STREETS['us'])}"
    state, zipcode, control = rng.choice(("CA", "OK", "ID", "OH")), _digits(rng, 5), _digits(rng, 6)
    year = rng.randint(2018, 2024)
    sheet.cell((40, 40, 520, 64), "a  Employee's social security number", ssn, small, size)
    sheet.say(600, 60, "Form W-2  Wage and Tax Statement", 24, bold=True)
    sheet.say(1240, 52, str(year), 38, bold=True)
    sheet.cell((40, 104, 720, 72), "b  Employer identification number (EIN)", ein, small, size)
    sheet.cell((40, 176, 720, 150), "c  Employer's name, address, and ZIP code",
               f"{firm}\n{street}\n{city}, {state} {zipcode}", small, size)  # fmt: skip
    sheet.cell((40, 326, 720, 72), "d  Control number", control, small, size)
    home = f"{rng.randint(10, 999)} {rng.choice(STREETS['us'])}"
    sheet.cell((40, 398, 720, 72), "e  Employee's first name and initial          Last name",
               f"{who.given}          {who.surname}", small, size)  # fmt: skip
    sheet.cell(
        (40, 470, 720, 110), "f  Employee's address and ZIP code", f"{home}\n{city}, {state} {zipcode}", small, size
    )
    tips = _money(rng, 800) if rng.random() < 0.5 else None
    cells = (
        ("1  Wages, tips, other compensation", wages), ("2  Federal income tax withheld", held),
        ("3  Social security wages", wages), ("4  Social security tax withheld", social),
        ("5  Medicare wages and tips", wages), ("6  Medicare tax withheld", medicare),
        ("7  Social security tips", tips), ("8  Allocated tips", None),
    )  # fmt: skip
    for at, (label, value) in enumerate(cells):
        place = (760.0 + 350 * (at % 2), 104.0 + 74 * (at // 2), 350.0, 74.0)
        sheet.cell(place, label, "" if value is None else _dollars(value), small, size)
    sheet.cell((760, 400, 700, 70), "9", "", small, size)
    income = _money(rng, 4_000)
    for at, (label, text) in enumerate((
        ("15 State   Employer's state ID number", f"{state}  {ein[:2]}{_digits(rng, 5)}"),
        ("16 State wages, tips, etc.", _dollars(wages)), ("17 State income tax", _dollars(income)),
        ("20 Locality name", city.upper()),
    )):  # fmt: skip
        sheet.cell((40 + 355 * at, 600, 355, 76), label, text, small, size)
    for row in (
        ("tax_year", "s", str(year)), ("employee_ssn", "s", ssn), ("employer_ein", "s", ein), ("employer_name", "s", firm),
        ("control_number", "s?", control), ("wages", "n", wages), ("federal_income_tax_withheld", "n", held),
        ("social_security_tax_withheld", "n", social), ("medicare_tax_withheld", "n", medicare),
        ("social_security_tips", "n?", tips), ("allocated_tips", "n?", None), ("state_income_tax", "n", income),
        ("locality_name", "s?", city),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("wage statement", rng.choice(("W-2 to JSON", "read the boxes of this W-2")))


COMBS = {
    "en": (("1. Surname (family name)", "2. Given names", "3. Date of birth (DD MM YYYY)", "4. Passport number",
            "5. Nationality", "6. Telephone number", "7. Arrival date"), "APPLICATION FOR ENTRY VISA", "%d%m%Y"),
    "fr": (("1. Nom de famille", "2. Prénom(s)", "3. Date de naissance (jj mm aaaa)", "4. Numéro du passeport",
            "5. Nationalité", "6. Téléphone", "7. Date d'arrivée"), "DEMANDE DE VISA D'ENTRÉE", "%d%m%Y"),
    "de": (("1. Familienname", "2. Vorname(n)", "3. Geburtsdatum (TT MM JJJJ)", "4. Reisepassnummer",
            "5. Staatsangehörigkeit", "6. Telefon", "7. Tag der Einreise"), "ANTRAG AUF ERTEILUNG EINES VISUMS", "%d%m%Y"),
}  # fmt: skip


def visa_form(rng: random.Random) -> MadeCard:
    """A form with a comb under each label, one character a cell, and boxes for the purpose."""
    language = rng.choice(sorted(COMBS))
    labels, title, form = COMBS[language]
    who, sheet = _Person.of(rng), Sheet(rng, 1240, 980)
    size, pitch = rng.choice((24, 27)), rng.choice((34, 38))
    sheet.face = "sans"
    sheet.say(60, 40, title, 32, bold=True)
    arrival = _day(rng, 2025, 2027)
    number, phone, nation = (
        f"{_letters(rng, 1)}{_digits(rng, 8)}",
        _digits(rng, 10),
        rng.choice(("KENYA", "TUNISIA", "PERU")),
    )
    plain = str.maketrans("ÉÈÖÜŚĐIİŞĞ", "EEOUSDIISG")
    texts = (who.surname.upper().translate(plain), who.given.upper(), who.birth.strftime(form), number, nation, phone,
             arrival.strftime(form))  # fmt: skip
    open_top, is_beside = rng.random() < 0.5, rng.random() < 0.4
    for at, (label, text) in enumerate(zip(labels, texts, strict=True)):
        y = 120.0 + 112 * at
        sheet.say(60, y + (18 if is_beside else 0), label, 20)
        cells = 20 if at in (0, 1, 4) else len(text)
        sheet.comb(430 if is_beside else 60, y + (6 if is_beside else 32), text, cells, pitch, size, open_top=open_top)
    keys = {"en": ("surname", "given_names", "date_of_birth", "passport_number", "nationality", "phone", "arrival_date"),
            "fr": ("nom", "prenoms", "date_naissance", "numero_passeport", "nationalite", "telephone", "date_arrivee"),
            "de": ("familienname", "vornamen", "geburtsdatum", "passnummer", "staatsangehoerigkeit", "telefon",
                   "einreisedatum")}[language]  # fmt: skip
    values = (texts[0], texts[1], who.birth.isoformat(), number, nation, phone, arrival.isoformat())
    for key, told, value in zip(keys, "ssdsssd", values, strict=True):
        sheet.field(key, told, value)
    return sheet.done(
        "visa form with combs", rng.choice(("extract the visa form", "Formular erfassen", "lire la demande"))
    )


IDENTITIES = (
    ("IDENTITY CARD", "fr", ("Nom / Name / Apellidos", "Prénom(s) / Given names / Nombre", "Date de naissance / Date of birth",
     "Lieu de naissance / Place of birth", "Sexe / Sex", "Nationalité / Nationality", "Date d'expiration / Date of expiry",
     "N° du document / Document No.", "Taille / Height")),
    ("PERSONALAUSWEIS", "de", ("Name/Surname/Nom", "Vornamen/Given names/Prénoms", "Geburtsdatum/Date of birth",
     "Geburtsort/Place of birth", "Geschlecht/Sex", "Staatsangehörigkeit/Nationality", "Gültig bis/Date of expiry",
     "Ausweisnummer/Document no.", "Größe/Height/Taille")),
    ("CARTA DI IDENTITÀ", "it", ("Cognome · Surname", "Nome · Name", "Data di nascita · Date of birth",
     "Luogo di nascita · Place of birth", "Sesso · Sex", "Cittadinanza · Nationality", "Scadenza · Expiry",
     "Numero · Document No.", "Statura · Height")),
    ("DOCUMENTO NACIONAL DE IDENTIDAD", "es", ("APELLIDOS\nSURNAME", "NOMBRE\nNAME", "FECHA DE NACIMIENTO\nDATE OF BIRTH",
     "LUGAR DE NACIMIENTO\nPLACE OF BIRTH", "SEXO\nSEX", "NACIONALIDAD\nNATIONALITY", "VALIDEZ\nVALID UNTIL",
     "NUM SOPORT\nDOCUMENT NO.", "ALTURA\nHEIGHT")),
)  # fmt: skip


def identity_card(rng: random.Random) -> MadeCard:
    """An identity card with labels in two or three languages, side by side or stacked, above the values."""
    title, language, labels = rng.choice(IDENTITIES)
    who, sheet = _Person.of(rng), Sheet(rng, 1010, 640, rng.choice(("#e9f0f4", "#eaf2ea")))
    sheet.face = "sans"
    sheet.waves("#d5e2ea")
    small, size = rng.choice((13, 15)), rng.choice((22, 25))
    sheet.say(40, 26, title, 30, bold=True, ink="#223a66")
    sheet.portrait(40, 110, 230, 300)
    born, country = (
        rng.choice(CITIES[language]).upper(),
        {"fr": "FRA", "de": "DEUTSCH", "it": "ITA", "es": "ESP"}[language],
    )
    number, expiry, tall = (
        f"{_letters(rng, 2)}{_digits(rng, 6)}{_letters(rng, 1)}",
        _day(rng, 2026, 2034),
        rng.randint(155, 195),
    )
    form = rng.choice(("%d.%m.%Y", "%d %m %Y", "%d/%m/%Y"))
    x, y = 310.0, 95.0
    y = sheet.above(x, y, labels[0], who.surname.upper(), small, size)
    y = sheet.above(x, y, labels[1], who.given.upper(), small, size)
    sheet.above(x, y, labels[2], who.birth.strftime(form), small, size)
    y = sheet.above(x + 370, y, labels[3], born, small, size)
    sheet.above(x, y, labels[4], who.sex, small, size)
    y = sheet.above(x + 370, y, labels[5], country, small, size)
    sheet.above(x, y, labels[6], expiry.strftime(form), small, size)
    y = sheet.above(x + 370, y, labels[7], number, small, size)
    sheet.above(x, y, labels[8], f"{tall} cm", small, size)
    keys = rng.choice((
        ("surname", "given_names", "date_of_birth", "place_of_birth", "sex", "nationality", "expiry_date", "document_number"),
        ("last_name", "first_name", "birth_date", "birthplace", "gender", "nationality", "valid_until", "card_no"),
    ))  # fmt: skip
    values = (who.surname, who.given, who.birth.isoformat(), born, who.sex, country, expiry.isoformat(), number)
    for key, told, value in zip(keys, ("s", "s", "d", "s", "e:M|F|X", "s", "d", "s"), values, strict=True):
        sheet.field(key, told, value)
    sheet.field("height_cm", "n?", tall)
    return sheet.done("identity card", rng.choice(("ID card", "read the front of this card", "dati del documento")))


def health_card(rng: random.Random) -> MadeCard:
    """A European health insurance card: numbers and labels in small print above the values."""
    language = rng.choice(("de", "fr", "en", "it"))
    labels = {
        "en": ("3. Name", "4. Given names", "5. Date of birth", "6. Personal identification number",
               "7. Identification number of the institution", "8. Identification number of the card", "9. Expiry date"),
        "de": ("3. Name", "4. Vornamen", "5. Geburtsdatum", "6. Persönliche Kennnummer", "7. Kennnummer des Trägers",
               "8. Kennnummer der Karte", "9. Ablaufdatum"),
        "fr": ("3. Nom", "4. Prénoms", "5. Date de naissance", "6. Numéro d'identification personnel",
               "7. Numéro d'identification de l'institution", "8. Numéro d'identification de la carte",
               "9. Date d'expiration"),
        "it": ("3. Cognome", "4. Nome", "5. Data di nascita", "6. Numero di identificazione personale",
               "7. Numero di identificazione dell'istituzione", "8. Numero di identificazione della tessera",
               "9. Scadenza"),
    }[language]  # fmt: skip
    title = {"en": "EUROPEAN HEALTH INSURANCE CARD", "de": "EUROPÄISCHE KRANKENVERSICHERUNGSKARTE",
             "fr": "CARTE EUROPÉENNE D'ASSURANCE MALADIE", "it": "TESSERA EUROPEA DI ASSICURAZIONE MALATTIA"}[language]  # fmt: skip
    who, sheet = _Person.of(rng), Sheet(rng, 1010, 620, rng.choice(("#dbe6f5", "#e4e9f7")))
    sheet.face = "sans"
    small, size = rng.choice((13, 15)), rng.choice((22, 24))
    sheet.say(40, 30, title, 26, bold=True, ink="#1b2f77")
    person, institution, card = _digits(rng, 10), f"{_digits(rng, 9)} - {_letters(rng, 3)}", _digits(rng, 20)
    expiry = _day(rng, 2025, 2030)
    left, right, y = 60.0, 560.0, 180.0
    sheet.above(left, y, labels[0], who.surname.upper(), small, size)
    y = sheet.above(left, y + 70, labels[1], who.given.upper(), small, size)
    sheet.above(right, y, labels[2], who.birth.strftime("%d/%m/%Y"), small, size)
    y = sheet.above(left, y, labels[3], person, small, size)
    y = sheet.above(left, y, labels[4], institution, small, size)
    sheet.above(left, y, labels[5], card, small, size)
    sheet.above(right + 180, y, labels[6], expiry.strftime("%d/%m/%Y"), small, size)
    for row in (
        ("name", "s", who.surname), ("given_names", "s", who.given), ("date_of_birth", "d", who.birth.isoformat()),
        ("personal_id", "s", person), ("institution_number", "s", institution), ("card_number", "s", card),
        ("expiry_date", "d", expiry.isoformat()),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("health insurance card", rng.choice(("EHIC", "health insurance card: fields", "Karte auslesen")))


def labels_below(rng: random.Random) -> MadeCard:
    """A paper with the labels in small print below the rules on which the values stand."""
    language = rng.choice(("en", "de", "fr"))
    title, labels = {
        "en": ("STATEMENT OF COMPETENCE", ("(name of participant)", "(date of birth)", "(course)", "(hours attended)",
               "(place, date)", "(name of instructor)", "(registration number)")),
        "de": ("TEILNAHMEBESCHEINIGUNG", ("Name der Teilnehmerin / des Teilnehmers", "Geburtsdatum", "Lehrgang", "Stunden",
               "Ort, Datum", "Name der Lehrgangsleitung", "Registriernummer")),
        "fr": ("ATTESTATION DE FORMATION", ("nom du participant", "date de naissance", "intitulé du cours",
               "nombre d'heures", "lieu, date", "nom du formateur", "numéro d'enregistrement")),
    }[language]  # fmt: skip
    who, other, sheet = _Person.of(rng), _Person.of(rng), Sheet(rng, 1240, 1000)
    size, small = rng.choice((26, 29)), rng.choice((15, 17))
    sheet.say(320, 60, title, 36, bold=True)
    course = {"en": ("First aid at work", "Forklift safety"), "de": ("Ersthelfer im Betrieb", "Brandschutz"),
              "fr": ("Secourisme du travail", "Gestes et postures")}[language][rng.randrange(2)]  # fmt: skip
    hours, number, day = rng.randint(4, 40), f"{_letters(rng, 2)}-{_digits(rng, 5)}", _day(rng, 2020, 2026)
    city = rng.choice(CITIES[language])
    form = "%d.%m.%Y" if language == "de" else "%d/%m/%Y"
    texts = (f"{who.given} {who.surname}", who.birth.strftime(form), course, str(hours),
             f"{city}, {day.strftime(form)}", f"{other.given} {other.surname}", number)  # fmt: skip
    places = (
        (100, 200, 620),
        (800, 200, 320),
        (100, 360, 620),
        (800, 360, 320),
        (100, 520, 480),
        (660, 520, 460),
        (100, 680, 480),
    )
    for text, label, (x, y, width) in zip(texts, labels, places, strict=True):
        sheet.say(x + 20, y, text, size, ink="#1c1c5a")
        sheet.rule(x, y + size * 1.35, x + width)
        sheet.say(x + 4, y + size * 1.35 + 4, label, small)
    keys = {"en": ("participant_name", "date_of_birth", "course", "hours", "place", "date", "instructor", "registration_number"),
            "de": ("name", "geburtsdatum", "lehrgang", "stunden", "ort", "datum", "lehrgangsleitung", "registriernummer"),
            "fr": ("participant", "date_naissance", "cours", "heures", "lieu", "date", "formateur",
                   "numero_enregistrement")}[language]  # fmt: skip
    values = (texts[0], who.birth.isoformat(), course, hours, city, day.isoformat(), texts[5], number)
    for key, told, value in zip(keys, "sdsnsdss", values, strict=True):
        sheet.field(key, told, value)
    return sheet.done(
        "labels below", rng.choice(("certificate fields", "Bescheinigung auslesen", "lire l'attestation"))
    )


def tick_table(rng: random.Random) -> MadeCard:
    """A table whose header names the options, with a cross or a tick in one cell of each row."""
    language = rng.choice(("en", "de"))
    title, options, rows = {
        "en": ("HEALTH QUESTIONNAIRE", ("Yes", "No"), (("Do you smoke?", "smoker"), ("Do you take medication?", "takes_medication"),
               ("Allergies known?", "has_allergies"), ("High blood pressure?", "high_blood_pressure"),
               ("Diabetes?", "diabetes"), ("Previous operations?", "previous_operations"))),
        "de": ("GESUNDHEITSFRAGEN", ("Ja", "Nein"), (("Rauchen Sie?", "raucher"), ("Nehmen Sie Medikamente?", "medikamente"),
               ("Sind Allergien bekannt?", "allergien"), ("Bluthochdruck?", "bluthochdruck"),
               ("Diabetes?", "diabetes"), ("Frühere Operationen?", "operationen"))),
    }[language]  # fmt: skip
    who, sheet = _Person.of(rng), Sheet(rng, 1240, 900)
    size = rng.choice((22, 25))
    sheet.say(80, 50, title, 34, bold=True)
    sheet.say(80, 120, f"Name: {who.given} {who.surname}", size)
    y, pitch = 190.0, rng.choice((58, 66))
    lefts = (80.0, 760.0, 900.0, 1040.0)
    for at, option in enumerate(("", *options)):
        sheet.box(lefts[at], y, lefts[at + 1] - lefts[at], pitch)
        sheet.say(lefts[at] + 40 * bool(at), y + 14, option, size, bold=True)
    sheet.field("name", "s", f"{who.given} {who.surname}")
    for question, key in rows:
        y += pitch
        answer = rng.random() < 0.5
        for at in range(3):
            sheet.box(lefts[at], y, lefts[at + 1] - lefts[at], pitch)
        sheet.say(lefts[0] + 12, y + 14, question, size)
        for at in (1, 2):
            sheet.tick(lefts[at] + 55, y + 16, 24, ticked=answer == (at == 1))
        sheet.field(key, "b", answer)
    return sheet.done("ticks in a table", rng.choice(("questionnaire answers", "Fragebogen auswerten")))


def passport(rng: random.Random) -> MadeCard:
    """The page of a passport with numbered labels in two languages; its machine-readable zone is cut off."""
    who, sheet = _Person.of(rng), Sheet(rng, 1180, 700, rng.choice(("#f2ecdf", "#eef0e8")))
    sheet.face = rng.choice(("serif", "sans", "times"))
    sheet.waves("#e4dcc8")
    small, size = rng.choice((13, 15)), rng.choice((23, 26))
    number, expiry, issue = f"{_letters(rng, 1)}{_digits(rng, 8)}", _day(rng, 2026, 2034), _day(rng, 2016, 2024)
    city, country = rng.choice(CITIES["en"]).upper(), rng.choice(("UTO", "GBR", "IRL", "MLT"))
    sheet.say(40, 30, "PASSPORT", 34, bold=True)
    sheet.say(40, 76, "PASSEPORT", 20)
    form = rng.choice(("%d %b /%b %y", "%d %b %Y", "%d.%m.%Y"))
    sheet.portrait(40, 150, 270, 350)
    sheet.above(360, 40, "Type/Type", "P", small, size)
    sheet.above(520, 40, "Code/Code", country, small, size)
    y = sheet.above(760, 40, "Passport No./Passeport No", number, small, size)
    y = sheet.above(360, y, "Surname/Nom (1)", who.surname.upper(), small, size)
    y = sheet.above(360, y, "Given names/Prénoms (2)", who.given.upper(), small, size)
    y = sheet.above(360, y, "Nationality/Nationalité (3)", "UTOPIAN CITIZEN", small, size)
    y = sheet.above(360, y, "Date of birth/Date de naissance (4)", who.birth.strftime("%d %b %Y").upper(), small, size)
    sheet.above(360, y, "Sex/Sexe (5)", who.sex, small, size)
    y = sheet.above(560, y, "Place of birth/Lieu de naissance (6)", city, small, size)
    sheet.above(
        360,
        y,
        "Date of issue/Date de délivrance (7)",
        issue.strftime(form if "/" not in form else "%d %b %Y").upper(),
        small,
        size,
    )
    y = sheet.above(760, y, "Authority/Autorité (8)", "HMPO", small, size)
    sheet.above(360, y, "Date of expiry/Date d'expiration (9)", expiry.strftime("%d %b %Y").upper(), small, size)
    for row in (
        ("passportNumber", "s", number), ("surname", "s", who.surname), ("givenNames", "s", who.given),
        ("nationality", "s", "UTOPIAN CITIZEN"), ("dateOfBirth", "d", who.birth.isoformat()), ("sex", "e:M|F|X", who.sex),
        ("placeOfBirth", "s", city), ("dateOfIssue", "d", issue.isoformat()), ("authority", "s", "HMPO"),
        ("dateOfExpiry", "d", expiry.isoformat()), ("countryCode", "s", country),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("passport", rng.choice(("passport data page", "Read this passport")))


def state_licence(rng: random.Random) -> MadeCard:
    """A licence of a state of the USA, with numbers and letters in small print before the values."""
    who, sheet = _Person.of(rng), Sheet(rng, 1010, 640, rng.choice(("#e8f0f8", "#f3f1e2")))
    sheet.face = "sans"
    small, size = rng.choice((14, 17)), rng.choice((23, 26))
    sheet.say(40, 24, rng.choice(("OHIO", "OREGON", "NEVADA")), 44, bold=True, ink="#17355e")
    sheet.say(480, 36, "DRIVER LICENSE", 28, bold=True)
    sheet.portrait(40, 120, 260, 330)
    number = f"{_letters(rng, 2)}{_digits(rng, 6)}"
    issue, expiry = _day(rng, 2019, 2024), _day(rng, 2026, 2031)
    street, city = f"{rng.randint(10, 9999)} {rng.choice(STREETS['us']).upper()}", rng.choice(CITIES["us"]).upper()
    zipcode, tall, eyes = (
        _digits(rng, 5),
        f"{rng.randint(5, 6)}'-{rng.randint(0, 11):02}\"",
        rng.choice(("BRO", "BLU", "GRN")),
    )
    x, y, pitch = 330.0, 105.0, 46

    def line(code: str, value: str, left: float, top: float) -> None:
        end = sheet.say(left, top + size - small, code, small, ink="#17355e")
        sheet.say(end + 8, top, value, size)

    line("4d DLN", number, x, y)
    line("4b EXP", expiry.strftime("%m/%d/%Y"), 690, y)
    line("1", who.surname.upper(), x, y + pitch)
    line("2", who.given.upper(), x, y + 2 * pitch)
    line("8", street, x, y + 3 * pitch)
    sheet.say(x + 18, y + 4 * pitch, f"{city}, OH {zipcode}", size)
    line("3 DOB", who.birth.strftime("%m/%d/%Y"), x, y + 5 * pitch)
    line("4a ISS", issue.strftime("%m/%d/%Y"), 690, y + 5 * pitch)
    line("9 CLASS", "D", x, y + 6 * pitch)
    line("9a END", "NONE", 520, y + 6 * pitch)
    line("12 RESTR", "A", 690, y + 6 * pitch)
    line("15 SEX", who.sex, x, y + 7 * pitch)
    line("16 HGT", tall, 520, y + 7 * pitch)
    line("18 EYES", eyes, 690, y + 7 * pitch)
    for row in (
        ("license_number", "s", number), ("last_name", "s", who.surname), ("first_name", "s", who.given),
        ("address", "s", f"{street} {city}, OH {zipcode}"), ("dob", "d", who.birth.isoformat()),
        ("issue_date", "d", issue.isoformat()), ("expiration_date", "d", expiry.isoformat()), ("class", "s", "D"),
        ("sex", "e:M|F|X", who.sex), ("height", "s", tall), ("eye_color", "s", eyes),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("state licence", rng.choice(("driver license fields", "Parse this license")))


def contractor_form(rng: random.Random) -> MadeCard:
    """A form like 1099-NEC or P60: cells with numbered labels, values below in the same cell."""
    who, sheet = _Person.of(rng), Sheet(rng, 1400, 760)
    small, size = rng.choice((14, 16)), rng.choice((22, 24))
    firm = f"{rng.choice(LAST)} {rng.choice(('Media LLC', 'Design Co.', 'Partners LP'))}"
    street, city = f"{rng.randint(10, 999)} {rng.choice(STREETS['us'])}", rng.choice(CITIES["us"])
    home, state = f"{rng.randint(10, 999)} {rng.choice(STREETS['us'])}", rng.choice(("CA", "OK", "ID"))
    tin, other = f"{_digits(rng, 2)}-{_digits(rng, 7)}", f"{_digits(rng, 3)}-{_digits(rng, 2)}-{_digits(rng, 4)}"
    pay, tax = _money(rng, 60_000), _money(rng, 3_000)
    account, year = _digits(rng, 8), rng.randint(2019, 2024)
    sheet.cell((40, 40, 640, 160), "PAYER'S name, street address, city or town, state, ZIP code, and telephone no.",
               f"{firm}\n{street}\n{city}, {state} {_digits(rng, 5)}", small, size)  # fmt: skip
    sheet.cell((40, 200, 320, 76), "PAYER'S TIN", tin, small, size)
    sheet.cell((360, 200, 320, 76), "RECIPIENT'S TIN", other, small, size)
    sheet.cell((40, 276, 640, 76), "RECIPIENT'S name", f"{who.given} {who.surname}", small, size)
    sheet.cell((40, 352, 640, 76), "Street address (including apt. no.)", home, small, size)
    sheet.cell(
        (40, 428, 640, 76),
        "City or town, state or province, country, and ZIP",
        f"{city}, {state} {_digits(rng, 5)}",
        small,
        size,
    )
    sheet.cell((40, 504, 640, 76), "Account number (see instructions)", account, small, size)
    sheet.say(720, 60, f"Form 1099-NEC    Calendar year {year}", 26, bold=True)
    sheet.cell((700, 200, 640, 76), "1  Nonemployee compensation", f"$ {_dollars(pay)}", small, size)
    sheet.cell((700, 276, 640, 76), "2  Payer made direct sales totaling $5,000 or more", "", small, size)
    sheet.cell((700, 352, 640, 76), "4  Federal income tax withheld", f"$ {_dollars(tax)}", small, size)
    sheet.cell((700, 428, 320, 76), "5  State tax withheld", "", small, size)
    sheet.cell((1020, 428, 320, 76), "7  State income", f"$ {_dollars(pay)}", small, size)
    for row in (
        ("payer_name", "s", firm), ("payer_tin", "s", tin), ("recipient_tin", "s", other),
        ("recipient_name", "s", f"{who.given} {who.surname}"), ("recipient_street", "s", home),
        ("account_number", "s?", account), ("nonemployee_compensation", "n", pay), ("federal_income_tax_withheld", "n", tax),
        ("state_tax_withheld", "n?", None), ("state_income", "n?", pay), ("calendar_year", "s", str(year)),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("contractor form", rng.choice(("1099 data", "extract the 1099 boxes")))


def tax_certificate(rng: random.Random) -> MadeCard:
    """A German Lohnsteuerbescheinigung: numbered lines with the amounts at the right, euros apart from cents."""
    who, sheet = _Person.of(rng), Sheet(rng, 1240, 1300)
    size = rng.choice((21, 23))
    year, firm = rng.randint(2018, 2025), f"{rng.choice(LAST)} {rng.choice(('GmbH', 'AG', 'KG'))}"
    sheet.say(60, 40, f"Ausdruck der elektronischen Lohnsteuerbescheinigung für {year}", 28, bold=True)
    sheet.say(60, 110, f"{who.given} {who.surname}", size)
    sheet.say(60, 145, f"{rng.choice(STREETS['de'])} {rng.randint(1, 90)}", size)
    sheet.say(60, 180, f"{_digits(rng, 5)} {rng.choice(CITIES['de'])}", size)
    ident, group, staff = _digits(rng, 11), rng.choice("13456"), _digits(rng, 6)
    for at, (label, text) in enumerate((("Identifikationsnummer:", ident), ("Personalnummer:", staff),
                                        ("Geburtsdatum:", who.birth.strftime("%d.%m.%Y")), ("Steuerklasse", group))):  # fmt: skip
        sheet.say(660, 110 + 36 * at, label, size)
        sheet.say(960, 110 + 36 * at, text, size)
    gross, tax, soli, church = _money(rng, 90_000), _money(rng, 15_000), _money(rng, 700), _money(rng, 900)
    pension, health = _money(rng, 7_000), _money(rng, 5_000)
    lines = (
        ("1. Bescheinigungszeitraum", f"01.01.-31.12.{year}"), ("3. Bruttoarbeitslohn einschl. Sachbezüge", _euros(gross)),
        ("4. Einbehaltene Lohnsteuer von 3.", _euros(tax)), ("5. Einbehaltener Solidaritätszuschlag von 3.", _euros(soli)),
        ("6. Einbehaltene Kirchensteuer des Arbeitnehmers von 3.", _euros(church)),
        ("22. Arbeitgeberanteil zur gesetzlichen Rentenversicherung", _euros(pension)),
        ("25. Arbeitnehmerbeiträge zur gesetzlichen Krankenversicherung", _euros(health)),
    )  # fmt: skip
    for at, (label, text) in enumerate(lines):
        y = 320.0 + 62 * at
        sheet.box(60, y, 780, 62)
        sheet.box(840, y, 320, 62)
        sheet.say(72, y + 18, label, size - 3)
        sheet.say(1140 - sheet.width_of(text, size), y + 16, text, size)
    sheet.say(60, 840, "Anschrift des Arbeitgebers:", size - 3)
    sheet.say(60, 872, firm, size)
    for row in (
        ("jahr", "s", str(year)), ("arbeitnehmer", "s", f"{who.given} {who.surname}"), ("identifikationsnummer", "s", ident),
        ("geburtsdatum", "d", who.birth.isoformat()), ("steuerklasse", "s", group), ("bruttoarbeitslohn", "n", gross),
        ("lohnsteuer", "n", tax), ("solidaritaetszuschlag", "n", soli), ("kirchensteuer", "n", church),
        ("rentenversicherung_arbeitgeber", "n", pension), ("krankenversicherung_arbeitnehmer", "n", health),
        ("arbeitgeber", "s", firm),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("tax certificate", rng.choice(("Lohnsteuerbescheinigung auslesen", "Steuerdaten")))


def customs_form(rng: random.Random) -> MadeCard:
    """A customs declaration like CN 23: cells with labels in two languages in small print."""
    one, two, sheet = _Person.of(rng), _Person.of(rng), Sheet(rng, 1500, 900)
    small, size = rng.choice((14, 16)), rng.choice((22, 25))
    sheet.say(40, 30, "CUSTOMS DECLARATION / DÉCLARATION EN DOUANE   CN 23", 26, bold=True)
    item = f"C{_letters(rng, 1)}{_digits(rng, 9)}FR"
    kilos, worth, fees = rng.randint(100, 9000) / 1000, _money(rng, 300), _money(rng, 30)
    goods, origin, tariff = rng.choice((("Cotton shirts", "Portugal", "610510"), ("Ceramic bowls", "Japan", "691200"),
                                        ("Board games", "Germany", "950490")))  # fmt: skip
    street, other = (
        f"{rng.randint(1, 90)} {rng.choice(STREETS['fr'])}",
        f"{rng.randint(1, 90)} {rng.choice(STREETS['en'])}",
    )
    town, far = rng.choice(CITIES["fr"]), rng.choice(CITIES["en"])
    sheet.cell((40, 90, 700, 70), "From/De   Name/Nom", f"{one.given} {one.surname}", small, size)
    sheet.cell((40, 160, 700, 70), "Street/Rue", street, small, size)
    sheet.cell((40, 230, 240, 70), "Postcode/Code postal", _digits(rng, 5), small, size)
    sheet.cell((280, 230, 460, 70), "City/Ville", town, small, size)
    sheet.cell((760, 90, 700, 70), "No. of item/N° de l'envoi", item, small, size)
    sheet.cell((40, 320, 700, 70), "To/À   Name/Nom", f"{two.given} {two.surname}", small, size)
    sheet.cell((40, 390, 700, 70), "Street/Rue", other, small, size)
    sheet.cell((40, 460, 700, 70), "City/Ville", far, small, size)
    sheet.cell((760, 160, 700, 70), "Sender's customs reference/Référence en douane de l'expéditeur", "", small, size)
    sheet.cell(
        (760, 320, 700, 70), "Importer's telephone/Téléphone de l'importateur", f"+44 {_digits(rng, 10)}", small, size
    )
    for at, (label, text) in enumerate((
        ("Detailed description of contents\nDescription détaillée du contenu", goods),
        ("Net weight (kg)\nPoids net", f"{kilos:.3f}"), ("Value\nValeur", f"{worth:.2f} EUR"),
        ("HS tariff number\nN° tarifaire du SH", tariff), ("Country of origin\nPays d'origine", origin),
    )):  # fmt: skip
        sheet.cell((40 + 284 * at, 560, 284, 96), label, text, small, size)
    sheet.cell((40, 676, 400, 76), "Postal charges/Fees/Frais de port", f"{fees:.2f} EUR", small, size)
    day = _day(rng, 2023, 2026)
    sheet.cell(
        (760, 676, 700, 76), "Date and sender's signature/Date et signature", day.strftime("%d/%m/%Y"), small, size
    )
    for row in (
        ("item_number", "s", item), ("sender_name", "s", f"{one.given} {one.surname}"), ("sender_street", "s", street),
        ("sender_city", "s", town), ("recipient_name", "s", f"{two.given} {two.surname}"), ("recipient_street", "s", other),
        ("recipient_city", "s", far), ("contents", "s", goods), ("net_weight_kg", "n", kilos), ("value", "n", worth),
        ("tariff_number", "s", tariff), ("country_of_origin", "s", origin), ("postal_charges", "n", fees),
        ("date", "d", day.isoformat()), ("customs_reference", "s?", None),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("customs form", rng.choice(("customs declaration", "CN23 data")))


def vehicle_registration(rng: random.Random) -> MadeCard:
    """A registration certificate of the EU (Directive 1999/37/EC): codes of letters before the values."""
    language = rng.choice(("de", "fr"))
    who, sheet = _Person.of(rng), Sheet(rng, 1240, 800, rng.choice(("#eef4ea", "#f2f0e4")))
    size = rng.choice((21, 23))
    sheet.say(
        60, 30, {"de": "Zulassungsbescheinigung Teil I", "fr": "CERTIFICAT D'IMMATRICULATION"}[language], 30, bold=True
    )
    plate = f"{_letters(rng, 2)}-{_digits(rng, 3)}-{_letters(rng, 2)}"
    vin = f"W{_letters(rng, 2)}ZZZ{_digits(rng, 2)}{_letters(rng, 1)}{_digits(rng, 8)}"
    first, make = _day(rng, 2008, 2023), rng.choice(("VOLKSWAGEN", "RENAULT", "SKODA", "PEUGEOT"))
    model, mass, seats = rng.choice(("GOLF", "CLIO", "OCTAVIA", "308")), rng.randint(1200, 2400), 5
    power, size_cc, co2 = rng.randint(50, 180), rng.randint(990, 2400), rng.randint(90, 190)
    fuel = {"de": rng.choice(("BENZIN", "DIESEL")), "fr": rng.choice(("ES", "GO"))}[language]
    left = (("A", plate), ("B", first.strftime("%d.%m.%Y")), ("C.1.1", who.surname.upper()), ("C.1.2", who.given.upper()),
            ("C.1.3", f"{rng.choice(STREETS[language])} {rng.randint(1, 99)}"), ("D.1", make), ("D.3", model), ("E", vin))  # fmt: skip
    right = (("F.1", str(mass)), ("G", str(mass - 480)), ("P.1", str(size_cc)), ("P.2", str(power)), ("P.3", fuel),
             ("S.1", str(seats)), ("V.7", str(co2)))  # fmt: skip
    for x, rows in ((60.0, left), (720.0, right)):
        for at, (code, text) in enumerate(rows):
            y = 120.0 + 66 * at
            sheet.say(x, y + 3, code, size - 4, ink="#24543a")
            sheet.say(x + 90, y, text, size)
    for row in (
        ("plate", "s", plate), ("first_registration", "d", first.isoformat()), ("holder_surname", "s", who.surname),
        ("holder_given_names", "s", who.given), ("make", "s", make), ("model", "s", model), ("vin", "s", vin),
        ("max_mass_kg", "n", mass), ("engine_capacity_cc", "n", size_cc), ("power_kw", "n", power), ("fuel", "s", fuel),
        ("seats", "n", seats), ("co2_g_km", "n", co2),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done(
        "vehicle registration", rng.choice(("Fahrzeugschein", "carte grise", "vehicle registration data"))
    )


def member_card(rng: random.Random) -> MadeCard:
    """A card with few labels: the name is printed large, dates are after short words."""
    language = rng.choice(("en", "nl", "es"))
    who, sheet = _Person.of(rng), Sheet(rng, 1010, 640, rng.choice(("#20406a", "#1f5a45", "#ececec")))
    light = sheet.image.getpixel((2, 2)) == (236, 236, 236)
    ink = "#222222" if light else "#f4f4f4"
    club = {"en": "Harbour Sailing Club", "nl": "Bibliotheek Oostmeer", "es": "Gimnasio La Cumbre"}[language]
    words = {"en": ("Member since", "Valid thru", "Member No."), "nl": ("Lid sinds", "Geldig t/m", "Pasnummer"),
             "es": ("Socio desde", "Válida hasta", "N.º de socio")}[language]  # fmt: skip
    number, since, until = _digits(rng, 8), rng.randint(2005, 2022), _day(rng, 2025, 2029)
    tier = rng.choice(("GOLD", "FAMILY", "JUNIOR"))
    sheet.say(50, 50, club, 44, bold=True, ink=ink)
    sheet.say(800, 130, tier, 26, bold=True, ink=ink)
    sheet.say(50, 330, f"{who.given} {who.surname}", 40, ink=ink)
    sheet.say(50, 400, f"{words[2]} {number}", 26, ink=ink)
    sheet.say(50, 500, words[0], 17, ink=ink)
    sheet.say(50, 524, str(since), 26, ink=ink)
    sheet.say(330, 500, words[1], 17, ink=ink)
    sheet.say(330, 524, until.strftime("%d/%m/%Y"), 26, ink=ink)
    for row in (
        ("organisation", "s", club), ("member_name", "s", f"{who.given} {who.surname}"), ("member_number", "s", number),
        ("tier", "s?", tier), ("member_since", "s", str(since)), ("valid_until", "d", until.isoformat()),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("member card", rng.choice(("member card", "pasgegevens", "datos del carné")))


def transfer_form(rng: random.Random) -> MadeCard:
    """A German SEPA transfer form: small labels above combs."""
    who, sheet = _Person.of(rng), Sheet(rng, 1300, 760, rng.choice(("#fdf0ea", "white")))
    sheet.face = "sans"
    size, pitch = rng.choice((24, 26)), rng.choice((35, 39))
    plain = str.maketrans("ÉÈÖÜŚĐIİŞĞ", "EEOUSDIISG")
    name, firm = (
        f"{who.given} {who.surname}".upper().translate(plain),
        rng.choice(("STADTWERKE KASSEL", "VEREIN FUER SPORT")),
    )
    iban, bic = _with_check("DE", _digits(rng, 18)), "GENODEF1" + _letters(rng, 3)
    euros, purpose = _money(rng, 2_000), f"RECHNUNG {_digits(rng, 6)}"
    sheet.say(60, 30, "SEPA-Überweisung", 32, bold=True)
    for at, (label, text, cells) in enumerate((
        ("Angaben zum Zahlungsempfänger: Name, Vorname/Firma", firm, 27), ("IBAN", iban, 22), ("BIC des Kreditinstituts", bic, 11),
        ("Betrag: Euro, Cent", f"{euros:.2f}".replace(".", ","), 12), ("Verwendungszweck", purpose, 27),
        ("Angaben zum Kontoinhaber: Name, Vorname/Firma", name, 27),
    )):  # fmt: skip
        y = 100.0 + 104 * at
        sheet.say(60, y, label, 16)
        sheet.comb(60, y + 26, text, cells, pitch, size, open_top=False)
    for row in (
        ("empfaenger", "s", firm), ("iban", "s", iban), ("bic", "s", bic), ("betrag", "n", euros),
        ("verwendungszweck", "s", purpose), ("kontoinhaber", "s", name),
    ):  # fmt: skip
        sheet.field(*row)
    return sheet.done("transfer form with combs", rng.choice(("Überweisung", "Überweisungsträger auslesen")))


def inspection_table(rng: random.Random) -> MadeCard:
    """A table of an inspection, with ticks under one of three headings."""
    who, sheet = _Person.of(rng), Sheet(rng, 1240, 900)
    size = rng.choice((21, 24))
    sheet.say(80, 50, "ROOM INSPECTION", 34, bold=True)
    sheet.say(80, 120, f"Inspector: {who.given} {who.surname}", size)
    y, pitch = 190.0, rng.choice((58, 66))
    lefts = (80.0, 620.0, 780.0, 940.0, 1100.0)
    options = ("good", "worn", "broken")
    for at, option in enumerate(("Item", *options)):
        sheet.box(lefts[at], y, lefts[at + 1] - lefts[at], pitch)
        sheet.say(lefts[at] + 20, y + 14, option, size, bold=True)
    sheet.field("inspector", "s", f"{who.given} {who.surname}")
    for name in ("Walls", "Floor", "Windows", "Heating", "Door lock"):
        y += pitch
        chosen = rng.randrange(3)
        for at in range(4):
            sheet.box(lefts[at], y, lefts[at + 1] - lefts[at], pitch)
        sheet.say(lefts[0] + 12, y + 14, name, size)
        sheet.tick(lefts[1 + chosen] + 60, y + 16, 24, ticked=True)
        sheet.field(name.lower().replace(" ", "_"), "e:good|worn|broken", options[chosen])
    return sheet.done("inspection table", rng.choice(("inspection result", "condition of each item")))


def _with_check(country: str, account: str) -> str:
    """Return an IBAN with its check digits (ISO 13616)."""
    figures = "".join(str(int(letter, 36)) for letter in f"{account}{country}00")
    return f"{country}{98 - int(figures) % 97:02}{account}"


KINDS: tuple[Callable[[random.Random], MadeCard], ...] = (
    residence_permit, licence, wage_statement, visa_form, identity_card, health_card, labels_below, tick_table,
    vehicle_registration,
)  # fmt: skip
HELD_OUT: tuple[Callable[[random.Random], MadeCard], ...] = (
    passport, state_licence, contractor_form, tax_certificate, customs_form, member_card,
    transfer_form, inspection_table,
)  # fmt: skip


def made_cards(kinds: Sequence[Callable[[random.Random], MadeCard]], each: int) -> Iterator[MadeCard]:
    """Yield `each` papers of every kind."""
    for kind in kinds:
        for number in range(each):
            yield kind(random.Random(f"{kind.__name__} {number}"))
