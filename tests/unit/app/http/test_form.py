"""Forms as clients send them, in pieces of any size."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadRequest
from app.http.form import UploadForm
from tests.conftest import each_case

BOUNDARY = "frontier"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def read(body: bytes, piece: int = 7, content_type: str = TYPE) -> tuple[UploadForm, bytes]:
    form = UploadForm(content_type)
    content = b"".join(form.feed(body[at : at + piece]) for at in range(0, len(body), piece))
    form.finish()
    return form, content


@given(st.binary(max_size=300), st.integers(1, 50))
def test_the_file_is_whole_however_it_arrives(content: bytes, piece: int) -> None:
    form, received = read(part("purpose", b"user_data") + part("file", content, "a.bin") + END, piece)
    assert received == content
    assert (form.fields, form.filename) == ({"purpose": "user_data"}, "a.bin")


def test_the_file_may_come_first_as_curl_sends_it() -> None:
    form, received = read(part("file", b"\r\n--front", "a") + part("purpose", b"vision") + END)
    assert (received, form.fields) == (b"\r\n--front", {"purpose": "vision"})


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\Users\\\\me\\\\scan.pdf", "scan.pdf"),
        ("naïve résumé.txt", "naïve résumé.txt"),
        ("a\tb\u202ec.txt", "abc.txt"),
        ("..", "file"),
        (". .", "file"),
        (".env", ".env"),
        ("", "file"),
        ("folder/", "file"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("x" * 5000 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_a_filename_is_a_plain_name(sent: str, kept: str) -> None:
    assert read(part("file", b"x", sent) + END)[0].filename == kept


@each_case(
    ("parameters", "kept"),
    [
        ("filename*=UTF-8''na%C3%AFve%20r%C3%A9sum%C3%A9.txt", "naïve résumé.txt"),
        ("filename=\"x.pdf\"; filename*=utf-8''%C3%A4.pdf", "ä.pdf"),
        ("filename=\"=?utf-8?B?w6QucGRm?=\"; filename*=utf-8''%C3%A4.pdf", "ä.pdf"),
        ('filename="=?utf-8?Q?Rechnung_=C3=A4.pdf?="', "Rechnung ä.pdf"),
        ('filename="=?nocharset?B?w6QucGRm?="', "=?nocharset?B?w6QucGRm?="),
        ("filename*=utf-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("filename*=nocharset''a.pdf", "a.pdf"),
        ("filename*=a.pdf", "a.pdf"),
    ],
)
def test_an_encoded_filename_is_decoded(parameters: str, kept: str) -> None:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; {parameters}\r\n\r\nx\r\n'
    assert read(head.encode() + END)[0].filename == kept


def test_httpxs_own_form_is_read() -> None:
    request = httpx.Request(
        "POST", "http://x", files={"file": ("ä.txt", b"hello")}, data={"expires_after[seconds]": "3600"}
    )
    form, received = read(request.read(), content_type=request.headers["content-type"])
    assert (received, form.filename, form.fields) == (b"hello", "ä.txt", {"expires_after[seconds]": "3600"})


def test_a_field_may_come_several_times() -> None:
    form, _ = read(part("kind[]", b"word") + part("file", b"x", "a") + part("kind[]", b"segment") + END)
    assert form.values == {"kind[]": ["word", "segment"]}
    assert form.fields == {"kind[]": "segment"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (part("purpose", b"user_data") + END, "Field 'file': Field required"),
        (part("file", b"x", "a"), "ends before its last boundary"),
        (part("file", b"x", "a") + part("file", b"y", "b") + END, "more than one field 'file'"),
        (part("purpose", b"x" * 5000) + END, "Field 'purpose' is longer than 4096 bytes"),
        (b"".join(part(f"f{n}", b"") for n in range(40)) + END, "more than 32 fields"),
        (part("kind[]", b"word") * 40, "more than 32 fields"),
        (b"no form at all", "malformed"),
        (f"--{BOUNDARY}\r\n".encode() + b"a: b\r\n" * 40, "malformed"),
        (part("file", b"x", "n" * 17_000) + END, "malformed"),
    ],
)
def test_what_is_wrong_with_a_form_is_said(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        read(body)


def test_a_field_that_may_be_long_has_a_bound_of_its_own() -> None:
    form = UploadForm(f"multipart/form-data; boundary={BOUNDARY}", long_fields={"prompt": 10_000})
    form.feed(part("prompt", b"x" * 10_000))
    with pytest.raises(BadRequest, match="Field 'prompt' is longer than 10000 bytes") as refused:
        form.feed(part("prompt", b"x" * 10_001))
    assert refused.value.param == "prompt"
    with pytest.raises(BadRequest, match="Field 'kind' is longer than 4096 bytes"):
        form.feed(part("kind", b"x" * 5000))


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_what_is_no_form_is_refused(content_type: str) -> None:
    with pytest.raises(BadRequest, match="multipart/form-data"):
        UploadForm(content_type)


def test_a_boundary_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadRequest, match="malformed"):
        UploadForm(f"multipart/form-data; boundary={'x' * 1000}")


def test_a_name_may_have_semicolons() -> None:
    form, _ = read(part("purpose", b"user_data") + part("file", b"a", "a;b;c.txt") + END)
    assert form.filename == "a;b;c.txt"
