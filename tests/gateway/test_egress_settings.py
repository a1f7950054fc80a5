"""The settings about where requests may go, and the policies that they make."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config.settings import Settings, SettingsInvalid, load
from gateway.errors import EgressRefused
from gateway.upstreams.egress import INLINE_POLICY, NAMED_POLICY, EgressPolicy, Redirects
from gateway.upstreams.egress_parts import own_policies, policies_of
from gateway.upstreams.gourl import parse_url

PROM = {"name": "prom", "hosts": ["prom.example"], "ports": [9090], "schemes": ["http"]}
URLS = {
    "prom": "http://prom.example:9090/",
    "loopback": "http://127.0.0.1:9090/",
    "private": "https://10.0.0.5/",
    "metadata": "http://169.254.169.254/",
}


def allowed(policy: EgressPolicy) -> set[str]:
    """Which of some places a policy allows."""

    def allows(url: str) -> bool:
        try:
            policy.check_url(parse_url(url))
        except EgressRefused:
            return False
        return True

    return {name for name, url in URLS.items() if allows(url)}


ALL = {"prom", "loopback", "private"}
ACCESS = {"policy": "policy.yaml", "tokens": "tokens.yaml"}
ELSEWHERE = {"host": "0.0.0.0", "access": ACCESS}


@pytest.mark.parametrize(
    ("settings", "named", "inline"),
    [
        pytest.param({}, ALL, ALL, id="a-demo-on-loopback-is-open"),
        pytest.param({**ELSEWHERE}, ALL, set(), id="elsewhere-nothing-inline"),
        pytest.param({"access": ACCESS}, ALL, set(), id="who-knows-its-callers-is-no-demo"),
        pytest.param({"egress": {"inline": []}}, ALL, set(), id="nothing-if-that-is-said"),
        pytest.param({"egress": {"named": [PROM]}}, {"prom"}, {"prom"}, id="on-loopback-as-named"),
        pytest.param({**ELSEWHERE, "egress": {"named": []}}, set(), set(), id="nothing-at-all"),
        pytest.param({**ELSEWHERE, "egress": {"inline": [PROM]}}, ALL, {"prom"}, id="what-is-said"),
        pytest.param({**ELSEWHERE, "egress": {"named": [PROM]}}, {"prom"}, set(), id="named-only"),
        pytest.param(
            {"egress": {"inline": [{"name": "all", "hosts": ["*"], "ports": ["1-65535"]}]}},
            ALL,
            {"prom"},
            id="all-hosts-are-not-all-networks",
        ),
        pytest.param(
            {"egress": {"inline": [{"name": "in", "networks": ["10.0.0.0/8", "127.0.0.1"]}]}},
            ALL,
            {"private"},
            id="networks-without-ports-have-those-of-the-schemes",
        ),
    ],
)
def test_settings_make_policies(
    settings: Mapping[str, Any], named: set[str], inline: set[str]
) -> None:
    """One for templates that the gateway has, one for those that requests bring."""
    made = policies_of(Settings.model_validate(settings))
    assert (allowed(made[NAMED_POLICY]), allowed(made[INLINE_POLICY])) == (named, inline)


@pytest.mark.parametrize(
    ("egress", "redirects"),
    [
        pytest.param({}, (Redirects.SAME_ORIGIN, Redirects.NONE), id="unset"),
        pytest.param(
            {"namedRedirects": "all", "inlineRedirects": "same-origin"},
            (Redirects.ALL, Redirects.SAME_ORIGIN),
            id="set",
        ),
    ],
)
def test_settings_say_which_redirects_are_followed(
    egress: Mapping[str, Any], redirects: tuple[Redirects, Redirects]
) -> None:
    """For each kind of template."""
    made = policies_of(Settings.model_validate({"egress": egress}))
    assert (made[NAMED_POLICY].redirects, made[INLINE_POLICY].redirects) == redirects


def test_who_runs_the_process_brings_what_is_theirs() -> None:
    """Their templates are as good as those of the folder, and refusals name that policy."""
    settings = Settings.model_validate({"egress": {"named": [PROM], "inline": []}})
    made = own_policies(settings)[INLINE_POLICY]
    assert (allowed(made), made.name) == ({"prom"}, NAMED_POLICY)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        pytest.param({"hosts": ["a"]}, "egress.inline.0.name: Field required", id="no-name"),
        pytest.param(
            {"name": "r"},
            "egress.inline.0: needs hosts or networks; for all of them: hosts: ['*']",
            id="about-nobody",
        ),
        pytest.param(
            {"name": "r", "hosts": ["127.1"]},
            "egress.inline.0.hosts.0: a host that ends in a number must be an address such as"
            " 10.0.0.5, in this spelling",
            id="an-address-in-disguise",
        ),
        pytest.param(
            {"name": "r", "hosts": ["a.*"]},
            "egress.inline.0.hosts.0: the host is neither an address nor a name that DNS could"
            " know",
            id="a-pattern-of-another-kind",
        ),
        pytest.param(
            {"name": "r", "hosts": [1]},
            "egress.inline.0.hosts.0: must be a text such as '*.corp.example'",
            id="a-number-of-a-host",
        ),
        pytest.param(
            {"name": "r", "hosts": ["169.254.169.254"]},
            "egress.inline.0.hosts.0: 169.254.169.254 is a metadata address, which no rule can"
            " allow",
            id="metadata",
        ),
        pytest.param(
            {"name": "r", "networks": ["169.254.0.0/16"]},
            "egress.inline.0.networks.0: 169.254.0.0/16 is a link-local address, which no rule can"
            " allow",
            id="a-network-of-metadata",
        ),
        pytest.param(
            {"name": "r", "networks": ["10.0.0.1/8"]},
            "egress.inline.0.networks.0: 10.0.0.1/8 has host bits set",
            id="a-network-that-is-off-by-a-bit",
        ),
        pytest.param(
            {"name": "r", "hosts": ["a"], "ports": [0]},
            "egress.inline.0.ports.0: ports go from 1 to 65535",
            id="port-zero",
        ),
        pytest.param(
            {"name": "r", "hosts": ["a"], "ports": ["90-80"]},
            "egress.inline.0.ports.0: ports go from 1 to 65535",
            id="ports-backwards",
        ),
        pytest.param(
            {"name": "r", "hosts": ["a"], "ports": ["http"]},
            "egress.inline.0.ports.0: must be a port such as 9090, or a text such as '9000-9100'",
            id="no-port",
        ),
        pytest.param(
            {"name": "r", "hosts": ["a"], "schemes": []},
            "egress.inline.0.schemes: Tuple should have at least 1 item after validation, not 0",
            id="no-scheme",
        ),
        pytest.param(
            {"name": "r", "host": ["a"]}, "egress.inline.0.host: is not a setting", id="a-typo"
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(
    rule: Mapping[str, Any], problem: str, tmp_path: Path
) -> None:
    """At start, with its place."""
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump({"egress": {"inline": [rule]}}))
    with pytest.raises(SettingsInvalid) as caught:
        load(file, flags={}, environ={})
    assert problem in [str(each) for each in caught.value.problems]


def test_requests_of_brought_templates_follow_no_redirect_elsewhere(tmp_path: Path) -> None:
    """There is no setting that would let them."""
    file = tmp_path / "settings.yaml"
    file.write_text("egress: {inlineRedirects: all}\n")
    with pytest.raises(SettingsInvalid, match=r"egress\.inlineRedirects"):
        load(file, flags={}, environ={})
