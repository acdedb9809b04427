"""The filter of system calls: a classic BPF program, as `prctl(PR_SET_SECCOMP)` takes it.

Written by hand because it is this short, and libseccomp's bindings are no package that pip installs. A call that is
not on the list fails with EPERM, and no process can take the filter off again. See seccomp(2), "BPF programs".
"""

import errno
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.sandbox.syscalls import AARCH64, LAST_KNOWN, X86_64

_LOAD, _EQUAL, _GREATER_OR_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, …|BPF_JGE|…, …|BPF_JSET|…, BPF_RET|BPF_K."""
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`; an argument has eight bytes, the low ones first."""
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000
"""Set in the numbers of x86-64's other ABI, whose calls no list here means."""

_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_AF_UNIX = 1
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: above all not TIOCSTI, which types into a terminal."""
_PRCTLS = (1, 2, 3, 4, 15, 16, 0x53564D41)
"""PR_SET_PDEATHSIG, GET_PDEATHSIG, GET_DUMPABLE, SET_DUMPABLE, SET_NAME, GET_NAME, SET_VMA."""


@dataclass(frozen=True, slots=True)
class _Architecture:
    audit: int
    """AUDIT_ARCH_…"""
    numbers: dict[str, int]


ARCHITECTURES = {
    "x86_64": _Architecture(0xC000003E, dict(X86_64)),
    "aarch64": _Architecture(0xC00000B7, dict(AARCH64)),
}
"""By `platform.machine()`."""


@dataclass(frozen=True, slots=True)
class Instruction:
    code: int
    value: int
    if_true: int = 0
    """Instructions to skip."""
    if_false: int = 0

    def packed(self) -> bytes:
        return struct.pack("<HBBI", self.code, self.if_true, self.if_false, self.value)


def filter_program(machine: str) -> bytes:
    """An array of `struct sock_filter` for `machine`, a key of ARCHITECTURES."""
    return b"".join(instruction.packed() for instruction in instructions(machine))


def instructions(machine: str) -> Sequence[Instruction]:
    return tuple(_instructions(ARCHITECTURES[machine]))


def _instructions(architecture: _Architecture) -> Iterator[Instruction]:
    numbers = dict(architecture.numbers)
    yield Instruction(_LOAD, _ARCHITECTURE)
    yield Instruction(_EQUAL, architecture.audit, if_true=1)
    yield _kill()
    yield Instruction(_LOAD, _NUMBER)
    yield Instruction(_GREATER_OR_EQUAL, _X32, if_false=1)
    yield _kill()
    yield Instruction(_GREATER_OR_EQUAL, LAST_KNOWN + 1, if_false=1)
    yield _fail(errno.ENOSYS)
    # Its flags lie in memory, where a filter cannot look: libc does with clone instead.
    yield Instruction(_EQUAL, numbers.pop("clone3"), if_false=1)
    yield _fail(errno.ENOSYS)
    yield from _by_argument(
        numbers.pop("clone"), 0, Instruction(_ANY_BIT, _NEW_NAMESPACES, if_false=1), _fail(errno.EPERM), _allow()
    )
    yield from _one_of(numbers.pop("socketpair"), 0, (_AF_UNIX,))
    yield from _one_of(numbers.pop("ioctl"), 1, _IOCTLS)
    yield from _one_of(numbers.pop("prctl"), 0, _PRCTLS)
    # Its own limits only: the first process in the sandbox belongs to the same user.
    yield from _one_of(numbers.pop("prlimit64"), 0, (0,))
    for number in sorted(numbers.values()):
        yield Instruction(_EQUAL, number, if_false=1)
        yield _allow()
    yield _fail(errno.EPERM)


def _one_of(number: int, argument: int, values: Sequence[int]) -> Iterator[Instruction]:
    """Allows the call `number` where its argument is among `values`."""
    tests = (instruction for value in values for instruction in (Instruction(_EQUAL, value, if_false=1), _allow()))
    return _by_argument(number, argument, *tests, _fail(errno.EPERM))


def _by_argument(number: int, argument: int, *body: Instruction) -> Iterator[Instruction]:
    """`body`, which returns in any case, looks at the argument; other calls go on behind it."""
    yield Instruction(_EQUAL, number, if_false=len(body) + 1)
    yield Instruction(_LOAD, _ARGUMENTS + 8 * argument)
    yield from body


def _allow() -> Instruction:
    return Instruction(_RETURN, _ALLOW)


def _kill() -> Instruction:
    return Instruction(_RETURN, _KILL)


def _fail(number: int) -> Instruction:
    return Instruction(_RETURN, _ERRNO | number)
