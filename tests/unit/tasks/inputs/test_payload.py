"""Decoding data URLs and base64 within the limit."""

import base64

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import MB
from tasks.inputs.loader import Payload, decode_payload
from tasks.inputs.source import Origin, Source


def decode(payload: str, *, limit: int = 1000, filename: str | None = None) -> Payload:
    return decode_payload(Source(Origin("file.file_data"), payload=payload, filename=filename), limit=limit)


@pytest.mark.parametrize(
    ("payload", "decoded"),
    [
        ("data:image/PNG;base64,aGVsbG8=", Payload(b"hello", "image/png", None)),
        ("data:text/plain;charset=ISO-8859-1,caf%E9%20x", Payload(b"caf\xe9 x", "text/plain", "iso-8859-1")),
        ("data:,a,b", Payload(b"a,b", None, None)),
        ("aGVsbG8=", Payload(b"hello", None, None)),
        ("aGVs\r\nbG8\n", Payload(b"hello", None, None)),
    ],
)
def test_a_data_url_carries_its_type_and_base64_none(payload: str, decoded: Payload) -> None:
    assert decode(payload) == decoded


@pytest.mark.parametrize("body", ["aGVsbG8=!", "a", "äöü"])
def test_a_data_url_with_bad_base64_is_refused(body: str) -> None:
    with pytest.raises(InputError, match="^invalid base64 payload in data URI$") as caught:
        decode(f"data:image/png;base64,{body}")
    assert caught.value.param == "file.file_data"


def test_bad_bare_base64_names_the_field() -> None:
    with pytest.raises(InputError, match=r"'file.file_data' is neither a URL, a data URL nor valid base64"):
        decode("receipt.jpg")


@pytest.mark.parametrize("prefix", ["", "data:application/pdf;base64,"])
def test_the_limit_is_on_decoded_bytes(prefix: str) -> None:
    assert len(decode(prefix + base64.b64encode(bytes(1000)).decode()).data) == 1000
    with pytest.raises(InputTooLarge):
        decode(prefix + base64.b64encode(bytes(1001)).decode())


def test_a_percent_encoded_data_url_is_limited_too() -> None:
    assert len(decode("data:," + "%41" * 1000).data) == 1000
    with pytest.raises(InputTooLarge):
        decode("data:," + "a" * 1001)


def test_the_message_names_file_size_limit_and_setting() -> None:
    with pytest.raises(InputTooLarge) as caught:
        decode("A" * (28 * MB), limit=20 * MB, filename="receipt.pdf")
    assert caught.value.message == "'receipt.pdf' is 21 MB; the limit is 20 MB (OPENFAZE_MAX_PART_MB)."
    assert caught.value.code == "file_too_large"
