"""Fields of interactive PDF forms, as several programs write them."""

import pytest

from tasks.inputs.pages import PdfField
from tests.conftest import each_case
from tests.kit.papers.pdf_forms import DRAWINGS, form, widget
from tests.unit.tasks.inputs.pdf.drawn import layer_in, texts


def fields_of(data: bytes) -> list[PdfField]:
    return list(layer_in(data).fields)


@each_case(
    ("state", "is_ticked"),
    [
        (f"/V /Yes /AS /Yes {DRAWINGS % 'Yes'}", True),
        (f"/V /Off /AS /Off {DRAWINGS % 'Yes'}", False),
        (f"/V /1 /AS /1 {DRAWINGS % '1'}", True),
        (f"/V /0 /AS /0 /Opt [(No)] {DRAWINGS % '0'}", True),
        (f"/V /Yes {DRAWINGS % 'Yes'}", True),
        (f"/V /Off {DRAWINGS % 'Yes'}", False),
        ("/V /On /AS /On /MK << /CA (8) >>", True),
        (DRAWINGS % "Yes", False),
        # Both show no tick: what is shown counts.
        (f"/V /Yes /AS /Off {DRAWINGS % 'Yes'}", False),
        ("/V /Yes /AS /Off /AP << /N << /Yes 8 0 R /Off 8 0 R >> >>", False),
    ],
)
@pytest.mark.parametrize("settings", ["", "/NeedAppearances true"])
def test_the_state_of_a_check_box_is_what_the_form_says(state: str, is_ticked: bool, settings: str) -> None:
    if settings and "/AS" not in state:
        is_ticked = False  # PDFium switches off what states nothing.
    (field,) = fields_of(form(widget(f"/FT /Btn {state}", "80 160 94 174"), settings=settings))
    assert field == PdfField(((160.0, 52.0), (188.0, 52.0), (188.0, 80.0), (160.0, 80.0)), is_ticked, True)


@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_the_chosen_one_of_several_radio_buttons_is_ticked(chosen: int) -> None:
    states = ["a", "b", "c"]
    kids = [
        widget(
            f"/Parent 10 0 R /AS /{state if index == chosen else 'Off'} {DRAWINGS % state}",
            f"{80 + 50 * index} 160 {94 + 50 * index} 174",
        )
        for index, state in enumerate(states)
    ]
    parent = f"/FT /Btn /Ff 49152 /T (seat) /V /{states[chosen]} /Kids [11 0 R 12 0 R 13 0 R]"
    found = [field.is_ticked for field in fields_of(form(parent, *kids))]
    assert found == [index == chosen for index in range(3)]


@each_case(
    ("what", "text"),
    [
        ("/FT /Tx /V (Ada King)", "Ada King"),
        ("/FT /Ch /Ff 131072 /V (Poland) /Opt [(Poland) (Germany)]", "Poland"),
        ("/FT /Ch /Ff 131072 /V (de) /Opt [[(pl) (Poland)] [(de) (Germany)]]", "Germany"),
        ("/FT /Ch /Ff 393216 /V (Other) /Opt [(Poland) (Germany)]", "Other"),
        ("/FT /Ch /V (Germany) /Opt [(Poland) (Germany)]", "Germany"),
    ],
)
def test_what_is_typed_or_chosen_is_text_in_the_place_of_its_field(what: str, text: str) -> None:
    layer = layer_in(form(widget(what)))
    assert layer.complete
    assert texts(layer) == sorted(["Name:", text])
    (line,) = (line for line in layer.lines if line.text == text)
    (left, top), (right, bottom) = line.quad[0], line.quad[2]
    assert 160 <= left < right <= 560
    assert 50 <= top < bottom <= 90
    assert all(word.confidence == 1 for word in line.words)
    assert [field.is_read for field in layer.fields] == [True]


def test_all_chosen_options_of_a_list_are_read() -> None:
    options = "/FT /Ch /Ff 2097152 /V [(Milk) (Nuts)] /Opt [(Milk) (Eggs) (Nuts)]"
    assert texts(layer_in(form(widget(options, "80 100 280 175")))) == ["Milk, Nuts", "Name:"]


@pytest.mark.parametrize("flags", [2, 32])
def test_hidden_fields_are_not_read(flags: int) -> None:
    hidden = widget("/FT /Tx /V (Ada)").replace("/F 4", f"/F {flags}")
    layer = layer_in(form(hidden))
    assert texts(layer) == ["Name:"]
    assert layer.fields == ()
