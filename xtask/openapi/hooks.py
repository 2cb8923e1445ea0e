"""What schemathesis cannot know of a hub: bodies in bytes, and what the hub said before.

The bodies are written after docs/protocol.md alone, so that this is also a second reading of it.
"""

import unicodedata
from hashlib import sha256
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
PINNED = [
    bytes.fromhex(line.split()[1])
    for line in (ROOT / "shared-log/wire/tests/bodies.txt").read_text().splitlines()
]
GROUP = "g"


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def data(value):
    return number(len(value)) + value


def many(values):
    return number(len(values)) + b"".join(values)


def option(value):
    return b"\0" if value is None else b"\1" + value


def running_hash(replica, seq):
    """The first one is what it has to be; entries are not looked into, so the others can be anything."""
    if seq == 0:
        return sha256(b"syncline lane 1\0" + replica + GROUP.encode()).digest()[:16]
    return sha256(replica + number(seq)).digest()[:16]


def segment(replica, first, last):
    header = [
        b"SYNL\1", data(GROUP.encode()), number(0), replica, number(first), number(last),
        number(last - first + 1), (1_700_000_000_000 << 16).to_bytes(8, "big"),
        running_hash(replica, first - 1), running_hash(replica, last), number(0), b"\3", many([]), data(b"body"),
    ]
    sealed = b"".join(header)
    return sealed + sha256(sealed).digest()[:16]


replicas = st.integers(1, 4).map(lambda which: bytes([which]) * 16)
tips = st.builds(lambda replica, seq: replica + number(seq) + running_hash(replica, seq), replicas, st.integers(0, 6))
vectors = st.lists(tips, max_size=3, unique=True).map(lambda tips: many(sorted(tips)))
segments = st.builds(
    lambda replica, first, length: data(segment(replica, first, first + length)),
    replicas, st.integers(1, 4), st.integers(0, 2),
)
runs = st.lists(segments, max_size=3).map(many)
limits = st.sampled_from([0, 1, 1000, 2**40, 2**64 - 1]).map(number)
after = st.one_of(st.binary(max_size=40).map(lambda cursor: b"\0" + data(cursor)), vectors.map(lambda known: b"\1" + data(known)))
fetches = st.builds(lambda *parts: b"".join(parts), after, limits, limits)
flags = st.sampled_from([b"\0", b"\1"])
conditions = st.one_of(st.sampled_from([b"\0", b"\1"]), tips.map(lambda tip: b"\2" + tip))
appends = st.builds(lambda *parts: b"".join(parts), conditions, flags, runs)
BODIES = {
    "exchange": st.builds(
        lambda replica, join, known, fetch, append: b"X" + replica + join + option(known) + option(fetch) + option(append),
        replicas, flags, st.none() | vectors.map(data), st.none() | fetches, st.none() | appends,
    ),
    "fetch": st.builds(
        lambda replica, fetch: b"X" + replica + b"\0\0" + option(fetch) + b"\0", replicas, fetches
    ),
    "segments": runs.map(lambda run: b"S" + run),
    "acknowledged": vectors.map(lambda known: b"V" + data(known)),
}


@st.composite
def damaged(draw):
    body = bytearray(draw(st.one_of(st.sampled_from(PINNED), *BODIES.values())))
    for _ in range(draw(st.integers(1, 4))):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body[: draw(st.integers(0, len(body)))])


garbage = st.builds(bytes.__add__, st.sampled_from([b"", b"X", b"S", b"V", b"\x1f\x8b"]), st.binary(max_size=300))
schemathesis.openapi.media_type(
    "application/vnd.syncline", st.one_of(*BODIES.values(), st.sampled_from(PINNED), damaged(), garbage)
)


@schemathesis.hook
def before_generate_body(context, strategy):
    """Mostly what the path takes: what others take is refused by its first byte."""
    wanted = BODIES.get(context.operation.path.rsplit("/", 1)[-1])
    return strategy if wanted is None else st.one_of(wanted, wanted, strategy)


def whole(value):
    """1.0 is an integer to JSON schema, and is none to most programs."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


# What the hub said last: made-up epochs and tokens would hardly ever be right.
said = {}


def right(name, value):
    is_made_up = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64
    return said[name] if is_made_up and value % 4 != 3 and name in said else value


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, (dict, list)):
        case.body = whole(case.body)
    for part in (case.body, case.query):
        if isinstance(part, dict):
            part.update({name: right(name, part[name]) for name in ("epoch", "token") if name in part})
    # A poll that waits finds nothing that one that does not would miss.
    if case.operation.path.endswith("/notices") and "after" in (case.query or {}):
        case.query["wait"] = 0
    # Most requests meet in one group, so that there is something to find.
    group = (case.path_parameters or {}).get("group")
    if isinstance(group, str) and is_group(group) and (isinstance(case.body, bytes) or len(group) % 4):
        case.path_parameters["group"] = GROUP


def is_group(text):
    has_control = any(unicodedata.category(mark) in ("Cc", "Cs") for mark in text)
    return not has_control and text not in (".", "..") and 0 < len(text.encode()) <= 200


@schemathesis.hook
def after_call(context, case, response):
    if (case.path_parameters or {}).get("group") == GROUP:
        try:
            answer = response.json()
            answer = answer.get("context", answer)
            said.update({name: int(answer[name]) for name in ("epoch", "token") if name in answer})
        except (AttributeError, TypeError, ValueError):
            pass
