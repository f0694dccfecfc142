/* vm: which lines are refused, and why; what is sent of the others; what a server tells. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "vm.h"

#define NOW 1794700900000LL /* ms */
#define SECOND 1000000000LL
#define T "1794700858.619013"
#define MS "1794700858619"
#define S(rest) "{\"metric\":\"m\",\"ts\":" T ",\"value\":1" rest "}"
#define I(metric, values, times) "{\"metric\":" metric ",\"values\":" values ",\"timestamps\":" times "}"
#define NAME "\"__name__\":\"m\""

static const char few[] = "more labels than the server keeps";
static const char outside[] = "a time that is not a whole number of milliseconds since 1970";
static const char no_label[] = "not a label such as name=\"value\"";
static const char no_time[] = "time is not a number of milliseconds since 1970";
static const char no_name[] = "no name of a metric";
static const char no_ts[] = "ts is not a decimal number of seconds since 1970";

/* why NULL: taken; then key and form, the latter with the number of digits in front. Limits: 4 labels, names of 8, values of 10 bytes. */
static const struct {
	enum vm_input input;
	const char *line, *why, *key, *form;
} cases[] = {
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"x\",\"b\":\"y\"}"), NULL, "\"a\":\"x\",\"b\":\"y\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"x\",\"b\":\"y\"},\"exemplar\":\"00ff\""), NULL, "\"a\":\"x\",\"b\":\"y\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"x\"},\"tags2\":{}"), NULL, "\"a\":\"x\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"}\"},\"exemplar\":\"x\",\"exemplar2\":\"y\""), NULL, "\"a\":\"}\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(""), NULL, NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{}"), NULL, NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":null"), NULL, NAME, "\r" MS "1" },
	{ VM_SAMPLES,
	    " { \"tags\" : { \"a\" : \"x\" , \"b\":null, \"c\":\"\", \"d\":\"\\u00e9\" } , \"value\" : -0.5e-3, \"ts\": 1794700858, \"metric\":\"a:b_1\"} \r",
	    NULL, "\"a\":\"x\",\"d\":\"\\u00e9\",\"__name__\":\"a:b_1\"", "\r1794700858000-0.5e-3" },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":1794700858.6,\"value\":0.1234567890123456789}", NULL, NAME,
	    "\r17947008586000.1234567890123456789" },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":1794700858.0199999,\"value\":0}", NULL, NAME, "\r17947008580190" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}"), NULL, "\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"," NAME,
	    "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\"}"), few, NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"\"}"), NULL, "\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"," NAME,
	    "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"0123456789\"}"), NULL, "\"a\":\"0123456789\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"0123456789x\"}"), "a label's value is longer than the server keeps", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"01234567\\u00e9\"}"), NULL, "\"a\":\"01234567\\u00e9\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"012345678\\u00e9\"}"), "a label's value is longer than the server keeps", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"012345\\ud83d\\ude00\"}"), NULL, "\"a\":\"012345\\ud83d\\ude00\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"0123456\\ud83d\\ude00\"}"), "a label's value is longer than the server keeps", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"0123456\\u20ac\"}"), NULL, "\"a\":\"0123456\\u20ac\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"01234567\\u20ac\"}"), "a label's value is longer than the server keeps", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"\\\"\\\\\\n\\t\\b\\f\\r\\/\\u0041x\"}"), NULL,
	    "\"a\":\"\\\"\\\\\\n\\t\\b\\f\\r\\/\\u0041x\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"abcdefgh\":\"1\"}"), NULL, "\"abcdefgh\":\"1\"," NAME, "\r" MS "1" },
	{ VM_SAMPLES, S(",\"tags\":{\"abcdefghi\":\"1\"}"), "a label's name is longer than the server keeps", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a.b\":\"1\"}"), "a tag's name is not of letters, digits and _", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"\":\"1\"}"), "a tag's name is not of letters, digits and _", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a:b\":\"1\"}"), "a tag's name is not of letters, digits and _", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"1a\":\"1\"}"), "a tag's name is not of letters, digits and _", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"__name__\":\"1\"}"), "a tag __name__", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"1\",\"a\":\"2\"}"), "key \"a\" twice", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"1\",\"\\u0061\":\"2\"}"), "key \"\\u0061\" twice", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":1}"), "a tag that is no string", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":{}}"), "a tag that is no string", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":[]"), "tags is not an object", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"\xff\"}"), "invalid UTF-8", NULL, NULL },
	{ VM_SAMPLES, "{\"ts\":1,\"value\":1}", "no metric", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"\",\"ts\":1,\"value\":1}", "metric is not a name of letters, digits, _ and :", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"a b\",\"ts\":1,\"value\":1}", "metric is not a name of letters, digits, _ and :", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":1,\"ts\":1,\"value\":1}", "metric is not a name of letters, digits, _ and :", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m23456789ab\",\"ts\":1,\"value\":1}", "metric is longer than the server keeps", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"value\":1}", "no ts", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":\"1794700858\",\"value\":1}", no_ts, NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":1.7e9,\"value\":1}", no_ts, NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":-1,\"value\":1}", no_ts, NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":0.5,\"value\":1}", no_ts, NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":1,\"value\":1}", "older than the server's retention", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" MS ",\"value\":1}", no_ts, NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":1894700858,\"value\":1}", "further in the future than the server keeps", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" T "}", "no value", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" T ",\"value\":null}", "no value", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" T ",\"value\":true}", "value is not a number", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" T ",\"value\":\"1\"}", "value is not a number", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" T ",\"value\":1e999}", "value is not a number", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" T ",\"value\":01,\"tags\":{}}", "invalid number or word", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"ts\":" T ",\"value\":1.,\"tags\":{}}", "invalid number or word", NULL, NULL },
	{ VM_SAMPLES, "{\"metric\":\"m\",\"metric\":\"m\",\"ts\":" T ",\"value\":1}", "key \"metric\" twice", NULL, NULL },
	{ VM_SAMPLES, "", "not a JSON object", NULL, NULL },
	{ VM_SAMPLES, S(",\"tags\":{\"a\":\"x\"") "}x", "not a JSON object", NULL, NULL },

	{ VM_PROM, "m 1 " MS, NULL, NAME, "\r" MS "1" },
	{ VM_PROM, " m\t{ } 1 " MS " \r", NULL, NAME, "\r" MS "1" },
	{ VM_PROM, "a:b{c=\"x\",d=\"y\",} -1.5E+3 " MS, NULL, "\"c\":\"x\",\"d\":\"y\",\"__name__\":\"a:b\"", "\r" MS "-1.5E+3" },
	{ VM_PROM, "m { c = \"x} ,\" , d=\"\" } 1 " MS, NULL, "\"c\":\"x} ,\"," NAME, "\r" MS "1" },
	{ VM_PROM, "m{c=\"\\\\\\\"\\n\t\"} 1 " MS, NULL, "\"c\":\"\\\\\\\"\\n\\u0009\"," NAME, "\r" MS "1" },
	{ VM_PROM, "m{c=\"12345678\xc3\xa9\"} 1 " MS, NULL, "\"c\":\"12345678\xc3\xa9\"," NAME, "\r" MS "1" },
	{ VM_PROM, "m 1 1794700858", NULL, NAME, "\r17947008580001" },
	{ VM_PROM, "m 1 " T, NULL, NAME, "\r" MS "1" },
	{ VM_PROM, "m 1 " MS " # {trace_id=\"x\"} 0.5 1", NULL, NAME, "\r" MS "1" },
	{ VM_PROM, "m +5 " MS, NULL, NAME, "\r" MS "5" },
	{ VM_PROM, "m .5 " MS, NULL, NAME, "\r" MS "0.5" },
	{ VM_PROM, "m -.5 " MS, NULL, NAME, "\r" MS "-0.5" },
	{ VM_PROM, "m 007 " MS, NULL, NAME, "\r" MS "7" },
	{ VM_PROM, "m +Inf " MS, NULL, NAME, "\r" MS "\"Infinity\"" },
	{ VM_PROM, "m -inf " MS, NULL, NAME, "\r" MS "\"-Infinity\"" },
	{ VM_PROM, "", NULL, "", "" },
	{ VM_PROM, " \t", NULL, "", "" },
	{ VM_PROM, "# TYPE m counter", NULL, "", "" },
	{ VM_PROM, "#", NULL, "", "" },
	{ VM_PROM, "m NaN " MS, "value is NaN, which is not stored", NULL, NULL },
	{ VM_PROM, "m 0x10 " MS, "value is not a number", NULL, NULL },
	{ VM_PROM, "m --1 " MS, "value is not a number", NULL, NULL },
	{ VM_PROM, "m +-1 " MS, "value is not a number", NULL, NULL },
	{ VM_PROM, "m + " MS, "value is not a number", NULL, NULL },
	{ VM_PROM, "m 1e999 " MS, "value is not a number", NULL, NULL },
	{ VM_PROM, "m 5. " MS, "value is not a number", NULL, NULL },
	{ VM_PROM, "m", "no value", NULL, NULL },
	{ VM_PROM, "m{}", "no value", NULL, NULL },
	{ VM_PROM, "m 1", "no time", NULL, NULL },
	{ VM_PROM, "m 1 # {} 1", "no time", NULL, NULL },
	{ VM_PROM, "m 1 x", no_time, NULL, NULL },
	{ VM_PROM, "m 1 -" MS, no_time, NULL, NULL },
	{ VM_PROM, "m 1 1.7e12", no_time, NULL, NULL },
	{ VM_PROM, "m 1 0", no_time, NULL, NULL },
	{ VM_PROM, "m 1 1", "older than the server's retention", NULL, NULL },
	{ VM_PROM, "m 1 1994700858619", "further in the future than the server keeps", NULL, NULL },
	{ VM_PROM, "m 1 " MS " 1", "text behind the time", NULL, NULL },
	{ VM_PROM, "{a=\"b\"} 1 " MS, no_name, NULL, NULL },
	{ VM_PROM, "1m 1 " MS, no_name, NULL, NULL },
	{ VM_PROM, "m.n 1 " MS, no_name, NULL, NULL },
	{ VM_PROM, "m\xff 1 " MS, "invalid UTF-8", NULL, NULL },
	{ VM_PROM, "m{a=\"\xff\"} 1 " MS, "invalid UTF-8", NULL, NULL },
	{ VM_PROM, "m23456789ab 1 " MS, "the name of the metric is longer than the server keeps", NULL, NULL },
	{ VM_PROM, "m{a=\"1\",b=\"2\",c=\"3\",d=\"4\"} 1 " MS, few, NULL, NULL },
	{ VM_PROM, "m{a=\"1\",b=\"2\",c=\"3\",d=\"\"} 1 " MS, NULL, "\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"," NAME, "\r" MS "1" },
	{ VM_PROM, "m{a=\"1\",a=\"2\"} 1 " MS, "a label twice", NULL, NULL },
	{ VM_PROM, "m{__name__=\"1\"} 1 " MS, "a label __name__", NULL, NULL },
	{ VM_PROM, "m{abcdefghi=\"1\"} 1 " MS, "a label's name is longer than the server keeps", NULL, NULL },
	{ VM_PROM, "m{a=\"0123456789x\"} 1 " MS, "a label's value is longer than the server keeps", NULL, NULL },
	{ VM_PROM, "m{a=\"\\t\"} 1 " MS, "an escape other than \\\\, \\\" and \\n", NULL, NULL },
	{ VM_PROM, "m{a=\"\\", "an escape other than \\\\, \\\" and \\n", NULL, NULL },
	{ VM_PROM, "m{a=\"1", "labels that do not end", NULL, NULL },
	{ VM_PROM, "m{a=\"1\"", "labels that do not end", NULL, NULL },
	{ VM_PROM, "m{a=\"1\" b=\"2\"} 1 " MS, "labels that do not end", NULL, NULL },
	{ VM_PROM, "m{", no_label, NULL, NULL },
	{ VM_PROM, "m{a} 1", no_label, NULL, NULL },
	{ VM_PROM, "m{a=1} 1", no_label, NULL, NULL },
	{ VM_PROM, "m{a:b=\"1\"} 1", no_label, NULL, NULL },
	{ VM_PROM, "m{,} 1", no_label, NULL, NULL },

	{ VM_IMPORT, I("{" NAME "}", "[1]", "[" MS "]"), NULL, "", "" },
	{ VM_IMPORT, I("{" NAME ",\"a.b c\":\"\"}", "[1, -2.5e3 ,\"Infinity\",\"-Inf\"]", "[" MS "," MS "," MS "," MS " ]"), NULL, "", "" },
	{ VM_IMPORT, I("{\"a\":\"nameless\"}", "[1]", "[" MS "]"), NULL, "", "" },
	{ VM_IMPORT, I("{}", "[1]", "[" MS "]"), "no labels", NULL, NULL },
	{ VM_IMPORT, I("{\"a\":\"\"}", "[1]", "[" MS "]"), "no labels", NULL, NULL },
	{ VM_IMPORT, I("{\"\":\"a\"}", "[1]", "[" MS "]"), "a label without a name", NULL, NULL },
	{ VM_IMPORT, I("{" NAME ",\"a\":1}", "[1]", "[" MS "]"), "a label that is no string", NULL, NULL },
	{ VM_IMPORT, I("{" NAME ",\"a\":null}", "[1]", "[" MS "]"), "a label that is no string", NULL, NULL },
	{ VM_IMPORT, I("{" NAME ",\"a\":\"1\",\"a\":\"2\"}", "[1]", "[" MS "]"), "key \"a\" twice", NULL, NULL },
	{ VM_IMPORT, I("{" NAME ",\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}", "[1]", "[" MS "]"), NULL, "", "" },
	{ VM_IMPORT, I("{" NAME ",\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\"}", "[1]", "[" MS "]"), few, NULL, NULL },
	{ VM_IMPORT, I("{" NAME ",\"a\":\"0123456789x\"}", "[1]", "[" MS "]"), "a label's value is longer than the server keeps", NULL,
	    NULL },
	{ VM_IMPORT, I("{" NAME ",\"abcdefghi\":\"0\"}", "[1]", "[" MS "]"), "a label's name is longer than the server keeps", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1,2]", "[" MS "]"), "not as many timestamps as values", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[]", "[]"), "no values", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[null]", "[" MS "]"), "a value null, which is not stored", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[\"NaN\"]", "[" MS "]"), "a value that is not a number", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[\"1\"]", "[" MS "]"), "a value that is not a number", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[true]", "[" MS "]"), "a value that is not a number", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[[1]]", "[" MS "]"), "a value that is not a number", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1e999]", "[" MS "]"), "a value too large for a double", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[Infinity]", "[" MS "]"), "not a JSON object", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1]", "[" T "]"), outside, NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1]", "[\"" MS "\"]"), outside, NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1]", "[1.7e12]"), outside, NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1]", "[1794700858]"), "older than the server's retention", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1,2]", "[" MS ",1794700858619000]"), outside, NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "[1,2]", "[" MS ",1994700858619]"), "further in the future than the server keeps", NULL, NULL },
	{ VM_IMPORT, I("[]", "[1]", "[" MS "]"), "no object \"metric\"", NULL, NULL },
	{ VM_IMPORT, I("{" NAME "}", "1", "[" MS "]"), "no arrays \"values\" and \"timestamps\"", NULL, NULL },
	{ VM_IMPORT, "{\"metric\":{" NAME "},\"values\":[1]}", "no arrays \"values\" and \"timestamps\"", NULL, NULL },
	{ VM_IMPORT, "", "not a JSON object", NULL, NULL },
};

static void
limit(struct vm *v)
{
	v->oldest = NOW - 86400000;
	v->newest = NOW + 86400000;
	v->labels = 4;
	v->name = 8;
	v->value = 10;
	v->infinite = 1;
}

static int
is(const struct buf *b, const char *want)
{
	return b->n == strlen(want) && memcmp(b->p == NULL ? "" : b->p, want, b->n) == 0;
}

/* Every line twice, from memory that ends where it does: what was learned from a line must not change what becomes of it. */
static void
test_lines(struct tap *t)
{
	struct vm v[3];

	for (int i = 0; i < 3; i++) {
		if (!tap(t, vm_open(&v[i], (enum vm_input)i) == 0, "open"))
			return;
		limit(&v[i]);
	}
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		size_t k = i / 2, len = strlen(cases[k].line);
		struct vm *m = &v[cases[k].input];
		struct buf form = { 0 };
		char *line = malloc(len == 0 ? 1 : len);
		int taken;

		if (line == NULL)
			return;
		memcpy(line, cases[k].line, len);
		taken = vm_record(m, line, len, &form) == 0;
		if (taken)
			tap(t, cases[k].why == NULL && is(&m->key, cases[k].key) && is(&form, cases[k].form), "%s: %.*s, %.*s",
			    cases[k].line, (int)m->key.n, m->key.p == NULL ? "" : m->key.p, (int)form.n, form.p == NULL ? "" : form.p);
		else
			tap(t, cases[k].why != NULL && strcmp(cases[k].why, m->why) == 0 && form.n == 0, "%s: %s", cases[k].line, m->why);
		free(line);
		buf_free(&form);
	}
	for (int i = 0; i < 3; i++)
		vm_close(&v[i]);
}

/* More orders of tags than are remembered, twice. */
static void
test_orders(struct tap *t)
{
	struct vm v;
	struct buf form = { 0 };
	char line[256], want[256];
	int good = 1;

	if (vm_open(&v, VM_SAMPLES) == -1)
		return;
	limit(&v);
	for (int i = 0; i < 400; i++) {
		int k = i % 200, n;

		n = snprintf(line, sizeof(line),
		    "%s{\"metric\":\"m\",\"ts\":" T ",\"value\":1,\"tags\":{\"l%d\":\"x\",\"e\":\"\",\"z\":\"y\"}}", i % 3 ? "" : " ", k);
		(void)snprintf(want, sizeof(want), "\"l%d\":\"x\",\"z\":\"y\"," NAME, k);
		good = good && vm_record(&v, line, (size_t)n, &form) == 0 && is(&v.key, want);
		n = snprintf(line, sizeof(line),
		    "{\"metric\":\"m\",\"ts\":" T ",\"value\":1,\"tags\":{\"l%d\":\"x\",\"b\":\"1\",\"c\":\"2\",\"d\":\"3\"}}", k);
		good = good && vm_record(&v, line, (size_t)n, &form) == -1 && strcmp(v.why, few) == 0;
		n = snprintf(line, sizeof(line), "{\"metric\":\"m\",\"ts\":" T ",\"value\":1,\"tags\":{\"l%d\":\"x\",\"b.c\":\"1\"}}", k);
		good = good && vm_record(&v, line, (size_t)n, &form) == -1 && strncmp(v.why, "a tag's name", 12) == 0;
	}
	tap(t, good, "many orders of tags: %s: %s", line, want);
	vm_close(&v);
	buf_free(&form);
}

static int
add(struct vm *v, struct batch *b, const char *line)
{
	size_t at = b->form.n;

	return vm_record(v, line, strlen(line), &b->form) == -1 ||
	    batch_add(b, 1, line, strlen(line), at, v->key.p == NULL ? "" : v->key.p, v->key.n) == -1;
}

static void
test_encode(struct tap *t)
{
	static const char want[] =
	    "{\"metric\":{\"a\":\"x\",\"__name__\":\"m\"},\"values\":[1,3],\"timestamps\":[1000000000001,1000000000003]}\n"
	    "{\"metric\":{\"__name__\":\"m\"},\"values\":[2],\"timestamps\":[1000000000002]}\n";
	struct batch *b = batch_new();
	struct buf body = { 0 };
	struct vm v;
	size_t lines = 0, longest = 0;

	if (b == NULL || vm_open(&v, VM_PROM) == -1)
		return;
	tap(t,
	    add(&v, b, "m{a=\"x\"} 1 1000000000001") == 0 && add(&v, b, "# x") == 0 && add(&v, b, "m 2 1000000000002") == 0 &&
		add(&v, b, "m{a=\"x\"} 3 1000000000003") == 0 && add(&v, b, "") == 0,
	    "a batch");
	batch_sort(b);
	tap(t, vm_encode(b, &body) == 0 && is(&body, want), "%.*s", (int)body.n, body.p);
	batch_clear(b);
	body.n = 0;
	tap(t, add(&v, b, "# x") == 0 && vm_encode(b, &body) == 0 && body.n == 0, "nothing but a comment");
	batch_clear(b);
	for (int i = 0; i < 100000; i++)
		(void)add(&v, b, "m 0.12345678901234567 1000000000001");
	tap(t, vm_encode(b, &body) == 0, "a long series");
	for (const char *p = body.p, *nl; p < body.p + body.n; p = nl + 1, lines++) {
		nl = memchr(p, '\n', (size_t)(body.p + body.n - p));
		if ((size_t)(nl - p) > longest)
			longest = (size_t)(nl - p);
	}
	tap(t, lines == 4 && longest <= VM_LINE && longest > VM_LINE / 100 * 95, "%zu lines, the longest %zu", lines, longest);
	vm_close(&v);
	batch_free(b);
	buf_free(&body);
}

static void
test_extra(struct tap *t)
{
	static const struct {
		const char *label, *why;
	} labels[] = { { "a=x", NULL }, { "b_1==", NULL }, { "a=y", "a label given twice" }, { "=x", "not a label such as name=value" },
		{ "c", "not a label such as name=value" }, { "c.d=x", "not a label such as name=value" }, { "c=", "an empty value" },
		{ "c=\xff", "invalid UTF-8" }, { "__name__=x", "the name of the metric is no label" } };
	struct vm v;
	struct buf form = { 0 };
	const char *why = NULL;

	if (vm_open(&v, VM_PROM) == -1)
		return;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		int failed = vm_extra(&v, labels[i].label, &why) == -1;

		tap(t, labels[i].why == NULL ? !failed : failed && strcmp(why, labels[i].why) == 0, "extra label %s", labels[i].label);
	}
	v.labels = 4;
	/* Name, a and b are three. */
	tap(t, vm_record(&v, "m{a=\"1\",c=\"2\"} 1 " MS, strlen("m{a=\"1\",c=\"2\"} 1 " MS), &form) == 0, "as many as there may be");
	tap(t, vm_record(&v, "m{d=\"1\",c=\"2\"} 1 " MS, strlen("m{d=\"1\",c=\"2\"} 1 " MS), &form) == -1 && strcmp(v.why, few) == 0,
	    "one more");
	v.begin = 1794700858619;
	v.end = 1794700858620;
	tap(t, vm_record(&v, "m 1 " MS, strlen("m 1 " MS), &form) == 0, "at the beginning");
	tap(t, vm_record(&v, "m 1 1794700858618", 17, &form) == -1 && strcmp(v.why, "before the time asked for") == 0, "before it");
	tap(t, vm_record(&v, "m 1 1794700858620", 17, &form) == -1 && strcmp(v.why, "behind the time asked for") == 0, "at the end");
	vm_close(&v);
	buf_free(&form);
}

/* A sample of a series of n bytes, in a form. */
static int
long_series(enum vm_input input, size_t n)
{
	static const char *const head[] = { "{\"metric\":\"m\",\"ts\":" T ",\"value\":1,\"tags\":{", "m{", "{\"metric\":{" },
				 *const tail[] = { "}}", "} 1 " MS, "},\"values\":[1],\"timestamps\":[" MS "]}" };
	struct buf line = { 0 }, form = { 0 };
	struct vm v;
	char label[32];
	int taken;

	if (vm_open(&v, input) == -1)
		return -1;
	v.value = 5000;
	(void)buf_puts(&line, head[input]);
	for (size_t at = line.n, i = 0; line.n - at < n; i++) {
		size_t left = n - (line.n - at);

		(void)snprintf(label, sizeof(label), input == VM_PROM ? "%sl%zu=\"" : "%s\"l%zu\":\"", i > 0 ? "," : "", i);
		(void)buf_puts(&line, label);
		for (size_t k = 0; k < 4000 && k + 20 < left; k++)
			(void)buf_puts(&line, "x");
		(void)buf_puts(&line, "\"");
	}
	(void)buf_puts(&line, tail[input]);
	taken = vm_record(&v, line.p, line.n, &form) == 0;
	if (!taken && strcmp(v.why, "a series of more than 32000 bytes") != 0)
		taken = -1;
	vm_close(&v);
	buf_free(&line);
	buf_free(&form);
	return taken;
}

static void
test_series(struct tap *t)
{
	for (int i = 0; i < 3; i++) {
		tap(t, long_series((enum vm_input)i, VM_SERIES - 200) == 1, "a long series, form %d", i);
		tap(t, long_series((enum vm_input)i, VM_SERIES + 50) == 0, "one that is too long, form %d", i);
	}
}

static void
test_server(struct tap *t)
{
	static const char old[] =
	    "flag{name=\"retentionPeriod\", value=\"1\", is_set=\"false\"} 1\n"
	    "flag{name=\"maxLabelsPerTimeseries\", value=\"31\"} 1\nflag{name=\"maxLabelValueLen\", value=\"16384\"} 1\n"
	    "flag{name=\"import.maxLineLen\", value=\"100\"} 1\n";
	static const char later[] = "flag{name=\"maxLabelNameLen\", value=\"12\"} 1\nflag{name=\"maxLabelValueLen\", value=\"0\"} 1\n";
	static const char line[] = I("{" NAME "}", "[1]", "[" MS "]");
	struct vm v;

	if (vm_open(&v, VM_IMPORT) == -1)
		return;
	tap(t, vm_server(&v, old, 1794700900000123456) == 0 && v.oldest == NOW + 1 - 31 * 86400000LL && v.newest == NOW + 2 * 86400000LL,
	    "%" PRId64 " to %" PRId64, v.oldest, v.newest);
	tap(t, v.labels == 31 && v.value == 16384 && v.name == 256 && v.line == 100 && !v.infinite, "limits");
	tap(t, vm_record(&v, line, strlen(line), NULL) == 0 && v.samples == 1, "a line");
	v.line = strlen(line);
	tap(t, vm_record(&v, line, strlen(line), NULL) == -1 && strcmp(v.why, "a line longer than the server takes") == 0,
	    "too long with its newline");
	tap(t, vm_server(&v, later, 1) == -1 && v.labels == 30 && v.value == 4096 && v.name == 12 && v.infinite,
	    "limits of a page that does not tell the retention");
	vm_close(&v);
}

static void
test_compare(struct tap *t)
{
	static const char page[] =
	    "vm_app_start_timestamp 7\nvm_rows_inserted_total{type=\"vmimport\"} 5\nvm_rows_inserted_total{type=\"influx\"} 100\n"
	    "vm_rows_invalid_total{type=\"vmimport\"} 2\nvm_rows_ignored_total{reason=\"a\"} 3\nvm_rows_ignored_total{reason=\"b\"} 4\n";
	struct vm_counts before, now, none;
	char said[256];

	vm_count(page, &before);
	vm_count("", &none);
	tap(t, before.start == 7 && before.inserted == 5 && before.invalid == 2 && before.lost == 7 && isnan(none.inserted), "counts");
	now = before;
	now.inserted += 10;
	tap(t, vm_compare(&before, &now, 10, 10, said, sizeof(said)) == VM_SAME, "%s", said);
	tap(t, vm_compare(&before, &now, 8, 10, said, sizeof(said)) == VM_SAME, "some of them twice");
	tap(t, vm_compare(&before, &now, 11, 11, said, sizeof(said)) == VM_DIFFERS, "too few");
	tap(t, vm_compare(&before, &now, 9, 9, said, sizeof(said)) == VM_DIFFERS, "too many");
	now.lost++;
	tap(t, vm_compare(&before, &now, 10, 10, said, sizeof(said)) == VM_DIFFERS, "one dropped");
	now.lost--;
	now.invalid++;
	tap(t, vm_compare(&before, &now, 10, 10, said, sizeof(said)) == VM_DIFFERS, "one invalid");
	now.invalid--;
	now.start++;
	tap(t, vm_compare(&before, &now, 10, 10, said, sizeof(said)) == VM_UNKNOWN, "started anew");
	tap(t, vm_compare(&none, &now, 10, 10, said, sizeof(said)) == VM_UNKNOWN, "no counters");
}

static void
test_root(struct tap *t)
{
	static const char *const urls[][2] = { { "http://h:1", "http://h:1" }, { "http://h:1/", "http://h:1" },
		{ "http://h/prometheus/?a=/b", "http://h?a=/b" }, { "http://h:1/insert/0:5/prometheus", "http://h:1" },
		{ "http://h/x/insert/0/prometheus#f", "http://h/x#f" }, { "http://h/vm", "http://h/vm" },
		{ "http://h/xprometheus", "http://h/xprometheus" }, { "http://h?x=/insert/", "http://h?x=/insert/" } };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		char *root = vm_root(urls[i][0]);

		tap(t, root != NULL && strcmp(root, urls[i][1]) == 0, "%s: %s", urls[i][0], root);
		free(root);
	}
}

/* Labels seen before are not read again, unless what the server keeps has changed. */
static void
test_known(struct tap *t)
{
	static const char page[] = "flag{name=\"maxLabelValueLen\", value=\"4\", is_set=\"true\"} 1\n";
	struct buf form = { 0 };
	struct vm v;
	int good = 1;

	if (vm_open(&v, VM_SAMPLES) == -1)
		return;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3 * VM_KNOWN; i++) {
			char line[256], want[128];
			int n = snprintf(line, sizeof(line), "{\"metric\":\"m%d\",\"ts\":%d.5,\"value\":1,\"tags\":{\"a\":\"label %d\"}}",
			    i % 2, 1 + i / 2, i / 3);

			(void)snprintf(want, sizeof(want), "\"a\":\"label %d\",\"__name__\":\"m%d\"", i / 3, i % 2);
			good &= vm_record(&v, line, (size_t)n, &form) == 0 && is(&v.key, want) && v.time.ms == (1 + i / 2) * 1000 + 500;
		}
		form.n = 0;
	}
	tap(t, good, "the labels of each line, again and again");
	(void)vm_server(&v, page, 1);
	v.oldest = 0;
	v.newest = INT64_MAX;
	good = 0;
	for (int i = 0; i < 3; i++) {
		static const char line[] = "{\"metric\":\"m\",\"ts\":9,\"value\":1,\"tags\":{\"a\":\"label 1\"}}";

		good += vm_record(&v, line, sizeof(line) - 1, &form) == -1 && strstr(v.why, "longer") != NULL;
	}
	tap(t, good == 3, "refused by new limits, each time");
	buf_free(&form);
	vm_close(&v);
}

int
main(void)
{
	struct tap t = { 0 };

	test_lines(&t);
	test_orders(&t);
	test_encode(&t);
	test_extra(&t);
	test_series(&t);
	test_server(&t);
	test_compare(&t);
	test_root(&t);
	test_known(&t);
	return tap_end(&t);
}
