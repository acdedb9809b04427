"""The phrases that the rules look for, one module a language."""

from models.safety.text.phrases.arabic import ARABIC
from models.safety.text.phrases.chinese import CHINESE
from models.safety.text.phrases.dutch import DUTCH
from models.safety.text.phrases.english import ENGLISH
from models.safety.text.phrases.french import FRENCH
from models.safety.text.phrases.german import GERMAN
from models.safety.text.phrases.hindi import HINDI
from models.safety.text.phrases.italian import ITALIAN
from models.safety.text.phrases.japanese import JAPANESE
from models.safety.text.phrases.polish import POLISH
from models.safety.text.phrases.portuguese import PORTUGUESE
from models.safety.text.phrases.russian import RUSSIAN
from models.safety.text.phrases.spanish import SPANISH
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
