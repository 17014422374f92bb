"""The workloads of bench.py on LanceDB / pylance, each in a process of its own, with the same data. One JSON
object on standard output. Conversion to Python objects is left out: results stay Arrow."""
import json
import os
import statistics
import sys
import time

import numpy as np
import pyarrow as pa


def now():
    return time.perf_counter() * 1000


def peak():
    """Of this process: what getrusage says begins with the peak of the process that started it."""
    with open("/proc/self/status") as status:
        return round(next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024)


def ipc(path):
    return pa.ipc.open_file(pa.memory_map(path))


def ingest(db, table, data, *_):
    import lance
    reader = ipc(data)
    batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
    start = now()
    d = lance.write_dataset(pa.RecordBatchReader.from_batches(reader.schema, batches),
                            os.path.join(db, table + ".lance"), mode="overwrite", data_storage_version="2.2")
    return {"ms": now() - start, "rows": d.count_rows(), "peak_mib": peak()}


def scan(db, table, columns=None):
    import lance
    d = lance.dataset(os.path.join(db, table + ".lance"))
    times = []
    for _ in range(7):
        start = now()
        rows = 0
        # Large batches are the fastest setting of the peer for narrow columns.
        kwargs = {"columns": columns.split(","), "batch_size": 65536} if columns else {}
        for batch in d.scanner(**kwargs).to_batches():
            rows += batch.num_rows
        times.append(now() - start)
    return {"ms": statistics.median(times), "first_ms": times[0], "rows": rows, "peak_mib": peak()}


def take(db, table, rows, repetitions, columns=None):
    import lance
    d = lance.dataset(os.path.join(db, table + ".lance"))
    rng = np.random.default_rng(7)
    total, times = d.count_rows(), []
    for _ in range(int(repetitions)):
        picks = rng.integers(0, total, int(rows)).tolist()
        start = now()
        d.take(picks, columns=columns.split(",") if columns else None)
        times.append(now() - start)
    return {"ms": statistics.median(times), "first_ms": times[0]}


def filter(db, table, repetitions, where, columns=None, order_by=None, limit=None):
    import lance
    d = lance.dataset(os.path.join(db, table + ".lance"))
    times, cpu_times = [], []
    for _ in range(int(repetitions)):
        start, cpu_start = now(), time.process_time() * 1000
        rows = 0
        kwargs = {"columns": columns.split(",")} if columns else {}
        if order_by:
            kwargs["order_by"] = [order_by]
        if limit:
            kwargs["limit"] = int(limit)
        for batch in d.scanner(filter=where, **kwargs).to_batches():
            rows += batch.num_rows
        times.append(now() - start)
        cpu_times.append(time.process_time() * 1000 - cpu_start)
    return {"ms": statistics.median(times), "cpu_ms": statistics.median(cpu_times), "first_ms": times[0], "rows": rows,
            "peak_mib": peak()}


def queries_of(path):
    column = ipc(path).get_batch(0).column(0)
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)


def knn(db, table, queries, per_call, repetitions):
    import lancedb
    t = lancedb.connect(db).open_table(table)
    q, n = queries_of(queries), int(per_call)
    times, ids = [], None
    for r in range(int(repetitions)):
        start_at = (r * n) % (len(q) - n + 1)
        start = now()
        if n == 1:
            found = t.search(q[start_at], vector_column_name="vector").select(["id"]).limit(10).to_arrow()
        else:
            found = t.search([v for v in q[start_at:start_at + n]], vector_column_name="vector").select(
                ["id"]).limit(10).to_arrow()
        times.append(now() - start)
        if ids is None:
            if n > 1:
                found = found.sort_by([("query_index", "ascending"), ("_distance", "ascending")])
            ids = found["id"].to_pylist()
    return {"ms": statistics.median(times), "first_ms": times[0], "ms_per_query": statistics.median(times) / n,
            "peak_mib": peak(), "ids": ids}


def first(db, table, queries):
    q = queries_of(queries)
    import lancedb
    start = now()
    t = lancedb.connect(db).open_table(table)
    opened = now() - start
    t.search(q[0], vector_column_name="vector").select(["id"]).limit(10).to_arrow()
    return {"open_ms": opened, "ms": now() - start}


def append(db, table, data, count, *_):
    import lancedb
    batch = ipc(data).get_batch(0)
    t = lancedb.connect(db).create_table(table, pa.Table.from_batches([batch.slice(0, 1)]), mode="overwrite")
    out, window = {}, []
    for i in range(1, int(count) + 1):
        row = pa.Table.from_batches([batch.slice(i % batch.num_rows, 1)])
        start = now()
        t.add(row)
        window.append(now() - start)
        if i in (10, 100, 1000, 2500, 5000, int(count)):
            out[str(i)] = statistics.median(window[-100:])
    out["peak_mib"] = peak()
    return out


def change(db, table, data, op, count, *_):
    import lancedb
    batch = ipc(data).get_batch(0)
    t = lancedb.connect(db).create_table(table, pa.Table.from_batches([batch.slice(0, 10_000)]), mode="overwrite")
    out, window = {}, []
    for i in range(1, int(count) + 1):
        start = now()
        if op == "delete":
            t.delete("id = %d" % i)
        else:
            t.update(where="id = %d" % i, values_sql={"price": "price + 1"})
        window.append(now() - start)
        if i in (10, 1000, 5000, int(count)):
            out[str(i)] = statistics.median(window[-100:])
    out["peak_mib"] = peak()
    return out


def update(db, table, repetitions, where, column, expression):
    import lancedb
    t = lancedb.connect(db).open_table(table)
    times, rows = [], 0
    for _ in range(int(repetitions)):
        start = now()
        rows = t.update(where=where, values_sql={column: expression}).rows_updated
        times.append(now() - start)
    return {"ms": statistics.median(times), "first_ms": times[0], "rows": rows, "peak_mib": peak()}


def merge(db, table, source, key):
    import lancedb
    t = lancedb.connect(db).open_table(table)
    reader = ipc(source)
    times, updated, inserted = [], 0, 0
    for i in range(reader.num_record_batches):
        rows = pa.Table.from_batches([reader.get_batch(i)])
        start = now()
        done = t.merge_insert(key).when_matched_update_all().when_not_matched_insert_all().execute(rows)
        times.append(now() - start)
        updated += done.num_updated_rows
        inserted += done.num_inserted_rows
    return {"ms": statistics.median(times), "first_ms": times[0], "updated": updated, "inserted": inserted,
            "peak_mib": peak()}


def compact(db, table, data, fragments, *_):
    import lance
    batch = ipc(data).get_batch(0)
    path = "%s/%s.lance" % (db, table)
    lance.write_dataset(pa.Table.from_batches([batch.slice(0, 100)]), path, mode="overwrite")
    for i in range(1, int(fragments)):
        lance.write_dataset(pa.Table.from_batches([batch.slice(i * 100 % (batch.num_rows - 99), 100)]), path, mode="append")
    d = lance.dataset(path)
    start = now()
    d.optimize.compact_files()
    return {"ms": now() - start, "fragments": len(lance.dataset(path).get_fragments()), "peak_mib": peak()}


def crowd(db, table, data, threads, each, *_):
    import lancedb
    from concurrent.futures import ThreadPoolExecutor
    batch = ipc(data).get_batch(0)
    t = lancedb.connect(db).create_table(table, pa.Table.from_batches([batch.slice(0, 1)]), mode="overwrite")
    one = lambda i: t.add(pa.Table.from_batches([batch.slice(i % batch.num_rows, 1)]))
    start = now()
    with ThreadPoolExecutor(int(threads)) as pool:
        list(pool.map(one, range(int(threads) * int(each))))
    return {"ms_per_append": (now() - start) / (int(threads) * int(each)), "failed": 0, "peak_mib": peak()}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
