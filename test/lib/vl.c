/* vl: times, retention, and the form of a record, with fields added and left out. More of what is refused stands in test/og-vlpush.bats. */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "vl.h"

#define SECOND 1000000000LL
#define DAY (86400 * SECOND)

static const struct {
	const char *text;
	int64_t want; /* -1: none */
} times[] = {
	{ "\"1970-01-01T00:00:01Z\"", SECOND },
	{ "\"2025-12-03T12:20:00.123456789Z\"", 1764764400123456789 },
	{ "\"2025-12-03T12:20:00.1234567Z\"", 1764764400123456700 },
	{ "\"2025-12-03T12:20:00.5+01:00\"", 1764760800500000000 },
	{ "\"2025-12-03T12:20:00.1234567890Z\"", -1 },
	{ "\"2262-04-11T23:47:16Z\"", 9223372036000000000 },
	{ "\"2262-04-12T23:47:16Z\"", -1 },
	{ "\"2025-12-03\"", -1 },
	{ "\"2025-12-03 12:20:00Z\"", -1 },
	{ "\"2025-12-03T12:20:00\"", -1 },
	{ "\"1970-01-01T00:00:00Z\"", -1 },
	{ "1", SECOND },
	{ "1764764400", 1764764400 * SECOND },
	{ "2147483647", 2147483647 * SECOND },
	{ "2147483648", 2147483648000000 },
	{ "1764764400123", 1764764400123000000 },
	{ "\"1764764400123456\"", 1764764400123456000 },
	{ "1764764400123456789", 1764764400123456789 },
	{ "9223372036854775808", -1 },
	{ "17647644001234567890", -1 },
	{ "0", -1 },
	{ "-1", -1 },
	{ "1.5", -1 },
	{ "1e9", -1 },
	{ "true", -1 },
	{ "\"\"", -1 },
	{ "[1]", -1 },
};

static const struct {
	const char *past, *future;
	int64_t oldest, newest; /* from now; 0, 0: not told */
} terms[] = {
	{ "7d", "2d", -7 * DAY, 2 * DAY },
	{ "1", "1d", -31 * DAY, DAY },
	{ "36h", "0h", -36 * DAY / 24, 0 },
	{ "1.5w", "1w", -21 * DAY / 2, 7 * DAY },
	{ "1y", "1y", -365 * DAY, 365 * DAY },
	{ "x", "1d", 0, 0 },
	{ "", "1d", 0, 0 },
};

static void
test_retention(struct tap *t)
{
	const int64_t now = 1764764400 * SECOND;
	char page[512];
	struct vl v = { 0 };

	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		int told = terms[i].oldest != 0;

		(void)snprintf(page, sizeof(page),
		    "a 1\nflag{name=\"retentionPeriod\", value=\"%s\", is_set=\"true\"} 1\nflag{name=\"futureRetention\", value=\"%s\"} 1\n",
		    terms[i].past, terms[i].future);
		tap(t,
		    vl_retention(&v, page, now) == (told ? 0 : -1) &&
			(!told || (v.oldest == now + terms[i].oldest && v.newest == now + terms[i].newest)),
		    "%s, %s", terms[i].past, terms[i].future);
	}
	(void)snprintf(
	    page, sizeof(page), "flag{name=\"retentionPeriod\", value=\"300y\"} 1\nflag{name=\"futureRetention\", value=\"300y\"} 1\n");
	tap(t, vl_retention(&v, page, now) == 0 && v.oldest == 1 && v.newest == INT64_MAX, "for ever");
	tap(t, vl_retention(&v, "", now) == -1, "empty page");
}

/* vl with streams s and u, time t, message m. */
static void
open_vl(struct vl *v, enum vl_inlet inlet)
{
	static char streams[4];
	const char *why;

	memcpy(streams, "s,u", 4);
	if (vl_open(v, inlet, "t", "m", streams, &why) == -1)
		abort();
}

/* Reads a copy of exactly n bytes, so that a look past the end is seen by whoever watches the heap. */
static int
record(struct vl *v, const char *line, size_t n, struct buf *form)
{
	char *copy = malloc(n);
	int status;

	if (copy == NULL)
		abort();
	memcpy(copy, line, n);
	status = vl_record(v, copy, n, form);
	free(copy);
	return status;
}

/* Is the line refused, or its form this one? Twice, since a shape is new only once. A refused line leaves nothing behind. */
static int
gives(struct vl *v, const char *line, const char *want, const char *key)
{
	struct buf form = { 0 };
	size_t n = strlen(want);
	int same = 1;

	for (int i = 0; i < 2; i++) {
		if (buf_puts(&form, "before") == -1)
			abort();
		if (record(v, line, strlen(line), &form) == -1)
			same = same && strcmp(v->why, want) == 0 && form.n == 6;
		else
			same = same && form.n == n + 6 && memcmp(form.p, "before", 6) == 0 && memcmp(form.p + 6, want, n) == 0 &&
			    v->key.n == strlen(key) && (v->key.n == 0 || memcmp(v->key.p, key, v->key.n) == 0);
		if (!same)
			printf("# %.*s, %.*s, %s\n", (int)form.n, form.p, (int)v->key.n, v->key.p, v->why);
		form.n = 0;
	}
	buf_free(&form);
	return same;
}

static void
test_form(struct tap *t)
{
	static const char line[] =
	    " {\"a\": 1 ,\"t\":1,\"s\":true,\"m\":[\"x\"],\"o\":{\"p\":{},\"q\":{\"r\\\"\":\"\\n\"}},\"l\":[ {\"z\":\"\\\"\"} ],\"n\":null,\"f\":false}\r";
	static const char want[] =
	    "[\"1000000000\",\"[\\\"x\\\"]\",{\"a\":\"1\",\"o.q.r\\\"\":\"\\n\",\"l\":\"[ {\\\"z\\\":\\\"\\\\\\\"\\\"} ]\",\"f\":\"false\"}]";
	struct vl v;

	open_vl(&v, VL_LOKI);
	tap(t, gives(&v, line, want, "\"s\":\"true\""), "a record");
	tap(t, gives(&v, "{\"t\":1}", "[\"1000000000\",\"\",{}]", ""), "one without fields");
	vl_close(&v);
	open_vl(&v, VL_JSONLINE);
	tap(t, gives(&v, line, "", ""), "a JSON line is sent as it is");
	vl_close(&v);
}

/* Values and names of all lengths, at the end of the line and before it. */
static void
test_lengths(struct tap *t)
{
	char line[1024], want[1024], x[101];
	int right = 1;
	struct vl v;

	open_vl(&v, VL_LOKI);
	memset(x, 'x', sizeof(x) - 1);
	x[100] = '\0';
	for (int i = 1; i <= 100; i++) {
		const char *text = x + 100 - i;

		(void)snprintf(
		    line, sizeof(line), "{\"%s\":1%.*s,\"t\":1,\"m\":\"%s\",\"b\":\"%s\"}", text, i, "00000000000000000000", text, text);
		(void)snprintf(want, sizeof(want), "[\"1000000000\",\"%s\",{\"%s\":\"1%.*s\",\"b\":\"%s\"}]", text, text, i,
		    "00000000000000000000", text);
		right &= gives(&v, line, want, "");
	}
	tap(t, right, "names and values of up to 100 bytes");
	vl_close(&v);
}

/* A record of so many fields besides time and message; "" for none of them if not `put`. */
static char *
many(int n, int put)
{
	char *line = malloc((size_t)n * 32 + 64), *p = line;

	if (line == NULL)
		abort();
	p += sprintf(p, put ? "[\"1000000000\",\"x\",{" : "{\"t\":1,\"m\":\"x\"");
	for (int i = 0; i < n; i++)
		p += sprintf(p, put ? "%s\"k%d\":\"%d\"" : "%s\"k%d\":%d", i > 0 || !put ? "," : "", i, i);
	(void)sprintf(p, put ? "}]" : "}");
	return line;
}

/* Do n fields and a message just fit, with an extra field (x), marks (m), and one left out that is not there (i)? Some are in an object. */
static void
test_limit(struct tap *t, enum vl_inlet inlet, const char *more, int n)
{
	static const char why[] = "more than 1000 fields";
	char *line = many(n, 0), names[] = "zz";
	size_t len = strlen(line);
	struct buf form = { 0 };
	const char *errstr;
	struct vl v;
	char *nested = malloc(len + 32), *at;

	open_vl(&v, inlet);
	if (strchr(more, 'x') != NULL)
		(void)vl_extra(&v, "x=y", &errstr);
	if (strchr(more, 'm') != NULL)
		(void)vl_mark(&v, "b");
	if (strchr(more, 'i') != NULL)
		(void)vl_ignore(&v, names, &errstr);
	if (nested == NULL || (at = strstr(line, ",\"k900\"")) == NULL)
		abort();
	tap(t, record(&v, line, len, &form) == 0, "%d fields with %s", n + 1, more);
	/* {"t":1,"m":"x","o":{the first 900},the others} */
	(void)sprintf(nested, "{\"t\":1,\"m\":\"x\",\"o\":{%.*s}%s", (int)(at - line - 15), line + 15, at);
	tap(t, record(&v, nested, strlen(nested), &form) == 0, "some of them in an object");
	(void)sprintf(line + len - 1, ",\"y\":1}");
	tap(t, record(&v, line, strlen(line), &form) == -1 && strcmp(v.why, why) == 0, "one more");
	(void)sprintf(nested + strlen(nested) - 1, ",\"y\":1}");
	tap(t, record(&v, nested, strlen(nested), &form) == -1 && strcmp(v.why, why) == 0, "and there");
	vl_close(&v);
	buf_free(&form);
	free(line);
	free(nested);
}

static void
test_many(struct tap *t)
{
	static const int some[] = { 1, 255, 256, 999, 1000 };
	static const char why[] = "more than 1000 fields";
	struct vl v;

	open_vl(&v, VL_LOKI);
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
		char *line = many(some[i], 0), *want = many(some[i], 1);

		tap(t, gives(&v, line, some[i] < 1000 ? want : why, ""), "%d fields and a message", some[i]);
		free(line);
		free(want);
	}
	vl_close(&v);
	test_limit(t, VL_LOKI, "", 999);
	test_limit(t, VL_LOKI, "x", 998);
	test_limit(t, VL_LOKI, "m", 997);
	test_limit(t, VL_JSONLINE, "", 999);
	test_limit(t, VL_JSONLINE, "x", 998);
	test_limit(t, VL_JSONLINE, "xm", 996);
	test_limit(t, VL_JSONLINE, "i", 999);
	test_limit(t, VL_JSONLINE, "ix", 998);
}

/* The minute that is kept changes nothing. */
static void
test_record_times(struct tap *t)
{
	static const char no_time[] = "time is neither RFC 3339 with an offset nor a whole number since 1970";
	const size_t n = sizeof(times) / sizeof(times[0]);
	char line[256], want[64];
	int right = 1;
	struct vl v;

	open_vl(&v, VL_LOKI);
	/* Each behind each other. */
	for (size_t i = 0; i < 2 * n * n; i++) {
		size_t k = i % 2 == 0 ? i / 2 / n : i / 2 % n;

		(void)snprintf(line, sizeof(line), "{\"t\":%s}", times[k].text);
		(void)snprintf(want, sizeof(want), "[\"%" PRId64 "\",\"\",{}]", times[k].want);
		right &= gives(&v, line, times[k].want == -1 ? no_time : want, "");
	}
	for (int i = 0; i < 4000; i++) {
		char text[64];
		int64_t ns = -1;

		/* Around minutes, with fractions of all lengths, and with what is no second. */
		(void)snprintf(
		    text, sizeof(text), "\"2025-12-03T12:%02d:%02d%s%.*sZ\"", i / 70, i % 70, i % 11 == 0 ? "" : ".", i % 11, "1234567891");
		if (vl_time((struct json_value){ text, strlen(text) }, &ns) == -1)
			ns = -1;
		(void)snprintf(line, sizeof(line), "{\"t\":%s}", text);
		(void)snprintf(want, sizeof(want), "[\"%" PRId64 "\",\"\",{}]", ns);
		right &= gives(&v, line, ns == -1 ? no_time : want, "");
	}
	tap(t, right, "times of records in any order");
	v.begin = 5 * SECOND;
	v.end = 7 * SECOND;
	tap(t, gives(&v, "{\"t\":5}", "[\"5000000000\",\"\",{}]", "") && gives(&v, "{\"t\":6}", "[\"6000000000\",\"\",{}]", ""),
	    "asked for");
	tap(t, gives(&v, "{\"t\":4}", "before the time asked for", "") && gives(&v, "{\"t\":7}", "behind the time asked for", ""),
	    "not asked for");
	vl_close(&v);
}

static const struct {
	const char *line, *loki, *key, *jsonline;
} more[] = {
	{ "{\"t\":1,\"s\":\"x\",\"a\":2} ", "[\"1000000000\",\"\",{\"a\":\"2\",\"h\":\"w \\\"=\\\"\"}]", "\"s\":\"x\",\"u\":\"v\"",
	    "{\"t\":1,\"s\":\"x\",\"a\":2,\"u\":\"v\",\"h\":\"w \\\"=\\\"\"}" },
	{ "{\"t\":1,\"h\":null,\"u\":\"\"}", "[\"1000000000\",\"\",{\"h\":\"w \\\"=\\\"\"}]", "\"u\":\"v\"",
	    "{\"t\":1,\"h\":null,\"u\":\"\",\"u\":\"v\",\"h\":\"w \\\"=\\\"\"}" },
	{ "{\"t\":1,\"h\":{\"a\":1}}", "[\"1000000000\",\"\",{\"h.a\":\"1\",\"h\":\"w \\\"=\\\"\"}]", "\"u\":\"v\"",
	    "{\"t\":1,\"h\":{\"a\":1},\"u\":\"v\",\"h\":\"w \\\"=\\\"\"}" },
	{ "{\"t\":1,\"h\":1}", NULL, "", NULL },
	{ "{\"t\":1,\"\\u0068\":\"x\"}", NULL, "", NULL },
	{ "{\"t\":1,\"h\":[]}", NULL, "", NULL },
	{ "{\"t\":1,\"u\":\"x\"}", NULL, "", NULL },
};

static void
test_extra(struct tap *t)
{
	static const char *const bad[] = { "", "x", "x=", "=y", "t=1", "m=x", "h=again", "og_batch=1", "og_seq=1", "_time=1", "a\"b=1",
		"a,b=1", "a\tb=1", "\xff=1", "a=\xff" };
	static const char there[] = "a field that is to be added is there already";
	const char *errstr;

	for (enum vl_inlet inlet = VL_LOKI; inlet <= VL_JSONLINE; inlet++) {
		struct vl v;

		open_vl(&v, inlet);
		/* What is known of a shape before the field is added holds no longer. */
		tap(t, gives(&v, "{\"t\":1,\"h\":1}", inlet == VL_LOKI ? "[\"1000000000\",\"\",{\"h\":\"1\"}]" : "", ""), "no field yet");
		tap(t, vl_extra(&v, "u=v", &errstr) == 0 && vl_extra(&v, "h=w \"=\"", &errstr) == 0, "two fields");
		for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
			const char *want = inlet == VL_LOKI ? more[i].loki : more[i].jsonline;

			tap(t, gives(&v, more[i].line, want == NULL ? there : want, inlet == VL_LOKI ? more[i].key : ""), "%s",
			    more[i].line);
		}
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
			tap(t, vl_extra(&v, bad[i], &errstr) == -1 && *errstr != '\0', "not %s", bad[i]);
		for (int i = 2; i < VL_EXTRAS; i++) {
			static char name[VL_EXTRAS][16];

			(void)snprintf(name[i], sizeof(name[i]), "x%d=y", i);
			tap(t, vl_extra(&v, name[i], &errstr) == 0, "field %d", i + 1);
		}
		tap(t, vl_extra(&v, "y=y", &errstr) == -1, "one too many");
		vl_close(&v);
	}
}

static const struct {
	const char *line, *loki, *jsonline;
} left[] = {
	{ "{\"t\":1,\"a\":2,\"b\":[3],\"ab\":4,\"s\":5,\"m\":6}", "[\"1000000000\",\"6\",{\"b\":\"[3]\",\"ab\":\"4\"}]",
	    "{\"t\":1,\"m\":6,\"s\":5,\"b\":[3],\"ab\":4}" },
	{ "{\"t\":1,\"s\":5,\"p\":{\"x\":1},\"px\":2,\"\\u0070y\":3,\"z\":null}", "[\"1000000000\",\"\",{}]", "{\"t\":1,\"s\":5}" },
	{ "{\"t\":1,\"s\":5,\"a\":{\"x\":{\"y\":1},\"z\":2},\"o\":{\"q\":3,\"qq\":4,\"r\":{\"s\":5}}}",
	    "[\"1000000000\",\"\",{\"a.x.y\":\"1\",\"a.z\":\"2\",\"o.qq\":\"4\"}]", "{\"t\":1,\"s\":5,\"a.x.y\":1,\"a.z\":2,\"o.qq\":4}" },
	{ "{\"_stream\":\"{}\",\"t\":1,\"s\":5,\"_stream_id\":0}", "[\"1000000000\",\"\",{}]", "{\"t\":1,\"s\":5}" },
};

static void
test_ignore(struct tap *t)
{
	static const char *const bad[] = { "t", "m", "s", "u", "t*", "q,u", "", "a,", "a\\b", "x*,h", "h*" };
	const char *errstr;
	char line[512], want[512], name[300];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (enum vl_inlet inlet = VL_LOKI; inlet <= VL_JSONLINE; inlet++) {
		char names[] = "a,p*,o.q,o.r.*,_stream*,nnnn*";
		struct vl v;

		open_vl(&v, inlet);
		tap(t, gives(&v, left[3].line, "a field with a name that the server keeps for itself (_msg, _time, _stream)", ""),
		    "none yet");
		tap(t, vl_ignore(&v, names, &errstr) == 0, "some names");
		for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
			tap(t,
			    gives(&v, left[i].line, inlet == VL_LOKI ? left[i].loki : left[i].jsonline,
				inlet == VL_LOKI ? "\"s\":\"5\"" : ""),
			    "%s", left[i].line);
		(void)snprintf(line, sizeof(line), "{\"t\":1,\"%s\":1,\"x\":1}", name);
		tap(t, gives(&v, line, inlet == VL_LOKI ? "[\"1000000000\",\"\",{\"x\":\"1\"}]" : "{\"t\":1,\"x\":1}", ""), "a long name");
		(void)snprintf(line, sizeof(line), "{\"t\":1,\"%s\":{\"y\":1},\"x\":1}", name);
		tap(t, gives(&v, line, inlet == VL_LOKI ? "[\"1000000000\",\"\",{\"x\":\"1\"}]" : "{\"t\":1,\"x\":1}", ""), "an object's");
		tap(t, gives(&v, "{\"t\":1,\"s\":5,\"\":1}", "a field without a name", ""), "no name");
		(void)snprintf(want, sizeof(want), "{\"t\":1,\"x\":{\"%s\":{\"y\":1}}}", name);
		tap(t, gives(&v, want, "a field name of more than 128 bytes", ""), "a long name that is sent");
		tap(t, vl_extra(&v, "a=1", &errstr) == -1 && vl_extra(&v, "px=1", &errstr) == -1 && vl_extra(&v, "h=1", &errstr) == 0,
		    "nothing is added that is left out");
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			(void)snprintf(line, sizeof(line), "%s", bad[i]);
			tap(t, vl_ignore(&v, line, &errstr) == -1 && *errstr != '\0', "not %s", bad[i]);
		}
		vl_close(&v);
	}
}

static int
add(struct vl *v, const char *line, struct buf *form)
{
	return record(v, line, strlen(line), form);
}

static void
test_mark(struct tap *t)
{
	struct buf form = { 0 };
	struct vl v;

	if (buf_room(&form, 1) == NULL)
		abort();
	open_vl(&v, VL_LOKI);
	tap(t, gives(&v, "{\"t\":1,\"og_seq\":1}", "[\"1000000000\",\"\",{\"og_seq\":\"1\"}]", ""), "no mark");
	v.seq = 99;
	tap(t, vl_mark(&v, "b\"1") == 0 && add(&v, "{\"t\":1}", &form) == 0 && v.seq == 100, "a mark");
	tap(t, gives(&v, "{\"t\":1,\"og_seq\":1}", "a field that is to be added is there already", "") && v.seq == 100,
	    "a refused record counts not");
	tap(t, vl_mark(&v, "b2") == 0 && add(&v, "{\"t\":1,\"a\":1,\"og_batch\":null}", &form) == 0 && buf_put(&form, "", 1) == 0,
	    "another mark");
	tap(t,
	    strcmp(form.p,
		"[\"1000000000\",\"\",{\"og_batch\":\"b\\\"1\",\"og_seq\":\"99\"}]"
		"[\"1000000000\",\"\",{\"a\":\"1\",\"og_batch\":\"b2\",\"og_seq\":\"100\"}]") == 0,
	    "%s", form.p);
	tap(t, vl_mark(&v, NULL) == 0 && gives(&v, "{\"t\":1,\"og_seq\":1}", "[\"1000000000\",\"\",{\"og_seq\":\"1\"}]", ""),
	    "none any more");
	vl_close(&v);
	open_vl(&v, VL_JSONLINE);
	form.n = 0;
	tap(t, vl_mark(&v, "x") == 0 && add(&v, " {\"t\":1, \"a\":2 }\r", &form) == 0 && buf_put(&form, "", 1) == 0, "a JSON line");
	tap(t, strcmp(form.p, "{\"t\":1, \"a\":2 ,\"og_batch\":\"x\",\"og_seq\":\"1\"}") == 0, "%s", form.p);
	vl_close(&v);
	buf_free(&form);
}

/* One byte more than the inlet takes, of the line or of what is made of it. */
static void
test_sizes(struct tap *t)
{
	static char line[VL_LOKI_BYTES];
	struct buf form = { 0 };
	struct vl v;

	for (int add = 0; add < 2; add++) {
		const size_t extra = add ? strlen(",\"og_batch\":\"x\",\"og_seq\":\"1\"") : 0;

		for (size_t n = VL_JSONLINE_BYTES - 2 - extra; n <= VL_JSONLINE_BYTES - extra; n++) {
			int fits = n + extra < VL_JSONLINE_BYTES;

			memset(line, 'x', n);
			memcpy(line, "{\"t\":1,\"m\":\"", 12);
			memcpy(line + n - 2, "\"}", 2);
			open_vl(&v, VL_JSONLINE);
			tap(t, (!add || vl_mark(&v, "x") == 0) && vl_record(&v, line, n, &form) == (fits ? 0 : -1), "%zu bytes of %zu",
			    n + extra, n);
			tap(t, fits || strcmp(v.why, "more than 262143 bytes") == 0, "so it is");
			vl_close(&v);
		}
	}
	open_vl(&v, VL_LOKI);
	for (size_t n = VL_LOKI_BYTES - 20; n < VL_LOKI_BYTES; n++) {
		int status;

		memset(line, 'x', n);
		memcpy(line, "{\"t\":1,\"m\":\"", 12);
		memcpy(line + n - 2, "\"}", 2);
		form.n = 0;
		status = vl_record(&v, line, n, &form);
		/* The form: ["1000000000","...",{}] instead of {"t":1,"m":"..."} */
		if (status != (n + 6 <= VL_LOKI_BYTES ? 0 : -1) || (status == 0 && form.n != n + 6))
			tap(t, 0, "%zu bytes: %d", n, status);
	}
	tap(t, strcmp(v.why, "more than 2000000 bytes") == 0, "rows of 2000000 bytes and more");
	vl_close(&v);
	buf_free(&form);
}

static void
test_tenant(struct tap *t)
{
	static const char *const bad[] = { "", "x", "1:", ":1", "1:2:3", "-1", " 1", "1.5", "4294967296", "1:4294967296",
		"99999999999999999999" };
	struct vl_tenant x;

	tap(t, vl_tenant(&x, "4294967295:7") == 0 && x.id[0] == UINT32_MAX && x.id[1] == 7, "account and project");
	tap(t, strcmp(x.header[0], "AccountID: 4294967295") == 0 && strcmp(x.header[1], "ProjectID: 7") == 0 && x.header[2] == NULL,
	    "as lines of a header");
	tap(t, vl_tenant(&x, "12") == 0 && x.id[0] == 12 && strcmp(x.header[1], "ProjectID: 0") == 0, "an account alone");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap(t, vl_tenant(&x, bad[i]) == -1, "no tenant: \"%s\"", bad[i]);
}

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t ns = -1;

		if (vl_time((struct json_value){ times[i].text, strlen(times[i].text) }, &ns) == -1)
			ns = -1;
		tap(&t, ns == times[i].want, "%s: %" PRId64, times[i].text, ns);
	}
	test_retention(&t);
	test_form(&t);
	test_lengths(&t);
	test_many(&t);
	test_record_times(&t);
	test_extra(&t);
	test_ignore(&t);
	test_mark(&t);
	test_sizes(&t);
	test_tenant(&t);
	return tap_end(&t);
}
