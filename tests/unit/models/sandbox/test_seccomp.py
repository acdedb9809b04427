"""The filter of system calls: as a program, and at work in a real sandbox."""

import platform
import struct
from threading import Event

import pytest

from models.sandbox.bubblewrap import missing
from models.sandbox.interpreter import interpreter_binds
from models.sandbox.running import SandboxSetup, run_script
from models.sandbox.script import SandboxLimits, Script
from models.sandbox.seccomp import AARCH64, ARCHITECTURES, X86_64, filter_program
from tests.conftest import each_case
from tests.unit.models.sandbox.test_bubblewrap import bubblewrap

ALLOW, KILL, EPERM, ENOSYS, SUCCESS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026, 0x00050000
TABLES = {"x86_64": X86_64, "aarch64": AARCH64}
BY_ARGUMENT = {"clone", "clone3", "mmap", "fcntl", "socketpair", "ioctl", "prctl", "prlimit64"}

REFUSED = {
    # As x86-64 numbers them.
    **{"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438, "kcmp": 312},
    **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "move_mount": 429, "open_tree": 428},
    **{"fsopen": 430, "fsmount": 432, "mount_setattr": 442, "unshare": 272, "setns": 308},
    **{"keyctl": 250, "add_key": 248, "request_key": 249, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323},
    **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    **{"socket": 41, "connect": 42, "bind": 49, "listen": 50, "accept4": 288, "sendmsg": 46, "recvmsg": 47},
    **{"memfd_create": 319, "memfd_secret": 447, "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240},
    **{"init_module": 175, "finit_module": 313, "kexec_load": 246, "reboot": 169, "swapon": 167, "acct": 163},
    **{"open_by_handle_at": 304, "name_to_handle_at": 303, "mknod": 133, "mknodat": 259, "quotactl": 179},
    **{"setuid": 105, "setresuid": 117, "setgroups": 116, "capset": 126, "personality": 135, "seccomp": 317},
    **{"sethostname": 170, "settimeofday": 164, "clock_settime": 227, "syslog": 103, "iopl": 172, "ioperm": 173},
    **{"splice": 275, "vmsplice": 278, "tee": 276, "process_madvise": 440, "fanotify_init": 300, "mlock": 149},
    **{"setxattr": 188, "mbind": 237, "lookup_dcookie": 212, "openat2": 437, "modify_ldt": 154, "uselib": 134},
    **{"setsid": 112, "sched_setscheduler": 144, "sched_setparam": 142, "sched_setattr": 314, "ioprio_set": 251},
}


def verdict(machine: str, number: int, arguments: tuple[int, ...] = (0,) * 6, audit: int | None = None) -> int:
    """What the program returns, by a machine that knows the instructions that it uses."""
    audit = ARCHITECTURES[machine].audit if audit is None else audit
    data = struct.pack("<iIQ6Q", number, audit, 0, *arguments)
    program = list(struct.iter_unpack("<HBBI", filter_program(machine)))
    at = accumulator = 0
    value: int
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        match code:
            case 0x20:
                [accumulator] = struct.unpack_from("<I", data, value)
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x35:
                at += if_true if accumulator >= value else if_false
            case 0x45:
                at += if_true if accumulator & value else if_false
            case 0x06:
                return value
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@pytest.mark.deep
@pytest.mark.parametrize("machine", sorted(TABLES))
def test_exactly_the_calls_on_the_list_are_allowed(machine: str) -> None:
    table = TABLES[machine]
    allowed = {number for name, number in table.items() if name not in BY_ARGUMENT}
    assert {number for number in range(463) if verdict(machine, number) == ALLOW} - allowed <= {
        table["clone"],
        table["mmap"],
        table["fcntl"],
        table["prlimit64"],
    }
    assert all(verdict(machine, number) == ALLOW for number in allowed)


@each_case("machine", sorted(TABLES))
@each_case(
    ("call", "arguments", "expected"),
    [
        ("clone", (0x11,), ALLOW),
        ("clone", (0x3D0F00,), ALLOW),  # a thread
        *(("clone", (flag | 0x11,), EPERM) for flag in (1 << 17, *(1 << bit for bit in range(25, 31)))),
        ("clone3", (), ENOSYS),
        ("mmap", (0, 4096, 3, 0x22), ALLOW),  # MAP_PRIVATE | MAP_ANONYMOUS
        ("mmap", (0, 4096, 3, 0x01, 3), ALLOW),  # MAP_SHARED, a file
        ("mmap", (0, 4096, 3, 0x21), EPERM),
        ("mmap", (0, 4096, 3, 0x23), EPERM),  # MAP_SHARED_VALIDATE
        ("mmap", (0, 4096, 3, 0x1_0000_0021), EPERM),  # the kernel reads 32 bits of it
        ("mmap", (0, 4096, 3, 0x40022), EPERM),  # MAP_HUGETLB
        ("fcntl", (3, 1030), ALLOW),  # F_DUPFD_CLOEXEC
        *(("fcntl", (3, command), SUCCESS) for command in (6, 7, 37, 38)),  # F_SETLK …
        ("fcntl", (3, 1024), EPERM),  # F_SETLEASE
        ("fcntl", (3, 1026), EPERM),  # F_NOTIFY
        ("socketpair", (1, 1), ALLOW),
        ("socketpair", (2, 1), EPERM),
        ("socketpair", (16, 3), EPERM),
        ("ioctl", (0, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), EPERM),  # TIOCSTI
        ("ioctl", (0, 0x541C), EPERM),  # TIOCLINUX
        ("ioctl", (0, 0x1_0000_5412), EPERM),  # the kernel reads 32 bits of it
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (1, 7), EPERM),
        ("prctl", (15,), ALLOW),
        ("prctl", (22,), EPERM),
        ("prctl", (38,), EPERM),
    ],
)
def test_some_calls_depend_on_their_arguments(
    machine: str, call: str, arguments: tuple[int, ...], expected: int
) -> None:
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    assert verdict(machine, TABLES[machine][call], padded) == expected


def test_calls_of_other_interfaces_end_the_process() -> None:
    assert verdict("x86_64", 0x40000000 | 59) == KILL  # x32
    assert verdict("x86_64", 11, audit=0x40000003) == KILL  # i386's execve


@pytest.fixture(scope="module")
def errors() -> dict[str, int]:
    """What each of REFUSED fails with in a sandbox."""
    if remedy := missing():
        pytest.skip(remedy)
    if platform.machine() != "x86_64":
        pytest.skip("the numbers are those of x86-64")
    code = (
        f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nfor name, number in {REFUSED}.items():\n"
        "    result = libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0, 0)\n"
        "    print(name, ctypes.get_errno() if result == -1 else 0)"
    )
    outcome = run_script(SandboxSetup(bubblewrap(), interpreter_binds()), Script(code), SandboxLimits(), Event())
    return {name: int(number) for name, number in (line.split() for line in outcome.output.splitlines())}


@each_case("call", sorted(REFUSED))
def test_a_call_is_refused_in_the_sandbox(errors: dict[str, int], call: str) -> None:
    assert errors[call] == 1
