"""podman-compose as a program, which merges variables as Docker Compose does: one that a file names without a value
takes away none that another file gives, and podman-compose refuses to merge the two."""

from typing import Any

import podman_compose

_merge = podman_compose.rec_merge_one


def _merge_values(target: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    for name in [name for name, value in target.items() if value is None and source.get(name) is not None]:
        del target[name]
    return _merge(target, {name: value for name, value in source.items() if value is not None or name not in target})


if __name__ == "__main__":
    podman_compose.rec_merge_one = _merge_values
    podman_compose.main()
