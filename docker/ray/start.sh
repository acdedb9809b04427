#!/bin/sh
# One machine of a cluster: `start.sh head` is the first, which serves the API too; `start.sh worker HEAD:6379` joins it.
# Never run on a real cluster yet. The image needs EXTRAS="ray redis"; all need one RAY_AUTH_TOKEN, and /dev/shm of 1 GB.
set -eu
export RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token RAY_worker_niceness=0
store=$((512 * 1024 * 1024))
case "${1:?head or worker}" in
head)
    ray start --head --port 6379 --include-dashboard false --object-store-memory "$store"
    OPENFAZE_CLUSTER=ray OPENFAZE_RAY_ADDRESS=127.0.0.1:6379 exec openfaze serve
    ;;
worker)
    exec ray start --address "${2:?the address of the head}" --object-store-memory "$store" --block
    ;;
*)
    echo "$1: neither head nor worker" >&2
    exit 2
    ;;
esac
