"""The Caddyfile of docs/deployment.md, in a real Caddy with a certificate authority of its own, in front of a server
with the settings of that page."""

import contextlib
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from dotenv import dotenv_values

from tests.e2e.conftest import KEY
from tests.kit.project.fences import ROOT
from tests.kit.servers.llm_server import LIMIT_S, LlmServer, Reply, serving_llm
from tests.kit.servers.server import held_port, serving

CADDY = shutil.which("caddy")
CHAT = {"model": "interfaze-beta", "messages": [{"role": "user", "content": "Hi"}]}
MB = 1 << 20
_OF_A_TEST = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n"
"""Options by which nothing of the machine's is used or changed."""

pytestmark = pytest.mark.skipif(CADDY is None, reason="needs caddy")


def settings_of_the_page() -> dict[str, object]:
    """Those of deploy/openfaze.env, but for the places."""
    given = dotenv_values(ROOT / "deploy" / "openfaze.env")
    names = {name.removeprefix("OPENFAZE_").lower(): value for name, value in given.items()}
    return {name: value for name, value in names.items() if name not in ("files_dir", "weights_dir", "keys_file")}


@dataclass(frozen=True)
class Proxied:
    url: str
    authority: Path
    """The certificate that the proxy's own is signed with."""
    llm: LlmServer

    @contextlib.contextmanager
    def client(self, address: str = "127.0.0.1", key: str = KEY) -> Iterator[httpx.Client]:
        """One who connects from `address`."""
        transport = httpx.HTTPTransport(
            verify=ssl.create_default_context(cafile=str(self.authority)), local_address=address, trust_env=False
        )
        headers = {"authorization": f"Bearer {key}"}
        with httpx.Client(base_url=self.url, headers=headers, transport=transport, timeout=LIMIT_S) as client:
            yield client


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("caddy")
    reply = Reply(chunks=["one ", "two ", "never"], hang_after=3)
    own = {**settings_of_the_page(), "api_keys": KEY, "max_file_mb": 80}
    with (
        serving_llm(lambda _: reply) as llm,
        serving(folder / "log", llm_base_url=llm.base_url, llm_model="scripted", llm_abilities="", **own) as server,
        held_port() as port,
    ):
        caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
        caddyfile = caddyfile.replace("api.example.com", f"https://localhost:{port}")
        caddyfile = caddyfile.replace("127.0.0.1:8000", server.base_url.removeprefix("http://"))
        (folder / "Caddyfile").write_text(_OF_A_TEST + caddyfile)
        env = {**os.environ, "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder)}
        authority = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        command = [str(CADDY), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        with (folder / "caddy.log").open("wb") as log, subprocess.Popen(command, env=env, stderr=log) as caddy:
            proxy = Proxied(f"https://localhost:{port}", authority, llm)
            try:
                wait_until_up(proxy, caddy, folder / "caddy.log")
                yield proxy
            finally:
                caddy.terminate()


def wait_until_up(proxy: Proxied, caddy: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while caddy.poll() is None and time.monotonic() < deadline:
        # It makes its certificates first.
        with contextlib.suppress(httpx.TransportError, OSError), proxy.client() as client:
            if client.get("/ready").status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(log.read_text())


def test_a_stream_comes_through_piece_by_piece_and_a_caller_who_hangs_up_is_noticed(proxied: Proxied) -> None:
    proxied.llm.cancelled.clear()
    with (
        proxied.client() as client,
        client.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as got,
    ):
        # The LLM never says more.
        lines = got.iter_lines()
        assert any('"one ' in line for line in lines)
        assert any('"two ' in line for line in lines)
        assert proxied.llm.cancelled == []
    proxied.llm.wait_until(lambda: len(proxied.llm.cancelled) == 1, LIMIT_S)


def test_eighty_megabytes_come_through_and_more_is_refused_by_the_server_in_its_words(proxied: Proxied) -> None:
    with proxied.client() as client:

        def upload(size: int) -> httpx.Response:
            return client.post("/v1/files", data={"purpose": "user_data"}, files={"file": ("a.bin", bytes(size))})

        assert upload(80 * MB).json()["bytes"] == 80 * MB
        refused = upload(80 * MB + 1)
    assert refused.status_code == 413
    assert "(OPENFAZE_MAX_FILE_MB)" in refused.json()["error"]["message"]
