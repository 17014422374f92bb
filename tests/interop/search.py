"""Exact vector search against LanceDB's own flat search and against NumPy in double."""
import json
import os

import lance
import lancedb
import numpy as np
import pyarrow as pa

from glaive_cli import import_table, rows, run
from suite import SEED, cases, main, test

METRICS = ("l2", "cosine", "dot")


def data(seed, n, dim, dtype, nulls):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, dim)).astype(dtype) if dtype != np.uint8 else rng.integers(
        0, 256, size=(n, dim)).astype(np.uint8)
    mask = rng.random(n) < 0.1 if nulls else np.zeros(n, bool)
    values = [None if m else list(v) for m, v in zip(mask, vectors)]
    element = {np.float16: pa.float16(), np.float32: pa.float32(), np.float64: pa.float64(),
               np.uint8: pa.uint8()}[dtype]
    return vectors, mask, pa.table({"id": pa.array(range(n), pa.int64()),
                                    "vector": pa.array(values, pa.list_(element, dim))})


def search(directory, table, query, k, metric, *args):
    return rows(directory, "search", table, "--vector", json.dumps([float(x) for x in query]), "-k", k,
                "--metric", metric, "--columns", "id", "--row-id", *args)


def truth(vectors, mask, query, metric):
    v, q = vectors.astype(np.float64), np.asarray(query, np.float64)
    if metric == "l2":
        d = ((v - q) ** 2).sum(1)
    elif metric == "dot":
        d = 1 - v @ q
    elif metric == "cosine":
        d = 1 - (v @ q) / (np.linalg.norm(v, axis=1) * np.linalg.norm(q))
    else:
        bits = np.unpackbits(vectors ^ np.asarray(query, np.uint8), axis=1)
        d = bits.sum(1).astype(np.float64)
    d[mask] = np.inf
    return d


def check(found, distances, k, tolerance):
    order = np.argsort(distances, kind="stable")
    k = min(k, int(np.isfinite(distances).sum()))
    assert len(found) == k, "%d rows, expected %d" % (len(found), k)
    for rank, row in enumerate(found):
        best = distances[order[rank]]
        own = distances[row["id"]]
        scale = max(1.0, abs(best))
        assert abs(own - best) <= tolerance * scale, "rank %d: row %d at %g, best %g" % (rank, row["id"], own, best)
        assert abs(row["_distance"] - own) <= tolerance * scale, "distance %r, expected %r" % (row["_distance"], own)


@cases([(d, dim, m, nulls) for d in ("float16", "float32", "float64") for dim in (3, 16, 130, 768)
        for m in METRICS for nulls in (False, True)])
def against_numpy(directory, dtype, dim, metric, nulls):
    vectors, mask, table = data(SEED, 700, dim, getattr(np, dtype), nulls)
    import_table(directory, "t", table, "--max-rows-per-file", 300)
    query = np.random.default_rng(SEED + 1).normal(size=dim).astype(getattr(np, dtype))
    check(search(directory, "t", query, 25, metric), truth(vectors, mask, query, metric), 25,
          2e-2 if dtype == "float16" else 1e-4)


@cases([(8,), (32,), (300,)])
def hamming(directory, dim):
    vectors, mask, table = data(SEED, 500, dim, np.uint8, True)
    import_table(directory, "t", table)
    query = vectors[17]
    check(search(directory, "t", query, 20, "hamming"), truth(vectors, mask, query, "hamming"), 20, 0)


@cases(METRICS)
def against_lancedb(directory, metric):
    vectors, mask, table = data(SEED, 4000, 32, np.float32, True)
    db = lancedb.connect(directory)
    t = db.create_table("t", table, on_bad_vectors="null")  # its name for keeping null vectors
    t.delete("id % 13 = 5")
    query = np.random.default_rng(SEED + 2).normal(size=32).astype(np.float32)
    theirs = t.search(query).distance_type(metric).limit(40).with_row_id(True).to_list()
    ours = search(directory, "t", query, 40, metric)
    assert [r["id"] for r in ours] == [r["id"] for r in theirs]
    assert [r["_rowid"] for r in ours] == [r["_rowid"] for r in theirs]
    for a, b in zip(ours, theirs):
        assert abs(a["_distance"] - b["_distance"]) <= 1e-4 * max(1, abs(b["_distance"])), (a, b)
    low, high = theirs[5]["_distance"], theirs[20]["_distance"]
    ranged = t.search(query).distance_type(metric).distance_range(low, high).limit(100).to_list()
    mine = search(directory, "t", query, 100, metric, "--lower-bound=%r" % low, "--upper-bound=%r" % high)
    assert abs(len(mine) - len(ranged)) <= 2, (len(mine), len(ranged))


@test
def ties_are_by_row_id(directory):
    table = pa.table({"id": pa.array(range(3000), pa.int64()),
                      "vector": pa.array([[float(i % 3), 0.0] for i in range(3000)], pa.list_(pa.float32(), 2))})
    import_table(directory, "t", table, "--max-rows-per-file", 500)
    found = search(directory, "t", [0.0, 0.0], 50, "l2")
    assert [r["id"] for r in found] == [3 * i for i in range(50)]


@cases(METRICS)
def multivectors(directory, metric):
    rng = np.random.default_rng(SEED)
    values = [[list(rng.normal(size=8).astype(np.float32)) for _ in range(rng.integers(1, 5))] for _ in range(300)]
    table = pa.table({"id": pa.array(range(300), pa.int64()),
                      "mv": pa.array(values, pa.list_(pa.list_(pa.float32(), 8)))})
    import_table(directory, "t", table)
    query = rng.normal(size=(3, 8)).astype(np.float32)
    found = rows(directory, "search", "t", "--column", "mv", "--vector",
                 json.dumps([[float(x) for x in q] for q in query]), "-k", 10, "--metric", metric, "--columns", "id")
    distances = np.zeros(300)
    for i, row in enumerate(values):
        v = np.array(row, np.float64)
        none = np.zeros(len(v), bool)
        distances[i] = sum(truth(v, none, q, metric).min() for q in query)
    check(found, distances, 10, 1e-4)


if __name__ == "__main__":
    main()
