"""A text as sentences to translate and what stands between them, and whether a translation kept what it must."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.translation.ct2 import MARK, MOST, content_mark, is_markup, markup_mark, same_marks
from tasks.translation.scan import NUMBER, Item, items_of

LONGEST = 500
"""Characters of one sentence; a longer one is cut at a comma, else at a space: models were trained on short ones."""

_END = re.compile(
    r"[.!?…]+[\"'”’»)\]\ue800-\uefff]*(?=\s)\s+(?![a-zß-öø-ÿа-яё,;])"
    r"|[。！？｡]+[」』”’）]*\s*|[।॥؟۔]+\s+"
)
_LAST_WORD = re.compile(r"(?:\A|[\s(\"'“„«])([^\W\d_](?:[\w.]{0,9}[^\W_])?)\.\Z")
_ABBREVIATED = (
    "mr mrs ms dr prof st sr jr vs etc e.g i.e cf no nos vol fig figs approx dept est inc ltd co corp gen col capt sgt "
    "rev hon jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s u.k z.b d.h u.a bzw usw ca nr bd hr fr str "
    "vgl evtl ggf inkl mme mlle m mm p.ex c.-à-d env art sra srta dña ud uds ee.uu p.ej av sig dott ing avv ecc pag "
    "exmo eng bijv enz dhr mevr т.е т.д т.п г ул им др"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_SOFT = re.compile(r"[,;:،、；：，][ \t]*|\s+")
_ONE_AFTER = r"[,;:،、；：，]"


def cut(text: str) -> list[str]:
    """The sentences of `text`, each with the white space behind it: joined, they are `text`."""
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if not _is_abbreviated(text[max(start, end.start() - 12) : end.start() + 1], end.group()):
            sentences += _shortened(text[start : end.end()])
            start = end.end()
    return sentences + (_shortened(text[start:]) if start < len(text) else [])


def _is_abbreviated(before: str, end: str) -> bool:
    word = _LAST_WORD.search(before) if end.rstrip() == "." else None
    return word is not None and (len(word[1]) == 1 or word[1].lower() in _ABBREVIATIONS)


def _shortened(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > LONGEST:
        place = _place_to_cut(sentence)
        pieces.append(sentence[:place])
        sentence = sentence[place:]
    return [*pieces, sentence]


def _place_to_cut(sentence: str) -> int:
    ends = [(found.end(), bool(re.match(_ONE_AFTER, found.group()))) for found in _SOFT.finditer(sentence, 1, LONGEST)]
    commas = [end for end, is_comma in ends if is_comma and end >= LONGEST // 3]
    return commas[-1] if commas else ends[-1][0] if ends else LONGEST


_MOST_ITEMS = MOST // 2
"""Of a run, so that marks for numbers are left."""
_EDGE = re.compile("[\\s\ue800-\uefff]*")
_END_EDGE = re.compile("[\\s\ue800-\uefff]*\\Z")


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    """With marks, one line, without space at its ends."""
    items: tuple[str, ...]
    """What the marks stand for, by their numbers."""

    @property
    def original(self) -> str:
        return self.restored(self.text)

    @property
    def with_numbers_marked(self) -> "Sentence":
        items = [*self.items]

        def mark(number: re.Match[str]) -> str:
            items.append(number.group())
            return content_mark(len(items) - 1)

        return Sentence(NUMBER.sub(mark, self.text), tuple(items))

    def restored(self, translation: str) -> str:
        """`translation` with everything for its marks."""
        return MARK.sub(lambda mark: self.items[ord(mark.group()) % MOST], translation)

    def is_kept_by(self, translation: str) -> bool:
        """Whether `translation` has all that must survive, and nothing of the kind besides."""
        if not translation.strip() or not same_marks(self.text, translation):
            return False
        return _structure(self.original) == _structure(self.restored(translation))


def pieces_of(text: str) -> list[str | Sentence]:
    """Strings stay as they are: joined with the sentences' originals, they are `text`."""
    pieces: list[str | Sentence] = []
    run: list[str | Item] = []
    items = place = 0
    for item in items_of(text):
        run.append(text[place : item.start])
        place = item.end
        if item.kind == "break" or items == _MOST_ITEMS:
            pieces += _sentences_of(run)
            run, items = [], 0
        if item.kind == "break":
            pieces.append(item.text)
        else:
            run.append(item)
            items += 1
    return [piece for piece in (*pieces, *_sentences_of([*run, text[place:]])) if piece]


def is_invented(translation: str, original: str) -> bool:
    """Whether a fragment's translation has markup, code or placeholders that the fragment had not."""
    return any(True for _ in items_of(translation)) and _structure(translation)[:2] != _structure(original)[:2]


def respaced(source: str, translation: str) -> str:
    """`translation` with markup as close to its words as in `source`: `<b>`, which opens, to the next one."""
    for mark in {mark for mark in MARK.findall(source) if is_markup(mark)}:
        before, _, after = source.partition(mark)
        left, right = before[-1:], after[:1]
        opens = right != "" and not right.isspace() and not left.isalnum()
        closes = left != "" and not left.isspace() and not right.isalnum()
        if opens == closes:
            continue
        translation = re.sub(f"{mark}\\s+" if opens else f"\\s+{mark}", mark, translation)
        if closes and right and not right.isspace():
            translation = re.sub(f"{mark}\\s+(?=[^\\w\\s])", mark, translation)
    return translation


def _sentences_of(run: Sequence[str | Item]) -> list[str | Sentence]:
    """Of what stands between two breaks."""
    marked = ""
    items: list[str] = []
    for part in run:
        if isinstance(part, str):
            marked += part
        else:
            mark = markup_mark if part.kind == "markup" else content_mark
            marked += mark(len(items))
            items.append(part.text)
    whole = Sentence(marked, tuple(items))
    pieces: list[str | Sentence] = []
    for sentence in cut(marked):
        start = _matched_end(_EDGE, sentence)
        ending = _END_EDGE.search(sentence)
        end = max(start, ending.start() if ending else len(sentence))
        core = sentence[start:end]
        if not any(letter.isalpha() for letter in core):
            pieces.append(whole.restored(sentence))
            continue
        pieces += [whole.restored(sentence[:start]), _renumbered(core, items), whole.restored(sentence[end:])]
    return pieces


def _matched_end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _renumbered(core: str, items: Sequence[str]) -> Sentence:
    own: list[str] = []

    def renumber(found: re.Match[str]) -> str:
        mark = found.group()
        own.append(items[ord(mark) % MOST])
        return (markup_mark if is_markup(mark) else content_mark)(len(own) - 1)

    return Sentence(MARK.sub(renumber, core), tuple(own))


def _structure(text: str) -> tuple[list[str], list[str], list[str]]:
    """Markup in order; the rest in any; numbers in any."""
    items = list(items_of(text))
    bare, place = [], 0
    for item in items:
        bare.append(text[place : item.start])
        place = item.end
    return (
        [item.text for item in items if item.kind == "markup"],
        sorted(item.text for item in items if item.kind != "markup"),
        sorted(NUMBER.findall(" ".join([*bare, text[place:]]))),
    )
