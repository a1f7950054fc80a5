"""The pages say what the code says, and lead where they say they lead."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest
import yaml
from plugins import EXAMPLE, with_example

from gateway.access.admission import LONGEST_WAIT_S
from gateway.access.kept_file import POLL_S
from gateway.access.key_sets import FRESH_S, PAUSE_S
from gateway.access.policy import Action
from gateway.access.sessions import MAX_OF_CALLER, SESSION_S
from gateway.access.web_tokens import LONGEST_KEPT_S
from gateway.api import connection, crowd, parameters, run_parameters, server
from gateway.api.problems import refusal
from gateway.api.run_events import HEARTBEAT_S, SLOW_S
from gateway.api.run_parameters import DEFAULT_LIMIT, MAX_LIMIT
from gateway.api.statuses import GATE_STATUS
from gateway.breaker import LONGEST_PAUSE_S as LONGEST_REST_S
from gateway.budgeted_http import FIRST_PAUSE_S as RETRY_PAUSE_S
from gateway.conditions import check_syntax
from gateway.connection_parts import CONNECT_S, PATIENCE_S
from gateway.documents import Syntax, read_documents
from gateway.doors import OPERATORS, RESERVED_FILES
from gateway.errors import (
    AccessDenied,
    CredentialMissing,
    CredentialRefused,
    CredentialUnchecked,
    GatewayError,
)
from gateway.expr import budget, cursor, program
from gateway.expr.environment import RESULT_FUNCTIONS, SIMPLE_FUNCTIONS
from gateway.expr.signatures import BUILTIN_NAMES
from gateway.judge_parts import PLUGIN_IMPORT_S
from gateway.kube.template_scope import FIRST_PAUSE_S
from gateway.kube.template_scope import LONGEST_PAUSE_S as LONGEST_WATCH_PAUSE_S
from gateway.lint import Severity, lint
from gateway.model import Phase
from gateway.quota_telemetry import MAX_CREDENTIALS
from gateway.runs.worker import PAUSE_S as PAUSE_OF_RUNS_S
from gateway.runs.worker import TELL_EVERY_S
from gateway.silences import LONGEST_S
from gateway.source_parts import FIRST_LISTING_S
from gateway.sources import MAX_FILES, RESYNC_S
from gateway.store import CALL_BUDGET_S, LONGEST_PAUSE_S
from gateway.template import parse
from gateway.unclaimed import UNCLAIMED_S
from gateway.verdict import MAX_TEXT_CHARS
from gateway.web.rendering import POLICY
from gateway.web.run_view import MAX_CHARS
from gateway.web.values import MAX_SERIES
from gateway.wire import MAX_ITEMS
from providers import influxdb, kayenta, newrelic, wavefront
from providers._datadog_answer import MAX_TOLD_GROUPS
from providers._plugins import values
from providers._plugins.loading import THREADS

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CHANGELOG.md",
    *sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md")),
    "charts/analysis-gateway/README.md",
)
CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def links() -> Iterator[tuple[str, str]]:
    """Every link of every page that leads into this project."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", CODE_BLOCK.sub("", read(page))):
            if "://" not in target:
                yield page, target


def anchors(text: str) -> set[str]:
    """The names under which the headings of a page can be reached."""
    headings = re.findall(r"^#+ (.*)$", CODE_BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def templates() -> Iterator[tuple[str, str]]:
    """Every template that a page shows."""
    for page in PAGES:
        for language, text in CODE_BLOCK.findall(read(page)):
            if language == "yaml" and "AnalysisTemplate" in text:
                yield page, text


def real_conditions() -> Iterator[str]:
    """The examples of the page about conditions."""
    section = read("docs/conditions.md").partition("## What real conditions look like\n")[2]
    for row in section.partition("\n## ")[0].splitlines():
        if row.startswith("| `"):
            yield row.split("`")[1].replace(r"\|", "|")


def schema_fields(name: str) -> list[str]:
    """The fields of a schema of the contract."""
    contract = yaml.safe_load(read("gateway/api/openapi.yaml"))
    return list(contract["components"]["schemas"][name]["properties"])


def test_every_setting_is_documented_by_its_own_text() -> None:
    """``docs/configuration.md`` is what ``tools/describe_settings.py`` prints."""
    tool = runpy.run_path(str(ROOT / "tools" / "describe_settings.py"))
    assert read("docs/configuration.md") == tool["page"]()


@pytest.mark.parametrize(("page", "target"), list(links()))
def test_a_link_leads_somewhere(page: str, target: str) -> None:
    """To a file that is there, and to a heading that it has."""
    path, _, heading = target.partition("#")
    place = (ROOT / page).parent / path if path else ROOT / page
    assert place.exists()
    assert not heading or heading in anchors(place.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("page", "text"), list(templates()))
def test_a_template_that_is_shown_can_be_used(page: str, text: str) -> None:
    """It parses, and nothing is wrong with it; what it refers to may be elsewhere."""
    documents = read_documents(text.encode(), name=page, syntax=Syntax.YAML)
    for document in documents:
        parse(document.content)
    found = lint(documents, provider_types=with_example(), environ={}, lookup=lambda _: None)
    assert [each for each in found if each.severity is Severity.ERROR] == []


def test_templates_are_shown() -> None:
    """The test above has something to test."""
    assert {page for page, _ in templates()} >= {"docs/runs.md", "docs/templates.md"}


@pytest.mark.parametrize("text", list(real_conditions()))
def test_a_condition_that_is_shown_can_be_used(text: str) -> None:
    """Whatever the result is, nothing is wrong with it from the start."""
    check_syntax(text)


@pytest.mark.parametrize(
    "snippet",
    [
        text
        for language, text in CODE_BLOCK.findall(read("docs/writing-a-provider.md"))
        if language in {"python", "toml"}
    ],
)
def test_a_snippet_is_a_part_of_the_example(snippet: str) -> None:
    """Which is installed, used and tested as it stands."""
    files = [file for file in EXAMPLE.rglob("*") if file.suffix in {".py", ".toml"}]
    example = "\n".join(file.read_text(encoding="utf-8") for file in files)
    # The methods of a class stand further left on a page.
    assert snippet in example or indent(snippet, "    ") in example


QUERY_PARAMETERS = {
    *(parameters.OF_OTHERS | run_parameters.OF_NEW | run_parameters.OF_VERDICT),
    *(run_parameters.OF_LIST | run_parameters.OF_EVENTS),
    *(parameters.ARGUMENT_PREFIX, run_parameters.LABEL_PREFIX),
}


@pytest.mark.parametrize("name", sorted(QUERY_PARAMETERS))
def test_every_query_parameter_is_described(name: str) -> None:
    """In a table of ``docs/http.md``, with an example of a value."""
    shown = f"{name}NAME" if name.endswith(".") else name
    assert re.search(rf"^\| `{shown}=", read("docs/http.md"), re.MULTILINE)


@pytest.mark.parametrize("action", Action)
def test_every_action_of_a_policy_is_described(action: Action) -> None:
    """In the table of ``docs/security.md``."""
    assert re.search(rf"^\| `{action}` \| ", read("docs/security.md"), re.MULTILINE)


@pytest.mark.parametrize(
    "error",
    [AccessDenied, CredentialMissing, CredentialRefused, CredentialUnchecked],
    ids=lambda error: error.slug,
)
def test_every_refusal_of_a_caller_is_described(error: type[GatewayError]) -> None:
    """In the table of ``docs/http.md``, with its status."""
    status = refusal(error("")).status
    assert re.search(rf"^\| {status} \| `{error.slug}` \| ", read("docs/http.md"), re.MULTILINE)


@pytest.mark.parametrize("path", yaml.safe_load(read("gateway/api/openapi.yaml"))["paths"])
def test_every_call_is_described(path: str) -> None:
    """In the table of ``docs/http.md``."""
    assert re.search(
        rf"^\| `(GET|POST|DELETE) {re.escape(path)}`", read("docs/http.md"), re.MULTILINE
    )


@pytest.mark.parametrize(
    "field",
    [
        field
        for name in ("Verdict", "Measurement", "Problem", "RunVerdict", "RunMetric")
        for field in schema_fields(name)
    ],
)
def test_every_field_of_an_answer_is_described(field: str) -> None:
    """In a table, or in an example, of ``docs/http.md``."""
    assert re.search(rf'`{field}`|"{field}"', read("docs/http.md"))


@pytest.mark.parametrize("page", ["README.md", "docs/http.md"])
@pytest.mark.parametrize("phase", GATE_STATUS)
def test_the_gate_is_described(page: str, phase: Phase) -> None:
    """Every phase with the status that the gate gives it."""
    with_errors = 503 if phase is Phase.ERROR else 200
    row = rf"^\| {phase}\b.* \| 200 \| {with_errors} \| {GATE_STATUS[phase]} \|$"
    assert re.search(row, read(page), re.MULTILINE)


@pytest.mark.parametrize("name", sorted({*BUILTIN_NAMES, *SIMPLE_FUNCTIONS, *RESULT_FUNCTIONS}))
def test_every_function_of_conditions_is_named(name: str) -> None:
    """In the tables of ``docs/conditions.md``."""
    functions = read("docs/conditions.md").partition("## Functions\n")[2]
    assert re.search(rf"`{name}[`(]", functions)


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        pytest.param("docs/conditions.md", f"{budget.BASE_STEPS:,.0f} steps", id="steps"),
        pytest.param("docs/conditions.md", f"{budget.STEPS_PER_ITEM} more", id="steps-per-value"),
        pytest.param("docs/conditions.md", f"{budget.MEMORY:,} list items", id="memory"),
        pytest.param("docs/conditions.md", f"{cursor.MAX_NODES:,} nodes", id="nodes"),
        pytest.param("docs/conditions.md", f"{cursor.MAX_DEPTH} levels", id="nesting"),
        pytest.param("docs/conditions.md", f"{program.MAX_LENGTH:,} characters", id="length"),
        pytest.param("docs/differences.md", f"{budget.BASE_STEPS:,.0f} steps", id="steps-again"),
        pytest.param("docs/http.md", f"{MAX_TEXT_CHARS:,} characters", id="texts"),
        pytest.param("docs/http.md", f"kept for {UNCLAIMED_S:g} s", id="unclaimed-outcomes"),
        pytest.param("docs/http.md", f"Every {HEARTBEAT_S:g} s", id="heartbeats"),
        pytest.param("docs/http.md", f"nothing for {SLOW_S:g} s", id="slow-readers"),
        pytest.param("docs/http.md", f"`limit={DEFAULT_LIMIT}`", id="runs-on-a-page"),
        pytest.param("docs/http.md", f"1 to {MAX_LIMIT}", id="most-runs-on-a-page"),
        *(
            pytest.param("docs/writing-a-provider.md", sentence, id=sentence)
            for sentence in (
                f"{values.MAX_VALUES:,} values",
                f"{values.MAX_DEPTH} levels",
                f"{values.MAX_CHARS:,} characters",
                f"{values.MAX_METADATA_CHARS:,} characters",
                f"longer to import than {PLUGIN_IMPORT_S:g} s",
                f"each plugin has {THREADS}",
            )
        ),
        pytest.param("docs/metrics.md", f"{MAX_CREDENTIALS} pairs", id="quotas"),
        pytest.param("docs/upgrading.md", f"at most every {TELL_EVERY_S:g} s", id="runs-left"),
        pytest.param("docs/upgrading.md", f"waits for {PAUSE_OF_RUNS_S:g} s each", id="offered"),
        pytest.param(
            "docs/security.md",
            f"wait for either, up to {LONGEST_WAIT_S:g} s",
            id="waiting-requests",
        ),
        pytest.param("docs/security.md", f"within {CONNECT_S:g} s", id="connecting"),
        pytest.param("docs/security.md", f"random, up to {RETRY_PAUSE_S:g} s", id="retries"),
        pytest.param("docs/security.md", f"up to {LONGEST_REST_S:g} s. Since", id="rests"),
        pytest.param("docs/security.md", f"it had waited {PATIENCE_S:g} s for", id="patience"),
        pytest.param("docs/security.md", f"again after {FRESH_S / 60:g} minutes", id="keys"),
        pytest.param("docs/security.md", f"at most every {PAUSE_S:g} s", id="unknown-keys"),
        pytest.param("docs/security.md", f"again after {LONGEST_KEPT_S / 60:g} minutes", id="jwt"),
        pytest.param("docs/security.md", f"are in force within {POLL_S:g} s", id="policy"),
        pytest.param(
            "docs/differences.md", f"Every {LONGEST_S / 60:g} minutes at the latest", id="silences"
        ),
        pytest.param(
            "docs/security.md",
            f"reading any of it | {connection.UNREAD_S:g} s",
            id="unread-answers",
        ),
        pytest.param(
            "docs/security.md", f"between two requests | {server.KEEPALIVE_S:g} s", id="resting"
        ),
        pytest.param(
            "docs/security.md",
            f"{connection.MAX_HEAD_BYTES / 1024:g} KiB, {connection.MAX_HEADERS} headers,"
            f" {connection.MAX_LINE_BYTES:,} bytes",
            id="heads",
        ),
        pytest.param("docs/security.md", f"for {server.LINGER_S:g} s", id="unwanted-bodies"),
        pytest.param(
            "docs/security.md", f"for more than {crowd.PATIENCE_S:g} s", id="owing-a-request"
        ),
        pytest.param("docs/security.md", f"{RESERVED_FILES} more", id="reserved-files"),
        pytest.param("docs/security.md", f"{OPERATORS} places", id="operators"),
        pytest.param("docs/security.md", f"after {SESSION_S / 3600:g} hours", id="sessions"),
        pytest.param("docs/security.md", f"has {MAX_OF_CALLER} sessions", id="most-sessions"),
        pytest.param("docs/page.md", f"first {MAX_SERIES}.", id="lines"),
        pytest.param("docs/page.md", f"longer than {MAX_CHARS} characters", id="cut-values"),
        pytest.param("docs/page.md", POLICY, id="policy-of-pages"),
        pytest.param("docs/redis.md", f"has {CALL_BUDGET_S * 1000:g} ms", id="redis-budget"),
        pytest.param(
            "docs/providers/kayenta.md", f"looked at every {kayenta.LOOK_EVERY_S:g} s", id="looks"
        ),
        pytest.param(
            "docs/providers/kayenta.md", f"not complete after {kayenta.LONGEST_S:g}s", id="hanging"
        ),
        pytest.param(
            "docs/providers/datadog.md", f"more than {MAX_TOLD_GROUPS} groups", id="told-groups"
        ),
        pytest.param(
            "docs/providers/wavefront.md", f"has {wavefront.TIMEOUT_S:g} s", id="wavefronts-time"
        ),
        pytest.param(
            "docs/providers/newrelic.md",
            f"One attempt has {newrelic.ATTEMPT_S:g} s, all together {newrelic.LIMIT_S:g} s",
            id="attempts",
        ),
        pytest.param(
            "docs/providers/influxdb.md", f"The answer has {influxdb.TIMEOUT_S:g} s", id="flux"
        ),
        pytest.param("docs/redis.md", f"up to {LONGEST_PAUSE_S:g} s", id="redis-probes"),
        pytest.param("README.md", f"at most {CALL_BUDGET_S * 1000:g} ms", id="redis-in-short"),
        pytest.param("docs/templates.md", f"{MAX_FILES:,} files", id="files"),
        pytest.param("docs/templates.md", f"every {RESYNC_S:g} s", id="resync"),
        pytest.param("docs/templates.md", f"{MAX_ITEMS} metrics", id="items"),
        pytest.param("docs/templates.md", f"waits for {FIRST_LISTING_S:g} s", id="first-listing"),
        pytest.param(
            "docs/templates.md",
            f"after {FIRST_PAUSE_S:g} s, later every {LONGEST_WATCH_PAUSE_S:g} s",
            id="pauses-between-watches",
        ),
    ],
)
def test_a_figure_is_the_codes_own(page: str, sentence: str) -> None:
    """Whoever changes a bound finds the page that tells it."""
    assert sentence in " ".join(read(page).split())
