/* vl: times, retention, and the form of a record. What is refused stands in test/og-vlpush.bats. */
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

static void
test_form(struct tap *t)
{
	static const char line[] =
	    " {\"a\": 1 ,\"t\":1,\"s\":true,\"m\":[\"x\"],\"o\":{\"p\":{},\"q\":{\"r\\\"\":\"\\n\"}},\"l\":[ {\"z\":\"\\\"\"} ],\"n\":null,\"f\":false}\r";
	static const char want[] =
	    "[\"1000000000\",\"[\\\"x\\\"]\",{\"a\":\"1\",\"o.q.r\\\"\":\"\\n\",\"l\":\"[ {\\\"z\\\":\\\"\\\\\\\"\\\"} ]\",\"f\":\"false\"}]";
	char streams[] = "s,u";
	const char *why;
	struct buf form = { 0 };
	struct vl v;

	if (!tap(t, vl_open(&v, VL_LOKI, "t", "m", streams, &why) == 0, "opened"))
		return;
	tap(t, vl_record(&v, line, sizeof(line) - 1, &form) == 0, "a record");
	tap(t, form.n == sizeof(want) - 1 && memcmp(form.p, want, form.n) == 0, "%.*s", (int)form.n, form.p);
	tap(t, v.key.n == 10 && memcmp(v.key.p, "\"s\":\"true\"", 10) == 0, "%.*s", (int)v.key.n, v.key.p);
	vl_close(&v);
	buf_free(&form);
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
	return tap_end(&t);
}
