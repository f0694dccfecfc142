#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "mix.h"

static const char *const names[PROMISES] = { "json", "keys", "types", "ids", "trees", "parents", "inside", "shared", "window", "order",
	"levels", "outcomes", "sources", "causes", "upstream", "travels", "releases", "rollouts", "names", "measurements", "metrics",
	"totals", "signals", "world", "dates", "references", "shipping", "incidents" };

void
check_fault(struct check *c, enum promise p, uint64_t line, const char *fmt, ...)
{
	struct account *a = &c->account[p];
	struct fault *f;
	va_list ap;

	if (a->broken++ >= CHECK_SHOWN)
		return;
	f = &a->shown[a->broken - 1];
	f->line = line;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	/* What was cut may end inside a character. */
	for (size_t n = strlen(f->text); n > 0 && !utf8_valid(f->text, n); n--)
		f->text[n - 1] = '\0';
	if (c->plan.told != NULL)
		c->plan.told(line, names[p], f->text, c->plan.arg);
}

void
check_applies(struct check *c, enum promise p, int applies, const char *why)
{
	c->account[p].applies = applies;
	c->account[p].why = applies ? NULL : why;
}

enum check_kind
check_guess(const char *line, size_t len)
{
	static const char *const keys[] = { "kind", "metric", "tags" };
	struct json_reader *r = json_reader(keys, 3);
	static const char *const kinds[] = { "world", "place", "service", "component", "deployment", "release", "rollout", "incident" };
	struct json_value v[3] = { { NULL, 0 } };
	enum check_kind kind = CHECK_SPANS;
	const char *e;

	if (r == NULL)
		return kind;
	if (json_read(r, line, len, v, &e) == 0) {
		if (v[1].p != NULL && v[2].p != NULL)
			kind = CHECK_SAMPLES;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (v[0].p != NULL && json_equals(v[0], kinds[i]))
				kind = CHECK_WORLD;
	}
	json_reader_free(r);
	return kind;
}

int
check_layout(const struct catalog *c, const char *line, size_t len)
{
	int best = -1, most = 0;

	for (int i = 0; i < c->nlayouts; i++) {
		const struct catalog_layout *l = &c->layout[i];
		struct json_value whole = { line, len }, key, v;
		const char *next = NULL;
		int same = 0, n = 0;

		if (l->record != RECORD_SPAN && l->record != RECORD_EVENT)
			continue;
		while (json_member(whole, &next, &key, &v) == 1) {
			for (int k = 0; k < l->n; k++)
				if (strlen(l->field[k].name) == key.n && memcmp(l->field[k].name, key.p, key.n) == 0) {
					same++;
					break;
				}
			n++;
		}
		/* Of two that have as many keys of it, the one without others. */
		for (int k = 0; k < l->n; k++)
			n -= k == 0 || strcmp(l->field[k].name, l->field[k - 1].name) != 0;
		if (same * 4 - abs(n) > most) {
			most = same * 4 - abs(n);
			best = i;
		}
	}
	return best;
}

struct check *
check_open(const struct check_plan *plan, char *err, size_t errsize)
{
	struct check *c = calloc(1, sizeof(*c));

	(void)snprintf(err, errsize, "%s", strerror(ENOMEM));
	if (c == NULL)
		return NULL;
	c->plan = *plan;
	c->cat = plan->cat;
	c->world = plan->world;
	c->last = INT64_MIN;
	if (plan->kind == CHECK_WORLD)
		return c;
	if (names_open(c) == -1)
		goto fail;
	if (plan->kind == CHECK_SAMPLES ? sample_open(c) == -1
					: shape_open(c, err, errsize) == -1 || ids_open(c) == -1 || real_open(c) == -1)
		goto fail;
	return c;
fail:
	check_free(c);
	return NULL;
}

void
check_free(struct check *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < c->nfields; i++)
		free(c->field[i].name);
	free(c->field);
	for (int i = 0; i < MEASURES; i++)
		free(c->band[i].source);
	json_reader_free(c->json);
	names_free(c);
	tags_free(c);
	ids_free(c);
	real_free(c);
	signals_free(c);
	free(c->tree);
	free(c);
}

void
check_line(struct check *c, uint64_t number, const char *line, size_t len)
{
	c->records++;
	c->line = number;
	check_count(c, P_JSON);
	if (c->plan.kind == CHECK_SAMPLES) {
		sample_check(c, line, len);
		return;
	}
	real_line(c, line, len);
	signals_line(c, line, len);
	if (shape_read(c, line, len) == 0)
		span_check(c);
	else
		c->torn = c->torn_next = 1;
}

void
check_long(struct check *c, uint64_t number)
{
	c->records++;
	check_count(c, P_JSON);
	check_fault(c, P_JSON, number, "longer than %d bytes", OUT_LINE_MAX);
}

/* ---- the verdict ---- */

void
check_put_text(struct out *o, const char *text)
{
	size_t n = strlen(text);

	out_took(o, json_quote(out_room(o, JSON_QUOTED(n)), text, n));
}

void
check_put(struct out *o, const char *fmt, ...)
{
	char *to = out_room(o, CHECK_TEXT);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, CHECK_TEXT, fmt, ap);
	va_end(ap);
	out_took(o, to + (n < CHECK_TEXT ? n : CHECK_TEXT - 1));
}

static void
put_account(struct out *o, const char *name, const struct account *a)
{
	check_put(o, "{\"name\":\"%s\",\"ok\":%s,\"counted\":%llu,\"broken\":%llu", name, a->broken == 0 ? "true" : "false",
	    (unsigned long long)a->counted, (unsigned long long)a->broken);
	if (!a->applies && a->broken == 0 && a->why != NULL) {
		check_put(o, ",\"unknown\":");
		check_put_text(o, a->why);
	}
	for (uint64_t i = 0; i < a->broken && i < CHECK_SHOWN; i++) {
		check_put(o, "%s{", i == 0 ? ",\"first\":[" : ",");
		if (a->shown[i].line > 0)
			check_put(o, "\"line\":%llu,", (unsigned long long)a->shown[i].line);
		check_put(o, "\"what\":");
		check_put_text(o, a->shown[i].text);
		check_put(o, "}");
	}
	check_put(o, a->broken > 0 ? "]}" : "}");
}

static void
put_figures(const struct check *c, struct out *o)
{
	static const char *const by[] = { NULL, "self", "infrastructure", "deployment", "dependency" };

	check_put(o, "],\"figures\":{\"records\":%llu", (unsigned long long)c->records);
	if (c->plan.kind == CHECK_SPANS) {
		check_put(o, ",\"trees\":%llu,\"rollout_records\":%llu,\"failed\":%llu", (unsigned long long)c->ntrees,
		    (unsigned long long)c->nmarks, (unsigned long long)c->nfailed);
		for (int i = BY_SELF; i <= BY_CALLEE; i++)
			check_put(o, ",\"%s\":%llu", by[i], (unsigned long long)c->by[i]);
	}
	check_put(o, "}");
}

/* What holds only as far as memory went, or by fingerprints. */
static void
put_limits(const struct check *c, struct out *o)
{
	int n = 0;

	check_put(o, ",\"approximated\":[");
	if (c->ids.full) {
		check_put_text(o, "ids: only so many were remembered as fit into 1 GiB; a later one that is met twice is not found");
		n++;
	}
	if (c->ids.n > 0) {
		check_put(o, n++ > 0 ? "," : "");
		check_put_text(o, "ids: compared by 64-bit fingerprints; two that differ are taken for equal but once in 2^64");
	}
	if (c->real.bytes > c->real.raw && c->real.raw > 0) {
		check_put(o, n > 0 ? "," : "");
		check_put_text(o, "compression: measured on samples of the input, a MiB of every 16");
	}
	check_put(o, "]");
}

static void
put_head(const struct check *c, struct out *o, int broken)
{
	static const char *const kinds[] = { [CHECK_SPANS] = "spans", [CHECK_SAMPLES] = "samples", [CHECK_WORLD] = "world" };
	const char *kind = kinds[c->plan.kind];

	if (c->plan.kind == CHECK_SPANS && c->children == 0)
		kind = "events";
	check_put(o, "{\"ok\":%s,\"kind\":\"%s\"", broken ? "false" : "true", kind);
	if (c->cat != NULL) {
		check_put(o, ",\"catalog\":");
		check_put_text(o, c->cat->name);
	}
	if (c->plan.kind == CHECK_SPANS && c->cat != NULL) {
		check_put(o, ",\"layout\":");
		check_put_text(o, c->cat->layout[c->plan.layout].name);
	}
	check_put(o, ",\"checks\":[");
}

/* Roots alone are events, whose calls are elsewhere; a single root among trees has lost its own. */
static void
end_trees(struct check *c)
{
	static const enum promise of_trees[] = { P_PARENTS, P_INSIDE, P_SHARED, P_UPSTREAM, P_TRAVELS };

	tree_end(c);
	rollouts_end(c);
	for (size_t i = 0; i < sizeof(of_trees) / sizeof(*of_trees) && c->children == 0; i++)
		check_applies(c, of_trees[i], 0, "events have no calls");
	if (c->children > 0 && c->single > 0)
		check_fault(
		    c, P_UPSTREAM, c->lonely, "%llu trees without the call that is blamed, the first here", (unsigned long long)c->single);
}

int
check_verdict(struct check *c, struct out *o)
{
	struct out measures = { 0 };
	int broken = 0, n = 0;

	if (c->plan.kind == CHECK_SPANS)
		end_trees(c);
	/* Its text is needed first when a measure may break the verdict. */
	if (out_open(&measures, -1, OUT_LINE_MAX) == -1)
		return -1;
	if (c->plan.kind == CHECK_SPANS)
		real_put(c, &measures, &broken);
	broken = broken && c->plan.strict;
	for (int i = 0; i < PROMISES; i++)
		broken |= c->account[i].broken > 0;
	put_head(c, o, broken);
	for (int i = 0; i < PROMISES; i++)
		if (c->account[i].applies || c->account[i].why != NULL || c->account[i].broken > 0) {
			if (n++ > 0)
				check_put(o, ",");
			put_account(o, names[i], &c->account[i]);
		}
	put_figures(c, o);
	if (measures.len > 0)
		out_put(o, measures.buf, measures.len);
	measures.len = 0;
	(void)out_close(&measures);
	put_limits(c, o);
	check_put(o, "}\n");
	if (c->failed != 0) {
		errno = c->failed;
		return -1;
	}
	return broken;
}
