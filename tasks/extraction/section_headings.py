"""Headings of the sections of a CV."""

from typing import Final

from tasks.extraction.folding import fold

LONGEST_HEADING: Final = 4
"""A heading has at most this many words."""

_SECTIONS: Final = frozenset(
    fold(
        "certificates certifications certificate interests hobbies references skills education experience profile "
        "summary contact awards publications projects volunteering courses training zertifikate interessen hobbys "
        "referenzen kenntnisse fähigkeiten sprachen ausbildung berufserfahrung kontakt weiterbildung ehrenamt "
        "profil engagement certificats intérêts centres loisirs références compétences langues formation "
        "expériences expérience contacts certificados intereses aficiones referencias competencias habilidades "
        "idiomas formación experiencia contacto certificati interessi referenze competenze lingue istruzione "
        "esperienze contatti formazione interesses referências competências línguas formação experiência contactos "
        "certificaten interesses referenties vaardigheden talen opleiding ervaring werkervaring certyfikaty "
        "zainteresowania referencje umiejętności języki wykształcenie doświadczenie kontakt kursy intressen "
        "referenser kompetenser språk utbildning erfarenhet intyg"
    )
)
"""Words of the headings of a CV's sections."""
_AND: Final = frozenset(fold("and und et y e en i och & d of personal persönliche professional"))


def is_section(text: str) -> bool:
    """True if a text is the heading of a section of a CV."""
    words = [word for word in fold(text) if word not in _AND]
    return 0 < len(words) <= LONGEST_HEADING and all(word in _SECTIONS for word in words)
