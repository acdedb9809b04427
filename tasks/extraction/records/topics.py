"""Compares the name of a list with the headings above records: by their words, and by the topics that they name, so
`Berufserfahrung` is a heading of `jobs`."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from tasks.extraction.folding import fold, without_accents
from tasks.extraction.likeness import likeness_by_words
from tasks.extraction.names import Names

SAME_TOPIC: Final = 1.5
"""Likeness of a heading and a list with the same topic."""
SAME_NOUN: Final = 1.2
"""Likeness of a heading that has the noun of the list's name."""
SHORTEST_STEM: Final = 5
"""Least number of letters of a word that names a topic in compounds and inflected forms, too, and of a noun that is
compared in the singular and the plural."""

_PLURALS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    language: [(singular.strip("-"), plural.strip("-")) for singular, plural in map(str.split, forms.split(","))]
    for language, forms in {
        "en": "- -s, - -es, -y -ies, -f -ves, -fe -ves, -is -es",
        "de": "- -e, -e -en, -g -gen, -t -ten, -ion -ionen, -n -nen, -er -ern, -el -eln, -ed -eder, -us -en, -um -en",
        "fr": "- -s, -u -ux, -al -aux",
        "es": "- -s, - -es, -z -ces",
        "pt": "- -s, - -es, -ao -oes, -al -ais, -el -eis, -m -ns",
        "it": "-o -i, -a -e, -e -i, -co -chi, -ca -che, -go -ghi, -ga -ghe, -io -i",
        "nl": "- -s, - -en, -f -ven, -heid -heden",
        "pl": "-t -ty, -r -ry, -w -wy, -n -ny, -k -ki, -k -cy, -a -y, -a -i, -ie -ia, -c -ce",
        "sv": "-ing -ingar, -ion -ioner, -a -or, -e -ar, -e -en, -are -arna, -et -en",
    }.items()
}
"""Endings of nouns in the singular and the plural, without accents, by language."""

_WORDS_OF_TOPICS: Final[Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("topics.toml").read_text("utf-8"))
_TOPICS_OF_WORDS: Final[dict[str, set[str]]] = defaultdict(set)
for _topic, _words in _WORDS_OF_TOPICS.items():
    for _word in _words.split():
        _TOPICS_OF_WORDS[_word].add(_topic)
_LONGEST_WORD: Final = max(map(len, _TOPICS_OF_WORDS))


@lru_cache(maxsize=8192)
def heading_likeness(names: Names, heading: str) -> float:
    """Return how well a heading names a list, from 0 to 3."""
    text = heading.strip("#*_ :")
    likeness = likeness_by_words(names, text)
    if likeness < SAME_TOPIC and _topics(fold(text)) & _topics_of_list(names):
        return SAME_TOPIC
    if likeness < SAME_NOUN and _has_noun_of(names, text):
        return SAME_NOUN
    return likeness


def _has_noun_of(names: Names, heading: str) -> bool:
    """True if a heading has the noun of a list's name among its words, in the singular or the plural: `Avisos em vigor
    (4)` for `avisos`, `Earlier talks` for `pastTalks`."""
    nouns = [without_accents(name[-1]) for name in names.own if name and len(name[-1]) >= SHORTEST_STEM]
    words = [*map(without_accents, fold(heading))]
    return any(_is_same_noun(noun, word) for noun in nouns for word in words)


def _is_same_noun(noun: str, word: str) -> bool:
    """True if two words may have the same singular, such as `concerts` and Dutch `concerten`."""
    return not _singulars(noun).isdisjoint(_singulars(word))


def _singulars(word: str) -> set[str]:
    """Return the word, and the words of which it may be the plural in any language of `_PLURALS`."""
    endings = (ending for forms in _PLURALS.values() for ending in forms)
    found = {word.removesuffix(plural) + singular for singular, plural in endings if word.endswith(plural)}
    return {word, *(one for one in found if len(one) >= SHORTEST_STEM)}


def has_other_topic(names: Names, heading: str) -> bool:
    """True if a list and a heading name topics, and have none in common: `Education` above the records of `jobs`."""
    topics_of_list, topics_of_heading = _topics_of_list(names), _topics(fold(heading))
    return bool(topics_of_list and topics_of_heading) and topics_of_list.isdisjoint(topics_of_heading)


def _topics_of_list(names: Names) -> set[str]:
    return _topics([word for name in names.own for word in name])


def _topics(words: Sequence[str]) -> set[str]:
    """Return the topics that words name. A name of a topic may also be the beginning of a longer word."""
    topics: set[str] = set()
    for word in map(without_accents, words):
        for length in {len(word), *range(SHORTEST_STEM, min(len(word), _LONGEST_WORD + 1))}:
            topics |= _TOPICS_OF_WORDS.get(word[:length], set())
    return topics
