"""Judging by codes: who judges which, what becomes of the scores, and that nothing passes that was not judged."""

import asyncio
import base64
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
import pytest
from reportlab.lib.colors import red, white
from reportlab.pdfgen.canvas import Canvas
from structlog.testing import capture_logs

from models.base import EngineFailed, EngineNotReady, EngineTooSlow, EngineUnavailable
from models.language.llm import LlmNotSetUp, LlmUnavailable
from models.safety.guard import IMAGE_CODES, ImageGuard, Judgement, TextGuard
from tasks.errors import InputError
from tasks.guardrails import Check, Guardrails, Policy, Verdicts, codes_of, result_of, scores_of
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tests.kit.audio.recordings import filmed
from tests.kit.engines.keyword_guards import KeywordGuard, RedGuard
from tests.kit.papers import hostile
from tests.kit.papers.office_files import document

Make = Callable[..., Guardrails]

BOTH = Policy(("S1", "S9"))
NAKED = Policy(("S12_IMAGE",))


LIMITS = MediaLimits(pages=5, video_frames=3)


@pytest.fixture
def make(loader: MediaLoader) -> Make:
    def guardrails(*guards: TextGuard, pictures: Sequence[ImageGuard] = (), seconds: float = 5) -> Guardrails:
        def there_are(found: Sequence[Any], capability: str) -> Callable[[], Sequence[Any]]:
            def look() -> Sequence[Any]:
                if not found:
                    raise EngineUnavailable(capability, "Set one up.")
                return found

            return look

        return Guardrails(there_are(guards, "text_guard"), there_are(pictures, "image_guard"), loader, seconds=seconds)

    return guardrails


def source(data: bytes, media_type: str, param: str = "messages[0].content[1].file.file_data") -> Source:
    return Source(Origin(param), payload=f"data:{media_type};base64,{base64.b64encode(data).decode()}")


def picture(colour: str, width: int = 8, param: str = "messages[0].content[1].image_url.url") -> Source:
    file = io.BytesIO()
    PIL.Image.new("RGB", (width, 8), colour).save(file, "PNG")
    return source(file.getvalue(), "image/png", param)


def pdf(*colours: Any) -> Source:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(72, 72))
    for colour in colours:
        canvas.setFillColor(colour)
        canvas.rect(0, 0, 72, 72, stroke=0, fill=1)
        canvas.showPage()
    canvas.save()
    return source(file.getvalue(), "application/pdf")


# Texts.


async def test_each_text_that_says_something_has_a_check(make: Make) -> None:
    checks = await make(KeywordGuard()).texts([("a", "Murder!"), ("b", " \n"), ("c", ""), ("d", "Bread.")], BOTH)
    assert checks == [
        {"source": "a", "codes": ["S1"], "scores": {"S1": 0.95, "S9": 0.05}},
        {"source": "d", "codes": [], "scores": {"S1": 0.05, "S9": 0.05}},
    ]


async def test_no_codes_of_texts_no_checks_and_no_engine_asked_for(make: Make) -> None:
    assert await make().texts([("a", "Murder!")], NAKED) == []
    make().check_texts_can_be_judged(NAKED)


async def test_each_code_is_judged_by_the_first_engine_that_can(make: Make) -> None:
    first = KeywordGuard({"S9": "bomb"}, "first")
    second = KeywordGuard({"S1": "murder", "S9": "nothing"}, "second")
    [check] = await make(first, second).texts([("a", "A bomb, murder.")], Policy(("S1", "S9")))
    assert check["codes"] == ["S1", "S9"]
    assert [codes for _, codes, _ in first.judged] == [("S9",)]
    assert [codes for _, codes, _ in second.judged] == [("S1",)]


async def test_codes_that_nobody_judges_are_named_with_what_they_mean(make: Make) -> None:
    guardrails = make(KeywordGuard())
    policy = Policy(("S1", "S4", "S14"))
    with pytest.raises(EngineUnavailable) as failure:
        guardrails.check_texts_can_be_judged(policy)
    assert "keywords" in str(failure.value)
    assert "S4 (Child Sexual Exploitation), S14 (Code Interpreter Abuse)" in str(failure.value)
    with pytest.raises(EngineUnavailable):
        await guardrails.texts([("a", "Bread.")], policy)
    with pytest.raises(EngineUnavailable, match=r"judges S1 \(Violent Crimes\), S9 .* Set one up\."):
        await make().texts([("a", "Bread.")], BOTH)


@pytest.mark.parametrize(
    ("text", "thresholds", "codes"),
    [
        # 1 − 0.95 is a little more than 0.05.
        ("Bread.", {}, []),
        ("Bread.", {"S1": 0.05}, ["S1"]),
        ("Bread.", {"S9": 0.0}, ["S9"]),
        ("Bread.", {"S1": 0.06, "S14": 0.0}, []),
        ("Murder!", {"S1": 0.95}, ["S1"]),
        ("Murder!", {"S1": 0.951}, []),
    ],
)
async def test_a_threshold_of_the_policy_replaces_the_engines(
    make: Make, text: str, thresholds: Mapping[str, float], codes: Sequence[str]
) -> None:
    [check] = await make(KeywordGuard()).texts([("a", text)], Policy(("S1", "S9"), thresholds))
    assert check["codes"] == codes


def raising(error: BaseException) -> Callable[[str], None]:
    def do(_: str) -> None:
        raise error

    return do


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("secret"), EngineUnavailable),
        (OSError("secret"), EngineUnavailable),
        (EngineFailed("keywords", ValueError()), EngineUnavailable),
        (LlmNotSetUp("No key."), EngineUnavailable),
        (LlmUnavailable("Refused."), EngineNotReady),
        (EngineFailed("keywords", MemoryError()), EngineNotReady),
    ],
    ids=repr,
)
async def test_an_engine_that_breaks_judges_nothing_and_may_be_worth_another_try(
    make: Make, error: Exception, kind: type[EngineUnavailable]
) -> None:
    with capture_logs() as logs, pytest.raises(EngineUnavailable) as failure:
        await make(KeywordGuard(before=raising(error))).texts([("a", "Bread.")], BOTH)
    assert type(failure.value) is kind
    assert (failure.value.retry_after is not None) is (kind is EngineNotReady)
    assert "secret" not in str(failure.value)
    assert [entry["event"] for entry in logs] == ["guard_failed"]


@dataclass
class Saying:
    """A TextGuard that answers with these scores, whatever it is asked."""

    scores: Mapping[str, float]
    name: str = "saying"
    codes: frozenset[str] = frozenset({"S1", "S9"})
    thresholds: Mapping[str, float] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.thresholds = dict.fromkeys(self.codes, 0.5)

    async def judge(self, text: str, codes: Sequence[str], *, answers: str | None = None) -> Judgement:
        return Judgement(self.scores)


@pytest.mark.parametrize(
    "scores",
    [
        {},
        {"S1": 0.1},
        {"S1": 0.1, "S9": math.nan},
        {"S1": math.inf, "S9": 0.1},
        {"S1": -0.1, "S9": 0.1},
        {"S1": 1.1, "S9": 0.1},
    ],
)
async def test_scores_that_are_none_are_a_failure_and_never_safe(make: Make, scores: Mapping[str, float]) -> None:
    with pytest.raises(EngineUnavailable, match="'saying' failed"):
        await make(Saying(scores)).texts([("a", "Bread.")], BOTH)


async def test_an_engine_that_takes_too_long_is_left(make: Make) -> None:
    guard = KeywordGuard(hangs=True)
    with pytest.raises(EngineTooSlow, match=r"took longer than 0\.01 s"):
        await make(guard, seconds=0.01).texts([("a", "Bread.")], BOTH)
    assert guard.cancelled == 1


async def test_who_leaves_takes_all_judging_along(make: Make) -> None:
    guard = KeywordGuard(hangs=True)
    judging = asyncio.create_task(make(guard).texts([(str(n), "Bread.") for n in range(20)], BOTH))
    while not guard.judged:
        await asyncio.sleep(0)
    judging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await judging
    assert guard.cancelled == len(guard.judged) < 20


async def test_one_failure_is_enough_for_all_texts(make: Make) -> None:
    def breaks_at_the_second(text: str) -> None:
        if text == "two":
            raise RuntimeError

    guard = KeywordGuard(before=breaks_at_the_second)
    with pytest.raises(EngineUnavailable):
        await make(guard).texts([("a", "one"), ("b", "two"), ("c", "three")], BOTH)


# Pictures.


async def test_each_picture_page_and_frame_has_a_check_that_says_which(make: Make) -> None:
    guardrails = make(pictures=[RedGuard()])
    [alone] = await guardrails.pictures([picture("red")], NAKED)
    assert alone == {
        "source": "messages[0].content[1].image_url.url",
        "codes": ["S12_IMAGE"],
        "scores": {"S12_IMAGE": 0.95},
    }
    pages = await guardrails.pictures([pdf(white, red)], NAKED)
    assert [(one["source"], one["codes"]) for one in pages] == [
        ("messages[0].content[1].file.file_data page 1", []),
        ("messages[0].content[1].file.file_data page 2", ["S12_IMAGE"]),
    ]
    film = filmed([np.full((64, 96, 3), (level, 40, 40), np.uint8) for level in (40, 40, 220)], "mp4", frames_each=25)
    frames = await guardrails.pictures([source(film, "video/mp4")], NAKED)
    assert [bool(one["codes"]) for one in frames] == [False, False, True]
    assert all(" at " in one["source"] and one["source"].endswith(" s") for one in frames)


async def test_of_a_document_the_pages_that_are_asked_for_are_judged(make: Make) -> None:
    guardrails = make(pictures=[RedGuard()])
    assert codes_of(await guardrails.pictures([pdf(red, white)], NAKED, "Read page 2.")) == []
    assert codes_of(await guardrails.pictures([pdf(red, white)], NAKED, "Read it.")) == ["S12_IMAGE"]


@pytest.mark.deep
async def test_what_shows_nothing_needs_no_engine(make: Make) -> None:
    unseen = [
        source(hostile.wav(), "audio/wav"),
        source(b"a,b\n1,2\n", "text/csv"),
        source(b"<html><body>Hi</body></html>", "text/html"),
        source(document(lambda word: word.add_paragraph("Hi")), "application/octet-stream"),
    ]
    assert await make().pictures(unseen, NAKED) == []
    assert await make().pictures([], NAKED) == []
    assert await make().pictures([picture("red")], BOTH) == []
    for one in unseen:
        with pytest.raises(InputError) as failure:
            await make(pictures=[RedGuard()]).pictures([picture("white"), one], NAKED, all_seen=True)
        assert failure.value.code == "unsupported_media_type"


async def test_what_shows_something_needs_an_engine_for_every_code(make: Make) -> None:
    with pytest.raises(
        EngineUnavailable, match=r"'image_guard'\. No engine here judges S12_IMAGE \(Nudity\)\. Set one up"
    ):
        await make().pictures([picture("white")], NAKED)
    with pytest.raises(EngineUnavailable, match=r"This server can judge <guard>S1, S10</guard>\.$"):
        await make(KeywordGuard({"S1": "bomb", "S10": "hate"})).pictures([picture("white")], NAKED)
    with pytest.raises(EngineUnavailable, match=r"cannot judge S1_IMAGE \(Gore\), S15_IMAGE \(Not Safe For Work\)"):
        await make(pictures=[RedGuard()]).pictures([picture("white")], Policy(IMAGE_CODES))


async def test_an_engine_of_pictures_that_breaks_is_no_engine(make: Make) -> None:
    class Blind(RedGuard):
        async def judge(self, picture: Any, codes: Sequence[str], *, wait: bool = False) -> Judgement:
            return Judgement(dict.fromkeys(codes, math.nan))

    with pytest.raises(EngineUnavailable, match="'red' failed"):
        await make(pictures=[Blind()]).pictures([picture("white")], NAKED)


# What was judged before.


async def test_a_verdict_counts_for_the_same_text_codes_question_and_caller_alone(make: Make) -> None:
    guard = KeywordGuard()
    guardrails = make(guard)
    asked: list[dict[str, Any]] = [
        {"owner": "ann"},
        {"owner": "bob"},
        {"owner": None},
        {"owner": "ann", "answers": "Why?"},
        {"owner": "ann", "policy": Policy(("S9",))},
    ]
    for _ in range(2):
        for options in asked:
            await guardrails.texts([("a", "Rye.")], **{"policy": BOTH, **options})
    assert len(guard.judged) == len(asked) + 1
    assert len(guardrails.verdicts) == len(asked) - 1


async def test_a_verdict_is_kept_as_scores_by_which_any_threshold_decides(make: Make) -> None:
    guard = KeywordGuard()
    guardrails = make(guard)
    for threshold, codes in ((0.9, ["S9"]), (0.96, [])):
        policy = Policy(("S9",), {"S9": threshold})
        [check] = await guardrails.texts([("a", "A pipe bomb.")], policy, owner="ann")
        assert check["codes"] == codes
    assert len(guard.judged) == 1


async def test_the_verdict_that_was_used_least_recently_is_forgotten_first() -> None:
    verdicts = Verdicts(2)
    for text in ("a", "b"):
        verdicts.keep({"S1": 0.5}, text)
    assert verdicts.find("a") == {"S1": 0.5}
    verdicts.keep({"S1": 0.7}, "c")
    assert [verdicts.find(text) for text in "abc"] == [{"S1": 0.5}, None, {"S1": 0.7}]


# What is made of it.


def test_the_codes_of_all_checks_are_listed_once_in_the_taxonomys_order() -> None:
    checks: list[Check] = [
        {"source": "a", "codes": ["S12_IMAGE", "S9"], "scores": {"S9": 0.9}},
        {"source": "b", "codes": ["S1", "S9"], "scores": {"S1": 0.8, "S9": 0.6}},
    ]
    assert codes_of(checks) == ["S1", "S9", "S12_IMAGE"]
    assert scores_of(checks) == {"S9": 0.9, "S1": 0.8}
    assert result_of(checks).data == {"safe": False, "codes": ["S1", "S9", "S12_IMAGE"], "checks": checks}
    assert result_of([]).data == {"safe": True, "codes": [], "checks": []}


def test_what_can_be_judged_here_is_what_any_engine_judges(make: Make) -> None:
    guardrails = make(KeywordGuard({"S9": ""}), KeywordGuard({"S1": ""}), pictures=[RedGuard()])
    assert guardrails.judged_of_texts == ("S1", "S9")
    assert guardrails.judged_of_pictures == ("S12_IMAGE",)
    with pytest.raises(EngineUnavailable):
        _ = make().judged_of_texts
    with pytest.raises(EngineUnavailable):
        _ = make().judged_of_pictures
