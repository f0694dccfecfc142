/* lib/json: what is JSON and what is not, the two ways of reading against each other, values, writing. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mix.h"
#include "tap.h"

#define NKEYS 4
static const char *const keys[NKEYS] = { "ts", "name", "tags", "q\"k" };

static struct json_reader *
reader(void)
{
	struct json_reader *r = json_reader(keys, NKEYS);

	if (r == NULL)
		abort();
	return r;
}

/*
 * Reads a copy of exactly n bytes, so that a look past the end is seen by whoever watches the heap; the values stay good until the next
 * call.
 */
static int
read_copy(struct json_reader *r, const char *s, size_t n, struct json_value *value, const char **why)
{
	static char *last;
	char *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	free(last);
	last = copy;
	memcpy(copy, s, n);
	return json_read(r, copy, n, value, why);
}

static const char *const good[] = {
	"{}",
	" { } ",
	"\t{\r\"a\" : 1 , \"b\":[ ] }\n",
	"{\"\":\"\"}",
	"{\"ts\":0,\"name\":-0,\"c\":-0.0,\"d\":10,\"e\":1e5,\"f\":1E+5,\"g\":1.5e-7,\"h\":123456789012345678901234567890}",
	"{\"ts\":true,\"name\":false,\"tags\":null}",
	"{\"ts\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\\u0000\"}",
	"{\"ts\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"}",
	"{\"tags\":{\"a\":{\"b\":[1,[2],{}]},\"a\":2}}",
	"{\"ts\":[[],{},[{}],\"x\",null,true,1.0]}",
	"{\"a\":1,\"A\":2,\"aa\":3,\"\\u0061a\\u0061\":4}",
	"{\"a 1234567\":1,\"b 1234567\":2,\"1234567\":3,\"b 12345678\":4}",
};

static const struct {
	const char *line, *why;
} bad[] = {
	{ "", "not a JSON object" },
	{ " ", "not a JSON object" },
	{ "null", "not a JSON object" },
	{ "[]", "not a JSON object" },
	{ "\"a\"", "not a JSON object" },
	{ "{", "not a JSON object" },
	{ "}", "not a JSON object" },
	{ "{]", "not a JSON object" },
	{ "{\"a\"}", "not a JSON object" },
	{ "{\"a\":}", "not a JSON object" },
	{ "{\"a\" 1}", "not a JSON object" },
	{ "{\"a\":1,}", "not a JSON object" },
	{ "{,\"a\":1}", "not a JSON object" },
	{ "{\"a\":1 \"b\":2}", "not a JSON object" },
	{ "{\"a\":1,,\"b\":2}", "not a JSON object" },
	{ "{\"a\"::1}", "not a JSON object" },
	{ "{\"a\":\"b\":1}", "not a JSON object" },
	{ "{a:1}", "not a JSON object" },
	{ "{'a':1}", "not a JSON object" },
	{ "{1:1}", "not a JSON object" },
	{ "{\"a\":[1}", "not a JSON object" },
	{ "{\"a\":[1,]}", "not a JSON object" },
	{ "{\"a\":[,1]}", "not a JSON object" },
	{ "{\"a\":[1 2]}", "not a JSON object" },
	{ "{\"a\":[\"b\":1]}", "not a JSON object" },
	{ "{\"a\":1}}", "not a JSON object" },
	{ "{\"a\":1", "not a JSON object" },
	{ "{\"a\":\"b", "not a JSON object" },
	{ "{\"a\":\"b}", "not a JSON object" },
	{ "{\"a\":1}x", "not a JSON object" },
	{ "{\"a\":1},", "not a JSON object" },
	{ "\xef\xbb\xbf{}", "not a JSON object" },
	{ "{\"a\":1}{}", "text behind the object" },
	{ "{\"a\":1} \"x\"", "text behind the object" },
	{ "{\"a\":01}", "invalid number or word" },
	{ "{\"a\":-}", "invalid number or word" },
	{ "{\"a\":1.}", "invalid number or word" },
	{ "{\"a\":1e}", "invalid number or word" },
	{ "{\"a\":1e+}", "invalid number or word" },
	{ "{\"a\":1.2.3}", "invalid number or word" },
	{ "{\"a\":tru}", "invalid number or word" },
	{ "{\"a\":nulll}", "invalid number or word" },
	{ "{\"a\":.5}", "not a JSON object" },
	{ "{\"a\":+5}", "not a JSON object" },
	{ "{\"a\":NaN}", "not a JSON object" },
	{ "{\"a\":Infinity}", "not a JSON object" },
	{ "{\"a\":\"\t\"}", "invalid string" },
	{ "{\"a\":\"\x1f\"}", "invalid string" },
	{ "{\"a\":\"\\x\"}", "not a JSON object" },
	{ "{\"a\":\"\\u12g4\"}", "not a JSON object" },
	{ "{\"a\":\"\\ud800\"}", "invalid string" },
	{ "{\"a\":\"\\udc00\"}", "invalid string" },
	{ "{\"a\":\"\\ud800\\u0041\"}", "invalid string" },
	{ "{\"\\udead\":1}", "invalid string" },
	{ "{\"a\":\"\xff\"}", "invalid UTF-8" },
	{ "{\"a\":\"\xc0\x80\"}", "invalid UTF-8" },
	{ "{\"a\":\"\xed\xa0\x80\"}", "invalid UTF-8" },
	{ "{\"a\":\"\xf4\x90\x80\x80\"}", "invalid UTF-8" },
	{ "{\"a\":\"\xe2\x82\"}", "invalid UTF-8" },
	{ "{\"a\":1,\"b\":2,\"a\":3}", "key \"a\" twice" },
	{ "{\"a\":1,\"\\u0061\":3}", "twice" },
	{ "{\"ts\":1,\"ts\":1}", "key \"ts\" twice" },
	{ "{\"\":1,\"\":1}", "key \"\" twice" },
	{ "{\"a 1234567\":1,\"b 1234567\":2,\"c 1234567\":3,\"b 1234567\":4}", "key \"b 1234567\" twice" },
	{ "{\"a\":1,\"b\":{\"a\":1},\"c\":[],\"d\":\"\",\"b\" :2}", "key \"b\" twice" },
};

static void
test_lines(struct tap *t)
{
	struct json_value value[NKEYS];
	const char *why = "";

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct json_reader *r = reader();
		int first = read_copy(r, good[i], strlen(good[i]), value, &why);
		int again = read_copy(r, good[i], strlen(good[i]), value, &why);

		tap(t, first == 0 && again == 0 && json_reader_fast(r) == 1, "read, and then read fast: %zu", i);
		json_reader_free(r);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct json_reader *r = reader();
		int refused = read_copy(r, bad[i].line, strlen(bad[i].line), value, &why) == -1;

		tap(t, refused && strstr(why, bad[i].why) != NULL, "refused as %s: line %zu%s%s", bad[i].why, i, refused ? "" : " read",
		    refused && strstr(why, bad[i].why) == NULL ? why : "");
		json_reader_free(r);
	}
}

static void
test_special(struct tap *t)
{
	struct json_reader *r = reader();
	struct json_value value[NKEYS];
	const char *why = "";
	char *line = malloc(1 << 20);
	char key[300];
	int n;

	if (line == NULL)
		abort();
	tap(t, read_copy(r, "{\"a\":\"\0\"}", 9, value, &why) == -1 && strcmp(why, "NUL byte") == 0, "NUL in a string");
	tap(t, read_copy(r, "{}\0", 3, value, &why) == -1 && strcmp(why, "NUL byte") == 0, "NUL behind the object");
	for (int depth = 64; depth <= 65; depth++) {
		n = 0;
		for (int i = 0; i < depth; i++)
			n += sprintf(line + n, i % 2 == 0 ? "{\"a\":" : "[");
		n += sprintf(line + n, "1");
		for (int i = depth - 1; i >= 0; i--)
			line[n++] = i % 2 == 0 ? '}' : ']';
		for (int again = 0; again < 2; again++)
			tap(t, read_copy(r, line, (size_t)n, value, &why) == (depth == 64 ? 0 : -1), "nested %d deep", depth);
	}
	tap(t, strcmp(why, "nested deeper than 64") == 0, "too deep by name");
	tap(t, json_reader_fast(r) == 1, "64 deep the fast way, too");
	for (int closed = 0; closed < 2; closed++) {
		n = sprintf(line, "{\"a\":");
		memset(line + n, '[', 10000);
		memset(line + n + 10000, ']', 10000);
		n += closed ? 20000 : 10000;
		line[n++] = '}';
		tap(t, read_copy(r, line, (size_t)n, value, &why) == -1, "nested 10,000 deep%s", closed ? "" : ", not closed");
	}
	memset(line, '[', 1 << 20);
	line[0] = '{';
	tap(t, read_copy(r, line, 1 << 20, value, &why) == -1, "a MiB of open brackets");
	n = sprintf(line, "{");
	for (int i = 0; i < 70000; i++)
		n += sprintf(line + n, "%s\"k%d\":%d", i == 0 ? "" : ",", i, i);
	n += sprintf(line + n, ",\"ts\":7}");
	tap(t, read_copy(r, line, (size_t)n, value, &why) == 0 && value[0].n == 1 && *value[0].p == '7', "70,001 keys");
	line[n - 1] = ',';
	n += sprintf(line + n, "\"k5\":1}");
	tap(t, read_copy(r, line, (size_t)n, value, &why) == -1 && strcmp(why, "key \"k5\" twice") == 0, "70,002 keys, one twice");
	for (size_t i = 0; i < sizeof(key) - 1; i++)
		key[i] = "\xc3\xa9"[i % 2];
	key[200] = '\0';
	n = sprintf(line, "{\"x%s\":1,\"x%s\":2}", key, key);
	tap(t, read_copy(r, line, (size_t)n, value, &why) == -1 && utf8_valid(why, strlen(why)) && strlen(why) < 100,
	    "a long key is cut between characters");
	tap(t, json_reader(keys, 65) == NULL && json_reader(keys, -1) == NULL, "more than 64 keys");
	json_reader_free(r);
	json_reader_free(NULL);
	free(line);
}

/* A reader that has learned nothing goes the slow way. */
static int
read_slowly(const char *line, size_t n, struct json_value *value, char *why, size_t size)
{
	struct json_reader *r = reader();
	const char *text = "";
	int status = json_read(r, line, n, value, &text);

	if (json_reader_fast(r) != 0)
		abort();
	(void)snprintf(why, size, "%s", text);
	json_reader_free(r);
	return status;
}

static size_t
mutate(char *line, size_t n, uint64_t key)
{
	static const char bytes[] = "\"\\{}[]:, \t09-.eEtfnu/a\x01\x1f\x7f\x80\xc3\xa9\xed\xf0\xff";
	uint32_t edits = mix_below((uint32_t)mix_at(key, 0), 4);

	for (uint32_t i = 0; i < edits; i++) {
		uint64_t word = mix_at(key, i + 1);
		size_t at = mix_below((uint32_t)word, (uint32_t)n);
		char byte = bytes[mix_below((uint32_t)(word >> 32), sizeof(bytes))];

		switch (word >> 8 & 3) {
		case 0:
			memmove(line + at + 1, line + at, n++ - at);
			line[at] = byte;
			break;
		case 1:
			if (n > 1)
				memmove(line + at, line + at + 1, --n - at);
			break;
		default:
			line[at] = byte;
		}
	}
	return n;
}

static void
test_both_ways(struct tap *t)
{
	static const char *const base[] = {
		"{\"ts\":12.5,\"name\":\"some text of more than a word\",\"x\":null,\"tags\":{\"a\":\"b\",\"c\":[1,2]},\"last\":true}",
		"{\"ts\": \"2025-12-03T12:20Z\", \"y\": \"\\u00e9\\ud83d\\ude00\", \"name\": \"\xf0\x9f\x98\x80\", \"q\\\"k\": -1}",
		"{\"name\":[{\"a\":[]},[[\"x\",{}]],0],\"q\\u0022k\":false,\"ts\":0}",
	};
	uint64_t accepted = 0, refused = 0, different = 0;
	struct json_reader *r = reader();
	struct json_value fast[NKEYS], slow[NKEYS];
	char buf[512], slow_why[256];

	for (uint64_t i = 0; i < 200000; i++) {
		const char *from = base[i % 3], *why = "";
		size_t n = strlen(from);
		char *line = buf + sizeof(buf);
		int a, b;

		(void)json_read(r, from, n, fast, &why);
		memcpy(buf, from, n);
		n = mutate(buf, n, mix_at(7, i));
		/* At the end of the memory, where a look too far would be seen. */
		line -= n;
		memmove(line, buf, n);
		a = json_read(r, line, n, fast, &why);
		b = read_slowly(line, n, slow, slow_why, sizeof(slow_why));
		if (a == 0 && b == 0) {
			accepted++;
			for (int k = 0; k < NKEYS; k++)
				different += fast[k].p != slow[k].p || (fast[k].p != NULL && fast[k].n != slow[k].n);
		} else {
			refused++;
			different += a != b || strcmp(why, slow_why) != 0;
		}
	}
	tap(t, different == 0, "both ways agree on 200,000 lines");
	tap(t, accepted > 60000 && refused > 60000, "of which many are read and many refused: %" PRIu64 " %" PRIu64, accepted, refused);
	tap(t, json_reader_fast(r) > 200000, "the fast way was taken %" PRIu64 " times", json_reader_fast(r));
	json_reader_free(r);
}

static void
test_layouts(struct tap *t)
{
	struct json_reader *r = reader();
	struct json_value value[NKEYS] = { { 0 } };
	const char *why;
	char line[64];
	int all = 1;

	for (int i = 0; i < 3000; i++) {
		int n = sprintf(line, i % 3 == 0 ? "{\"ts\":%d}" : i % 3 == 1 ? "{\"ts\":%d,\"name\":1}" : "{\"name\":\"x\",\"ts\":%d}", i);
		uint64_t ts;

		all &= json_read(r, line, (size_t)n, value, &why) == 0 && json_u64(value[0], &ts) == 0 && ts == (uint64_t)i;
		all &= (value[1].p == NULL) == (i % 3 == 0) && value[2].p == NULL;
	}
	tap(t, all, "lines of three layouts in turn");
	tap(t, json_reader_fast(r) == 2997, "each read slowly once");
	json_reader_free(r);
}

/* As many layouts as are remembered, each of which leaves the others at another key, or later comes back to them. */
static void
test_many_layouts(struct tap *t)
{
	struct json_reader *r = reader();
	struct json_value value[NKEYS] = { { 0 } };
	const char *why;
	char line[128];
	int all = 1;

	for (int i = 0; i < 100 * JSON_SLOTS; i++) {
		int k = i % JSON_SLOTS, n = sprintf(line, "{\"a\":[{\"b\":%d}]", i);
		uint64_t ts;

		for (int bit = 0; bit < 4; bit++)
			if ((k >> bit & 1) != 0)
				n += sprintf(line + n, bit == 2 ? ", \"name\":\"x\"" : ",\"k%d\":\"x\"", bit);
		n += sprintf(line + n, "%s\"ts\":%d}", k >= 16 ? ", " : ",", i);
		all &= json_read(r, line, (size_t)n, value, &why) == 0 && json_u64(value[0], &ts) == 0 && ts == (uint64_t)i;
		all &= (value[1].p != NULL) == (k >> 2 & 1) && value[2].p == NULL;
	}
	tap(t, all, "%d layouts in turn", JSON_SLOTS);
	tap(t, json_reader_fast(r) == 99 * JSON_SLOTS, "each read slowly once, too: %" PRIu64, json_reader_fast(r));
	json_reader_free(r);
}

static int
is_shape(const struct json_reader *r, int n, const char *const *key, const char *const *text)
{
	const struct json_shape *s = json_shape(r);
	int same = s->id != 0 && s->n == n && s->slot >= 0 && s->slot < JSON_SLOTS;

	for (int i = 0; same && i < n; i++) {
		struct json_value k = json_shape_key(r, i), v = s->value[i];

		same = k.n == strlen(key[i]) && memcmp(k.p, key[i], k.n) == 0 && v.n == strlen(text[i]) && memcmp(v.p, text[i], v.n) == 0;
	}
	return same;
}

static void
test_shapes(struct tap *t)
{
	static const char *const key[] = { "ts", "\\u0061", "", "x" }, *const text[] = { "1", "{\"a\": 2}", "[]", "\"\"" },
				 *const other[] = { "\"a longer text than before, and no number any more\"", "null", "-1.5e3", "true" };
	static const char first[] = "{\"ts\":1,\"\\u0061\":{\"a\": 2},\"\":[] ,\"x\":\"\"}";
	char line[16384];
	struct json_reader *r = reader();
	struct json_value value[NKEYS];
	uint64_t id[2];
	const char *why;
	int slot, n;

	(void)json_read(r, first, sizeof(first) - 1, value, &why);
	tap(t, is_shape(r, 4, key, text), "members of a line read slowly");
	id[0] = json_shape(r)->id;
	slot = json_shape(r)->slot;
	(void)sprintf(line, "{\"ts\":%s,\"\\u0061\":%s,\"\":%s ,\"x\":%s}", other[0], other[1], other[2], other[3]);
	(void)json_read(r, line, strlen(line), value, &why);
	tap(t, is_shape(r, 4, key, other) && json_reader_fast(r) == 1, "and of one read fast");
	tap(t, json_shape(r)->id == id[0] && json_shape(r)->slot == slot, "which has the same shape");
	(void)json_read(r, "{\"ts\":1}", 8, value, &why);
	id[1] = json_shape(r)->id;
	tap(t, is_shape(r, 1, key, text) && id[1] != id[0] && json_shape(r)->slot != slot, "another shape");
	n = sprintf(line, "{\"k0\":0");
	for (int i = 1; i < 1000; i++)
		n += sprintf(line + n, ",\"k%d\":0", i);
	line[n++] = '}';
	tap(t, json_read(r, line, (size_t)n, value, &why) == 0 && json_shape(r)->id == 0 && json_shape(r)->n == 0, "too many members");
	/* When there are more, only some are learned. */
	for (int i = 0; i < 100 * JSON_SLOTS; i++) {
		n = sprintf(line, "{\"y%d\":0}", i);
		(void)json_read(r, line, (size_t)n, value, &why);
	}
	for (int i = 0; i < JSON_SLOTS; i++)
		(void)json_read(r, "{\"ts\":1}", 8, value, &why);
	tap(t, is_shape(r, 1, key, text) && json_shape(r)->id != id[1], "one that was forgotten is a new one");
	json_reader_free(r);
}

static struct json_value
text_value(const char *s)
{
	return (struct json_value){ s, strlen(s) };
}

static void
test_numbers(struct tap *t)
{
	static const struct {
		const char *s;
		int places, ok;
		int64_t value;
	} scaled[] = {
		{ "0", 3, 1, 0 },
		{ "-0", 3, 1, 0 },
		{ "1", 3, 1, 1000 },
		{ "-1.5", 3, 1, -1500 },
		{ "1.234", 3, 1, 1234 },
		{ "1.2345", 3, 0, 0 },
		{ "1.23400000000000000000000000000000", 3, 1, 1234 },
		{ "1e3", 0, 1, 1000 },
		{ "1.5E+2", 0, 1, 150 },
		{ "1500e-3", 0, 0, 0 },
		{ "1500e-3", 1, 1, 15 },
		{ "100e-2", 0, 1, 1 },
		{ "9223372036854775807", 0, 1, INT64_MAX },
		{ "9223372036854775808", 0, 0, 0 },
		{ "18446744073709551616", 0, 0, 0 },
		{ "1e19", 0, 0, 0 },
		{ "1e999999999999", 0, 0, 0 },
		{ "0e999999999999", 0, 1, 0 },
		{ "1e-999999999999", 6, 0, 0 },
		{ "1764764400.123456", 6, 1, 1764764400123456 },
		{ "\"1\"", 0, 0, 0 },
		{ "null", 0, 0, 0 },
		{ "1.", 0, 0, 0 },
		{ "", 0, 0, 0 },
	};
	static const struct {
		const char *s;
		int ok;
		double value;
	} floating[] = { { "0.1", 1, 0.1 }, { "-2.5e3", 1, -2500 }, { "1e400", 0, 0 }, { "4.9e-324", 1, 4.9e-324 }, { "true", 0, 0 },
		{ "0x10", 0, 0 }, { "1 ", 0, 0 } };
	char large[600];
	uint64_t u;
	int64_t i;
	double d;
	int b;

	for (size_t k = 0; k < sizeof(scaled) / sizeof(*scaled); k++) {
		int got = json_scaled(text_value(scaled[k].s), scaled[k].places, &i) == 0;

		tap(t, got == scaled[k].ok && (!got || i == scaled[k].value), "%s to %d places", scaled[k].s, scaled[k].places);
	}
	for (size_t k = 0; k < sizeof(floating) / sizeof(*floating); k++) {
		int got = json_double(text_value(floating[k].s), &d) == 0;

		tap(t, got == floating[k].ok && (!got || (d <= floating[k].value && d >= floating[k].value)), "%s as a double",
		    floating[k].s);
	}
	memset(large, '1', sizeof(large));
	tap(t, json_double((struct json_value){ large, sizeof(large) }, &d) == -1, "a number of 600 digits");
	tap(t, json_u64(text_value("18446744073709551615"), &u) == 0 && u == UINT64_MAX, "largest u64");
	tap(t, json_u64(text_value("18446744073709551616"), &u) == -1 && json_u64(text_value("-1"), &u) == -1, "out of range of u64");
	tap(t, json_u64(text_value("1.5"), &u) == -1 && json_u64((struct json_value){ 0 }, &u) == -1, "no whole number");
	tap(t, json_bool(text_value("true"), &b) == 0 && b == 1 && json_bool(text_value("false"), &b) == 0 && b == 0, "true and false");
	tap(t, json_bool(text_value("1"), &b) == -1 && json_bool((struct json_value){ 0 }, &b) == -1, "neither true nor false");
	tap(t, json_is_null(text_value("null")) && json_is_null((struct json_value){ 0 }) && !json_is_null(text_value("\"null\"")), "null");
	tap(t, json_double((struct json_value){ 0 }, &d) == -1 && json_scaled((struct json_value){ 0 }, 0, &i) == -1, "absent numbers");
}

static void
test_texts(struct tap *t)
{
	char buf[16], quoted[JSON_QUOTED(256)], all[256], back[300];
	int n, round = 1;

	n = json_text(text_value("\"a\\u00e9\\ud83d\\ude00\\n\""), buf, sizeof(buf));
	tap(t, n == 8 && strcmp(buf, "a\xc3\xa9\xf0\x9f\x98\x80\n") == 0, "escapes undone");
	tap(t, json_text(text_value("\"123456789012345\""), buf, sizeof(buf)) == 15, "a text that just fits");
	tap(t, json_text(text_value("\"1234567890123456\""), buf, sizeof(buf)) == -1, "and one that does not");
	tap(t, json_text(text_value("\"a\\u0000\""), buf, sizeof(buf)) == -1, "no NUL in a text");
	tap(t, json_text(text_value("12"), buf, sizeof(buf)) == -1 && json_text((struct json_value){ 0 }, buf, sizeof(buf)) == -1,
	    "no string, no text");
	tap(t, json_text(text_value("\"\""), buf, 1) == 0 && buf[0] == '\0' && json_text(text_value("\"\""), buf, 0) == -1,
	    "the empty text");
	tap(t, json_equals(text_value("\"a\\/b\""), "a/b") && json_equals(text_value("\"\""), ""), "equal texts");
	tap(t, !json_equals(text_value("\"ab\""), "a") && !json_equals(text_value("\"a\""), "ab") && !json_equals(text_value("1"), "1"),
	    "unequal texts");
	tap(t, !json_equals((struct json_value){ 0 }, ""), "an absent text equals none");
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	for (size_t len = 0; len < 256; len++) {
		char *end = json_quote(quoted, all, len);

		n = json_text((struct json_value){ quoted, (size_t)(end - quoted) }, back, sizeof(back));
		round &= n == (int)len && memcmp(all, back, len) == 0;
	}
	tap(t, round, "quoted and back");
	*json_quote(quoted, "\x01\b\t\n\v\f\r\x1f \"\\/\x7f\0", 14) = '\0';
	tap(t, strcmp(quoted, "\"\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\x7f\\u0000\"") == 0, "quoted: %s", quoted);
}

static void
test_parts(struct tap *t)
{
	struct json_value key, value, a = text_value("[ 1, \"x,]\" ,[2],{\"a\":3}]"),
				      o = text_value("{ \"a\" : 1,\"b\":{\"c\":[2]} , \"d\\n\":null }");
	static const char *const broken[] = { "[1", "[1,]", "[1 2]", "[", "[,", "[01]", "{}", "" };
	char got[100] = "";
	const char *next = NULL;
	int more, refused = 1;

	while ((more = json_each(a, &next, &value)) == 1)
		(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "<%.*s>", (int)value.n, value.p);
	tap(t, more == 0 && strcmp(got, "<1><\"x,]\"><[2]><{\"a\":3}>") == 0, "elements: %s", got);
	got[0] = '\0';
	next = NULL;
	while ((more = json_member(o, &next, &key, &value)) == 1)
		(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "<%.*s=%.*s>", (int)key.n, key.p, (int)value.n, value.p);
	tap(t, more == 0 && strcmp(got, "<a=1><b={\"c\":[2]}><d\\n=null>") == 0, "members: %s", got);
	next = NULL;
	tap(t, json_each(text_value("[]"), &next, &value) == 0, "no elements");
	next = NULL;
	tap(t, json_member(text_value("{ }"), &next, &key, &value) == 0, "no members");
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		next = NULL;
		while ((more = json_each(text_value(broken[i]), &next, &value)) == 1)
			continue;
		refused &= more == -1;
	}
	next = NULL;
	tap(t, refused && json_each((struct json_value){ 0 }, &next, &value) == -1, "no arrays");
}

static void
test_utf8(struct tap *t)
{
	int right = 1;

	for (uint32_t c = 0; c < 0x120000; c++) {
		char s[4] = { (char)c };
		size_t n = 1;

		if (c >= 0x10000) {
			n = 4;
			s[0] = (char)(0xf0 | c >> 18);
			s[1] = (char)(0x80 | (c >> 12 & 0x3f));
		} else if (c >= 0x800) {
			n = 3;
			s[0] = (char)(0xe0 | c >> 12);
		} else if (c >= 0x80) {
			n = 2;
			s[0] = (char)(0xc0 | c >> 6);
		}
		if (n >= 3)
			s[n - 2] = (char)(0x80 | (c >> 6 & 0x3f));
		if (n >= 2)
			s[n - 1] = (char)(0x80 | (c & 0x3f));
		right &= utf8_valid(s, n) == (c < 0x110000 && (c < 0xd800 || c > 0xdfff));
		right &= n == 1 || !utf8_valid(s, n - 1);
	}
	tap(t, right, "every character, no surrogate, nothing above 10FFFF, nothing cut");
	tap(t, utf8_valid("", 0) && utf8_valid("12345678\xc3\xa9", 10) && !utf8_valid("12345678\x80", 9), "behind whole words");
	tap(t, !utf8_valid("\xc1\xbf", 2) && !utf8_valid("\xe0\x9f\xbf", 3) && !utf8_valid("\xf0\x8f\xbf\xbf", 4), "no overlong forms");
}

int
main(void)
{
	struct tap t = { 0 };

	test_lines(&t);
	test_special(&t);
	test_both_ways(&t);
	test_layouts(&t);
	test_many_layouts(&t);
	test_shapes(&t);
	test_numbers(&t);
	test_texts(&t);
	test_parts(&t);
	test_utf8(&t);
	return tap_end(&t);
}
