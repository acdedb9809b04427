"""Keeps linear algebra on the thread that calls it."""

import os

from threadpoolctl import threadpool_limits


def keep_on_one_thread() -> None:
    """Let NumPy's BLAS use only the caller's thread, for the whole process. The same applies to SciPy's BLAS if an
    engine imports SciPy later.

    BLAS would start several threads, and those without work would spin: on a busy machine, scoring the fields of a page
    took 0.7 s of processor time instead of 0.03 s. Several threads are not needed, because requests run side by side.
    """
    threadpool_limits(1, user_api="blas")
    # SciPy has an OpenBLAS of its own, which reads this variable when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
