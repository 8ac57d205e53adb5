"""The guarantees that are taken away, each with the tests that must notice. See ``tests/teeth/__main__.py``.

The rows stand in the modules beside this one, by topic.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.teeth.admin import ADMIN
from tests.teeth.affinity import AFFINITY
from tests.teeth.caching import CACHING
from tests.teeth.comparing import COMPARING
from tests.teeth.development import DEVELOPMENT
from tests.teeth.failures import FAILURES
from tests.teeth.grounding import GROUNDING
from tests.teeth.guards import GUARDS
from tests.teeth.idempotency import IDEMPOTENCY
from tests.teeth.injection import INJECTION
from tests.teeth.jobs import JOBS
from tests.teeth.money import MONEY
from tests.teeth.overload import OVERLOAD
from tests.teeth.queue import QUEUE
from tests.teeth.racing import RACING
from tests.teeth.routing import ROUTING
from tests.teeth.savings import SAVINGS
from tests.teeth.semantic import SEMANTIC
from tests.teeth.server import SERVER
from tests.teeth.settings import SETTINGS
from tests.teeth.statistics import STATISTICS
from tests.teeth.streams import STREAMS


class Cut(NamedTuple):
    """In ``file``, ``old`` (which stands there once) becomes ``new``; then one of ``tests`` must fail: files, or single
    tests as pytest names them."""

    name: str
    what: str
    file: str
    old: str
    new: str
    tests: str


CUTS = tuple(
    Cut(*row)
    for rows in (
        SERVER,
        SETTINGS,
        STREAMS,
        FAILURES,
        ROUTING,
        AFFINITY,
        RACING,
        QUEUE,
        IDEMPOTENCY,
        INJECTION,
        CACHING,
        SAVINGS,
        SEMANTIC,
        GUARDS,
        GROUNDING,
        JOBS,
        OVERLOAD,
        ADMIN,
        MONEY,
        STATISTICS,
        COMPARING,
        DEVELOPMENT,
    )
    for row in rows
)
