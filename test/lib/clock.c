/* lib/clock: against the C library's calendar, and against every day there is; what must be refused. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "mix.h"
#include "tap.h"

#define YEAR_10000 INT64_C(253402300800) /* in seconds */

/* Parses a copy of exactly n bytes, so that a look past the end is seen by whoever watches the heap. */
static int
parse(const char *s, size_t n, int64_t *us)
{
	char *copy;
	int r;

	copy = malloc(n > 0 ? n : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, s, n);
	r = clock_parse(copy, n, us);
	free(copy);
	return r;
}

static void
test_days(struct tap *t)
{
	static const int length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t day;
	int y, m, d, year, month, mday, leap, good, week;

	good = 1;
	week = 1;
	day = 0;
	for (y = 1970; y <= 9999; y++) {
		leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
		for (m = 1; m <= 12; m++) {
			for (d = 1; d <= length[m - 1] + (m == 2 && leap); d++, day++) {
				clock_civil(day, &year, &month, &mday);
				good &= year == y && month == m && mday == d && clock_from_civil(y, m, d) == day;
				week &= clock_weekday(day) == (day + 3) % 7;
			}
		}
	}
	tap(t, good && day == 2932897, "every day from 1970 to 9999, there and back");
	good = 1;
	for (day = 0; day > -1000000; day--) {
		clock_civil(day, &year, &month, &mday);
		good &= clock_from_civil(year, month, mday) == day && month >= 1 && month <= 12 && mday >= 1 && mday <= 31;
		week &= (clock_weekday(day - 1) + 1) % 7 == clock_weekday(day);
	}
	clock_civil(-1, &year, &month, &mday);
	good &= year == 1969 && month == 12 && mday == 31;
	tap(t, good, "days before 1970, there and back");
	tap(t, week && clock_weekday(0) == 3 && clock_weekday(-3) == 0 && clock_weekday(-4) == 6, "days of the week");
	tap(t, clock_day(0) == 0 && clock_day(-1) == -1 && clock_day(CLOCK_DAY - 1) == 0 && clock_day(-CLOCK_DAY) == -1,
	    "clock_day rounds down");
}

static void
test_format(struct tap *t)
{
	char want[64], out[CLOCK_LEN + 1], text[CLOCK_LEN + 1];
	struct tm tm;
	time_t seconds;
	int64_t us, back, i;
	size_t n;
	int good, round, whole;

	good = 1;
	round = 1;
	whole = 1;
	out[CLOCK_LEN] = '!';
	for (i = 0; i < 500000; i++) {
		seconds = (time_t)(mix_at(1, (uint64_t)i) % (uint64_t)(i % 2 == 0 ? YEAR_10000 : 4102444800));
		us = (int64_t)(mix_at(2, (uint64_t)i) % 1000000);
		us = i % 8 == 0 ? 0 : i % 8 == 1 ? 999999 : us;
		gmtime_r(&seconds, &tm);
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		    tm.tm_hour, tm.tm_min, tm.tm_sec, (int)us);
		us += seconds * CLOCK_SECOND;
		clock_format(out, us);
		good &= memcmp(out, want, CLOCK_LEN) == 0 && out[CLOCK_LEN] == '!';
		round &= parse(out, CLOCK_LEN, &back) == 0 && back == us && timegm(&tm) == seconds;
		n = clock_text(text, us);
		whole &= n == (us % CLOCK_SECOND == 0 ? 20 : CLOCK_LEN) && strlen(text) == n && strncmp(text, want, 19) == 0 &&
		    parse(text, n, &back) == 0 && back == us;
	}
	tap(t, good, "clock_format writes what gmtime says, and no more bytes");
	tap(t, round, "clock_parse reads it back");
	tap(t, whole, "clock_text leaves a fraction of 0 out");
	clock_format(out, -1);
	good = memcmp(out, "1969-12-31T23:59:59.999999Z", CLOCK_LEN) == 0;
	clock_format(out, INT64_MIN);
	good &= memcmp(out, "0000-01-01T00:00:00.000000Z", CLOCK_LEN) == 0;
	clock_format(out, INT64_MAX);
	good &= memcmp(out, "9999-12-31T23:59:59.999999Z", CLOCK_LEN) == 0;
	tap(t, good, "times without a year of four digits are cut to the nearest with one");
}

static void
test_parse(struct tap *t)
{
	static const struct {
		const char *s;
		int64_t us;
	} good[] = {
		{ "1970-01-01", 0 },
		{ "2025-12-03", 1764720000 * CLOCK_SECOND },
		{ "2025-12-03T12:20:00Z", 1764764400 * CLOCK_SECOND },
		{ "2025-12-03t12:20:00z", 1764764400 * CLOCK_SECOND },
		{ "2025-12-03T12:20:00.5Z", 1764764400 * CLOCK_SECOND + 500000 },
		{ "2025-12-03T12:20:00.000001Z", 1764764400 * CLOCK_SECOND + 1 },
		{ "2025-12-03T12:20:00.1234569999999999999999999999999999Z", 1764764400 * CLOCK_SECOND + 123456 },
		{ "2025-12-03T12:20:00+00:00", 1764764400 * CLOCK_SECOND },
		{ "2025-12-03T12:20:00-00:00", 1764764400 * CLOCK_SECOND },
		{ "2025-12-03T12:20:00+05:30", 1764764400 * CLOCK_SECOND - 330 * CLOCK_MINUTE },
		{ "2025-12-03T12:20:00.25-23:59", 1764764400 * CLOCK_SECOND + 1439 * CLOCK_MINUTE + 250000 },
		{ "2024-02-29", 1709164800 * CLOCK_SECOND },
		{ "2000-02-29T00:00:00Z", 951782400 * CLOCK_SECOND },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "9999-12-31T23:59:59.999999Z", YEAR_10000 * CLOCK_SECOND - 1 },
	};
	static const char *const bad[] = { "", "2", "2025", "2025-12", "2025-12-0", "2025-1-1", "2025-01-1", "25-01-01", "2025-13-01",
		"2025-00-01", "2025-01-00", "2025-01-32", "2025-02-29", "2025-02-30", "2025-04-31", "2100-02-29", "1969-12-31",
		"10000-01-01", "0000-01-01", "2025/12/03", "20251203", "2025-12-03 ", " 2025-12-03", "2025-12-03Z", "2025-12-03T",
		"2025-12-03T12", "2025-12-03T12:20", "2025-12-03T12:20Z", "2025-12-03T12:20:00", "2025-12-03 12:20:00Z",
		"2025-12-03T24:00:00Z", "2025-12-03T12:60:00Z", "2025-12-03T12:20:60Z", "2016-12-31T23:59:60Z", "2025-12-03T12:20:00.Z",
		"2025-12-03T12:20:00,5Z", "2025-12-03T12:20:00.5", "2025-12-03T12:20:00ZZ", "2025-12-03T12:20:00Z ",
		"2025-12-03T12:20:00+5:30", "2025-12-03T12:20:00+0530", "2025-12-03T12:20:00+05", "2025-12-03T12:20:00+24:00",
		"2025-12-03T12:20:00+05:60", "2025-12-03T12:20:00+05:30Z", "2025-12-03T-1:20:00Z", "2025-12-03T12:20:-1Z",
		"2025-12-03T+1:20:00Z", "+025-12-03", "-025-12-03", "2025--1-03", "2025-12- 3", "1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:00-00:01", "now", "1764764400" };
	int64_t us;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		us = -1;
		tap(t, parse(good[i].s, strlen(good[i].s), &us) == 0 && us == good[i].us, "\"%s\" is read", good[i].s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		us = 7;
		tap(t, parse(bad[i], strlen(bad[i]), &us) == -1 && us == 7, "\"%s\" is refused", bad[i]);
	}
	tap(t, parse("2025-12-03\0", 11, &us) == -1 && parse("2025-12-03T12:20:00\0", 20, &us) == -1, "a NUL is refused");
	tap(t, parse("2025-12-03\n", 11, &us) == -1 && parse("2025-12-03T12:20:00Z\n", 21, &us) == -1, "a line feed is refused");
}

static int
two(const char *s)
{
	return (s[0] - '0') * 10 + s[1] - '0';
}

/* The full form again, the other way round: the shape first, then whether the C library finds the same date. */
static int
is_time(const char s[CLOCK_LEN], int64_t *us)
{
	static const char shape[] = "0000-00-00T00:00:00.000000Z";
	struct tm tm = { 0 }, want;
	time_t seconds;
	size_t i;

	for (i = 0; i < CLOCK_LEN; i++) {
		if (shape[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i] && !(s[i] >= 'a' && s[i] - 'a' + 'A' == shape[i]))
			return 0;
	}
	tm.tm_year = two(s) * 100 + two(s + 2) - 1900;
	tm.tm_mon = two(s + 5) - 1;
	tm.tm_mday = two(s + 8);
	tm.tm_hour = two(s + 11);
	tm.tm_min = two(s + 14);
	tm.tm_sec = two(s + 17);
	want = tm;
	seconds = timegm(&tm);
	*us = seconds * CLOCK_SECOND + two(s + 20) * 10000 + two(s + 22) * 100 + two(s + 24);
	return seconds >= 0 && tm.tm_mon == want.tm_mon && tm.tm_mday == want.tm_mday && tm.tm_hour == want.tm_hour &&
	    tm.tm_min == want.tm_min && tm.tm_sec == want.tm_sec;
}

/* Hostile bytes: every byte value at every place, then several places at once; every prefix. */
static void
test_hostile(struct tap *t)
{
	static const char alphabet[] = "0123456789012345678901234567890123456789-:.TZtz+ \n\0\377/";
	char s[CLOCK_LEN + 1];
	int64_t us, want;
	uint64_t w;
	size_t i, n;
	int c, j, good, taken;

	good = 1;
	for (i = 0; i < CLOCK_LEN; i++) {
		for (c = 0; c < 256; c++) {
			memcpy(s, "2024-02-29T12:20:00.123456Z", CLOCK_LEN);
			s[i] = (char)c;
			/* A fraction may also be shorter. */
			if (i >= 20 && i < 26 && (c == 'Z' || c == 'z' || c == '+' || c == '-'))
				continue;
			want = us = -1;
			if (is_time(s, &want))
				good &= parse(s, CLOCK_LEN, &us) == 0 && us == want;
			else
				good &= parse(s, CLOCK_LEN, &us) == -1 && us == -1;
		}
	}
	tap(t, good, "one byte changed: accepted only where it is still a time, and then that one");
	good = 1;
	taken = 0;
	for (w = 0; w < 2000000; w++) {
		clock_format(s, (int64_t)(mix_at(8, w) % (uint64_t)(YEAR_10000 * CLOCK_SECOND)));
		for (j = 0; j < 3; j++) {
			i = mix_at(mix_at(9, w), (uint64_t)j) % 20; /* the date and the time, and the point */
			s[i] = alphabet[mix_at(mix_at(10, w), (uint64_t)j) % (sizeof(alphabet) - 1)];
		}
		want = us = -1;
		if (is_time(s, &want)) {
			good &= clock_parse(s, CLOCK_LEN, &us) == 0 && us == want;
			taken++;
		} else
			good &= clock_parse(s, CLOCK_LEN, &us) == -1 && us == -1;
	}
	tap(t, good && taken > 10000 && taken < 1900000, "three bytes changed: the same (%d of 2000000 are times)", taken);
	good = 1;
	memcpy(s, "2024-02-29T12:20:00.123456Z", CLOCK_LEN);
	for (n = 0; n < CLOCK_LEN; n++)
		good &= parse(s, n, &us) == (n == 10 ? 0 : -1);
	tap(t, good, "of its beginnings only the date is read");
}

static void
test_duration(struct tap *t)
{
	static const struct {
		const char *s;
		int64_t us;
	} good[] = {
		{ "250ms", 250000 },
		{ "15s", 15 * CLOCK_SECOND },
		{ "5m", 5 * CLOCK_MINUTE },
		{ "1h", CLOCK_HOUR },
		{ "2d", 2 * CLOCK_DAY },
		{ "1w", 7 * CLOCK_DAY },
		{ "1.5h", 90 * CLOCK_MINUTE },
		{ "0.1s", 100000 },
		{ "0s", 0 },
		{ "0.000001s", 1 },
		{ "0.0000019s", 1 },
		{ "0.9999999999999999999999999w", 7 * CLOCK_DAY - 1 },
		{ "007s", 7 * CLOCK_SECOND },
		{ "1.001ms", 1001 },
		{ "9223372036853s", 9223372036853 * CLOCK_SECOND },
	};
	static const char *const bad[] = { "", "s", "5", "1.5", ".5s", "5.s", "1..5s", "1.5.5s", "-5s", "+5s", " 5s", "5s ", "5 s", "5S",
		"5sec", "5us", "5mss", "ms", "1h30m", "1e3s", "0x5s", "9223372036855s", "99999999999999999999999999s", "20000000w" };
	int64_t us;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		us = -1;
		tap(t, clock_duration(good[i].s, strlen(good[i].s), &us) == 0 && us == good[i].us, "duration \"%s\"", good[i].s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		us = 7;
		tap(t, clock_duration(bad[i], strlen(bad[i]), &us) == -1 && us == 7, "duration \"%s\" is refused", bad[i]);
	}
	tap(t, clock_interval("0.000001s", &us) == 0 && us == 1 && clock_interval("10000d", &us) == 0,
	    "the least and the most of an interval");
	tap(t, clock_interval("0s", &us) == -1 && clock_interval("10000.1d", &us) == -1 && clock_interval("", &us) == -1, "no intervals");
}

int
main(void)
{
	struct tap t = { 0 };

	test_days(&t);
	test_format(&t);
	test_parse(&t);
	test_hostile(&t);
	test_duration(&t);
	return tap_end(&t);
}
