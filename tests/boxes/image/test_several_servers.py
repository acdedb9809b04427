"""Two servers on one PostgreSQL, one Redis and the same volumes, by the compose file of docs/deployment.md."""

import base64
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.runnable_commands import BODY
from tests.boxes.containers import base, podman
from tests.boxes.image import building
from tests.boxes.image.installation import Installation, installed, read_text, until
from tests.kit.project.fences import ROOT, fences
from tests.kit.servers.server import held_port

pytestmark = pytest.mark.deep  # they are three containers

CADDY = shutil.which("caddy")
PAGE = [fence.code for fence in fences(ROOT / "docs" / "deployment.md")]
[SEVERAL] = [code for code in PAGE if "scale: 2" in code]
[OF_SEVERAL] = [code for code in PAGE if code.startswith("OPENFAZE_STATE_URL=postgresql:")]
SETTINGS = {
    "OPENFAZE_CACHE": "exact",
    "OPENFAZE_KEYS_FILE": "keys/keys.toml",
    "OPENFAZE_OPEN": 0,
    "OPENFAZE_PRELOAD": "",
}
_FOR_PODMAN = """
services:
  openfaze:
    # It takes no port of several, and these are any that are free.
    ports: !override ["127.0.0.1::8000"]
  redis:
    image: {image}
  redis-cache:
    image: {image}
  postgres:
    image: {postgres}
"""
_REDIS = """
FROM {base}
# As in redis:8: a folder of its own, and open to the network of its container.
RUN install --directory --owner=redis /data \\
    && printf '#!/bin/sh\\nexec /usr/bin/redis-server "$@" --protected-mode no\\n' > /usr/local/bin/redis-server \\
    && chmod +x /usr/local/bin/redis-server
WORKDIR /data
"""


_START_POSTGRES = """
set -e
data=/var/lib/postgresql/data/db
bin=$(echo /usr/lib/postgresql/*/bin)
run="setpriv --reuid=postgres --regid=postgres --clear-groups"
chown postgres /var/lib/postgresql/data
if ! test -e $data; then
    echo "$POSTGRES_PASSWORD" > /tmp/password
    chmod 644 /tmp/password
    $run $bin/initdb -D $data -U "$POSTGRES_USER" -A scram-sha-256 --pwfile=/tmp/password
    echo "host all all all scram-sha-256" >> $data/pg_hba.conf
    echo "CREATE DATABASE $POSTGRES_USER" | $run $bin/postgres --single -D $data postgres
fi
exec $run $bin/postgres -D $data -c listen_addresses="*" -c unix_socket_directories=/tmp
"""
"""What postgres:17 does: a database of the user's name, for those in its network who know the password."""
_POSTGRES = """
FROM {base}
RUN echo {start} | base64 --decode > /start.sh
CMD ["sh", "/start.sh"]
"""


@dataclass(frozen=True)
class Servers:
    installation: Installation
    containers: Sequence[str]
    ports: list[int]

    def ask(self, port: int, key: str) -> httpx.Response:
        with self.installation.client(port, key) as client:
            return client.post("/v1/chat/completions", json=BODY)

    def add_key(self, name: str, *limits: str) -> str:
        command = ("openfaze", "keys", "add", name, *limits)
        key = self.installation.execute(*command).stdout.strip()
        for port in self.ports:
            with self.installation.client(port, key) as client:
                until("known to both", lambda: client.get("/v1/models").status_code == 200)
        return key


@pytest.fixture(scope="module")
def servers(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with installed(tmp_path_factory.mktemp("installation"), image) as installation:
        settings = dict(line.split("=", 1) for line in OF_SEVERAL.splitlines())
        installation.configure(**settings, **SETTINGS)
        installation.add("docker-compose.override.yml", SEVERAL)
        redis = building.made("redis", _REDIS.format(base=base(13, "redis-server")))
        start = base64.b64encode(_START_POSTGRES.encode()).decode()
        postgres = building.made("postgres", _POSTGRES.format(base=base(13, "postgresql"), start=start))
        installation.add("any-ports.yml", _FOR_PODMAN.format(image=redis, postgres=postgres))
        # Without a key none starts.
        installation.compose("run", "--rm", "-T", "openfaze", "openfaze", "keys", "add", "first")
        installation.compose("up", "--detach", "--no-build")
        containers = [f"{installation.project}_openfaze_{number}" for number in (1, 2)]
        ports = [int(podman("port", one, "8000").stdout.rpartition(":")[2]) for one in containers]
        for port in ports:
            installation.wait_until_ready(port)
        yield Servers(installation, containers, ports)


def test_the_requests_of_a_key_are_counted_once_by_both(servers: Servers) -> None:
    loading = servers.add_key("loading")
    for port in servers.ports:
        assert read_text(servers.ask(port, loading)) == "It works!"
    key = servers.add_key("counted", "--requests-per-minute", "1")
    assert [servers.ask(port, key).status_code for port in servers.ports * 2] == [200, 429, 429, 429]


def test_what_one_has_answered_the_other_has_in_its_cache(servers: Servers) -> None:
    key = servers.add_key("cached")
    first, second = (servers.ask(port, key) for port in servers.ports)
    assert read_text(first) == read_text(second) == "It works!"
    assert (first.json()["vcache"], second.json()["vcache"]) == (False, True)


def test_one_goes_on_where_the_other_was_stopped(servers: Servers) -> None:
    key = servers.add_key("going-on")
    podman("stop", servers.containers[1])
    assert read_text(servers.ask(servers.ports[0], key)) == "It works!"
    podman("start", servers.containers[1])
    servers.installation.wait_until_ready(servers.ports[1])
    assert read_text(servers.ask(servers.ports[1], key)) == "It works!"


@pytest.mark.skipif(CADDY is None, reason="needs caddy")
def test_caddy_leads_to_the_one_that_is_there(servers: Servers, tmp_path: Path) -> None:
    key = servers.add_key("through-caddy")
    with held_port() as port, caddy(servers, port, tmp_path):
        until("up", lambda: servers.installation.is_ready(port))
        assert all_answer(servers, port, key)
        for container, its_port in zip(servers.containers, servers.ports, strict=True):
            podman("stop", container)
            until("served by the other", lambda: all_answer(servers, port, key))
            podman("start", container)
            servers.installation.wait_until_ready(its_port)


def all_answer(servers: Servers, port: int, key: str) -> bool:
    """Whoever Caddy chooses among those that it knows."""
    return {servers.ask(port, key).status_code for _ in range(8)} == {200}


@contextlib.contextmanager
def caddy(servers: Servers, port: int, folder: Path) -> Iterator[None]:
    """With the repository's file for several servers, at their ports."""
    file = (ROOT / "deploy" / "Caddyfile.several").read_text().replace("api.example.com", f"http://127.0.0.1:{port}")
    for shown, real in zip((8001, 8002), servers.ports, strict=True):
        assert f"127.0.0.1:{shown}" in file
        file = file.replace(f"127.0.0.1:{shown}", f"127.0.0.1:{real}")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + file)
    command = [str(CADDY), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    env = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log, subprocess.Popen(command, env=env, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()
