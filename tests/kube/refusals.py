"""What an API server answers when it refuses, word for word."""

from kmock import KubernetesError
from kube.kinds import Kind, Object


def unauthorized() -> KubernetesError:
    """Nobody has this token."""
    return KubernetesError(401, "Unauthorized", "Unauthorized")


def forbidden(
    user: str, verb: str, kind: Kind, *, namespace: str, name: str, subresource: str
) -> KubernetesError:
    """The user has no such right."""
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = f'{kind.qualified} "{name}"' if name else kind.qualified
    message = (
        f'{what} is forbidden: User "{user}" cannot {verb} resource "{resource}"'
        f' in API group "{kind.group}" {where}'
    )
    return KubernetesError(403, "Forbidden", message, _details(kind, name))


def not_found(kind: Kind, name: str) -> KubernetesError:
    """There is no such object."""
    message = f'{kind.qualified} "{name}" not found'
    return KubernetesError(404, "NotFound", message, _details(kind, name))


def already_exists(kind: Kind, name: str) -> KubernetesError:
    """The name is taken."""
    message = f'{kind.qualified} "{name}" already exists'
    return KubernetesError(409, "AlreadyExists", message, _details(kind, name))


def conflict(kind: Kind, name: str, problem: str) -> KubernetesError:
    """The object is not as the caller believes."""
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {problem}'
    return KubernetesError(409, "Conflict", message, _details(kind, name))


def modified(kind: Kind, name: str) -> KubernetesError:
    """Somebody else was faster."""
    return conflict(
        kind,
        name,
        "the object has been modified; please apply your changes to the latest version and try"
        " again",
    )


def invalid(kind: Kind, name: str, *problems: str) -> KubernetesError:
    """The object breaks a rule of its kind."""
    listed = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    message = f'{qualified} "{name}" is invalid: {listed}'
    details = {**_details(kind, name), "kind": kind.kind}
    return KubernetesError(422, "Invalid", message, details)


def bad_request(message: str) -> KubernetesError:
    """The request makes no sense."""
    return KubernetesError(400, "BadRequest", message)


def expired(since: int, oldest: int) -> KubernetesError:
    """The history does not reach back so far."""
    return KubernetesError(410, "Expired", f"too old resource version: {since} ({oldest})")


def status_of(error: KubernetesError) -> Object:
    """An error as a ``Status``."""
    details = {"details": error.details} if error.details else {}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
        **details,
        "code": error.status,
    }


def _details(kind: Kind, name: str) -> dict[str, str]:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return {key: value for key, value in details.items() if value}
