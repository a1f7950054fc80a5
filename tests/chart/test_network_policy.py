"""The NetworkPolicy lets out what the gateway's own policy of egress allows, and little more."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from chart.matrix import EGRESS, Values, with_tokens
from chart.rendering import FULLNAME, needs_helm, rendered

from gateway.addresses import forbidden

pytestmark = needs_helm
FREE: Values = {}
BOUND: Values = {"config": {"egress": EGRESS}}
SHUT: Values = {"config": {"egress": {"named": []}}}
ASKED: Values = {
    "config": {
        "egress": {"named": []},
        "connections": [
            {"name": "thanos", "url": "http://thanos.monitoring.svc:9090/api"},
            {"name": "vendor", "url": "https://api.vendor.example"},
            {"name": "older", "url": "http://10.1.2.3:8428"},
            {"name": "newer", "url": "http://[fd00:1::5]:8428"},
        ],
        "notifications": [
            {"name": "bot", "url": "http://bot.example:8081/told"},
            {"name": "slack", "urlFrom": {"secret": "slack/url"}, "format": "slack"},
        ],
    },
    "access": {
        "jwt": [
            {
                "name": "office",
                "issuer": "https://login.example:8443/realm",
                "audiences": ["analysis-gateway"],
                "jwks": "https://keys.example:9443/keys",
            }
        ]
    },
}


def policy(values: Values) -> dict[str, Any]:
    """The NetworkPolicy of the gateway's pods."""
    release = rendered(with_tokens({**values, "networkPolicy": {"enabled": True}}))
    spec: dict[str, Any] = release.one("NetworkPolicy")["spec"]
    return spec


def lets(values: Values, target: str, port: int) -> bool:
    """Whether a connection goes out: to an address, or to a pod of a namespace."""
    return any(
        _is_peer(peer, target)
        for rule in policy(values)["egress"]
        if "ports" not in rule or any(_is_port(each, port) for each in rule["ports"])
        for peer in rule.get("to", ({},))
    )


def _is_port(entry: dict[str, Any], port: int) -> bool:
    first = entry["port"]
    return entry["protocol"] == "TCP" and first <= port <= entry.get("endPort", first)


def _is_peer(peer: dict[str, Any], target: str) -> bool:
    if not peer:
        return True
    try:
        address = ip_address(target)
    except ValueError:
        wanted = peer.get("namespaceSelector", {"matchLabels": {"": ""}}).get("matchLabels", {})
        return not wanted or wanted == {"kubernetes.io/metadata.name": target}
    block = peer.get("ipBlock")
    assert block is None or "/" in block["cidr"]
    return (
        block is not None
        and address in ip_network(block["cidr"])
        and not any(address in ip_network(each) for each in block.get("except", ()))
    )


@pytest.mark.parametrize(
    ("target", "port", "is_let"),
    [
        pytest.param("monitoring", 9090, True, id="a-service-by-its-name"),
        pytest.param("shop", 8080, True, id="services-of-a-pattern"),
        pytest.param("bank", 9090, False, id="a-service-that-no-rule-has"),
        pytest.param("10.20.3.4", 9050, True, id="a-network-and-a-range-of-ports"),
        pytest.param("10.20.3.4", 443, True, id="a-network-and-a-port"),
        pytest.param("10.20.3.4", 9101, False, id="a-port-that-no-rule-has"),
        pytest.param("10.1.2.3", 80, True, id="an-address"),
        pytest.param("fd00:1::5", 443, True, id="an-address-of-the-newer-kind"),
        pytest.param("10.1.2.4", 80, False, id="an-address-beside-it"),
        pytest.param("203.0.113.7", 443, True, id="a-name-may-be-anywhere"),
        pytest.param("203.0.113.7", 80, False, id="but-by-https-only"),
        pytest.param("169.254.169.254", 443, False, id="but-not-where-metadata-are"),
    ],
)
def test_it_says_what_the_rules_of_egress_say(target: str, port: int, is_let: bool) -> None:  # noqa: FBT001 - a column
    """As far as addresses can."""
    assert lets(BOUND, target, port) is is_let


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:100::100:200"),
        *("fd00:a9fe:a9fe::1", "fd00:42::42", "fe80::a9fe:a9fe"),
    ],
)
def test_metadata_are_out_of_reach_without_rules(address: str) -> None:
    """Everything else can be asked."""
    assert forbidden(ip_address(address))
    assert not lets(FREE, address, 80)
    for neighbour in ("8.8.8.8", "10.0.0.1", "2606:4700::1111", "shop"):
        assert lets(FREE, neighbour, 9090)


def test_no_rules_let_nothing_out() -> None:
    """But questions for names: to CoreDNS at either port, and to NodeLocal DNSCache."""
    assert not lets(SHUT, "8.8.8.8", 443)
    assert not lets(SHUT, "shop", 80)
    assert lets(SHUT, "kube-system", 53)
    assert lets(SHUT, "openshift-dns", 5353)
    assert lets(SHUT, "169.254.20.10", 53)
    assert not lets(SHUT, "169.254.169.254", 53)


@pytest.mark.parametrize(
    ("target", "port", "is_let"),
    [
        pytest.param("monitoring", 10902, True, id="a-connection-to-a-service"),
        pytest.param("shop", 9090, False, id="a-service-of-no-connection"),
        pytest.param("203.0.113.7", 443, True, id="a-connection-to-a-name"),
        pytest.param("10.1.2.3", 8428, True, id="a-connection-to-an-address"),
        pytest.param("10.1.2.4", 8428, False, id="an-address-beside-it"),
        pytest.param("fd00:1::5", 8428, True, id="one-to-an-address-of-the-newer-kind"),
        pytest.param("203.0.113.7", 8081, True, id="a-receiver-of-notifications"),
        pytest.param("203.0.113.7", 8443, True, id="an-issuer"),
        pytest.param("203.0.113.7", 9443, True, id="the-keys-of-an-issuer"),
        pytest.param("203.0.113.7", 80, False, id="a-port-of-no-url"),
        pytest.param("169.254.169.254", 443, False, id="but-not-where-metadata-are"),
    ],
)
def test_what_the_settings_name_is_reached(target: str, port: int, is_let: bool) -> None:  # noqa: FBT001 - a column
    """Connections, receivers and issuers, without a rule of egress for them."""
    assert lets(ASKED, target, port) is is_let


def test_the_parts_of_the_gateway_are_reached() -> None:
    """The API server and Redis, where they are."""
    cluster = {**SHUT, "kubernetes": {"enabled": True}}
    assert lets({**cluster, "networkPolicy": {}}, "10.96.0.1", 443)
    assert lets(cluster, "fd00:10:96::1", 443)
    assert not lets(cluster, "169.254.169.254", 443)
    assert not lets(SHUT, "10.96.0.1", 443)
    valkey = policy({**SHUT, "valkey": {"enabled": True, "existingSecret": "valkey"}})["egress"]
    selectors = [each["to"][0].get("podSelector", {}).get("matchLabels", {}) for each in valkey]
    assert "valkey" in {each.get("app.kubernetes.io/component") for each in selectors}


@pytest.mark.parametrize(
    ("redis", "ports"),
    [
        pytest.param({"existingSecret": "redis"}, {6379}, id="a-url-in-a-secret"),
        pytest.param({"url": "redis://redis.data.svc/0"}, {6379}, id="the-usual-one"),
        pytest.param({"url": "rediss://redis.data.svc:6380/0"}, {6380}, id="one-of-its-own"),
        pytest.param({"url": "redis://[fd00::5]:7000"}, {7000}, id="of-an-address"),
        pytest.param(
            {"url": "redis+sentinel://a,b:5000/main/0"}, {26379, 5000, 6379}, id="sentinels"
        ),
        pytest.param(
            {"url": "redis+cluster://a:7000,b:7001?ssl_cert_reqs=none"}, {7000, 7001}, id="nodes"
        ),
        pytest.param({"url": "unix:///run/redis.sock"}, set(), id="a-socket"),
    ],
)
def test_redis_is_reached_at_its_ports(redis: dict[str, str], ports: set[int]) -> None:
    """Those of its URL, as far as that is known, and no others."""
    asked = {6379, 6380, 26379, 5000, 7000, 7001, 80}
    assert {each for each in asked if lets({**SHUT, "redis": redis}, "10.9.0.5", each)} == ports


def test_redis_has_the_ports_that_are_named() -> None:
    """Whatever its URL says; ``policy`` has a policy of its own."""
    values = {"redis": {"url": "redis://r:1234"}, "config": SHUT["config"]}
    release = rendered(
        with_tokens({**values, "networkPolicy": {"enabled": True, "redis": {"ports": [6390]}}})
    )
    (_, rule) = release.one("NetworkPolicy")["spec"]["egress"]
    assert rule == {"ports": [{"port": 6390, "protocol": "TCP"}]}


@pytest.mark.parametrize(
    ("rule", "target"),
    [
        pytest.param({"networks": ["10.7.7.7"]}, "10.7.7.7", id="a-network-of-one"),
        pytest.param({"networks": ["fd00:7::7"]}, "fd00:7::7", id="a-newer-one"),
        pytest.param({"hosts": ["fd00:7::7"]}, "fd00:7::7", id="an-address-without-brackets"),
        pytest.param({"hosts": ["Thanos.Monitoring.SVC."]}, "monitoring", id="capitals-and-a-dot"),
    ],
)
def test_a_rule_may_be_written_otherwise(rule: dict[str, Any], target: str) -> None:
    """As the gateway reads it."""
    egress = {"named": [{"name": "a", "schemes": ["https"], **rule}]}
    assert lets({"config": {"egress": egress}}, target, 443)
    assert not lets({"config": {"egress": egress}}, "203.0.113.7", 443)


def test_null_rules_are_none() -> None:
    """As the gateway has it: then everything may be asked."""
    assert lets({"config": {"egress": {"named": None}}}, "203.0.113.7", 443)


def test_callers_reach_the_main_port_and_operators_theirs() -> None:
    """Each may be narrowed."""
    shop = {"namespaceSelector": {"matchLabels": {"team": "shop"}}}
    release = rendered(with_tokens({"networkPolicy": {"enabled": True, "callers": [shop]}}))
    callers, operators = release.one("NetworkPolicy", FULLNAME)["spec"]["ingress"]
    assert (callers["from"], callers["ports"][0]["port"]) == ([shop], "http")
    assert (operators["from"], operators["ports"][0]["port"]) == (
        [{"namespaceSelector": {}}],
        "operations",
    )
