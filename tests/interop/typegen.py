"""Seeded generators of Arrow data: every type the format knows, several shapes of values and nulls.

A case is (name, pyarrow type, versions that can hold it). `column(rng, type, n, nulls)` makes n values.
"""
import datetime
import decimal
import json
import math
import random
import string

import pyarrow as pa

V20, V21, V22 = "2.0", "2.1", "2.2"
ALL = (V20, V21, V22)
NEW = (V21, V22)

_WORDS = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau "
          "upsilon phi chi psi omega grüße naïve 東京 emoji-🦊 data lance agent vector").split()


def _text(rng, long):
    n = rng.randint(20, 120) if long else rng.randint(0, 6)
    return " ".join(rng.choice(_WORDS) for _ in range(n))


def scalar(rng, t):
    """One non-null value of type t, adversarial ones included."""
    if pa.types.is_boolean(t):
        return rng.random() < 0.5
    if pa.types.is_integer(t):
        bits, signed = t.bit_width, pa.types.is_signed_integer(t)
        lo, hi = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        kind = rng.randint(0, 5)
        if kind == 0:
            return rng.choice([lo, hi, 0])
        if kind == 1:
            return rng.randint(lo, hi)
        return rng.randint(max(lo, -5) if kind == 2 else 0, min(hi, 300))
    if pa.types.is_float16(t):
        import numpy as np
        return np.float16(rng.choice([0.0, -0.0, 1.5, -2.25, math.inf, -math.inf, rng.uniform(-100, 100)]))
    if pa.types.is_floating(t):
        return rng.choice([0.0, -0.0, 1e-30, math.inf, -math.inf, rng.uniform(-1e6, 1e6), rng.random()])
    if pa.types.is_decimal(t):
        digits = rng.randint(1, t.precision)
        unscaled = rng.randint(-(10 ** digits) + 1, 10 ** digits - 1)
        with decimal.localcontext() as context:
            context.prec = 80
            return decimal.Decimal(unscaled).scaleb(-t.scale)
    if pa.types.is_date32(t):
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=rng.randint(-30000, 30000))
    if pa.types.is_date64(t):
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=rng.randint(-30000, 30000))
    if pa.types.is_time32(t):
        return pa.scalar(rng.randint(0, 86399 if t.unit == "s" else 86399999), pa.int32()).cast(t)
    if pa.types.is_time64(t):
        return pa.scalar(rng.randint(0, 86399999999), pa.int64()).cast(t)
    if pa.types.is_timestamp(t) or pa.types.is_duration(t):
        return pa.scalar(rng.randint(-2_000_000_000, 2_000_000_000), pa.int64()).cast(t)
    if pa.types.is_fixed_size_binary(t):
        return rng.randbytes(t.byte_width)
    if pa.types.is_string(t) or pa.types.is_large_string(t):
        return _text(rng, rng.random() < 0.1)
    if pa.types.is_binary(t) or pa.types.is_large_binary(t):
        return rng.randbytes(rng.choice([0, 1, 7, 40]))
    if pa.types.is_fixed_size_list(t):
        return [value(rng, t.value_field, 0.0) for _ in range(t.list_size)]
    if pa.types.is_map(t):
        keys = rng.sample(range(1000), rng.choice([0, 1, 3]))
        make = (lambda k: "k%d" % k) if pa.types.is_string(t.key_type) else (lambda k: k)
        return [(make(k), value(rng, t.item_field, 0.2)) for k in keys]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return [value(rng, t.value_field, 0.15) for _ in range(rng.choice([0, 0, 1, 2, 3, 7]))]
    if pa.types.is_struct(t):
        return {t.field(i).name: value(rng, t.field(i), 0.2) for i in range(t.num_fields)}
    raise NotImplementedError(t)


def value(rng, field, null_rate):
    if field.nullable and rng.random() < null_rate:
        return None
    return scalar(rng, field.type)


_F32, _S, _I32 = pa.float32(), pa.string(), pa.int32()
_AB = pa.struct([("a", _I32), ("b", _S)])

CASES = {
    "bool": (pa.bool_(), ALL), "i8": (pa.int8(), ALL), "i16": (pa.int16(), ALL), "i32": (_I32, ALL),
    "i64": (pa.int64(), ALL), "u8": (pa.uint8(), ALL), "u16": (pa.uint16(), ALL), "u32": (pa.uint32(), ALL),
    "u64": (pa.uint64(), ALL), "f16": (pa.float16(), ALL), "f32": (_F32, ALL), "f64": (pa.float64(), ALL),
    "dec128": (pa.decimal128(20, 4), ALL), "dec256": (pa.decimal256(50, 7), ALL),
    "date32": (pa.date32(), ALL), "date64": (pa.date64(), ALL), "time32s": (pa.time32("s"), ALL),
    "time32ms": (pa.time32("ms"), ALL), "time64us": (pa.time64("us"), ALL), "time64ns": (pa.time64("ns"), ALL),
    "ts_s": (pa.timestamp("s"), ALL), "ts_ms_utc": (pa.timestamp("ms", "UTC"), ALL),
    "ts_us_zone": (pa.timestamp("us", "Europe/Berlin"), ALL), "ts_ns_off": (pa.timestamp("ns", "+02:00"), ALL),
    "dur_ms": (pa.duration("ms"), ALL), "fsb1": (pa.binary(1), ALL), "fsb16": (pa.binary(16), ALL),
    "fsb300": (pa.binary(300), ALL), "str": (_S, ALL), "lstr": (pa.large_string(), ALL),
    "bin": (pa.binary(), ALL), "lbin": (pa.large_binary(), ALL),
    "vec4": (pa.list_(_F32, 4), ALL), "vec1": (pa.list_(_F32, 1), ALL), "vec128": (pa.list_(_F32, 128), ALL),
    "vec_f16": (pa.list_(pa.float16(), 24), ALL), "vec_u8": (pa.list_(pa.uint8(), 300), ALL),
    "vec_f64": (pa.list_(pa.float64(), 5), ALL), "vec_bool": (pa.list_(pa.bool_(), 8), NEW),
    "fsl_fsl": (pa.list_(pa.list_(_F32, 3), 2), NEW),
    "list_i32": (pa.list_(_I32), ALL), "llist_i64": (pa.large_list(pa.int64()), ALL),
    "list_str": (pa.list_(_S), ALL), "list_list": (pa.list_(pa.list_(_I32)), ALL),
    "list_vec": (pa.list_(pa.list_(_F32, 4)), ALL), "list_bool": (pa.list_(pa.bool_()), ALL),
    "list_struct": (pa.list_(_AB), NEW), "struct": (_AB, NEW),
    "struct_deep": (pa.struct([("x", pa.struct([("y", _AB), ("z", pa.float64())])), ("w", pa.list_(_S))]), NEW),
    "list_struct_list": (pa.list_(pa.struct([("p", _I32), ("q", pa.list_(_S))])), NEW),
    "llist_list_struct": (pa.large_list(pa.list_(pa.struct([("p", _S)]))), NEW),
    "map_str_i32": (pa.map_(_S, _I32), (V22,)), "map_i64_list": (pa.map_(pa.int64(), pa.list_(_S)), (V22,)),
    "list_map": (pa.list_(pa.map_(_S, pa.float64())), (V22,)),
    "fsl_struct": (pa.list_(pa.struct([("a", _I32), ("b", _S)]), 3), (V22,)),
}

SHAPES = ("random", "nonnull", "nulls", "allnull", "constant", "few", "sorted", "runs", "rarenull")


def column(seed, t, n, shape):
    """n values of type t. Shapes of data that a writer treats differently."""
    rng = random.Random(seed)
    field = pa.field("c", t, True)
    if shape == "allnull":
        return pa.nulls(n, t)
    if shape == "constant":
        one = scalar(rng, t)
        values = [one] * n
    elif shape in ("few", "runs"):
        pool = [scalar(rng, t) for _ in range(4)]
        if shape == "few":
            values = [rng.choice(pool) for _ in range(n)]
        else:
            values = []
            while len(values) < n:
                values += [rng.choice(pool)] * rng.randint(1, 400)
            values = values[:n]
    elif shape == "sorted" and (pa.types.is_integer(t) or pa.types.is_string(t)):
        if pa.types.is_integer(t):
            top = (1 << (t.bit_width - 1)) - 1
            values = [min(i, top) for i in range(n)]
        else:
            values = ["key-%08d" % i for i in range(n)]
    else:
        # A pool keeps generation quick for many rows; still thousands of different values.
        pool = [scalar(rng, t) for _ in range(min(n, 3000))]
        values = pool + [rng.choice(pool) for _ in range(n - len(pool))]
    rate = {"nulls": 0.3, "random": 0.05, "rarenull": 0.001}.get(shape, 0.0)
    if rate:
        values = [None if rng.random() < rate else v for v in values]
    return pa.array(values, type=t)


def dictionary_column(seed, n, index, nulls=True):
    rng = random.Random(seed)
    words = ["red", "green", "blue", "", "東京"]
    values = [None if nulls and rng.random() < 0.1 else rng.choice(words) for _ in range(n)]
    return pa.array(values, pa.string()).dictionary_encode().cast(pa.dictionary(index, pa.string()))


def random_type(rng, depth=0):
    """A random type, nested up to three levels."""
    leaves = [t for name, (t, versions) in CASES.items() if pa.types.is_primitive(t) or pa.types.is_string(t)
              or pa.types.is_binary(t)]
    kind = rng.random()
    if depth >= 3 or kind < 0.45:
        return rng.choice(leaves)
    if kind < 0.65:
        return pa.list_(random_type(rng, depth + 1))
    if kind < 0.72:
        return pa.large_list(random_type(rng, depth + 1))
    if kind < 0.8:
        return pa.list_(rng.choice([pa.float32(), pa.int16(), pa.float64(), pa.uint8()]), rng.choice([1, 3, 16, 100]))
    return pa.struct([("f%d" % i, random_type(rng, depth + 1)) for i in range(rng.randint(1, 3))])


def random_table(seed, n, columns):
    rng = random.Random(seed)
    arrays, fields = [], []
    for i in range(columns):
        t = random_type(rng)
        shape = rng.choice(SHAPES)
        arrays.append(column(rng.randint(0, 1 << 30), t, n, shape))
        fields.append(pa.field("c%d" % i, t))
    return pa.table(arrays, schema=pa.schema(fields))


def name_of(*parts):
    return "-".join(str(p) for p in parts)


def random_name(rng, n=8):
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(n))


def json_texts(seed, n):
    """JSON texts of all kinds, some null."""
    rng = random.Random(seed)

    def value(depth):
        kind = rng.randrange(12 if depth < 4 else 9)
        if kind < 2:
            return rng.choice([0, 7, -1, 127, 128, -129, 65536, 2**31, 2**53, -2**63, 2**64 - 1, 10**25])
        if kind < 4:
            return rng.choice([rng.random(), rng.uniform(-1e9, 1e9), 10.0 ** rng.randint(-30, 30), -0.0, 1.0, 5e-324])
        if kind < 7:
            return "".join(rng.choice("abc \"\\/\n\t\x01\x7f\u00e4\u20ac\U0001f600") for _ in range(rng.randint(0, 9)))
        if kind < 9:
            return rng.choice([None, True, False])
        if kind < 10:
            return [value(depth + 1) for _ in range(rng.randint(0, 5))]
        return {rng.choice(["", "a", "b", "key", "\u00e4", "longer key"]) + str(i): value(depth + 1)
                for i in range(rng.randint(0, 5))}

    return [None if i % 11 == 5 else
            json.dumps({"n": i % 50, "v": value(0)} if i % 3 == 0 else value(0), ensure_ascii=i % 2 == 0,
                       indent=1 if i % 5 == 0 else None)
            for i in range(n)]
