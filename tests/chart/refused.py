"""Values of the chart that must be refused."""

from typing import Final

from chart.matrix import CLUSTER, SHARED, Values

REFUSED: Final[dict[str, tuple[Values, str]]] = {
    "a key that is none": ({"replicas": 2}, "replicas"),
    "a key that is none, below": ({"image": {"name": "x"}}, "name"),
    "a word for a number": ({"replicaCount": "two"}, "replicaCount"),
    "a port that is none": ({"service": {"port": 70_000}}, "/service/port"),
    "a kind of Service that is none": ({"service": {"type": "Public"}}, "/service/type"),
    "half a digest": ({"image": {"digest": "sha256:12"}}, "/image/digest"),
    "a name with capitals": ({"existingConfigSecret": "Settings"}, "/existingConfigSecret"),
    "an Ingress of no host": ({"ingress": {"enabled": True}}, "/ingress/hosts"),
    "a route of no Gateway": ({"httpRoute": {"enabled": True}}, "/httpRoute/parentRefs"),
    "a secret without a name": ({"secrets": [{"namespace": "a", "name": "b"}]}, "existingSecret"),
    "a template that is no file": ({"templates": {"color": "x"}}, "invalid propertyName 'color'"),
    "a password in a value": ({"redis": {"url": "redis://:pw@redis:6379"}}, "/redis/url"),
    "an interval without a unit": ({"serviceMonitor": {"interval": "15"}}, "/serviceMonitor"),
    "replicas that share nothing": ({"replicaCount": 2}, "the gateways share no Redis"),
    "scaling of what shares nothing": (
        {"autoscaling": {"enabled": True}},
        "autoscaling.enabled is set, and the gateways share no Redis",
    ),
    "two stores": (
        {"valkey": {"enabled": True, "existingSecret": "a"}, **SHARED},
        "valkey.enabled and redis are two stores",
    ),
    "an open Valkey": ({"valkey": {"enabled": True}}, "valkey.existingSecret is needed"),
    "authorities without a certificate": (
        {"tls": {"clientCa": True}},
        "tls.clientCa needs tls.existingSecret",
    ),
    "probes that are kept out": (
        {"tls": {"existingSecret": "tls", "clientCa": True}, "operations": {"enabled": False}},
        "probes have no certificate to show",
    ),
    "reviews by nobody": (
        {"access": {"tokenReview": {"audiences": ["a"]}}},
        "access.tokenReview.audiences needs kubernetes.enabled",
    ),
    "two scrapes": (
        {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}},
        "scrape everything twice",
    ),
    "pods scraped by no port": (
        {"podMonitor": {"enabled": True}, "operations": {"enabled": False}},
        "podMonitor.enabled needs operations.enabled",
    ),
    "certificates of nobody": (
        {"access": {"certificates": True}},
        "access.certificates needs tls.clientCa",
    ),
    "two doors in one": ({"operations": {"port": 8080}}, "choose another"),
    "a claim of many": (
        {"state": {"existingClaim": "state"}, "replicaCount": 2},
        "the gateways share no Redis",
    ),
    "a setting that follows": (
        {"config": {"port": 80}},
        "config.port follows from other values: set service instead",
    ),
    "a word of what follows": (
        {"config": {"access": {"tokenReview": {"audiences": []}}}},
        "config.access.tokenReview.audiences follows from other values",
    ),
    "a budget of nothing": ({"access": {"budget": {"perSecond": 0}}}, "/access/budget/perSecond"),
    "a budget for nobody": ({"access": {"policy": {"rules": [], "budgets": [{}]}}}, "callers"),
    "rights that follow": (
        {"config": {"kubernetes": {"connect": "in-cluster"}}},
        "config.kubernetes.connect follows from other values: set kubernetes.enabled instead",
    ),
    "no address of the API server": (
        {"networkPolicy": {"apiServer": {"networks": []}}},
        "/networkPolicy/apiServer/networks",
    ),
    "no port of it": ({"networkPolicy": {"apiServer": {"ports": []}}}, "apiServer/ports"),
    "ports of it that are null": (
        {"networkPolicy": {"apiServer": {"ports": None}}},
        "missing property 'ports'",
    ),
    "nobody who knows names": ({"networkPolicy": {"dns": {"peers": []}}}, "dns/peers"),
    "a peer that is everybody": ({"networkPolicy": {"callers": [{}]}}, "/networkPolicy/callers/0"),
    "a section that is null": ({"tls": None}, "missing property 'tls'"),
    "a section of one that is null": ({"access": {"tokens": None}}, "missing property 'tokens'"),
    "a port that is null": ({"service": {"port": None}}, "missing property 'port'"),
    "an Ingress of null hosts": ({"ingress": {"enabled": True, "hosts": None}}, "'hosts'"),
    "the account of others": (
        {"serviceAccount": {"create": False}, **CLUSTER},
        "the rights would be those of the account `default`",
    ),
    "templates that are not read": (
        {"kubernetes": {"enabled": True, "readTemplates": False, "clusterTemplates": True}},
        "kubernetes.readTemplates is false: leave out",
    ),
    "a label by which pods are selected": (
        {"commonLabels": {"app.kubernetes.io/name": "x"}},
        "invalid propertyName 'app.kubernetes.io/name'",
    ),
    "the same of pods": (
        {"podLabels": {"app.kubernetes.io/component": "x"}},
        "invalid propertyName",
    ),
    "a label that is none": ({"commonLabels": {"team": "a b"}}, "/commonLabels/team"),
    "a name with dots": ({"fullnameOverride": "a.b"}, "/fullnameOverride"),
    "a name that begins with a digit": ({"fullnameOverride": "1a"}, "/fullnameOverride"),
    "a name that is too long": ({"fullnameOverride": "a" * 53}, "/fullnameOverride"),
    "a part of a name that is too long": ({"nameOverride": "a" * 64}, "/nameOverride"),
    "more than the most": (
        {"autoscaling": {"enabled": True, "minReplicas": 9}, **SHARED},
        "autoscaling.minReplicas is more than autoscaling.maxReplicas",
    ),
    "a share of nothing": (
        {"autoscaling": {"enabled": True}, "resources": None, **SHARED},
        "set resources.requests.cpu",
    ),
    "a secret that is two": (
        {"secrets": [{"namespace": "a", "name": "b", "existingSecret": x} for x in ("c", "d")]},
        "secrets has a/b twice",
    ),
    "a claim beside a Redis": (
        {"state": {"existingClaim": "state"}, **SHARED},
        "state.existingClaim is for the private Redis of one gateway",
    ),
    "a claim of many with their own settings": (
        {"state": {"existingClaim": "a"}, "existingConfigSecret": "b", "replicaCount": 2},
        "state.existingClaim is for the private Redis of one gateway",
    ),
    "a gateway that only its pod reaches": (
        {"config": {"host": "127.0.0.1"}},
        "config.host is a loopback address",
    ),
    "health that only its pod reaches": (
        {"config": {"operations": {"host": "::1"}}},
        "config.operations.host is a loopback address",
    ),
    "a secret in a ConfigMap": (
        {"config": {"readings": {"hashKey": "hush"}}},
        "config.readings.hashKey is a secret",
    ),
    "Argo Rollouts that is kept out": (
        {
            "tls": {"existingSecret": "tls", "clientCa": True},
            "analysisTemplates": {"enabled": True},
        },
        "Argo Rollouts has no certificate to show",
    ),
    "a certificate that is none": (
        {"analysisTemplates": {"enabled": True, "insecure": True}},
        "analysisTemplates.insecure is for a gateway with a certificate",
    ),
    "a class of no load balancer": (
        {"service": {"loadBalancerClass": "a"}},
        "service.loadBalancerClass and service.loadBalancerSourceRanges need",
    ),
    "traffic of nobody outside": (
        {"service": {"externalTrafficPolicy": "Local"}},
        "service.externalTrafficPolicy needs",
    ),
    "a memory that is none": ({"valkey": {"maxMemory": "512Mi"}}, "/valkey/maxMemory"),
}
"""Values, and what the refusal says."""
