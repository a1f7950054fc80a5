"""The keys under which Redis has the runs: all in one slot of a cluster, none with a time to live.

    run:ID         hash     manifest, status, version, created, schema; some: terminate, dropped
    events:ID      list     "VERSION-NUMBER event", its newest events
    versions       hash     ID -> "VERSION PHASE"
    facts          hash     ID -> "CREATED-MS [namespace, templates, labels, named]", for lists
    index          zset     "CREATED-MS:ID", all runs, in lexical order
    live           zset     ID, all that have not ended, in lexical order
    successful     zset     ID by the time of its end
    unsuccessful   zset     the same for all other phases
    expiring       zset     ID by the time from which its ttlStrategy wants it gone
    idempotency    hash     digest of a key -> "CREATED ID DIGEST-OF-THE-REQUEST"
    remembered     zset     digest of a key by the time of its use

A Redis that is short of memory may drop what has a time to live: a run's parts never have one.
"""

from typing import Final

PREFIX: Final = "analysis-gateway:{runs}:"
RUN: Final = f"{PREFIX}run:"
EVENTS: Final = f"{PREFIX}events:"
VERSIONS: Final = f"{PREFIX}versions"
FACTS: Final = f"{PREFIX}facts"
INDEX: Final = f"{PREFIX}index"
LIVE: Final = f"{PREFIX}live"
SUCCESSFUL: Final = f"{PREFIX}successful"
UNSUCCESSFUL: Final = f"{PREFIX}unsuccessful"
EXPIRING: Final = f"{PREFIX}expiring"
IDEMPOTENCY: Final = f"{PREFIX}idempotency"
REMEMBERED: Final = f"{PREFIX}remembered"
