"""Reads the fields of a PDF's interactive form: what was typed or chosen, and which boxes are ticked. The form says it,
whatever its drawings look like (ISO 32000-1, 12.7)."""

import pypdfium2
import pypdfium2.raw as pdfium

from models.vision.text import TextLine
from tasks.inputs.pages import PdfField
from tasks.inputs.pdf.shown import PageView, annotations, box_quad, is_hidden, lines_in, rectangle, string_of

_BUTTONS = {pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON}
_LISTS = {pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX}
_MULTILINE, _PASSWORD = 1 << 12, 1 << 13
"""Flags of a text field with several lines, and of one whose characters are not shown."""
_MAX_FIELDS = 5_000
_MAX_OPTIONS = 1_000
_MAX_CHARACTERS = 200_000
"""The fields of one page have at most this many characters together. Any number of places may share a value."""
_LINE_HEIGHT = 16.0
"""Largest height of a line in a field in points, for the usual sizes of type."""


def read_fields(page: pypdfium2.PdfPage, view: PageView) -> tuple[list[TextLine], tuple[PdfField, ...]]:
    """Return what the fields on a page say, as lines in their places, and the fields themselves."""
    lines: list[TextLine] = []
    fields: list[PdfField] = []
    characters_left = _MAX_CHARACTERS
    for widget in annotations(page) if page.formenv else ():
        is_field = pdfium.FPDFAnnot_GetSubtype(widget) == pdfium.FPDF_ANNOT_WIDGET
        box, kind = rectangle(widget), pdfium.FPDFAnnot_GetFormFieldType(page.formenv, widget)
        if not is_field or is_hidden(widget) or not view.box.contains(box.centre):
            continue
        flags = pdfium.FPDFAnnot_GetFormFieldFlags(page.formenv, widget)
        text = _text(page.formenv, widget, kind, flags, characters_left)
        characters_left -= len(text)
        if len(fields) == _MAX_FIELDS:
            break
        is_ticked = _is_ticked(widget) if kind in _BUTTONS else None
        fields.append(PdfField(box_quad(box, view), is_ticked, bool(text) or kind in {*_BUTTONS, *_LISTS}))
        height = min(box.top - box.bottom, _LINE_HEIGHT * len(text.splitlines()))
        begins_at_top = flags & _MULTILINE or kind == pdfium.FPDF_FORMFIELD_LISTBOX
        top = box.top if begins_at_top else box.centre[1] + height / 2
        lines += lines_in(box._replace(bottom=top - height, top=top), text, view)
    return lines, tuple(fields)


def _is_ticked(widget: object) -> bool:
    """Return the state that is shown; of a box that states none, the field's value."""
    states = (string_of(pdfium.FPDFAnnot_GetStringValue, widget, key) for key in (b"AS", b"V"))
    return next(filter(None, states), "Off") != "Off"


def _text(form: object, widget: object, kind: int, flags: int, most: int) -> str:
    """Return what a field shows: what was typed, or the labels of the chosen options; "" for more than `most`
    characters."""
    labels = []
    if kind in _LISTS:
        count = min(pdfium.FPDFAnnot_GetOptionCount(form, widget), _MAX_OPTIONS)
        chosen = [index for index in range(count) if pdfium.FPDFAnnot_IsOptionSelected(form, widget, index)]
        labels = [string_of(pdfium.FPDFAnnot_GetOptionLabel, form, widget, index, most=most) for index in chosen]
    elif kind != pdfium.FPDF_FORMFIELD_TEXTFIELD or flags & _PASSWORD:
        return ""
    return ", ".join(labels) or string_of(pdfium.FPDFAnnot_GetFormFieldValue, form, widget, most=most).strip()
