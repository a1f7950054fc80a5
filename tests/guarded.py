"""A gateway that knows its callers: tokens and a policy in files, and who shows which token."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ALICE = "token-of-alice-4c7f1e"
BOB = "token-of-bob-9d02aa"
NOBODY = "token-of-nobody-77aa01"
EVERY_ACTION = ["verdict", "run", "inline", "jobs", "admin", "metrics"]


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def digest(token: str) -> str:
    """What a tokens file has of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def rule(*actions: str, callers: Sequence[object] = ("token:alice",), **fields: object) -> Any:
    """A rule of the policy, for alice and the namespace shop unless it says otherwise."""
    return {
        "callers": list(callers),
        "actions": list(actions),
        "namespaces": ["shop"],
        **fields,
    }


def write_policy(folder: Path, *rules: Any) -> Path:
    """The file of a policy."""
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump({"rules": list(rules)}))
    return path


def write_tokens(folder: Path, **tokens: str) -> Path:
    """The file of tokens, by the names of their owners."""
    path = folder / "tokens.yaml"
    entries = [{"name": name, "sha256": digest(token)} for name, token in tokens.items()]
    path.write_text(yaml.safe_dump({"tokens": entries}))
    return path


def access(folder: Path, *rules: Any) -> dict[str, object]:
    """Settings with which alice and bob are known."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "policy": str(write_policy(folder, *rules)),
        "tokens": str(write_tokens(folder, alice=ALICE, bob=BOB)),
    }
