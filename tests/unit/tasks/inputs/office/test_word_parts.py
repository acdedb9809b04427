"""Word documents whose parts have other names or encodings than most programs give them."""

import io
import zipfile

import pytest

from tests.office_files import WORD, changed, document_of, member, text_of

STYLE = (
    "<w:style w:type='character' w:styleId='Own'><w:name w:val='Own'/><w:rPr><w:vanish/></w:rPr></w:style></w:styles>"
)
PARTS = ("word/document.xml", "word/styles.xml")


def with_hidden_text() -> bytes:
    """Return a document with text that its own property hides, and one that a style hides."""
    runs = "".join(
        f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"
        for properties, text in (("", "seen"), ("<w:vanish/>", "hidden"), ("<w:rStyle w:val='Own'/>", "hidden"))
    )
    data = document_of(f"<w:p>{runs}</w:p>")
    styles = member(data, "word/styles.xml").replace(b"</w:styles>", STYLE.encode())
    return changed(data, {"word/styles.xml": styles})


def renamed(data: bytes, names: dict[str, str]) -> bytes:
    """Return an archive whose members have other names, by which their relationships and types refer to them."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".rels") or name.startswith("["):
                for one, other in names.items():
                    content = content.replace(one.encode(), other.encode())
                    content = content.replace(one.removeprefix("word/").encode(), other.removeprefix("word/").encode())
            main = names.get(PARTS[0], PARTS[0]).removeprefix("word/")
            new.writestr(names.get(name, name).replace("_rels/document.xml", f"_rels/{main}"), content)
    return file.getvalue()


@pytest.mark.parametrize("part", PARTS)
def test_text_is_hidden_whatever_the_encoding_of_parts(part: str) -> None:
    data = with_hidden_text()
    content = member(data, part).decode()
    body = content[content.index("?>") + 2 :]
    referring = body.replace("wordprocessingml/2006/main", "wordprocessing&#109;l/2006/main")
    for other in (("<?xml version='1.0' encoding='UTF-16'?>" + body).encode("utf-16"), referring.encode()):
        assert WORD.encode() not in other
        assert text_of(changed(data, {part: other})) == "seen"


@pytest.mark.parametrize("names", [{PARTS[0]: "word/body.txt"}, {PARTS[1]: "word/looks.xml"}])
def test_text_is_hidden_whatever_the_names_of_parts(names: dict[str, str]) -> None:
    assert text_of(renamed(with_hidden_text(), names)) == "seen"


def test_paths_are_compared_without_case_and_escapes() -> None:
    data = renamed(with_hidden_text(), {PARTS[1]: "word/Looks.xml"})
    links = member(data, "word/_rels/document.xml.rels").replace(b"Looks.xml", b"%6Cooks.xml")
    assert text_of(changed(data, {"word/_rels/document.xml.rels": links})) == "seen"


def test_other_xml_that_cannot_be_parsed_matters_to_no_text() -> None:
    assert text_of(changed(with_hidden_text(), {"customXml/item1.xml": b"<a:b/>"})) == "seen"
