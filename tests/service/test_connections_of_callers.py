"""A caller needs a rule for a connection, whatever it asks for."""

from pathlib import Path
from typing import Any

import pytest
from backends import Play, backend
from guarded import ALICE, BOB, access, bearer, put, rule
from running import service, template, web_metric

LACKING = "connection vendor: no rule of the policy lets the caller use it (connections)"
GREEN = 'result == "green"'
ACTIONS = ("verdict", "run", "inline")
SPOOFED = {"analysis-gateway/connections": '["vendor"]', "analysis-gateway/named": "true"}


def brought_run(metric: dict[str, Any]) -> dict[str, Any]:
    """A run whose manifest says that it may."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": "r", "annotations": SPOOFED},
        "spec": {"metrics": [metric]},
    }


@pytest.mark.parametrize(
    ("path", "is_named"),
    [
        pytest.param("/v1/verdict?namespace=shop", True, id="a-verdict"),
        pytest.param("/v1/verdict?namespace=shop", False, id="a-verdict-on-what-is-brought"),
        pytest.param("/v1/runs?namespace=shop&wait=8s", True, id="a-run"),
        pytest.param("/v1/runs?namespace=shop&wait=8s", False, id="a-run-that-is-brought"),
    ],
)
async def test_who_has_no_rule_for_it_is_refused(
    tmp_path: Path,
    path: str,
    is_named: bool,  # noqa: FBT001 - from a table
) -> None:
    """Before anything is sent; who has one gets an answer, and neither gets the other's."""
    rules = [
        rule(*ACTIONS, connections=["vend*"]),
        rule(*ACTIONS, callers=["token:bob"], connections=["other"]),
    ]
    async with backend(Play('"green"')) as upstream:
        metric = web_metric(upstream.url, GREEN, consecutiveErrorLimit=0)
        put(tmp_path / "templates", "shop", "t", metric)
        body: object = {"templates": [{"templateName": "t"}]}
        if not is_named:
            body = brought_run(metric) if "runs" in path else template(metric)
        vendor = {
            "name": "vendor",
            "url": upstream.url,
            "headers": [{"name": "X-Key", "value": "k"}],
            "namespaces": ["shop"],
            "templates": "all",
        }
        async with service(
            tmp_path / "state",
            access=access(tmp_path / "access", *rules),
            templates=tmp_path / "templates",
            connections=[vendor],
            verdicts={"inlineTemplates": "allow"},
        ) as gateway:
            texts = []
            for token in (ALICE, BOB):
                reply = await gateway.post(path, body, **bearer(token))
                where = reply.headers.get("Location")
                if where:
                    found = await gateway.get(f"{where}?wait=8s", **bearer(token))
                    texts.append(found.text)
                else:
                    texts.append(reply.text)
    assert '"Successful"' in texts[0], texts[0]
    assert LACKING not in texts[0]
    assert LACKING in texts[1]
    assert '"Error"' in texts[1]
    assert [each.headers.get("X-Key") for each in upstream.requests] == ["k"]
