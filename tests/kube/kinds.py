"""The kinds of Kubernetes objects that tests handle, and where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Object = dict[str, Any]
"""A decoded JSON object of the Kubernetes API."""


@dataclass(frozen=True)
class Kind:
    """One kind of object, as the API names it."""

    group: str
    version: str
    plural: str
    kind: str
    is_namespaced: bool = True

    @property
    def api_version(self) -> str:
        """What objects say of themselves."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """How the API server's complaints name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_custom(self) -> bool:
        """Whether a CustomResourceDefinition brings it."""
        return self.group == "argoproj.io"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of one object, of all in a namespace, or of all."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        scope = ("namespaces", namespace) if namespace and self.is_namespaced else ()
        return "/".join(part for part in (root, *scope, self.plural, name, subresource) if part)


_RBAC: Final = ("rbac.authorization.k8s.io", "v1")
_ALL: Final = (
    Kind("", "v1", "namespaces", "Namespace", is_namespaced=False),
    Kind("", "v1", "nodes", "Node", is_namespaced=False),
    Kind("", "v1", "pods", "Pod"),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount"),
    Kind("batch", "v1", "jobs", "Job"),
    Kind("argoproj.io", "v1alpha1", "analysistemplates", "AnalysisTemplate"),
    Kind(
        "argoproj.io",
        "v1alpha1",
        "clusteranalysistemplates",
        "ClusterAnalysisTemplate",
        is_namespaced=False,
    ),
    Kind(*_RBAC, "roles", "Role"),
    Kind(*_RBAC, "rolebindings", "RoleBinding"),
    Kind(*_RBAC, "clusterroles", "ClusterRole", is_namespaced=False),
    Kind(*_RBAC, "clusterrolebindings", "ClusterRoleBinding", is_namespaced=False),
    Kind("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", is_namespaced=False),
    Kind(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        is_namespaced=False,
    ),
)
KINDS: Final[Mapping[str, Kind]] = {kind.plural: kind for kind in _ALL}
"""All kinds by their plural, as ``kubectl get`` names them."""


@dataclass(frozen=True)
class Right:
    """One thing that a user may do; ``*`` stands for any, of namespaces too."""

    verb: str
    group: str
    resource: str
    """A plural, or a subresource of it, such as ``pods/log``."""
    namespace: str


EVERYTHING: Final = (Right("*", "*", "*", "*"),)
"""What an admin may do."""
