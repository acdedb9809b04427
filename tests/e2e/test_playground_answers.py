"""What the full model says on the playground: Markdown that can do no harm, fields that are linked to their sources.
Beside it what else a person may see or do there: masks, boxes around small print, code on a telephone, a microphone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from app.folders.certainty import certainty
from tests.e2e.conftest import BROWSER, needs_browser
from tests.e2e.full_model import FullModel, serving_full_model
from tests.kit.audio.recordings import plain_wav
from tests.kit.audio.speech import RATE, pause, plain_words, say, word_errors
from tests.kit.clients.playground import Playground, corners, file_of, watched
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply

pytestmark = [pytest.mark.browser, needs_browser]
FIELDS = {
    "type": "object",
    "properties": {"platform": {"type": "string"}, "track": {"type": "string"}},
    "required": ["platform", "track"],
    "additionalProperties": False,
}
PROSE = """# Trains

They leave from **platform nine**, *every* hour; see [the plan](https://example.org/plan) and `nine()`.

1. Buy a ticket
   - at the counter
   - online
2. Get on

| hour | track |
|---|--:|
| 8 | 9 |
| 9 | `a\\|b` |

```python
print("<b>nine</b>")
```

> Mind the gap.
"""
HOSTILE = (
    "<img src=x onerror='window.ran=1'> <script>window.ran=1</script> <svg/onload=window.ran=1>",
    "<iframe src='https://evil.example/frame'></iframe><base href='https://evil.example/'>",
    "[a](javascript:window.ran=1) [b](JaVaScRiPt:window.ran=1) [c](java\tscript:window.ran=1)",
    "[d]( javascript:window.ran=1)",
    "[e](data:text/html,<script>window.ran=1</script>) [f](vbscript:x)",
    "[g](//evil.example/x) [h](/docs) [i](file:///etc/passwd)",
    "![j](https://evil.example/pixel.png?secret=1) ![k](http://evil.example/x.svg)",
    "![l](data:image/svg+xml,<svg onload=window.ran=1>)",
    "<javascript:window.ran=1> <https://evil.example/auto> https://evil.example/bare\"onmouseover=window.ran=1",
    "[m](https://evil.example/\"onclick=\"window.ran=1) [n](https://evil.example 'x\" onmouseover=\"window.ran=1')",
    "```html\n<script>window.ran=1</script>\n```",
    "[o]: https://evil.example/reference\n\n<style>*{display:none}</style> <form action=https://evil.example><button>p</button></form>",
    "| <script>window.ran=1</script> | ![q](https://evil.example/cell.png) |\n|---|---|\n"
    "| <b>r</b> | [s](javascript:window.ran=1) |",
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    with serving_full_model(preload=("ocr",)) as model:
        yield model


@pytest.fixture(scope="module")
def page(browser: Browser, model: FullModel) -> Iterator[Page]:
    with watched(browser, model.base_url) as page:
        yield page


@pytest.fixture
def playground(page: Page, model: FullModel) -> Playground:
    page.set_viewport_size({"width": 1280, "height": 900})
    playground = Playground(page, model.base_url)
    playground.open()
    return playground


def test_an_answer_is_drawn_as_markdown_and_is_there_as_it_came(playground: Playground, model: FullModel) -> None:
    model.script(Reply(chunks=[PROSE[at : at + 7] for at in range(0, len(PROSE), 7)]))
    playground.run("chat", "When do they leave?")
    answer = playground.part("answer")
    assert answer.get_by_role("heading", name="Trains").count() == 1
    assert answer.locator("strong").inner_text() == "platform nine"
    assert answer.locator("em").inner_text() == "every"
    link = answer.get_by_role("link", name="the plan")
    assert link.get_attribute("href") == link.get_attribute("title") == "https://example.org/plan"
    assert [item.split("\n")[0] for item in answer.locator("ol > li").all_inner_texts()] == ["Buy a ticket", "Get on"]
    assert answer.locator("ol ul > li").all_inner_texts() == ["at the counter", "online"]
    assert answer.locator("th, td").all_inner_texts() == ["hour", "track", "8", "9", "9", "a|b"]
    assert answer.locator("pre").inner_text() == 'print("<b>nine</b>")'
    assert answer.locator("blockquote").inner_text() == "Mind the gap."
    playground.part("plain").click()
    assert answer.locator("pre").text_content() == PROSE
    assert answer.locator("strong").count() == 0
    playground.part("plain").click()
    assert answer.locator("strong").count() == 1


def test_hostile_markdown_neither_runs_nor_reaches_another_host(playground: Playground, model: FullModel) -> None:
    """That no other host is asked, `watched` sees to, after each test of this module."""
    said = "\n\n".join(HOSTILE)
    model.script(Reply(chunks=[said[at : at + 5] for at in range(0, len(said), 5)]))
    playground.run("chat", "Say it.")
    answer = playground.part("answer")
    page = playground.page
    made = answer.evaluate("one => [...new Set([...one.querySelectorAll('*')].map(({tagName}) => tagName))]")
    assert set(made) <= {"A", "BUTTON", "CODE", "DIV", "EM", "FIGCAPTION", "FIGURE", "P", "PRE", "SPAN", "STRONG"} | {
        "TABLE", "TBODY", "TD", "TH", "THEAD", "TR"}  # fmt: skip
    attributes = answer.evaluate(
        "one => [...new Set([...one.querySelectorAll('*')].flatMap(made => made.getAttributeNames()))]"
    )
    assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "srcdoc")]
    links = answer.get_by_role("link").evaluate_all("all => all.map(({href, rel, target}) => [href, rel, target])")
    assert len(links) > 4
    for address, rel, target in links:
        assert address.startswith(("https://evil.example", "http://evil.example"))
        assert (rel, target) == ("noopener noreferrer", "_blank")
    text = answer.text_content() or ""
    assert "[a](javascript:window.ran=1)" in text, "what leads nowhere stays as it was written"
    assert "<img src=x onerror='window.ran=1'>" in text
    for link in answer.get_by_role("link").all():
        link.hover()
    assert page.evaluate("window.ran") is None
    assert page.request.get(page.url, headers={"accept": "text/html"}).headers["x-dns-prefetch-control"] == "off"


def test_a_list_is_a_table_whose_cells_lead_to_their_places(playground: Playground, model: FullModel) -> None:
    columns = {"what": {"type": "string"}, "count": {"type": ["integer", "null"]}}
    row = {"type": "object", "properties": columns, "required": [*columns], "additionalProperties": False}
    lines = {"type": "array", "items": row}
    schema = {"type": "object", "properties": {"lines": lines}, "required": ["lines"], "additionalProperties": False}
    model.script(Reply('{"lines": [{"what": "Platform", "count": null}, {"what": "nine", "count": 4}]}'))
    sign = file_of("sign.png", single_line("Platform nine").encoded())
    body = playground.run("chat", "What is there?", files=[sign], schema=schema)
    table = playground.part("evidence").get_by_role("region", name="lines").get_by_role("table")
    assert table.locator("th, td").all_inner_texts() == ["what", "count", "Platform", "—", "nine", "4"]
    table.get_by_role("button", name="nine").click()
    assert playground.polygons("evidence") == [corners(body["evidence"]["/lines/1/what"]["bounds"])]
    assert table.get_by_role("button", name="4").get_attribute("title") == "unsure"


def test_one_word_says_how_sure_a_value_is(playground: Playground) -> None:
    cases = [(None, 0.99, "empty"), ("", None, "empty"), ("x", None, None), ("x", 0, "unsure"), (0, 0.85, "likely")]
    cases += [(False, 0.9, "sure")]
    told = playground.page.evaluate(
        """async (cases) => {
          const { certainty } = await import("/playground/dom.js");
          return cases.map(([value, probability]) => certainty(value, probability ?? undefined));
        }""",
        [case[:2] for case in cases],
    )
    assert told == [case[2] for case in cases]
    assert [certainty(value, probability) or None for value, probability, _ in cases] == told, "as in tables"


def test_a_corrected_paper_is_an_example_for_the_next(playground: Playground, model: FullModel) -> None:
    model.script(*[Reply('{"platform": "nine", "track": "forty"}')] * 3)
    first = file_of("first.png", single_line("Platform nine").encoded())
    playground.run("chat", "Which platform?", files=[first], schema=FIELDS)
    page, evidence, correction = playground.page, playground.part("evidence"), playground.part("correction")
    [platform, nine] = page.locator('polygon[data-kind="word"]').all()
    evidence.get_by_role("button", name="track").click()
    platform.click()
    nine.click()
    assert correction.input_value() == "Platform nine"
    nine.click()
    assert correction.input_value() == "nine"
    evidence.get_by_role("button", name="Correct").click()
    assert json.loads(playground.part("answer").inner_text()) == {"platform": "nine", "track": "nine"}
    track = evidence.get_by_role("button", name="track")
    assert "corrected" in track.inner_text()
    track.click()
    [place] = playground.polygons("evidence")
    assert place == next(one for one in playground.polygons("word") if one[0][0] == place[0][0])
    # The paper itself is asked about again without it.
    playground.part("run").click()
    playground.done()
    roles = [message["role"] for message in model.prompts[-1]["messages"]]
    assert roles.count("assistant") == 0
    second = file_of("second.png", single_line("Platform seven").encoded())
    playground.run("chat", "Which platform?", files=[second], schema=FIELDS)
    shown = [one["content"] for one in model.prompts[-1]["messages"] if one["role"] == "assistant"]
    assert [json.loads(one) for one in shown] == [{"platform": "nine", "track": "nine"}]
    assert "first.png" in (playground.part("code").text_content() or "")
    page.get_by_role("button", name="Forget the example first.png").click()
    assert "first.png" not in (playground.part("code").text_content() or "")


def test_a_correction_is_a_value_of_its_type(playground: Playground) -> None:
    read = """async ([text, schema]) => {
      const { valueOf } = await import("/playground/correct.js");
      try { return valueOf(text, schema); } catch (error) { return error.message; }
    }"""
    number, date = {"type": ["number", "null"]}, {"type": "string", "format": "date"}
    cases = [
        ("1.234,50 €", number, 1234.5),
        ("$1,234", number, 1234),
        ("0.125", number, 0.125),
        ("-12,5", number, -12.5),
        ("", number, None),
        ("none", number, "It is a number."),
        ("2.5", {"type": "integer"}, "It is a whole number."),
        ("yes", {"type": "boolean"}, True),
        ("perhaps", {"type": "boolean"}, "It is yes or no."),
        ("12 March", date, "A date is written as 2026-03-12."),
        ("2026-03-12", date, "2026-03-12"),
        ("c", {"enum": ["a", "b"]}, "It is one of a, b."),
        (" Miller ", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "Miller"),
    ]
    assert [playground.page.evaluate(read, [text, schema]) for text, schema, _ in cases] == [one[2] for one in cases]


def test_a_voice_is_recorded_and_heard(browser: Browser, model: FullModel, tmp_path: Path) -> None:
    """From the button to the transcript: the browser's microphone is a file in which somebody speaks."""
    said = "The train to the airport leaves every twenty minutes."
    spoken = say(said, voice="en-gb")
    sound = tmp_path / "voice.wav"
    sound.write_bytes(plain_wav(np.concatenate([pause(0.3), spoken, pause(1.0)])[None]))
    arguments = [
        "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}%noloop",
    ]  # fmt: skip
    listening = browser.browser_type.launch(executable_path=BROWSER, args=arguments)
    with watched(listening, model.base_url) as page:
        playground = Playground(page, model.base_url)
        playground.open()
        page.get_by_role("button", name="Record a voice").click()
        page.get_by_role("button", name=f"Stop recording · 0:0{int(len(spoken) / RATE) + 2}").click()
        page.get_by_text("recording.webm", exact=True).wait_for()
        playground.part("task").select_option("speech_to_text")
        playground.part("run").click()
        playground.done()
        heard = playground.result["text"]
        [errors, words] = word_errors(said, heard)
        assert errors <= words / 4, heard
        shown_words = " ".join(playground.part("transcript").locator(".chunk").all_text_contents())
        assert plain_words(heard) == plain_words(re.sub(r"\d:\d\d", "", shown_words))
        assert page.get_by_role("button", name="Record a voice").is_enabled()
    listening.close()
