"""`openfaze guard explain`: show the guard's verdict on a text, the engines that judged it, and the score from each of
their layers."""

import re
from collections.abc import Sequence
from functools import partial
from typing import TypedDict

import pydantic_core
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.assembly.building import build_fetcher, build_files, build_loader, build_runtime
from app.cli import printable
from app.settings import Settings
from models.safety.guard import HAZARDS, TEXT_CODES, Judgement, TextGuard
from models.safety.images.capability import IMAGE_GUARD
from models.safety.text.capability import TEXT_GUARD
from models.safety.text.settings import GuardSettings
from tasks.guardrails import Guardrails, Policy, limits_of

_SEPARATORS = re.compile(r"[,\s]+")
_MAX_LAYERS = 5
"""The table shows at most this many layers for a code."""
_LEAST_SHOWN = 0.005
"""The table leaves out layers whose score is lower than this, because they do not explain the verdict. `--json` has all
layers."""
_MAX_CHARS = 80
"""The table shows at most this many characters of a layer's findings."""


class LayerScore(TypedDict):
    """The score that one layer of an engine gives one code, and the reason."""

    layer: str
    score: float
    found: list[str]
    """Words of the text, or the engine's own category."""


class CodeVerdict(TypedDict):
    code: str
    hazard: str
    applies: bool
    score: float
    threshold: float
    engine: str
    layers: list[LayerScore]
    """Scores by the engine's layers, the surest first."""


class Explanation(TypedDict):
    safe: bool
    codes: list[str]
    """Codes that apply."""
    judged: list[CodeVerdict]
    """Verdicts on all codes that were requested."""


def codes_in(text: str) -> tuple[str, ...]:
    """Return the codes in a list such as `S1,S9`, written as in the tag `<guard>`. Raises ValueError for a name that is
    not a code for texts."""
    names = [name.upper() for name in _SEPARATORS.split(text) if name]
    if "ALL" in names:
        return TEXT_CODES
    for name in names:
        if name not in TEXT_CODES:
            kind = "a guard code of pictures" if name in HAZARDS else "not a guard code"
            raise ValueError(f"'{name}' is {kind}; texts can be judged by: {', '.join(TEXT_CODES)}, ALL")
    return tuple(code for code in TEXT_CODES if code in names)


async def explain(settings: Settings, text: str, codes: Sequence[str] = ()) -> Explanation:
    """Judge `text` as in a request: for the given `codes`, or for all codes that the installed engines support. Raises
    ModelError."""
    runtime = build_runtime(settings)
    files = build_files(settings)
    loader = build_loader(settings, build_fetcher(settings), files, runtime.workers)
    try:
        chosen = settings.of(GuardSettings)
        text_guards, image_guards = partial(runtime.use_all, TEXT_GUARD), partial(runtime.use_all, IMAGE_GUARD)
        guardrails = Guardrails(text_guards, image_guards, loader, seconds=chosen.guard_timeout_s)
        policy = Policy(tuple(codes) or guardrails.judged_of_texts, chosen.guard_thresholds)
        return explanation_of(await guardrails.judgements(text, policy), policy)
    finally:
        await loader.close()
        await files.close()
        await runtime.close()


def explanation_of(found: Sequence[tuple[TextGuard, Judgement]], policy: Policy) -> Explanation:
    limits = limits_of(found, policy)
    by_code = {code: (guard, judgement) for guard, judgement in found for code in judgement.scores}
    judged = [_verdict(code, *by_code[code], limits[code]) for code in policy.of_texts]
    codes = [verdict["code"] for verdict in judged if verdict["applies"]]
    return {"safe": not codes, "codes": codes, "judged": judged}


def _verdict(code: str, guard: TextGuard, judgement: Judgement, limit: float) -> CodeVerdict:
    score = float(judgement.scores[code])
    layers: list[LayerScore] = [
        {"layer": layer.name, "score": float(layer.scores[code]), "found": list(layer.found)}
        for layer in judgement.layers
        if layer.scores.get(code)
    ]
    return {
        "code": code,
        "hazard": HAZARDS[code],
        "applies": score >= limit,
        "score": score,
        "threshold": limit,
        "engine": guard.name,
        "layers": sorted(layers, key=lambda layer: -layer["score"]),
    }


def as_json(explanation: Explanation) -> str:
    return pydantic_core.to_json(explanation).decode()


def print_table(explanation: Explanation) -> None:
    """Print, for each code, its score and the highest scores that layers gave it. At the end, print the line that a
    client would get, or `safe`."""
    table = Table("code", "score", "threshold", "engine", "layer", "its score", "found", box=None, pad_edge=False)
    for verdict in explanation["judged"]:
        layers = [layer for layer in verdict["layers"] if layer["score"] >= _LEAST_SHOWN]
        rows = [(layer["layer"], _number(layer["score"]), _shown(layer["found"])) for layer in layers[:_MAX_LAYERS]]
        if len(layers) > _MAX_LAYERS:
            rows.append((f"and {len(layers) - _MAX_LAYERS} more (--json)", "", ""))
        first, *others = rows or [("", "", "")]
        code = f"{verdict['code']} {verdict['hazard']}"
        numbers = _number(verdict["score"]), _number(verdict["threshold"])
        style = "bold red" if verdict["applies"] else ""
        # The cells are Text instead of strings, because rich would take brackets in a finding for markup.
        table.add_row(*map(Text, (code, *numbers, verdict["engine"], *first)), style=style)
        for other in others:
            table.add_row(*map(Text, ("", "", "", "", *other)))
    # A pipe has no width, so a large width is set here. With rich's default, rows would be cut.
    console = Console(width=None if Console().is_terminal else 800)
    console.print(table)
    console.print(verdict_line(explanation), highlight=False)


def verdict_line(explanation: Explanation) -> str:
    return "safe" if explanation["safe"] else f"unsafe {' '.join(explanation['codes'])}"


def _number(score: float) -> str:
    # Three decimals are shown, because a score of 0.497 is below a threshold of 0.5.
    return f"{score:.3f}"


def _shown(found: Sequence[str]) -> str:
    return printable(", ".join(found), _MAX_CHARS)
