/* The page around the pictures: style, the card of the data set, tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report_impl.h"

#define TOP_SERVICES 12

enum card { CARD_PROGRAM, CARD_VERSION, CARD_OPTIONS, CARD_RANGE, CARD_REQUESTS, CARD_SPANS, CARD_FILES, CARD_WORLD };

static const char *const style[] = { ":root{color-scheme:light dark;--bg:#fff;--fg:#1c2024;--dim:#60646c;--grid:#e3e5e9;--card:#f6f7f9;"
				     "--a:#2f6fb7;--b:#b45309;--c:#c62a2f;--cause:#e5484d;--other:#8e4ec6;--fix:#30a46c;--roll:#60646c}",
	"@media(prefers-color-scheme:dark){:root{--bg:#111315;--fg:#edeef0;--dim:#a0a6af;--grid:#2b2f34;--card:#191c1f;"
	"--a:#70b8ff;--b:#ffb454;--c:#ff7b7f;--cause:#e5484d;--other:#a67be0;--fix:#3dd68c;--roll:#a0a6af}}",
	"body{margin:0 auto;padding:24px 20px 60px;max-width:1000px;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}",
	"h1{font-size:25px;margin:0}h2{font-size:18px;margin:34px 0 8px}figure{margin:14px 0 0}svg{width:100%;height:auto;display:block}",
	"p{margin:6px 0}.dim{color:var(--dim)}code{font-size:13px;overflow-wrap:anywhere}",
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;background:var(--card);padding:14px 18px;border-radius:8px}",
	"dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}.wide{overflow-x:auto}",
	"table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid "
	"var(--grid);"
	"vertical-align:top}th{color:var(--dim);font-weight:500}.n{text-align:right;font-variant-numeric:tabular-nums}",
	"svg text{font:12px system-ui,sans-serif;fill:var(--dim)}svg .name{font-size:15px;font-weight:600;fill:var(--fg)}svg "
	".unit{font-size:12px;"
	"font-weight:400;fill:var(--dim)}svg .y{text-anchor:end}svg .x,svg .number{text-anchor:middle}svg .number{font-size:11px}",
	".grid{stroke:var(--grid)}.line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}.area{stroke:none;opacity:.18}",
	"path.a{stroke:var(--a)}path.area.a{fill:var(--a);stroke:none}path.c{stroke:var(--c)}path.area.c{fill:var(--c);stroke:none}",
	"path.q0{stroke:var(--a)}path.q1{stroke:var(--b)}path.q2{stroke:var(--c)}",
	"rect.cause{fill:var(--cause);opacity:.2}rect.other{fill:var(--other);opacity:.2}rect.fix{fill:var(--fix);opacity:.2}"
	"rect.rollout{fill:var(--roll)}",
	"rect.box{fill:var(--card);stroke:var(--grid)}.warn rect.box{stroke:var(--b)}.bad rect.box{stroke:var(--c)}svg "
	"text.box{fill:var(--fg)}svg .small{"
	"font-size:10px}",
	".call{fill:none;stroke:var(--dim);opacity:.4}.call.warn{stroke:var(--b);opacity:.6}.call.bad{stroke:var(--c);opacity:.7}",
	".legend{color:var(--dim);font-size:13px}.legend i{display:inline-block;width:14px;height:10px;margin:0 5px 0 14px}",
	".legend i.cause{background:var(--cause);opacity:.5}.legend i.other{background:var(--other);opacity:.5}.legend "
	"i.fix{background:var(--fix);"
	"opacity:.5}.legend i.rollout{background:var(--roll)}.legend i.well{background:var(--dim);opacity:.5}.legend "
	"i.warn{background:var(--b)}"
	".legend i.bad{background:var(--c)}",
	".bars{display:flex;padding-top:6px}.bar{height:10px;background:var(--c);min-width:1px}",
	".bar.passed{background:var(--b)}summary{cursor:pointer;color:var(--dim)}" };

static void
put_name(struct out *o, const char *s)
{
	svg_text(o, s, strlen(s));
}

/* A value of the summary: of a string its text, of anything else what stands there. */
static void
put_value(struct out *o, struct json_value v)
{
	char text[512];
	int n = json_text(v, text, sizeof(text));

	if (n >= 0)
		svg_text(o, text, (size_t)n);
	else
		svg_text(o, v.p, v.p == NULL ? 0 : v.n);
}

static void
put_term(struct out *o, const char *name)
{
	svg_put(o, "<dt>%s</dt><dd>", name);
}

static void
put_count(struct out *o, const char *name, uint64_t n)
{
	char label[SVG_LABEL];

	svg_whole(label, n);
	put_term(o, name);
	svg_put(o, "%s</dd>\n", label);
}

static void
put_span_of_time(struct out *o, int64_t from, int64_t to)
{
	char a[SVG_LABEL], b[SVG_LABEL];

	svg_moment(a, from);
	svg_moment(b, to);
	svg_put(o, "%s to %s UTC", a, b);
}

/* ---- the card ---- */

static void
put_options(struct out *o, struct json_value options)
{
	const char *next = NULL, *comma = "";
	struct json_value key, value;

	if (options.p == NULL || *options.p != '{')
		return;
	put_term(o, "Options");
	while (json_member(options, &next, &key, &value) == 1) {
		svg_put(o, "%s", comma);
		svg_text(o, key.p, key.n);
		svg_put(o, " ");
		put_value(o, value);
		comma = ", ";
	}
	svg_put(o, "</dd>\n");
}

static void
put_counts(const struct report *r, struct out *o)
{
	if (r->naggregates > 0) {
		put_count(o, "Spans", r->requests);
		put_count(o, "Spans that failed", r->failed);
		put_count(o, "Lines of aggregates", r->naggregates);
		return;
	}
	put_count(o, "Requests", r->nroots);
	put_count(o, "Requests that failed", r->failed);
	put_count(o, "Spans", r->nspans);
	put_count(o, "Spans that failed", r->nfailed);
	if (r->nmarks > 0)
		put_count(o, "Records of rollouts", r->nmarks);
}

static void
put_card(const struct report *r, struct out *o, const char *version)
{
	const struct world *w = r->w;
	char digest[24];

	svg_put(o, "<h2>The data set</h2>\n<dl>\n");
	put_term(o, "Catalog");
	put_name(o, w->cat.name);
	(void)snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)w->cat.digest);
	svg_put(o, " <span class=\"dim\">tables %s</span></dd>\n", digest);
	put_term(o, "Time");
	put_span_of_time(o, w->begin, w->end);
	svg_put(o, "</dd>\n");
	put_term(o, "Seed");
	svg_put(o, "%llu</dd>\n", (unsigned long long)w->seed);
	put_count(o, "People", w->users);
	put_count(o, "Requests asked for", w->requests);
	put_counts(r, o);
	put_count(o, "Incidents", (uint64_t)w->nincidents);
	put_count(o, "Rollouts", (uint64_t)w->nrollouts);
	put_options(o, r->card[CARD_OPTIONS]);
	put_term(o, "Version");
	if (r->card[CARD_VERSION].p != NULL)
		put_value(o, r->card[CARD_VERSION]);
	else
		put_name(o, version);
	svg_put(o, "</dd>\n</dl>\n");
}

/* The files of the summary, with their sums. */
static void
put_files(const struct report *r, struct out *o)
{
	static const char *const key[] = { "file", "lines", "bytes", "sha256" };
	struct json_reader *json;
	struct json_value file, v[4];
	const char *next = NULL, *e;

	if (r->card[CARD_FILES].p == NULL || *r->card[CARD_FILES].p != '[' || (json = json_reader(key, 4)) == NULL)
		return;
	svg_put(o,
	    "<h2>Files</h2>\n<div class=\"wide\"><table><thead><tr><th>File<th class=\"n\">Lines<th class=\"n\">Bytes<th>SHA-256</tr></thead>\n");
	while (json_each(r->card[CARD_FILES], &next, &file) == 1) {
		char label[SVG_LABEL];
		uint64_t n;

		if (json_read(json, file.p, file.n, v, &e) == -1)
			continue;
		svg_put(o, "<tr><td>");
		put_value(o, v[0]);
		for (int i = 1; i < 3; i++) {
			label[0] = '\0';
			if (json_u64(v[i], &n) == 0)
				svg_whole(label, n);
			svg_put(o, "<td class=\"n\">%s", label);
		}
		svg_put(o, "<td><code>");
		put_value(o, v[3]);
		svg_put(o, "</code></tr>\n");
	}
	svg_put(o, "</table></div>\n");
	json_reader_free(json);
}

/* ---- tables ---- */

static void
put_places(const struct report *r, struct out *o, const struct world_incident *x)
{
	if (x->nplaces == 0)
		svg_put(o, "everywhere");
	for (int i = 0; i < x->nplaces; i++) {
		if (i > 0)
			svg_put(o, "<br>");
		put_name(o, r->w->cat.place[x->place[i]].id);
	}
}

static void
put_incidents(const struct report *r, struct out *o)
{
	static const char *const role[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };
	char label[SVG_LABEL];
	int n = 0;

	svg_put(o, "<h2>Incidents</h2>\n");
	for (int i = 0; i < r->w->nincidents; i++) {
		const struct world_incident *x = &r->w->incident[i];

		if (x->end <= r->begin || x->start >= r->end)
			continue;
		if (n++ == 0)
			svg_put(o,
			    "<div class=\"wide\"><table><thead><tr><th class=\"n\">No.<th>Component<th>Role<th>From, to (UTC)<th>Where<th "
			    "class=\"n\">Failed spans that name it</tr></thead>\n");
		svg_put(o, "<tr><td class=\"n\">%d<td>", i + 1);
		put_name(o, x->component);
		svg_moment(label, x->start);
		svg_put(o, "<td>%s<td>%s<br>", role[x->role], label);
		svg_moment(label, x->end);
		svg_put(o, "%s<td>", label);
		put_places(r, o, x);
		svg_whole(label, r->caused[i]);
		svg_put(o, "<td class=\"n\">%s</tr>\n", r->naggregates > 0 || r->at[REPORT_CAUSE] < 0 ? "–" : label);
	}
	svg_put(o, n > 0 ? "</table></div>\n" : "<p>None in this time.</p>\n");
}

static int
by_failures(const void *x, const void *y)
{
	const struct service *a = *(const struct service *const *)x, *b = *(const struct service *const *)y;

	if (a->failed != b->failed)
		return a->failed < b->failed ? 1 : -1;
	return strcmp(a->name, b->name);
}

/* A bar as long as its share of the longest. */
static void
put_bar(struct out *o, const char *class, uint64_t n, uint64_t most)
{
	if (n > 0)
		svg_put(o, "<span class=\"bar %s\" style=\"width:%.1f%%\"></span>", class, 100 * (double)n / (double)most);
}

static int
put_services(const struct report *r, struct out *o)
{
	const struct service **list = calloc((size_t)r->nservices + 1, sizeof(*list));
	char spans[SVG_LABEL], failed[SVG_LABEL], share[SVG_LABEL];

	if (list == NULL)
		return -1;
	for (int i = 0; i < r->nservices; i++)
		list[i] = &r->service[i];
	qsort(list, (size_t)r->nservices, sizeof(*list), by_failures);
	svg_put(o, "<h2>Services that fail most</h2>\n");
	if (r->nservices == 0 || list[0]->failed == 0) {
		svg_put(o, "<p>None fails.</p>\n");
		free(list);
		return 0;
	}
	svg_put(o,
	    "<div class=\"wide\"><table><thead><tr><th>Service<th class=\"n\">Spans<th class=\"n\">Failed<th "
	    "class=\"n\">Share<th style=\"width:40%%\"></tr></thead>\n");
	for (int i = 0; i < r->nservices && i < TOP_SERVICES && list[i]->failed > 0; i++) {
		const struct service *s = list[i];

		svg_whole(spans, s->spans);
		svg_whole(failed, s->failed);
		report_share(share, s->failed, s->spans);
		svg_put(o, "<tr><td>");
		put_name(o, s->name);
		svg_put(o, "<td class=\"n\">%s<td class=\"n\">%s<td class=\"n\">%s<td><div class=\"bars\">", spans, failed, share);
		put_bar(o, "own", s->failed - s->passed, list[0]->failed);
		put_bar(o, "passed", s->passed, list[0]->failed);
		svg_put(o, "</div></tr>\n");
	}
	svg_put(o, "</table></div>\n");
	if (r->naggregates == 0)
		svg_put(o, "<p class=\"legend\"><i class=\"bad\"></i>failed there <i class=\"warn\"></i>failed because a callee had</p>\n");
	free(list);
	return 0;
}

/* What the charts draw, as numbers. */
static void
put_numbers(const struct report *r, struct out *o)
{
	char label[SVG_LABEL], requests[SVG_LABEL], failed[SVG_LABEL];
	const char *what = r->naggregates > 0 ? "Spans" : "Requests";

	svg_put(o,
	    "<details><summary>The numbers of the charts</summary><div class=\"wide\"><table id=\"numbers\"><thead><tr><th>From (UTC)<th "
	    "class=\"n\">%s<th class=\"n\">Failed<th class=\"n\">p50 ms<th class=\"n\">p95 ms<th class=\"n\">p99 ms</tr></thead>\n",
	    what);
	for (int i = 0; i < r->nbuckets; i++) {
		static const double q[] = { 0.5, 0.95, 0.99 };

		svg_moment(label, report_bucket_start(r, i));
		svg_whole(requests, r->bucket[i].requests);
		svg_whole(failed, r->bucket[i].failed);
		svg_put(o, "<tr><td>%s<td class=\"n\">%s<td class=\"n\">%s", label, requests, failed);
		for (int k = 0; k < 3; k++) {
			double v = report_quantile(r, &r->bucket[i], q[k]);

			if (v < 0)
				svg_put(o, "<td class=\"n\">–");
			else
				svg_put(o, "<td class=\"n\">%.3f", v);
		}
		svg_put(o, "</tr>\n");
	}
	svg_put(o, "</table></div></details>\n");
}

/* What the page does not show. */
static void
put_notes(const struct report *r, struct out *o)
{
	char label[SVG_LABEL];

	if (r->noutside > 0) {
		svg_whole(label, r->noutside);
		svg_put(o, "<p class=\"dim\">%s records lie outside of this time and are left out.</p>\n", label);
	}
	if (r->norphans > 0) {
		svg_whole(label, r->norphans);
		svg_put(o, "<p class=\"dim\">The callers of %s spans did not come before them; these calls are not drawn.</p>\n", label);
	}
	if (r->nunnamed > 0) {
		svg_whole(label, r->nunnamed);
		svg_put(o, "<p class=\"dim\">%s spans are of services beyond the first %d, and not told apart.</p>\n", label,
		    REPORT_SERVICES - 1);
	}
}

static void
put_head(const struct report *r, struct out *o)
{
	svg_put(o, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	svg_put(o, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	put_name(o, r->w->cat.name);
	svg_put(o, ", ");
	put_span_of_time(o, r->begin, r->end);
	svg_put(o, "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n");
	for (size_t i = 0; i < sizeof(style) / sizeof(*style); i++) {
		out_put(o, style[i], strlen(style[i]));
		out_put(o, "\n", 1);
	}
	svg_put(o, "</style>\n</head>\n<body>\n<h1>");
	put_name(o, r->w->cat.name);
	svg_put(o, "</h1>\n<p class=\"dim\">");
	put_span_of_time(o, r->begin, r->end);
	svg_put(o, "</p>\n");
}

int
report_put(struct report *r, struct out *o, const char *version)
{
	/* Services beyond the table are counted in its last place. */
	if (r->nunnamed > 0 && r->nservices == REPORT_SERVICES - 1) {
		if ((r->service[r->nservices].name = strdup("(others)")) == NULL)
			return -1;
		r->nservices++;
	}
	put_head(r, o);
	report_put_charts(r, o);
	put_numbers(r, o);
	put_incidents(r, o);
	if (put_services(r, o) == -1)
		return -1;
	svg_put(o, "<h2>Who calls whom</h2>\n");
	if (report_put_graph(r, o) == -1)
		return -1;
	put_card(r, o, version);
	put_files(r, o);
	put_notes(r, o);
	svg_put(o, "</body>\n</html>\n");
	return 0;
}
