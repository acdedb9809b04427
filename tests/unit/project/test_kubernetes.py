"""deploy/kubernetes.yml starts the server again whenever it ends, and agrees with the image and the settings."""

import re
from typing import Any

import yaml

from app.routes.status import router
from app.settings import PREFIX, Settings
from tests.conftest import ROOT

OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yml").read_text()))
[POD] = [one["spec"]["template"]["spec"] for one in OBJECTS if one["kind"] == "Deployment"]
[CONTAINER] = POD["containers"]


def test_what_ends_is_started_again_and_has_the_time_to_end() -> None:
    assert POD["restartPolicy"] == "Always"
    assert POD["terminationGracePeriodSeconds"] > Settings.model_fields["shutdown_grace_s"].default
    probes = {name: CONTAINER[name]["httpGet"]["path"] for name in CONTAINER if name.endswith("Probe")}
    assert probes == {"startupProbe": "/health", "readinessProbe": "/ready", "livenessProbe": "/health"}
    assert set(probes.values()) <= {route.path for route in router.routes}  # type: ignore[attr-defined]


def test_it_sets_only_what_is_a_setting_and_runs_as_the_image_does() -> None:
    names = {one["name"].removeprefix(PREFIX).lower() for one in CONTAINER["env"]}
    assert names <= set(Settings.model_fields)
    # The links to a service named openfaze would be variables that begin like settings.
    assert POD["enableServiceLinks"] is False
    user = re.search(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert user is not None
    assert POD["securityContext"]["runAsUser"] == int(user[1])
    mounted = {one["name"] for one in CONTAINER["volumeMounts"]}
    assert mounted == {one["name"] for one in POD["volumes"]}
