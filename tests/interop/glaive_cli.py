"""Drives the glaive tool, and compares tables."""
import io
import json
import math
import os
import subprocess

import pyarrow as pa

BIN = os.environ["GLAIVE_BIN"]


class GlaiveError(Exception):
    pass


def run(*args, data=None, check=True):
    done = subprocess.run([BIN, *map(str, args)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode != 0:
        raise GlaiveError("glaive %s: exit %d: %s" % (" ".join(map(str, args)), done.returncode,
                                                      done.stderr.decode(errors="replace").strip()))
    return done


def ipc_bytes(table, batch_rows=None):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return sink.getvalue()


def import_table(db, name, table, *args, batch_rows=None):
    run("import", db, name, "-", "--format", "arrow-stream", "--bad-vectors", "allow", *args, data=ipc_bytes(table, batch_rows))


def scan(db, name, *args):
    out = run("scan", db, name, "--arrow", *args).stdout
    return pa.ipc.open_stream(out).read_all()


def rows(db, verb, *args):
    out = run(verb, db, *args, "--json").stdout.decode()
    return [json.loads(line) for line in out.splitlines() if line]


def _same(a, b):
    if a is None or b is None:
        return a is b
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b))
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return a == b


def assert_same(expected, found, what):
    """Equal names, types and values, nulls included. Chunking does not matter."""
    names = expected.schema.names
    assert found.schema.names == names, "%s: columns %s, expected %s" % (what, found.schema.names, names)
    assert found.num_rows == expected.num_rows, "%s: %d rows, expected %d" % (what, found.num_rows,
                                                                               expected.num_rows)
    for name in names:
        e, f = expected[name], found[name]
        f.validate(full=True)
        assert _same_type(e.type, f.type), "%s.%s: type %s, expected %s" % (what, name, f.type, e.type)
        if e.type == f.type and e.equals(f):
            continue
        for i, (x, y) in enumerate(zip(e.to_pylist(), f.to_pylist())):
            assert _same(x, y), "%s.%s: row %d is %r, expected %r" % (what, name, i, y, x)


def _same_type(a, b):
    """Types but for the names and nullability of list items, which Lance does not keep."""
    if pa.types.is_list(a) or pa.types.is_large_list(a) or pa.types.is_fixed_size_list(a):
        return (a.id == b.id and _same_type(a.value_type, b.value_type)
                and (not pa.types.is_fixed_size_list(a) or a.list_size == b.list_size))
    if pa.types.is_struct(a):
        return (b.id == a.id and a.num_fields == b.num_fields
                and all(a.field(i).name == b.field(i).name and _same_type(a.field(i).type, b.field(i).type)
                        for i in range(a.num_fields)))
    if pa.types.is_map(a):
        return b.id == a.id and _same_type(a.key_type, b.key_type) and _same_type(a.item_type, b.item_type)
    return a == b
