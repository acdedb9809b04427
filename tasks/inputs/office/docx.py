"""Converts Word documents to Markdown with mammoth."""

import posixpath
from typing import Any

import mammoth
from lxml import etree
from mammoth.docx.files import InvalidFileReferenceError

from tasks.inputs.office import equations, word_markup, word_numbers
from tasks.inputs.office.bounds import packed
from tasks.inputs.pictured_text import EmbeddedPages
from tasks.inputs.text.html_text import NUMBER, html_to_markdown

_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
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


def docx_to_markdown(members: dict[str, bytes], pictures: EmbeddedPages) -> str:
    """Convert a document with headings, lists, tables, links, foot- and endnotes (numbered, at the end), text boxes and
    equations.
    Headings and clauses have the numbers that Word shows.

    Headers, footers, comments, tracked deletions and hidden text are left out. Nothing outside the file is opened.
    """

    def source(image: Any) -> dict[str, str]:
        kind = str(image.content_type or "").removeprefix("image/").removeprefix("x-")
        try:
            with image.open() as file:
                data = file.read()
        except InvalidFileReferenceError:
            return {"src": pictures.unread("not in the file")}
        except KeyError:
            return {"src": pictures.unread("missing")}
        return {"src": pictures.marked(data, f"picture.{kind}", image.alt_text or "")}

    # Programs give the parts different names, so they are known by the namespace of their elements.
    roots = {name: _parsed(data) for name, data in members.items() if _NAMESPACE.encode() in data}
    hidden = word_markup.hidden_styles(roots.values(), _NAMESPACE)
    for root in roots.values():
        word_markup.drop_hidden(root, _NAMESPACE, hidden)
        word_markup.simplify(root, _NAMESPACE)
        _write_out_equations(root, _NAMESPACE)
    for name, root in roots.items():
        folder, _, own = name.rpartition("/")
        relationships = list(_parsed(members.get(f"{folder}/_rels/{own}.rels", b"<none/>")))
        _drop_dead_references(root, {str(one.get("Id")) for one in relationships}, pictures)
        targets = {
            one.get("Type", "").rpartition("/")[2]: posixpath.join("/", folder, one.get("Target", ""))[1:]
            for one in relationships
        }
        numbering, styles = (roots.get(targets.get(kind, "")) for kind in ("numbering", "styles"))
        if numbering is not None:
            word_numbers.write_numbers(root, numbering, styles, _NAMESPACE)
    prepared = {name: etree.tostring(root, xml_declaration=True, encoding="UTF-8") for name, root in roots.items()}
    html = mammoth.convert_to_html(
        packed({**members, **prepared}),
        style_map=_STYLES,
        include_embedded_style_map=False,
        external_file_access=False,
        convert_image=mammoth.images.img_element(source),
    ).value
    return html_to_markdown(html, lambda img: str(img.get("src"))).replace(NUMBER, "")


def _parsed(part: bytes) -> etree._Element:
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _drop_dead_references(root: etree._Element, known: set[str], pictures: EmbeddedPages) -> None:
    """Remove the references to relationships that a part does not have, which mammoth would not read."""
    for element in root.iter("{*}hyperlink", "{*}hlinkClick", "{*}blip", "{*}imagedata"):
        for key in [str(key) for key, value in element.items() if value not in known]:
            if "/relationships}" not in key:
                continue
            del element.attrib[key]
            if key.endswith(("}embed", "}link")) or element.tag.endswith("}imagedata"):
                pictures.unread("missing")


def _write_out_equations(root: etree._Element, namespace: str) -> None:
    """Replace the equations, which mammoth would omit, by text."""
    for equation in root.findall(f".//{{{equations.NAMESPACE}}}oMath"):
        run = etree.Element(f"{{{namespace}}}r")
        etree.SubElement(run, f"{{{namespace}}}t").text = equations.equation_text(equation)
        run.tail = equation.tail
        next(equation.iterancestors()).replace(equation, run)
    for paragraph in root.findall(f".//{{{equations.NAMESPACE}}}oMathPara"):
        paragraph.tag = f"{{{namespace}}}smartTag"  # an element whose content mammoth reads
