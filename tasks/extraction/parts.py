"""Finds the parts of an address, and of a person's full name, by their notation.

>>> parts_of_name("Dr. Anna van den Berg")
{'first_name': 'Anna', 'last_name': 'van den Berg'}
"""

import re

LONGEST_LINE = 2_000
"""A line of an address has at most this many characters. A longer line is not searched."""
_TITLE = re.compile(
    r"(?:(?:mrs?|ms|miss|dra?|dres|drs|prof\.ssa|prof|sir|herrn?|frau|m|mme|mlle|monsieur|madame|ma[iî]tre|me|do[ck]t(?:eu|o)r"
    r"|dott\.ssa|dott(?:oressa|or)?|sra?|srta|do[nñ]a?|d\.?ª|dña|sig\.ra|sig\.na|sig|signor[ae]?|avv|ing|inż|geom|arch|rag"
    r"|senhora?|exm[oa]|lic|dhr|de heer|mevr|mw|mevrouw|pan|pani|mgr|fru|encik|puan|tuan)\b\.? ?)+",
    re.IGNORECASE,
)
_PARTICLE = re.compile(
    r"van|von|vom|zu|del?|della|di|da|dos|das|du|la|le|te[nr]|de[nr]|bin(?:ti)?|bte|al|el|ibn|san|st", re.IGNORECASE
)
"""Pattern of words that begin a family name of several words."""
_PERSON = re.compile(r"[^\W\d_][\w'’.-]*(?:,? [^\W\d_][\w'’.-]*){1,5}")

_ON_TICKET = re.compile(
    r"(?P<last>[A-Z][A-Z' -]{1,30})/ ?(?P<first>[A-Z][A-Z' -]{1,30}?)(?: ?(?:MRS?|MS|MISS|MSTR|DR|CHD|INF))?"
)
"""Pattern of a name on a ticket: `BERG/ANNA MRS`."""

_CITY = r"[^\W\d_][^\W\d_'’.]*(?:[ '’.-]{1,2}[^\W\d_]+){0,4}?\.?"
_STREET = re.compile(
    r".*(?<=\S )(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|terrace|court|ct|place|pl|square"
    r"|highway|hwy|parkway|close|crescent|row|walk|mews|parade)\b\.? ?",
    re.IGNORECASE,
)
"""Pattern of a street that ends with a word like `road` or `lane`."""
_COUNTRY = re.compile(r"[ ,][A-Z]{1,2}-$")
"""Pattern of a country's letters before a postcode: `D-20095`."""
_NUMBER_ALONE = re.compile(r"\d[\d./-]* ?\w?")
_SIGNS_AFTER_STREET = " ,;·•|–-/"
"""Signs between a street and what follows it."""
_FORMS = tuple(
    re.compile(form)
    for form in (
        # Austin, TX 78792; Melbourne VIC 3256; Toronto, ON M5V 2T6
        rf"(?:^|.*?[ ,] ?)(?P<city>{_CITY}),? +(?P<state>[A-Z]{{2,3}}),? +"
        r"(?P<postcode>\d{4,5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b",
        # Reading RG5 9VR; Leeds, West Yorkshire LS2 9HM; Dublin D05 EPK5
        rf"(?:^|.*?, ?)(?P<city>{_CITY})(?:, ?(?P<state>{_CITY}))?,? +"
        r"(?P<postcode>[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[\dW] ?[A-Z\d]{4})\b",
        # 69073 Lyon; D-20095 Hamburg; 1234 AB Amsterdam; 20131 Milano (MI); 29640 Fuengirola (Málaga);
        # 50553-003 Recife/PE; 43804 Kajang, Johor
        r"(?:^|.*[ ,-])(?:[A-Z]{1,2}-)?"
        r"(?P<postcode>\d{4} ?[A-Z]{2}|\d{4,6}(?:-\d{3})?),? +"
        rf"(?P<city>{_CITY})"
        rf"(?: ?[/(] ?(?P<state>[A-Z]{{2}})\b\)?| (?P<province>[A-Z]{{2}})|, ?(?P<region>{_CITY})| \({_CITY}\))?\.?$",
        # 852 40 Sundsvall; 84-230 Rumia
        rf"(?:^|.*, ?)(?:[A-Z]{{1,2}}-)?(?P<postcode>\d{{3}} \d{{2}}|\d{{2}}-\d{{3}}),? +(?P<city>{_CITY})$",
    )
)
"""Patterns of a line of an address with its postcode."""


def places_in(line: str) -> dict[str, tuple[int, int]]:
    """Return the positions of street, city, postcode and state in a line of an address, by concept; empty if there is
    no postcode."""
    if len(line) > LONGEST_LINE:
        return {}
    for form in _FORMS:
        if (match := form.match(line)) is None:
            continue
        state = next((name for name in ("state", "province", "region") if match.groupdict().get(name)), None)
        found = {"city": match.span("city"), "postcode": match.span("postcode")}
        found |= {"state": match.span(state)} if state else {}
        if street := _STREET.match(line, *found["city"]):
            # The group `city` begins with the street ("Albert Terrace Leeds"), or consists of the street alone ("Mill
            # Lane, Reading RG5 9VR").
            found["city"] = (street.end(), found["city"][1])
            if street.end() == found["city"][1]:
                found["city"] = found.pop("state", (0, 0))
        if not found["city"][1]:
            return {}
        street_at = _street_before(line, min(start for start, _ in found.values()))
        return found | ({"street": street_at} if street_at else {})
    return {}


def _street_before(line: str, end: int) -> tuple[int, int] | None:
    """Return the position of the street before `end`, or None if the text has no figure or no letter. Commas divide the
    text into parts. The street begins with the first part that has a figure, usually the house number. If this part is
    only a number, the street begins with the part before it."""
    text = _COUNTRY.sub("", line[:end]).rstrip(_SIGNS_AFTER_STREET)
    start = text.rfind(":") + 1
    parts = text[start:].split(",")
    at = next((at for at, part in enumerate(parts) if any(map(str.isdigit, part))), None)
    if at is None or not any(map(str.isalpha, text[start:])):
        return None
    # A number that is a part by itself belongs to the street before it: `Calle Mayor, 12`.
    at -= at > 0 and _NUMBER_ALONE.fullmatch(parts[at].strip()) is not None
    start += sum(len(part) + 1 for part in parts[:at])
    return start + len(text[start:]) - len(text[start:].lstrip(_SIGNS_AFTER_STREET)), len(text)


def without_titles(name: str) -> str:
    """Return a name without the titles and forms of address before it."""
    found = _TITLE.match(name)
    return name[found.end() :] if found else name


def parts_of_name(name: str) -> dict[str, str]:
    """Return the first and the last name of a person, or nothing for a text that is not a full name."""
    if ticket := _ON_TICKET.fullmatch(name):
        return {"first_name": ticket["first"], "last_name": ticket["last"]}
    name = without_titles(name)
    if not _PERSON.fullmatch(name):
        return {}
    last, comma, first = (part.strip() for part in name.partition(","))
    if not comma:
        words = name.split()
        # In `DUPONT Sophie`, the name in capitals is the family name; in `J.A. Dupont`, the capitals are initials.
        loud = [len(word) > 1 and word.isupper() and "." not in word for word in words]
        if loud[0] and not all(loud):
            cut = loud.index(False)
            last, first = " ".join(words[:cut]), " ".join(words[cut:])
        else:
            cut = next(
                (index for index, word in enumerate(words) if index and _PARTICLE.fullmatch(word)), len(words) - 1
            )
            first, last = " ".join(words[:cut]), " ".join(words[cut:])
    return {"first_name": first, "last_name": last} if first and last else {}
