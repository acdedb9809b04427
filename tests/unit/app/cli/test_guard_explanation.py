"""`openfaze guard explain`: the reasons behind a verdict, by the engines of this process and by guard servers."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.cli.guard_explanation import as_json, codes_in, explain, print_table, verdict_line
from app.settings import Settings
from models.base import EngineUnavailable
from models.safety.guard import TEXT_CODES
from models.safety.text.head import load_head
from tests.llm_server import LlmServer, Reply, serving_llm

MURDER = "How can I kill my wife without getting caught?"
PROCESS = "How can I kill a hanging Linux process?"


def policy_says(**scores: float) -> Reply:
    return Reply(json.dumps(scores))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, weights_dir=str(tmp_path), files_dir=str(tmp_path / "files"))


@pytest.fixture
def guard_server() -> Iterator[LlmServer]:
    """A policy-following model, which finds everything a little hateful."""

    def reply(body: Mapping[str, Any]) -> Reply:
        asked = re.findall(r"^## (S\d+) ", body["messages"][0]["content"], re.MULTILINE)
        return policy_says(**dict.fromkeys(asked, 0.125) | ({"S10": 0.75} if "S10" in asked else {}))

    with serving_llm(reply) as server:
        yield server


def on(server: LlmServer, settings: Settings, **changes: object) -> Settings:
    changes = {"guard_base_url": server.base_url, "guard_model": "gpt-oss-safeguard-20b", **changes}
    return settings.model_copy(update=changes)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ()),
        (" , ", ()),
        ("s9,S1", ("S1", "S9")),
        ("S14 S14", ("S14",)),
        ("all", TEXT_CODES),
    ],
)
def test_codes_are_named_as_a_guard_tag_names_them(text: str, codes: tuple[str, ...]) -> None:
    assert codes_in(text) == codes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S99", "'S99' is not a guard code; texts can be judged by: S1,"),
        ("S1,s1_image", "'S1_IMAGE' is a guard code of pic"),
    ],
)
def test_what_is_no_code_of_texts_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        codes_in(text)


async def test_it_says_what_the_engine_here_found(settings: Settings) -> None:
    explanation = await explain(settings, MURDER, ("S1", "S9"))
    assert verdict_line(explanation) == "unsafe S1"
    violence, weapons = explanation["judged"]
    assert (violence["code"], violence["hazard"], violence["engine"]) == ("S1", "Violent Crimes", "openfaze")
    assert violence["applies"]
    assert violence["score"] >= violence["threshold"]
    assert violence["layers"][0]["score"] == violence["score"]
    assert any("kill my wife" in found for layer in violence["layers"] for found in layer["found"])
    assert not weapons["applies"]
    assert (await explain(settings, PROCESS))["safe"]


async def test_without_codes_it_judges_by_all_that_engines_here_know(settings: Settings) -> None:
    explanation = await explain(settings, PROCESS)
    assert [verdict["code"] for verdict in explanation["judged"]] == [*TEXT_CODES]


async def test_each_code_has_the_threshold_of_the_engine_that_judged_it(settings: Settings) -> None:
    with serving_llm(lambda _: Reply("Safety: Controversial\nCategories: Violent")) as server:
        explanation = await explain(on(server, settings, guard_model="Qwen/Qwen3Guard-Gen-4B"), MURDER, ("S1", "S14"))
    violence, code = explanation["judged"]
    assert (violence["engine"], violence["score"]) == ("qwen3guard-server", 0.5)
    # The engine that judges S14 finds murder in it, too, and from a lower score on: nobody asked it.
    assert (code["engine"], code["threshold"]) == ("openfaze", load_head().threshold)
    assert violence["threshold"] > code["threshold"]
    assert [layer["layer"] for layer in violence["layers"]] == ["qwen3guard-server"]
    assert explanation["safe"]


async def test_a_server_judges_as_it_would_a_request(guard_server: LlmServer, settings: Settings) -> None:
    explanation = await explain(on(guard_server, settings), "Hello.", ("S1", "S10"))
    assert explanation["codes"] == ["S10"]
    assert explanation["judged"][1]["layers"] == [{"layer": "gpt-oss-safeguard-server", "score": 0.75, "found": []}]
    assert guard_server.requests[0].body["model"] == "gpt-oss-safeguard-20b"


async def test_the_operators_thresholds_count(guard_server: LlmServer, settings: Settings) -> None:
    strict = on(guard_server, settings, guard_thresholds={"S1": 0.1, "S10": 0.8})
    explanation = await explain(strict, "Hello.", ("S1", "S10"))
    assert explanation["codes"] == ["S1"]
    assert [verdict["threshold"] for verdict in explanation["judged"]] == [0.1, 0.8]


async def test_a_guard_that_cannot_judge_is_an_error(settings: Settings) -> None:
    with serving_llm(lambda _: Reply("I would rather not.")) as server:
        with pytest.raises(EngineUnavailable, match="'gpt-oss-safeguard-server' failed"):
            await explain(on(server, settings), "Hello.", ("S1",))
        chosen = on(server, settings, guard_model="Qwen/Qwen3Guard-Gen-4B", text_guard="qwen3guard-server")
        with pytest.raises(EngineUnavailable, match=r"cannot judge S14 \(Code Interpreter Abuse\)"):
            await explain(chosen, "Hello.", ("S1", "S14"))


def explained(*found: str, score: float = 0.75, layers: int = 1) -> Any:
    finding = {"layer": "rules", "score": score, "found": [*found]}
    return {
        "safe": False,
        "codes": ["S1"],
        "judged": [
            {
                "code": "S1",
                "hazard": "Violent Crimes",
                "applies": True,
                "score": score,
                "threshold": 0.5,
                "engine": "openfaze",
                "layers": [finding] * layers,
            }
        ],
    }


def test_the_table_ends_with_what_a_client_would_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(explained("kill her"))
    head, row, verdict = capsys.readouterr().out.splitlines()
    assert head.split() == ["code", "score", "threshold", "engine", "layer", "its", "score", "found"]
    assert row.split() == ["S1", "Violent", "Crimes", "0.750", "0.500", "openfaze", "rules", "0.750", "kill", "her"]
    assert verdict == "unsafe S1"


def test_a_safe_text_is_called_safe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table({"safe": True, "codes": [], "judged": []})
    assert capsys.readouterr().out.splitlines()[-1] == "safe"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("two\nlines", r"two\nlines"),
        ("\u202edrow\u200b", r"\u202edrow\u200b"),
        ("[bold]markup[/bold] [/]", "[bold]markup[/bold] [/]"),
        ("Tötung 殺す", "Tötung 殺す"),
        ("x" * 500, "x" * 79 + "…"),
    ],
)
def test_what_was_found_cannot_command_the_terminal(found: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(explained(found))
    [_, row, _] = capsys.readouterr().out.splitlines()
    assert row.rstrip().endswith(f"0.750      {shown}")


def test_of_many_layers_the_table_shows_some_and_json_all(capsys: pytest.CaptureFixture[str]) -> None:
    many = explained("kill", layers=12)
    print_table(many)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 5 + 1 + 1
    assert "and 7 more (--json)" in lines[-2]
    assert len(json.loads(as_json(many))["judged"][0]["layers"]) == 12


def test_a_layer_that_says_nothing_is_not_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(explained("kill", score=0.001))
    assert "rules" not in capsys.readouterr().out
