"""Where templates and secrets come from, put together, and the order of their lives."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.background import keep
from gateway.combined_sources import CombinedSecrets, CombinedSource, SecretsOfBrought, Source
from gateway.config.settings import Settings
from gateway.credentials import SecretSource
from gateway.planner import Secrets
from gateway.secret_files import SecretsFolder
from gateway.sources import FolderSource, TemplateIndex

if TYPE_CHECKING:
    from gateway.kube.client import KubeClient

FIRST_LISTING_S: Final = 5.0
"""How long a start waits for the cluster's templates, and then goes on without them."""
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterState:
    """How what is read from a cluster stands."""

    details: Callable[[], Mapping[str, object]]
    """JSON-ready."""
    is_synced: Callable[[], bool]
    """Whether all templates have been seen once."""
    templates_age_s: Callable[[], float]
    """For how long nothing was heard about some of them."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where templates and secrets come from."""

    templates: Source
    secrets: Secrets
    cluster: ClusterState | None = None
    """None if no templates come from one."""


def cluster_client(settings: Settings, parts: AsyncExitStack) -> "KubeClient | None":
    """The cluster's API, None if there is no cluster; closed with ``parts``.

    Raises:
        SettingsInvalid: it is not said, or not readable, how it is reached.

    """
    cluster = settings.kubernetes
    if cluster.connect is None:
        return None
    # Who has no cluster does not pay for its client with memory and a slower start.
    from gateway.kube.client import KubeClient  # noqa: PLC0415
    from gateway.kube.connection import config_loader  # noqa: PLC0415

    load = config_loader(cluster.connect, cluster.context, setting="kubernetes.connect")
    client = KubeClient(load, timeout_s=cluster.timeout_s)
    parts.push_async_callback(client.close)
    return client


async def open_sources(
    settings: Settings, client: "KubeClient | None", parts: AsyncExitStack
) -> Sources:
    """All sources that the settings name, kept up to date until ``parts`` are closed."""
    folder = await _folder(settings, parts)
    files = SecretsFolder(settings.secrets)
    if client is None:
        return Sources(folder, Secrets(files, files))
    secrets = Secrets(await _with_cluster(files, settings, client, parts), SecretsOfBrought(files))
    if not (settings.kubernetes.templates or settings.kubernetes.cluster_templates):
        return Sources(folder, secrets)
    from gateway.kube.templates import ClusterTemplates  # noqa: PLC0415 - as above

    templates = ClusterTemplates(client, settings.kubernetes, now_s=time.monotonic)
    keep(templates.serve(), "watch the cluster's templates", parts)
    try:
        async with asyncio.timeout(FIRST_LISTING_S):
            await templates.synced()
    except TimeoutError:
        _log.warning("started before the cluster's templates are known")
    state = ClusterState(templates.details, templates.is_synced, templates.age_s)
    return Sources(CombinedSource(folder, templates), secrets, state)


async def _folder(settings: Settings, parts: AsyncExitStack) -> Source:
    if settings.templates is None:
        return TemplateIndex(settings.namespace)
    source = FolderSource(settings.templates, own_namespace=settings.namespace)
    await source.load()
    keep(source.watch(), "watch templates", parts)
    return source


async def _with_cluster(
    files: SecretsFolder, settings: Settings, client: "KubeClient", parts: AsyncExitStack
) -> SecretSource:
    from gateway.kube.secrets import ClusterSecrets  # noqa: PLC0415 - as above

    secrets = ClusterSecrets(client, settings.kubernetes, now_s=time.monotonic)
    parts.push_async_callback(secrets.close)
    return secrets if settings.secrets is None else CombinedSecrets(files, secrets)
