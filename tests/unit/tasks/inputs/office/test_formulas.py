"""Formulas of workbooks, as far as they are evaluated."""

import pytest

from tasks.inputs.office.formulas import At, ErrorName, Formula, NotEvaluated, SheetError, Value
from tests.conftest import each_case

CELLS: dict[tuple[int, int], Value | ErrorName] = {
    (1, 1): 5.0,
    (1, 2): "Total",
    (2, 1): 7.0,
    (2, 2): ErrorName("#N/A"),
    (3, 1): True,
    (3, 2): ErrorName(),
}


def at(row: int = 1, column: int = 1) -> At:
    """Return a cell for formulas that were written for A1."""
    return At(row, column, row - 1, column - 1, lambda row, column: CELLS.get((row, column)))


@each_case(
    ("formula", "value"),
    [
        ("1=1", True),
        ('LEN("a")=1', True),
        ("NOT(FALSE)", True),
        ("TRUE()", True),
        ("ROW()>0", True),
        ('$A$1<>""', True),
        ("1+2*3^2-4/2", 17.0),
        ("-2^2", 4.0),
        ("50%+(1)", 1.5),
        ('"a"&1&TRUE', "a1TRUE"),
        ('"A"="a"', True),
        ('"a">9', True),
        ("Z9=0", True),
        ('Z9=""', True),
        ("A1 + A2", 12.0),
        ("AND(A1=5,A2=7)", True),
        ("AND(FALSE,B3)", False),
        ("OR(B3,TRUE)", True),
        ("IF(A1>6,1,2)", 2.0),
        ("IFERROR(B2,3)", 3.0),
        ("ISERROR(B2)", True),
        ("ISNA(B2)", True),
        ("ISERR(B2)", False),
        ("ISERROR(1/0)", True),
        ("ISBLANK(Z9)", True),
        ("ISNUMBER(A1)", True),
        ("ISTEXT(B1)", True),
        ("ISLOGICAL(A3)", True),
        ("LEN(TRIM(B1))>0", True),
        ('LEFT(B1,2)="to"', True),
        ("RIGHT(B1)", "l"),
        ('NOT(ISERROR(SEARCH("TAL",B1)))', True),
        ("MOD(ROW(A7),2)", 1.0),
        ("ABS(-COLUMN(C1))", 3.0),
    ],
)
def test_formulas_have_the_value_that_a_spreadsheet_gives_them(formula: str, value: Value) -> None:
    assert Formula(formula).value(at()) == value


def test_references_move_with_the_cell_unless_they_are_fixed() -> None:
    assert Formula("A1").value(at(2)) == 7
    assert Formula("A$1").value(at(2)) == 5
    assert Formula("$A1").value(at(2, 9)) == 7
    assert Formula("ROW()").value(at(4)) == 4
    # The first column follows the last one.
    assert Formula("XFD1").value(at(1, 2)) == 5


@each_case(
    "formula",
    [
        "TODAY()>1",
        "SUM(A1:A9)>0",
        "Sheet2!A1=1",
        "name=1",
        "B3=1",
        "1=",
        "(1",
        "1)",
        "A1,A2",
        "IF()",
        "NOT(1,2)",
        "ROW(1)",
        'SEARCH("a*",B1)',
        '"12"+1',
        "",
        "1" + "+1" * 200,
        "(" * 40 + "1" + ")" * 40,
    ],
)
def test_other_formulas_are_not_evaluated(formula: str) -> None:
    with pytest.raises(NotEvaluated):
        Formula(formula).value(at())
    assert Formula(formula).holds(at()) is None


@each_case("formula", ["1/0", "B2", "0^-1", "(-8)^0.5", "9^999", '"a"+1', "10^300*10^300", 'SEARCH("x",B1)'])
def test_an_error_is_not_true(formula: str) -> None:
    with pytest.raises(SheetError):
        Formula(formula).value(at())
    assert Formula(formula).holds(at()) is False


@each_case("sign", ["+1", "%", "&A1", "=A1"])
def test_long_formulas_are_evaluated(sign: str) -> None:
    Formula("1" + sign * (254 // len(sign))).holds(at())
