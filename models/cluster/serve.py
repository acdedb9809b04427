"""Sends batches to replicas through Ray Serve handles, from the server's event loop.

Serve's own HTTP ingress is not started, because it is slow. `serve.batch` is not used, because the EngineHost has
already formed a batch, fairly across API keys. A replica never calls a deployment, not even its own.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import pickle
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import structlog

from models.base import EngineFailed, EngineNotReady, EngineSpec
from models.cluster.plan import ClusterConfig
from models.cluster.replica import Replica
from models.concurrency import SharedRun
from models.hosts.workplace import CardMemory, Cluster, EngineFactory, HostLimits, WorkplaceFactory

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)

REMEDY = "Run `openfaze install ray`."

_MB = 1 << 20
_OBJECT_STORE_BYTES = 100 * 1024
"""The items of a batch are put into the object store if they have more bytes than this together. Otherwise they are
sent with the call."""
_THREAD_UNPICKLE_BYTES = 1 * _MB
"""Results with more bytes than this are unpickled in a thread."""
_POLL_S = 0.2
"""Seconds between two checks for new replicas."""
_DEPLOY_LOCK = threading.Lock()
"""Lock for Serve's pickling of deployments, which changes global state of the process."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_RAY_ENVIRONMENT = {
    # no usage statistics for Ray's makers
    "RAY_USAGE_STATS_ENABLED": "0",
    # By default, Ray starts its workers with niceness 15, so the server's own load would starve its engines.
    "RAY_worker_niceness": "0",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    # Interval in which Ray's controller checks the number of replicas: ten checks per second would take 5 % of a core.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
}
_LOGGING = {"enable_access_log": False, "log_level": "WARNING"}


class RayCluster:
    """Implementation of `models.hosts.workplace.Cluster`. It connects when the first engine loads."""

    _users: ClassVar[set["RayCluster"]] = set()
    """Clusters that share the process's only connection. The last of them to close ends it."""

    def __init__(self, config: ClusterConfig) -> None:
        self.config = config
        self._thread_pool = ThreadPoolExecutor(16, thread_name_prefix="ray")
        """Threads for calls that wait for the cluster. As many engines can be started or stopped at the same time as
        there are threads."""
        self._connecting = SharedRun(self._connect)
        self._connected = False

    @property
    def is_own(self) -> bool:
        return not self.config.address

    def workplace(self, name: str, card: CardMemory | None, *, on_a_card: bool) -> WorkplaceFactory:
        gpus = self.config.card_share(card) if on_a_card else 0.0
        return partial(RayWorkplace, self, name, gpus)

    async def connect(self) -> None:
        """Connect to the cluster. Raises EngineNotReady."""
        if not self._connected:
            await self._connecting.join()

    async def close(self) -> None:
        self._connected = False
        if self in self._users:
            self._users.discard(self)
            if not self._users:
                import ray

                await self.in_thread(ray.shutdown)
        self._thread_pool.shutdown(wait=False)

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread_pool, call, *args)

    async def _connect(self) -> None:
        try:
            await self.in_thread(self._init)
        except Exception as error:
            log.exception("cluster_unreachable", address=self.config.address)
            where = f"at {self.config.address} (OPENFAZE_RAY_ADDRESS)" if self.config.address else "on this machine"
            raise EngineNotReady("cluster", f"The Ray cluster {where} does not answer.") from error
        self._connected = True
        _restore_signals()

    def _init(self) -> None:
        for name, value in _RAY_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        token = Path.home() / ".ray" / "auth_token"
        if self.config.address and (token.is_file() or {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()):
            # By default a cluster demands its token, but a process that joins sends one only in this mode.
            os.environ.setdefault("RAY_AUTH_MODE", "token")
        import ray
        from ray import serve

        # Ray would warn at each start, in a line that is not JSON, that it sets no signal handler.
        logging.getLogger("ray").setLevel(logging.ERROR)
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        common = {"log_to_driver": False, "configure_logging": False, "namespace": "openfaze"}
        if not ray.is_initialized():
            if self.config.address:
                ray.init(address=self.config.address, **common)
            else:
                store = self.config.object_store_mb * _MB
                ray.init(address="local", include_dashboard=False, object_store_memory=store, **common)
        self._users.add(self)
        serve.start(proxy_location="Disabled", logging_config=_LOGGING)


def cluster_of(config: ClusterConfig) -> Cluster:
    """Return the cluster, which is not connected yet. Raises ValueError if Ray is not installed, or if the address has
    an unknown form."""
    if find_spec("ray") is None:
        raise ValueError(f"OPENFAZE_CLUSTER=ray needs the package 'ray'. {REMEDY}")
    if "://" in config.address:
        raise ValueError(
            f"OPENFAZE_RAY_ADDRESS: should be host:port or auto, and is '{config.address[:60]}': the server joins the "
            "cluster as one of its machines, and not by way of Ray Client."
        )
    return RayCluster(config)


def _restore_signals() -> None:
    """Restore the server's signal handlers. Ray installs a handler of its own, which prints a C++ stack at each
    SIGTERM."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            if (handler := signal.getsignal(number)) is not None:
                signal.signal(number, handler)


class RayWorkplace(Generic[ItemT, ResultT]):
    """Implementation of `models.hosts.workplace.Workplace`."""

    def __init__(
        self,
        cluster: RayCluster,
        name: str,
        gpus: float,
        spec: EngineSpec,
        factory: EngineFactory[ItemT, ResultT],
        limits: HostLimits,
        failures: Counter[str],
    ) -> None:
        self._cluster = cluster
        self._name = name
        self._spec = spec
        self._factory = factory
        self._limits = limits
        self._gpus = gpus
        self._count = cluster.config.of(spec.capability)
        self._handle: Any = None
        self._opened = 0
        self._handle_lock = asyncio.Lock()
        self._failures = failures

    @property
    def at_once(self) -> int:
        return self._count.most * (self._limits.workers + self._cluster.config.batches_ahead)

    @property
    def most(self) -> int:
        return self._limits.max_batch

    @property
    def longest_call_s(self) -> float:
        return 0.0  # Serve watches the replicas

    @property
    def _app(self) -> str:
        """Name of the engine's application in Serve. On the server's own cluster, each opening gets a new name. If an
        application were deleted and created again under its old name, its handle would report that the application is
        gone."""
        return f"{self._name}-{self._opened}" if self._cluster.is_own else self._name

    async def open(self) -> None:
        await self._cluster.connect()
        try:
            async with asyncio.timeout(self._cluster.config.start_s):
                await self._make_handle()
                failure = pickle.loads(await self._call_replica("load"))  # noqa: S301 - a replica of ours made the pickle
        except TimeoutError:
            await self.close()
            raise EngineNotReady(
                self._spec.capability,
                f"No replica of '{self._spec.name}' came up within {self._cluster.config.start_s:g} s: the cluster may "
                "lack free resources for it.",
            ) from None
        if failure is not None:
            await self.close()
            raise failure

    async def run(self, items: Sequence[ItemT], abandoned: asyncio.Event) -> Sequence[ResultT | Exception]:
        try:
            sent = await asyncio.to_thread(_pickle_items, list(items))
            answer = await self._call_replica("run", sent, abandoned=abandoned)
            unpickled = asyncio.to_thread(pickle.loads, answer) if len(answer) > _THREAD_UNPICKLE_BYTES else None
            results, failures = await unpickled if unpickled else pickle.loads(answer)  # noqa: S301 - as above
        except Exception as error:  # noqa: BLE001 - items may fail to pickle, too: the host reports it
            return [error] * len(items)
        self._failures.update(failures)
        return list(results)

    async def close(self) -> None:
        """Delete the replicas of the server's own cluster. On another cluster they stay, because other servers may use
        them."""
        handle, self._handle = self._handle, None
        if handle is not None:
            await handle.shutdown_async()
        if self._cluster.is_own:
            from ray import serve

            await self._cluster.in_thread(serve.delete, self._app)

    def release(self) -> None:
        pass

    async def _call_replica(self, method: str, *args: Any, abandoned: asyncio.Event | None = None) -> bytes:
        """Return a replica's answer. If the replica is lost, another replica is asked. Raises EngineNotReady;
        EngineFailed if the replica raised an exception on its input."""
        import ray.exceptions
        from ray.serve.exceptions import RayServeException, RequestCancelledError

        for may_try_again in (True, False):
            handle = self._handle
            response = getattr(handle, method).remote(*args)
            try:
                return await _result_unless_abandoned(abandoned, response)
            except (RequestCancelledError, ray.exceptions.TaskCancelledError):
                raise EngineNotReady(self._spec.capability, "Its caller has left.") from None
            except ray.exceptions.RayTaskError as error:
                raise EngineFailed(self._spec.name, error) from error
            except (ray.exceptions.RayError, RayServeException) as error:
                log.warning("replica_lost", engine=self._spec.name, error=type(error).__name__, again=may_try_again)
                if not may_try_again:
                    raise EngineNotReady(self._spec.capability, "The process that worked on it has died.") from error
                if isinstance(error, RayServeException):  # the application was deleted
                    await self._make_handle(instead_of=handle)
        raise AssertionError("the last try returns or raises")

    async def _make_handle(self, instead_of: Any = None) -> None:
        async with self._handle_lock:
            if self._handle is instead_of:
                if instead_of is not None:
                    await instead_of.shutdown_async()
                self._opened += 1
                digest = self._digest()
                self._handle = await self._existing_handle(digest) or await self._deploy_and_wait(digest)

    async def _deploy_and_wait(self, digest: str) -> Any:
        """Deploy the engine, and return a handle once a replica with these settings answers. Until then, replicas with
        other settings may answer."""
        import ray.exceptions

        handle = await self._cluster.in_thread(self._deploy, digest)
        while not self._cluster.is_own:
            with contextlib.suppress(ray.exceptions.RayError):  # an error of a replica that is being replaced
                if await handle.version.remote() == digest:
                    break
            await asyncio.sleep(_POLL_S)
        return handle

    async def _existing_handle(self, digest: str) -> Any:
        """Return a handle to a deployment with these settings that another server made, or this one made earlier; None
        if there is none."""
        import ray.exceptions
        from ray import serve
        from ray.serve.exceptions import RayServeException

        # A deployment whose replicas are all ending raises an error here, and the engine is then deployed again.
        with contextlib.suppress(RayServeException, ray.exceptions.RayError):
            handle = await self._cluster.in_thread(serve.get_app_handle, self._app)
            if await handle.version.remote() == digest:
                return handle
        return None

    def _deploy(self, digest: str) -> Any:
        from ray import serve
        from ray.serve.api import RunTarget

        config = self._cluster.config
        with _DEPLOY_LOCK:
            deployment = serve.deployment(Replica).options(
                name="engine",
                ray_actor_options={
                    "num_cpus": config.cpus,
                    "num_gpus": self._gpus,
                    "runtime_env": {"env_vars": dict.fromkeys(_THREAD_VARIABLES, str(config.threads))},
                },
                # Serve checks for queued calls only rarely. Until more replicas start, one replica must therefore
                # accept all of a server's batches. Its threads limit how many are computed at a time.
                max_ongoing_requests=max(2 * self.at_once, 4),
                graceful_shutdown_timeout_s=config.drain_s,
                logging_config=_LOGGING,
                **self._scaling_options(),
            )
            app = deployment.bind(self._spec, self._factory, self._limits, digest, config.stuck_s)
            [handle] = serve.run_many(
                [RunTarget(app, self._app, route_prefix=None)], wait_for_applications_running=False
            )
        return handle

    def _scaling_options(self) -> dict[str, Any]:
        """Return the Serve options for the number of replicas. With a fixed number, Serve does not count requests for
        scaling."""
        if self._count.least == self._count.most:
            return {"num_replicas": self._count.most}
        scale_s = self._cluster.config.scale_s
        return {
            "autoscaling_config": {
                "min_replicas": self._count.least,
                "max_replicas": self._count.most,
                "initial_replicas": max(1, self._count.least),
                "target_ongoing_requests": self._limits.workers,
                "upscale_delay_s": scale_s,
                "downscale_delay_s": 10 * scale_s,
                "look_back_period_s": scale_s,
                "metrics_interval_s": min(1.0, scale_s / 3),
            }
        }

    def _digest(self) -> str:
        """Return the digest of the replicas that this server would start."""
        from ray import cloudpickle

        try:
            ours = version("openfaze")
        except PackageNotFoundError:
            ours = ""
        made_of = ours, self._spec, self._factory, self._limits, self._gpus, self._cluster.config
        return hashlib.sha256(cloudpickle.dumps(made_of)).hexdigest()


def _pickle_items(items: list[Any]) -> Any:
    """Return the pickled items. If they are large together, they are put into the object store and replaced by a
    reference. Buffers of images and audio are pickled out of band, so that they are copied only once. If another
    replica is asked, it reads the same copy."""
    import ray

    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(items, pickle.HIGHEST_PROTOCOL, buffer_callback=buffers.append)
    if len(pickled) + sum(buffer.raw().nbytes for buffer in buffers) > _OBJECT_STORE_BYTES:
        return ray.put((pickled, buffers))
    return pickle.dumps(items, pickle.HIGHEST_PROTOCOL) if buffers else pickled


async def _result_unless_abandoned(abandoned: asyncio.Event | None, response: Any) -> bytes:
    """Return the result of `response`. Cancel the call once `abandoned` is set, or if this coroutine is cancelled."""

    async def called_off(event: asyncio.Event) -> None:
        await event.wait()
        response.cancel()

    leaving = asyncio.create_task(called_off(abandoned)) if abandoned else None
    try:
        answer: bytes = await response
        return answer
    except asyncio.CancelledError:
        response.cancel()
        raise
    finally:
        if leaving:
            leaving.cancel()
