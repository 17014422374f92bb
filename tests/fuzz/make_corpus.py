"""Makes the seed corpus of the fuzz targets with the real Lance: small data files of every encoding, manifests,
deletion files. Run once; the result is committed.

    python make_corpus.py OUT
"""
import glob
import os
import random
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

import lance
import pyarrow as pa

import typegen

out = sys.argv[1]
for kind in ("file", "manifest", "deletion_arrow", "deletion_bitmap"):
    os.makedirs(os.path.join(out, kind), exist_ok=True)
work = tempfile.mkdtemp()


def keep(table, version, name):
    path = os.path.join(work, name)
    lance.write_dataset(table, path, data_storage_version=version)
    for f in glob.glob(os.path.join(path, "data", "*.lance")):
        shutil.copy(f, os.path.join(out, "file", name + ".lance"))
    return path


for case in ("bool", "i32", "i64", "f32", "dec128", "str", "lbin", "fsb300", "vec4", "vec128", "list_i32", "list_str",
             "list_struct_list", "struct", "map_str_i32", "fsl_struct"):
    t, versions = typegen.CASES[case]
    for version in versions:
        for shape, n in (("nulls", 40), ("constant", 20)) + ((("few", 300), ("runs", 1500)) if case in ("i64", "str") else ()):
            keep(pa.table({"c": typegen.column(3, t, n, shape)}), version, "%s-%s-%s" % (case, version, shape))
rng = random.Random(1)
text = pa.array(["some text number %d repeated words words" % rng.randint(0, 99999) for _ in range(1500)])
keep(pa.table({"c": text}), "2.2", "fsst")
for key, value in (("compression", "zstd"), ("compression", "lz4"), ("bss", "on")):
    field = pa.field("c", pa.int64(), metadata={b"lance-encoding:compression": b"zstd", b"lance-encoding:" + key.encode(): value.encode()})
    keep(pa.table([pa.array([rng.choice([1, 7 << 30]) + i % 5 for i in range(1200)], pa.int64())], schema=pa.schema([field])), "2.2",
         "general-" + value)
packed = pa.field("c", pa.struct([("x", pa.int32()), ("s", pa.string())]), metadata={b"lance-encoding:packed": b"true"})
keep(pa.table([pa.array([{"x": i, "s": "v%d" % i} for i in range(30)], packed.type)], schema=pa.schema([packed])), "2.2", "vps")
blob = pa.field("c", pa.large_binary(), metadata={b"lance-encoding:blob": b"true"})
for version in ("2.0", "2.1"):
    keep(pa.table([pa.array([b"abc", None, b"", b"x" * 100], pa.large_binary())], schema=pa.schema([blob])), version, "blob-" + version)
keep(pa.table([lance.blob_array([b"abc", None, b"x" * 50])], schema=pa.schema([lance.blob_field("c")])), "2.2", "blob-2.2")

d = lance.write_dataset(pa.table({"id": pa.array(range(9000), pa.int64())}), os.path.join(work, "bitmap"))
d.delete("id % 3 != 0")
d.delete("id % 1000 > 900")
for i, f in enumerate(sorted(glob.glob(os.path.join(work, "bitmap", "_deletions", "*.bin")))):
    shutil.copy(f, os.path.join(out, "deletion_bitmap", "b%d" % i))
for stable in (False, True):
    path = os.path.join(work, "t%d" % stable)
    d = lance.write_dataset(pa.table({"id": pa.array(range(9000), pa.int64()), "s": ["x"] * 9000}), path, max_rows_per_file=4000,
                            enable_stable_row_ids=stable)
    d.delete("id % 100 = 5")
    d.delete("id % 3 = 0")
    d.create_scalar_index("id", "BTREE")
    d.update({"s": "'y'"}, where="id = 1")
    d.delete("id % 2 = 0")
    for i, f in enumerate(sorted(glob.glob(os.path.join(path, "_versions", "*.manifest")))):
        shutil.copy(f, os.path.join(out, "manifest", "m%d-%d" % (stable, i)))
    for i, f in enumerate(sorted(glob.glob(os.path.join(path, "_deletions", "*")))[:6]):
        kind = "deletion_arrow" if f.endswith(".arrow") else "deletion_bitmap"
        shutil.copy(f, os.path.join(out, kind, "d%d-%d" % (stable, i)))
shutil.rmtree(work)
