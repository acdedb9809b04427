"""Converts Word documents to Markdown with mammoth."""

from collections.abc import Mapping
from typing import Any

import mammoth
from lxml import etree
from mammoth.docx.files import InvalidFileReferenceError

from tasks.inputs.limits import MediaLimits
from tasks.inputs.office import equations, word_doubts, word_parts
from tasks.inputs.office.bounds import is_xml, packed
from tasks.inputs.office.unseen_runs import Runs
from tasks.inputs.pictured_text import EmbeddedPages
from tasks.inputs.text.html_text import html_to_markdown
from tasks.inputs.text.text_file import unread_note

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => h2:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
p[style-name='List Bullet 2'] => ul|ol > li > ul > li:fresh
p[style-name='List Bullet 3'] => ul|ol > li > ul|ol > li > ul > li:fresh
p[style-name='List Number 2'] => ul|ol > li > ol > li:fresh
p[style-name='List Number 3'] => ul|ol > li > ul|ol > li > ol > li:fresh
"""


def docx_to_markdown(members: dict[str, bytes], pictures: EmbeddedPages, _limits: MediaLimits) -> str:
    """Convert a document with headings, lists, tables, links, foot- and endnotes (numbered, at the end), text boxes and
    equations.

    Headers, footers, comments, tracked deletions and text that is not seen are left out: hidden, tiny, outside the
    page, or in the colour of what it stands on. Nothing outside the file is opened.
    """

    def source(image: Any) -> dict[str, str]:
        kind = str(image.content_type or "").removeprefix("image/").removeprefix("x-")
        try:
            with image.open() as file:
                data = file.read()
        except InvalidFileReferenceError:
            return {"src": unread_note("not in the file")}
        except KeyError:
            return {"src": unread_note("missing")}
        return {"src": pictures.marked(data, f"picture.{kind}", image.alt_text or "")}

    members = word_parts.spelled_out(members)
    others = word_parts.other_parts(members)
    runs = {namespace: Runs(members, namespace, others) for namespace in word_parts.NAMESPACES}
    prepared = {name: _prepare_part(data, runs) if is_xml(data) else data for name, data in members.items()}
    html = mammoth.convert_to_html(
        packed(prepared),
        style_map=_STYLES,
        include_embedded_style_map=False,
        external_file_access=False,
        convert_image=mammoth.images.img_element(source),
    ).value
    return html_to_markdown(html, lambda img: str(img.get("src")))


def _prepare_part(part: bytes, runs: Mapping[str, Runs]) -> bytes:
    """Return `part` without text that is not seen, which mammoth would show, and with equations as text, which it would
    omit. `runs` tell, by their namespace, what is seen."""
    if not word_parts.is_of_word(part):
        return part
    root = word_parts.parsed(part)
    is_doubtful = any(one.are_doubtful for one in runs.values())
    word_doubts.mark_within(root, {root} if is_doubtful else word_doubts.doubted_elements(root))
    for namespace in word_parts.NAMESPACES:
        runs[namespace].apply_to(root)
        for math in equations.NAMESPACES:
            for equation in root.findall(f".//{{{math}}}oMath"):
                run = etree.Element(f"{{{namespace}}}r")
                etree.SubElement(run, f"{{{namespace}}}t").text = equations.equation_text(equation)
                run.tail = equation.tail
                next(equation.iterancestors()).replace(equation, run)
            for paragraph in root.findall(f".//{{{math}}}oMathPara"):
                paragraph.tag = f"{{{namespace}}}smartTag"  # an element whose content mammoth reads
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
