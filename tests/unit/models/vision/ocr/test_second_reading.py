"""A second reading of lines: which are read together, and which of its letters are believed."""

import random
import string

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.vision.ocr.regions import regions_of
from models.vision.ocr.second_reading import RegionTranscript, aligned
from models.vision.text import Quad, TextLine, Word

HEIGHT = 20.0


def at(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def line(text: str, top: float = 0.0, left: float = 0.0, confidence: float = 0.9) -> TextLine:
    """Set in letters of 10 × 20 pixels."""
    words, x = [], left
    for word in text.split():
        words.append(Word(word, at(x, top, x + 10 * len(word), top + HEIGHT), confidence))
        x += 10 * (len(word) + 1)
    return TextLine(tuple(words), at(left, top, x - 10, top + HEIGHT))


def lines(*texts: str) -> list[TextLine]:
    return [line(text, 25.0 * number) for number, text in enumerate(texts)]


def said(text: str, probability: float = 0.7) -> RegionTranscript:
    return RegionTranscript(text, (probability,) * len(text))


def reread(found: list[TextLine], text: str) -> list[str]:
    """The texts of `found` after `text` was read. Whatever it is, boxes and the number of words stay."""
    after = aligned(found, said(text))
    assert [one.quad for one in after] == [one.quad for one in found]
    assert [[word.quad for word in one.words] for one in after] == [[word.quad for word in one.words] for one in found]
    assert all(word.text and not any(map(str.isspace, word.text)) for one in after for word in one.words)
    return [one.text for one in after]


def test_letters_of_the_same_line_are_taken() -> None:
    found = lines("lnvoice No. 4711", "Tota1 amount: 12,5O EUR")
    assert reread(found, "Invoice No. 4711\nTotal amount: 12,50 EUR") == ["Invoice No. 4711", "Total amount: 12,50 EUR"]


def test_a_word_that_both_read_alike_stays_as_it_was_and_another_is_as_sure_as_its_letters() -> None:
    [found] = lines("Tota1 amount")
    text = "Total amount"
    sure = (0.9, 0.8, 0.7, 0.8, 0.3, 1.0, *[0.1] * 6)
    [after] = aligned([found], RegionTranscript(text, sure))
    assert after.words[1] is found.words[1]
    assert after.words[0].confidence == np.mean(sure[:5])


def test_a_word_that_was_read_for_sure_stays_whatever_is_made_of_it() -> None:
    found = [line("Total 12.50", confidence=0.999), line("Tota1 12.50", 25)]
    assert reread(found, "Total 19.50\nTotal 19.50") == ["Total 12.50", "Total 19.50"]


def test_a_word_without_a_box_is_left_out() -> None:
    found = lines("Total 12.50")
    assert reread(found, "The Total amount is 12.50 EUR") == ["Total 12.50"]


def test_a_line_that_was_left_out_stays_and_takes_none_of_its_neighbours() -> None:
    found = lines("First line of the text", "12.50", "Last Iine of the text")
    assert reread(found, "First line of the text\nLast line of the text") == [
        "First line of the text",
        "12.50",
        "Last line of the text",
    ]
    amounts = lines("Milk and honey", "12.50", "Bread and butter", "12.60")
    assert reread(amounts, "Milk and honey\nBread and butter\n12.60")[1] == "12.50"


def test_what_was_made_up_is_not_believed() -> None:
    found = lines("Kw1ttung", "12.50 EUR")
    assert reread(found, "The quick brown fox jumps over the lazy dog") == ["Kw1ttung", "12.50 EUR"]
    # … nor a word of another kind in a line that is right.
    assert reread(lines("Pay the sum of 8,123.40 today"), "Pay the sum of nothing today") == [
        "Pay the sum of 8,123.40 today"
    ]


def test_columns_that_changed_places_are_found_again() -> None:
    left = ["The left column begins hcre", "and goes on for a while", "until it ends be1ow"]
    right = ["Another one stands beside", "it with words of its 0wn", "that nobody has confused"]
    found = lines(*left, *right)
    mended = ["The left column begins here", *left[1:2], "until it ends below"]
    others = [right[0], "it with words of its own", right[2]]
    assert reread(found, "\n".join([*others, *mended])) == [*mended, *others]
    # Row by row, where they were found column by column.
    rows = "\n".join(f"{one} {other}" for one, other in zip(mended, others, strict=True))
    assert reread(found, rows) == [*mended, *others]


def test_other_scripts() -> None:
    assert reread(lines("発行日2026年5月1曰", "合計 12,500円"), "発行日2026年5月1日\n合計12,500円") == [
        "発行日2026年5月1日",
        "合計 12,500円",
    ]
    assert reread(lines("発行日五月", "合計十二曰"), "発行日五月合計十二日金額") == ["発行日五月", "合計十二日"]
    assert reread(lines("1", "11"), "1 11") == ["1", "11"]
    assert reread(lines("Cчёт № 17 от 5 мaя"), "Счёт № 17 от 5 мая") == ["Счёт № 17 от 5 мая"]
    assert reread(lines("فاتورة رقم l7"), "فاتورة رقم 17") == ["فاتورة رقم 17"]
    assert reread(lines("कुल राशि १२,५O०"), "कुल राशि १२,५००") == ["कुल राशि १२,५००"]
    # A recogniser that does not know the script read nothing that is alike: there the first reading stays.
    assert reread(lines("CuëT N 17"), "Счёт № 17") == ["CuëT N 17"]


ALPHABET = st.text("ab1 \nü日", max_size=60)


@given(st.lists(st.text("ab1ü日 ", min_size=1, max_size=12).filter(str.strip), max_size=8), ALPHABET)
def test_whatever_is_written_boxes_stay_and_what_was_read_is_found_in_itself(texts: list[str], text: str) -> None:
    found = lines(*texts)
    reread(found, text)
    assert reread(found, "\n".join(texts)) == [one.text for one in found]


# ---- What is read together

PAGE = np.zeros((1000, 800, 3), np.uint8)


def numbers(found: list[TextLine], page: np.ndarray = PAGE) -> list[tuple[int, ...]]:
    return sorted(region.lines for region in regions_of(page, found))


def test_a_block_is_read_together_and_in_order() -> None:
    paragraph = [line("two", 30), line("three", 60), line("one", 0), line("beside", 0, left=50)]
    far = [line("other", 300), line("column", 0, left=500)]
    assert numbers([*paragraph, *far]) == [(2, 3, 0, 1), (4,), (5,)]


def test_a_region_shows_its_lines_and_counts_their_letters() -> None:
    page = PAGE.copy()
    page[100:145, 50:150] = 255
    [region] = regions_of(page, [line("two words", 100, 50), line("here", 125, 50)])
    assert region.letters == 12
    # 6 pixels around: three tenths of the height of a line.
    assert region.picture.shape == (57, 102, 3)
    assert (region.picture[6:51, 6:96] == 255).all()
    assert np.shares_memory(region.picture, page)


def test_text_that_runs_down_up_or_upside_down_is_turned_level() -> None:
    page = np.zeros((300, 400, 3), np.uint8)
    page[100:120, 100:200] = 50
    page[100:120, 100:110] = 255  # where the line begins
    turned = {
        0: at(100, 100, 200, 120),
        1: ((200, 100), (200, 200), (180, 200), (180, 100)),
        2: ((300, 200), (200, 200), (200, 180), (300, 180)),
        3: ((100, 300), (100, 200), (120, 200), (120, 300)),
    }
    for clockwise, quad in turned.items():
        picture = np.ascontiguousarray(np.rot90(page, -clockwise))
        [region] = regions_of(picture, [TextLine((Word("abc", quad, 1.0),), quad)])
        assert region.picture.shape == (32, 112, 3)
        assert (region.picture[6:26, 6:16] == 255).all()


def test_a_long_block_is_read_in_parts() -> None:
    short = [line("a", 22.0 * number) for number in range(43)]
    assert [len(region.lines) for region in regions_of(np.zeros((1000, 80, 3), np.uint8), short)] == [40, 3]
    dense = [line("word " * 60, 22.0 * number) for number in range(9)]
    assert [region.letters for region in regions_of(np.zeros((300, 3000, 3), np.uint8), dense)] == [720, 720, 720]


def test_letters_that_were_missed_at_the_ends_of_a_line_are_taken() -> None:
    found = lines("eceived with thank", "nvoice number")
    assert reread(found, "Received with thanks\nInvoice number") == ["Received with thanks", "Invoice number"]


def test_going_round_in_circles_adds_nothing() -> None:
    found = lines("A heading of the page", "Tota1 12.50", "The end of it all")
    text = "A heading of the page\n" + "Total 12.50\n" * 100
    assert reread(found, text) == ["A heading of the page", "Total 12.50", "The end of it all"]
    assert reread(lines("Tota1"), "Total" * 200) == ["Total"]
    assert reread(lines("Tota1 12.50"), "l" * 500) == ["Tota1 12.50"]


def test_many_mistakes_of_a_page_are_mended() -> None:
    rng = random.Random(5)
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 9))) for _ in range(300)]
    right = [" ".join(words[start : start + 8]) for start in range(0, 240, 8)]
    wrong = []
    for text in right:
        letters = list(text)
        for place in rng.sample([at for at, letter in enumerate(letters) if letter != " "], 3):
            letters[place] = rng.choice(string.ascii_uppercase)
        wrong.append("".join(letters))
    assert reread(lines(*wrong), "\n".join(right)) == right
