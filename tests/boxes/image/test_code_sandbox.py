"""What docker/code-sandbox.yml adds to the container, and what it does not."""

import json

from tests.boxes.image.installation import Installation, result, task


def test_with_the_file_for_the_sandbox_scripts_run_in_one(installation: Installation) -> None:
    installation.configure(OPENFAZE_CODE_SANDBOX="on", OPENFAZE_PRELOAD="")
    installation.add("docker/code-sandbox.yml")
    installation.up()
    with installation.client() as client:
        script = "import os\nprint(17 ** 2, os.path.exists('/var/lib/openfaze'))"
        ran = result(client.post("/v1/chat/completions", json=task("code_sandbox", f"```python\n{script}\n```")))
    assert (ran["output"], ran["exit_code"]) == ("289 False\n", 0)
    options = json.loads(installation.inspected("json .HostConfig.SecurityOpt"))
    assert "no-new-privileges" in " ".join(options)
