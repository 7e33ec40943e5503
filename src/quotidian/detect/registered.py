"""What the registries said of a home's entities on a day, as its events carry it."""

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.detect.stream import codes
from quotidian.model import Entity, Home
from quotidian.model.event import Registered


def home_then(home: Home, events: pa.Table) -> Home:
    """Describe a home as the last event of each entity does; where events tell nothing, as it is now.

    So a lamp that has moved to another room since is found in the room where it was.

    Parameters
    ----------
    home
        The home as it is now.
    events
        A day's events, as ``own_events`` gives them, in any order.
    """
    if events["registry"].null_count == events.num_rows:
        return home
    names, entity = codes(events, "entity_id")
    texts, text = codes(events, "registry")
    told = np.array([bool(one) for one in texts], bool)[text]
    order = np.lexsort((np.argsort(np.argsort(texts))[text], events["last_updated"].to_numpy(), entity))
    order = order[told[order]]
    last = order[np.diff(entity[order], append=-1) != 0]
    said = [msgspec.json.decode(one, type=Registered) if one else Registered() for one in texts]
    entities = {
        name: _told(home.entity(name), said[word])
        for name, word in ((names[entity[row]], text[row]) for row in last.tolist())
    }
    return msgspec.structs.replace(home, entities={**home.entities, **entities})


def _told(entity: Entity, said: Registered) -> Entity:
    return msgspec.structs.replace(
        entity,
        area=said.area or entity.area,
        device=said.device or entity.device,
        device_class=said.device_class or entity.device_class,
        unit=said.unit or entity.unit,
    )
