"""Who may do what at an emulated API server: a table of tokens instead of RBAC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kube.kinds import Kind, Right
from kube.refusals import forbidden, unauthorized


@dataclass(frozen=True)
class User:
    """Somebody with rights."""

    name: str
    rights: Sequence[Right] = ()

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether a right covers it."""
        wanted = (verb, group, resource, namespace)
        return any(
            all(
                has in {"*", asked}
                for has, asked in zip(
                    (right.verb, right.group, right.resource, right.namespace), wanted, strict=True
                )
            )
            for right in self.rights
        )


_NOBODY = User("system:anonymous")


@dataclass
class Door:
    """Lets in whoever has a token that is known."""

    users: dict[str, User] = field(default_factory=dict)

    def check(
        self,
        headers: Mapping[str, str],
        verb: str,
        kind: Kind,
        *,
        namespace: str,
        name: str,
        subresource: str,
    ) -> None:
        """See that a request may go on.

        Raises:
            KubernetesError: The token is unknown, or its user has no such right.

        """
        user = self._user(headers)
        resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
        if not user.may(verb, kind.group, resource, namespace):
            raise forbidden(
                user.name, verb, kind, namespace=namespace, name=name, subresource=subresource
            )

    def _user(self, headers: Mapping[str, str]) -> User:
        credentials = headers.get("Authorization", "")
        if not credentials:
            return _NOBODY
        user = self.users.get(credentials.removeprefix("Bearer "))
        if user is None:
            raise unauthorized()
        return user
