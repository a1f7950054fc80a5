"""The AnalysisTemplates with which Argo Rollouts asks the gateway."""

from pathlib import Path

import pytest
import yaml
from chart.releases import chart
from chart.rendering import FULLNAME, NAMESPACE, needs_helm
from plugins import with_example

from gateway.documents import Syntax, read_documents
from gateway.lint import Severity, lint
from gateway.template import parse

pytestmark = needs_helm
EXAMPLES = Path(__file__).resolve().parents[2] / "examples/argo-rollouts"


def test_templates_for_argo_can_be_used() -> None:
    """They are well formed, and know where the gateway is."""
    for template in chart("templates for Argo Rollouts").of("AnalysisTemplate"):
        parse(template)
        (document,) = read_documents(
            yaml.safe_dump(template).encode(), name="t", syntax=Syntax.YAML
        )
        found = lint([document], provider_types=with_example(), environ={}, lookup=lambda _: None)
        assert [each for each in found if each.severity is Severity.ERROR] == []
        args = {each["name"]: each for each in template["spec"]["args"]}
        assert args["gateway"]["value"] == f"http://{FULLNAME}.{NAMESPACE}.svc:8080"
        assert "{{args.token}}" in yaml.safe_dump(template)


@pytest.mark.parametrize("name", ["gateway-verdict", "gateway-run"])
def test_templates_for_argo_are_those_of_the_examples(name: str) -> None:
    """With a credential: what was tried with Argo Rollouts is what is installed."""
    (template,) = (
        each
        for each in chart("templates for Argo Rollouts").of("AnalysisTemplate")
        if each["metadata"]["name"] == name
    )
    example = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    own = {"gateway", "token", "namespace"}
    arguments = [each for each in template["spec"]["args"] if each["name"] not in own]
    assert arguments == [each for each in example["spec"]["args"] if each["name"] not in own]
    for metric in template["spec"]["metrics"]:
        headers = metric["provider"]["web"]["headers"]
        assert headers.pop(0) == {"key": "Authorization", "value": "Bearer {{args.token}}"}
        if not headers:
            del metric["provider"]["web"]["headers"]
    assert template["spec"]["metrics"] == example["spec"]["metrics"]


def test_templates_for_argo_may_be_of_a_second_gateway_with_any_certificate() -> None:
    """Argo knows the authorities of its image only."""
    templates = chart("TLS without operations").of("AnalysisTemplate")
    assert {each["metadata"]["name"] for each in templates} == {
        "second-gateway-run",
        "second-gateway-verdict",
    }
    for template in templates:
        parse(template)
        for metric in template["spec"]["metrics"]:
            assert metric["provider"]["web"]["insecure"] is True


def test_templates_for_argo_ask_for_those_of_their_own_namespace() -> None:
    """Unless the analysis says another."""
    templates = chart("everything").of("AnalysisTemplate")
    assert {each["metadata"]["namespace"] for each in templates} == {"shop", "checkout"}
    for template in templates:
        args = {each["name"]: each for each in template["spec"]["args"]}
        assert args["namespace"]["value"] == template["metadata"]["namespace"]
