import os
import subprocess
import sys

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from models.devices.linear_algebra import keep_on_one_thread


def numpy_threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {one["num_threads"] for one in threadpool_info() if "numpy" in one["filepath"]}


def test_matrices_are_multiplied_on_the_thread_of_the_caller() -> None:
    with threadpool_limits(2, user_api="blas"):
        keep_on_one_thread()
        assert numpy_threads() == {1}


LOADED_LATER = """
from models.devices.linear_algebra import keep_on_one_thread

keep_on_one_thread()
import scipy.linalg
from threadpoolctl import threadpool_info

print({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"})
"""


def test_so_are_those_of_a_library_that_is_imported_later() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", LOADED_LATER], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("{1}\n", 0), done.stderr
