"""The audit of what the locks pin, with an OSV of our own on loopback."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

AUDIT = ROOT / "requirements" / "audit.py"


def test_no_lock_names_a_registry_and_each_package_has_its_hash() -> None:
    """A mirror serves as well."""
    for lock in AUDIT.parent.glob("*.txt"):
        text = lock.read_text("utf-8")
        assert "://" not in text, lock.name
        assert "--index-url" not in text, lock.name
        assert "-r /" not in text, "a folder of who compiled it"
    packages = json.loads((AUDIT.parent / "javascript" / "package-lock.json").read_text("utf-8"))["packages"]
    assert len(packages) > 5
    assert [path for path, package in packages.items() if "resolved" in package] == []
    assert [path for path, package in packages.items() if path and "integrity" not in package] == []


@contextlib.contextmanager
def serving_osv(reply: Callable[[Any], bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/querybatch"
            body = reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def audited(url: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(AUDIT), "--url", url], capture_output=True, text=True, check=False, env={"no_proxy": "*"}
    )
    return done.returncode, done.stdout + done.stderr


def test_a_pinned_version_with_a_vulnerability_is_named_with_its_locks() -> None:
    asked: list[Any] = []

    def reply(body: Any) -> bytes:
        asked.extend(body["queries"])
        named = [query["package"]["name"] for query in body["queries"]]
        vulns = {"pydantic": {"vulns": [{"id": "GHSA-b"}, {"id": "GHSA-a"}]}}
        return json.dumps({"results": [vulns.get(name, {}) for name in named]}).encode()

    with serving_osv(reply) as url:
        status, said = audited(url)
    assert status == 1
    [line] = said.splitlines()
    [pydantic] = [query["version"] for query in asked if query["package"]["name"] == "pydantic"]
    assert line.startswith(f"pydantic {pydantic} (client.txt, ") or line.startswith(f"pydantic {pydantic} (dev.txt, ")
    assert line.endswith("GHSA-a, GHSA-b; https://osv.dev/GHSA-a")
    assert {query["package"]["ecosystem"] for query in asked} == {"PyPI"}
    assert len(asked) > 200


@pytest.mark.parametrize(("vulns", "status"), [(None, 0), ([{"id": "GHSA-a"}], 2)])
def test_make_warns_where_nothing_could_be_asked_and_fails_for_a_vulnerability(
    vulns: list[Any] | None, status: int, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    (tmp_path / ".dev").touch()

    def reply(body: Any) -> bytes:
        return json.dumps({"results": [{"vulns": vulns}] * len(body["queries"]) if vulns is not None else []}).encode()

    with serving_osv(reply) as url:
        done = subprocess.run(
            ["make", "audit", f"VENV={tmp_path}", f"OSV={url}"],
            cwd=ROOT,
            env={**os.environ, "no_proxy": "*"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == status
    assert ("WARNING" in done.stderr) == (vulns is None)
