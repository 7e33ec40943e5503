"""The buckets in InfluxDB, made and kept in order by ``quotidian store init``."""

from quotidian.settings import Settings
from quotidian.store.influx.place import buckets
from quotidian.store.influx.server import Server

_DAY = 86_400  # seconds


def init(settings: Settings) -> list[str]:
    """Make the buckets that are missing, and let each keep things for as long as the settings say; tell what was done.

    Raises
    ------
    UnreachableError, AccessError, SettingError, StoreRefusedError
        When InfluxDB does not answer, or not as it should.
    """
    wanted = buckets(settings).values()
    server = Server(settings)
    try:
        return [_done(server, bucket, days) for bucket, days in wanted]
    finally:
        server.close()


def _done(server: Server, bucket: str, days: int) -> str:
    before = server.retention(bucket)
    if before == days * _DAY:
        return f"{bucket} keeps {days} days, as before."
    server.set_retention(bucket, days * _DAY)
    if before is None:
        return f"{bucket} was made, and keeps {days} days."
    kept = f"{before / _DAY:g} days" if before else "everything"
    return f"{bucket} keeps {days} days; before, it kept {kept}."


def shortens(settings: Settings) -> bool:
    """Tell whether ``init`` would let a bucket keep things for less long than it does.

    Raises
    ------
    UnreachableError, AccessError, SettingError, StoreRefusedError
        When InfluxDB does not answer, or not as it should.
    """
    server = Server(settings)
    try:
        found = [(days * _DAY, server.retention(bucket)) for bucket, days in buckets(settings).values()]
    finally:
        server.close()
    return any(kept is not None and (kept == 0 or kept > wanted) for wanted, kept in found)


def shortened(settings: Settings) -> list[str]:
    """Tell which buckets are missing, or keep less than the settings say; empty when all is in order.

    Raises
    ------
    UnreachableError, AccessError, SettingError, StoreRefusedError
        When InfluxDB does not answer, or not as it should.
    """
    server = Server(settings)
    try:
        found = [(bucket, days, server.retention(bucket)) for bucket, days in buckets(settings).values()]
    finally:
        server.close()
    return [
        f"{bucket} is missing" if kept is None else f"{bucket} keeps {kept / _DAY:g} days in place of {days}"
        for bucket, days, kept in found
        if kept is None or 0 < kept < days * _DAY
    ]
