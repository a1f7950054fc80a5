"""Templates, connections and folders that hold secrets wherever one can be held."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from mirrors import SLOW
from planted import Vault
from running import template, web_metric

CONNECTED = ("bearer", "file", "basic", "header")
"""What a connection may have, and the path of its upstream."""


@dataclass
class Holders:
    """Everything that a gateway is given, with a secret of its own in every place."""

    vault: Vault
    folder: Path
    namespace: str
    """That of the analyses; the gateway's own is ``own``."""
    args: list[dict[str, Any]] = field(default_factory=list)

    def file(self, namespace: str, name: str, key: str, content: str) -> None:
        """A key of a Secret in the folder of secrets."""
        path = self.folder / "secrets" / namespace / name / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def arg(self, name: str, secret: str = "") -> str:
        """An argument whose value is a secret of the analyses' namespace."""
        if not any(each["name"] == name for each in self.args):
            value = secret or self.vault.odd(f"args.{name}")
            self.file(self.namespace, "vault", name, value)
            ref = {"name": "vault", "key": name}
            self.args.append({"name": name, "valueFrom": {"secretKeyRef": ref}})
        return f"{{{{args.{name}}}}}"

    def web(self, url: str) -> Iterator[dict[str, Any]]:
        """Metrics that ask a web server."""
        arg = self.arg
        yield web_metric(f"{url}/?q={arg('in-url')}", "result.x > 1", name="in-url")
        yield web_metric(url, f"result == `{arg('in-condition')}`", name="in-condition")
        bad = f"result >= `{arg('in-bad-condition')}` >= "
        yield web_metric(url, bad, name="in-bad-condition")
        yield web_metric(url, "true", name="in-json-path", jsonPath=f"{{.{arg('in-json-path')}}}")
        yield web_metric(f"http://127.0.0.1:1/{arg('in-refused')}", "true", name="in-refused-url")
        bad = arg("in-bad-url")
        yield web_metric(f"http://u:{bad}@{bad}/", "true", name="in-bad-url")
        password = arg("in-user", self.vault.plain("args.in-user"))
        place = url.partition("://")[2]
        yield web_metric(f"http://u:{password}@{place}", "result == 'x'", name="in-user")
        for name, header in {
            "in-header": {"key": "X-Key", "value": arg("in-header")},
            "in-authorization": {"key": "Authorization", "value": f"Bearer {arg('in-bearer')}"},
            "in-bad-header": {"key": arg("in-bad-header"), "value": "x"},
        }.items():
            yield {"name": name, "provider": {"web": {"url": url, "headers": [header]}}}
        yield web_metric(url, 'result.k == "no"', name="is-answered")
        body = {"url": url, "method": "POST", "jsonBody": {"k": [arg("in-body")]}}
        yield {"name": "in-body", "provider": {"web": body}}
        oauth2 = {"oauth2": self.oauth2(url, "of-web")}
        yield {
            "name": "in-oauth2-of-web",
            "provider": {"web": {"url": url, "authentication": oauth2}},
        }
        for kind in CONNECTED:
            yield web_metric(f"{url}/{kind}", "result == 1", name=f"connected-{kind}")

    def oauth2(self, url: str, name: str) -> dict[str, Any]:
        """A client; mirrors grant tokens at ``/token``."""
        secret = self.arg(f"client-{name}")
        return {"tokenUrl": f"{url}/token", "clientId": "c", "clientSecret": secret}

    def prometheus(self, url: str) -> Iterator[dict[str, Any]]:
        """Metrics that ask a Prometheus."""
        arg = self.arg
        basic = {"basicAuth": {"username": "u", "password": arg("in-basic")}}
        refused = {"tokenUrl": f"{url}/refused", "clientId": "c", "clientSecret": arg("refused")}
        blocks: dict[str, dict[str, Any]] = {
            "in-query": {"query": f'up{{t="{arg("in-query")}"}}'},
            "in-basic-auth": {"authentication": basic},
            "in-oauth2": {"authentication": {"oauth2": self.oauth2(url, "of-prometheus")}},
            "in-refused-oauth2": {"authentication": {"oauth2": refused}},
            "in-address": {"address": f"{url}/{arg('in-address')}"},
            "in-range": {
                "rangeQuery": {
                    "start": f"now() - `{arg('in-start')}`",
                    "end": "now()",
                    "step": arg("in-step"),
                }
            },
            "signed": {
                "address": f"{url}/aps-workspaces/x",
                "authentication": {"sigv4": {"region": "eu-west-1"}},
            },
        }
        for name, block in blocks.items():
            whole = {"address": url, "query": 'up{a="b"}', **block}
            rule = "result[0] > 1"
            yield {"name": name, "successCondition": rule, "provider": {"prometheus": whole}}

    def vendors(self, way: str, url: str) -> Iterator[dict[str, Any]]:
        """Metrics whose vendors get a secret that no template has."""
        plain, file = self.vault.plain, self.file
        place = url.partition("://")[2]
        for name, address in {
            "datadog": f"http://u:{plain('the URL of datadog')}@{place}",
            "broken": f"http://u:{self.vault.odd('a broken URL of datadog')}@h",
            "opaque": f"u:{self.vault.odd('an opaque URL of datadog')}@h",
        }.items():
            file("own", f"{name}-{way}", "address", address)
            file("own", f"{name}-{way}", "api-key", plain(f"api-key of {name}"))
            # A line break in a header: the request cannot be sent, and the error must not say it.
            end = "\n" if name == "opaque" else ""
            file("own", f"{name}-{way}", "app-key", plain(f"app-key of {name}") + end)
            for version in ("v1", "v2"):
                block = {
                    "query": "a",
                    "apiVersion": version,
                    "secretRef": {"name": f"{name}-{way}"},
                }
                yield {"name": f"{name}-{version}", "provider": {"datadog": block}}
        yield {"name": "datadog-of-the-environment", "provider": {"datadog": {"query": "a"}}}
        file("own", f"influx-{way}", "address", url)
        file("own", f"influx-{way}", "authToken", plain("influxdb"))
        file("own", f"influx-{way}", "org", "o")
        influx = {"query": "q", "profile": f"influx-{way}"}
        yield {"name": "influx", "provider": {"influxdb": influx}}
        for end in ("", "\n"):
            name = f"nr-{way}{'-broken' * bool(end)}"
            file("own", name, "personal-api-key", plain(f"new relic{end}") + end)
            file("own", name, "account-id", "1")
            file("own", name, "base-url-nerdgraph", url)
            yield {"name": name, "provider": {"newRelic": {"query": "q", "profile": name}}}
        file("own", f"nr-{way}-mixed", "personal-api-key", "k")
        file("own", f"nr-{way}-mixed", "account-id", plain("a key in the wrong place"))
        mixed = {"query": "q", "profile": f"nr-{way}-mixed"}
        yield {"name": "nr-mixed", "provider": {"newRelic": mixed}}
        file("own", "wavefront-api-tokens", place, plain("wavefront"))
        yield {"name": "wavefront", "provider": {"wavefront": {"query": "a", "address": place}}}
        yield {
            "name": "cloudwatch",
            "provider": {"cloudWatch": {"metricDataQueries": [{"id": "a", "expression": "a"}]}},
        }

    def others(self, url: str) -> Iterator[dict[str, Any]]:
        """Metrics whose addresses have the credentials in them."""
        arg, plain = self.arg, self.vault.plain
        place = url.partition("://")[2]
        for name in ("graphite", "skywalking"):
            block = {"address": f"http://u:{arg(name, plain(name))}@{place}", "query": "target=a"}
            yield {
                "name": name,
                "provider": {name: block | ({"interval": "3m"} if name == "skywalking" else {})},
            }
        kayenta = {
            "address": f"{url}/{arg('kayenta')}",
            "application": "a",
            "canaryConfigName": "c",
            "metricsAccountName": "m",
            "configurationAccountName": "c",
            "storageAccountName": "s",
            "threshold": {"pass": 90, "marginal": 75},
            "scopes": [
                {
                    "name": "default",
                    "controlScope": {"scope": "a", "region": "b", "step": 60},
                    "experimentScope": {"scope": arg("kayenta"), "region": "b", "step": 60},
                }
            ],
        }
        yield {"name": "kayenta", "provider": {"kayenta": kayenta}}
        yield {"name": "env-prometheus", "provider": {"prometheus": {"query": "a"}}}

    def metrics(self, way: str, url: str) -> list[dict[str, Any]]:
        """All of them, for a mirror; none is measured twice."""
        found = [*self.web(url), *self.prometheus(url)]
        if way != SLOW:
            found += [*self.vendors(way, url), *self.others(url)]
        for metric in found:
            metric |= {"consecutiveErrorLimit": 0, "failureLimit": 99}
        return found

    def templates(self, urls: Mapping[str, str]) -> Path:
        """The folder of templates, one for each mirror."""
        folder = self.folder / "templates"
        folder.mkdir()
        for way, url in urls.items():
            document = template(*self.metrics(way, url), args=self.args)
            document["metadata"] = {"name": way, "namespace": self.namespace}
            (folder / f"{way}.yaml").write_text(yaml.safe_dump(document))
        return folder

    def connections(self, urls: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """One of each kind for each mirror."""
        for kind in CONNECTED:
            self.file("own", "upstream", kind, f"{self.vault.odd(f'connection, {kind}')}\n")
        token = self.folder / "secrets/own/upstream/file"
        for way, url in urls.items():
            for kind, credential in {
                "bearer": {"bearer": {"secret": "upstream/bearer"}},
                "file": {"bearer": {"file": str(token)}},
                "basic": {"basicAuth": {"username": "u", "secret": "upstream/basic"}},
                "header": {"headers": [{"name": "X-K", "secret": "upstream/header"}]},
            }.items():
                yield {
                    "name": f"{kind}-{way}",
                    "url": f"{url}/{kind}",
                    "namespaces": ["*"],
                    **credential,
                }

    def environ(self, urls: Mapping[str, str]) -> dict[str, str]:
        """What is held by the environment of the process."""
        plain = self.vault.plain
        place = urls["failure"].partition("://")[2]
        address = f"http://u:{quote(self.vault.odd('the address of Prometheus'), safe='')}@{place}"
        return {
            "DD_API_KEY": plain("DD_API_KEY"),
            "DD_APP_KEY": plain("DD_APP_KEY"),
            "DD_ADDRESS": urls["refusal"],
            "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": address,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": plain("AWS_SECRET_ACCESS_KEY"),
            "AWS_SESSION_TOKEN": plain("AWS_SESSION_TOKEN"),
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_CLOUDWATCH": urls["refusal"],
        }
