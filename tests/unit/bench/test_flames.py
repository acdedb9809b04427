"""What a sampler saw, as a table and as a picture."""

from lxml import etree

from bench.devices import put
from bench.flames import PATHS, dearest, drawn, section, stacks

RAW = """process 7:"python -c a
program of two lines";main (<string>:1);serve (app/cli/serving.py:47);run (app/chat/pipeline.py:9) 60
process 7:"python";main (<string>:1);serve (app/cli/serving.py:47);read (/a/site-packages/aiohttp/client.py:3) 30
process 7:"python";main (<string>:1);look (app/chat/<a&b>.py:3);dumps (json/__init__.py:3) 9
process 7:"python";main (<string>:1);serve (app/cli/serving.py:47);run (app/chat/pipeline.py:9);rare (json/a.py:3) 1
process 7:"python";_bootstrap (threading.py:3);_worker (concurrent/futures/thread.py:81) 500
"""


def test_samples_belong_to_the_innermost_function_of_ours() -> None:
    found = stacks(RAW)
    assert found.total() == 100, "a thread that waits for work does none"
    assert dearest(found) == [
        ("run (app/chat/pipeline.py)", 0.61),
        ("serve (app/cli/serving.py)", 0.30),
        ("look (app/chat/<a&b>.py)", 0.09),
    ]


def test_a_picture_is_as_wide_as_what_was_seen() -> None:
    picture = etree.fromstring(drawn(stacks(RAW * 10), "a <path>").encode())
    name = {"svg": "http://www.w3.org/2000/svg"}
    boxes = {
        group.findtext("svg:title", namespaces=name): float(group.find("svg:rect", name).get("width"))
        for group in picture.iterfind("svg:g", name)
    }
    assert boxes["run (app/chat/pipeline.py): 61.0%"] == 731.5
    assert boxes["rare (json/a.py): 1.0%"] == 11.5
    assert not any("<string>" in one for one in boxes), "what all share is no news"
    assert "a <path>" in "".join(picture.itertext())


def test_a_part_that_is_measured_again_leaves_other_rows_and_all_pictures() -> None:
    page = put("# Performance\n", section(["| a | 1 ms | x |", "| b | 2 ms | y |"], "Then: all."))
    page = put(page, section(["| b | 3 ms | z |"], "Now: b."), ["b"], named_by=1)
    assert [line for line in page.splitlines() if line.startswith(("| a", "| b"))] == [
        "| a | 1 ms | x |",
        "| b | 3 ms | z |",
    ]
    assert page.count("![") == len(PATHS)
    assert "Then: all." in page
    assert "b: Now: b." in page
