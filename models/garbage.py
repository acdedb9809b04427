"""Frees objects that only refer to each other, such as those of a closed engine."""

import gc


def collect_all() -> None:
    """Free all of them, including those that were set aside by `gc.freeze`, and set aside what is left: a server has
    several hundred thousand objects that exist until it ends, and a collection that visits them takes 0.1 s."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
