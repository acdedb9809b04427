"""The filter of system calls: a classic BPF program, in the form for `prctl(PR_SET_SECCOMP)`.

It is written by hand because it is short, and because pip cannot install libseccomp's bindings. A call that is not on
the list fails with EPERM, or with ENOSYS if programs then use an older call instead. Calls of another architecture kill
the process. No process can take the filter off again. See seccomp(2), "BPF programs".
"""

import errno
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LAST_KNOWN = 462
"""Number of the last system call of Linux 6.12. Calls with higher numbers fail with ENOSYS, as on a kernel that lacks
them, so that programs use older calls instead."""

_LOAD, _EQUAL, _GREATER_OR_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Opcodes BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, …|BPF_JGE|…, …|BPF_JSET|…, BPF_RET|BPF_K."""
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`; an argument has eight bytes, the low ones first."""
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000
"""Bit that is set in the system call numbers of x32, another ABI of x86-64. Its calls kill the process."""
_NEW_NAMESPACES = 0x7E020000
"""Flags CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_AF_UNIX = 1
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Requests TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. TIOCSTI must not be among them, because it types
into the terminal."""
_MAP_SHARED, _MAP_ANONYMOUS, _MAP_HUGETLB = 0x01, 0x20, 0x40000
_LOCKS = (6, 7, 37, 38)
"""Commands F_SETLK, SETLKW, OFD_SETLK, OFD_SETLKW."""
_FCNTLS = (0, 1, 2, 3, 4, 5, 36, 1030, 1031, 1032)
"""Commands F_DUPFD, GETFD, SETFD, GETFL, SETFL, GETLK, OFD_GETLK, DUPFD_CLOEXEC, SETPIPE_SZ, GETPIPE_SZ."""
_PRCTLS = (1, 2, 3, 4, 15, 16, 0x53564D41)
"""Options PR_SET_PDEATHSIG, GET_PDEATHSIG, GET_DUMPABLE, SET_DUMPABLE, SET_NAME, GET_NAME, SET_VMA."""


def _table(text: str) -> Mapping[str, int]:
    return {name: int(number) for name, _, number in (entry.partition("=") for entry in text.split())}


# The system calls that a script in the sandbox may make, with their numbers: everything needed for computing, files,
# threads, child processes, pipes and timers. Everything else is refused, for example sockets and messages that carry
# file descriptors, ptrace and reading other processes' memory, mounts and namespaces, keyrings, io_uring, bpf, perf,
# userfaultfd, devices, modules, clocks, users and capabilities. New sessions are refused, because Linux would give each
# of them as much of the processors as the server has. Memory that counts neither towards
# the limit of a process nor towards the limit of files is refused as well: memfd, System V, POSIX queues, shared
# anonymous maps, and huge pages. Numbers are those of Linux's `arch/x86/entry/syscalls/syscall_64.tbl` and
# `include/uapi/asm-generic/unistd.h`.
X86_64 = _table("""
    read=0 write=1 open=2 close=3 stat=4 fstat=5 lstat=6 poll=7 lseek=8 mmap=9 mprotect=10 munmap=11 brk=12
    rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15 ioctl=16 pread64=17 pwrite64=18 readv=19 writev=20 access=21
    pipe=22 select=23 sched_yield=24 mremap=25 msync=26 mincore=27 madvise=28 dup=32 dup2=33 pause=34 nanosleep=35
    getitimer=36 alarm=37 setitimer=38 getpid=39 sendfile=40 sendto=44 recvfrom=45 shutdown=48 getsockname=51
    getpeername=52 socketpair=53 getsockopt=55 clone=56 fork=57 vfork=58 execve=59 exit=60 wait4=61
    kill=62 uname=63 fcntl=72 flock=73 fsync=74 fdatasync=75 truncate=76 ftruncate=77 getdents=78 getcwd=79 chdir=80
    fchdir=81 rename=82 mkdir=83 rmdir=84 creat=85 link=86 unlink=87 symlink=88 readlink=89 chmod=90 fchmod=91
    umask=95 gettimeofday=96 getrlimit=97 getrusage=98 sysinfo=99 times=100 getuid=102 getgid=104 geteuid=107
    getegid=108 setpgid=109 getppid=110 getpgrp=111 getgroups=115 getresuid=118 getresgid=120 getpgid=121
    getsid=124 rt_sigpending=127 rt_sigtimedwait=128 rt_sigsuspend=130 sigaltstack=131 utime=132 statfs=137
    fstatfs=138 getpriority=140 setpriority=141 sched_getparam=143 sched_getscheduler=145 sched_get_priority_max=146
    sched_get_priority_min=147 prctl=157 arch_prctl=158 gettid=186 getxattr=191 lgetxattr=192 fgetxattr=193
    listxattr=194 llistxattr=195 flistxattr=196 tkill=200 time=201 futex=202 sched_setaffinity=203
    sched_getaffinity=204 epoll_create=213 getdents64=217 set_tid_address=218 restart_syscall=219 fadvise64=221
    timer_create=222 timer_settime=223 timer_gettime=224 timer_getoverrun=225 timer_delete=226 clock_gettime=228
    clock_getres=229 clock_nanosleep=230 exit_group=231 epoll_wait=232 epoll_ctl=233 tgkill=234 utimes=235
    waitid=247 openat=257 mkdirat=258 newfstatat=262 unlinkat=263 renameat=264 linkat=265 symlinkat=266
    readlinkat=267 fchmodat=268 faccessat=269 pselect6=270 ppoll=271 set_robust_list=273 get_robust_list=274
    utimensat=280 epoll_pwait=281 timerfd_create=283 eventfd=284 fallocate=285 timerfd_settime=286
    timerfd_gettime=287 signalfd4=289 eventfd2=290 epoll_create1=291 dup3=292 pipe2=293 preadv=295 pwritev=296
    prlimit64=302 getcpu=309 renameat2=316 getrandom=318 membarrier=324 copy_file_range=326 statx=332 rseq=334
    pidfd_open=434 clone3=435 close_range=436 faccessat2=439 epoll_pwait2=441
""")


AARCH64 = _table("""
    getxattr=8 lgetxattr=9 fgetxattr=10 listxattr=11 llistxattr=12 flistxattr=13 getcwd=17 eventfd2=19
    epoll_create1=20 epoll_ctl=21 epoll_pwait=22 dup=23 dup3=24 fcntl=25 ioctl=29 flock=32 mkdirat=34 unlinkat=35
    symlinkat=36 linkat=37 renameat=38 statfs=43 fstatfs=44 truncate=45 ftruncate=46 fallocate=47 faccessat=48
    chdir=49 fchdir=50 fchmod=52 fchmodat=53 openat=56 close=57 pipe2=59 getdents64=61 lseek=62 read=63 write=64
    readv=65 writev=66 pread64=67 pwrite64=68 preadv=69 pwritev=70 sendfile=71 pselect6=72 ppoll=73 signalfd4=74
    readlinkat=78 newfstatat=79 fstat=80 fsync=82 fdatasync=83 timerfd_create=85 timerfd_settime=86
    timerfd_gettime=87 utimensat=88 exit=93 exit_group=94 waitid=95 set_tid_address=96 futex=98 set_robust_list=99
    get_robust_list=100 nanosleep=101 getitimer=102 setitimer=103 timer_create=107 timer_gettime=108
    timer_getoverrun=109 timer_settime=110 timer_delete=111 clock_gettime=113 clock_getres=114 clock_nanosleep=115
    sched_getscheduler=120 sched_getparam=121 sched_setaffinity=122 sched_getaffinity=123 sched_yield=124
    sched_get_priority_max=125 sched_get_priority_min=126 restart_syscall=128 kill=129 tkill=130 tgkill=131
    sigaltstack=132 rt_sigsuspend=133 rt_sigaction=134 rt_sigprocmask=135 rt_sigpending=136 rt_sigtimedwait=137
    rt_sigreturn=139 setpriority=140 getpriority=141 getresuid=148 getresgid=150 times=153 setpgid=154 getpgid=155
    getsid=156 getgroups=158 uname=160 getrlimit=163 getrusage=165 umask=166 prctl=167 getcpu=168
    gettimeofday=169 getpid=172 getppid=173 getuid=174 geteuid=175 getgid=176 getegid=177 gettid=178 sysinfo=179
    socketpair=199 getsockname=204 getpeername=205 sendto=206 recvfrom=207 getsockopt=209
    shutdown=210 brk=214 munmap=215 mremap=216 clone=220 execve=221 mmap=222 fadvise64=223 mprotect=226 msync=227
    mincore=232 madvise=233 wait4=260 prlimit64=261 renameat2=276 getrandom=278 membarrier=283 copy_file_range=285
    statx=291 rseq=293 pidfd_open=434 clone3=435 close_range=436 faccessat2=439 epoll_pwait2=441
""")


@dataclass(frozen=True, slots=True)
class _Architecture:
    audit: int
    """Linux's number of the architecture, AUDIT_ARCH_…"""
    numbers: dict[str, int]


ARCHITECTURES = {
    "x86_64": _Architecture(0xC000003E, dict(X86_64)),
    "aarch64": _Architecture(0xC00000B7, dict(AARCH64)),
}
"""Architectures by `platform.machine()`."""


@dataclass(frozen=True, slots=True)
class Instruction:
    code: int
    value: int
    if_true: int = 0
    """Number of instructions to skip if the comparison holds."""
    if_false: int = 0

    def packed(self) -> bytes:
        return struct.pack("<HBBI", self.code, self.if_true, self.if_false, self.value)


def filter_program(machine: str) -> bytes:
    """Return the filter as an array of `struct sock_filter`; `machine` is a key of ARCHITECTURES."""
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
    # The flags of clone3 are in memory, which a filter cannot read; libc then uses clone instead.
    yield Instruction(_EQUAL, numbers.pop("clone3"), if_false=1)
    yield _fail(errno.ENOSYS)
    yield from _by_argument(
        numbers.pop("clone"), 0, Instruction(_ANY_BIT, _NEW_NAMESPACES, if_false=1), _fail(errno.EPERM), _allow()
    )
    yield from _by_argument(numbers.pop("mmap"), 3, *_mmap_rules())
    yield from _by_argument(numbers.pop("fcntl"), 1, *_fcntl_rules())
    yield from _one_of(numbers.pop("socketpair"), 0, (_AF_UNIX,))
    yield from _one_of(numbers.pop("ioctl"), 1, _IOCTLS)
    yield from _one_of(numbers.pop("prctl"), 0, _PRCTLS)
    # A process may set only its own limits, because the first process in the sandbox belongs to the same user.
    yield from _one_of(numbers.pop("prlimit64"), 0, (0,))
    for number in sorted(numbers.values()):
        yield Instruction(_EQUAL, number, if_false=1)
        yield _allow()
    yield _fail(errno.EPERM)


def _mmap_rules() -> Iterator[Instruction]:
    """Yield the tests of mmap's flags. They refuse memory that counts for no process. Testing the bit of MAP_SHARED
    suffices, because it is also set in MAP_SHARED_VALIDATE, but not in MAP_PRIVATE."""
    yield Instruction(_ANY_BIT, _MAP_HUGETLB, if_false=1)
    yield _fail(errno.EPERM)
    yield Instruction(_ANY_BIT, _MAP_ANONYMOUS, if_false=2)
    yield Instruction(_ANY_BIT, _MAP_SHARED, if_false=1)
    yield _fail(errno.EPERM)
    yield _allow()


def _fcntl_rules() -> Iterator[Instruction]:
    """Yield the instructions for the commands of fcntl. Each locked range of a file takes kernel memory without any
    limit, but SQLite does not work without locks. Therefore, the filter skips a call for a lock and reports success.
    Processes of one script are thus not locked against each other."""
    for command in _LOCKS:
        yield Instruction(_EQUAL, command, if_false=1)
        yield _succeed()
    for command in _FCNTLS:
        yield Instruction(_EQUAL, command, if_false=1)
        yield _allow()
    yield _fail(errno.EPERM)


def _one_of(number: int, argument: int, values: Sequence[int]) -> Iterator[Instruction]:
    """Yield instructions that allow the call `number` if its argument is among `values`."""
    tests = (instruction for value in values for instruction in (Instruction(_EQUAL, value, if_false=1), _allow()))
    return _by_argument(number, argument, *tests, _fail(errno.EPERM))


def _by_argument(number: int, argument: int, *body: Instruction) -> Iterator[Instruction]:
    """Yield instructions that load an argument of the call `number` and run `body` on it. Other calls skip them. `body`
    must end with a return on every path."""
    yield Instruction(_EQUAL, number, if_false=len(body) + 1)
    yield Instruction(_LOAD, _ARGUMENTS + 8 * argument)
    yield from body


def _allow() -> Instruction:
    return Instruction(_RETURN, _ALLOW)


def _kill() -> Instruction:
    return Instruction(_RETURN, _KILL)


def _succeed() -> Instruction:
    """Return the instruction that does nothing and lets the call succeed."""
    return Instruction(_RETURN, _ERRNO)


def _fail(number: int) -> Instruction:
    return Instruction(_RETURN, _ERRNO | number)
