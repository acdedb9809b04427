"""`openfaze bench`: what it asks, and that it counts what came."""

import io
import json
import re
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.bench.load import BenchTarget, TimedResponse, run_load
from app.bench.report import as_json, as_page, errors_of, rows_of
from app.bench.scenario import BadScenario, RequestBodies, Scenario, built_in, find, read
from app.state.counters import Prices
from tests.conftest import each_case
from tests.llm_server import Reply, serving_llm

CHAT = {"name": "chat", "prompt": "Number {number}?"}


def scenario(**fields: Any) -> Scenario:
    return Scenario.model_validate({"requests": [CHAT], "duration_s": 0.3, "warmup_s": 0, "concurrency": 2} | fields)


@contextmanager
def slow_server(seconds: float) -> Iterator[str]:
    """One that answers one request after the other, each after `seconds`."""
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            with turn:
                time.sleep(seconds)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


async def test_each_caller_asks_again_and_no_request_is_the_same(tmp_path: Path) -> None:
    for duration_s in (0.3, 3, 30):
        with serving_llm(lambda _: Reply("Seven.", chunks=["Se", "ven."])) as llm:
            answers = await run_load(
                scenario(duration_s=duration_s), tmp_path, BenchTarget(llm.base_url, "any", "secret")
            )
            asked = [request.body["messages"][-1]["content"] for request in llm.requests]
        if len(answers) > 2:  # else the machine was too busy for a second request of a caller
            break
    assert len(asked) == len(set(asked)) == len(answers) > 2
    assert {request.headers["authorization"] for request in llm.requests} == {"Bearer secret"}
    assert all(one.is_good and one.first_s is None for one in answers)
    [line] = rows_of(answers, scenario())
    assert (line.answers, line.errors) == (len(answers), 0)
    assert line.output_tokens > 0


async def test_a_stream_tells_when_its_first_piece_came(tmp_path: Path) -> None:
    streamed = scenario(requests=[{**CHAT, "stream": True}])
    with serving_llm(lambda _: Reply("Seven.", chunks=["Se", "ven."])) as llm:
        answers = await run_load(streamed, tmp_path, BenchTarget(llm.base_url, "any"))
    assert all(one.first_s is not None and 0 < one.first_s <= one.seconds for one in answers)
    assert all(one.output_tokens > 0 for one in answers)


async def test_what_fails_is_counted_by_its_reason_and_makes_nothing_faster(tmp_path: Path) -> None:
    with serving_llm(lambda _: Reply(status=500, error="out of memory")) as llm:
        answers = await run_load(scenario(rate=20), tmp_path, BenchTarget(llm.base_url, "any"))
    [line] = rows_of(answers, scenario())
    assert (line.answers, line.errors, line.percentiles_ms, line.per_second) == (0, len(answers), {}, 0)
    [(count, error)] = errors_of(answers)
    assert count == len(answers)
    assert error == "500: out of memory"
    nobody = await run_load(scenario(rate=20, duration_s=0.05), tmp_path, BenchTarget("http://127.0.0.1:9/v1", "any"))
    assert "ClientConnectorError" in errors_of(nobody)[0][1]


async def test_with_a_rate_a_server_that_falls_behind_cannot_hide_it(tmp_path: Path) -> None:
    """Twenty requests a second to a server that answers ten: the time of each begins when it was due."""
    with slow_server(0.1) as base_url:
        answers = await run_load(scenario(rate=20, duration_s=1), tmp_path, BenchTarget(base_url, "any"))
    assert len(answers) == 20
    ordered = sorted(answers, key=lambda one: one.began_s)
    assert [round(one.began_s, 2) for one in ordered] == [round(number / 20, 2) for number in range(20)]
    # One after the other they are there a tenth of a second apart at best, and were due a twentieth apart.
    assert sum(one.seconds for one in ordered) > sum(0.1 * (number + 1) - 0.05 * number for number in range(20)) - 0.1
    assert rows_of(answers, scenario(duration_s=1))[0].per_second <= 10, "what came after the end does not count"


async def test_what_cannot_be_asked_any_more_is_an_error_of_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bench.load._MAX_WAITING", 1)
    asked = scenario(rate=20, duration_s=0.5)
    with slow_server(0.2) as base_url:
        answers = await run_load(asked, tmp_path, BenchTarget(base_url, "any"))
    [line] = rows_of(answers, asked)
    assert line.answers + line.errors == len(answers) == 10
    assert line.errors > 0
    assert errors_of(answers)[0][1] == "no answer: not sent: too many requests are running"


async def test_what_began_in_the_warm_up_does_not_count(tmp_path: Path) -> None:
    with slow_server(0.05) as base_url:
        answers = await run_load(
            scenario(rate=10, warmup_s=0.5, duration_s=0.5), tmp_path, BenchTarget(base_url, "any")
        )
    assert len(answers) == 5


def test_percentiles_are_those_of_the_answers() -> None:
    answers = [TimedResponse("chat", 0, number / 1000, output_tokens=1) for number in range(1, 101)]
    [line] = rows_of([*answers, TimedResponse("chat", 0, 99, status=503, error="full")], scenario(duration_s=10))
    assert (line.answers, line.errors, line.per_second) == (100, 1, 10)
    assert line.percentiles_ms[50] == pytest.approx(50.5)
    assert line.percentiles_ms[99] == pytest.approx(99.01)
    assert line.most_ms == 100


def test_a_mix_has_a_line_for_all() -> None:
    mix = scenario(requests=[CHAT, {"name": "other", "prompt": "x"}])
    answers = [TimedResponse("chat", 0, 0.1), TimedResponse("other", 0, 0.3)]
    assert [(line.name, line.answers) for line in rows_of(answers, mix)] == [("chat", 1), ("other", 1), ("all", 2)]


def test_the_page_is_one_file_and_what_servers_say_is_text_in_it() -> None:
    answers = [TimedResponse("chat", 0.1, 0.2, input_tokens=10, output_tokens=100)]
    bad = TimedResponse("chat", 0.2, 0.1, status=500, error="<script>alert(1)</script>")
    target = BenchTarget("http://h/v1", "m", "secret")
    counted = as_json("chat", scenario(), target, [*answers, bad], Prices.read("input=1,output=2"))
    assert counted["cost_usd"] == pytest.approx((10 * 1 + 100 * 2) / 1e6)
    assert "secret" not in json.dumps(counted)
    page = as_page(counted, [*answers, bad])
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert page.count("<svg") == 1
    assert not re.search(r'(?:src|href)="(?!#)', page), "it needs no other file"


@each_case(
    ("text", "told"),
    [
        ("requests = []", "requests: Tuple should have at least 1 item"),
        ("[[requests]]\nname = 'x'", "a request needs a 'prompt', 'files' or a 'body'"),
        ("[[requests]]\nname = 'x'\nprompt = 'y'\nwieght = 3", "requests.0.wieght: Extra inputs"),
        ("[[requests]]\nname = 'x'\nprompt = 'y'\n" * 2, "two requests have the same 'name'"),
        ("concurrency = 0\n[[requests]]\nname = 'x'\nprompt = 'y'", "concurrency: Input should be greater"),
        ("not toml", "Expected"),
    ],
)
def test_what_is_wrong_with_a_scenario_is_said(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(BadScenario, match=re.escape(told)):
        read(tmp_path / "s.toml")


def test_those_that_come_along_can_be_asked() -> None:
    assert {"chat", "ocr", "detection", "speech", "forecast", "extract", "mixed", "long_audio"} <= built_in().keys()
    for name, description in built_in().items():
        found, folder = find(name)
        assert description
        for asked in found.requests:
            body = json.loads(RequestBodies(asked, folder, "model").of(7))
            assert body["model"] in ("model", "openfaze-embedding")
            assert "{number}" not in json.dumps(body)
    with pytest.raises(BadScenario, match="no scenario 'nope'"):
        find("nope")


def test_a_recording_lasts_as_long_as_is_asked() -> None:
    import base64

    found, folder = find("long_audio")
    asked = found.requests[0].model_copy(update={"lasts_s": 90.0})
    body = json.loads(RequestBodies(asked, folder, "model").of(1))
    data = body["messages"][-1]["content"][0]["file"]["file_data"].partition(",")[2]
    with wave.open(io.BytesIO(base64.b64decode(data))) as recording:
        assert recording.getnframes() / recording.getframerate() == 90


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("[[requests]]\nname = 'x'\nfiles = ['nope.png']")
    found, folder = find(str(tmp_path / "s.toml"))
    with pytest.raises(BadScenario, match=r"no file 'nope.png' in .*receipt\.png"):
        RequestBodies(found.requests[0], folder, "model")
