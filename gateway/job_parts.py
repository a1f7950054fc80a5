"""The cluster that Jobs run in, and the order of its client's life."""

from contextlib import AsyncExitStack

from gateway.config.kubernetes import Kubernetes
from gateway.provider import JobApi


def cluster_jobs(cluster: Kubernetes, parts: AsyncExitStack) -> JobApi | None:
    """The Jobs of the cluster that they run in; None if there are none. Closed with ``parts``.

    Raises:
        SettingsInvalid: it is not said, or not readable, how the cluster is reached.

    """
    own = cluster.jobs.connect
    connect = own or cluster.connect
    if connect is None or not cluster.runs_jobs:
        return None
    # Who runs no Jobs does not pay for the client with memory and a slower start.
    from gateway.kube.client import KubeClient  # noqa: PLC0415
    from gateway.kube.connection import config_loader  # noqa: PLC0415
    from gateway.kube.jobs import ClusterJobs  # noqa: PLC0415

    load = config_loader(
        connect,
        "" if own else cluster.context,
        setting="kubernetes.jobs.connect" if own else "kubernetes.connect",
    )
    client = KubeClient(load, timeout_s=cluster.timeout_s)
    parts.push_async_callback(client.close)
    return ClusterJobs(client)
