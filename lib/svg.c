#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "svg.h"

#define PUT_MAX 4096
#define MONTH (30 * CLOCK_DAY) /* of steps: calendar months are counted */
#define YEAR (365 * CLOCK_DAY)

/* ---- markup ---- */

void
svg_text(struct out *o, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '&')
			out_put(o, "&amp;", 5);
		else if (c == '<')
			out_put(o, "&lt;", 4);
		else if (c == '>')
			out_put(o, "&gt;", 4);
		else if (c == '"')
			out_put(o, "&quot;", 6);
		else if (c == '\'')
			out_put(o, "&#39;", 5);
		else
			out_put(o, c < ' ' || c == 127 ? " " : &s[i], 1);
	}
}

void
svg_put(struct out *o, const char *fmt, ...)
{
	char *to = out_room(o, PUT_MAX);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, PUT_MAX, fmt, ap);
	va_end(ap);
	if (n > 0)
		out_took(o, to + (n < PUT_MAX ? n : PUT_MAX - 1));
}

/* ---- axes ---- */

double
svg_at(const struct svg_axis *a, double value)
{
	double share;

	if (a->log)
		share = value <= a->lo ? 0 : num_log(value / a->lo) / num_log(a->hi / a->lo);
	else
		share = a->hi > a->lo ? (value - a->lo) / (a->hi - a->lo) : 0;
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	return a->from + share * (a->to - a->from);
}

/* The largest power of ten that is not above v > 0. */
static double
power_below(double v)
{
	double p = 1;

	while (p > v && p > 1e-300)
		p /= 10;
	while (p * 10 <= v)
		p *= 10;
	return p;
}

/* 1, 2, 5 or 10 times a power of ten, not below v. */
static double
round_up(double v)
{
	double p = v > 0 ? power_below(v) : 1;

	return v <= p ? p : v <= 2 * p ? 2 * p : v <= 5 * p ? 5 * p : 10 * p;
}

static double
round_down(double v)
{
	double p = power_below(v);

	return v >= 5 * p ? 5 * p : v >= 2 * p ? 2 * p : p;
}

static int
log_ticks(const struct svg_axis *a, int dense, double *tick)
{
	static const int step[] = { 1, 2, 5 };
	double p = power_below(a->lo);
	int n = 0;

	while (p <= a->hi * 1.0001) {
		for (int i = 0; i < (dense ? 3 : 1); i++)
			if (p * step[i] >= a->lo * 0.9999 && p * step[i] <= a->hi * 1.0001 && n < SVG_TICKS)
				tick[n++] = p * step[i];
		p *= 10;
	}
	return n;
}

int
svg_ticks(const struct svg_axis *a, int want, double tick[SVG_TICKS])
{
	double step = round_up((a->hi - a->lo) / want);
	int n = 0;

	if (a->log) {
		n = log_ticks(a, 1, tick);
		return n <= 2 * want ? n : log_ticks(a, 0, tick);
	}
	/* Counted, not added up, so that no error adds up. */
	for (int64_t i = (int64_t)(a->lo / step); (double)i * step <= a->hi + step / 1000 && n < SVG_TICKS; i++)
		if ((double)i * step >= a->lo - step / 1000)
			tick[n++] = (double)i * step;
	return n;
}

struct svg_axis
svg_from_zero(double top, double from, double to)
{
	double step = round_up(top > 0 ? top / 5 : 0.2), n = (double)(int64_t)(top / step);

	if (n * step < top || n < 1)
		n++;
	return (struct svg_axis){ .hi = n * step, .from = from, .to = to };
}

struct svg_axis
svg_around(double least, double most, double from, double to)
{
	double lo = round_down(least > 0 ? least : 1), hi = round_up(most > 0 ? most : 1);

	return (struct svg_axis){ .lo = lo, .hi = hi > lo ? hi : 10 * lo, .from = from, .to = to, .log = 1 };
}

/* ---- time ---- */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The first of the month, so many months later. */
static int64_t
month_after(int64_t us, int months)
{
	int year, month, mday;

	clock_civil(clock_day(us), &year, &month, &mday);
	months += year * 12 + month - 1;
	return clock_from_civil(months / 12, months % 12 + 1, 1) * CLOCK_DAY;
}

static int
month_ticks(int64_t lo, int64_t hi, int months, int64_t *tick)
{
	int year, month, mday, n = 0;
	int64_t at;

	clock_civil(clock_day(lo), &year, &month, &mday);
	at = clock_from_civil(year, 1, 1) * CLOCK_DAY;
	if (months > 12)
		at = clock_from_civil(year - year % (months / 12), 1, 1) * CLOCK_DAY;
	for (; at <= hi && n < SVG_TICKS; at = month_after(at, months))
		if (at >= lo)
			tick[n++] = at;
	return n;
}

int
svg_times(int64_t lo, int64_t hi, int want, int64_t tick[SVG_TICKS], int64_t *step)
{
	static const int64_t steps[] = { CLOCK_SECOND, 5 * CLOCK_SECOND, 15 * CLOCK_SECOND, CLOCK_MINUTE, 5 * CLOCK_MINUTE,
		15 * CLOCK_MINUTE, CLOCK_HOUR, 3 * CLOCK_HOUR, 6 * CLOCK_HOUR, 12 * CLOCK_HOUR, CLOCK_DAY, 2 * CLOCK_DAY, 7 * CLOCK_DAY,
		MONTH, 3 * MONTH, YEAR, 5 * YEAR, 20 * YEAR };
	size_t i = 0;
	int n = 0;
	int64_t monday = 4 * CLOCK_DAY; /* 1970-01-05 */

	while (i + 1 < sizeof(steps) / sizeof(*steps) && (hi - lo) / steps[i] > want)
		i++;
	*step = steps[i];
	if (*step >= YEAR)
		return month_ticks(lo, hi, (int)(12 * (*step / YEAR)), tick);
	if (*step >= MONTH)
		return month_ticks(lo, hi, (int)(*step / MONTH), tick);
	if (*step < 7 * CLOCK_DAY)
		monday = 0;
	for (int64_t at = floor_div(lo - monday + *step - 1, *step) * *step + monday; at <= hi && n < SVG_TICKS; at += *step)
		tick[n++] = at;
	return n;
}

static const char *
month_name(int month)
{
	static const char *const name[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	return name[month - 1];
}

void
svg_time(char label[SVG_LABEL], int64_t us, int64_t step)
{
	int64_t day = clock_day(us), s = us / CLOCK_SECOND - day * 86400;
	int year, month, mday;

	clock_civil(day, &year, &month, &mday);
	if (step >= YEAR)
		(void)snprintf(label, SVG_LABEL, "%d", year);
	else if (step >= MONTH)
		(void)snprintf(label, SVG_LABEL, "%s %d", month_name(month), year);
	else if (step >= CLOCK_DAY || s == 0)
		(void)snprintf(label, SVG_LABEL, "%d %s", mday, month_name(month));
	else if (step >= CLOCK_MINUTE)
		(void)snprintf(label, SVG_LABEL, "%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60));
	else
		(void)snprintf(label, SVG_LABEL, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

void
svg_moment(char label[SVG_LABEL], int64_t us)
{
	char text[CLOCK_LEN];

	clock_format(text, us);
	(void)snprintf(label, SVG_LABEL, "%.10s %.5s", text, text + 11);
}

/* ---- numbers ---- */

void
svg_whole(char label[SVG_LABEL], uint64_t value)
{
	char text[SVG_LABEL], *p = &text[SVG_LABEL - 1];
	int n = 0;

	*p = '\0';
	do {
		if (n > 0 && n % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + value % 10);
		n++;
	} while ((value /= 10) > 0);
	memcpy(label, p, strlen(p) + 1);
}

void
svg_number(char label[SVG_LABEL], double value)
{
	static const char *const unit[] = { "", " M", " G", " T", " P" };
	size_t i = 0;
	double v = value;
	char *p;

	if (v < 0)
		v = 0;
	if (v >= 1e6)
		for (i = 1, v /= 1e6; v >= 1000 && i < 4; i++)
			v /= 1000;
	if (v >= 1000) {
		svg_whole(label, (uint64_t)(v + 0.5));
		return;
	}
	(void)snprintf(label, SVG_LABEL, "%.*f", v >= 99.95 ? 0 : v >= 9.995 ? 1 : v >= 0.9995 ? 2 : v >= 0.00995 ? 3 : 6, v);
	p = label + strlen(label);
	if (strchr(label, '.') != NULL) {
		while (p[-1] == '0')
			*--p = '\0';
		if (p[-1] == '.')
			*--p = '\0';
	}
	memcpy(p, unit[i], strlen(unit[i]) + 1);
}
