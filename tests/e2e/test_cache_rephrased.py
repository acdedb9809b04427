"""`OPENFAZE_CACHE=verified`: a kept answer is given to other words where it was learned that it is right."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from app.cli import cached
from app.settings import Settings
from tests.e2e.full_model import FullModel, content_of, serving_full_model, system
from tests.llm_server import Reply
from tests.waiting import wait_until

HEIGHT = "How tall is the Eiffel Tower?"
WORDINGS = (
    "What is the height of the Eiffel Tower?",
    "How high is the Eiffel Tower?",
    "Tell me how tall the Eiffel Tower is.",
    "How tall is the Eiffel Tower, please?",
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'answers.sqlite'}"


@pytest.fixture
def model(url: str) -> Iterator[FullModel]:
    # A bound that a few observations meet: how many a small one takes is measured elsewhere.
    with serving_full_model(cache="verified", cache_url=url, cache_max_error=0.2) as model:
        yield model


def judging(answer: str, verdict: str) -> Callable[[dict[str, Any]], Reply]:
    """An LLM that always answers the same in other words, and has a verdict on it."""
    count = iter(range(1_000_000))

    def reply(body: dict[str, Any]) -> Reply:
        if "Reply with one word" in json.dumps(body):
            return Reply(verdict)
        return Reply(f"{answer} (No {next(count)}.)")

    return reply


def ask(model: FullModel, question: str, **more: Any) -> tuple[bool, str]:
    response = model.ask(question, **more)
    return response.json()["vcache"], content_of(response)


def taught(model: FullModel, url: str, verdict: str, rounds: int = 12) -> None:
    """Asks in other words until that is no longer compared."""
    model.script(by_body=judging("330 metres.", verdict))
    ask(model, HEIGHT)
    wait_until(lambda: known_questions(questions_of(url)) == 1)
    for number in range(rounds):
        asked_and_learned(model, f"{WORDINGS[number % len(WORDINGS)]}{' ' * (number // len(WORDINGS))}")


def asked_and_learned(model: FullModel, question: str) -> bool:
    """Whether it hit. Else waits for its answer, and for the verdict on that, for which nobody else does."""
    seen = len(model.prompts)
    hit, _ = ask(model, question)
    if not hit:
        model.llm.wait_for_requests(seen + 2)
    return hit


def test_what_was_verified_is_given_to_other_words(model: FullModel, url: str) -> None:
    taught(model, url, "SAME", rounds=40)
    # Which ones is drawn by a hash, in which this server's own settings are: of so many five are, whatever it draws.
    told = (ask(model, f"What is the height of the Eiffel Tower{'?' * number}") for number in range(2, 100))
    hits = list(islice((answer for hit, answer in told if hit), 5))
    # The kept answer is told as it was.
    assert hits == ["330 metres. (No 0.)"] * 5


def test_what_is_given_is_not_forgotten_for_its_age(model: FullModel, url: str) -> None:
    taught(model, url, "SAME", rounds=40)
    with contextlib.closing(sqlite3.connect(questions_of(url))) as db:
        with db:
            db.execute("UPDATE questions SET used = 0")
        hits = (ask(model, f"What is the height of the Eiffel Tower{'?' * number}")[0] for number in range(2, 100))
        assert any(hits)
        wait_until(lambda: db.execute("SELECT min(used) FROM questions").fetchone() > (0,))


def test_what_was_found_to_differ_is_not(model: FullModel, url: str) -> None:
    taught(model, url, "DIFFERENT", rounds=20)
    firsts = [ask(model, f"How high is the Eiffel Tower, then{'?' * number}")[0] for number in range(1, 10)]
    assert not any(firsts)


@pytest.mark.parametrize(
    "other",
    [
        "How tall is the Tokyo Tower?",
        "How tall is the Eiffel Tower in 1889?",
        "How tall isn't the Eiffel Tower?",
        "How old is the Eiffel Tower?",
    ],
)
def test_near_misses_are_not_even_compared(model: FullModel, other: str) -> None:
    model.script(by_body=judging("330 metres.", "SAME"))
    ask(model, HEIGHT)
    hit, _ = ask(model, other)
    assert not hit
    ask(model, HEIGHT)
    assert not any("Reply with one word" in json.dumps(prompt) for prompt in model.prompts)


def test_scopes_are_never_crossed(model: FullModel, url: str) -> None:
    taught(model, url, "SAME", rounds=40)
    question = "What is the height of the Eiffel Tower??"
    for asked in (
        {"temperature": 0.3},
        {"seed": 1},
        {"headers": {"x-interfaze-bypass-cache": "true"}},
    ):
        assert not ask(model, question, **asked)[0]
    assert not model.ask(system("Answer in feet."), question).json()["vcache"]
    assert not model.ask("Hello", {"role": "assistant", "content": "Hi"}, question).json()["vcache"]


def test_an_answer_that_had_gone_is_not_compared_with_itself(model: FullModel, url: str) -> None:
    taught(model, url, "SAME", rounds=1)
    # A version, and what was seen.
    wait_until(lambda: [len(json.loads(seen)) for _, seen in known_rows(url)] == [2])
    [(first, _)] = known_rows(url)
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as answers, answers:
        answers.execute("DELETE FROM entries")
    prompts = len(model.prompts)
    assert not ask(model, HEIGHT)[0]
    # The question is known for another answer now, of which nothing was seen.
    wait_until(lambda: known_rows(url)[0][0] != first)
    assert [json.loads(seen) for _, seen in known_rows(url)] == [[1]]
    assert len(model.prompts) == prompts + 1


def test_keys_never_share_what_was_learned(url: str) -> None:
    keys = ("test-key-1", "test-key-2")
    with serving_full_model(cache="verified", cache_url=url, cache_max_error=0.2, api_keys=keys) as model:
        model.client.headers["authorization"] = f"Bearer {keys[0]}"
        taught(model, url, "SAME", rounds=40)
        wordings = [f"What is the height of the Eiffel Tower{'?' * number}" for number in range(2, 100)]
        # Which one is drawn by a hash: of so many some are, whatever it draws.
        assert any(asked_and_learned(model, wording) for wording in wordings)
        model.client.headers["authorization"] = f"Bearer {keys[1]}"
        model.llm.requests.clear()
        assert not ask(model, wordings[0])[0]
        # Nothing is near it: it is the other key's first question.
        wait_until(lambda: known_questions(questions_of(url)) == 2)
        assert not any("Reply with one word" in json.dumps(prompt) for prompt in model.prompts)


def test_a_bound_of_zero_gives_nothing_to_other_words(url: str) -> None:
    with serving_full_model(cache="verified", cache_url=url, cache_max_error=0) as model:
        taught(model, url, "SAME", rounds=16)
        assert not any(ask(model, f"How high is the Eiffel Tower{'?' * number}")[0] for number in range(2, 10))


def test_an_operator_sees_questions_and_deletes_them_with_their_answers(
    model: FullModel, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.script(by_body=judging("330 metres.", "SAME"))
    ask(model, HEIGHT)
    file = tmp_path / "answers-questions.sqlite"
    assert b"Eiffel" not in file.read_bytes()  # texts are compressed, and encrypted on request
    wait_until(lambda: known_questions(file) == 1)
    told = Settings(_env_file=None, cache="verified", cache_url=url)
    capsys.readouterr()  # what the server logged
    cached.show(told, as_json=False)
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[-3:-1] for line in shown[1:]] == [["answer", "1"], ["question", "1"]]
    cached.purge(told, None)
    assert known_questions(file) == 0
    assert not ask(model, HEIGHT)[0]


def questions_of(url: str) -> Path:
    """The file beside that of the answers."""
    answers = Path(url.removeprefix("sqlite:///"))
    return answers.with_name(f"{answers.stem}-questions.sqlite")


def known_questions(file: Path) -> int:
    with contextlib.closing(sqlite3.connect(file)) as db:
        [count] = db.execute("SELECT count(*) FROM questions").fetchone()
        return int(count)


def known_rows(url: str) -> list[tuple[bytes, str]]:
    """For each question a digest of its answer, and what was seen of that."""
    with contextlib.closing(sqlite3.connect(questions_of(url))) as db:
        return db.execute("SELECT said, seen FROM questions").fetchall()
