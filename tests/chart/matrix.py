"""Values of the chart that must give good manifests."""

from typing import Any, Final

Values = dict[str, Any]


def with_tokens(values: Values) -> Values:
    """The values, and tokens of callers."""
    return {**values, "access": {**_TOKENS, **values.get("access", {})}}


_TOKENS: Final[Values] = {"tokens": {"existingSecret": "tokens"}}
SHARED: Final[Values] = {"redis": {"existingSecret": "redis", "key": "url"}}
CLUSTER: Final[Values] = {"kubernetes": {"enabled": True}}
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
    **SHARED,
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
    "token reviews": {"access": {"tokenReview": {"audiences": ["gateway"]}}, **CLUSTER},
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
    "a Redis by Secret": {**SHARED, "replicaCount": 5},
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
    "a cluster": CLUSTER,
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
        **CLUSTER,
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
    "a network policy": {"networkPolicy": {"enabled": True}, **CLUSTER},
    "a network policy of egress": {
        "networkPolicy": {"enabled": True},
        "config": {"egress": EGRESS},
        **SHARED,
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
