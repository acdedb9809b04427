"""Finds which areas of tables in workbooks have colours by the styles of the tables (ECMA-376, part 1, 18.5.1.2 and
18.8.40)."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from tasks.inputs.office.conditional_formats import Box, boxes

_BUILT_IN = re.compile(r"(?:TableStyle|PivotStyle)(Light|Medium|Dark)(\d{1,2})")
_HEADED_LIGHT = range(8, 15)
"""Numbers of the light styles with dark headers. The others have at most light stripes."""
_MEDIUM = ("headerRow", "totalRow", "firstColumn", "lastColumn")
"""Parts that may be dark in medium styles. The others are light."""
_SWITCHES = {
    "firstColumn": "showFirstColumn",
    "lastColumn": "showLastColumn",
    "firstRowStripe": "showRowStripes",
    "secondRowStripe": "showRowStripes",
    "firstColumnStripe": "showColumnStripes",
    "secondColumnStripe": "showColumnStripes",
}
_ON = ("1", "true")


class TableStyles:
    """The styles of tables in a workbook."""

    def __init__(self, workbook: Any) -> None:
        formats, styles = workbook._differential_styles.styles, workbook._table_styles
        self._own = {
            style.name: [
                part.type
                for part in style.tableStyleElement
                if part.dxfId is not None and part.dxfId < len(formats) and formats[part.dxfId].fill is not None
            ]
            for style in (() if styles is None else styles.tableStyle)
        }

    def colored_areas(self, table: etree._Element) -> Iterator[Box]:
        """Yield the areas of a table in which its style may put a colour behind text that is lighter than it."""
        whole = next(boxes(table.get("ref", "")), None)
        style = table.find("{*}tableStyleInfo")
        if whole is None or style is None:
            return
        for part in self._parts(style.get("name", "")):
            switch = _SWITCHES.get(part)
            if switch is None or style.get(switch) in _ON:
                yield from _area(table, whole, part)

    def _parts(self, name: str) -> list[str]:
        built_in = _BUILT_IN.fullmatch(name)
        if name in self._own or built_in is None:
            return self._own.get(name, [])
        if built_in[1] == "Dark":
            return ["wholeTable"]
        is_light = built_in[1] == "Light"
        return list(_MEDIUM) if not is_light else ["headerRow"] if int(built_in[2]) in _HEADED_LIGHT else []


def _area(table: etree._Element, whole: Box, part: str) -> Iterator[Box]:
    top, bottom, left, right = whole
    match part:
        case "headerRow" if table.get("headerRowCount") != "0":
            yield top, top, left, right
        case "totalRow" if table.get("totalsRowCount", "0") != "0":
            yield bottom, bottom, left, right
        case "firstColumn":
            yield top, bottom, left, left
        case "lastColumn":
            yield top, bottom, right, right
        case "headerRow" | "totalRow":
            pass
        case _:
            yield whole
