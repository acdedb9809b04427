"""Lines and sentences of what was read, as an answer."""

from collections.abc import Sequence

import pytest

from app.chat.quotes import MAX_PASSAGES, passages_for, summary_of
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tests.kit.chats.entries import entry_of

TEXT = """# The harbour

The harbour of Velsund was founded in 1642 by merchants who were looking for a place free of ice.
In 1871 a fire destroyed the old quay and forty houses.
| Year | Tonnes |
|---|---|
| 2024 | 260,000 tonnes of timber |
```
The railway reached the town in 1889.
Since then timber has been the most important export of the harbour of Velsund.
- A museum shows models of ships and tools.
The council decided to electrify all berths of the harbour by 2030.
"""


def text_entry(text: str) -> Entry:
    return Entry(REQUEST, JsonResult({"text": text}))


async def quoted(question: str, *entries: Entry) -> list[str]:
    return await passages_for(question, entries, None)


async def summed_up(text: str, most: int) -> Sequence[str]:
    return await summary_of([text_entry(text)], most)


async def test_passages_are_the_lines_with_the_questions_words_without_marks_of_markdown() -> None:
    assert await quoted("How many tonnes of timber were there?", text_entry(TEXT)) == [
        "- Year | Tonnes",
        "- 2024 | 260,000 tonnes of timber",
        "- Since then timber has been the most important export of the harbour of Velsund.",
    ]


async def test_passages_leave_room_for_the_line_above_them_and_their_headings() -> None:
    pages = [{"url": f"https://{at}.example/", "title": "T", "description": "", "markdown": TEXT} for at in range(3)]
    entries = [entry_of("scraper", page) for page in pages]
    lines = await quoted("What did the harbour of Velsund export?", *entries)
    assert 2 < len(lines) < MAX_PASSAGES
    assert any(line.startswith("T <https://") for line in lines)


async def test_a_question_about_something_else_has_no_passages() -> None:
    assert await quoted("Who won the football match?", text_entry(TEXT)) == []


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_a_summary_has_the_first_and_the_most_central_sentences(most: int) -> None:
    sentences = await summed_up(TEXT, most)
    assert len(sentences) == most
    assert sentences[0].startswith("The harbour of Velsund was founded")
    assert all(sentence in " ".join(TEXT.split()) for sentence in sentences)


async def test_a_day_an_initial_and_a_title_end_no_sentence() -> None:
    text = "Dr. Blum and J. R. Smith end your contract on the 31. of March. The last bill comes in April. Bye, bye now!"
    assert await summed_up(text, 3) == [
        "Dr. Blum and J. R. Smith end your contract on the 31. of March.",
        "The last bill comes in April.",
    ]
