"""Writes the golden tables of one old LanceDB: run once per version, in an environment that has it.

    pip install lancedb==0.19.0 pylance pandas && python make_golden.py OUT

Makes OUT/lancedb_<version>/<table>.lance and, for each version of each table, what LanceDB itself reads, as
Arrow IPC (<table>.<version>.arrow). Small on purpose; the interop suite covers sizes and types.
"""
import datetime
import os
import sys

import lance
import lancedb
import pyarrow as pa

out = os.path.join(sys.argv[1], "lancedb_" + lancedb.__version__)
os.makedirs(out, exist_ok=True)

N = 300
BASE = {
    "id": pa.array(range(N), pa.int64()),
    "small": pa.array([None if i % 7 == 0 else i % 100 for i in range(N)], pa.int16()),
    "price": pa.array([i / 3 for i in range(N)], pa.float64()),
    "flag": pa.array([i % 3 == 0 for i in range(N)]),
    "name": pa.array(["name-%d" % (i % 150) if i % 11 else None for i in range(N)]),
    "few": pa.array([["red", "green", "blue"][i % 3] for i in range(N)]),
    "text": pa.array(["a longer text with number %d and some more words in it %s" % (i, "x" * (i % 40)) for i in range(N)]),
    "long": pa.array(["z" * 300 + str(i) for i in range(N)]),
    "raw": pa.array([bytes([i % 256]) * (i % 20) for i in range(N)], pa.binary()),
    "day": pa.array([datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(N)]),
    "at": pa.array([1_700_000_000_000_000 + i * 1_000_003 for i in range(N)], pa.timestamp("us", "UTC")),
    "tags": pa.array([["t%d" % j for j in range(i % 4)] if i % 5 else None for i in range(N)]),
    "vector": pa.array([[float(i), 0.5, -1.0, i / 7] for i in range(N)], pa.list_(pa.float32(), 4)),
    "wide": pa.array([[float(i % 9)] * 96 for i in range(N)], pa.list_(pa.float32(), 96)),
    "point": pa.array([{"x": i, "y": i / 2} for i in range(N)], pa.struct([("x", pa.int32()), ("y", pa.float64())])),
}


def expected(name):
    path = os.path.join(out, name + ".lance")
    for v in lance.dataset(path).versions():
        table = lance.dataset(path, version=v["version"]).to_table()
        with pa.ipc.new_file(os.path.join(out, "%s.%d.arrow" % (name, v["version"])), table.schema) as writer:
            writer.write_table(table)


for storage in ("2.0", "2.1", "2.2"):
    name = "types_" + storage.replace(".", "_")
    try:
        lance.write_dataset(pa.table(BASE), os.path.join(out, name + ".lance"), data_storage_version=storage)
        expected(name)
    except Exception as error:
        print(lancedb.__version__, storage, "not written:", str(error)[:100])
        import shutil
        shutil.rmtree(os.path.join(out, name + ".lance"), ignore_errors=True)

db = lancedb.connect(out)
small = pa.table({k: BASE[k].slice(0, 60) for k in ("id", "name", "vector")})
t = db.create_table("history", small)
t.add(small.slice(0, 20))
t.delete("id % 4 = 1")
t.update(where="id = 2", values={"name": "changed"})
t.add_columns({"twice": "id * 2"})
t.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(
    pa.table({"id": pa.array([3, 1000], pa.int64()), "name": ["m", "n"],
              "vector": pa.array([[1.0] * 4] * 2, pa.list_(pa.float32(), 4)), "twice": pa.array([6, 2000], pa.int64())}))
t.create_scalar_index("id")
t.optimize()
expected("history")
print(lancedb.__version__, sorted(os.listdir(out)))
