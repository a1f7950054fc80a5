"""Who may do what at an emulated API server: a table of tokens instead of RBAC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kube.kinds import Kind, Object, Right
from kube.refusals import forbidden, unauthorized

API_AUDIENCE: Final = "https://kubernetes.default.svc"
"""What tokens are for that name no other audience."""


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
    used: set[tuple[str, Right]] = field(default_factory=set)
    """What users have done, each with the least right that it takes."""

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
        self.used.add((user.name, Right(verb, kind.group, resource, namespace)))

    def reviewed(self, spec: Object) -> Object:
        """The status of a review of somebody's token."""
        user = self.users.get(spec["token"])
        if user is None:
            return {"user": {}, "error": "[invalid bearer token, unknown]"}
        wanted = spec.get("audiences") or [API_AUDIENCE]
        if API_AUDIENCE not in wanted:
            error = f"token audiences [{API_AUDIENCE}] is invalid for the target audiences {wanted}"
            return {"user": {}, "error": error}
        groups = ["system:serviceaccounts", "system:serviceaccounts:default"]
        return {
            "authenticated": True,
            "user": {"username": user.name, "groups": [*groups, "system:authenticated"]},
            "audiences": [API_AUDIENCE],
        }

    def _user(self, headers: Mapping[str, str]) -> User:
        credentials = headers.get("Authorization", "")
        if not credentials:
            return _NOBODY
        user = self.users.get(credentials.removeprefix("Bearer "))
        if user is None:
            raise unauthorized()
        return user
