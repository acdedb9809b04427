"""Keeps garbage collections short, and frees objects that only refer to each other, such as those of a closed engine.

A server has several hundred thousand objects that exist until it ends. A collection that visits them takes 0.1 s, in
which no other thread runs.
"""

import gc


def set_aside() -> None:
    """Exclude all existing objects from later collections, in constant time."""
    gc.freeze()


def collect_all() -> None:
    """Free all objects that only refer to each other, including objects that were set aside."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
