"""A series is forecast wherever it stands in the message, and whatever surrounds it."""

import base64
import datetime as dt
import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from app.chat.plan import Planner
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.media_types import XLSX
from tasks.series.options import ForecastOptions
from tasks.series.reading import SeriesReader
from tests.conftest import each_case
from tests.kit.chats.plans import Case, share_right, turn_of
from tests.unit.tasks.series.test_formats import workbook

VALUES = [318, 335, 329, 351, 362, 348, 371, 385, 379, 398, 410, 402]
DAYS = [str(dt.date(2025, 3, 3) + dt.timedelta(weeks=week)) for week in range(len(VALUES))]
PAIRS = list(zip(DAYS, VALUES, strict=True))
CSV = "date,value\n" + "\n".join(f"{day},{value}" for day, value in PAIRS)
TSV = CSV.replace(",", "\t")
COMMAS = "Tag;Wert\n" + "\n".join(f"{day};{value},5" for day, value in PAIRS)
LINES = "\n".join(f"{day}: {value}" for day, value in PAIRS)
TABLE = "| week | visitors |\n|---|---|\n" + "\n".join(f"| {day} | {value} |" for day, value in PAIRS)
ROWS = json.dumps([{"date": day, "value": value} for day, value in PAIRS])
COLUMNS = json.dumps({"date": DAYS, "visitors": VALUES})
NUMBERS = ", ".join(map(str, VALUES))
COLUMN = "\n".join(map(str, VALUES))


def data_url(data: str | bytes, media_type: str = "text/csv") -> str:
    data = data.encode() if isinstance(data, str) else data
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


BOOK = data_url(workbook([["day", "sold"], *(list(pair) for pair in PAIRS)]).data, XLSX)
FORECAST = [
    f"Predict the next 3 weeks of these: {CSV}",
    f"Predict the next 3 weeks of these: {ROWS}",
    f"Predict the next 3 weeks of these: {data_url(CSV)}",
    f"Forecast the next 4 weeks\n{CSV}",
    f"{CSV}\n\nForecast the next 4 weeks.",
    f"{TSV}\n\nPlease predict the coming 3 weeks.",
    f"{ROWS}\nForecast the next 4 weeks",
    f"{COLUMNS} Predict the next 2 weeks.",
    f"{LINES}\n\nWhat can we expect for the next month?",
    f"{TABLE}\n\nForecast the next 4 weeks",
    f"{COLUMN}\nWhat are the next 4 values?",
    f"{NUMBERS} — forecast three more",
    f"What comes next? {NUMBERS}",
    f"How does this series continue? {NUMBERS}",
    f"Visitors a week: {NUMBERS}. How many will come in the next 3 weeks?",
    f"These are our museum's visitors: {ROWS}. Forecast the next 4 weeks.",
    f"These are our museum's visitors:\n{CSV}\nForecast the next 4 weeks.",
    f"The last 12 weeks: {ROWS}. How many should we count on in the next month?",
    f"What will sales be next month? {CSV}",
    f"```csv\n{CSV}\n```\nForecast the next 4 weeks.",
    f"Forecast the next 4 weeks.\n```json\n{ROWS}\n```",
    f"<data>\n{CSV}\n</data>\nForecast the next 4 weeks.",
    f"{data_url(ROWS, 'application/json')}\nForecast the next 4 weeks.",
    f"Our visitors: {data_url(TSV, 'text/tab-separated-values')} . Please forecast the next 4 weeks.",
    f"Forecast the next 5 weeks: data:text/csv,{quote(CSV)}",
    f"Forecast the next 5 days of {BOOK}.",
    f"{COMMAS}\n\nPrognostiziere die nächsten 4 Wochen.",
    f"Das sind unsere Besucher: {ROWS}. Mit wie vielen müssen wir im nächsten Monat rechnen?",
    f"Nos visiteurs : {ROWS}. Combien en aurons-nous le mois prochain ?",
    f"Nuestros visitantes:\n{CSV}\n¿Cuántos tendremos el próximo mes?",
    f"这是我们的访客：\n{CSV}\n预测未来4周",
    f"Hi! I count every Monday. So far:\n\n{CSV}\n\nCould you tell me what to expect for the next 6 weeks? Thanks!",
]
OTHER = [
    f"Our visitors: {ROWS}. Which week was the best?",
    f"{CSV}\nWhat is the average?",
    f"{ROWS}\nNext, convert it to CSV.",
    f"Sort these numbers: {NUMBERS}",
    "How do I forecast 1, 2, 3, 4, 5 in Excel?",
    f"Write a function that predicts the next value of [{NUMBERS}]",
    "My scores were 70, 80, 75, 90, 85. What should I study next week?",
    "The weather forecast said 12, 14, 13, 17, 19 degrees. Is that cold?",
    f"{CSV}\nRemove the next column",
]


@pytest.fixture
async def planner() -> AsyncIterator[Planner]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    yield Planner(read_series=SeriesReader(loader).message)
    await loader.close()


@each_case("message", FORECAST)
async def test_a_series_in_the_message_is_forecast_and_the_forecast_is_the_answer(
    message: str, planner: Planner
) -> None:
    plan = await planner.plan(turn_of(Case(message, (), ())))
    [step] = plan.steps
    assert (step.task, step.sources, plan.results_only) == ("forecast", (), True)
    assert isinstance(step.options, ForecastOptions)
    assert step.options.text == message


async def test_other_wishes_about_numbers_ask_for_no_forecast(planner: Planner) -> None:
    plans = [(message, await planner.plan(turn_of(Case(message, (), ())))) for message in OTHER]
    assert share_right((message, "forecast" in plan.summary, False) for message, plan in plans) >= 0.75


async def test_a_further_question_is_left_to_the_llm(planner: Planner) -> None:
    plan = await planner.plan(turn_of(Case(f"Forecast the next 4 weeks. Then write a poem about it.\n{CSV}", (), ())))
    assert plan.summary == ("forecast",)
    assert not plan.results_only
