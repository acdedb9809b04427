"""Judges texts and pictures by a guard's codes. The guard fails closed: anything that cannot be judged is an error and
never counts as safe."""

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import NotRequired, TypeVar

import structlog
from typing_extensions import TypedDict

from models.base import EngineFailed, EngineNotReady, EngineOverloaded, EngineTooSlow, EngineUnavailable, ModelError
from models.concurrency import side_by_side
from models.safety.guard import (
    CODES,
    HAZARDS,
    IMAGE_CODES,
    TEXT_CODES,
    HazardGuard,
    ImageGuard,
    Judgement,
    Scores,
    TextGuard,
)
from tasks.errors import InputError, InputTooLarge, Overloaded
from tasks.inputs.limits import MB
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.result import Result, ResultLine
from tasks.seen_pages import PagePosition, is_alone, pages_to_search

NAME = "guardrails"
"""Name of the guard's result in `precontext`."""
SHOWS_NOTHING = frozenset({"unsupported_media_type", "no_video"})
"""Error codes of inputs that contain nothing that a model could be shown."""
_MAX_BYTES = MB
"""Texts that are judged together have at most this size, in bytes of UTF-8."""
_PICTURES_AT_ONCE = 4
_TEXTS_AT_ONCE = 8
_CHARS_PER_TIME_LIMIT = 50_000
"""A guard gets its time limit for every text, and once more for each full piece of this many characters."""

GUARDS = ("text_guard", "image_guard")
"""Names of the capabilities that judge."""

log = structlog.get_logger(__name__)


class Check(TypedDict):
    """The verdict on one text or picture."""

    source: str
    """Origin of the text or picture: a field of the request (`messages[0].content`), a task, or `answer`."""
    codes: list[str]
    """The codes that apply."""
    scores: dict[str, float]
    """Score of each judged code, rounded to two decimals."""
    redacted: NotRequired[dict[str, int]]
    """Number of replaced pieces of personal data by kind, if there were any. Such a check has no scores."""


class GuardData(TypedDict):
    safe: bool
    codes: list[str]
    """The codes that apply to at least one check."""
    checks: list[Check]


class GuardResult(Result[GuardData]):
    def _result_lines(self) -> Iterator[ResultLine]:
        yield ResultLine("safe" if self.data["safe"] else f"unsafe: {', '.join(self.data['codes'])}")


@dataclass(frozen=True, slots=True)
class Policy:
    """The codes and thresholds that a request is judged by."""

    codes: tuple[str, ...]
    """Codes to judge by: a subset of CODES, in the same order."""
    thresholds: Scores = field(default_factory=dict)
    """Thresholds of codes that differ from the engine's own. A code applies if its score is at least its threshold."""
    optional: frozenset[str] = frozenset()
    """Codes that are left out if no guard here can judge by them. Texts are never left unjudged altogether."""
    left_out: set[str] = field(default_factory=set, compare=False)
    """Optional codes by which something was not judged so far."""

    @property
    def of_texts(self) -> tuple[str, ...]:
        return tuple(code for code in self.codes if code in TEXT_CODES)

    @property
    def of_pictures(self) -> tuple[str, ...]:
        return tuple(code for code in self.codes if code in IMAGE_CODES)


def result_of(checks: Sequence[Check]) -> GuardResult:
    codes = codes_of(checks)
    return GuardResult({"safe": not codes, "codes": codes, "checks": list(checks)})


GuardT = TypeVar("GuardT", bound=HazardGuard)


class Verdicts:
    """LRU cache of the scores of judged texts, keyed by a digest of the text; it holds no text.

    Each owner has entries of its own. Otherwise, the time that a verdict takes would reveal to one owner what another
    has written.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[object, ...], Scores] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, *key: object) -> Scores | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, scores: Scores, *key: object) -> None:
        self._kept[key] = scores
        self._kept.move_to_end(key)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)


class Guardrails:
    """Judges texts and pictures with the available guards. Each code goes to the first guard, by preference, that knows
    it."""

    def __init__(
        self,
        text_guards: Callable[[], Sequence[TextGuard]],
        image_guards: Callable[[], Sequence[ImageGuard]],
        loader: MediaLoader,
        *,
        seconds: float,
        most_verdicts: int = 10_000,
    ) -> None:
        """Bind the guards, which `text_guards` and `image_guards` return; both raise EngineUnavailable if there are
        none.

        `seconds` is the time limit per picture or per 50,000 characters of text, and `most_verdicts` bounds the cached
        verdicts.
        """
        self._text_guards = text_guards
        self._image_guards = image_guards
        self.loader = loader
        self._seconds = seconds
        self.verdicts = Verdicts(most_verdicts)

    @property
    def judged_of_texts(self) -> tuple[str, ...]:
        """Codes by which the available guards can judge texts. Raises EngineUnavailable if there are no guards."""
        known = {code for guard in self._text_guards() for code in guard.codes}
        return tuple(code for code in TEXT_CODES if code in known)

    @property
    def judged_of_pictures(self) -> tuple[str, ...]:
        """Codes by which the available guards can judge pictures. Raises EngineUnavailable if there are no guards."""
        known = {code for guard in self._image_guards() for code in guard.codes}
        return tuple(code for code in IMAGE_CODES if code in known)

    def check_texts_can_be_judged(self, policy: Policy) -> None:
        """Check that a guard exists for each of the policy's codes of texts. Raises EngineUnavailable otherwise."""
        if policy.of_texts:
            self._distribute_codes("text_guard", policy.of_texts, self._text_guards, policy)

    def check_lengths(self, texts: Sequence[tuple[str, str]]) -> None:
        """Check that the `(source, text)` pairs are short enough to be judged. Raises InputTooLarge, which names the
        longest."""
        size = sum(len(text) for _, text in texts)  # a lower bound of the size in UTF-8
        if size <= _MAX_BYTES:
            size = sum(len(text.encode(errors="replace")) for _, text in texts)
        if size <= _MAX_BYTES:
            return
        longest, _ = max(texts, key=lambda item: len(item[1]))
        raise InputTooLarge(
            f"'{longest}': the texts that the guard is to judge together have {size / MB:.2f} MB or more, over the "
            f"limit of {_MAX_BYTES // MB} MB. Send less, or ask for no guard.",
            code="request_too_large",
            param=longest,
        )

    async def texts(
        self,
        texts: Iterable[tuple[str, str]],
        policy: Policy,
        *,
        answers: str | None = None,
        owner: str | None = None,
    ) -> list[Check]:
        """Return a check per `(source, text)` that is not blank; none if the policy has no codes of texts.

        `answers` is the user's question if the texts are an assistant's answers. `owner` selects the cache of verdicts
        that is read and filled; with None no cache is used.

        Raises EngineOverloaded, and EngineUnavailable also for guards that fail or take too long.
        """
        to_judge = [(source, text) for source, text in texts if text and not text.isspace()]
        if not policy.of_texts or not to_judge:
            return []
        parts = self._distribute_codes("text_guard", policy.of_texts, self._text_guards, policy)

        digests: Sequence[bytes] = ()
        if owner is not None:
            digests = await asyncio.to_thread(_digest_texts, [text for _, text in to_judge], answers)

        async def judge_text(index: int) -> Check:
            source, text = to_judge[index]
            if owner is None:
                return _build_check(source, await self._judgements(text, parts, answers), policy)
            found = []
            for guard, codes in parts:
                key = (owner, guard.name, codes, digests[index])
                scores = self.verdicts.find(*key)
                if scores is None:
                    [(_, judgement)] = await self._judgements(text, [(guard, codes)], answers)
                    scores = judgement.scores
                    self.verdicts.keep(scores, *key)
                found.append((guard, Judgement(scores)))
            return _build_check(source, found, policy)

        return await side_by_side(judge_text, range(len(to_judge)), at_most=_TEXTS_AT_ONCE)

    async def _judgements(
        self, text: str, parts: Sequence[tuple[TextGuard, tuple[str, ...]]], answers: str | None
    ) -> list[tuple[TextGuard, Judgement]]:
        found = []
        for guard, codes in parts:
            judging = guard.judge(text, codes, answers=answers)
            found.append((guard, await self._in_time("text_guard", guard, codes, judging, len(text))))
        return found

    async def pictures(
        self, sources: Sequence[Source], policy: Policy, text: str = "", *, all_seen: bool = False
    ) -> list[Check]:
        """Return a check per picture, page and frame of `sources`. For a single document, only the pages that `text`
        asks for are judged. Sources that show nothing have no check; with `all_seen`, they are refused. A link of the
        text that cannot be read has no check either, because no task can read it.

        Raises what `texts` raises, and InputError for an unreadable source, which must not be shown to a model either.
        """
        if not policy.of_pictures or not sources:
            return []
        async with AsyncExitStack() as stack:
            documents = []
            for source in sources:
                try:
                    document = await self.loader.open(source)
                except InputError as error:
                    if all_seen or not (source.is_linked or error.code in SHOWS_NOTHING):
                        raise
                else:
                    documents.append(await stack.enter_async_context(document))
            shown = documents if all_seen else [document for document in documents if document.total_pages]
            if not shown:
                return []
            parts = self._distribute_codes("image_guard", policy.of_pictures, self._image_guards, policy)
            if not parts:
                return []
            # Tasks number the pages of several inputs differently, so hints of pages apply to a single document only.
            wording = text if len(shown) == 1 else ""
            pages = await asyncio.to_thread(pages_to_search, NAME, wording, shown, self.loader.limits.pages)
            alone = is_alone(shown)

            async def judge_page(page: PagePosition) -> Check:
                picture = await page.document.picture(page.number)
                found = [
                    (guard, await self._in_time("image_guard", guard, codes, guard.judge(picture, codes, wait=True)))
                    for guard, codes in parts
                ]
                return _build_check(_describe_place(page, alone=alone), found, policy)

            return await side_by_side(judge_page, pages, at_most=_PICTURES_AT_ONCE)

    async def _in_time(
        self, capability: str, guard: HazardGuard, codes: Sequence[str], judging: Awaitable[Judgement], chars: int = 0
    ) -> Judgement:
        """Await a judgement within the time limit. Raises EngineUnavailable for every failure of the guard."""
        seconds = self._seconds * (1 + chars // _CHARS_PER_TIME_LIMIT)
        try:
            async with asyncio.timeout(seconds):
                judgement = await judging
            if not all(0 <= judgement.scores.get(code, -1) <= 1 for code in codes):
                raise EngineFailed(guard.name)
            return Judgement({code: judgement.scores[code] for code in codes})
        except TimeoutError:
            remedy = f"'{guard.name}' took longer than {seconds:g} s, and nothing is answered unguarded."
            raise EngineTooSlow(capability, remedy) from None
        except (EngineOverloaded, EngineUnavailable, InputError, Overloaded):
            raise
        except Exception as error:
            if not isinstance(error, ModelError):
                log.exception("guard_failed", engine=guard.name)
            else:
                log.warning("guard_failed", engine=guard.name, error=type(error).__name__)
            remedy = f"'{guard.name}' failed, and nothing is answered unguarded. The server's log says why."
            if isinstance(error, ModelError) and error.retry_after is not None:
                raise EngineNotReady(capability, remedy, error.retry_after) from error
            raise EngineUnavailable(capability, remedy) from error

    def _distribute_codes(
        self, capability: str, codes: Sequence[str], look: Callable[[], Sequence[GuardT]], policy: Policy
    ) -> list[tuple[GuardT, tuple[str, ...]]]:
        """Distribute `codes` over the guards that can judge them. The policy's optional codes are left out if no guard
        knows them. Raises EngineUnavailable, which names the other codes that no guard knows, and the codes that may be
        used instead."""
        may_be_empty = capability == "image_guard" and policy.optional.issuperset(codes)
        try:
            guards = look()
        except EngineUnavailable as error:
            if may_be_empty:
                policy.left_out.update(codes)
                return []
            remedy = f"No engine here judges {_describe_codes(codes)}. {error.remedy}{self._instead}"
            raise EngineUnavailable(capability, remedy) from error
        left = list(codes)
        parts: list[tuple[GuardT, tuple[str, ...]]] = []
        for guard in guards:
            own = tuple(code for code in left if code in guard.codes)
            if own:
                parts.append((guard, own))
                left = [code for code in left if code not in guard.codes]
        if policy.optional.issuperset(left) and (parts or may_be_empty):
            policy.left_out.update(left)
        elif left:
            engines = ", ".join(guard.name for guard in guards)
            raise EngineUnavailable(
                capability,
                f"The engines here ({engines}) cannot judge {_describe_codes(left)}: ask for other codes, or set up an "
                f"engine that does (docs/guard-engines.md).{self._instead}",
            )
        return parts

    @property
    def _instead(self) -> str:
        """Sentence that lists the codes that can be judged; empty if there are none."""
        codes: list[str] = []
        with contextlib.suppress(EngineUnavailable):
            codes += self.judged_of_texts
        with contextlib.suppress(EngineUnavailable):
            codes += self.judged_of_pictures
        return f" This server can judge <guard>{', '.join(codes)}</guard>." if codes else ""


def _digest_texts(texts: Sequence[str], answers: str | None) -> list[bytes]:
    digests = []
    for text in texts:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
        if answers is not None:
            digest.update(b"\xff" + answers.encode("utf-8", "surrogatepass"))
        digests.append(digest.digest())
    return digests


def _describe_codes(codes: Sequence[str]) -> str:
    return ", ".join(f"{code} ({HAZARDS[code]})" for code in codes)


def _build_check(source: str, found: Sequence[tuple[HazardGuard, Judgement]], policy: Policy) -> Check:
    scores: dict[str, float] = {}
    for _, judgement in found:
        scores |= judgement.scores
    limits = limits_of(found, policy)
    scores = {code: scores[code] for code in policy.codes if code in scores}
    return {
        "source": source,
        "codes": [code for code, score in scores.items() if score >= limits[code]],
        "scores": {code: round(float(score), 2) for code, score in scores.items()},
    }


def limits_of(found: Sequence[tuple[HazardGuard, Judgement]], policy: Policy) -> dict[str, float]:
    """Return the least score at which each code applies: the policy's threshold, or else that of the code's guard."""
    limits: dict[str, float] = {}
    for guard, judgement in found:
        limits |= {code: guard.thresholds[code] for code in judgement.scores}
    return limits | dict(policy.thresholds)


def _describe_place(page: PagePosition, *, alone: bool) -> str:
    document = page.document
    timestamp = document.timestamp(page.number)
    if timestamp is not None:
        return f"{document.param} at {timestamp:g} s"
    return document.param if alone else f"{document.param} page {page.number}"


def codes_of(checks: Sequence[Check]) -> list[str]:
    """Return the codes that apply to at least one check, in the order of CODES."""
    found = {code for check in checks for code in check["codes"]}
    return [code for code in CODES if code in found]


def scores_of(checks: Sequence[Check]) -> dict[str, float]:
    """Return the highest score of each code."""
    scores: dict[str, float] = {}
    for check in checks:
        for code, score in check["scores"].items():
            scores[code] = max(score, scores.get(code, 0.0))
    return scores
