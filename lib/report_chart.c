/* Traffic, errors and latency over time, with what went wrong behind them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report_impl.h"

#define LEFT 66
#define RIGHT 18
#define TOP 34
#define HEIGHT 180
#define BELOW 44 /* labels of time, and the lane of rollouts */
#define LANE 6
#define NUMBER_GAP 15 /* units that the number of an incident takes */
#define QUANTILES 3

/* One picture. */
struct chart {
	const struct report *r;
	struct out *o;
	const char *id, *title, *unit;
	struct svg_axis x, y;
};

static const struct quantile {
	double q;
	const char *name;
} quantiles[QUANTILES] = { { 0.5, "p50" }, { 0.95, "p95" }, { 0.99, "p99" } };

static double
x_of(const struct chart *c, int64_t us)
{
	return svg_at(&c->x, (double)(us - c->r->begin));
}

static double
middle_of(const struct chart *c, int i)
{
	return x_of(c, report_bucket_start(c->r, i) / 2 + report_bucket_end(c->r, i) / 2);
}

/* ---- behind the lines ---- */

static const char *
role_class(enum catalog_role role)
{
	return role == ROLE_CAUSE ? "cause" : role == ROLE_FIX ? "fix" : "other";
}

static void
put_incident(const struct chart *c, const struct world_incident *w, int number, double *free_from)
{
	double from = x_of(c, w->start), to = x_of(c, w->end), wide = to - from < 1.5 ? 1.5 : to - from, at = from + wide / 2;

	svg_put(c->o, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%d: ", role_class(w->role), from, TOP,
	    wide, HEIGHT, number);
	svg_text(c->o, w->component, strlen(w->component));
	svg_put(c->o, "</title></rect>\n");
	if (at < *free_from)
		return;
	svg_put(c->o, "<text class=\"number\" x=\"%.1f\" y=\"%d\">%d</text>\n", at, TOP - 5, number);
	*free_from = at + NUMBER_GAP;
}

static void
put_incidents(const struct chart *c)
{
	const struct world *w = c->r->w;
	double free_from = 0;

	for (int i = 0; i < w->nincidents; i++)
		if (w->incident[i].end > c->r->begin && w->incident[i].start < c->r->end)
			put_incident(c, &w->incident[i], i + 1, &free_from);
}

/* How many rollouts run in each interval; the darker, the more. */
static void
put_rollouts(const struct chart *c)
{
	const struct report *r = c->r;
	int *n = calloc((size_t)r->nbuckets, sizeof(*n)), most = 1;

	for (int i = 0; n != NULL && i < r->w->nrollouts; i++) {
		const struct world_rollout *x = &r->w->rollout[i];

		for (int64_t at = x->start > r->begin ? x->start : r->begin; at < x->end && at < r->end;
		     at = (at / r->interval + 1) * r->interval)
			n[at / r->interval - r->begin / r->interval]++;
	}
	for (int i = 0; n != NULL && i < r->nbuckets; i++)
		most = n[i] > most ? n[i] : most;
	for (int i = 0; n != NULL && i < r->nbuckets; i++) {
		double from = x_of(c, report_bucket_start(r, i));

		if (n[i] > 0)
			svg_put(c->o, "<rect class=\"rollout\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" opacity=\"%.2f\"/>\n", from,
			    TOP + HEIGHT + 2, x_of(c, report_bucket_end(r, i)) - from, LANE, 0.25 + 0.75 * n[i] / most);
	}
	free(n);
}

static void
put_axes(const struct chart *c, const char *suffix)
{
	double tick[SVG_TICKS];
	int64_t moment[SVG_TICKS], step;
	char label[SVG_LABEL];
	int n = svg_ticks(&c->y, 5, tick);

	for (int i = 0; i < n; i++) {
		svg_number(label, tick[i]);
		svg_put(c->o, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, REPORT_WIDTH - RIGHT,
		    svg_at(&c->y, tick[i]), svg_at(&c->y, tick[i]));
		svg_put(c->o, "<text class=\"y\" x=\"%d\" y=\"%.1f\">%s%s</text>\n", LEFT - 7, svg_at(&c->y, tick[i]) + 4, label, suffix);
	}
	n = svg_times(c->r->begin, c->r->end, 12, moment, &step);
	for (int i = 0; i < n; i++) {
		double x = x_of(c, moment[i]);

		svg_time(label, moment[i], step);
		svg_put(c->o, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP, TOP + HEIGHT);
		if (x < REPORT_WIDTH - 40)
			svg_put(c->o, "<text class=\"x\" x=\"%.1f\" y=\"%d\">%s</text>\n", x, TOP + HEIGHT + LANE + 18, label);
	}
}

static void
open_chart(struct chart *c, const char *suffix)
{
	c->x = (struct svg_axis){ .hi = (double)(c->r->end - c->r->begin), .from = LEFT, .to = REPORT_WIDTH - RIGHT };
	svg_put(c->o, "<figure><svg role=\"img\" aria-labelledby=\"%s-t %s-d\" viewBox=\"0 0 %d %d\">\n", c->id, c->id, REPORT_WIDTH,
	    TOP + HEIGHT + BELOW);
	svg_put(c->o, "<title id=\"%s-t\">%s</title>\n", c->id, c->title);
	svg_put(c->o,
	    "<desc id=\"%s-d\">%s over time, in %s; incidents are shaded and numbered, rollouts stand in the lane below.</desc>\n", c->id,
	    c->title, c->unit);
	svg_put(c->o, "<text class=\"name\" x=\"0\" y=\"14\">%s <tspan class=\"unit\">%s</tspan></text>\n", c->title, c->unit);
	put_incidents(c);
	put_axes(c, suffix);
	put_rollouts(c);
}

static void
close_chart(const struct chart *c)
{
	svg_put(c->o, "</svg></figure>\n");
}

/* ---- the lines ---- */

/* Through the middles of intervals; one that has no value, below 0, leaves a gap. */
static void
put_line(const struct chart *c, const char *class, const double *value)
{
	int drawn = 0;

	svg_put(c->o, "<path class=\"line %s\" d=\"", class);
	for (int i = 0; i < c->r->nbuckets; i++) {
		if (value[i] < 0) {
			drawn = 0;
			continue;
		}
		svg_put(c->o, "%c%.1f %.1f", drawn ? 'L' : 'M', middle_of(c, i), svg_at(&c->y, value[i]));
		/* One alone is a dot. */
		if (!drawn && (i + 1 == c->r->nbuckets || value[i + 1] < 0))
			svg_put(c->o, "h.1");
		drawn = 1;
	}
	svg_put(c->o, "\"/>\n");
}

static void
put_area(const struct chart *c, const char *class, const double *value)
{
	double base = svg_at(&c->y, 0);

	svg_put(c->o, "<path class=\"area %s\" d=\"M%.1f %.1f", class, middle_of(c, 0), base);
	for (int i = 0; i < c->r->nbuckets; i++)
		svg_put(c->o, "L%.1f %.1f", middle_of(c, i), svg_at(&c->y, value[i] < 0 ? 0 : value[i]));
	svg_put(c->o, "L%.1f %.1fZ\"/>\n", middle_of(c, c->r->nbuckets - 1), base);
	put_line(c, class, value);
}

static double
largest(const double *value, int n)
{
	double most = 0;

	for (int i = 0; i < n; i++)
		most = value[i] > most ? value[i] : most;
	return most;
}

/*
 * By second, minute, hour or day: the first by which there are two at least, but none longer than an interval, by which a single one would
 * seem many. Where there are fewer, by interval.
 *   top      the most in a second
 *   return   seconds, and the name
 */
static double
unit_of(const struct report *r, double top, char *name, size_t size)
{
	static const struct {
		long long seconds;
		const char *name;
	} per[] = { { 1, "second" }, { 60, "minute" }, { 3600, "hour" }, { 86400, "day" } };
	long long interval = r->interval / CLOCK_SECOND;
	int p = 0;

	while (p < 3 && top * (double)per[p].seconds < 2 && per[p + 1].seconds <= interval)
		p++;
	if (top * (double)per[p].seconds >= 1) {
		(void)strlcpy(name, per[p].name, size);
		return (double)per[p].seconds;
	}
	for (p = 3; interval % per[p].seconds != 0; p--)
		;
	if (interval == per[p].seconds)
		(void)strlcpy(name, per[p].name, size);
	else
		(void)snprintf(name, size, "%lld %ss", interval / per[p].seconds, per[p].name);
	return (double)interval;
}

static void
put_traffic(struct chart *c, double *value)
{
	const struct report *r = c->r;
	char name[32], unit[64];
	double seconds;

	for (int i = 0; i < r->nbuckets; i++)
		value[i] = (double)r->bucket[i].requests / ((double)(report_bucket_end(r, i) - report_bucket_start(r, i)) / CLOCK_SECOND);
	seconds = unit_of(r, largest(value, r->nbuckets), name, sizeof(name));
	for (int i = 0; i < r->nbuckets; i++)
		value[i] *= seconds;
	(void)snprintf(unit, sizeof(unit), "%s per %s", r->naggregates > 0 ? "spans" : "requests", name);
	c->id = "traffic";
	c->title = "Traffic";
	c->unit = unit;
	c->y = svg_from_zero(largest(value, r->nbuckets), TOP + HEIGHT, TOP);
	open_chart(c, "");
	put_area(c, "a", value);
	close_chart(c);
	c->unit = NULL;
}

static void
put_errors(struct chart *c, double *value)
{
	const struct report *r = c->r;

	for (int i = 0; i < r->nbuckets; i++)
		value[i] = r->bucket[i].requests == 0 ? -1 : 100 * (double)r->bucket[i].failed / (double)r->bucket[i].requests;
	c->id = "errors";
	c->title = "Errors";
	c->unit = r->naggregates > 0 ? "share of spans that failed" : "share of requests that failed";
	c->y = svg_from_zero(largest(value, r->nbuckets), TOP + HEIGHT, TOP);
	open_chart(c, " %");
	put_area(c, "c", value);
	close_chart(c);
}

static void
put_latency(struct chart *c, double *value)
{
	const struct report *r = c->r;
	double least = -1, most = 0;

	for (int k = 0; k < QUANTILES; k++)
		for (int i = 0; i < r->nbuckets; i++) {
			double v = value[k * r->nbuckets + i] = report_quantile(r, &r->bucket[i], quantiles[k].q);

			most = v > most ? v : most;
			least = v > 0 && (least < 0 || v < least) ? v : least;
		}
	if (most <= 0)
		return;
	c->id = "latency";
	c->title = "Latency";
	c->unit = r->naggregates > 0 ? "ms, of spans, from the buckets of a histogram; logarithmic" : "ms, of requests; logarithmic";
	c->y = svg_around(least, most, TOP + HEIGHT, TOP);
	open_chart(c, "");
	for (int k = 0; k < QUANTILES; k++) {
		char class[] = { 'q', (char)('0' + k), '\0' };
		int x = REPORT_WIDTH - RIGHT - 60 * (QUANTILES - k);

		put_line(c, class, value + k * r->nbuckets);
		svg_put(c->o, "<path class=\"line %s\" d=\"M%d 10h18\"/><text class=\"key\" x=\"%d\" y=\"14\">%s</text>\n", class, x,
		    x + 23, quantiles[k].name);
	}
	close_chart(c);
}

void
report_put_charts(const struct report *r, struct out *o)
{
	double *value = calloc((size_t)r->nbuckets * QUANTILES, sizeof(*value));
	struct chart c = { .r = r, .o = o };

	if (value == NULL) {
		o->err = ENOMEM;
		return;
	}
	put_traffic(&c, value);
	put_errors(&c, value);
	put_latency(&c, value);
	svg_put(o,
	    "<p class=\"legend\"><i class=\"cause\"></i>incident, numbered as below <i class=\"other\"></i>confounder "
	    "<i class=\"fix\"></i>fix <i class=\"rollout\"></i>rollouts, the stronger the more</p>\n");
	free(value);
}
