"""Answers of which every field is copied, decided or empty, because no capable LLM is there to write any."""

from typing import Any

import pytest

from app.chat.requested_fields import CALL
from app.chat.shape import NotFoundInInput
from tests.conftest import each_case
from tests.kit.papers.filling import INTEGER, NUMBER, OR_NULL, STRING, fill, left, pasted, read, shape_of, whole

BOOLEAN = {"type": "boolean"}
FORM = pasted(
    "Intake form of the clinic\n\nName: Ann Lee\nSmoker: [ ]Yes [x]No [ ]Former\n"
    "Marital status:\n[ ] single\n[x] married\n"
    "[x] Newsletter\n[ ] Parking\nPaid: ja\nPayment: Überweisung\nSex: w\nInvoice dated 3 May 2024, no lift"
)


@pytest.mark.deep
@each_case(
    ("name", "schema", "value"),
    [
        ("smoker", {"enum": ["Yes", "No", "Former"]}, "No"),
        ("marital_status", {"enum": ["single", "married"]}, "married"),
        ("newsletter", BOOLEAN, True),
        ("paid", BOOLEAN, True),
        ("payment_method", {"enum": ["cash", "bank_transfer", None]}, "bank_transfer"),
        ("has_lift", BOOLEAN, False),
    ],
)
async def test_a_choice_is_decided_by_what_is_printed(name: str, schema: dict[str, Any], value: Any) -> None:
    filling = await whole(shape_of(**{name: schema}), FORM)
    assert filling.answer is not None
    assert filling.answer.value == {name: value}
    assert filling.copied.decided[name,].probability > 0.5
    assert (filling.undecided, filling.warnings) == ({}, [])


@each_case(
    ("schema", "value", "probability"),
    [
        ({"type": "boolean"}, False, 0.5),
        ({"type": "boolean", "default": True}, True, 0.5),
        ({"enum": ["approved", "unknown", "refused"]}, "unknown", 0.33),
        ({"enum": ["gold", "silver"], "default": "silver"}, "silver", 0.5),
    ],
)
async def test_a_choice_that_nothing_decides_is_harmless_and_improbable(
    schema: dict[str, Any], value: Any, probability: float
) -> None:
    filling = await whole(shape_of(membership=schema), read())
    assert filling.answer is not None
    assert filling.answer.value == {"membership": value}
    assert filling.undecided == {("membership",): probability}
    [warning] = filling.warnings
    assert "'membership'" in warning


async def test_a_choice_that_nothing_decides_is_null_if_it_may_be() -> None:
    schema = {"type": ["string", "null"], "enum": ["gold", "silver", None]}
    filling = await whole(shape_of(membership=schema, vip={"type": ["boolean", "null"]}), read())
    assert filling.answer is not None
    assert filling.answer.value == {"membership": None, "vip": None}
    assert (filling.undecided, filling.warnings) == ({}, [])


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("website", {"type": "string", "format": "uri"}),
        ("assessment", INTEGER),
        ("loyalty_code", {"type": "string", "pattern": "^[A-Z]{9}$"}),
        ("summary", {"type": "string", "minLength": 1}),
        ("godparents", {"type": "array", "items": STRING, "minItems": 1}),
        ("total", {"type": "number", "minimum": 1000}),
    ],
)
async def test_a_field_that_is_not_there_and_must_not_be_empty_is_named(name: str, schema: dict[str, Any]) -> None:
    with pytest.raises(NotFoundInInput, match=f"'/order/{name}'") as failed:
        order = {"type": "object", "properties": {name: schema}, "required": [name]}
        await whole(shape_of(order=order), read())
    assert (failed.value.param, failed.value.code) == (f"/order/{name}", "not_found_in_input")
    with pytest.raises(NotFoundInInput) as failed:
        await whole(shape_of(total_amount=NUMBER, **{name: schema}), read(), CALL)
    assert failed.value.param == f"{CALL}/{name}"
    assert failed.value.partial == {"total_amount": 63.6, name: None}


DAY = {"type": "string", "format": "date"}


async def test_a_field_that_must_have_a_value_gets_the_likeliest_of_its_type() -> None:
    filling = await whole(shape_of(shop=STRING, warranty_ends=DAY), read())
    assert filling.answer is not None
    assert filling.answer.value["warranty_ends"] == "2018-12-25"
    place = filling.copied.place(("warranty_ends",), "2018-12-25")
    assert place is not None
    assert place.probability < 0.1
    [warning] = filling.warnings
    assert "'warranty_ends'" in warning
    assert "warranty_ends" in left(await fill(shape_of(shop=STRING, warranty_ends=DAY), read()))


async def test_fields_that_depend_on_each_other_are_copied_and_checked_together() -> None:
    shape = shape_of(total=NUMBER, comment=STRING, required=["total"])
    either = {"anyOf": [{"required": ["total"]}, {"required": ["comment"]}]}
    filling = await whole(shape.with_schema({**(shape.schema or {}), **either}), read())
    assert filling.answer is not None
    assert filling.answer.value["total"] == 63.6
    [warning] = filling.warnings
    assert "/anyOf" in warning
    never = shape.with_schema({**(shape.schema or {}), "if": {"required": ["total"]}, "then": {"minProperties": 3}})
    with pytest.raises(NotFoundInInput, match="what the schema demands") as failed:
        await whole(never, read())
    assert failed.value.partial == {"total": 63.6, "comment": ""}


async def test_fields_beyond_the_hundredth_are_named_in_a_warning() -> None:
    fields = {f"label{number}": OR_NULL for number in range(120)}
    filling = await whole(shape_of(**fields), pasted("\n".join(f"Label{number}: v{number}" for number in range(2))))
    assert any("first 100 fields" in warning and "20 others" in warning for warning in filling.warnings), (
        filling.warnings
    )


def object_of(kind: str, **properties: Any) -> dict[str, Any]:
    fields = {"kind": {"const": kind}, **properties}
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


async def test_of_several_objects_the_one_of_which_most_was_read_is_filled() -> None:
    letter = object_of("letter", salutation=STRING, signature=STRING, place_of_writing=STRING)
    receipt = object_of("receipt", total=NUMBER, cash=NUMBER, shop=object_of("shop", email=STRING))
    shop = {"kind": "shop", "email": "shop@acme.example"}
    for document in ({"anyOf": [letter, receipt]}, {"oneOf": [receipt, letter, {"type": "null"}]}):
        filling = await whole(shape_of(document=document), read())
        assert filling.answer is not None
        assert filling.answer.value == {"document": {"kind": "receipt", "total": 63.6, "cash": 70, "shop": shop}}
        assert await fill(shape_of(document=document), read()) is None


def open_object(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": of}


@each_case(
    ("value", "text", "filled"),
    [
        (NUMBER, "Prices\n\nApple: 1.20 EUR\nPear juice: EUR 1,400.00", {"Apple": 1.2, "Pear juice": 1400}),
        (NUMBER, "| Fruit | Price |\n|---|---|\n| Apple | 1.20 |\n| Pear | 2.35 |", {"Apple": 1.2, "Pear": 2.35}),
        (INTEGER, "City,People\nParis,2102650\nLyon,522250\nNice,348085\nLille,238695", None),
        (
            STRING,
            "Data sheet\nColour: dark green\nWeight: 12 kg\nHolder: Ann",
            {"Colour": "dark green", "Weight": "12 kg"},
        ),
        (NUMBER, "Invoice: INV-4711\nDate: 12.03.2024\nDue: 3 May 2024\nTotal: 99.50", {"Total": 99.5}),
    ],
)
async def test_an_object_with_open_keys_has_those_that_are_printed(value: Any, text: str, filled: Any) -> None:
    filling = await whole(shape_of(holder=OR_NULL, found=open_object(value)), pasted(text))
    assert filling.answer is not None
    cities = {"Paris": 2102650, "Lyon": 522250, "Nice": 348085, "Lille": 238695}
    assert filling.answer.value["found"] == (filled or cities)
    assert not any("'/found'" in one for one in filling.warnings)


@each_case(
    ("value", "text"),
    [
        (NUMBER, "Nothing is for sale."),
        (NUMBER, "Item: A\nPrice: 5\n\nItem: B\nPrice: 6"),
        ({"type": "array", "items": NUMBER}, "Apple: 1.20"),
        ({}, "Apple: 1.20"),
    ],
)
async def test_an_empty_object_with_open_keys_is_named(value: Any, text: str) -> None:
    filling = await whole(shape_of(found=open_object(value) if value else {"type": "object"}), pasted(text))
    assert filling.answer is not None
    assert filling.answer.value == {"found": {}}
    assert [one for one in filling.warnings if "'/found'" in one]


async def test_a_printed_rating_is_copied_and_one_that_is_not_printed_is_not() -> None:
    asked = shape_of(rating={"type": ["number", "null"]})
    printed = await whole(asked, pasted("Rating: 4.6 of 5 (213 reviews)\nHotel Sonne\nOpen all year"))
    felt = await whole(asked, pasted("I loved this hotel.\nThe staff were lovely.\nWe stayed 3 nights for 240 euros."))
    assert [one.answer and one.answer.value for one in (printed, felt)] == [{"rating": 4.6}, {"rating": None}]
