"""Every function of expressions beside LanceDB: the same calls on the same table, value by value.

Both sides may refuse a call. What differs on purpose is in DIFFERENT with its reason; an entry that
no longer differs fails, too."""
import datetime
import decimal
import math
import os

import lancedb
import pyarrow as pa

import glaive_cli as glaive
from suite import cases, main

MOMENT = datetime.datetime(2024, 2, 29, 13, 45, 56, 123456)
EARLY = datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)
LATE = datetime.datetime(2100, 1, 1)


def sample():
    moments = [MOMENT, EARLY, None, LATE, MOMENT, EARLY]
    days = [m and m.date() for m in moments]
    return pa.table({
        "id": pa.array(range(6), pa.int64()),
        "s": ["h\u00e9llo w\u00f6rld", "", None, "aXbXc", "\u65e5\u672c\u8a9e \U0001F600", " pad "],
        "t": ["l", "", "x", "X", "\u672c", None],
        "ls": pa.array(["abc", None, "", "\u00c4\u00d6", "Stra\u00dfe", "ABC"], pa.large_string()),
        "csv": ["a,b,c", "", None, ",", "x", "a,,c"],
        "n": pa.array([2, 0, None, -1, 1, 3], pa.int64()),
        "k": pa.array([7, 1, 3, None, 20, 0], pa.int32()),
        "u": pa.array([1, 255, None, 0, 16, 7], pa.uint8()),
        "f": pa.array([0.5, -1.5, None, 2.5, 0.25, 1.0]),
        "g": pa.array([1.0, 0.0, 2.0, None, 10.0, -3.7], pa.float32()),
        "dec": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-2.25"), decimal.Decimal("0"),
                         decimal.Decimal("3.99"), decimal.Decimal("10.01")], pa.decimal128(10, 2)),
        "bo": [True, False, None, True, False, True],
        "by": pa.array([b"\x00\xffab", b"", None, b"abc", b"\x80", b"z"], pa.binary()),
        "ts": pa.array(moments, pa.timestamp("us")),
        "tz": pa.array(moments, pa.timestamp("us", "UTC")),
        "sec": pa.array([m and m.replace(microsecond=0) for m in moments], pa.timestamp("s")),
        "dt": pa.array(days, pa.date32()),
        "words": pa.array([["a", None, "c"], [], None, ["b", "a", "b"], ["\u00e9"], [None]], pa.list_(pa.string())),
        "ints": pa.array([[3, 1, 2], [], None, [5, 5, None], [1], [2, 3]], pa.list_(pa.int64())),
        "more": pa.array([[1, 9], [1], [2], [5], None, []], pa.list_(pa.int64())),
        "deep": pa.array([[[1], [2, 3]], [], None, [[], None], [[4]], [[5, 6]]], pa.list_(pa.list_(pa.int64()))),
        "st": pa.array([{"a": 1, "b": "x"}, {"a": None, "b": "y"}, None, {"a": 3, "b": None}, {"a": 4, "b": ""},
                        {"a": 5, "b": "z"}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
        "js": pa.array(['{"a": [1, "x", null], "b": 2.5, "c": true, "d": "7"}', '{"b": -1}', None, '[1, 2]', '{"c": "no"}',
                        '{"a": []}'], pa.json_(pa.utf8())),
        "v": pa.array([[1.0, 2.0, 3.0]] * 5 + [[0.0, 0.0, 1.0]], pa.list_(pa.float32(), 3)),
    })


CALLS = {
    "math": """
abs(n); abs(f); abs(dec); acos(f); acosh(g); asin(f); asinh(f); atan(f); atanh(f); atan2(f, g); cbrt(f)
`ceil`(f); `ceil`(n); ceiling(g); cos(f); cosh(f); cot(g); degrees(f); exp(f); factorial(abs(n)); factorial(n)
`floor`(f); `floor`(dec); gcd(n, k); gcd(12, 18); iszero(f); iszero(n); isnan(f); isnan(g); lcm(n, k); lcm(4, 6)
ln(f); ln(n); log(f); log(2, g); log10(f); log2(f); nanvl(f, 1.0); nanvl(acos(2.0), f); pi(); power(f, 2)
power(n, 2); pow(2, k); radians(f); round(f); round(g); round(f, 1); round(1234.567, -2); round(-2.5)
signum(f); signum(n); sin(f); sinh(f); sqrt(f); sqrt(n); tan(f); tanh(f); trunc(f); trunc(g); trunc(3.14159, 2)
mod(n, 2); to_hex(n); to_hex(u)
sign(f)""",
    "conditional": """
coalesce(s, t); coalesce(n, k, 5); coalesce(f, n); nvl(s, t); ifnull(n, 3); nvl2(s, t, 'none'); nullif(s, '')
nullif(n, 1); greatest(n, k); greatest(f, g); greatest(s, t); least(n, k); least(s, t); greatest(n, 1)
arrow_cast(n, 'Utf8'); arrow_cast(f, 'Int32'); arrow_typeof(s); arrow_typeof(ints)
if(bo, s, t); iff(bo, n)""",
    "text": """
ascii(s); ascii(ls); bit_length(s); octet_length(s); octet_length(ls); length(s); length(ls); char_length(s)
character_length(t); btrim(s); btrim(s, 'h d'); `trim`(s); ltrim(s); rtrim(s); ltrim(s, 'h'); rtrim(s, 'dc')
chr(u); chr(128512); chr(0); concat(s, t); concat(s, n, bo); concat(); concat_ws('-', s, t)
concat_ws('-', s, null, t); concat_ws(t, s, ls); contains(s, t); contains(s, 'X'); starts_with(s, t)
starts_with(ls, 'A'); ends_with(s, 'd'); ends_with(s, t); find_in_set('b', csv); find_in_set(t, csv); initcap(s)
initcap('the qUICK-brown 1st'); left(s, n); left(s, -2); right(s, n); right(s, -2); levenshtein(s, t)
levenshtein('kitten', 'sitting'); lower(s); lower(ls); upper(s); upper(ls); lpad(s, 8); lpad(s, 4, 'ab')
lpad(s, 3); rpad(s, 8, '.'); rpad(s, 0); lpad('x', 5, ''); `overlay`(s, 'ZZ', 2); `overlay`(s, 'ZZ', 2, 3); `position`(s, 'X')
strpos(s, t); strpos(s, ''); instr(s, 'X'); repeat(s, 2)
repeat(s, n); replace(s, 'X', '--'); replace(s, t, '*'); replace(s, '', '*'); reverse(s); reverse(ls)
split_part(csv, ',', 2); split_part(csv, ',', -1); split_part(s, 'X', 1); `substr`(s, 2); `substr`(s, 2, 3)
`substr`(s, -1, 3); `substr`(s, 0); `substring`(s, 3, 100); `substr`(s, 2, -1); `substring`(s, 9)
substr_index(csv, ',', 1); substr_index(csv, ',', -1); substring_index(csv, ',', 0); translate(s, 'lo', '01')
translate(s, 'lo', ''); string_to_array(csv, ','); string_to_array(csv, ',', 'b'); string_to_array(csv, '')
string_to_array(csv, null); to_hex(255); s || t; s like '%X%'; s like '_X%'; s ilike 'A%'; s not like '%l%'
s like '%'; s like ''; ls like '%b%'; s ilike 'H\u00c9LLO%'; s like 'a\\XbXc'; s like t
contains_tokens(s, 'w\u00f6rld'); contains_tokens(s, t); lcase(s); ucase(s); string_to_list(csv, ',')""",
    "regex": r"""
regexp_like(s, 'l+'); regexp_like(s, 'L+'); regexp_like(s, 'L+', 'i'); regexp_like(s, t); regexp_like(s, '')
regexp_like(ls, '^\w+$'); regexp_like(s, '^[a-zX]+$'); regexp_like(s, '\p{Han}'); regexp_like(s, '\bw'); regexp_like(s, '(')
regexp_like(s, 'a{2,1}'); regexp_like(s, '[[:alpha:]]X'); regexp_like(s, '[a-z&&[^a-g]]'); regexp_like(s, 'a', 'g')
regexp_like(concat(s, chr(10)), 'd$'); regexp_like(concat(s, chr(10)), 'd$', 'm'); regexp_like('a', 'a*+')
regexp_like(concat('a', chr(10), 'b'), 'a.b'); regexp_like(concat('a', chr(10), 'b'), 'a.b', 's')
regexp_like('ab', 'a b # c', 'x'); regexp_like('K', 'k', 'i'); regexp_like('e', '\x65\u0301?'); regexp_like('a', '\Z')
regexp_like('a', '(?P<x>a)'); regexp_like('a', '(?<x>a)'); regexp_like('a', '\1'); regexp_like('a', 'a{'); regexp_like('a}', 'a}')
regexp_like('ab', 'a(?=b)'); regexp_like('aa', '(a)\1'); regexp_like('a', 'a', 'R'); regexp_like('a', '\pL'); regexp_like('a', '\p{Nope}')
regexp_like('a', '[]a]'); regexp_like('a', '[^]b]'); regexp_like('-', '[a-]'); regexp_like('a', '[z-a]'); regexp_like('a', '*')
regexp_match(s, 'X(.)X'); regexp_match(s, 'X'); regexp_match(s, '(l)(l)?'); regexp_match(s, '(z)?l'); regexp_match(ls, '.')
regexp_match(s, 'x', 'i'); regexp_match(s, t); regexp_match(s, ''); regexp_match(s, '(?i)(?P<n>x)'); regexp_match(s, 'l', 'g')
regexp_replace(s, 'l', 'L'); regexp_replace(s, 'l', 'L', 'g'); regexp_replace(s, '(l)', '[\1]', 'g'); regexp_replace(s, 'X', '')
regexp_replace(s, '(?P<x>l)', '<$x>', 'g'); regexp_replace(s, '(l)', '$1a', 'g'); regexp_replace(s, '(l)', '${1}a', 'g')
regexp_replace(s, '', '-', 'g'); regexp_replace(s, 'x*', '-', 'g'); regexp_replace(s, 'l*', '-', 'g'); regexp_replace(s, 'x', '-', 'gi')
regexp_replace(s, t, '*'); regexp_replace(s, 'l', t); regexp_replace(s, '$', '!'); regexp_replace(s, '\s+', '$$', 'g')
regexp_replace(s, 'l', '\9'); regexp_replace(s, 'l', '\a'); regexp_replace(s, '^', '>', 'gm'); regexp_replace(ls, '[A-Z]', '_', 'g')
regexp_count(s, 'l'); regexp_count(s, 'l', 4); regexp_count(s, 'X', 1, 'i'); regexp_count(s, ''); regexp_count('abc', 'b', 100)
regexp_count('abc', 'b', 0); regexp_instr(s, 'l'); regexp_instr(s, 'l', 5); regexp_instr(s, 'X', 1, 2)
regexp_instr(s, 'x', 1, 1, 'i'); regexp_instr('abcd', '(b)(c)', 1, 1, '', 2); regexp_instr(s, 'q'); regexp_instr(ls, 'b')
regexp_like(s, 'l', null); regexp_replace(s, 'l', 'x', null); regexp_match(s, null); regexp_instr(s, null); regexp_instr('abc', '')
regexp_replace('ab', '(a)', '\\1'); regexp_replace('ab', '(a)', '\\\1'); regexp_replace('ab', '(a)', 'x\\a')
regexp_replace('ab', '(a)(b)', '$2$1x'); regexp_replace('x', 'x', '${y}'); regexp_replace('x', 'x', '${'); regexp_replace('x', 'x', '$')
regexp_count('aaa', '^a', 2); regexp_instr('aaa', '^a', 2); regexp_instr('abcabc', '(b)(c)', 1, 2, '', 1)
regexp_like(s, '\b{start}w'); regexp_like(s, '[\w--\d]$'); regexp_like(s, '(?i)[[:upper:]]{3}'); regexp_like('a', 'a{,2}')""",
    "digest": """
md5(s); md5(by); sha224(s); sha256(s); sha256(by); sha384(s); sha512(s); digest(s, 'md5'); digest(s, 'sha256')
digest(s, 'blake3'); digest(s, 'blake2b'); encode(s, 'base64'); encode(by, 'hex'); decode('616263', 'hex')
decode(encode(s, 'base64'), 'base64'); encode(s, 'rot13'); sha1(s)""",
    "temporal": """
date_part('year', ts); date_part('month', dt); date_part('day', ts); date_part('hour', ts); date_part('minute', ts)
date_part('second', ts); date_part('millisecond', ts); date_part('microsecond', ts); date_part('week', ts)
date_part('dow', ts); date_part('doy', ts); date_part('quarter', ts); date_part('epoch', ts); date_part('isodow', ts)
datepart('year', tz); date_trunc('year', ts); date_trunc('month', ts)
date_trunc('week', ts); date_trunc('day', ts); date_trunc('hour', ts); date_trunc('minute', tz); date_trunc('quarter', dt)
datetrunc('second', ts); date_bin(interval '15 minutes', ts); date_bin(interval '1 day', ts, timestamp '2001-01-01T12:00:00')
date_format(ts, '%Y-%m-%d %H:%M'); to_char(dt, '%d.%m.%Y'); to_char(ts, '%j %A %b'); make_date(2024, 2, 29); make_date(2023, 2, 29)
make_date(2024, n, 1); to_date('2024-02-29'); to_date('29/02/2024', '%d/%m/%Y'); to_date(19782); to_date('x')
to_timestamp('2024-02-29T13:45:56.5'); to_timestamp(1.5); to_timestamp(n); to_timestamp_seconds('2024-02-29T13:45:56')
to_timestamp_millis('2024-02-29T13:45:56.123'); to_timestamp_micros(k); to_timestamp_nanos('2024-02-29T13:45:56.123456789')
to_timestamp('29.02.2024 13:45', '%d.%m.%Y %H:%M'); to_unixtime('2024-02-29T13:45:56Z'); to_unixtime(dt); from_unixtime(0)
from_unixtime(n); to_local_time(tz); to_local_time(ts); make_time(13, 45, 56); to_time('13:45:56')
year(ts); quarter(ts); month(dt); week(ts); day(tz); hour(ts); minute(ts); second(ts); date_add(dt, 1); date_add(ts, n)
date_sub(dt, 30); datediff(ts, dt); date_diff(date '2024-03-01', dt)""",
    "lists": """
array_any_value(words); array_append(ints, 7); array_append(words, s); array_push_back(ints, n); array_concat(ints, more)
array_cat(ints, more); array_dims(ints); array_dims(deep); array_distance(v, v); array_distinct(ints); array_distinct(words)
array_element(ints, 1); array_element(ints, -1); array_element(words, 9); array_extract(ints, n); ints[1]; array_except(ints, more)
array_has(ints, 5); array_has(words, t); array_contains(words, 'a'); array_has_all(ints, more); array_has_any(ints, more)
array_has_all(ints, [1]); array_has_any(words, ['a', 'z']); array_intersect(ints, more); array_length(ints); array_length(deep)
array_length(ints, 1); array_length(deep, 2); array_max(ints); array_max(words); array_min(ints); array_ndims(ints); array_ndims(deep)
array_pop_back(ints); array_pop_front(ints); array_pop_back(words); array_position(ints, 5); array_position(words, 'b', 2)
array_positions(ints, 5); array_prepend(0, ints); array_push_front(n, ints); array_remove(ints, 5); array_remove_all(ints, 5)
array_remove_n(ints, 5, 1); array_repeat(s, 2); array_repeat(n, 3); array_replace(ints, 5, 6); array_replace_all(ints, 5, 6)
array_replace_n(ints, 5, 6, 2); array_resize(ints, 2); array_resize(ints, 4, 0); array_reverse(ints); array_reverse(words)
array_slice(ints, 1, 2); array_slice(ints, 2, 9); array_slice(ints, -2, -1); array_slice(ints, 1, 3, 2); ints[1:2]
array_sort(ints); array_sort(ints, 'DESC'); array_sort(words, 'ASC', 'NULLS LAST'); array_to_string(ints, '-')
array_to_string(words, ',', '?'); array_to_string(deep, '-'); array_join(words, '+'); array_union(ints, more); cardinality(ints)
cardinality(deep); empty(ints); empty(words); flatten(deep); flatten(ints); make_array(1, 2, 3); make_array(n, k); make_array()
make_array(s, t); range(3); range(1, 7, 2); range(5, 0, -2); generate_series(3); generate_series(1, 5, 2); generate_series(0, n)
arrays_zip(ints, more); array_sum(ints); array_compact(words); array_normalize(v); list_append(ints, 1); list_sort(ints)
list_has(ints, 5); list_length(ints); list_any_value(words); list_push_back(ints, 1); list_cat(ints, more)
list_concat(ints, more); list_dims(ints); list_distance(v, v); list_distinct(ints); list_extract(ints, 1); list_element(ints, 2)
list_except(ints, more); list_contains(ints, 5); list_has_all(ints, more); arrays_overlap(ints, more); list_has_any(ints, more)
list_intersect(ints, more); list_max(ints); list_min(ints); list_ndims(ints); list_normalize(v); list_pop_back(ints)
list_pop_front(ints); array_indexof(ints, 5); list_indexof(ints, 5); list_position(ints, 5); list_positions(ints, 5)
list_push_front(1, ints); list_prepend(1, ints); list_remove(ints, 5); list_remove_all(ints, 5); list_remove_n(ints, 5, 1)
list_repeat(n, 2); list_replace(ints, 5, 6); list_replace_all(ints, 5, 6); list_replace_n(ints, 5, 6, 1); list_resize(ints, 2)
list_reverse(ints); list_slice(ints, 1, 2); list_sum(ints); list_join(words, '+'); list_to_string(words, '+'); list_union(ints, more)
list_zip(ints, more); array_empty(ints); list_empty(ints); array_flatten(deep); list_flatten(deep); list_compact(words)
make_list(1, 2)""",
    "structs": """
get_field(st, 'a'); get_field(st, 'b'); st['a']; st.b; named_struct('x', n, 'y', s); struct(n, s); row(n, 1)
map_keys(map(['a', 'b'], [1, 2])); map_values(map(['a', 'b'], [1, 2])); map_entries(map(['a'], [1])); map_extract(map(['a', 'b'], [1, 2]), 'b')
element_at(map(['a'], [1]), 'z'); map_extract(make_map('a', n, 'b', k), 'a'); cardinality(map(['a', 'b'], [1, 2]))""",
    "json": """
json_extract(js, '$.a'); json_extract(js, '$.b'); json_extract(js, '$[1]'); json_extract(js, '$'); json_exists(js, '$.a')
json_exists(js, '$.a[2]'); json_get(js, 'a'); json_get(js, 'b'); json_get_int(js, 'b'); json_get_float(js, 'b')
json_get_float(js, 'd'); json_get_bool(js, 'c'); json_get_string(js, 'b'); json_get_string(js, 'd'); json_get_string(js, 'q')
json_array_contains(js, '$.a', 'x'); json_array_contains(js, '$', '1'); json_array_length(js, '$.a'); json_array_length(js)""",
    "vectors": """
cosine_distance(v, v); cosine_distance(v, [1.0, 0.0, 0.0]); inner_product(v, v); dot_product(v, [1.0, 2.0, 3.0])
array_distance(ints, ints); l2_distance(v, v); cosine_similarity(v, v)""",
}

# Values of their own at each call: only the type is compared.
MOVING = ["now()", "current_timestamp()", "current_date()", "today()", "current_time()", "random()", "uuid()"]

NO_SUCH_CALL = "LanceDB has no such function, or not with these arguments"
NULL_COUNT = "null has no count; LanceDB gives 0"
DIFFERENT = {
    **dict.fromkeys("""
ceiling(g); mod(n, 2); sign(f); if(bo, s, t); iff(bo, n); lcase(s); ucase(s); sha1(s); year(ts); quarter(ts); month(dt)
week(ts); day(tz); hour(ts); minute(ts); second(ts); date_add(dt, 1); date_add(ts, n); date_sub(dt, 30); datediff(ts, dt)
date_diff(date '2024-03-01', dt); array_sum(ints); list_sum(ints); list_min(ints); array_flatten(deep); list_flatten(deep)
map_extract(make_map('a', n, 'b', k), 'a'); json_array_length(js); l2_distance(v, v)
cosine_similarity(v, v)""".strip().replace("\n", "; ").split("; "), NO_SUCH_CALL),
    "log(2, g)": "computed in double; LanceDB's float loses digits",
    "contains_tokens(s, t)": "no tokens are contained; LanceDB agrees for a constant, not for a column",
    "regexp_like('ab', 'a(?=b)')": "look-around is understood; LanceDB refuses it",
    r"regexp_like('aa', '(a)\1')": "back-references are understood; LanceDB refuses them",
    "regexp_like('a', 'a', 'R')": "flag R (lines end in CR LF) is refused by name",
    "regexp_match(s, '(z)?l')": "a group that took no part is null; LanceDB leaves it out, so that others move up",
    "regexp_count(s, 'l')": NULL_COUNT,
    "regexp_count(s, 'l', 4)": NULL_COUNT,
    "regexp_count(s, 'X', 1, 'i')": NULL_COUNT,
    "regexp_count(s, '')": NULL_COUNT,
    "regexp_instr('abcabc', '(b)(c)', 1, 2, '', 1)": "the group is that of the match asked for; LanceDB's of the first",
    "array_length(deep, 2)": "LanceDB crashes on the empty lists",
    "array_position(words, 'b', 2)": "null where the start is outside the list; LanceDB fails for all rows",
    "cardinality(deep)": "elements of ragged lists are counted; LanceDB multiplies the lengths of the first",
    "element_at(map(['a'], [1]), 'z')": "no value is an empty list; LanceDB gives a list with null",
}


def calls_of(family):
    for line in CALLS[family].strip().splitlines():
        yield from (call.strip() for call in line.split("; ") if call.strip())


def plain(kind):
    """A type without the names of list items, and with text of one width."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return ("list", plain(kind.value_type))
    if pa.types.is_fixed_size_list(kind):
        return ("fixed", kind.list_size, plain(kind.value_type))
    if pa.types.is_struct(kind):
        return ("struct",) + tuple((field.name, plain(field.type)) for field in kind)
    if pa.types.is_map(kind):
        return ("map", plain(kind.key_type), plain(kind.item_type))
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
        return pa.string()
    return kind


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-6 if abs(a) < 1e4 else 1e-12) or a == b
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


def values_of(column):
    """Values as Python's, moments as numbers, so that none is too early or too late."""
    if pa.types.is_temporal(column.type) and not pa.types.is_interval(column.type):
        wide = column.type.bit_width == 64
        return pa.concat_arrays(column.chunks).view(pa.int64() if wide else pa.int32()).to_pylist()
    return column.to_pylist()


def ask_lancedb(table, call):
    """(type, values), or the message of the error."""
    try:
        found = table.search().select({"id": "id", "x": call}).to_arrow()
        assert found["id"].to_pylist() == list(range(table.count_rows())), "another order of rows"
        return plain(found["x"].type), values_of(found["x"])
    except BaseException as error:  # pyo3 panics are not Exceptions
        if isinstance(error, KeyboardInterrupt):
            raise
        return str(error)


def ask_glaive(db, calls):
    """The same for each call. One process for all; if one call is refused, one process for each."""
    try:
        selected = [part for i, call in enumerate(calls) for part in ("--select", "x%d=%s" % (i, call))]
        found = glaive.scan(db, "t", *selected)
        return [(plain(found[i].type), values_of(found[i])) for i in range(len(calls))]
    except glaive.GlaiveError as error:
        if len(calls) == 1:
            assert "exit 1:" in str(error), "%s: %s" % (calls[0], error)  # an error, not a crash
            return [str(error)]
        half = len(calls) // 2
        return ask_glaive(db, calls[:half]) + ask_glaive(db, calls[half:])


def difference(ours, theirs):
    if isinstance(ours, str) and isinstance(theirs, str):
        return None  # both refuse
    if isinstance(ours, str) or isinstance(theirs, str) or ours[0] != theirs[0]:
        return "ours %s, LanceDB %s" % (ours, theirs)
    wrong = [i for i, (a, b) in enumerate(zip(ours[1], theirs[1])) if not same(a, b)]
    if not wrong:
        return None
    return "row %d: ours %r, LanceDB %r" % (wrong[0], ours[1][wrong[0]], theirs[1][wrong[0]])


def both(directory, calls):
    table = sample()
    peer = lancedb.connect(os.path.join(directory, "peer")).create_table("t", table)
    db = os.path.join(directory, "ours")
    glaive.import_table(db, "t", table)
    return zip(calls, ask_glaive(db, calls), (ask_lancedb(peer, call) for call in calls))


@cases(list(CALLS))
def functions_give_what_lancedb_gives(directory, family):
    problems = []
    for call, ours, theirs in both(directory, list(calls_of(family))):
        found = difference(ours, theirs)
        if found and call not in DIFFERENT:
            problems.append("%s: %s" % (call, found[:500]))
        if not found and call in DIFFERENT:
            problems.append("%s: differs no longer" % call)
    assert not problems, "\n".join(["%d calls differ" % len(problems)] + problems)


@cases(["moving"])
def moving_values_have_the_same_type(directory, _):
    for call, ours, theirs in both(directory, MOVING):
        assert isinstance(ours, str) == isinstance(theirs, str), "%s: %s, %s" % (call, ours, theirs)
        assert isinstance(ours, str) or ours[0] == theirs[0], "%s: %s, %s" % (call, ours[0], theirs[0])


if __name__ == "__main__":
    main()
