"""PDF files with interactive forms, made for the tests."""

from tests.kit.papers.pdfs import raw_pdf

TICK = "q BT /ZaDb 12 Tf 2 3 Td (4) Tj ET Q"
DRAWINGS = "/AP << /N << /%s 8 0 R /Off 9 0 R >> >>"


def form(*fields: str, content: str = "BT /F1 12 Tf 20 160 Td (Name:) Tj ET", settings: str = "") -> bytes:
    """A page with fields, of which some are but the parents of others. Objects 8 and 9 draw a tick and nothing."""
    box = "<< /Type /XObject /Subtype /Form /BBox [0 0 14 14] /Resources << /Font << /ZaDb 7 0 R >> >> /Length"
    numbered = [(f"{number} 0 R", field) for number, field in enumerate(fields, 10)]
    roots = " ".join(reference for reference, field in numbered if "/Parent" not in field)
    places = " ".join(reference for reference, field in numbered if "/Widget" in field)
    return raw_pdf(
        f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{roots}] /DR << /Font << /Helv 6 0 R >> >> "
        f"{settings} >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F1 6 0 R >> >> "
        f"/Annots [{places}] >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "null",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>",
        f"{box} {len(TICK)} >>\nstream\n{TICK}\nendstream",
        f"{box} 0 >>\nstream\n\nendstream",
        *(f"<< {field} >>" for field in fields),
    )


def widget(what: str, place: str = "80 155 280 175") -> str:
    """An object for a field in a place, whose name is that place unless it has a parent."""
    name = "" if "/Parent" in what else f"/T ({place})"
    return f"/Type /Annot /Subtype /Widget /F 4 {name} /Rect [{place}] /DA (/Helv 12 Tf 0 g) {what}"
