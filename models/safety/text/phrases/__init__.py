"""The phrases that the rules look for, one module a language or family of languages."""

from models.safety.text.phrases.arabic import ARABIC
from models.safety.text.phrases.chinese import CHINESE
from models.safety.text.phrases.english import ENGLISH
from models.safety.text.phrases.germanic import DUTCH, GERMAN
from models.safety.text.phrases.hindi import HINDI
from models.safety.text.phrases.japanese import JAPANESE
from models.safety.text.phrases.romance import FRENCH, ITALIAN, PORTUGUESE, SPANISH
from models.safety.text.phrases.slavic import POLISH, RUSSIAN
from models.safety.text.phrases.turkish import TURKISH

LANGUAGES = (
    ENGLISH,
    SPANISH,
    FRENCH,
    GERMAN,
    PORTUGUESE,
    ITALIAN,
    DUTCH,
    POLISH,
    RUSSIAN,
    TURKISH,
    CHINESE,
    JAPANESE,
    ARABIC,
    HINDI,
)
