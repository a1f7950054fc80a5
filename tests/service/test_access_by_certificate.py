"""Callers who show a certificate, over TLS as it is."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from certificates import Authority
from cryptography import x509
from guarded import ALICE, access, bearer, rule

from gateway import app
from gateway.config.settings import Settings
from gateway.doors import Doors

RULES = (
    rule("run", callers=["certificate:ci", "certificate:spiffe://acme/ci"]),
    rule("admin", callers=[{"claims": {"organizationalUnitName": "ops"}}]),
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom the gateway trusts."""
    return Authority(tmp_path / "authority")


@asynccontextmanager
async def gateway_with(tmp_path: Path, authority: Authority, **settings: Any) -> AsyncIterator[str]:
    """A gateway that speaks TLS and takes certificates; its address."""
    own = str(authority.server())
    tls = {"certificate": own, "key": own, "clientCa": str(authority.file)}
    chosen = Settings.model_validate(
        {
            "port": 0,
            "state": tmp_path / "state",
            "tls": {**tls, "clientCertificates": "optional"},
            "access": {**access(tmp_path / "a", *RULES), **settings},
            "shutdown": {"grace": "1s"},
        }
    )
    async with app.gateway(chosen, environ={}) as running:
        doors = Doors(running.app, running.operations, chosen, running.telemetry)
        await doors.open()
        yield doors.urls[0]
        await running.runs.watch.close()
        await doors.close()
        await running.readings.drain(0)


async def asked(url: str, tls: ssl.SSLContext, **headers: str) -> tuple[int, str]:
    """Status and error of a list of runs."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/v1/runs", ssl=tls, headers=headers) as reply,
    ):
        return reply.status, (await reply.json(content_type=None)).get("error", "")


async def test_a_certificate_names_its_caller(tmp_path: Path, authority: Authority) -> None:
    """By common name, alternative name or what else it says; a token goes before it."""
    shown = {
        "name": authority.issue("ci"),
        "alternative": authority.issue("", x509.UniformResourceIdentifier("spiffe://acme/ci")),
        "unit": authority.issue("bob", unit="ops"),
        "stranger": authority.issue("stranger"),
    }
    async with gateway_with(tmp_path, authority, certificates=True) as url:
        outcomes = {name: await asked(url, authority.client(each)) for name, each in shown.items()}
        outcomes["none"] = await asked(url, authority.client())
        ci = authority.client(shown["name"])
        outcomes["a bad token"] = await asked(url, ci, **bearer("nobodys"))
        outcomes["alice's token"] = await asked(url, ci, **bearer(ALICE))
    assert outcomes == {
        "name": (200, ""),
        "alternative": (200, ""),
        "unit": (200, ""),
        "stranger": (403, "access_denied"),
        "none": (401, "credential_missing"),
        "a bad token": (401, "credential_refused"),
        "alice's token": (403, "access_denied"),
    }


async def test_certificates_are_switched_on(tmp_path: Path, authority: Authority) -> None:
    """A server may ask for them for other reasons."""
    client = authority.client(authority.issue("ci"))
    async with gateway_with(tmp_path, authority) as url:
        assert await asked(url, client) == (401, "credential_missing")


async def test_certificates_of_others_do_not_come_through(
    tmp_path: Path, authority: Authority
) -> None:
    """TLS refuses them before anything is asked."""
    forger = Authority(tmp_path / "forger")
    good, forged = (authority.client(each.issue("ci")) for each in (authority, forger))
    async with gateway_with(tmp_path, authority, certificates=True) as url:
        with pytest.raises(aiohttp.ClientError):
            await asked(url, forged)
        assert await asked(url, good) == (200, "")
