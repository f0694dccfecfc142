/* lib/agg: numbers of 128 bits, windows and label sets against a plain count, shards against the whole, memory that stays. */
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agg.h"
#include "json.h"
#include "mix.h"
#include "tap.h"

#define SETS 7
#define WINDOWS 50
#define INTERVAL 10000000 /* us */
#define HOLD 25000000
#define RECORDS 20000
#define ROOM ((size_t)1 << 25)

static const int64_t bounds[] = { 1000, 2500, 1000000 };
static const char *const le[] = { "1", "2.5", "1000" };
static const int64_t sizes[] = { 10 };
static const char *const le_sizes[] = { "10" };
static const struct agg_histogram shape[] = { { "took_ms", 3, 3, bounds, le }, { "size", 0, 1, sizes, le_sizes } };

struct record {
	int64_t root, us, value[2];
	int set, failed;
};

/* Output that stays in memory. */
static void
hold_out(struct out *o)
{
	if (out_open(o, -1, ROOM) == -1)
		abort();
}

static struct agg *
open_agg(struct out *o, int cumulative)
{
	struct agg *a = agg_open(o, shape, 2, INTERVAL, HOLD, cumulative);

	if (a == NULL)
		abort();
	return a;
}

static int
parses(const char *s, int places, const char *want)
{
	char text[AGG_DIGITS + 1];
	agg_int v;

	if (agg_number(s, strlen(s), places, &v) == -1)
		return want == NULL;
	*agg_print(text, v, places) = '\0';
	return want != NULL && strcmp(text, want) == 0;
}

static void
test_numbers(struct tap *t)
{
	char text[AGG_DIGITS + 1];

	tap(t, parses("0", 0, "0") && parses("0", 3, "0.000") && parses("0.5", 3, "0.500") && parses("12.345", 3, "12.345"),
	    "small numbers");
	tap(t, parses("1.5000", 1, "1.5") && parses("7.000", 0, "7") && parses("1.05", 1, NULL), "zeros at the end count for nothing");
	tap(t,
	    parses("", 0, NULL) && parses(".5", 1, NULL) && parses("5.", 1, NULL) && parses("-1", 0, NULL) && parses("1e3", 0, NULL) &&
		parses("1.2.3", 3, NULL) && parses("x", 0, NULL) && parses("1x", 0, NULL),
	    "what is no number");
	tap(t, parses("18446744073709551615", 0, "18446744073709551615") && parses("18446744073709551616", 0, "18446744073709551616"),
	    "at the edge of 64 bits");
	tap(t,
	    parses("340282366920938463463374607431768211455", 0, "340282366920938463463374607431768211455") &&
		parses("340282366920938463463374607431768211456", 0, NULL) &&
		parses("340282366920938463463374607431768211.455", 3, "340282366920938463463374607431768211.455") &&
		parses("340282366920938463463374607431768211.456", 3, NULL),
	    "at the edge of 128 bits");
	tap(t, parses("340282366920938463463.374607431768211455", 18, "340282366920938463463.374607431768211455"), "18 places");
	*agg_time(text, 1764583230000007) = '\0';
	tap(t, strcmp(text, "1764583230.000007") == 0, "time: %s", text);
	*agg_time(text, 253402300799999999) = '\0';
	tap(t, strcmp(text, "253402300799.999999") == 0, "time: %s", text);
}

/* Spans as og-spans writes them: roots in order of time, each followed by what began at most HOLD later. */
static void
make_records(struct record *r, uint64_t seed)
{
	int64_t root = 0;

	for (uint64_t i = 0; i < RECORDS; i++) {
		uint64_t w = mix_at(seed, i);
		int child = i > 0 && w % 3 != 0;

		if (!child)
			root += (int64_t)(w >> 8 & 0xffff);
		r[i] = (struct record){ .root = child ? -1 : root,
			.us = root + (child ? (int64_t)(w >> 24) % (HOLD + 1) : 0),
			.set = (int)(mix(w) % SETS),
			.failed = mix(w + 1) % 4 == 0 };
		r[i].value[0] = mix(w + 2) % 9 == 0 ? -1 : (int64_t)(mix(w + 2) % 3000);
		r[i].value[1] = mix(w + 3) % 9 == 0 ? -1 : (int64_t)(mix(w + 3) % 20);
	}
}

static size_t
label(char *to, int set)
{
	return (size_t)sprintf(to, "\"s\":\"%.*s\"", set, "aaaaaaaaaa");
}

/* 0, or the number of records refused. */
static int
add(struct agg *a, const struct record *r, size_t n)
{
	char text[32];
	const char *why;
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		if (r[i].root >= 0 && agg_pass(a, r[i].root) == -1)
			abort();
		bad += agg_add(a, text, label(text, r[i].set), r[i].us, r[i].failed, r[i].value, &why) == -1;
	}
	if (agg_finish(a) == -1)
		abort();
	return bad;
}

/* Add up what was written. */
static int
merge(struct agg *a, const struct out *from)
{
	const char *why, *end = from->buf + from->len;
	int bad = 0;

	for (const char *p = from->buf, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		bad += agg_merge(a, p, (size_t)(nl - p), &why) == -1;
	}
	if (agg_finish(a) == -1)
		abort();
	return bad;
}

static int
same(const struct out *a, const struct out *b)
{
	return a->err == 0 && b->err == 0 && a->len > 0 && a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0;
}

/* What a line says, looked up by counting records. */
static agg_int
plain(const struct record *r, int cumulative, int64_t window, int set, const char *metric, const char *bound)
{
	int h = strncmp(metric, "size", 4) == 0, bucket = strstr(metric, "_bucket") != NULL, sum = strstr(metric, "_sum") != NULL;
	int measured = bucket || sum || strstr(metric, "_count") != NULL;
	agg_int n = 0, at_most = UINT64_MAX;

	if (bucket && strcmp(bound, "+Inf") != 0 && agg_number(bound, strlen(bound), shape[h].places, &at_most) == -1)
		abort();
	for (size_t i = 0; i < RECORDS; i++) {
		int64_t w = r[i].us / INTERVAL, v = r[i].value[h];

		if (r[i].set != set || (cumulative ? w > window : w != window) || (measured && v < 0))
			continue;
		if (sum)
			n += (agg_int)(uint64_t)v;
		else if (bucket)
			n += (agg_int)(uint64_t)v <= at_most;
		else
			n += strcmp(metric, "request_errors_total") != 0 || r[i].failed;
	}
	return n;
}

/* Does a line say what a plain count says? */
static int
check_line(struct json_reader *const *reader, const char *p, size_t len, const struct record *r, int cumulative)
{
	struct json_value v[4], tag[2];
	char metric[32], bound[16] = "", set[16], want[AGG_DIGITS + 1];
	const char *why;
	int64_t ts;
	size_t n;

	if (json_read(reader[0], p, len, v, &why) == -1 || json_read(reader[1], v[3].p, v[3].n, tag, &why) == -1 ||
	    json_text(v[0], metric, sizeof(metric)) == -1 || json_scaled(v[1], 6, &ts) == -1 || json_text(tag[0], set, sizeof(set)) == -1)
		return 0;
	(void)json_text(tag[1], bound, sizeof(bound));
	n = (size_t)(agg_print(want, plain(r, cumulative, ts / INTERVAL - 1, (int)strlen(set), metric, bound),
			 strcmp(metric, "took_ms_sum") == 0 ? 3 : 0) -
	    want);
	return n == v[2].n && memcmp(want, v[2].p, n) == 0;
}

/* The number of lines, or -1 when one does not say what a plain count says. */
static int
check_lines(const struct out *o, const struct record *r, int cumulative)
{
	static const char *const key[] = { "metric", "ts", "value", "tags" }, *const tag[] = { "s", "le" };
	struct json_reader *reader[] = { json_reader(key, 4), json_reader(tag, 2) };
	const char *end = o->buf + o->len;
	int lines = 0;

	if (reader[0] == NULL || reader[1] == NULL)
		abort();
	for (const char *p = o->buf, *nl; p < end && lines >= 0; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		lines = check_line(reader, p, (size_t)(nl - p), r, cumulative) ? lines + 1 : -1;
	}
	json_reader_free(reader[0]);
	json_reader_free(reader[1]);
	return lines;
}

static void
test_counts(struct tap *t, const struct record *r)
{
	for (int cumulative = 0; cumulative < 2; cumulative++) {
		struct record few[RECORDS / 40];
		static struct record rest[RECORDS];
		struct out o;
		struct agg *a;

		/* A plain count takes a look at every record for every line: take some records, the others far before. */
		memcpy(few, r, sizeof(few));
		memset(rest, 0, sizeof(rest));
		memcpy(rest, few, sizeof(few));
		for (size_t i = sizeof(few) / sizeof(*few); i < RECORDS; i++)
			rest[i].set = -1;
		hold_out(&o);
		a = open_agg(&o, cumulative);
		tap(t, add(a, few, sizeof(few) / sizeof(*few)) == 0, "all records are taken");
		tap(t, check_lines(&o, rest, cumulative) > 0, "every line is a plain count%s", cumulative ? ", in running totals" : "");
		agg_free(a);
		o.len = 0;
		(void)out_close(&o);
	}
}

static void
test_shards(struct tap *t, const struct record *r, uint64_t seed)
{
	struct out whole, parts, sum;
	struct agg *a;

	for (int cumulative = 0; cumulative < 2; cumulative++) {
		hold_out(&whole);
		hold_out(&parts);
		hold_out(&sum);
		a = open_agg(&whole, cumulative);
		tap(t, add(a, r, RECORDS) == 0, "seed %u: no record is late", (unsigned)seed);
		agg_free(a);
		for (size_t from = 0, to; from < RECORDS; from = to) {
			for (to = from + 1 + mix_at(seed, from) % (RECORDS / 4); to < RECORDS && r[to].root < 0; to++)
				continue;
			to = to < RECORDS ? to : RECORDS;
			a = open_agg(&parts, 0);
			(void)add(a, r + from, to - from);
			agg_free(a);
		}
		a = open_agg(&sum, cumulative);
		tap(t, merge(a, &parts) == 0 && same(&sum, &whole), "seed %u: shards add up to the whole%s", (unsigned)seed,
		    cumulative ? ", in running totals" : "");
		agg_free(a);
		whole.len = parts.len = sum.len = 0;
		(void)out_close(&whole);
		(void)out_close(&parts);
		(void)out_close(&sum);
	}
}

static void
test_late(struct tap *t)
{
	struct record r = { .us = 5 }, late = { .us = 4 };
	const char *why = "";
	struct out o, two;
	struct agg *a;

	hold_out(&o);
	a = open_agg(&o, 1);
	tap(t, agg_pass(a, INTERVAL - 1) == 0 && agg_add(a, "", 0, r.us, 0, r.value, &why) == 0, "a window is open until its end");
	tap(t, agg_pass(a, INTERVAL) == 0 && o.len > 0, "and written then");
	tap(t, agg_add(a, "", 0, late.us, 0, late.value, &why) == -1 && strstr(why, "written already") != NULL,
	    "running totals take nothing late");
	agg_free(a);
	o.len = 0;
	hold_out(&two);
	a = open_agg(&o, 0);
	for (int64_t i = 0; i < 20000; i++)
		if (agg_pass(a, i == 0 ? 0 : 100000 * (int64_t)INTERVAL) == -1 ||
		    agg_add(a, "", 0, (20000 - i) * INTERVAL, 0, r.value, &why) == -1)
			abort();
	tap(t, o.len > 0, "what is late does not pile up");
	(void)agg_finish(a);
	agg_free(a);
	/* Far out of order they cannot be merged, but all are there. */
	a = agg_open(&two, shape, 2, INTERVAL, 1000000 * (int64_t)INTERVAL / 10, 0);
	tap(t, a != NULL && merge(a, &o) == 0, "deltas of what came late add up");
	agg_free(a);
	o.len = two.len = 0;
	(void)out_close(&o);
	(void)out_close(&two);
}

/* Bytes that are allocated. */
static size_t
in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void
test_memory(struct tap *t)
{
	const int64_t value[2] = { 1, 1 };
	size_t before = 0;
	const char *why;
	struct agg *a;
	struct out o;
	char text[32];

	if (out_open(&o, open("/dev/null", O_WRONLY | O_CLOEXEC), 0) == -1)
		abort();
	a = open_agg(&o, 0);
	for (int64_t i = 0; i < 20000; i++) {
		if (agg_pass(a, i * INTERVAL) == -1 || agg_add(a, text, label(text, (int)(i % SETS)), i * INTERVAL, 0, value, &why) == -1)
			abort();
		if (i == 1000)
			before = in_use();
	}
	tap(t, in_use() == before, "20,000 windows take the memory of 1,000");
	agg_free(a);
	(void)out_close(&o);
}

static void
test_bounds(struct tap *t)
{
	struct out o;

	hold_out(&o);
	tap(t,
	    agg_open(&o, shape, 2, 0, 0, 0) == NULL && agg_open(&o, shape, 2, 1, -1, 0) == NULL &&
		agg_open(&o, shape, 2, INT64_MAX, 0, 0) == NULL,
	    "intervals that cannot be");
	agg_free(NULL);
	(void)out_close(&o);
}

int
main(void)
{
	static struct record r[RECORDS];
	struct tap t = { 0 };

	test_numbers(&t);
	for (uint64_t seed = 1; seed < 4; seed++) {
		make_records(r, mix(seed));
		test_shards(&t, r, seed);
	}
	test_counts(&t, r);
	test_late(&t);
	test_memory(&t);
	test_bounds(&t);
	return tap_end(&t);
}
