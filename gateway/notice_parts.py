"""All parts of notifications, put together."""

import time
from contextlib import AsyncExitStack
from uuid import uuid4

from gateway.background import keep
from gateway.courier import Courier
from gateway.credentials import SecretSource
from gateway.notice_stream import NoticeStream
from gateway.notice_telemetry import NoticeTelemetry
from gateway.notifier import NobodyToTell, Notifier, Notifies
from gateway.receivers import Receiver
from gateway.references import References
from gateway.settings import Settings
from gateway.store import Store
from gateway.telemetry import Telemetry


def open_notifications(
    settings: Settings,
    store: Store,
    secrets: SecretSource,
    telemetry: Telemetry,
    parts: AsyncExitStack,
) -> Notifies:
    """Who tells others; what waits for Redis when ``parts`` are closed is taken there."""
    if not settings.notifications:
        return NobodyToTell()
    observer = NoticeTelemetry(telemetry, [each.name for each in settings.notifications])
    stream = NoticeStream(store, str(uuid4()), receivers=len(settings.notifications))
    notifier = Notifier(settings.notifications, stream, observer)
    references = References(secrets, settings.namespace)
    receivers = [Receiver(each, references, time.time) for each in settings.notifications]
    courier = Courier(stream, receivers, observer, time.time, notifier.has_news)
    parts.push_async_callback(notifier.close)
    keep(notifier.serve(), "queue notices", parts)
    keep(courier.serve(), "deliver notices", parts)
    return notifier
