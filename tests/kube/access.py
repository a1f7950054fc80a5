"""How an API server is reached: its address, whom to trust, who asks; and kubeconfig files."""

import base64
import ssl
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import yaml

CERTIFICATE: Final = Path(__file__).parents[1] / "data" / "self_signed_localhost.pem"
"""A certificate of localhost and 127.0.0.1 with its key: its own authority."""


@dataclass(frozen=True)
class Access:
    """Everything that a client of an API server must know."""

    url: str
    authority: str
    """Certificates to trust, as PEM."""
    token: str = ""
    certificate: str = ""
    """A client's certificate and key, as PEM."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """What a kubeconfig's current context says; plugins are not run."""
        config = yaml.safe_load(path.read_text())
        context = _named(config, "contexts", config["current-context"])["context"]
        cluster = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"]
        assert not user.keys() & {"exec", "auth-provider"}, f"{path} needs a plugin"
        folder = path.parent
        token_file = user.get("tokenFile")
        token = (folder / token_file).read_text() if token_file else user.get("token", "")
        certificate = "".join(
            _content(user, key, folder) for key in ("client-certificate", "client-key")
        )
        authority = _content(cluster, "certificate-authority", folder)
        return cls(cluster["server"].rstrip("/"), authority, token.strip(), certificate)

    def with_token(self, token: str) -> Self:
        """The same server for somebody else."""
        return replace(self, token=token, certificate="")

    def tls(self) -> ssl.SSLContext:
        """What a client's connections use."""
        context = ssl.create_default_context(cadata=self.authority or None)
        if self.certificate:
            # Python reads client certificates from files only.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(self.certificate)
                file.flush()
                context.load_cert_chain(file.name)
        return context

    def user(self) -> dict[str, str]:
        """The user's part of a kubeconfig."""
        if self.token:
            return {"token": self.token}
        # Both parts of the PEM may hold both: readers pick what they look for.
        data = _encoded(self.certificate)
        return {"client-certificate-data": data, "client-key-data": data}

    def write(self, path: Path, user: dict[str, str]) -> Path:
        """Write a kubeconfig of a user of this server."""
        authority = {"certificate-authority-data": _encoded(self.authority)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": {"server": self.url, **authority}}],
            "users": [{"name": "test", "user": user}],
        }
        path.write_text(yaml.safe_dump(config))
        return path


def server_tls() -> ssl.SSLContext:
    """What our own servers use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def own_authority() -> str:
    """What clients of our own servers trust, without the key."""
    text = CERTIFICATE.read_text()
    return text[text.index("-----BEGIN CERTIFICATE-----") :]


def _named(config: dict[str, Any], section: str, name: str) -> Any:
    return next(item for item in config[section] if item["name"] == name)


def _content(block: dict[str, Any], key: str, folder: Path) -> str:
    if f"{key}-data" in block:
        return base64.b64decode(block[f"{key}-data"]).decode()
    return (folder / block[key]).read_text() if key in block else ""


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
