"""How a service is, asked over HTTP."""

from quotidian.clients.caller import Caller
from quotidian.errors import QuotidianError
from quotidian.model.health import Dependency, ServiceHealth


async def health(url: str, secret: str = "", peer: str = "other") -> ServiceHealth:
    """Ask a service how it is.

    Raises
    ------
    UnreachableError
        When it does not answer.
    """
    caller = Caller(peer, url, secret, patience=5.0, retries=False)
    try:
        return await caller.get("/health", ServiceHealth)
    finally:
        await caller.close()


async def dependency(peer: str, url: str, secret: str = "") -> Dependency:
    """Tell how a service is that another one needs; one that does not answer is down."""
    try:
        found = await health(url, secret, peer)
    except QuotidianError as error:
        return Dependency(peer, "down", str(error))
    troubles = "; ".join(f"{one.name}: {one.detail}" for one in found.dependencies if one.state != "ok")
    return Dependency(peer, found.state, troubles)
