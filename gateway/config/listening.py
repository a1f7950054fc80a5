"""The settings about the ports: what they are encrypted with, and which one operators ask."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from gateway.config.setting_types import Section


class Tls(Section):
    """How the main port is encrypted, and which certificates callers may show."""

    certificate: Path | None = None
    """The file of the certificate and those it was issued with, in PEM, re-read when files change.
    Unset, the port speaks plain HTTP."""
    key: Path | None = None
    """The file of the certificate's key, in PEM and not encrypted."""
    client_ca: Path | None = Field(None, alias="clientCa")
    """The file of the authorities, in PEM, that issue the certificates of callers. Unset, callers
    are not asked for one."""
    client_certificates: Literal["required", "optional"] = "required"
    """Whether callers must show a certificate when there is a `clientCa`; one that is shown must be
    good in either case."""

    @model_validator(mode="after")
    def _files_belong_together(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key need each other")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("clientCa needs certificate and key")
        return self


class Operations(Section):
    """Where metrics and health are asked for."""

    port: int | None = Field(None, ge=0, le=65535)
    """A port of its own for `/metrics`, `/healthz` and `/readyz`, in plain HTTP and without
    credentials; the main port then has none of them. `0` takes a free one and prints it."""
    host: str = ""
    """The address of that port. Unset, that of the main port."""

    @model_validator(mode="after")
    def _host_needs_port(self) -> Self:
        if self.host and self.port is None:
            raise ValueError("host needs port")
        return self
