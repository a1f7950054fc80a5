"""All settings, from one YAML file and the flags over it, read once and frozen.

Every key is documented by the text under its field; ``docs/configuration.md`` is made from the
same texts.
"""

from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from gateway.access_settings import Access
from gateway.connection_settings import Connections
from gateway.egress_settings import Egress
from gateway.errors import Problem, TemplateInvalid
from gateway.kubernetes_settings import Kubernetes
from gateway.listening_settings import Operations, Tls
from gateway.notification_settings import Notifications
from gateway.setting_types import LOOPBACK_HOSTS, PluginName, Seconds, SecretText, Section

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
LONGEST_SECRET_AGE_S: Final = 30.0
"""How long after its change a Secret of a cluster may still be used as it was."""
_JOB_ENVIRON: Final = {
    "ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE": "namespace",
    "ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG": "connect",
}


class SettingsInvalid(TemplateInvalid):
    """The settings cannot be used; carries all problems, each with its key."""

    slug = "settings_invalid"


class Verdicts(Section):
    """How long a caller waits, and how long a measurement may take."""

    wait_s: Seconds = Field(8.0, alias="wait")
    """How long a caller waits who does not say so; over it the answer is `Running`."""
    max_wait_s: Seconds = Field(300.0, alias="maxWait")
    """The longest wait a caller may ask for."""
    measurement_timeout_s: Seconds = Field(60.0, alias="measurementTimeout")
    """The longest time that one measurement may take, whatever its template says; Jobs, and
    executions of Kayenta, have limits of their own."""
    explain_no_data_s: Seconds = Field(1.0, alias="explainNoData")
    """How long a provider may be asked why its answer was empty; `0` never asks."""
    inline_templates: Literal["loopback", "allow", "deny"] = "loopback"
    """Whether a request may bring its own template; `loopback` allows it while the gateway
    listens on a loopback address only. What it may ask, `egress.inline` says."""
    plan_ttl_s: Seconds = Field(10.0, alias="planTtl")
    """How long a template's resolved plan, secrets included, is used before it is made anew."""


class Readings(Section):
    """What is remembered of the providers' answers."""

    max_age_s: Seconds = Field(5.0, alias="maxAge")
    """How old a reading may be for a caller who does not say so."""
    retention_s: Seconds = Field(300.0, alias="retention")
    """How long a reading stays in Redis; no caller gets an older one."""
    local_entries: int = Field(10_000, ge=0)
    """How many readings this process keeps in memory."""
    local_bytes: int = Field(64 * 1024 * 1024, ge=0)
    """How many bytes of readings this process keeps in memory."""
    hash_key: SecretText | None = None
    """The key under which questions are hashed into Redis keys; replicas on one Redis must agree.
    Unset, the first replica makes one and the others read it from Redis."""


class Runs(Section):
    """How durable runs are driven, and how long they are kept."""

    max_wait_s: Seconds = Field(3600.0, alias="maxWait")
    """The longest that a caller may wait for a run to end."""
    max_duration_s: Seconds = Field(86_400.0, alias="maxDuration")
    """How long a run may last; one that has not ended by then becomes Inconclusive."""
    shortest_gap_s: Seconds = Field(1.0, alias="shortestGap")
    """From the end of a measurement to the next one of the same run, however short its interval
    is."""
    max_live: int = Field(20_000, gt=0)
    """How many runs may be under way at the same time, on all replicas together."""
    concurrency: int = Field(256, gt=0)
    """How many runs this process measures for at the same time."""
    keep_successful_for_s: Seconds = Field(86_400.0, alias="keepSuccessfulFor")
    """How long a Successful run is kept after its end."""
    keep_unsuccessful_for_s: Seconds = Field(604_800.0, alias="keepUnsuccessfulFor")
    """How long a run that ended otherwise is kept after its end."""
    keep_successful: int = Field(5_000, ge=0)
    """How many Successful runs are kept; the oldest go first."""
    keep_unsuccessful: int = Field(5_000, ge=0)
    """How many runs that ended otherwise are kept; the oldest go first."""
    keep_events: int = Field(100, gt=0)
    """How many of a run's newest events are kept for watchers who come late or come back."""


class Audit(Section):
    """What is kept of who asked what, and what came of it; the log always tells it."""

    entries: int = Field(10_000, ge=0)
    """About how many of the newest entries Redis keeps, of all replicas together, for
    `GET /v1/audit`; `0` keeps none."""


class Limits(Section):
    """How much the gateway accepts."""

    request_bytes: int = Field(1024 * 1024, gt=0)
    """The largest request body."""
    response_bytes: int = Field(10 * 1024 * 1024, gt=0)
    """The largest provider answer, decompressed."""
    request_read_s: Seconds = Field(10.0, alias="requestRead")
    """How long a caller may take to send a request's body."""
    request_head_s: Seconds = Field(10.0, alias="requestHead", gt=0)
    """How long a caller may take to send a request's head: from its connection, later from the
    first byte. As long it may take to agree on TLS."""
    connections: int = Field(2_000, gt=0)
    """How many callers may be connected at the same time. When one more comes, who has been in the
    middle of a request for long, or rests between two, has to go."""
    connections_per_host: int = Field(32, gt=0)
    """How many connections are open to one provider host at the same time; as many again for
    templates that came with requests."""


class Shutdown(Section):
    """How the process ends after SIGTERM."""

    delay_s: Seconds = Field(5.0, alias="delay")
    """How long the gateway goes on answering after `/readyz` says no, so that load balancers
    notice. Ctrl-C skips it."""
    grace_s: Seconds = Field(20.0, alias="grace")
    """How long requests and measurements that are under way may take to finish."""


class Settings(Section):
    """Everything that a deployer can choose."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(8080, ge=0, le=65535)
    """The port to listen on; `0` takes a free one and prints it."""
    templates: Path | None = None
    """The folder of AnalysisTemplates and ClusterAnalysisTemplates, re-read when files change."""
    secrets: Path | None = None
    """The folder of secrets: `NAMESPACE/NAME/KEY` files, as Kubernetes mounts them."""
    redis: SecretText | None = None
    """The Redis URL: `redis://`, `rediss://`, `unix://`, `redis+sentinel://` or
    `redis+cluster://`. Unset, the gateway starts a private Redis under `state`."""
    state: Path = Path(".analysis-gateway")
    """The folder for the private Redis and its data."""
    namespace: str = "default"
    """The gateway's own namespace, and that of templates that name none. Unset, the namespace of
    the pod (`POD_NAMESPACE`, or the service account's)."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log line to print."""
    log_format: Literal["text", "json"] = "text"
    """How log lines are printed."""
    verdicts: Verdicts = Verdicts()
    """How long a caller waits, and how long a measurement may take."""
    readings: Readings = Readings()
    """What is remembered of the providers' answers."""
    runs: Runs = Runs()
    """How durable runs are driven, and how long they are kept."""
    audit: Audit = Audit()
    """What is kept of who asked what, and what came of it; the log always tells it."""
    limits: Limits = Limits()
    """How much the gateway accepts."""
    shutdown: Shutdown = Shutdown()
    """How the process ends after SIGTERM."""
    plugins: tuple[PluginName, ...] = ()
    """The plugins that templates may use, each as `NAMESPACE/NAME`; only these are imported. See
    [providers/plugin.md](providers/plugin.md). Unset, none."""
    tls: Tls = Tls()
    """How the main port is encrypted, and which certificates callers may show."""
    operations: Operations = Operations()
    """Where metrics and health are asked for."""
    kubernetes: Kubernetes = Kubernetes()
    """Which cluster there is, and what is read from it."""
    access: Access = Access()
    """Who may ask, and for what. Unset, everybody who reaches the gateway: so it listens on a
    loopback address only."""
    egress: Egress = Egress()
    """Where requests may go, and which redirects they follow."""
    connections: Connections = ()
    """Named upstreams: what requests to them get that templates need not carry. Unset, none."""
    notifications: Notifications = ()
    """Who is told of verdicts that change and of runs that end. See
    [notifications.md](notifications.md). Unset, nobody."""

    @property
    def connection_names(self) -> tuple[str, ...]:
        """What the connections are called."""
        return tuple(each.name for each in self.connections)

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the gateway."""
        return self.host in LOOPBACK_HOSTS

    @property
    def is_open_on_loopback(self) -> bool:
        """Whether everybody on this machine may ask, and nobody else can: as one tries it out."""
        return self.listens_on_loopback and not self.access.is_configured

    @property
    def accepts_inline_templates(self) -> bool:
        """Whether a request may bring its own template."""
        policy = self.verdicts.inline_templates
        return policy == "allow" or (policy == "loopback" and self.listens_on_loopback)

    @model_validator(mode="after")
    def _waits_fit(self) -> Self:
        if self.verdicts.wait_s > self.verdicts.max_wait_s:
            raise ValueError("verdicts.wait must not be longer than verdicts.maxWait")
        return self

    @model_validator(mode="after")
    def _strangers_are_known(self) -> Self:
        if not (self.access.is_configured or self.listens_on_loopback):
            raise ValueError(
                f"host {self.host!r} can be reached by others, and nothing says who of them may"
                " ask: set access, or listen on 127.0.0.1 (docs/security.md)"
            )
        if self.access.token_review.audiences and self.kubernetes.connect is None:
            raise ValueError("access.tokenReview needs kubernetes.connect")
        return self

    @model_validator(mode="after")
    def _cluster_is_known(self) -> Self:
        cluster = self.kubernetes
        if cluster.connect is None and cluster.secrets:
            raise ValueError("kubernetes.secrets needs kubernetes.connect")
        if cluster.runs_jobs and not (cluster.connect or cluster.jobs.connect):
            raise ValueError("kubernetes.jobs.namespaces needs kubernetes.connect or jobs.connect")
        if cluster.secrets and cluster.secrets_ttl_s + self.verdicts.plan_ttl_s > (
            LONGEST_SECRET_AGE_S
        ):
            raise ValueError(
                "kubernetes.secretsTtl and verdicts.planTtl must not be longer than"
                f" {LONGEST_SECRET_AGE_S:g}s together: so long may a changed Secret go unnoticed"
            )
        return self


def load(file: Path | None, *, flags: dict[str, Any], environ: dict[str, str]) -> Settings:
    """Settings from the YAML file, the flags that were given over it, and the pod's namespace.

    Raises:
        SettingsInvalid: with every problem and its key.

    """
    values = {**_read(file), **{key: value for key, value in flags.items() if value is not None}}
    values.setdefault("namespace", own_namespace(environ))
    _read_job_environ(values, environ)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsInvalid(
            tuple(
                Problem(".".join(str(part) for part in problem["loc"]), _sentence(problem["msg"]))
                for problem in error.errors(include_input=False, include_url=False)
            )
        ) from None


def _read_job_environ(values: dict[str, Any], environ: dict[str, str]) -> None:
    """Argo's variables for Jobs, where the file does not say it.

    Source: argo-rollouts metricproviders/metricproviders.go:160-183 @ 9f8d111d8.
    """
    found = {key: environ[name] for name, key in _JOB_ENVIRON.items() if environ.get(name)}
    cluster = values.get("kubernetes", {})
    jobs = cluster.get("jobs", {}) if isinstance(cluster, dict) else None
    if found and isinstance(jobs, dict):
        values["kubernetes"] = {**cluster, "jobs": {**found, **jobs}}


def own_namespace(environ: dict[str, str]) -> str:
    """The pod's namespace, else ``default``.

    Source: the order of argo-rollouts utils/defaults/defaults.go:269-282 @ 9f8d111d8. Unlike Argo,
    an empty ``POD_NAMESPACE`` counts as unset and the last resort is ``default``.
    """
    if environ.get("POD_NAMESPACE"):
        return environ["POD_NAMESPACE"]
    try:
        return NAMESPACE_FILE.read_text(encoding="utf-8").strip() or "default"
    except OSError:
        return "default"


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid((Problem(str(file), f"cannot be read: {error}"),)) from None
    except yaml.MarkedYAMLError as error:
        # The error's own text quotes the file, which may hold a password.
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsInvalid((Problem(f"{file}:{line}", f"{error.problem}"),)) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        # PyYAML lets a date that does not exist, and a file that is nested too deeply, through.
        raise SettingsInvalid((Problem(str(file), "is not YAML text"),)) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsInvalid((Problem(str(file), "must be a mapping of settings"),))
    return values


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").replace(
        "Extra inputs are not permitted", "is not a setting"
    )
