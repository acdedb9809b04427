"""Measures how often the planner chooses the right tasks for messages that the model of wishes has not seen, and the
time that planning adds to a request.

    .venv/bin/python -m eval.planning --rounds 5

Prints the share of messages whose set of tasks is exactly right, by language and by label, and of those whose language
is told, for the labelled messages of `training/wishes` that are held out: the models in the package are fitted to the
others. Then it prints the share of right plans of the table of examples, the milliseconds per request (p50, p99), and
the microseconds of processor time for messages of several lengths (the least of many measurements).
"""

import argparse
import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import structlog

from app.chat.inputs import Turn
from app.chat.plan import Planner, Situation, in_situation, with_wish
from tasks.inputs.kinds import Kind
from tasks.wording.message_language import language_classifier
from tasks.wording.wishes import LABELS, Label
from tests.kit.chats.plans import LATER, ROUTED, RULED, UNSEEN, Case, turn_of
from training.wishes.fit import LabelledMessage, labelled_messages, print_languages

TABLE = (*RULED, *ROUTED, *LATER, *UNSEEN)
AIM_MS = 2.0
STAND_INS: Mapping[Kind, str] = {"image": "image", "document": "pdf", "table": "csv", "audio": "wav", "video": "mp4"}
"""Name in `tests.kit.chats.plans.MEDIA` of an input of each kind. The link to a page is in the text."""
TASKS: Mapping[Label, str] = {
    "translate": "translate",
    "search": "web_search",
    "detect": "object_detection",
    "objects": "object_detection",
    "gui": "gui_detection",
    "forecast": "forecast",
}
"""The task that each label needs. The other labels need none but the reading of the inputs."""

ASPECTS = ("all", "a task is needed", "beside a schema")
"""Groups of messages whose share is printed before that of the languages and the labels."""

QUESTION = "Say something about the sea."
PROSE = """I am preparing a short talk on how coastal towns deal with rising water. Give me three points that a general
audience would follow, each with one example from Europe, and keep the tone calm and factual. The harbour was quiet in
the morning, and the fishermen had already left with the tide. On the quay, boxes of ice stood in rows; a clerk wrote
the prices on a board, and two children counted the gulls. """
LENGTHS = (28, 199, 2000, 15_600)
TRIES = 60


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wrong", action="store_true", help="print the held-out messages with other tasks, too")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    held_out = [one for one in labelled_messages() if one.is_held_out and "material" not in one.wishes]
    await print_shares(held_out, shows_wrong=arguments.wrong)
    print_languages(language_classifier(), held_out)
    print(
        f"\n{len(TABLE)} requests of the table, {arguments.rounds} rounds"
        f"\n{'':34}{'p50 ms':>9}{'p99 ms':>9}{'right':>9}"
    )
    times, right = await measured(Planner(), arguments.rounds)
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    print(f"{f'aim: p50 ≤ {AIM_MS:g}':34}{p50:9.2f}{p99:9.2f}{right:9.1%}\n")
    await print_lengths()


def tasks_needed(message: LabelledMessage) -> frozenset[str]:
    """Return the tasks that the labels of a message need with its media."""
    needed = {TASKS[label] for label in message.wishes & TASKS.keys()}
    if "image" not in message.media:
        needed -= {"object_detection", "gui_detection"}
    if message.media and {"table", "page"}.isdisjoint(message.media):
        needed.discard("forecast")
    # Elements of an interface are looked for in place of objects.
    return frozenset(needed - {"object_detection"} if "gui_detection" in needed else needed)


async def tasks_planned(message: LabelledMessage) -> frozenset[str]:
    """Return the tasks that the planner chooses beside those that read the inputs."""
    media = tuple(STAND_INS[kind] for kind in message.media if kind in STAND_INS)
    situation = Situation(has_schema=message.has_schema)
    turn = in_situation(turn_of(Case(message.text, media, ())), situation)
    plan = await Planner().plan(turn, situation)
    return frozenset({step.task for step in plan.steps} & set(TASKS.values()))


async def print_shares(messages: Iterable[LabelledMessage], *, shows_wrong: bool) -> None:
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for one in messages:
        needed, planned = tasks_needed(one), await tasks_planned(one)
        holds = dict(zip(ASPECTS, (True, bool(needed), one.has_schema), strict=True))
        for name in (*(aspect for aspect in ASPECTS if holds[aspect]), one.language, *one.wishes):
            outcomes[name].append(needed == planned)
        if shows_wrong and needed != planned:
            print(f"{one.text[:70]!r} {', '.join(one.media)}: {sorted(planned)} in place of {sorted(needed)}")
    languages = sorted(outcomes.keys() - {*ASPECTS, *LABELS})
    print(f"{'held-out messages':20}{'count':>7}{'exactly right tasks':>21}")
    for name in (*ASPECTS, *languages, *(label for label in LABELS if label in outcomes)):
        print(f"{name:20}{len(outcomes[name]):7}{np.mean(outcomes[name]):21.1%}")


async def print_lengths() -> None:
    print(f"{'characters, without media':34}{'µs':>9}")
    for length in LENGTHS:
        text = QUESTION if length == len(QUESTION) else (PROSE * (length // len(PROSE) + 1))[:length]
        least = float("inf")
        for _ in range(TRIES):
            started = time.process_time()
            await Planner().plan(await with_wish(Turn(text, ())))
            least = min(least, 1e6 * (time.process_time() - started))
        print(f"{length:<34}{least:9.0f}")


async def measured(planner: Planner, rounds: int) -> tuple[Sequence[float], float]:
    """Return the seconds of each request of the table, and the share of right plans."""
    turns = [turn_of(case) for case in TABLE]
    times, right = [], 0
    for _ in range(rounds):
        for case, turn in zip(TABLE, turns, strict=True):
            started = time.perf_counter()
            plan = await planner.plan(await with_wish(turn))
            times.append(time.perf_counter() - started)
            right += sorted(plan.summary) == sorted(case.steps)
    return times, right / len(times)


if __name__ == "__main__":
    asyncio.run(main())
