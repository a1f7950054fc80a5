"""The settings about who is told of verdicts that change and of runs that end."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.config.connections import Reference
from gateway.config.setting_types import Seconds, Section
from gateway.model import Phase
from gateway.upstreams.addresses import forbidden
from gateway.upstreams.gourl import host_and_port, parse_url
from gateway.upstreams.hosts import read_host

MAX_NOTIFICATIONS: Final = 50
LONGEST_RETRY_S: Final = 24 * 3600.0
"""For how long any delivery is tried again, at most."""


def _web_address(value: str) -> str:
    url = parse_url(value)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("must be a URL that begins with https:// or http://")
    if url.username is not None:
        raise ValueError("must not hold credentials; take urlFrom")
    host = read_host(host_and_port(url)[0])
    what = "" if isinstance(host, str) else forbidden(host)
    if what:
        raise ValueError(f"{host} is {what}, which nothing can allow")
    return value


class Notification(Section):
    """A receiver, and what it is told."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    """What metrics and logs call it."""
    url: Annotated[str, AfterValidator(_web_address)] | None = None
    """Where to POST to."""
    url_from: Reference | None = None
    """Where the URL is read, if it is a secret itself, as Slack's are; read for each delivery."""
    signing_from: Reference | None = None
    """Where the key of the signature is read; `whsec_` and base64, or any text. Unset, requests
    are not signed."""
    format: Literal["cloudevents", "slack"] = "cloudevents"
    """A CloudEvent, or the `{"text": ..}` that Slack's incoming webhooks take."""
    events: tuple[Literal["verdict", "run"], ...] = Field(("verdict", "run"), min_length=1)
    """`verdict`: the verdict on templates with the same arguments is another than before.
    `run`: a run has ended."""
    templates: tuple[str, ...] = Field(("*",), min_length=1)
    """The templates that it is told of, as names or patterns; one of several is enough. Templates
    that came with a request are called `inline`."""
    namespaces: tuple[str, ...] = Field(("*",), min_length=1)
    """The namespaces that it is told of, as names or patterns such as `team-*`."""
    phases: tuple[Phase, ...] = Field(
        (Phase.SUCCESSFUL, Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR), min_length=1
    )
    """The phases that it is told of: those that a verdict changes to, or a run ends with."""
    timeout_s: Seconds = Field(5.0, alias="timeout", gt=0, le=15)
    """How long the receiver may take to answer."""
    retry_s: Seconds = Field(3600.0, alias="retryFor", le=LONGEST_RETRY_S)
    """For how long a delivery is tried again that did not get a 2xx."""

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        if (self.url is None) == (self.url_from is None):
            raise ValueError("needs either url or urlFrom")
        if any(not each.is_completed for each in self.phases):
            raise ValueError("phases can be Successful, Failed, Inconclusive and Error")
        return self


def _distinct(notifications: tuple[Notification, ...]) -> tuple[Notification, ...]:
    if len({each.name for each in notifications}) < len(notifications):
        raise ValueError("two of them have the same name")
    return notifications


Notifications = Annotated[
    tuple[Notification, ...], Field(max_length=MAX_NOTIFICATIONS), AfterValidator(_distinct)
]
