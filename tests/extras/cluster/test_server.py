"""A server with a cluster of its own, and what engines can be sent there.

`make test-extras` has some files of `tests/e2e` on another, which they share.
"""

from pathlib import Path

import httpx
import psutil
from ray import cloudpickle

from app.assembly.building import build_config
from app.settings import Settings
from models.catalog import CATALOG
from models.hosts.host import EngineHost
from tests.kit.servers.server import serving


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # one of Ray's that came and went
        return ""


def test_a_servers_own_cluster_answers_and_ends_with_it(tmp_path: Path) -> None:
    with serving(tmp_path / "log", cluster="ray", ray_replicas="1") as server:
        body = {"model": "openfaze-embedding", "input": "hello"}
        answer = httpx.post(f"{server.base_url}/v1/embeddings", json=body, timeout=300, trust_env=False)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["data"][0]["embedding"]) == 384
        below = psutil.Process(server.process.pid).children(recursive=True)
        assert any("ServeReplica:openfaze-embedding" in title(process) for process in below)
        server.stop()
        _, left = psutil.wait_procs(below, timeout=120)
        assert left == []


def test_every_engine_that_can_run_here_can_be_sent_to_a_replica(tmp_path: Path) -> None:
    config = build_config(Settings(_env_file=None, weights_dir=str(tmp_path)))
    sent = set()
    for candidate in (one for capability in CATALOG.values() for one in capability.engines):
        if candidate.build is not None and candidate.remedy(config) is None:
            for host in candidate.build(config).parts:
                if isinstance(host, EngineHost):
                    assert callable(cloudpickle.loads(cloudpickle.dumps(host._factory)))
                    sent.add(candidate.spec.capability)
    assert sent >= {"ocr", "object_detection", "speech_to_text", "embedding"}
