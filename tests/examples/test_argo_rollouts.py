"""The manifests for Argo Rollouts, with our own engine in Argo's place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from guarded import ALICE, access, rule
from running import Service, service, template, web_metric

from gateway.documents import Syntax, read_documents
from gateway.lint import lint
from gateway.template import parse
from providers import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples/argo-rollouts"
VERDICT = "gateway-verdict.yaml"
RUN = "gateway-run.yaml"
GREEN = Play('"green"')
JUDGED = "judged"


def load(name: str) -> dict[str, Any]:
    """A manifest of the folder."""
    (content,) = yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))
    return dict(content)


def put_judged_into(folder: Path, upstream_url: str) -> Path:
    """The template in the gateway: green is Successful, red is Failed, else it is not known."""
    metric = web_metric(
        upstream_url + "/{{args.service}}",
        'result == "green"',
        failureCondition='result == "red"',
    )
    content = template(metric, args=[{"name": "service"}])
    content["metadata"] = {"name": JUDGED}
    folder.mkdir()
    (folder / "judged.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


async def measure_as_argo(
    argo: Service, manifest: Mapping[str, object], arguments: Mapping[str, str]
) -> dict[str, Any]:
    """One measurement of each metric: name to phase, value and message."""
    given = "&".join(f"args.{name}={value}" for name, value in arguments.items())
    reply = await argo.post(f"/v1/verdict?wait=10s&maxAge=0&{given}", yaml.safe_dump(manifest))
    assert reply.status == 200, reply.text
    return dict(reply.body["metrics"])


def arguments_of(analysis: Mapping[str, Any]) -> set[str]:
    """The names that a Rollout passes to an analysis."""
    return {each["name"] for each in analysis["args"]}


def analyses() -> Iterator[Any]:
    """Every analysis of every Rollout of the folder."""
    for path in sorted(FOLDER.glob("*.yaml")):
        manifest = load(path.name)
        if manifest["kind"] == "Rollout":
            for place, analysis in analyses_of(manifest["spec"]["strategy"]):
                yield pytest.param(analysis, id=f"{path.stem}-{place}")


def analyses_of(strategy: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The analyses of a strategy, each with its place."""
    canary, blue_green = strategy.get("canary", {}), strategy.get("blueGreen", {})
    for number, step in enumerate(canary.get("steps", [])):
        if "analysis" in step:
            yield f"step-{number}", step["analysis"]
    if "analysis" in canary:
        yield "background", canary["analysis"]
    for when in ("prePromotionAnalysis", "postPromotionAnalysis"):
        if when in blue_green:
            yield when, blue_green[when]


def test_linter_has_nothing_to_say() -> None:
    """About the whole folder: no error, and no warning either."""
    documents = [
        document
        for path in sorted(FOLDER.glob("*.yaml"))
        for document in read_documents(path.read_bytes(), name=path.name, syntax=Syntax.YAML)
    ]
    findings = lint(documents, provider_types=PROVIDERS, environ={}, lookup=lambda _: None)
    assert (len(documents), findings) == (5, ())


@pytest.mark.parametrize("name", [VERDICT, RUN])
def test_page_shows_the_file(name: str) -> None:
    """Who copies from the page gets what is tested here."""
    page = (ROOT / "docs/argo-rollouts.md").read_text(encoding="utf-8")
    assert f"```yaml\n{(FOLDER / name).read_text(encoding='utf-8')}```" in page


@pytest.mark.parametrize("analysis", list(analyses()))
def test_rollout_names_a_template_that_ends(analysis: Mapping[str, Any]) -> None:
    """An example of ours with the argument that is passed: nobody waits for a run in vain."""
    given = {each["name"]: each.get("value") for each in analysis["args"]}
    path = ROOT / f"examples/templates/{given['template']}.yaml"
    documents = read_documents(path.read_bytes(), name=path.name, syntax=Syntax.YAML)
    assert lint(documents, provider_types=PROVIDERS, environ={}, lookup=lambda _: None) == ()
    (document,) = documents
    assert "service" in {each.name for each in parse(document.content).spec.args}


@pytest.mark.parametrize("analysis", list(analyses()))
def test_rollout_passes_what_its_template_needs(analysis: Mapping[str, Any]) -> None:
    """Each argument without a value, and none that the template does not know: Argo drops those."""
    (named,) = analysis["templates"]
    asked = parse(load(f"{named['templateName']}.yaml"))
    known = {each.name for each in asked.spec.args}
    needed = {each.name for each in asked.spec.args if each.value is None}
    assert needed <= arguments_of(analysis) <= known


@pytest.mark.parametrize(
    ("play", "asked", "phase", "value", "message"),
    [
        pytest.param(GREEN, JUDGED, "Successful", "Successful", "", id="successful"),
        pytest.param(Play('"red"'), JUDGED, "Failed", "Failed", "", id="failed"),
        pytest.param(Play('"blue"'), JUDGED, "Inconclusive", "Inconclusive", "", id="inconclusive"),
        pytest.param(
            Play(status=500),
            JUDGED,
            "Error",
            None,
            "received non 2xx response code: 503",
            id="an-error-is-measured-again",
        ),
        pytest.param(
            Play('"green"', delay_s=1),
            JUDGED,
            "Inconclusive",
            "Running",
            "",
            id="running-is-not-known-yet",
        ),
        pytest.param(
            GREEN,
            "misspelt",
            "Error",
            None,
            "received non 2xx response code: 404",
            id="an-unknown-template-is-an-error",
        ),
    ],
)
async def test_verdict_becomes_a_measurement(
    tmp_path: Path, play: Play, asked: str, phase: str, value: str | None, message: str
) -> None:
    """Argo records the phase that the gateway came to."""
    async with backend(play) as upstream:
        folder = put_judged_into(tmp_path / "templates", upstream.url)
        wait = "200ms" if play.delay_s else "8s"
        async with service(
            tmp_path / "state", templates=folder, verdicts={"wait": wait}
        ) as gateway:
            measured = await measure_as_argo(
                gateway,
                load(VERDICT),
                {"gateway": gateway.url, "template": asked, "service": "shop"},
            )
    found = measured["verdict"]
    assert (found["phase"], found["value"], found["message"]) == (phase, value, message)


@pytest.mark.parametrize("name", [VERDICT, RUN])
@pytest.mark.parametrize(
    "play",
    [
        pytest.param(Play(""), id="an-empty-body"),
        pytest.param(Play("<html>Please log in</html>"), id="a-page-to-log-in"),
        pytest.param(Play("OK"), id="a-text"),
        pytest.param(Play("null"), id="null"),
        pytest.param(Play("{}"), id="an-empty-object"),
        pytest.param(Play('{"phase": null, "status": {"phase": null}}'), id="no-phase"),
        pytest.param(Play('{"phase": "Successful", "status": {'), id="half-an-answer"),
        pytest.param(Play(status=302, headers={"Location": "/login"}), id="a-redirect-in-circles"),
    ],
)
async def test_what_is_no_verdict_never_passes(tmp_path: Path, name: str, play: Play) -> None:
    """Who answers in the gateway's place with anything else does not promote a release."""
    manifest = load(name)
    async with backend(play) as impostor, service(tmp_path) as argo:
        given = {each["name"]: "x" for each in manifest["spec"]["args"] if "value" not in each}
        measured = await measure_as_argo(argo, manifest, {**given, "gateway": impostor.url})
    assert {each["phase"] for each in measured.values()} <= {"Inconclusive", "Error"}


def with_credential(manifest: dict[str, Any]) -> dict[str, Any]:
    """The template with what the page adds to it where callers need a credential."""
    page = (ROOT / "docs/argo-rollouts.md").read_text(encoding="utf-8")
    section = page.partition("## When callers need a credential\n")[2]
    added = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])["spec"]
    manifest["spec"]["args"] += added["args"]
    for metric in manifest["spec"]["metrics"]:
        headers = metric["provider"]["web"].setdefault("headers", [])
        headers += added["metrics"][0]["provider"]["web"]["headers"]
    return manifest


@pytest.mark.parametrize("name", [VERDICT, RUN])
async def test_argo_shows_a_token_where_it_must(tmp_path: Path, name: str) -> None:
    """From a Secret; without it nothing is judged, and nothing passes."""
    secret = tmp_path / "secrets/default/analysis-gateway-token"
    secret.mkdir(parents=True)
    (secret / "token").write_text(ALICE)
    access_of_alice = access(tmp_path / "access", rule("verdict", "run", namespaces=["default"]))
    async with backend(GREEN) as upstream:
        folder = put_judged_into(tmp_path / "templates", upstream.url)
        async with (
            service(tmp_path / "a", templates=folder, access=access_of_alice) as gateway,
            service(tmp_path / "b", secrets=tmp_path / "secrets") as argo,
        ):
            needed = {each["name"] for each in load(name)["spec"]["args"] if "value" not in each}
            given = {
                **dict.fromkeys(needed, "x"),
                "gateway": gateway.url,
                "template": JUDGED,
                "service": "shop",
            }
            known = await measure_as_argo(argo, with_credential(load(name)), given)
            unknown = await measure_as_argo(argo, load(name), given)
    assert {each["phase"] for each in known.values()} == {"Successful"}
    assert {(each["phase"], each["message"]) for each in unknown.values()} == {
        ("Error", "received non 2xx response code: 401")
    }
    assert ALICE not in str(known)
