"""The certificates that connections trust are read once, and those that the operator names instead."""

import ssl
from pathlib import Path

import certifi
import pytest

from models.certificates import trusted


def test_all_connections_share_what_was_read() -> None:
    assert trusted() is trusted()
    assert trusted().verify_mode is ssl.CERT_REQUIRED
    assert trusted().check_hostname


def test_authorities_that_are_named_are_those_that_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    usual = trusted()
    first = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    (tmp_path / "own.pem").write_text("".join(first[:2]))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    assert (len(trusted().get_ca_certs()), trusted() is usual) == (1, False)
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert trusted().get_ca_certs() == []
    monkeypatch.delenv("SSL_CERT_DIR")
    assert trusted() is usual
