"""The profile of system calls for a container with the code sandbox, at work on the real bubblewrap."""

import json
import shutil
import subprocess
import sys
from ctypes.util import find_library
from typing import Any

import pytest

from models.sandbox.seccomp import AARCH64, X86_64
from tests.conftest import ROOT

Json = dict[str, Any]
PROFILE: Json = json.loads((ROOT / "docker" / "seccomp" / "code-sandbox.json").read_text())
RUN = """
import ctypes, errno, json, os, struct, sys

library = ctypes.CDLL(sys.argv[1])
library.seccomp_init.restype = ctypes.c_void_p
actions = {"SCMP_ACT_ALLOW": 0x7FFF0000, "SCMP_ACT_ERRNO": 0x00050000}
operators = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}
profile = json.load(sys.stdin)
context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(actions[profile["defaultAction"]] | 1)))
for rule in profile["syscalls"]:
    action = actions[rule["action"]] | rule.get("errnoRet", 0)
    arguments = b"".join(
        struct.pack("@IIQQ", one["index"], operators[one["op"]], one["value"], one.get("valueTwo", 0))
        for one in rule.get("args", ())
    )
    for name in rule["names"]:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # else this machine has none of that name, which container engines pass over, too
            count = len(rule.get("args", ()))
            failed = library.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, count, arguments)
            assert not failed, (name, failed)
assert not library.seccomp_load(context)
from models.sandbox.bubblewrap import missing
print(missing(), flush=True)
libc = ctypes.CDLL(None, use_errno=True)
if not os.fork():  # of one thread, as a new user namespace wants it
    for flags in map(int, sys.argv[2:]):
        print("allowed" if libc.unshare(flags) == 0 else errno.errorcode[ctypes.get_errno()])
    sys.exit()
os.wait()
"""
"""Applies a profile as a container's engine does, makes a sandbox, and tries to leave namespaces for others."""


def tried(profile: Json, *flags: int) -> list[str]:
    """What RUN prints as an ordinary user without any privilege, as in the container."""
    bubblewrap, library = shutil.which("bwrap"), find_library("seccomp")
    if bubblewrap is None or library is None:
        pytest.skip("needs bubblewrap and libseccomp")
    user = ["--unshare-user", "--uid", "10001", "--gid", "10001", "--cap-drop", "ALL", "--dev-bind", "/", "/"]
    program = [sys.executable, "-W", "ignore", "-c", RUN, library, *map(str, flags)]
    result = subprocess.run(
        [bubblewrap, *user, "--", *program], input=json.dumps(profile), capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_a_process_gets_namespaces_all_at_once_or_a_user_namespace_alone() -> None:
    network, mount, user, user_and_network = 0x40000000, 0x00020000, 0x10000000, 0x50000000
    assert tried(PROFILE, network, mount, user_and_network, user) == ["None", "EPERM", "EPERM", "EPERM", "allowed"]


def test_the_profile_allows_what_a_script_in_the_sandbox_may_call() -> None:
    allowed = {name for rule in PROFILE["syscalls"] for name in rule["names"]}
    assert set(X86_64) | set(AARCH64) <= allowed
