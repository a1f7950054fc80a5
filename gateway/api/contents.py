"""What a body asks for: templates that it names or brings, or a whole run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gateway.api.problems import RequestRefused
from gateway.documents import Document
from gateway.errors import Problem, RequestInvalid, TemplateInvalid
from gateway.planner import Question
from gateway.run_manifest import KIND, AnalysisRun, parse_run
from gateway.settings import Settings
from gateway.shapes import shape_problems
from gateway.template import Argument, TemplateRef, parse
from gateway.wire import check_labels


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class GivenArgument(_Body):
    """A value for a declared argument."""

    name: Annotated[str, Field(min_length=1)]
    value: str


class NamedTemplates(_Body):
    """A body that names templates instead of bringing one."""

    templates: Annotated[tuple[TemplateRef, ...], Field(strict=False, min_length=1, max_length=100)]
    namespace: Annotated[str, Field(min_length=1)] | None = None
    args: Annotated[tuple[GivenArgument, ...], Field(strict=False)] = ()
    context: dict[str, object] = {}


class NamedRun(NamedTemplates):
    """The same for a run."""

    labels: Annotated[dict[str, str], AfterValidator(check_labels)] = {}


class Chosen(Protocol):
    """What the query says, whatever the body is."""

    @property
    def namespace(self) -> str | None:
        """Where templates and secrets are looked up, if the caller says so."""

    @property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """Names and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTemplates:
    """Templates to be judged together."""

    question: Question
    context: Mapping[str, object] = field(default_factory=dict)
    """What the caller wants to have repeated."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the run that is made of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRun:
    """An AnalysisRun to be made."""

    run: AnalysisRun
    namespace: str
    arguments: tuple[Argument, ...] = field(repr=False)
    """Values that go before those in the manifest."""


def content_of(
    documents: Sequence[Document],
    chosen: Chosen,
    settings: Settings,
    *,
    names: type[NamedTemplates],
) -> OfTemplates | OfRun:
    """What the documents of a body ask for.

    Args:
        documents: of one body.
        chosen: what the query adds.
        settings: whether a body may bring templates, and the gateway's own namespace.
        names: the shape of a body that names templates.

    Raises:
        RequestInvalid: the body is empty, gives an argument twice, or another namespace than the
            query.
        RequestRefused: 403, it brings templates or a run, and may not.
        TemplateInvalid: with every problem of its shape.

    """
    if not documents:
        raise RequestInvalid(
            "the body is empty, or nothing but comments; send an AnalysisTemplate, with curl as"
            " --data-binary @FILE: its -d drops the line ends"
        )
    contents = [each.content for each in documents]
    if len(contents) == 1 and isinstance(contents[0], dict) and "kind" not in contents[0]:
        return _of_names(contents[0], chosen, settings, names)
    if not settings.accepts_inline_templates:
        raise RequestRefused(
            403,
            "this gateway takes no templates from requests (verdicts.inlineTemplates): name one"
            " that GET /v1/templates lists",
        )
    if any(isinstance(each, dict) and each.get("kind") == KIND for each in contents):
        return _of_run(contents, chosen, settings)
    return _of_manifests(contents, chosen, settings)


def _of_names(
    content: object, chosen: Chosen, settings: Settings, names: type[NamedTemplates]
) -> OfTemplates:
    try:
        body = names.model_validate(content)
    except ValidationError as error:
        raise TemplateInvalid(shape_problems(names, error)) from None
    arguments = tuple((each.name, each.value) for each in body.args) + chosen.arguments
    if body.namespace and chosen.namespace and body.namespace != chosen.namespace:
        raise RequestInvalid(
            f"namespace: is {body.namespace!r} in the body and {chosen.namespace!r} in the query;"
            " say one"
        )
    question = Question(
        namespace=body.namespace or chosen.namespace or settings.namespace,
        refs=body.templates,
        arguments=_each_once(arguments),
    )
    labels = body.labels if isinstance(body, NamedRun) else {}
    return OfTemplates(question=question, context=body.context, labels=labels)


def _of_run(contents: Sequence[object], chosen: Chosen, settings: Settings) -> OfRun:
    if len(contents) > 1:
        raise TemplateInvalid((Problem("kind", f"{KIND} must stand alone in its body"),))
    run = parse_run(contents[0])
    return OfRun(
        run=run,
        namespace=chosen.namespace or run.metadata.namespace or settings.namespace,
        arguments=tuple(Argument(name=name, value=value) for name, value in chosen.arguments),
    )


def _of_manifests(contents: Sequence[object], chosen: Chosen, settings: Settings) -> OfTemplates:
    templates = tuple(parse(content) for content in contents)
    refs = [template.ref for template in templates]
    twice = {str(ref) for ref in refs if refs.count(ref) > 1}
    if twice:
        raise TemplateInvalid((Problem("metadata.name", f"{twice.pop()} is given twice"),))
    namespaces = {each.metadata.namespace for each in templates} - {None}
    if len(namespaces) > 1:
        raise TemplateInvalid((Problem("metadata.namespace", "all templates must have one"),))
    own = next(iter(namespaces), None)
    return OfTemplates(
        question=Question(
            namespace=chosen.namespace or own or settings.namespace,
            inline=templates,
            arguments=chosen.arguments,
        )
    )


def _each_once(arguments: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    names = [name for name, _ in arguments]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RequestInvalid(f"argument {twice.pop()!r} is given more than once")
    return arguments
