"""All parts of notifications, put together."""

import time
from contextlib import AsyncExitStack
from uuid import uuid4

from gateway.background import keep
from gateway.config.references import References
from gateway.config.settings import Settings
from gateway.credentials import SecretSource
from gateway.notifications.courier import Courier
from gateway.notifications.notifier import NobodyToTell, Notifier, Notifies
from gateway.notifications.receivers import Receiver
from gateway.notifications.stream import NoticeStream
from gateway.storage.store import Store
from gateway.telemetry.notices import NoticeTelemetry
from gateway.telemetry.registry import Telemetry


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
