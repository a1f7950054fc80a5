"""A name server over UDP that answers from a table, and later differently if that says so."""

import asyncio
import ipaddress
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

_A, _CNAME, _AAAA = 1, 5, 28
_IN: Final = 1
_AUTHORITATIVE_ANSWER: Final = 0x8400
_NO_SUCH_NAME: Final = 3

Records = Sequence[str]
"""Addresses, or one name that is an alias's."""
Zone = Mapping[str, Sequence[Records]]
"""By name: what it has at the first look-up, at the second and so on; the last one stays."""


class _Server(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.asked: Counter[tuple[str, int]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question."""
        name, kind, end = _question(data)
        turns = self.zone.get(name)
        turn = self.asked[name, kind]
        self.asked[name, kind] += 1
        records = turns[min(turn, len(turns) - 1)] if turns else ()
        answers = list(self._answers(name, kind, records))
        status = _AUTHORITATIVE_ANSWER | (0 if turns else _NO_SUCH_NAME)
        head = struct.pack("!HHHHHH", *struct.unpack("!H", data[:2]), status, 1, len(answers), 0, 0)
        reply = head + data[12:end] + b"".join(answers)
        self.transport.sendto(reply, addr)  # type: ignore[attr-defined]

    def _answers(self, name: str, kind: int, records: Records) -> list[bytes]:
        found = []
        for record in records:
            try:
                address = ipaddress.ip_address(record)
            except ValueError:
                found.append(_record(name, _CNAME, _name(record)))
                found += self._answers(record, kind, self.zone[record][-1])
                continue
            if kind == (_A if address.version == 4 else _AAAA):
                found.append(_record(name, kind, address.packed))
        return found


@asynccontextmanager
async def name_server(zone: Zone, host: str, port: int) -> AsyncIterator[Counter[tuple[str, int]]]:
    """A running server; yields how often it was asked for which name and type."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Server(zone), (host, port)
    )
    try:
        yield server.asked
    finally:
        transport.close()


def _question(data: bytes) -> tuple[str, int, int]:
    """Name and type of a message's only question, and where it ends."""
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode())
        at += 1 + length
    (kind,) = struct.unpack("!H", data[at + 1 : at + 3])
    return ".".join(labels).lower(), kind, at + 5


def _name(text: str) -> bytes:
    return b"".join(bytes([len(each)]) + each.encode() for each in text.split(".")) + b"\0"


def _record(name: str, kind: int, data: bytes) -> bytes:
    return _name(name) + struct.pack("!HHIH", kind, _IN, 0, len(data)) + data
