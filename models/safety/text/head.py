"""The trained part of the embedded guard: how unsafe a passage is by its words and by its meaning, and in which way.

Two models, each of which sees what the other does not, and a third that weighs them against each other:

- words: a linear model over the words, pairs and parts of words that are there (logistic regression);
- meaning: a weighted sum of Gaussian kernels around landmarks among the sentence embeddings (logistic regression on a
  Nyström map; Williams & Seeger 2001), k(x, l) = exp(−γ·|x − l|²);
- both: P(unsafe) by logistic regression over the two, fitted on what they said of texts that they had not seen
  (stacking; Wolpert 1992), which makes it a probability.

A second linear model over the embedding says which hazards it is: the likeliest gets P(unsafe) itself, and every other
code P(unsafe)·∛(p / p of the likeliest), so that a text that is two things has both codes.

training/guard makes the file.
"""

import base64
import itertools
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding.embedder import Vector
from models.safety.guard import Scores
from models.safety.text.lookalikes import without_heaps

COMMON = frozenset(
    """
    a about above across act actually after again against age ago all allow almost alone along already also although
    always am among an and another answer any anyone anything apart are around as ask at away back bad bag bank base be
    because become been before begin behind being believe below best better between big bit black blood blue board body
    book both box boy break bring build building built business but buy by call came can cannot car card care carry case
    cat catch caught cause certain chance change check child children city class clean clear close code cold come common
    company computer contain control cook cool copy cost could country course cover create cut data day dead deal dear
    death decode deep describe detail details did die different do does doing dog done door down draw drink drive drop
    during each early earth easy eat effect else email end enough even evening ever every everyone everything example
    explain eye face fact fall family far fast father feel few field fight file find fire first fix follow following
    food for force forget form found four free friend from front full fun game gave get girl give given go going gold
    gone good got great green ground group grow guide guy had half hand happen hard has hate have he head hear heard
    heart help her here hi hide high him himself his history hit hold home hope hot hour house how however human
    hundred i idea if ignore important in inside instead instruction instructions into is it its itself job just keep
    kept key kid kind know known land large last late later laugh law lead learn least leave left less let letter life
    light like line list listen little live local long look looking lose lost lot love low machine made main make
    making man many mark market matter may maybe me mean meet member men message method might mind minute miss moment
    money month more morning most mother mouth move much music must my myself name near need never new news next night
    no nobody none nor not note nothing now number of off office often oh old on once one only open or order other our
    out outside over own page paper part party pass past pay people person phone pick picture place plan plant play
    please point police possible power present press print problem process produce program public pull push put
    question quick quickly quite rain ran read reading ready real really reason receive red remember reply report
    response rest result return right road room rule run safe said sale same save saw say school sea search second
    secret see seem seen sell send sense sentence set several shall share she ship shop short should show side simple
    simply since single sister sit site situation six sleep slow small so social some someone something sometimes son
    soon sorry sound speak special spend stand start state stay step steps still stop store story street strong student
    study stuff such sure system table take taken talk tell ten test text than thank that the their them then there
    these they thing things think this those though thought three through time to today together told tomorrow tonight
    too took top toward town translate tree trip true trust try turn two type under understand until up upon us use
    used user using usual very via view visit voice wait walk wall want war warm was watch water way ways we week well
    went were what when where which while white who whole whom whose why will wind window wish with within without
    woman women wonder word words work world would write writing wrong year years yes yet you young your yourself
    """.split()
)
"""The most frequent words of English, and of orders to a machine."""

TELLING = frozenset(
    """
    abduct abuse acid addict aids ammo ammonium ammunition anal anarchist anarchy anthrax arsenal arson arsonist ass
    assassin assassinate assassination assault asshole attack ballot bastard beheading bestiality bioweapon bitch
    blackmail blade bleach blowjob bomb bomba bombard bombe bomben bomber bombing bombs boob boobs botnet bribe bribery
    bullet burglar burglary cannibal carding cartel cheat choke chlorine clit cock cocaine coke condom corpse
    counterfeit crack creampie crime criminal cum cumshot cunnilingus cunt cyanide cybersex ddos deepfake defame
    defamation destroy detonate detonator dick dildo disguise dismember dox doxx doxxing drown drug drugs dynamite
    ecstasy ejaculate election embezzle embezzlement erotic erotica escort evade evidence execute exploit explode
    exploding explosion explosive explosives exploits extort extortion extremist fag faggot fake fascist fellatio
    fentanyl fetish firearm firearms forge forged forgery fraud fuck fucked fucker fucking fuckers gang gas genocide
    ghb glock grenade groom gun gunpowder guns hack hacked hacker hacking handcuffs handgun handjob hang harass harm
    hashish herion heroin hijack hitler hitman holocaust homicide hooker horny hostage hurt illegal illegally incest
    infidel insult intercourse jailbait jailbreak jerk jew jews jihad kamikaze ketamine keylogger kidnap kidnapping
    kill killed killer killing kills kkk knife launder laundering lesbian loli lolita loot lsd lynch malware manifesto
    marijuana massacre masturbate masturbation mdma meth methamphetamine milf minor minors molest molester molotov
    morphine murder murderer murders muslim muslims mutilate naked napalm nazi nazis negro nerve nigga nigger nitrate
    nitroglycerin noose novichok nuclear nude nudes opioid opium oral orgasm orgy overdose paedophile paki password
    passwords pedo pedophile pedophilia peeping penis perv pervert phish phishing pimp piracy pirate pistol plutonium
    poison poisoning polonium porn porno pornographic pornography predator pressure preteen prostitute prostitution
    pubes pussy racism racist ransom ransomware rape raped raper rapes raping rapist retard retarded revenge ricin
    rifle riot rob robbery rohypnol roofie sabotage sadist sarin scam scammer schoolgirl sedate seduce self semen sex
    sexting sextortion sexual sexy shit shoot shooter shooting shotgun skimmer slaughter slave slavery slit slut slur
    slurs smuggle smuggling sniper spank sperm spyware stab stabbing stalk stalker stalking starve steal stealing
    stolen strangle strip stripper strychnine suffocate suicidal suicide swastika taliban terror terrorism terrorist
    terrorists threat threaten threesome thief tits titties torture toxic toxin traffick trafficking trojan torpedo
    tranny troll twink undetected underage upskirt uranium vagina vandal vandalism venom vibrator victim victims
    violence violent virus voyeur vulva weapon weaponize weapons weed whore wrists xanax
    """.split()
)
"""Words of the subjects that a guard looks for, some in other languages: what people disguise."""

KNOWN = COMMON | TELLING

_TOKEN = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile(r"[aeiouyáéíóúàèìòùäëïöüâêîôûãõå]")
_HEAP = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}")


def is_pronounceable(word: str) -> bool:
    """Has the vowels and consonants of a word in Latin letters; words in other letters count as such."""
    word = word.casefold()
    return not word.isascii() or (bool(_VOWEL.search(word)) and not _HEAP.search(word))


def is_readable(text: str) -> bool:
    """Whether bytes that were decoded to `text` were a text: words and what stands between them, no key or picture."""
    if not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return False
    words = _TOKEN.findall(text)
    letters = sum(map(len, words))
    if 2 * letters < len(text.replace(" ", "")):
        return False
    if any(len(word) >= 3 and word.casefold() in KNOWN for word in words):
        return True
    if not text.isascii():
        return letters >= 4 and max(map(len, words)) >= 2
    plain = [word for word in words if is_pronounceable(word) and _has_the_case_of_a_word(word)]
    return letters >= 12 and 3 * sum(map(len, plain)) > 2 * letters and max(map(len, words)) <= 24


def _has_the_case_of_a_word(word: str) -> bool:
    return word.islower() or word.isupper() or word.istitle()


_WORD = re.compile(r"[^\W\d_]{2,}")
_PARTS = (3, 4, 5)
"""Characters of a part of a word: parts tell "trafficking" from "traffic", and still know "traffickers"."""
_LONGEST = 24
"""Characters of a word that count: no word is longer, but a hash may be."""


def terms_of(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words and neighbouring pairs of words, and the parts of words, each once; case, accents, figures and
    punctuation do not count. A part that begins or ends a word has a space there."""
    words = [word[:_LONGEST] for word in _WORD.findall(_plain(text))]
    pairs = map(" ".join, itertools.pairwise(words))
    return frozenset([*words, *pairs]), frozenset(part for word in frozenset(words) for part in _parts(word))


def _plain(text: str) -> str:
    """Apostrophes go, so that "don't" is one word however it is written."""
    decomposed = unicodedata.normalize("NFKD", without_heaps(text.lower()))
    if not decomposed.isascii():
        decomposed = "".join(character for character in decomposed if not unicodedata.combining(character))
    return decomposed.replace("'", "").replace("’", "")


def _parts(word: str) -> Iterator[str]:
    bounded = f" {word} "
    for length in _PARTS:
        for start in range(len(bounded) - length + 1):
            yield bounded[start : start + length]


FILE = Path(__file__).with_name("head.json")
_SHARE = 0.65
"""0 would give each passage the prior odds of a whole text, 1 an even share. Chosen by what harmless
documents are taken for (docs/guardrails.md)."""
_SCALE = 127
"""Vectors of length 1 are kept as bytes: none of their numbers is off by more than 0.004."""


@dataclass(frozen=True)
class Linear:
    """A weighted sum of the terms that a text has, divided by the root of how many of them are known."""

    weights: Mapping[str, float]

    def of(self, terms: frozenset[str]) -> float:
        found = [self.weights[term] for term in terms if term in self.weights]
        return sum(found) / len(found) ** 0.5 if found else 0.0


@dataclass(frozen=True)
class Head:
    about: Mapping[str, Any]
    """Where it comes from: data with their attributions, seed, sizes."""
    words: Linear
    parts: Linear
    words_bias: float
    landmarks: NDArray[np.float32]
    """n × 384."""
    gamma: float
    landmark_weights: NDArray[np.float32]
    meaning_bias: float
    both: tuple[float, float, float]
    """Weights of words and meaning, and the intercept."""
    suspect: float
    """The log odds by words from which on a text is worth embedding."""
    codes: tuple[str, ...]
    code_weights: NDArray[np.float32]
    """Codes × 384."""
    code_biases: NDArray[np.float32]
    threshold: float
    """P(unsafe) from which on a text is unsafe."""

    def words_of(self, text: str) -> float:
        """The log odds that its words alone give a text."""
        words, parts = terms_of(text)
        return self.words.of(words) + self.parts.of(parts) + self.words_bias

    def meanings_of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The log odds by meaning alone, n of n × 384."""
        squares = 2 - 2 * vectors @ self.landmarks.T
        odds: NDArray[np.float32] = np.exp(-self.gamma * squares) @ self.landmark_weights + self.meaning_bias
        return odds

    def unsafe(self, words: float, meaning: float, passages: int = 1) -> float:
        """P(unsafe) of one of `passages` passages of a text. A long text has more chances to look unsafe by accident:
        its prior odds are shared out among its passages, though not evenly, for they resemble each other."""
        of_words, of_meaning, bias = self.both
        odds = of_words * words + of_meaning * meaning + bias - _SHARE * np.log(passages)
        return float(1 / (1 + np.exp(-odds)))

    def is_suspect(self, words: float, passages: int) -> bool:
        """Whether it is worth finding out what a passage means, by the log odds of its words."""
        return words >= self.suspect + float(np.log(passages))

    def scores(self, unsafe: float, vector: Vector) -> Scores:
        """The score of each of `codes` for a text that is unsafe with the probability `unsafe`."""
        odds = self.code_weights @ vector + self.code_biases
        relative = np.exp((odds - odds.max()) / 3)
        return dict(zip(self.codes, (unsafe * relative).tolist(), strict=True))


@cache
def load_head(path: Path = FILE) -> Head:
    return head_of(json.loads(path.read_text(encoding="utf-8")))


def head_of(stored: Mapping[str, Any]) -> Head:
    words, meaning, kinds = stored["words"], stored["meaning"], stored["codes"]
    landmarks = unpacked(meaning["landmarks"], len(meaning["weights"]))
    return Head(
        about=stored["about"],
        words=Linear(words["words"]),
        parts=Linear(words["parts"]),
        words_bias=words["bias"],
        landmarks=landmarks / np.linalg.norm(landmarks, axis=1, keepdims=True),
        gamma=meaning["gamma"],
        landmark_weights=np.array(meaning["weights"], np.float32),
        meaning_bias=meaning["bias"],
        both=(stored["both"]["words"], stored["both"]["meaning"], stored["both"]["bias"]),
        suspect=words["suspect"],
        codes=tuple(kinds["names"]),
        code_weights=np.array(kinds["weights"], np.float32),
        code_biases=np.array(kinds["biases"], np.float32),
        threshold=stored["threshold"],
    )


def packed(vectors: NDArray[np.float32]) -> str:
    """Rows of length 1 as base64 of bytes."""
    return base64.b64encode(np.rint(vectors * _SCALE).astype(np.int8).tobytes()).decode()


def unpacked(text: str, rows: int) -> NDArray[np.float32]:
    bytes_ = np.frombuffer(base64.b64decode(text), np.int8)
    return (bytes_.reshape(rows, -1) / _SCALE).astype(np.float32)


def worst_of(all_scores: Sequence[Scores]) -> dict[str, float]:
    """The highest score of each code."""
    worst: dict[str, float] = {}
    for scores in all_scores:
        for code, score in scores.items():
            worst[code] = max(score, worst.get(code, 0.0))
    return worst
