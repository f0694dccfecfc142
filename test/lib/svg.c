/* lib/svg: text is nothing but text; ticks are round, inside and about as many as wanted; times begin where people count from. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "out.h"
#include "svg.h"
#include "tap.h"

#define ROUNDS 20000

static uint64_t draws;

/* In [0, 1). */
static double
chance(void)
{
	return (double)(mix_at(7, draws++) >> 11) * 0x1p-53;
}

static void
test_text(struct tap *t)
{
	static const char bad[] = "a<b>&\"'\n\x01\x7f\xc3\xa9", want[] = "a&lt;b&gt;&amp;&quot;&#39;   \xc3\xa9";
	struct out o;

	if (out_open(&o, -1, 1 << 16) == -1)
		abort();
	svg_text(&o, bad, sizeof(bad) - 1);
	tap(t, o.len == sizeof(want) - 1 && memcmp(o.buf, want, o.len) == 0, "text is escaped, control characters are blank");
	o.len = 0;
	svg_put(&o, "%d %s", 7, "x");
	tap(t, o.len == 3 && memcmp(o.buf, "7 x", 3) == 0, "markup is formatted");
	free(o.buf);
}

/* Is v a multiple of 1, 2 or 5 times a power of ten that is near `step`? */
static int
is_round(double v, double step)
{
	double p = 1e-9;

	while (p * 9.99 < step)
		p *= 10;
	v = v / p + 1e-6;
	return v - (double)(int64_t)v < 2e-6 * (1 + v);
}

static void
test_ticks(struct tap *t)
{
	int few = 0, outside = 0, odd = 0, low = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double top = chance() * chance() * (i % 2 ? 1e6 : 1), tick[SVG_TICKS];
		struct svg_axis a = svg_from_zero(top, 100, 0);
		int n = svg_ticks(&a, 5, tick);

		few += n < 4 || n > 8;
		low += a.hi < top || (top > 0 && a.hi > 2.001 * top);
		for (int k = 0; k < n; k++) {
			outside += tick[k] < a.lo || tick[k] > a.hi * 1.001;
			odd += !is_round(tick[k], tick[1]);
		}
		outside += tick[0] > 0 || tick[n - 1] < a.hi * 0.999;
	}
	tap(t, few == 0, "4 to 8 ticks from zero");
	tap(t, outside == 0, "that begin and end with the axis");
	tap(t, odd == 0, "round ones");
	tap(t, low == 0, "and an axis that holds the top, and not much more");
}

static void
test_log(struct tap *t)
{
	int bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double least = 1e-3 + chance() * chance() * 1e4, most = least * (1 + chance() * 1e5), tick[SVG_TICKS];
		struct svg_axis a = svg_around(least, most, 100, 0);
		int n = svg_ticks(&a, 5, tick);

		bad += a.lo > least || a.hi < most || n < 1 || n > 12;
		bad += svg_at(&a, least) > 100 || svg_at(&a, most) < 0 || svg_at(&a, least) < svg_at(&a, most);
	}
	tap(t, bad == 0, "a logarithmic axis holds both ends, with few ticks");
}

static void
test_times(struct tap *t)
{
	int64_t begin = clock_from_civil(2024, 2, 27) * CLOCK_DAY + 12345678, tick[SVG_TICKS], step, last;
	char label[SVG_LABEL];
	int bad = 0, n;

	for (int64_t length = 10 * CLOCK_SECOND; length < 99LL * 365 * CLOCK_DAY; length += length / 7) {
		n = svg_times(begin, begin + length, 10, tick, &step);
		bad += n < 1 || n > 13;
		last = begin - 1;
		for (int i = 0; i < n; i++) {
			bad += tick[i] <= last || tick[i] > begin + length || tick[i] % CLOCK_SECOND != 0;
			bad += step >= CLOCK_DAY && tick[i] % CLOCK_DAY != 0;
			bad += step == 7 * CLOCK_DAY && clock_weekday(clock_day(tick[i])) != 0;
			last = tick[i];
		}
	}
	tap(t, bad == 0, "1 to 13 moments in order, on whole seconds, days, Mondays");
	n = svg_times(begin, begin + 100 * CLOCK_DAY, 4, tick, &step);
	svg_time(label, tick[0], step);
	tap(t, n == 4 && strcmp(label, "Mar 2024") == 0, "months begin on their first");
	n = svg_times(begin, begin + 20LL * 365 * CLOCK_DAY, 4, tick, &step);
	svg_time(label, tick[0], step);
	tap(t, n == 4 && strcmp(label, "2025") == 0, "so do years");
	svg_time(label, begin, CLOCK_HOUR);
	tap(t, strcmp(label, "00:00") == 0, "a time of day");
	svg_time(label, begin - 12345678, CLOCK_HOUR);
	tap(t, strcmp(label, "27 Feb") == 0, "midnight says the day");
	svg_time(label, begin, CLOCK_SECOND);
	tap(t, strcmp(label, "00:00:12") == 0, "seconds");
	svg_moment(label, begin);
	tap(t, strcmp(label, "2024-02-27 00:00") == 0, "a moment");
}

static void
test_numbers(struct tap *t)
{
	static const struct {
		double v;
		const char *want;
	} number[] = { { 0, "0" }, { 0.25, "0.25" }, { 0.004, "0.004" }, { 0.0000004, "0" }, { 1, "1" }, { 9.999, "10" }, { 12.34, "12.3" },
		{ 99.96, "100" }, { 999.4, "999" }, { 1234.4, "1,234" }, { 999999, "999,999" }, { 1e6, "1 M" }, { 12345678, "12.3 M" },
		{ 5e9, "5 G" }, { 2e16, "20 P" }, { -3, "0" } };
	char label[SVG_LABEL];

	for (size_t i = 0; i < sizeof(number) / sizeof(*number); i++) {
		svg_number(label, number[i].v);
		tap(t, strcmp(label, number[i].want) == 0, "number %s: %s", number[i].want, label);
	}
	svg_whole(label, UINT64_MAX);
	tap(t, strcmp(label, "18,446,744,073,709,551,615") == 0, "the largest whole number");
	svg_whole(label, 0);
	tap(t, strcmp(label, "0") == 0, "and the smallest");
}

int
main(void)
{
	struct tap t = { 0, 0 };

	test_text(&t);
	test_ticks(&t);
	test_log(&t);
	test_times(&t);
	test_numbers(&t);
	return tap_end(&t);
}
