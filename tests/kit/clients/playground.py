"""Playground in a real browser, used as a person would use it, by the content of the page and by its test ids.

with watched(browser, base_url) as page:
    playground = Playground(page, base_url)
    playground.open()
    playground.run("ocr", files=[picture])
    assert playground.polygons("word")
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import Browser, FilePayload, Locator, Page

Json = dict[str, Any]
Point = tuple[float, float]
WAIT_MS = 120_000
"""Longest wait for a step that takes long on a busy machine, in milliseconds."""
AXE = Path(__file__).parents[2] / "data" / "axe" / "axe.min.js"
CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


@contextlib.contextmanager
def watched(browser: Browser, base_url: str, **options: Any) -> Iterator[Page]:
    """Provide a page. Fails if the page logs an error or a warning, or sends a request to another host."""
    page = browser.new_page(**options)
    page.set_default_timeout(WAIT_MS)
    complaints: list[str] = []

    def is_foreign(url: str) -> bool:
        return not url.startswith((base_url, "data:", "blob:"))

    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if is_foreign(request.url) else None)
    yield page
    page.close()
    # The browser itself logs answers with an error status.
    complaints = [one for one in complaints if not one.startswith("Failed to load resource")]
    assert not complaints, complaints


def found_by_axe(page: Page) -> list[str]:
    """Return a line for each problem that axe finds in the page as it is now."""
    if page.evaluate("window.axe === undefined"):
        page.evaluate(AXE.read_text("utf-8"))
    told = page.evaluate("axe.run(document)")
    assert len(told["passes"]) > 20
    return [
        f"{problem['id']}: {node['html'][:200]} {node['failureSummary']}"
        for problem in told["violations"]
        for node in problem["nodes"]
    ]


def file_of(name: str, content: bytes, kind: str = "image/png") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def corners(bounds: Json) -> list[Point]:
    return [(bounds[name]["x"], bounds[name]["y"]) for name in CORNERS]


@dataclass(frozen=True)
class Playground:
    page: Page
    base_url: str

    def open(self) -> None:
        self.page.goto(f"{self.base_url}/")

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def start(
        self,
        task: str,
        prompt: str = "",
        files: Sequence[FilePayload] | Path = (),
        schema: Json | None = None,
        key: str = "",
    ) -> None:
        """Fill the form and run it. Large files are given by their path, because Playwright is slow to pass on
        bytes."""
        if key:
            self.part("key").fill(key)
        self.part("task").select_option(task)
        self.part("prompt").fill(prompt)
        if files:
            self.part("file").set_input_files(files)
        self.part("schema").fill(json.dumps(schema) if schema else "")
        self.part("run").click()

    def run(self, task: str, prompt: str = "", **form: Any) -> Json:
        """Run the form, and return the body of the answer, as shown by the page."""
        self.start(task, prompt, **form)
        self.done()
        return self.body

    def done(self) -> None:
        self.page.get_by_text("Done in").wait_for()

    @property
    def body(self) -> Json:
        return cast(Json, json.loads(self.part("json").text_content() or ""))

    @property
    def result(self) -> Any:
        """Result of a run task."""
        return json.loads(self.body["choices"][0]["message"]["content"])["result"]

    def polygons(self, kind: str) -> list[list[Point]]:
        """Return the points of the polygons, in pixels of the picture."""
        found = self.page.eval_on_selector_all(
            f'[data-testid="overlay"] polygon[data-kind="{kind}"]', "all => all.map(one => one.getAttribute('points'))"
        )
        return [[cast(Point, tuple(map(float, point.split(",")))) for point in points.split()] for points in found]

    def shown_bounds(self, kind: str) -> list[list[Point]]:
        """Return the points of the polygons as the browser shows them.

        They are in pixels of the picture below the polygons, which may differ from pixels of the screen.
        """
        found: list[list[Point]] = self.page.evaluate(
            """kind => {
              const overlay = document.querySelector('[data-testid="overlay"]');
              const shown = overlay.previousElementSibling, place = shown.getBoundingClientRect();
              const [width, height] = [shown.naturalWidth ?? shown.width, shown.naturalHeight ?? shown.height];
              const size = overlay.viewBox.baseVal;
              return [...overlay.querySelectorAll(`polygon[data-kind="${kind}"]`)].map(polygon => {
                const matrix = polygon.getScreenCTM();
                return [...polygon.points].map(point => {
                  const there = point.matrixTransform(matrix);
                  const [across, down] = [(there.x - place.x) / place.width, (there.y - place.y) / place.height];
                  return [across * size.width, down * size.height];
                });
              });
            }""",
            kind,
        )
        return [[cast(Point, tuple(point)) for point in points] for points in found]


def is_near(one: Sequence[Point], other: Sequence[Point], pixels: float = 2) -> bool:
    return all(abs(x - u) <= pixels and abs(y - v) <= pixels for (x, y), (u, v) in zip(one, other, strict=True))
