"""Keeps linear algebra on the thread that calls it."""

import os
from importlib.util import find_spec

from threadpoolctl import threadpool_limits


def keep_on_one_thread() -> None:
    """Let the BLAS of NumPy, and of SciPy where an engine imports that later, use no thread but the caller's, for the
    whole process.

    With several threads, those that have nothing to do spin: on a busy machine, scoring the fields of a page took 0.7 s
    of processor time instead of 0.03 s. Requests run side by side anyway. Without OpenVINO, where NumPy computes
    whole networks, BLAS keeps all its threads.
    """
    if find_spec("openvino") is not None:
        threadpool_limits(1, user_api="blas")
        # SciPy has an OpenBLAS of its own, which reads this when it is loaded.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
