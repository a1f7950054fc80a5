"""What receivers are told, in which form, and how they can tell that it came from here.

Sources: CloudEvents 1.0, JSON event format; Standard Webhooks 1.0 for the headers and the
signature (https://www.standardwebhooks.com); Slack's incoming webhooks for ``{"text": ..}``.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Final, Literal

import orjson

from gateway.config.notifications import Notification
from gateway.errors import GatewayError
from gateway.model import Phase
from gateway.planned import INLINE
from gateway.secrets import Secret
from gateway.verdict import cut, timestamp

VERDICT_CHANGED: Final = "analysis-gateway.verdict.changed"
RUN_ENDED: Final = "analysis-gateway.run.ended"
MAX_REASON_CHARS: Final = 2_000
_KINDS: Final[Mapping[str, str]] = {VERDICT_CHANGED: "verdict", RUN_ENDED: "run"}
_PREFIX: Final = "whsec_"
_SIGNS: Final = {
    Phase.SUCCESSFUL: ":white_check_mark:",
    Phase.FAILED: ":x:",
    Phase.INCONCLUSIVE: ":grey_question:",
    Phase.ERROR: ":warning:",
}


class NoticeUnwritable(GatewayError):
    """A notice has text that is none in UTF-8: half of a surrogate pair."""

    slug = "notice_unwritable"


class SigningKeyInvalid(GatewayError):
    """A key that says it is base64 and is not."""

    slug = "signing_key_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened, secrets masked."""

    id: str
    """The same for every delivery of it."""
    type: Literal["analysis-gateway.verdict.changed", "analysis-gateway.run.ended"]
    at_unix_s: float
    namespace: str
    templates: tuple[str, ...]
    """``name@sha256:...``; empty if a run was brought."""
    label: str
    """What own metrics call the template: ``inline`` for what a request brought."""
    phase: Phase
    reason: str
    previous_phase: Phase | None = None
    """Of a verdict: what it was before; None for the first one."""
    run: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    gate: Phase | None = None
    """The phase as a gate takes it, of a run; None where that is the phase itself."""

    @property
    def gate_phase(self) -> Phase:
        """What ``ok`` and receivers go by: who was stopped before the end has not passed."""
        return self.gate or self.phase

    @property
    def names(self) -> tuple[str, ...]:
        """What patterns of templates are compared with."""
        if self.label == INLINE:
            return (self.label,)
        return tuple(each.partition("@")[0] for each in self.templates) or (self.label,)


def end_of_run(
    run_id: str,
    *,
    at_unix_s: float,
    phase: Phase,
    gate: Phase,
    reason: str,
    namespace: str,
    templates: tuple[str, ...],
    label: str,
) -> Notice:
    """What is told of a run that has ended: whoever says it twice says the same.

    ``gate`` is the phase as ``gateway.run_verdict.gate_phase`` has it.
    """
    return Notice(
        id=f"run-{run_id}",
        type=RUN_ENDED,
        at_unix_s=at_unix_s,
        namespace=namespace,
        templates=templates,
        label=label,
        phase=phase,
        gate=gate,
        reason=reason,
        run=run_id,
    )


def is_about(notification: Notification, notice: Notice) -> bool:
    """Whether a receiver cares for what this is about, whatever came of it."""
    return (
        _KINDS[notice.type] in notification.events
        and _fits(notification.namespaces, notice.namespace)
        and any(_fits(notification.templates, name) for name in notice.names)
    )


def _fits(patterns: Sequence[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def is_wanted(notification: Notification, notice: Notice) -> bool:
    """Whether a receiver is to be told."""
    return notice.gate_phase in notification.phases and is_about(notification, notice)


def question_of(namespace: str, origins: Sequence[str], arguments: Mapping[str, str]) -> str:
    """The same for all verdicts on the same templates with the same arguments, whatever is in them.

    Args:
        namespace: where they are judged.
        origins: of the templates, as ``gateway.planned.Planned`` has them.
        arguments: as they may be shown.

    """
    text = json.dumps([namespace, list(origins), sorted(arguments.items())])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def body_of(notice: Notice, form: str) -> bytes:
    """What is sent."""
    content = _slack(notice) if form == "slack" else cloud_event(notice)
    return orjson.dumps(content)


def cloud_event(notice: Notice) -> dict[str, object]:
    """A CloudEvent in JSON's structured mode."""
    subject = notice.run or f"{notice.namespace}/{','.join(notice.names)}"
    data: dict[str, object] = {
        "phase": notice.phase,
        "ok": notice.gate_phase is Phase.SUCCESSFUL,
        "reason": cut(notice.reason, MAX_REASON_CHARS),
        "run": notice.run,
        "namespace": notice.namespace,
        "templates": list(notice.templates),
        "arguments": dict(notice.arguments),
    }
    if notice.type == VERDICT_CHANGED:
        data["previousPhase"] = notice.previous_phase
    return {
        "specversion": "1.0",
        "id": notice.id,
        "source": f"/analysis-gateway/{notice.namespace}",
        "type": notice.type,
        "subject": subject,
        "time": timestamp(notice.at_unix_s),
        "datacontenttype": "application/json",
        "data": data,
    }


def _slack(notice: Notice) -> dict[str, object]:
    what = f"*{_escaped(notice.namespace)}/{_escaped(', '.join(notice.names))}*"
    was = f" (was {notice.previous_phase})" if notice.previous_phase else ""
    run = f" in run `{_escaped(notice.run)}`" if notice.run else ""
    but = "" if notice.gate_phase is notice.phase else ", but has not passed"
    reason = _escaped(cut(notice.reason, MAX_REASON_CHARS))
    told = f"{what} is {notice.phase}{was}{run}{but}"
    return {"text": f"{_SIGNS[notice.gate_phase]} {told}\n{reason}"}


def _escaped(text: str) -> str:
    # So says Slack; links and mentions begin with what is escaped here.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def headers_of(notice: Notice, form: str) -> dict[str, str]:
    """The headers that need no key."""
    is_event = form != "slack"
    return {
        "Content-Type": "application/cloudevents+json" if is_event else "application/json",
        "webhook-id": notice.id,
    }


def signature_headers(
    key: Secret, notice_id: str, body: bytes, now_unix_s: float
) -> dict[str, str]:
    """What proves that the body came from who has the key, and when.

    Raises:
        SigningKeyInvalid: the key says it is base64 and is not.

    """
    at = str(int(now_unix_s))
    signed = b".".join((notice_id.encode(), at.encode(), body))
    digest = hmac.new(_key_bytes(key), signed, hashlib.sha256).digest()
    return {
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key_bytes(key: Secret) -> bytes:
    text = key.reveal().strip()
    if not text:
        raise SigningKeyInvalid("the key of the signature is empty")
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise SigningKeyInvalid(
            "the key of the signature begins with whsec_, and what follows is no base64"
        ) from None


def packed(notice: Notice) -> bytes:
    """A notice for Redis. Raises NoticeUnwritable."""
    try:
        return orjson.dumps(asdict(notice))
    except TypeError:
        raise NoticeUnwritable("its text holds one half of a surrogate pair") from None


def unpacked(text: bytes) -> Notice:
    """The reverse; what only a newer gateway knows is passed over.

    Raises ValueError, KeyError or TypeError for what is none.
    """
    found = orjson.loads(text)
    previous, gate = found["previous_phase"], found.get("gate")
    known = {each.name: found[each.name] for each in fields(Notice) if each.name in found}
    known |= {
        "phase": Phase(found["phase"]),
        "previous_phase": None if previous is None else Phase(previous),
        "gate": None if gate is None else Phase(gate),
        "templates": tuple(found["templates"]),
    }
    return Notice(**known)
