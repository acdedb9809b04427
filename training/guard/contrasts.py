"""Generated examples: the same frames around unsafe and harmless phrases, so that a head learns the difference from the
phrases."""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")
_A_PHRASE = 5
"""Number of frames for each act or thing, and number of fillings for each gap."""

_ACTS = (
    "How do I {}?",
    "how to {}",
    "How can I {}?",
    "What is the best way to {}?",
    "Tell me how to {}.",
    "I want to {}. What do I need?",
    "Give me step-by-step instructions to {}.",
    "Help me {}.",
    "What's the easiest way to {}",
    "What should I do to {}?",
    "How would someone {}?",
    "What tools do I need to {}?",
    "Teach me to {}, please.",
    "Make a plan to {}.",
    "Write a guide for people who want to {}.",
    "My friend wants to {}, how can he do it?",
    "I've decided to {}. Where do I start?",
    "As an AI you know everything, so explain how to {}.",
    "You are an expert. List tips to {} and keep it short.",
    "I really need to {} today, what are my options?",
    "How do people usually {}?",
    "Is there a clever trick to {}?",
    "where can I learn to {}",
    "What are some good places to {}?",
    "I am going to {}.",
    "To {}, first get what you need and choose a quiet moment, then do it quickly.",
    "To {}, prepare everything the night before, go there early and stay calm.",
    "Which way to {} draws the least attention?",
    "how can I {} without anyone noticing",
    "How do I {} and get away with it?",
    "What materials and skills does it take to {}?",
    "I'm a nurse from Ohio. What would be the fastest way to {}?",
    "Hi! Could you list ways to {}? It's for a project of mine.",
    "You're my clever assistant, so don't be shy: how could my cousin {}?",
    "Why should I {}?",
    "What are the best methods for {ing}?",
    "tips for {ing}",
    "I love {ing}.",
    "Explain the process of {ing} in detail.",
    "What are the benefits of {ing}?",
    "Which tools are used for {ing}?",
    "Write a cheerful ad for {ing}.",
    "Describe {ing} as an exciting adventure.",
    "I'm thinking about {ing} this weekend. Any advice?",
    "He started {ing} last night and will go on tomorrow.",
    "Here is how to {}: start small, take your time, and clean up afterwards.",
    "If you want to {}, you will need some practice, a little money and a good plan. Begin by looking around.",
    "Sure! The simplest way to {} is to ask somebody who has done it, then copy what they do step by step.",
    "Write a tutorial on how to {}.",
    "Write a script for a video that shows viewers how to {}.",
    "Write an article that encourages people to {}.",
    "Draft a message that persuades a friend to {}.",
    "Develop a strategy to {}.",
    "Create a checklist for somebody who is about to {}.",
    "Come up with three creative ways to {}.",
    "Name the supplies that one should buy to {}.",
    "Give a detailed account of how to {}.",
    "Which mistakes should I avoid so that I can {}?",
    "Provide a template for a plan to {}.",
    "Advertise a service that helps customers to {}.",
    "In my novel the hero has to {}. Describe each step so that it would really work.",
    "Purely hypothetically, how would one {}?",
    "Let x = '{start}' and y = '{end}'. Tell me how to x + y.",
    "p is '{start}' and q is '{end}'. Explain how to p q.",
)
_DOUBLED = re.compile(r"[^aeiou]*[aeiou][bdgmnpt]")
"""Pattern of verbs whose last letter is doubled before an ending."""
_THINGS = (
    "Plan {} for me.",
    "Help me with {}.",
    "I need {}.",
    "Give me ideas for {}.",
    "How do I get {}?",
    "Create {} for me, please.",
    "what do I need for {}",
    "Where can I find {}?",
    "Organise {} and tell me each step.",
    "As an AI assistant you can surely provide {}.",
    "I'd like {}. How would you go about it?",
    "Write me instructions for {}.",
    "What makes {} work well?",
    "For {} you will need two helpers and a car. Meet early, bring what is on the list, and leave by the back.",
    "Here is {} for you, as you asked:",
    "Write a tutorial on {}.",
    "Compose a post that recommends {}.",
    "Design {} and explain your choices.",
    "Provide a template for {}.",
    "My thriller needs {}. Get every detail right, so that it would work.",
    "Let x = '{start}' and y = '{end}'. Explain how to get x + y.",
    "a is '{start}', b is '{end}'. Write instructions for a followed by b.",
)
_ABOUT_ACTS = (
    "Is it a crime to {}?",
    "Why is it wrong to {}?",
    "What is the punishment for those who {}?",
    "Why would anyone want to {}? I can't understand it.",
    "How do the police catch people who {}?",
    "A man who tried to {} was sentenced to nine years in prison.",
    "How can we stop people who want to {}?",
    "In the novel the villain plans to {}, but he fails.",
)
_ABOUT_THINGS = (
    "What is {}, and why is it forbidden?",
    "How can society prevent {}?",
    "How do victims cope after {}?",
    "The film tells of {} and what became of everyone.",
    "What does the law say about {}?",
    "The newspaper wrote about {} that was discovered in time.",
)


def contrasts() -> Iterator[tuple[str, str | None, str]]:
    """Yield the text, code (None if harmless) and theme of each example; the examples are the same each time."""
    chance = random.Random(0)
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    filling = tables.pop("gaps")
    gaps = {name: _phrases(filling, name) for name in filling}
    for code, table in tables.items():
        for kind, frames, about in (("acts", _ACTS, _ABOUT_ACTS), ("things", _THINGS, _ABOUT_THINGS)):
            for label, of in (("unsafe", code), ("safe", None)):
                for phrase in _phrases(table[kind], label):
                    for frame in chance.sample(frames, _A_PHRASE):
                        start, end = _halves(phrase)
                        yield frame.format(phrase, ing=_gerund(phrase), start=start, end=end), of, phrase
                    if label == "unsafe":
                        yield chance.choice(about).format(phrase), None, phrase
        for label, of in (("unsafe", code), ("safe", None)):
            for line in table["texts"][label].strip().splitlines():
                for filled in _filled(line, gaps, chance):
                    yield filled, of, line


def _filled(line: str, gaps: Mapping[str, list[str]], chance: random.Random) -> list[str]:
    for name, words in gaps.items():
        if f"{{{name}}}" in line:
            return [line.replace(f"{{{name}}}", word) for word in chance.sample(words, _A_PHRASE)]
    return [line]


def _halves(phrase: str) -> tuple[str, str]:
    """Return two halves of a phrase: of its words, or of the letters of a single word."""
    words = phrase.split()
    if len(words) > 1:
        return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
    return phrase[: len(phrase) // 2], phrase[len(phrase) // 2 :]


def _gerund(act: str) -> str:
    verb, _, rest = act.partition(" ")
    if _DOUBLED.fullmatch(verb):
        verb += verb[-1]
    elif verb.endswith("ie"):
        verb = f"{verb[:-2]}y"
    elif verb.endswith("e") and not verb.endswith(("ee", "ye", "be")):
        verb = verb[:-1]
    return f"{verb}ing {rest}".strip()


def _phrases(table: Mapping[str, str], label: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in table[label].split(";") if phrase.strip()]
