"""What Helm prints after an installation: where the gateway is, and what is not as it should be."""

import pytest
from chart.matrix import Values, with_tokens
from chart.rendering import given, needs_helm

pytestmark = needs_helm
RULES: Values = {
    "policy": {"rules": [{"callers": ["token:a"], "actions": ["run"], "namespaces": ["a"]}]}
}


def notes(values: Values) -> str:
    """What is printed, in one line."""
    done = given(with_tokens(values), command="install")
    if "cluster unreachable" in done.stderr:
        pytest.skip("this Helm installs nothing without a cluster, not even for show")
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.partition("NOTES:")[2].split())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({}, "answers at http://gw-analysis-gateway.analysis.svc:8080", id="where"),
        pytest.param(
            {"tls": {"existingSecret": "tls"}},
            "answers at https://gw-analysis-gateway.analysis.svc:8080",
            id="where-with-tls",
        ),
        pytest.param({}, "NOBODY MAY ASK YET", id="no-rules"),
        pytest.param({}, "when the pod goes, they are lost", id="a-redis-in-the-pod"),
        pytest.param(
            {"state": {"existingClaim": "state"}}, "in the claim state", id="a-redis-in-a-claim"
        ),
        pytest.param(
            {"valkey": {"enabled": True, "existingSecret": "valkey"}},
            "WARNING: the Valkey of this release has one replica",
            id="a-single-valkey",
        ),
        pytest.param(
            {"operations": {"enabled": False}, "serviceMonitor": {"enabled": True}},
            "METRICS ARE REFUSED",
            id="a-scraper-without-a-credential",
        ),
        pytest.param(
            {"existingConfigSecret": "settings", "networkPolicy": {"enabled": True}},
            "cannot know what settings names",
            id="a-policy-that-cannot-be-mirrored",
        ),
        pytest.param(
            {"config": {"egress": {"named": []}}, "networkPolicy": {"enabled": True}},
            "takes networkPolicy.extraEgress: credentials of AWS",
            id="what-a-policy-cannot-know",
        ),
        pytest.param(
            {"service": {"type": "LoadBalancer"}, "networkPolicy": {"enabled": True}},
            "WARNING: the Service is a LoadBalancer, and the NetworkPolicy lets in pods",
            id="a-load-balancer-that-leads-nowhere",
        ),
        pytest.param(
            {"ingress": {"enabled": True, "hosts": ["a.example"]}},
            "The page for people is at /, and is published with the API",
            id="a-page-that-is-published",
        ),
    ],
)
def test_it_says(values: Values, sentence: str) -> None:
    """What who installs it should know."""
    assert sentence in notes(values)


def test_it_warns_of_nothing_that_is_well() -> None:
    """With rules and a Redis."""
    callers = {"enabled": True, "callers": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    told = notes(
        {
            "access": RULES,
            "redis": {"existingSecret": "redis"},
            "service": {"type": "LoadBalancer"},
            "networkPolicy": callers,
        }
    )
    assert "NOBODY" not in told
    assert "WARNING" not in told
    assert "lost" not in told
