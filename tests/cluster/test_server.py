"""A server with a cluster of its own. `make test-cluster` has all tests of the API on another, which they share."""

from pathlib import Path

import httpx
import psutil

from tests.server import serving


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # one of Ray's that came and went
        return ""


def test_a_servers_own_cluster_answers_and_ends_with_it(tmp_path: Path) -> None:
    with serving(tmp_path / "log", cluster="ray", ray_replicas="1", ray_start_s=240, ray_object_store_mb=100) as server:
        body = {"model": "openfaze-embedding", "input": "hello"}
        answer = httpx.post(f"{server.base_url}/v1/embeddings", json=body, timeout=300, trust_env=False)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["data"][0]["embedding"]) == 384
        below = psutil.Process(server.process.pid).children(recursive=True)
        assert any("ServeReplica:openfaze-embedding" in title(process) for process in below)
        server.stop()
        _, left = psutil.wait_procs(below, timeout=120)
        assert left == []
