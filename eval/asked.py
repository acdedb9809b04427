"""Measures how often exactly the names of values are found that a message asks for, in messages that the model has not
seen, and the time that this takes.

    .venv/bin/python -m eval.asked --wrong

Prints the share of messages of `training/asked` with exactly the right names and kinds, and with the right form, by
language, and the microseconds for texts of several lengths (the least of many measurements).
"""

import argparse
import time

from app.chat.planning.asked_names import name_model
from training.asked.fit import has_right_names, labelled_messages
from training.labelled import shares

QUESTION = "What is the total, and who is the seller?"
LENGTHS = (41, 300, 4_000)
TRIES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--wrong", action="store_true", help="print the messages with other names, too")
    arguments = parser.parse_args()
    model = name_model()
    held_out = [one for one in labelled_messages() if one.is_held_out]
    found = [model.names_in(one.text) for one in held_out]
    right = [has_right_names(one, names) for one, names in zip(held_out, found, strict=True)]
    forms = [model.form(one.text) == one.form for one in held_out]
    if arguments.wrong:
        for one, names, is_right in zip(held_out, found, right, strict=True):
            if not is_right:
                print(f"{one.text!r}: {[(name.text, name.kind) for name in names]} in place of {dict(one.asked)}")
    shares_of_forms = shares(zip(held_out, forms, strict=True))
    print(f"{'held-out messages':20}{'count':>7}{'exactly right names':>21}{'right form':>12}")
    for name, (count, share) in shares(zip(held_out, right, strict=True)).items():
        print(f"{name:20}{count:7}{share:21.1%}{shares_of_forms[name][1]:12.1%}")
    print(f"\n{'characters':20}{'µs':>9}")
    for length in LENGTHS:
        text = (f"{QUESTION} " * (length // len(QUESTION) + 1))[:length]
        least = float("inf")
        for _ in range(TRIES):
            started = time.process_time()
            model.names_in(text)
            least = min(least, 1e6 * (time.process_time() - started))
        print(f"{length:<20}{least:9.0f}")


if __name__ == "__main__":
    main()
