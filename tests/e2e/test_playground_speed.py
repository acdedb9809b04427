"""How smoothly the playground moves, by Chromium's own trace. Deep, for it is of time: of the processor's alone, which
hardly changes with what else the machine does."""

import pytest
from playwright.sync_api import Browser

from bench.playground import SCREEN, open_full_page, panned
from tests.e2e.conftest import needs_browser
from tests.playground import watched
from tests.server import Server

MAX_MS = 50


@needs_browser
@pytest.mark.deep
@pytest.mark.measured
def test_five_thousand_words_pan_within_fifty_milliseconds_a_frame(browser: Browser, server: Server) -> None:
    with watched(browser, server.base_url, viewport=SCREEN) as page:
        open_full_page(page, server.base_url)
        assert page.locator('polygon[data-kind="word"]').count() == 5000
        frames = panned(page)
        assert len(frames) > 100
        works = sorted(one.work for one in frames)
        print(f"\n{works[len(works) // 2]:.1f} ms a frame, {works[-1]:.1f} ms at most")
        assert works[0] > 0
        assert works[-1] <= MAX_MS
