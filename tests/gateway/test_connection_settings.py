"""What can be said of a connection, and what is refused at the start."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme
import yaml
from tls_files import Files

from gateway.config.connections import Connection
from gateway.config.settings import SettingsInvalid, load
from gateway.errors import EgressRefused
from gateway.upstreams.connection_tls import ConnectionTls
from gateway.upstreams.gourl import parse_url
from gateway.upstreams.parts import UpstreamPolicy

GOOD = {"name": "u", "url": "https://h.example/x", "namespaces": ["*"]}
BEARER = {"bearer": {"secret": "n/k"}}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"name": "No Name"}, "connections.0.name", id="a-name-for-no-label"),
        pytest.param({"url": "h.example"}, "must be a URL such as", id="no-url"),
        pytest.param({"url": "https://u:p@h"}, "must not hold credentials", id="credentials"),
        pytest.param(
            {"url": "http://169.254.169.254"}, "nothing can allow", id="a-metadata-service"
        ),
        pytest.param({"namespaces": []}, "connections.0.namespaces", id="nobody-may"),
        pytest.param({"timeout": "0s"}, "connections.0.timeout", id="no-time"),
        pytest.param({"bearer": {"secret": "n"}}, "NAME/KEY", id="no-key-of-a-secret"),
        pytest.param({"bearer": {"secret": "../k"}}, "NAME/KEY", id="no-name-of-a-secret"),
        pytest.param({"bearer": {}}, "needs either secret or file", id="no-source"),
        pytest.param({"headers": [{"name": "A"}]}, "either value or secret", id="no-value"),
        pytest.param(
            {"headers": [{"name": "A b", "value": "v"}]},
            "invalid header field name",
            id="no-header",
        ),
        pytest.param(
            {"headers": [{"name": "A", "value": "v\n"}]},
            "invalid header field value",
            id="two-lines",
        ),
        pytest.param(
            {"headers": [{"name": "Host", "value": "v"}]}, "gateway's own", id="another-host"
        ),
        pytest.param(
            {"headers": [{"name": "authorization", "value": "v"}], **BEARER},
            "says one header twice",
            id="two-authorizations",
        ),
        pytest.param({"clientKey": "k.pem"}, "need each other", id="half-a-certificate"),
        pytest.param(
            {"url": "http://h", "caBundle": "ca.pem"}, "need a url of https", id="tls-without-tls"
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: Mapping[str, object], problem: str) -> None:
    """With its key."""
    with pytest.raises(SettingsInvalid) as caught:
        load(None, flags={"connections": [{**GOOD, **changes}]}, environ={})
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        pytest.param({"url": "https://other"}, "the same name", id="one-name"),
        pytest.param(
            {"name": "v", "url": "HTTPS://H.example:443/x/"}, "the same url", id="one-url"
        ),
    ],
)
def test_two_can_be_told_apart(other: Mapping[str, object], problem: str) -> None:
    """By name and by address."""
    with pytest.raises(SettingsInvalid, match=problem):
        load(None, flags={"connections": [GOOD, {**GOOD, **other}]}, environ={})


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        pytest.param({}, "cannot be read", id="no-file"),
        pytest.param({"ca": b"x"}, "has no certificates in PEM", id="no-authorities"),
        pytest.param(
            {"certificate": b"x", "key": b"y"}, "are no certificate and its key", id="no-pair"
        ),
    ],
)
def test_files_that_cannot_be_used_are_refused(
    tmp_path: Path, contents: Mapping[str, bytes], problem: str
) -> None:
    """At the start; later they change nothing."""
    files, ca = Files(tmp_path), trustme.CA()
    files.serve(ca.issue_cert("gateway"), ca)
    tls = {"caBundle": files["ca"], "clientKey": files["key"]}
    settings = Connection.model_validate({**GOOD, **tls, "clientCertificate": files["certificate"]})
    now_s = 0.0
    running = ConnectionTls(settings, lambda: now_s)
    before = running.context()
    good = {name: Path(files[name]).read_bytes() for name in ("ca", "certificate", "key")}
    files.hold(**({**good, **contents} if contents else {"other": b""}))
    with pytest.raises(SettingsInvalid, match=problem):
        ConnectionTls(settings)
    now_s = 2.0
    assert running.context() is before
    files.hold(**good)
    now_s = 4.0
    assert running.context() is not before


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param(
            "http://metadata.google.internal/", "which no rule can allow", id="a-metadata-service"
        ),
        pytest.param("http://10.0.0.5/", "no rule of connection u allows", id="another-host"),
    ],
)
def test_what_no_rule_can_allow_stays_refused(url: str, says: str) -> None:
    """Though the address is the operator's."""
    base = url if "metadata" in url else "http://10.0.0.6/"
    settings = Connection.model_validate({**GOOD, "url": base})
    with pytest.raises(EgressRefused, match=says):
        UpstreamPolicy(settings.upstream).check_url(parse_url(url))


def test_what_the_page_shows_can_be_said() -> None:
    """The example of the documentation is settings."""
    section = (
        Path("docs/security.md").read_text(encoding="utf-8").partition("\n## Connections\n")[2]
    )
    example = section.partition("```yaml\n")[2].partition("```")[0]
    settings = load(None, flags=yaml.safe_load(example), environ={})
    assert settings.connection_names == ("prometheus", "vendor")
