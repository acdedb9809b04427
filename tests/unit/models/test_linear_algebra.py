import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from models.linear_algebra import keep_on_one_thread


def numpy_threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {one["num_threads"] for one in threadpool_info() if "numpy" in one["filepath"]}


def test_matrices_are_multiplied_on_the_thread_of_the_caller() -> None:
    with threadpool_limits(2, user_api="blas"):
        keep_on_one_thread()
        assert numpy_threads() == {1}
