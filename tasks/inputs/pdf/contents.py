"""Opens PDF files, among them those whose content is not on their pages: portfolios, whose attached files are read like
those of an e-mail, and XFA forms, whose data are read."""

from collections.abc import Sequence

from lxml import etree

from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import PDF, UNKNOWN, media_type_of_file, sniff
from tasks.inputs.office.bounds import XmlBudget, XmlRefused, check_xml
from tasks.inputs.pages import Pages
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.pictured_text import EmbeddedPages, Opener, PicturedText
from tasks.inputs.source import SHOWN, Blob
from tasks.inputs.text.text_file import one_line
from tasks.markdown_text import ATTACHMENT, ATTACHMENTS, escape_line, escape_part


def open_pdf(blob: Blob, limits: MediaLimits, opener: Opener) -> Pages:
    """Open a PDF file. `opener` returns the readers of the files in a portfolio. Raises what `PdfPages` raises."""
    pdf = PdfPages(blob, limits)
    try:
        packets = pdf.xfa_packets()
        files = pdf.files_of_portfolio()
    except BaseException:
        pdf.close()
        raise
    if files:
        return PicturedText(blob, limits, lambda pages: _portfolio(pdf, files, pages, opener))
    text = _xfa_form(packets, limits)
    if packets and not text:
        pdf.warnings = (f"'{blob.label}': this is an XFA form, whose content is not on its pages and was not read.",)
    if not text:
        return pdf
    pdf.close()

    def convert(pages: EmbeddedPages) -> str:
        pages.warn("of this XFA form, no more than the data of its fields was read")
        return text

    return PicturedText(blob, limits, convert)


def _portfolio(pdf: PdfPages, files: Sequence[tuple[str, bytes]], pages: EmbeddedPages, opener: Opener) -> str:
    """Return the text of a portfolio's files, behind the pages of the portfolio itself."""
    names = [escape_part(name, begins=False) for name, _ in files]
    texts = [pages.marked_file(pdf), f"{ATTACHMENTS} {'; '.join(names)}"]
    for name, (own, data) in zip(names, files, strict=True):
        kind = sniff(data) or media_type_of_file(own) or UNKNOWN
        blob = Blob(data, kind, f"{pages.blob.label}: {own}"[:SHOWN], pages.blob.param)
        # A portfolio within it is not opened, because a file may contain itself.
        texts += [f"{ATTACHMENT} {name}", pages.attached(blob, PdfPages if kind == PDF else opener(kind))]
    return "\n\n".join(filter(None, texts))


def _xfa_form(packets: Sequence[bytes], limits: MediaLimits) -> str:
    """Return the filled fields of a form as lines, with their captions and the states of boxes (XFA 3.3); "" if there
    are none that can be read."""
    budget = XmlBudget(limits.text_chars)
    captions: dict[str, str] = {}
    ticks: dict[str, str] = {}
    values: list[tuple[str, str]] = []
    for packet in packets:
        try:
            check_xml(packet, budget)
        except XmlRefused:  # the beginning and the end of the form by themselves are not XML
            continue
        root = etree.fromstring(packet, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
        for field in root.iter("{*}field"):
            texts = (str(text) for caption in field.iterchildren("{*}caption") for text in caption.itertext())
            captions[field.get("name", "")] = one_line(" ".join(texts)).rstrip(" :")
            if field.find("{*}ui/{*}checkButton") is not None:
                ticks[field.get("name", "")] = one_line(field.findtext("{*}items/{*}*", "1"))
        for data in root.iter("{http://www.xfa.org/schema/xfa-data/1.0/}data"):
            leaves = (one for one in data.iter("{*}*") if not len(one) and (one.text or "").strip())
            values += [(etree.QName(one).localname, one_line(one.text or "")) for one in leaves]
    lines = []
    for name, value in values:
        caption = captions.get(name) or name
        sign = "☒" if value == ticks.get(name) else "☐"
        lines.append(escape_line(f"{sign} {caption}" if name in ticks else f"{caption}: {value}"))
    return "\n".join(lines)
