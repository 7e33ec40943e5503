"""How our services are spoken to: one policy of retries, one circuit breaker a peer, errors of ours only."""

from quotidian.clients.caller import Caller
from quotidian.clients.enrich import EnrichClient
from quotidian.clients.health import dependency, health
from quotidian.clients.store import EventPage, StoreClient

__all__ = ["Caller", "EnrichClient", "EventPage", "StoreClient", "dependency", "health"]
