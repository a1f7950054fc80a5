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
    "commonLabels": {
        "team": "delivery",
        "release": "delivery",
        "app.kubernetes.io/part-of": "platform",
    },
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
    "podAnnotations": {"example.com/a": "b", "checksum/config": "none"},
    "podLabels": {"example.com/c": "d", "team": "shop"},
}
"""All that fits together."""

MATRIX: Final[dict[str, Values]] = {
    "as little as possible": {},
    "everything": EVERYTHING,
    "a long name": {
        "fullnameOverride": "a" * 52,
        "nameOverride": "b" * 63,
        "valkey": {"enabled": True, "existingSecret": "valkey"},
        "kubernetes": {"enabled": True, "templates": ["shop"], "clusterTemplates": True},
        "dashboards": {"enabled": True, "namespace": "monitoring"},
    },
    "words that YAML takes for others": {
        "fullnameOverride": "true",
        "nameOverride": "1e6",
        "commonLabels": {"on": "off"},
        "existingConfigSecret": "1",
        "existingTemplatesConfigMap": "2",
        "access": {"tokens": {"existingSecret": "3"}, "existingPolicyConfigMap": "4"},
        "tls": {"existingSecret": "5"},
        "redis": {"existingSecret": "6", "key": "true"},
        "secrets": [{"namespace": "7", "name": "8", "existingSecret": "9"}],
        "kubernetes": {
            "enabled": True,
            "templates": ["10"],
            "jobs": {"namespaces": ["11"], "namespace": "12"},
        },
        "serviceAccount": {"create": False, "name": "13"},
        "priorityClassName": "14",
        "ingress": {"enabled": True, "className": "15", "hosts": ["16"]},
        "dashboards": {"enabled": True, "namespace": "17", "label": "18", "labelValue": "19"},
        "analysisTemplates": {
            "enabled": True,
            "namespaces": ["20"],
            "tokenSecret": {"name": "21", "key": "22"},
        },
        "networkPolicy": {"enabled": True},
        "config": {"egress": {"named": [{"name": "a", "hosts": ["a.23.svc"]}]}},
    },
    "OpenShift": {
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
        "valkey": {
            "enabled": True,
            "existingSecret": "valkey",
            "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
        },
    },
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
    "settings in a Secret": {"existingConfigSecret": "settings", "replicaCount": 2},
    "a policy": {"access": {"policy": _POLICY}},
    "a policy elsewhere": {"access": {"existingPolicyConfigMap": "policy"}},
    "token reviews": {"access": {"tokenReview": {"audiences": ["gateway"]}}, **_CLUSTER},
    "TLS": {"tls": {"existingSecret": "tls"}},
    "TLS without operations": {
        "tls": {"existingSecret": "tls"},
        "operations": {"enabled": False},
        "serviceMonitor": {"enabled": True, "tlsConfig": {"insecureSkipVerify": True}},
        "analysisTemplates": {"enabled": True, "insecure": True, "namePrefix": "second-"},
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
        "service": {
            "type": "LoadBalancer",
            "port": 443,
            "annotations": {"a/b": "c"},
            "ipFamilyPolicy": "PreferDualStack",
            "loadBalancerClass": "example.com/own",
            "loadBalancerSourceRanges": ["203.0.113.0/24"],
            "externalTrafficPolicy": "Local",
        }
    },
    "a Redis by URL": {"redis": {"url": "redis://redis.data.svc:6379/0"}, "replicaCount": 2},
    "a Redis by Secret": {**_SHARED, "replicaCount": 5},
    "Valkey": {
        "valkey": {"enabled": True, "existingSecret": "valkey", "maxMemory": "96mb"},
        "replicaCount": 2,
        "networkPolicy": {"enabled": True},
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"pool": "analysis"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "priorityClassName": "high",
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
    "no templates": {
        "kubernetes": {
            "enabled": True,
            "readTemplates": False,
            "secrets": {"namespaces": ["shop"]},
        }
    },
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
        "autoscaling.enabled is set, and the gateways share no Redis",
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
        {"serviceAccount": {"create": False}, **_CLUSTER},
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
        {"autoscaling": {"enabled": True, "minReplicas": 9}, **_SHARED},
        "autoscaling.minReplicas is more than autoscaling.maxReplicas",
    ),
    "a share of nothing": (
        {"autoscaling": {"enabled": True}, "resources": None, **_SHARED},
        "set resources.requests.cpu",
    ),
    "a secret that is two": (
        {"secrets": [{"namespace": "a", "name": "b", "existingSecret": x} for x in ("c", "d")]},
        "secrets has a/b twice",
    ),
    "a claim beside a Redis": (
        {"state": {"existingClaim": "state"}, **_SHARED},
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
