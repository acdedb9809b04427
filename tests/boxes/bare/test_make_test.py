"""`make test` on a bare machine: it passes, and says of each program that is not installed what it could not try."""

import os
import re
from collections.abc import Callable

import pytest

from tests.boxes.bare.machines import machine
from tests.boxes.containers import RELEASES
from tests.conftest import SHARED

PROGRAMS = ("PostgreSQL", "redis-server", "promtool", "espeak-ng", "Chromium", "bubblewrap", "Apertium")
LOG = "/tmp/make-test.log"
"""In the container, where one who waits can see how far it is."""


@pytest.mark.parametrize("debian", [pytest.param(of, marks=pytest.mark.xdist_group(f"make-{of}")) for of in RELEASES])
def test_make_test_passes_and_names_what_is_not_installed(
    debian: int, record_property: Callable[[str, object], None]
) -> None:
    samples = (f"--volume={SHARED}:/scratch/somebody/shared:ro",) if SHARED.is_dir() else ()
    variables = {"PYTEST_ADDOPTS": "-rsfE --color=no"}
    if "CI" in os.environ:
        variables["CI"] = os.environ["CI"]
    with machine(debian, "somebody", *samples) as bare:
        checkout = bare.clone("openfaze")
        done = bare.run(
            f"set -o pipefail; cd {checkout} && make test 2>&1 | tee {LOG}", variables=variables, check=False
        )
    assert done.returncode == 0, done.stdout[-100_000:]
    skipped = re.findall(r"^SKIPPED \[\d+\] (.*)$", done.stdout, re.MULTILINE)
    *_, counts = done.stdout.splitlines()
    record_property("shown", "\n  ".join([f"make test on Debian {debian}: {counts}", *skipped]))
    assert [name for name in PROGRAMS if not any(name.lower() in reason.lower() for reason in skipped)] == []
