"""The chain that one would write first: a POST per event, twice, and a durable commit for each.

``python -m benchmarks.pipeline_naive store PORT FILE``, ``… enrich PORT STORE``, ``… capture HOME ENRICH COUNT``. The
web stack is ours (FastAPI, uvicorn, aiohttp with connections that are kept), and so is the database: SQLite with a
write-ahead log that is synchronised at each commit. Events are models, as FastAPI's own documentation has them.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

_TABLE = "CREATE TABLE event (id TEXT PRIMARY KEY, entity_id TEXT, domain TEXT, state TEXT, at TEXT, attributes TEXT)"


class Heard(BaseModel):
    """An event as it was heard."""

    entity_id: str
    state: str
    last_updated: str
    attributes: dict[str, Any]


class Kept(Heard):
    """An event as it is kept."""

    domain: str


def store(path: str) -> FastAPI:
    """Make the service that keeps events."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_TABLE}")
    app = FastAPI()

    @app.post("/events")
    def keep(event: Kept) -> dict[str, bool]:
        row = (event.entity_id + event.last_updated, event.entity_id, event.domain, event.state, event.last_updated)
        database.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?)", (*row, json.dumps(event.attributes)))
        return {"stored": True}

    return app


def enrich(target: str) -> FastAPI:
    """Make the service that adds to events and hands them on."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as app.state.session:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/events")
    async def hand_on(event: Heard) -> dict[str, bool]:
        kept = Kept(**event.model_dump(), domain=event.entity_id.partition(".")[0])
        async with app.state.session.post(f"{target}/events", json=kept.model_dump()) as answer:
            answer.raise_for_status()
        return {"stored": True}

    return app


async def capture(home: str, target: str, count: int) -> float:
    """Listen, and hand on so many events, one after another; give how many a second were kept."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{home}/api/websocket", max_msg_size=0) as socket,
    ):
        await socket.receive()
        await socket.send_json({"type": "auth", "access_token": "good"})
        await socket.receive()
        await socket.send_json({"id": 1, "type": "subscribe_events", "event_type": "state_changed"})
        start, done = 0.0, 0
        while done < count:
            told = await socket.receive_json()
            if told["type"] != "event":
                continue
            start = start or time.perf_counter()
            new = told["event"]["data"]["new_state"]
            heard = {name: new[name] for name in ("entity_id", "state", "last_updated", "attributes")}
            async with session.post(f"{target}/events", json=heard) as answer:
                answer.raise_for_status()
            done += 1
        return done / (time.perf_counter() - start)


def main(kind: str, *words: str) -> None:
    """Be one of the three."""
    if kind == "capture":
        print(asyncio.run(capture(words[0], words[1], int(words[2]))))
        return
    app = store(words[1]) if kind == "store" else enrich(words[1])
    uvicorn.run(app, host="127.0.0.1", port=int(words[0]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
