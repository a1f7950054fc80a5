"""What is known of templates, object by object."""

from typing import Any

from manifests import WEB

from gateway.kube.known_templates import KnownTemplates
from gateway.template import Kind


def item(name: str, metric: str = "m", version: str | None = None) -> dict[str, Any]:
    """An object as an API server has it."""
    versions = {} if version is None else {"resourceVersion": version}
    spec = {"metrics": [{"name": metric, "provider": WEB}]}
    return {"metadata": {"name": name, **versions}, "spec": spec}


def listed(known: KnownTemplates) -> dict[str, str]:
    """The name of the first metric by name."""
    return {template.name: template.spec.metrics[0].name for _, template in known.entries()}


def test_an_object_is_looked_at_again_when_its_version_is_new() -> None:
    """One that has none, which no real one has, every time."""
    known = KnownTemplates(Kind.CLUSTER)
    for name, version in (("a", "1"), ("b", None)):
        known.learn(item(name, "old", version))
        known.learn(item(name, "new", version))
    assert listed(known) == {"a": "old", "b": "new"}
    known.learn(item("a", "new", "2"))
    assert listed(known) == {"a": "new", "b": "new"}


def test_what_was_never_known_can_be_forgotten() -> None:
    """A deletion may be heard twice."""
    known = KnownTemplates(Kind.CLUSTER)
    known.learn(item("a"))
    revision = known.revision
    known.forget(item("b"))
    known.forget({})
    known.keep_only([item("a"), {}])
    assert (listed(known), known.revision) == ({"a": "m"}, revision)
