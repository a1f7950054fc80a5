"""Values of the chart: those that must give good manifests, and those that must be refused."""

from typing import Any, Final

Values = dict[str, Any]


def with_tokens(values: Values) -> Values:
    """The values, and tokens of callers."""
    return {**values, "access": {**_TOKENS, **values.get("access", {})}}


_TOKENS: Final[Values] = {"tokens": {"existingSecret": "tokens"}}
_SHARED: Final[Values] = {"redis": {"existingSecret": "redis", "key": "url"}}
_CLUSTER: Final[Values] = {"kubernetes": {"enabled": True}}
_POLICY: Final[Values] = {
    "rules": [
        {
            "callers": ["token:argo-rollouts"],
            "actions": ["verdict", "run"],
            "namespaces": ["shop"],
            "templates": ["release*"],
        },
        {"callers": ["token:prometheus"], "actions": ["metrics"]},
    ]
}
EGRESS: Final[Values] = {
    "named": [
        {
            "name": "prometheus",
            "schemes": ["http"],
            "hosts": ["prometheus.monitoring.svc"],
            "ports": [9090],
        },
        {"name": "office", "networks": ["10.20.0.0/16"], "ports": ["9000-9100", 443]},
        {"name": "vendors", "schemes": ["https"], "hosts": ["api.datadoghq.eu", "*.example.com"]},
        {"name": "addresses", "hosts": ["10.1.2.3", "[fd00:1::5]"]},
    ],
    "inline": [{"name": "tests", "hosts": ["*.shop.svc.cluster.local"], "ports": [80]}],
}
EVERYTHING: Final[Values] = {
    "replicaCount": 3,
    "commonLabels": {"team": "delivery"},
    "image": {
        "repository": "registry.example/analysis-gateway",
        "digest": f"sha256:{'0' * 64}",
    },
    "imagePullSecrets": [{"name": "registry"}],
    "config": {
        "logLevel": "debug",
        "egress": EGRESS,
        "limits": {"responseBytes": 104_857_600},
        "runs": {"maxDuration": "48h"},
        "connections": [
            {
                "name": "prometheus",
                "url": "http://prometheus.monitoring.svc:9090",
                "bearer": {"secret": "prometheus/token"},
                "namespaces": ["shop"],
            }
        ],
    },
    "access": {
        "policy": _POLICY,
        "tokens": {"existingSecret": "tokens"},
        "tokenReview": {"audiences": ["analysis-gateway"]},
        "jwt": [
            {
                "name": "github",
                "issuer": "https://token.actions.githubusercontent.com",
                "audiences": ["analysis-gateway"],
            }
        ],
        "certificates": True,
    },
    "tls": {"existingSecret": "tls", "clientCa": True, "clientCertificates": "optional"},
    "kubernetes": {
        "enabled": True,
        "templates": ["shop", "checkout"],
        "clusterTemplates": True,
        "secrets": {"namespaces": ["shop", "analysis"], "names": ["datadog", "prometheus"]},
        "jobs": {"namespaces": ["shop"]},
    },
    "secrets": [{"namespace": "analysis", "name": "datadog", "existingSecret": "datadog-keys"}],
    **_SHARED,
    "autoscaling": {"enabled": True, "maxReplicas": 9},
    "podDisruptionBudget": {"enabled": True},
    "networkPolicy": {
        "enabled": True,
        "callers": [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}],
        "redis": {"peers": [{"ipBlock": {"cidr": "10.9.0.0/24"}}]},
        "extraEgress": [{"to": [{"podSelector": {}}]}],
    },
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "hosts": ["analysis.example.com"],
        "tls": [{"secretName": "ingress", "hosts": ["analysis.example.com"]}],
    },
    "httpRoute": {
        "enabled": True,
        "parentRefs": [{"name": "public", "namespace": "gateways"}],
        "hostnames": ["analysis.example.com"],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}},
    "prometheusRule": {"enabled": True, "disabled": ["AnalysisGatewayIdle"]},
    "dashboards": {"enabled": True, "annotations": {"grafana_folder": "Delivery"}},
    "analysisTemplates": {"enabled": True, "namespaces": ["shop", "checkout"]},
    "hostAliases": [{"ip": "10.0.0.5", "hostnames": ["prometheus.example"]}],
    "extraEnv": [{"name": "DD_ADDRESS", "value": "https://api.datadoghq.eu"}],
    "extraEnvFrom": [{"secretRef": {"name": "vendors"}}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "podAnnotations": {"example.com/a": "b"},
    "podLabels": {"example.com/c": "d"},
}
"""All that fits together."""

MATRIX: Final[dict[str, Values]] = {
    "as little as possible": {},
    "everything": EVERYTHING,
    "a long name": {"fullnameOverride": "a" * 100},
    "a name of its own": {"nameOverride": "judge"},
    "a tag": {"image": {"tag": "1.2.3"}},
    "settings": {"config": {"verdicts": {"wait": "5s"}, "audit": {"entries": 2_000_000}}},
    "settings beside those of the chart": {
        "config": {
            "host": "::",
            "operations": {"host": "::"},
            "access": {"tokenReview": {"ttl": "30s", "refusedTtl": "5s"}},
            "kubernetes": {
                "timeout": "5s",
                "resync": "10m",
                "secretsTtl": "5s",
                "jobs": {"allow": ["hostPorts"], "activeDeadline": "5m", "ttlAfterFinished": "1m"},
            },
        },
        "access": {"tokenReview": {"audiences": ["analysis-gateway"]}},
        "kubernetes": {"enabled": True, "jobs": {"namespaces": ["shop"]}},
    },
    "budgets of callers": {
        "access": {
            "budget": {"perSecond": 50, "queue": 0},
            "policy": {"rules": [], "budgets": [{"callers": ["jwt:github:*"], "perSecond": 5}]},
        }
    },
    "settings in a Secret": {"existingConfigSecret": "settings"},
    "a policy": {"access": {"policy": _POLICY}},
    "a policy elsewhere": {"access": {"existingPolicyConfigMap": "policy"}},
    "token reviews": {"access": {"tokenReview": {"audiences": ["gateway"]}}, **_CLUSTER},
    "TLS": {"tls": {"existingSecret": "tls"}},
    "TLS without operations": {
        "tls": {"existingSecret": "tls"},
        "operations": {"enabled": False},
    },
    "certificates of callers": {"tls": {"existingSecret": "tls", "clientCa": True}},
    "no operations port": {
        "operations": {"enabled": False},
        "serviceMonitor": {
            "enabled": True,
            "authorization": {"credentials": {"name": "scraper", "key": "token"}},
        },
        "networkPolicy": {"enabled": True},
    },
    "another operations port": {"operations": {"port": 9191}, "podMonitor": {"enabled": True}},
    "a load balancer": {
        "service": {"type": "LoadBalancer", "port": 443, "annotations": {"a/b": "c"}}
    },
    "a Redis by URL": {"redis": {"url": "redis://redis.data.svc:6379/0"}, "replicaCount": 2},
    "a Redis by Secret": {**_SHARED, "replicaCount": 5},
    "Valkey": {
        "valkey": {"enabled": True, "existingSecret": "valkey"},
        "replicaCount": 2,
        "networkPolicy": {"enabled": True},
    },
    "Valkey without a volume": {
        "valkey": {
            "enabled": True,
            "existingSecret": "valkey",
            "persistence": {"enabled": False},
            "image": {"digest": f"sha256:{'1' * 64}"},
        }
    },
    "Valkey in a class": {
        "valkey": {
            "enabled": True,
            "existingSecret": "valkey",
            "persistence": {"storageClass": "fast", "size": "10Gi"},
        }
    },
    "a cluster": _CLUSTER,
    "some namespaces": {"kubernetes": {"enabled": True, "templates": ["shop", "checkout"]}},
    "all namespaces": {"kubernetes": {"enabled": True, "allNamespaces": True}},
    "templates of the cluster": {"kubernetes": {"enabled": True, "clusterTemplates": True}},
    "secrets": {"kubernetes": {"enabled": True, "secrets": {"namespaces": ["shop"]}}},
    "Jobs": {"kubernetes": {"enabled": True, "jobs": {"namespaces": ["shop"]}}},
    "Jobs in one namespace": {
        "kubernetes": {"enabled": True, "jobs": {"namespaces": ["shop"], "namespace": "jobs"}}
    },
    "rights of others": {
        **_CLUSTER,
        "rbac": {"create": False},
        "serviceAccount": {"create": False, "name": "own"},
    },
    "a cloud's role": {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:x"}}},
    "templates": {
        "templates": {
            "color.yaml": "kind: AnalysisTemplate\n",
            "more.json": {"kind": "AnalysisTemplate", "spec": {"args": [{"name": "{{a}}"}]}},
        }
    },
    "templates elsewhere": {"existingTemplatesConfigMap": "templates"},
    "mounted secrets": {
        "secrets": [
            {"namespace": "shop", "name": "login", "existingSecret": "shop-login"},
            {"namespace": "bank", "name": "login", "existingSecret": "bank-login"},
        ]
    },
    "a volume": {"state": {"existingClaim": "state"}},
    "no limits": {"resources": {"limits": None, "requests": None}},
    "a long drain": {"shutdown": {"delaySeconds": 15, "graceSeconds": 120}},
    "own spread": {
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}
        ]
    },
    "a network policy": {"networkPolicy": {"enabled": True}, **_CLUSTER},
    "a network policy of egress": {
        "networkPolicy": {"enabled": True},
        "config": {"egress": EGRESS},
        **_SHARED,
    },
    "a network policy that allows nothing": {
        "networkPolicy": {"enabled": True},
        "config": {"egress": {"named": []}},
    },
    "alerts": {"prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}}},
    "dashboards": {"dashboards": {"enabled": True}},
    "dashboards elsewhere": {
        "dashboards": {
            "enabled": True,
            "namespace": "monitoring",
            "label": "grafana.example/dashboard",
            "labelValue": "yes",
        }
    },
    "templates for Argo Rollouts": {"analysisTemplates": {"enabled": True}},
}
"""By what they choose, beside a way to prove who one is: see ``with_tokens``."""

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
        "autoscaling.enabled needs a Redis that the gateways share",
    ),
    "two stores": (
        {"valkey": {"enabled": True, "existingSecret": "a"}, **_SHARED},
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
}
"""Values, and what the refusal says."""
