"""The fixture of a Kubernetes cluster, and the line that tells which one it is."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from kube.access import Access
from kube.api_server import ApiServer, version_of
from kube.backend import Backend
from kube.cluster import Cluster, cluster_on
from kube.emulated import Emulated
from kube.real import Foreign, Real

_CONFIG: Final = "KUBECONFIG"
_ASSETS: Final = "KUBEBUILDER_ASSETS"


def pytest_report_header() -> str:
    """Tell which kind of API server the tests use."""
    if config := os.environ.get(_CONFIG):
        return f"kubernetes: kube-apiserver at {Access.read(Path(config)).url} from {_CONFIG}"
    if assets := os.environ.get(_ASSETS):
        return f"kubernetes: kube-apiserver {version_of(Path(assets))} from {_ASSETS}"
    return f"kubernetes: kmock at the wire (neither {_CONFIG} nor {_ASSETS} is set)"


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer | None]:
    """Our own kube-apiserver, if there are binaries for it; it starts with the first test."""
    assets = os.environ.get(_ASSETS)
    if os.environ.get(_CONFIG) or not assets:
        yield None
        return
    server = ApiServer(Path(assets))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
async def kubernetes(api_server: ApiServer | None, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A Kubernetes cluster with namespaces, users and a stand-in for the kubelet."""
    async with cluster_on(_backend(api_server), tmp_path) as cluster:
        yield cluster


def _backend(server: ApiServer | None) -> Backend:
    if server is not None:
        return Real(server)
    if config := os.environ.get(_CONFIG):
        return Foreign(Access.read(Path(config)))
    return Emulated()
