"""Plans of runs that are under way: made once, and forgotten where they would take too much."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from runs_alone import Scripted, metric

from gateway.credentials import Credentials
from gateway.job_rights import JobRights
from gateway.planner import Planner, Secrets
from gateway.run_manifest import NAMED_ANNOTATION
from gateway.runs.plans import RunPlans
from gateway.secret_files import SecretsFolder
from gateway.sources import TemplateIndex
from gateway.upstreams.connection_secrets import Granting


class Kept:
    """Manifests by id; remembers which were read."""

    def __init__(self, manifests: Mapping[str, Mapping[str, object]]) -> None:
        self._manifests = manifests
        self.read: list[str] = []

    async def manifest(self, run_id: str) -> Mapping[str, object]:
        """One of them."""
        self.read.append(run_id)
        return self._manifests[run_id]


def document(run_id: str, *, url: str = "", **spec: Any) -> dict[str, Any]:
    """A stored run; all are of one size."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": run_id, "namespace": "shop"},
        "spec": {"metrics": [metric(url=url)], **spec},
    }


NO_SECRETS = Secrets(SecretsFolder(None), SecretsFolder(None))


def plans(manifests: Kept, max_bytes: int, secrets: Secrets = NO_SECRETS) -> RunPlans:
    """Plans with a planner that knows no templates."""

    async def hash_key() -> bytes:
        return bytes(32)

    planner = Planner(
        templates=TemplateIndex("shop"),
        secrets=secrets,
        granting=Granting((), SecretsFolder(None), "own"),
        credentials=Credentials(provider_types={"web": Scripted({}).type()}, own_namespace="own"),
        job_rights=JobRights(),
        hash_key=hash_key,
        ttl_s=10,
        now_s=lambda: 0.0,
    )
    return RunPlans(planner, manifests, secrets_ttl_s=10, now_s=lambda: 0.0, max_bytes=max_bytes)


@pytest.mark.parametrize(
    ("room", "asked", "read"),
    [
        pytest.param(3, "abcabc", "abc", id="all-find-room"),
        pytest.param(2, "abcbcb", "abc", id="the-oldest-goes"),
        pytest.param(2, "abaca", "abc", id="who-is-asked-for-is-not-the-oldest"),
        pytest.param(2, "abca", "abca", id="who-went-is-planned-anew"),
        pytest.param(0, "aa", "aa", id="one-that-is-too-large-is-planned-each-time"),
    ],
)
async def test_plans_are_remembered_within_a_size(room: int, asked: str, read: str) -> None:
    """A caller chooses how large a manifest is, so their number alone bounds nothing."""
    manifests = Kept({run_id: document(run_id) for run_id in "abc"})
    kept = plans(manifests, max_bytes=room * len(orjson.dumps(document("a"))))
    for run_id in asked:
        assert (await kept.of(run_id)).rules[0].name == "m"
    assert "".join(manifests.read) == read


async def test_a_plan_that_is_forgotten_makes_room() -> None:
    """Runs that ended do not count."""
    manifests = Kept({run_id: document(run_id) for run_id in "abc"})
    kept = plans(manifests, max_bytes=len(orjson.dumps(document("a"))))
    for run_id in "ab":
        await kept.of(run_id)
        kept.forget(run_id)
        kept.forget(run_id)
    await kept.of("c")
    await kept.of("c")
    assert manifests.read == ["a", "b", "c"]


def folder(root: Path, value: str) -> SecretsFolder:
    """A folder with one secret."""
    (root / value / "shop" / "s").mkdir(parents=True)
    (root / value / "shop" / "s" / "k").write_text(value)
    return SecretsFolder(root / value)


@pytest.mark.parametrize(
    ("annotations", "secret"),
    [
        pytest.param({NAMED_ANNOTATION: "true"}, "of-named", id="of-one-that-the-gateway-has"),
        pytest.param({NAMED_ANNOTATION: ""}, "of-named", id="whatever-the-mark-says"),
        pytest.param({}, "of-brought", id="of-one-that-was-brought-or-is-older-than-the-mark"),
    ],
)
async def test_a_stored_run_gets_the_secrets_that_it_began_with(
    tmp_path: Path, annotations: dict[str, str], secret: str
) -> None:
    """Planned again later, by whichever replica, what was brought stays brought."""
    ref = {"name": "path", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    run = document("a", url="{{args.path}}", args=[ref])
    run["metadata"]["annotations"] = annotations
    secrets = Secrets(folder(tmp_path, "of-named"), folder(tmp_path, "of-brought"))
    plan = await plans(Kept({"a": run}), 10_000, secrets).of("a")
    assert [each.query for each in plan.planned.metrics] == [secret]
