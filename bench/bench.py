"""Glaive beside LanceDB/pylance: same data, one run, each engine in its own process, rounds alternate, medians.

    bench.py [--rows 1000000] [--filter-rows 10000000] [--appends 5000] [--rounds 3] [--only filters|changes] [--write-docs]

Writes build/bench/results.jsonl and prints the table; --write-docs also puts it into docs/benchmarks.md.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys

import numpy as np
import pyarrow as pa

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "build", "bench")
TOOL = os.path.join(ROOT, "build", "bin", "glaive_bench")


def make_data(path, rows, dim, scalars):
    """Clustered vectors; ids, prices, tenants and short texts beside them. Seeded."""
    if os.path.exists(path):
        return
    rng = np.random.default_rng(dim)
    centres = rng.normal(size=(1000, dim)).astype(np.float32)
    words = np.array(["w%03d" % i for i in range(500)])
    writer = None
    step = 100_000
    for start in range(0, rows, step):
        n = min(step, rows - start)
        vectors = centres[rng.integers(0, 1000, n)] + 0.6 * rng.normal(size=(n, dim)).astype(np.float32)
        columns = {"id": pa.array(np.arange(start, start + n, dtype=np.int64)),
                   "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float32).ravel()), dim)}
        if scalars:
            columns["bucket"] = pa.array(rng.integers(0, 1000, n).astype(np.int32))
            columns["price"] = pa.array(rng.random(n))
            columns["tenant"] = pa.array(["tenant-%02d" % i for i in rng.integers(0, 97, n)])
            picked = words[rng.integers(0, 500, (n, 8))]
            columns["text"] = pa.array([" ".join(row) for row in picked])
        batch = pa.record_batch(columns)
        if writer is None:
            writer = pa.ipc.new_file(path + ".tmp", batch.schema)
        writer.write_batch(batch)
    writer.close()
    os.rename(path + ".tmp", path)


def make_filter_data(path, rows):
    """Columns to filter by, of many types, and some to carry along. `n` below 1000 * share picks that share of
    the rows wherever it lies, and so do the others."""
    if os.path.exists(path):
        return
    rng = np.random.default_rng(3)
    step = 500_000
    schema = pa.schema([("id", pa.int64()), ("n", pa.int32()), ("price", pa.float64()), ("name", pa.string()),
                        ("at", pa.timestamp("us")), ("tags", pa.list_(pa.int32()))])
    with pa.OSFile(path + ".tmp", "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for first in range(0, rows, step):
            count = min(step, rows - first)
            n = rng.integers(0, 1000, count, dtype=np.int32)
            names = np.char.add(np.char.add("user-", np.char.zfill(rng.integers(0, 1000, count).astype(str), 4)), "@example.org")
            tags = pa.ListArray.from_arrays(np.arange(0, 3 * count + 1, 3, dtype=np.int32),
                                            rng.integers(0, 3000, 3 * count, dtype=np.int32))
            at = 1_700_000_000_000_000 + rng.integers(0, 1000, count) * 86_400_000_000
            writer.write_batch(pa.record_batch(
                [pa.array(np.arange(first, first + count)), pa.array(n), pa.array(rng.random(count)), pa.array(names),
                 pa.array(at, pa.timestamp("us")), tags], schema))
    os.rename(path + ".tmp", path)


def filter_cases():
    """Words, the filter. Each keeps 0.1 %, 1 %, 10 % and 50 % of the rows (lists: any of three tags)."""
    cases = []
    for share, label in ((1, "0.1 %"), (10, "1 %"), (100, "10 %"), (500, "50 %")):
        cases.append(("int32, %s" % label, "n < %d" % share))
        cases.append(("text, %s" % label, "name < 'user-%04d'" % share))
        day = np.datetime64("2023-11-14T22:13:20") + np.timedelta64(share, "D")
        cases.append(("timestamp, %s" % label, "at < timestamp '%s'" % str(day).replace("T", " ")))
    for tag_count, label in ((1, "0.1 %"), (10, "1 %"), (105, "10 %")):
        tags = ", ".join(str(t) for t in range(tag_count))
        cases.append(("list, %s" % label, "array_has_any(tags, [%s])" % tags))
    return cases


def make_merge_data(path, rows, count):
    """Three batches to upsert into the filter data: every second row is of an id that is there already. Ids of a
    batch are distinct and in no order."""
    if os.path.exists(path):
        return
    rng = np.random.default_rng(count)
    batches = []
    for part in range(3):
        old = rng.choice(rows, count // 2, replace=False)
        new = rows + part * count + np.arange(count - count // 2)
        ids = rng.permutation(np.concatenate([old, new]))
        tags = pa.ListArray.from_arrays(np.arange(0, 3 * count + 1, 3, dtype=np.int32),
                                        rng.integers(0, 3000, 3 * count, dtype=np.int32))
        batches.append(pa.record_batch(
            {"id": pa.array(ids.astype(np.int64)), "n": pa.array(rng.integers(0, 1000, count, dtype=np.int32)),
             "price": pa.array(rng.random(count)), "name": pa.array(["merged-%d" % i for i in ids]),
             "at": pa.array(np.full(count, 1_700_000_000_000_000), pa.timestamp("us")), "tags": tags}))
    with pa.ipc.new_file(path, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def make_queries(path, data, count):
    column = pa.ipc.open_file(pa.memory_map(data)).get_batch(0).column(1)
    dim = column.type.list_size
    rows = column.flatten().to_numpy()[:count * dim].reshape(count, dim)
    noise = np.random.default_rng(5).normal(size=rows.shape).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array((rows + 0.3 * noise).astype(np.float32).ravel()), dim)
    with pa.ipc.new_file(path, pa.schema([("vector", vectors.type)])) as writer:
        writer.write_batch(pa.record_batch({"vector": vectors}))


def drop_caches(directory):
    """Cold files: all page cache where we may, else the pages of these files."""
    subprocess.run(["sync"], check=False)
    try:
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3")
        return
    except OSError:
        pass
    for base, _, files in os.walk(directory):
        for name in files:
            fd = os.open(os.path.join(base, name), os.O_RDONLY)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def call(engine, *args):
    args = [str(a) for a in args]
    if engine == "glaive":
        command = [TOOL] + args
    else:
        command = [sys.executable, os.path.join(ROOT, "bench", "peer.py")] + [a for a in args if a not in ("none", "synced")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit("%s: %s" % (" ".join(command), done.stderr.decode()[-1500:]))
    return json.loads(done.stdout.decode().strip().splitlines()[-1])


class Run:
    def __init__(self, rounds):
        self.rounds = rounds
        self.rows = []

    def compare(self, name, key, unit, theirs, ours, cold=None, goal="", fresh=None):
        """Alternates the two engines `rounds` times; keeps the medians and the median of the ratios."""
        a, b, peaks, cpu = [], [], ([], []), ([], [])
        for _ in range(self.rounds):
            for values, peak, engine, args in ((a, peaks[0], "lancedb", theirs), (b, peaks[1], "glaive", ours)):
                if fresh:  # a table to be made anew, of what
                    call(engine, "ingest", args[1], fresh[0], fresh[1], "none")
                if cold:
                    drop_caches(cold)
                result = call(engine, *args)
                values.append(result[key])
                peak.append(result.get("peak_mib", 0))
                cpu[engine == "glaive"].append(result.get("cpu_ms"))
        self.record(name, unit, a, b, max(peaks[0]), max(peaks[1]), goal)
        if cpu[0][0] is not None:  # says more than time where the machine is shared
            theirs, ours = statistics.median(cpu[0]), statistics.median(cpu[1])
            self.rows[-1].update({"lancedb_cpu_ms": theirs, "glaive_cpu_ms": ours})
            print("%-44s %12.3f %12.3f ms  %6.1fx" % ("  CPU time of all threads", theirs, ours, theirs / ours), flush=True)

    def record(self, name, unit, a, b, peak_a=0, peak_b=0, goal=""):
        ratio = statistics.median(x / y for x, y in zip(a, b))
        row = {"workload": name, "unit": unit, "lancedb": statistics.median(a), "glaive": statistics.median(b),
               "ratio": ratio, "lancedb_peak_mib": peak_a, "glaive_peak_mib": peak_b, "goal": goal, "rounds": len(a)}
        self.rows.append(row)
        print("%-44s %12.3f %12.3f %s  %6.1fx   peak %d / %d MiB" % (name, row["lancedb"], row["glaive"], unit, ratio,
                                                                    peak_a, peak_b), flush=True)


def bandwidth():
    """Read bandwidth of the memory in GB/s, both cores and one, by a plain sum: the bound of a vector search."""
    code = r"""
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <vector>
int main() {
  const size_t n = size_t{1} << 30;
  auto* data = static_cast<uint64_t*>(mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(data, n, MADV_HUGEPAGE);
  memset(data, 1, n);
  for (unsigned threads : {1u, std::thread::hardware_concurrency()}) {
    double best = 0;
    for (int r = 0; r < 5; ++r) {
      auto start = std::chrono::steady_clock::now();
      std::vector<std::thread> workers;
      std::vector<uint64_t> sums(threads * 16);
      for (unsigned t = 0; t < threads; ++t) workers.emplace_back([&, t] {
        uint64_t s[8] = {};
        const uint64_t* p = data + n / 8 / threads * t;
        for (size_t i = 0; i + 8 <= n / 8 / threads; i += 8) for (int j = 0; j < 8; ++j) s[j] += p[i + j];
        for (auto v : s) sums[t * 16] += v;
      });
      for (auto& w : workers) w.join();
      double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (n / seconds / 1e9 > best && sums[0] != 1) best = n / seconds / 1e9;
    }
    printf("%.1f ", best);
  }
}
"""
    source = os.path.join(WORK, "bandwidth.cc")
    with open(source, "w") as out:
        out.write(code)
    binary = os.path.join(WORK, "bandwidth")
    subprocess.run(["g++", "-O3", "-march=native", "-std=c++17", "-pthread", source, "-o", binary], check=True)
    return [float(x) for x in subprocess.run([binary], stdout=subprocess.PIPE, check=True).stdout.split()]


def filters(run, rows, theirs, ours):
    data = os.path.join(WORK, "f-%d.arrow" % rows)
    make_filter_data(data, rows)
    call("lancedb", "ingest", theirs, "f", data)
    call("glaive", "ingest", ours, "f", data, "none")
    for words, where in filter_cases():
        for columns in ("id,price,name,tags", "id"):
            run.compare("filter by %s, %s" % (words, "all" if "," in columns else columns), "ms", "ms",
                        ("filter", theirs, "f", 3, where, columns), ("filter", ours, "f", 3, where, columns),
                        goal=">= 2x")
    for limit in (10, 1000):
        run.compare("order by price limit %d" % limit, "ms", "ms",
                    ("filter", theirs, "f", 3, "n < 500", "id,price,name,tags", "price", limit),
                    ("filter", ours, "f", 3, "n < 500", "id,price,name,tags", "price", limit), goal=">= 2x")


def changes(run, theirs, ours, count):
    """Updates and upserts of many rows of a million, and of one row at a time."""
    rows = 1_000_000
    data = os.path.join(WORK, "f-%d.arrow" % rows)
    make_filter_data(data, rows)
    for words, where in (("1,000 rows", "n = 7"), ("100,000 rows", "n < 100")):
        run.compare("update of %s of 1,000,000" % words, "ms", "ms",
                    ("update", theirs, "c", 3, where, "price", "price * 2"),
                    ("update", ours, "c", 3, where, "price", "price * 2"), goal=">= 2x", fresh=("c", data))
    for words, size in (("1,000", 1000), ("100,000", 100_000)):
        source = os.path.join(WORK, "m-%d.arrow" % size)
        make_merge_data(source, rows, size)
        run.compare("upsert of %s rows into 1,000,000" % words, "ms", "ms", ("merge", theirs, "c", source, "id"),
                    ("merge", ours, "c", source, "id"), goal=">= 2x", fresh=("c", data))
    for op in ("update", "delete"):
        took = {"lancedb": call("lancedb", "change", theirs, "one_" + op, data, op, count),
                "none": call("glaive", "change", ours, "one_%s_none" % op, data, op, count, "none"),
                "synced": call("glaive", "change", ours, "one_" + op, data, op, count, "synced")}
        for mode in ("none", "synced"):
            for at in sorted((k for k in took["lancedb"] if k.isdigit()), key=int):
                run.record("%s of 1 row at version %s, ours %s" % (op, at, "unsynced" if mode == "none" else "synced"),
                           "ms", [took["lancedb"][at]], [took[mode][at]], took["lancedb"]["peak_mib"],
                           took[mode]["peak_mib"], ">= 2x")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--filter-rows", type=int, default=10_000_000)
    parser.add_argument("--appends", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--only", choices=("filters", "changes"), help="just these, nothing is written but the table")
    args = parser.parse_args()
    os.makedirs(WORK, exist_ok=True)
    theirs, ours = os.path.join(WORK, "lancedb"), os.path.join(WORK, "glaive")
    for directory in (theirs, ours):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
    run = Run(args.rounds)
    if args.only == "filters":
        return filters(run, args.filter_rows, theirs, ours)
    if args.only == "changes":
        return changes(run, theirs, ours, args.appends)
    d1, d2 = os.path.join(WORK, "d1-%d.arrow" % args.rows), os.path.join(WORK, "d2-%d.arrow" % args.rows)
    make_data(d1, args.rows, 128, True)
    make_data(d2, max(1000, args.rows // 10), 768, False)
    q1, q2 = os.path.join(WORK, "q1.arrow"), os.path.join(WORK, "q2.arrow")
    make_queries(q1, d1, 64)
    make_queries(q2, d2, 64)
    one, both = bandwidth()
    print("memory bandwidth: %.1f GB/s one core, %.1f GB/s all cores" % (one, both))
    print("%-44s %12s %12s" % ("workload", "lancedb", "glaive"))

    label = "%dk x 128" % (args.rows // 1000)
    run.compare("ingest %s, unsynced" % label, "ms", "ms", ("ingest", theirs, "d1", d1), ("ingest", ours, "d1", d1, "none"), goal=">= 1x")
    run.compare("ingest %s, ours synced" % label, "ms", "ms", ("ingest", theirs, "d1", d1), ("ingest", ours, "d1", d1, "synced"), goal=">= 1x")
    streamed = call("glaive", "ingest", ours, "streamed", d1, "none", "read")["peak_mib"]
    batch = os.path.getsize(d1) / (-(-args.rows // 100_000)) / 2**20
    print("peak of a streamed ingest: %d MiB, of which one batch is %d" % (streamed, batch))
    call("lancedb", "ingest", theirs, "d2", d2)
    call("glaive", "ingest", ours, "d2", d2)
    # The overwritten versions would be walked by cold reads of neither engine; remove them all the same.
    run.compare("full scan, 6 columns", "ms", "ms", ("scan", theirs, "d1"), ("scan", ours, "d1"), goal=">= 2x")
    run.compare("scan of the vector column", "ms", "ms", ("scan", theirs, "d1", "vector"), ("scan", ours, "d1", "vector"), goal=">= 2x")
    run.compare("scan of id", "ms", "ms", ("scan", theirs, "d1", "id"), ("scan", ours, "d1", "id"), goal=">= 2x")
    run.compare("scan of id, bucket, price, tenant", "ms", "ms", ("scan", theirs, "d1", "id,bucket,price,tenant"),
                ("scan", ours, "d1", "id,bucket,price,tenant"), goal=">= 2x")
    run.compare("scan of text", "ms", "ms", ("scan", theirs, "d1", "text"), ("scan", ours, "d1", "text"), goal=">= 2x")
    for columns, words in (("vector", "vectors"), ("id,vector,bucket,price,tenant,text", "all columns"), ("text", "texts"), ("id", "ids")):
        run.compare("take 1,000 %s, warm" % words, "ms", "ms", ("take", theirs, "d1", 1000, 15, columns),
                    ("take", ours, "d1", 1000, 15, columns), goal=">= 2x")
    for columns, words in (("vector", "vectors"), ("id,vector,bucket,price,tenant,text", "all columns")):
        run.compare("take 1,000 %s, cold" % words, "first_ms", "ms", ("take", theirs, "d1", 1000, 1, columns),
                    ("take", ours, "d1", 1000, 1, columns), cold=WORK, goal=">= 2x")
    for table, queries, words in (("d1", q1, label), ("d2", q2, "%dk x 768" % (max(1000, args.rows // 10) // 1000))):
        run.compare("exact kNN %s, 1 query" % words, "ms", "ms", ("knn", theirs, table, queries, 1, 7),
                    ("knn", ours, table, queries, 1, 15), goal=">= 10x")
        run.compare("exact kNN %s, 16 queries (per query)" % words, "ms_per_query", "ms", ("knn", theirs, table, queries, 16, 3),
                    ("knn", ours, table, queries, 16, 7), goal=">= 10x")
        a = call("lancedb", "knn", theirs, table, queries, 1, 1)["ids"]
        b = call("glaive", "knn", ours, table, queries, 1, 1)["ids"]
        assert a == b, "results differ: %s, %s" % (a, b)
    run.compare("open + first exact kNN, warm", "ms", "ms", ("first", theirs, "d1", q1), ("first", ours, "d1", q1), goal=">= 1x")
    run.compare("open + first exact kNN, cold", "ms", "ms", ("first", theirs, "d1", q1), ("first", ours, "d1", q1), cold=WORK, goal=">= 1x")
    small = os.path.join(WORK, "small.arrow")
    make_data(small, 1000, 16, True)
    subprocess.run(["sync"], check=False)  # what was written before must not be paid for by our syncs
    growth = {"lancedb": call("lancedb", "append", theirs, "grow", small, args.appends),
              "none": call("glaive", "append", ours, "grow_none", small, args.appends, "none"),
              "synced": call("glaive", "append", ours, "grow", small, args.appends, "synced")}
    for mode in ("none", "synced"):
        for at in sorted((k for k in growth["lancedb"] if k.isdigit()), key=int):
            run.record("append of 1 row at version %s, ours %s" % (at, "unsynced" if mode == "none" else "synced"), "ms",
                       [growth["lancedb"][at]], [growth[mode][at]], growth["lancedb"]["peak_mib"], growth[mode]["peak_mib"], ">= 1x")
    kept = call("glaive", "upkeep", ours, "kept", small, 10_000)
    print("10,000 small writes: %(data_files)d data files, %(disk_ratio).2f times the live bytes on disk, open and count in "
          "%(open_ms).2f ms, %(ms_per_write).3f ms per write" % kept)
    assert kept["data_files"] <= 50 and kept["disk_ratio"] <= 2 and kept["open_ms"] < 50, kept
    run.compare("compaction of 1,000 fragments of 100 rows", "ms", "ms", ("compact", theirs, "frags", small, 1000),
                ("compact", ours, "frags", small, 1000), goal=">= 2x")
    for mode in ("none", "synced"):
        run.compare("append of 1 row, 16 threads at once, ours %s" % ("unsynced" if mode == "none" else "synced"), "ms_per_append", "ms", ("crowd", theirs, "crowd", small, 16, 40),
                    ("crowd", ours, "crowd_" + mode, small, 16, 40, mode), goal=">= 2x")

    changes(run, theirs, ours, args.appends)
    filters(run, args.filter_rows, theirs, ours)
    knn_row = next(r for r in run.rows if r["workload"].startswith("exact kNN") and "1 query" in r["workload"])
    share = args.rows * 128 * 4 / (knn_row["glaive"] / 1000) / 1e9 / both
    print("single-query search: %.0f %% of the memory bandwidth of all cores" % (100 * share))
    with open(os.path.join(WORK, "results.jsonl"), "w") as out:
        for row in run.rows:
            out.write(json.dumps(row) + "\n")
    if args.write_docs:
        write_docs(run.rows, one, both, share, streamed, batch, args)
    for directory in (theirs, ours):
        shutil.rmtree(directory, ignore_errors=True)


def write_docs(rows, one, both, share, streamed, batch, args):
    cpu = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    import lance
    import lancedb
    lines = ["# Benchmarks", "",
             "Made by `make bench` (`bench/bench.py --write-docs`): Glaive beside LanceDB %s / pylance %s on the same data in one run,"
             % (lancedb.__version__, lance.__version__),
             "each engine in its own process, rounds alternating, medians of %d rounds (the appends: one run each, median of the" % args.rounds,
             "last 100). Smaller is better; the ratio is LanceDB's time over ours. All searches are exact (recall 1.0, results compared).",
             "LanceDB never syncs; \"ours synced\" waits for the device. Scans of Glaive read every cache line of the result, because",
             "plain pages come out as views of the mapped file; LanceDB's are counted as delivered.", "",
             "Machine: %s, %d cores. Memory bandwidth, measured in the same run: %.1f GB/s one core, %.1f GB/s all cores."
             % (cpu, os.cpu_count(), one, both),
             "The single-query search over %d x 128 reads at %.0f %% of the latter." % (args.rows, 100 * share),
             "A streamed ingest whose source is read, not mapped, peaks at %d MiB, of which one batch is %d MiB. Peaks below hold"
             % (streamed, batch), "the pages of mapped files, which the system can take back at any time.", "",
             "| workload | LanceDB | Glaive | ratio | goal | peak memory, MiB (LanceDB / Glaive) |", "|---|---:|---:|---:|---|---:|"]
    for r in rows:
        lines.append("| %s | %.2f %s | %.2f %s | %.1fx | %s | %d / %d |" % (
            r["workload"], r["lancedb"], r["unit"], r["glaive"], r["unit"], r["ratio"], r["goal"], r["lancedb_peak_mib"],
            r["glaive_peak_mib"]))
    with open(os.path.join(ROOT, "docs", "benchmarks.md"), "w") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
