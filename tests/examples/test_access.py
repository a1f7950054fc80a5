"""The example of access: whom its policy lets do what, and whether the page shows it as it is."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from guarded import bearer, put
from kube.kinds import Right
from running import service, web_metric

from gateway.access.caller import Caller
from gateway.access.policy import Action, Wanted, refusal
from gateway.access.policy_file import parse_policy
from gateway.access.static_tokens import parse_tokens
from gateway.access.web_tokens import claims_of
from gateway.config.settings import load

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples/access"
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")

# As their makers document what is in them.
GITHUB: dict[str, Any] = {
    "sub": "repo:acme/shop:ref:refs/heads/main",
    "aud": "analysis-gateway",
    "iss": "https://token.actions.githubusercontent.com",
    "repository": "acme/shop",
    "repository_id": "456789",
    "repository_owner": "acme",
    "ref": "refs/heads/main",
    "ref_type": "branch",
    "event_name": "push",
    "run_attempt": "1",
}
GITLAB: dict[str, Any] = {
    "sub": "project_path:acme/shop:ref_type:branch:ref:main",
    "aud": "analysis-gateway",
    "iss": "https://gitlab.com",
    "project_path": "acme/shop",
    "project_id": "20",
    "ref": "main",
    "ref_type": "branch",
    "ref_protected": "true",
    "runner_id": 1,
    "user_identities": [{"provider": "github", "extern_uid": "2435223452345"}],
}
ARGO = Caller("serviceaccount:argo-rollouts/argo-rollouts")
ANNA = Caller("token:anna", frozenset({"shop-developers"}))
PLATFORM = Caller("certificate:x", claims=(("organizationalUnitName", ("platform",)),))
PROMETHEUS = Caller("token:prometheus")


def read(name: str) -> Any:
    """A file of the folder."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def pipeline(issuer: str, claims: dict[str, Any], **others: str) -> Caller:
    """The caller of a pipeline's token, with other claims."""
    said = {**claims, **others}
    return Caller(f"jwt:{issuer}:{said['sub']}", claims=claims_of(said))


RELEASE = Wanted(Action.RUN, "shop", ("release",))


@pytest.mark.parametrize(
    ("caller", "wanted", "may"),
    [
        pytest.param(ARGO, RELEASE, True, id="argo-runs"),
        pytest.param(ARGO, Wanted(Action.JOBS, "bank", ("x",)), True, id="argo-runs-jobs"),
        pytest.param(ARGO, Wanted(Action.INLINE, "shop"), False, id="argo-brings-nothing"),
        pytest.param(Caller("serviceaccount:shop/argo-rollouts"), RELEASE, False, id="not-argo"),
        pytest.param(pipeline("github", GITHUB), RELEASE, True, id="github-main"),
        pytest.param(
            pipeline("github", GITHUB, sub="repo:acme@1/shop@2:environment:production"),
            RELEASE,
            True,
            id="github-whatever-its-subject-is",
        ),
        pytest.param(
            pipeline("github", GITHUB, ref="refs/heads/x"), RELEASE, False, id="github-branch"
        ),
        pytest.param(
            pipeline("github", GITHUB, repository="acme/shop-2"), RELEASE, False, id="github-other"
        ),
        pytest.param(
            pipeline("github", GITHUB),
            Wanted(Action.RUN, "shop", ("x",)),
            False,
            id="github-other-template",
        ),
        pytest.param(pipeline("gitlab", GITHUB), RELEASE, False, id="github-claims-of-gitlab"),
        pytest.param(pipeline("gitlab", GITLAB), RELEASE, True, id="gitlab-main"),
        pytest.param(
            pipeline("gitlab", GITLAB, ref_protected="false"),
            RELEASE,
            False,
            id="gitlab-unprotected",
        ),
        pytest.param(ANNA, Wanted(Action.INLINE, "shop-dev"), True, id="developers-bring"),
        pytest.param(ANNA, RELEASE, False, id="developers-do-not-release"),
        pytest.param(PLATFORM, Wanted(Action.ADMIN, "*"), True, id="platform-by-certificate"),
        pytest.param(PLATFORM, RELEASE, False, id="platform-runs-nothing"),
        pytest.param(PROMETHEUS, Wanted(Action.METRICS), True, id="prometheus-reads-metrics"),
        pytest.param(PROMETHEUS, Wanted(Action.ADMIN), False, id="prometheus-is-no-admin"),
        pytest.param(ANNA, Wanted(Action.METRICS), False, id="metrics-are-not-for-everybody"),
    ],
)
def test_whom_the_policy_lets_do_what(caller: Caller, wanted: Wanted, may: bool) -> None:  # noqa: FBT001 - a table column
    """As the comments of the file have it."""
    assert (refusal(parse_policy(read("policy.yaml")), caller, wanted) is None) is may


def test_the_page_shows_the_file() -> None:
    """Who copies from the page gets what is tested here."""
    assert f"```yaml\n{(FOLDER / 'policy.yaml').read_text(encoding='utf-8')}```" in PAGE


def test_the_settings_are_whole() -> None:
    """All kinds of credentials but certificates, for others than this machine."""
    chosen = load(FOLDER / "settings.yaml", flags={}, environ={})
    assert not chosen.listens_on_loopback
    assert [each.name for each in chosen.access.jwt] == ["github", "gitlab"]


def test_the_right_is_the_one_that_is_tested() -> None:
    """``tests/kube/test_token_reviews.py`` does with it, and not without."""
    role, _ = yaml.safe_load_all((FOLDER / "rbac.yaml").read_text(encoding="utf-8"))
    (its,) = role["rules"]
    found = Right(its["verbs"][0], its["apiGroups"][0], its["resources"][0], "")
    assert found == Right("create", "authentication.k8s.io", "tokenreviews", "")


def test_the_hashes_of_the_example_are_those_of_nobody() -> None:
    """They parse, and are not of the token that the page shows."""
    parse_tokens(read("tokens.yaml"))
    shown = re.findall(r"^[0-9a-f]{64}$", PAGE, re.MULTILINE)
    assert len(shown) == 1
    assert shown[0] not in (FOLDER / "tokens.yaml").read_text(encoding="utf-8")


async def test_a_token_made_as_the_page_says_opens_the_door(tmp_path: Path) -> None:
    """For its owner, and for what the owner may."""
    (command,) = re.findall(r"^\$ (python3 -c .*)$", PAGE, re.MULTILINE)
    made = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True)  # noqa: ASYNC221
    token, digest = made.stdout.split()
    tokens = read("tokens.yaml")
    next(each for each in tokens["tokens"] if each["name"] == "anna")["sha256"] = digest
    (tmp_path / "tokens.yaml").write_text(yaml.safe_dump(tokens))
    put(tmp_path / "templates", "shop-dev", "t", web_metric("http://127.0.0.1:1"))
    access = {"policy": str(FOLDER / "policy.yaml"), "tokens": str(tmp_path / "tokens.yaml")}
    async with service(
        tmp_path / "state", access=access, templates=tmp_path / "templates"
    ) as gateway:
        paths = [
            f"/v1/namespaces/{each}/analysistemplates/t/verdict" for each in ("shop-dev", "shop")
        ]
        replies = [await gateway.get(each, **bearer(token)) for each in paths]
        unknown = await gateway.get(paths[0], **bearer(digest))
    assert [each.status for each in (*replies, unknown)] == [200, 403, 401]
