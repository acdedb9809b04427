"""The forecast task: what it reads, what it asks its engine, and what its result says."""

import base64
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import PIL.Image
import pytest

from models.series.forecaster import Outlook, Series
from tasks.errors import InputError
from tasks.forecast import MAX_SERIES, ForecastTask
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.series.reading import SeriesReader
from tests.kit.chats.requests import request_of


@dataclass
class Repeating:
    """Repeats the last value, give or take one and a half."""

    asked: list[Series] = field(default_factory=list)

    async def forecast(self, series: Series, *, wait: bool = False) -> Outlook:
        self.asked.append(series)
        value = np.full(series.horizon, series.values[-1])
        return Outlook(value, value - 1.5, value + 1.5, "repeating")


@pytest.fixture(scope="module")
async def reader() -> AsyncIterator[SeriesReader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(cells=5000))
    yield SeriesReader(loader)
    await loader.close()


def csv_of(*columns: str, days: int = 8, scale: float = 1) -> str:
    rows = [f"2026-01-{day:02}" + f",{day * scale:g}" * len(columns) for day in range(1, days + 1)]
    return "\n".join([",".join(["date", *columns]), *rows]) + "\n"


def source(data: str | bytes, name: str = "sold.csv") -> Source:
    return Source(Origin("files[0]"), data=data.encode() if isinstance(data, str) else data, filename=name)


async def result_of(reader: SeriesReader, text: str, *sources: Source, max_series: int = MAX_SERIES) -> dict[str, Any]:
    task = ForecastTask(Repeating, reader, max_series=max_series)
    result: Any = (await task.run(request_of("forecast", text, sources))).data
    json.dumps(result)
    return dict(result)


async def test_predictions_have_the_contracts_form(reader: SeriesReader) -> None:
    result = await result_of(reader, "Forecast the next 2 days.", source(csv_of("sold")))
    assert result["predictions"] == [
        {"date": "2026-01-09 00:00:00", "value": 8, "lower": 6, "upper": 10},
        {"date": "2026-01-10 00:00:00", "value": 8, "lower": 6, "upper": 10},
    ]
    assert [list(row) for row in result["predictions"]] == [["date", "value", "lower", "upper"]] * 2
    assert result["notes"] == ["Forecast by repeating."]
    assert "filled" not in result
    assert "plot" not in result


async def test_integers_stay_integers_and_fractions_stay_fractions(reader: SeriesReader) -> None:
    whole = await result_of(reader, "next 1 day", source(csv_of("sold")))
    parts = await result_of(reader, "next 1 day", source(csv_of("sold", scale=0.37)))
    assert {type(value) for name, value in whole["predictions"][0].items() if name != "date"} == {int}
    assert parts["predictions"][0]["value"] == pytest.approx(2.96)
    assert isinstance(parts["predictions"][0]["value"], float)


async def test_what_was_never_negative_is_not_forecast_to_be(reader: SeriesReader) -> None:
    result = await result_of(reader, "next 1 day", source("1\n2\n3\n2\n1\n"))
    assert result["predictions"] == [{"date": "6", "value": 1, "lower": 0, "upper": 2}]
    below = await result_of(reader, "next 1 day", source("0.5\n-2\n3\n2\n1\n"))
    assert below["predictions"][0]["lower"] == -0.5


async def test_several_series_carry_their_names(reader: SeriesReader) -> None:
    result = await result_of(reader, "next 2 days", source(csv_of("sold", "visitors")))
    assert [row["series"] for row in result["predictions"]] == ["sold", "sold", "visitors", "visitors"]
    assert result["notes"] == ["sold: Forecast by repeating.", "visitors: Forecast by repeating."]


@pytest.mark.parametrize("behind", [False, True])
async def test_a_data_url_in_the_text_is_a_file(reader: SeriesReader, behind: bool) -> None:
    url = f"data:text/csv;base64,{base64.b64encode(csv_of('sold').encode()).decode()}"
    wish = "Forecast the next 2 days"
    result = await result_of(reader, f"{url} {wish}." if behind else f"{wish}: {url}.")
    assert [row["date"] for row in result["predictions"]] == ["2026-01-09 00:00:00", "2026-01-10 00:00:00"]
    with pytest.raises(InputError, match="base64") as raised:
        await result_of(reader, f"{wish}: data:text/csv;base64,@@@@")
    assert raised.value.param == "messages"


async def test_numbers_in_the_text_are_continued(reader: SeriesReader) -> None:
    result = await result_of(reader, "Predict the next 2 values: 3, 5, 4, 6, 7")
    assert [row["date"] for row in result["predictions"]] == ["6", "7"]
    assert "no dates" in result["notes"][0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("sold.json", json.dumps([{"date": f"2026-01-0{day}", "sold": day} for day in range(1, 9)])),
        (
            "sold.html",
            "<html><body><p>Sales</p><table>"
            + "".join(f"<tr><td>{row.replace(',', '</td><td>')}</td></tr>" for row in csv_of("sold").split())
            + "</table><p>End.</p></body></html>",
        ),
        ("sold.csv", csv_of("sold").encode("utf-16")),
    ],
)
async def test_files_of_each_type_are_read(reader: SeriesReader, name: str, data: str | bytes) -> None:
    result = await result_of(reader, "next 1 day", source(data, name))
    assert result["predictions"] == [{"date": "2026-01-09 00:00:00", "value": 8, "lower": 6, "upper": 10}]


async def test_the_engine_is_told_horizon_and_seasons(reader: SeriesReader) -> None:
    engine = Repeating()
    await ForecastTask(lambda: engine, reader).run(request_of("forecast", "next 3 days", (source(csv_of("sold")),)))
    [query] = engine.asked
    assert (query.horizon, query.seasons, query.values.tolist()) == (3, (7, 365), [1, 2, 3, 4, 5, 6, 7, 8])


@pytest.mark.parametrize(
    ("text", "data", "message"),
    [
        ("next 3 days", csv_of("sold", days=4), "at least 5 values .* 'sold' has 4: 4 values .* at 20.* were read"),
        ("next 3 days", "name,town\na,b\nc,d\n", "no column of numbers .*: its columns are 'name', 'town'"),
        ("next 3 days", '"' + "x" * 200_000, "'sold.csv' has no column of numbers"),
        ("next 3 days", "no table at all", "'sold.csv' has no column of numbers"),
    ],
)
async def test_what_cannot_be_forecast_is_told(reader: SeriesReader, text: str, data: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        await result_of(reader, text, source(data))
    assert caught.value.code == "invalid_request"


async def test_a_table_pasted_in_one_line_is_read(reader: SeriesReader) -> None:
    rows = [f"2026-01-0{day},{8 + 2 * day}" for day in range(1, 7)]
    whole = await result_of(reader, "Forecast the next 2 days of this:\n" + "\n".join(["date,sold", *rows]))
    for separator in (",", " ", "; "):
        said = f"Forecast the next 2 days of this: date,sold,{separator.join(rows)}"
        assert await result_of(reader, said) == whole


async def test_more_series_than_the_limit_are_refused_with_a_hint(reader: SeriesReader) -> None:
    with pytest.raises(InputError, match=r"3 series; the limit is 2 a request.*'a'") as caught:
        await result_of(reader, "next 2 days", source(csv_of("a", "b", "c")), max_series=2)
    assert caught.value.code == "too_many_series"


async def test_a_picture_is_drawn_when_asked_for(reader: SeriesReader) -> None:
    result = await result_of(reader, "Plot the next 5 days", source(csv_of("$so_ld$ 図", "b")))
    head, _, payload = result["plot"].partition(",")
    assert head == "data:image/png;base64"
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(payload)))
    assert picture.size == (900, 640)
    colours = picture.convert("RGB").getcolors(1 << 20) or []
    assert {(31, 78, 121), (217, 95, 14)} <= {colour for _, colour in colours}
