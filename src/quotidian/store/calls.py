"""The store's methods as messages: how their arguments and results are packed, derived from the protocol itself."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, get_origin, get_type_hints

import msgspec
import pyarrow as pa

from quotidian.model import Integers
from quotidian.store.protocols import Store


class Call(NamedTuple):
    """One method or property of a store: what it takes (a struct) and what it gives."""

    name: str
    signature: inspect.Signature
    takes: type[msgspec.Struct]
    gives: Any
    is_property: bool

    def packed(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Pack arguments; functions among them stay behind."""
        bound = self.signature.bind(None, *args, **kwargs).arguments
        return packed({name: bound[name] for name in self.takes.__struct_fields__ if name in bound})

    def made(self, store: Store, content: bytes) -> bytes:
        """Make the call that was packed, and pack what it gives.

        Raises
        ------
        msgspec.DecodeError
            When the arguments cannot be unpacked.
        """
        told = msgspec.structs.asdict(unpacked(content, self.takes))
        found = getattr(store, self.name)
        given = {name: value for name, value in told.items() if value is not msgspec.UNSET}
        return packed(found if self.is_property else found(**given))


def packed(data: Any) -> bytes:
    """Pack data."""
    return msgspec.msgpack.encode(data, enc_hook=_plain)


def unpacked(content: bytes, kind: Any) -> Any:
    """Unpack data of a kind.

    Raises
    ------
    msgspec.DecodeError
        When it is not of that kind.
    """
    return msgspec.msgpack.decode(content, type=kind, dec_hook=_rich)


def _plain(data: Any) -> Any:
    if isinstance(data, pa.Table):
        return table_bytes(data)
    if isinstance(data, Integers):
        return data.encode()
    raise NotImplementedError(f"{type(data).__name__} does not travel")


def _rich(kind: type, data: Any) -> Any:
    if kind is pa.Table:
        try:
            return pa.ipc.open_stream(data).read_all()
        except pa.ArrowException as error:
            raise msgspec.ValidationError(str(error)) from error
    if kind is Integers:
        return Integers.decode(data)
    raise NotImplementedError(f"{kind} does not travel")


def table_bytes(table: pa.Table) -> bytes:
    """Write a table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def _call(name: str, member: Any) -> Call:
    function: Callable[..., Any] = member.fget if isinstance(member, property) else member  # type: ignore[assignment]
    hints = get_type_hints(function)
    signature = inspect.signature(function)
    fields = [
        (one.name, hints[one.name] | msgspec.UnsetType, msgspec.UNSET)
        for one in [*signature.parameters.values()][1:]
        if not _is_function(hints[one.name])
    ]
    takes = msgspec.defstruct(f"{name}_arguments", fields)
    return Call(name, signature, takes, hints["return"], isinstance(member, property))


def _is_function(hint: Any) -> bool:
    parts = hint.__args__ if isinstance(hint, types.UnionType) else (hint,)
    return any(get_origin(part) is Callable or get_origin(part) is _CALLABLE for part in parts)


_CALLABLE: Final = get_origin(Callable[[], None])

#: ``close`` is for the owner of the store alone; a backup is too large for a message, and has a route of its own.
_OTHERS: Final = ("close", "backup")
#: Every other call.
CALLS: Final = {
    name: _call(name, member)
    for name, member in vars(Store).items()
    if not name.startswith("_") and name not in _OTHERS
}
