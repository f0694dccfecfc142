/*
 * lib/render: what a line says is what the simulation has, read back by another way; CSV and TSV say the same as JSON; no line is longer
 * than was said; trace ids lead back to their request.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "out.h"
#include "rec.h"
#include "render_impl.h"
#include "sim.h"
#include "tap.h"
#include "world.h"

#define REQUESTS 20000
#define FIELDS_MAX 64

static void
make_world(struct world *w, const char *catalog, uint64_t seed)
{
	char path[] = "/tmp/og-render.XXXXXX", text[1024];
	struct world v = { .seed = seed, .users = 300, .requests = REQUESTS, .depth = 9 };
	struct out out;
	struct rec in;
	int fd = mkstemp(path);

	if (fd == -1 || catalog_load(&v.cat, catalog, text, sizeof(text), NULL, NULL) == -1)
		errx(1, "%s", text);
	v.begin = v.cat.set.begin;
	v.end = v.until = v.begin + 7 * CLOCK_DAY;
	if (out_open(&out, dup(fd), 0) == -1 || world_make(&v, &out, text, sizeof(text)) == -1 || out_close(&out) == -1)
		errx(1, "%s", text);
	if (lseek(fd, 0, SEEK_SET) == -1 || rec_open(&in, fd, path, NULL, 0) == -1 || world_read(w, &in, catalog, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	rec_close(&in);
	(void)unlink(path);
	catalog_free(&v.cat);
}

/* The text of a CSV or TSV field, unquoted; the separator or the end behind it. */
static const char *
next_field(const char *p, enum render_format f, char *to)
{
	if (f == RENDER_CSV && *p == '"') {
		for (p++; *p != '"' || p[1] == '"'; p++) {
			p += *p == '"';
			*to++ = *p;
		}
		p++;
	} else {
		for (; *p != (f == RENDER_CSV ? ',' : '\t') && *p != '\n'; p++) {
			if (f == RENDER_TSV && *p == '\\') {
				p++;
				*to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
			} else {
				*to++ = *p;
			}
		}
	}
	*to = '\0';
	return p;
}

/* Does a line of fields say what the JSON line says? null is an empty field. */
static int
same_fields(const char *line, enum render_format f, const struct json_value *v, int n)
{
	char want[65536], got[65536];

	for (int i = 0; i < n; i++) {
		line = next_field(line, f, got);
		if (*line != (i == n - 1 ? '\n' : f == RENDER_CSV ? ',' : '\t'))
			return 0;
		line++;
		want[0] = '\0';
		if (json_is_string(v[i]))
			(void)json_text(v[i], want, sizeof(want));
		else if (!json_is_null(v[i]))
			(void)snprintf(want, sizeof(want), "%.*s", (int)v[i].n, v[i].p);
		if (strcmp(want, got) != 0)
			return 0;
	}
	return 1;
}

struct tally {
	unsigned long long lines, unread, length, time, code, sources, fields[3], most, traces, foreign;
};

/* Names of the layout's fields, in order. */
static int
field_names(const struct catalog *c, int layout, const char **name)
{
	const struct catalog_layout *l = &c->layout[layout];
	int n = 0;

	for (int i = 0; i < l->n; i++)
		if (strcmp(l->field[i].name, "*") != 0 && (i == 0 || strcmp(l->field[i].name, l->field[i - 1].name) != 0))
			name[n++] = l->field[i].name;
	return n;
}

static int
at(const char **name, int n, const char *key)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name[i], key) == 0)
			return i;
	errx(1, "no field %s", key);
}

static void
check_span(struct tally *t, const struct sim *s, const struct sim_request *r, const struct sim_span *x, const struct json_value *v,
    const char **name, int n)
{
	char text[4096];
	int64_t us;
	uint64_t k;
	int failed = x->source != SIM_SUCCESS, ok, len;

	len = json_text(v[at(name, n, "timestamp")], text, sizeof(text));
	t->time += len < 0 || clock_parse(text, (size_t)len, &us) == -1 || us != x->start;
	t->length += json_scaled(v[at(name, n, "duration_ms")], 3, &us) == -1 || us != x->length;
	t->code +=
	    failed ? !json_equals(v[at(name, n, "error_code")], s->c->code[x->code].code) : !json_is_null(v[at(name, n, "error_code")]);
	t->code += json_bool(v[at(name, n, "success")], &ok) == -1 || ok != !failed;
	t->sources += json_is_null(v[at(name, n, "error_source")]) == failed;
	t->sources += json_is_null(v[at(name, n, "upstream_request_id")]) == (x->source == SIM_DEPENDENCY);
	len = json_text(v[at(name, n, "trace_id")], text, sizeof(text));
	t->traces += len < 0 || render_trace(s, text, (size_t)len, &k) != 0 || k != r->k;
	text[0] = text[0] == '0' ? '1' : '0';
	t->foreign += len < 0 || render_trace(s, text, (size_t)len, &k) == 0;
}

static void
check_request(struct tally *t, const struct sim *s, struct render **d, struct json_reader *json, const struct sim_request *r,
    const char **name, int n)
{
	static char line[3][OUT_LINE_MAX];
	struct json_value v[FIELDS_MAX];
	const char *e;

	for (uint32_t i = 0; i < r->nspans; i++) {
		char *end[3];

		for (int f = 0; f < 3; f++) {
			end[f] = render_span(d[f], line[f], r, i, NULL);
			t->most += (size_t)(end[f] - line[f]) > render_most(d[f]);
		}
		t->lines++;
		if (end[0] == line[0] || *(end[0] - 1) != '\n' || json_read(json, line[0], (size_t)(end[0] - line[0]) - 1, v, &e) == -1) {
			t->unread++;
			continue;
		}
		check_span(t, s, r, &r->span[i], v, name, n);
		t->fields[RENDER_CSV] += !same_fields(line[RENDER_CSV], RENDER_CSV, v, n);
		t->fields[RENDER_TSV] += !same_fields(line[RENDER_TSV], RENDER_TSV, v, n);
	}
}

/* ---- lines of requests ---- */

struct lines {
	unsigned long long n, early, equal, cause, foreign, far, most;
};

/* When a row's line is due, by the span alone; lines of one moment follow by a microsecond each. */
static int64_t
due(const struct sim_request *r, const struct render_line *l)
{
	const struct sim_span *x = &r->span[l->span];
	int64_t call = INT64_MAX;

	if (l->row->row->at == AT_END)
		return x->start + x->length;
	if (l->row->row->at == AT_START)
		return x->start;
	for (uint32_t i = 0; i < r->nspans; i++)
		if (r->span[i].parent == (int32_t)l->span && r->span[i].start < call)
			call = r->span[i].start;
	return call < x->start + x->length ? call : x->start + x->length;
}

/* Must line a stand before line b, by what came of what? */
static int
leads(const struct sim_request *r, const struct render_line *a, const struct render_line *b)
{
	const struct sim_span *y = &r->span[b->span];

	if (a->span == b->span)
		return a->row->row->at < b->row->row->at || (a->row->row->at == b->row->row->at && a->row->row < b->row->row);
	if (y->parent == (int32_t)a->span && y->node->stage == STAGE_ASYNC)
		return 1;
	if (y->parent == (int32_t)a->span)
		return a->row->row->at != AT_END;
	return r->span[a->span].parent == (int32_t)b->span && b->row->row->at == AT_END && r->span[a->span].node->stage != STAGE_ASYNC;
}

static void
check_lines(struct lines *t, struct render *d, const struct sim_request *r)
{
	static char line[OUT_LINE_MAX];
	const struct render_line *l;
	int n = render_lines(d, r, &l);

	for (int i = 0; i < n; i++) {
		char *end = render_line(d, line, r, &l[i], NULL);

		t->n++;
		t->most += end == NULL || (size_t)(end - line) > render_most(d);
		t->foreign += l[i].span >= r->nspans;
		t->early += l[i].time < due(r, &l[i]);
		t->far += l[i].time > due(r, &l[i]) + n;
		t->equal += i > 0 && l[i].time <= l[i - 1].time;
		for (int k = i + 1; k < n; k++)
			t->cause += (unsigned)leads(r, &l[k], &l[i]);
	}
}

static void
check_log(struct tap *tap_of, const char *catalog, uint64_t seed)
{
	struct sim_traffic *traffic;
	struct lines t = { 0 };
	struct sim_request r;
	struct render *d;
	struct world w;
	struct sim s;
	char text[1024];

	make_world(&w, catalog, seed);
	if (sim_open(&s, &w, 0, text, sizeof(text)) == -1 ||
	    (d = render_open(&s, catalog_layout(s.c, "lines", 5), RENDER_LINES, RENDER_JSON, text, sizeof(text))) == NULL)
		errx(1, "%s", text);
	if ((traffic = sim_traffic(&s, w.begin, w.end)) == NULL)
		err(1, NULL);
	for (int i = 0; i < REQUESTS / 4 && sim_next(traffic, &r) == 1; i++) {
		sim_grow(&s, &r);
		check_lines(&t, d, &r);
	}
	tap(tap_of, t.n > REQUESTS / 4 && t.foreign == 0, "%s: %llu lines, of spans of the request", catalog, t.n);
	tap(tap_of, t.early == 0 && t.far == 0, "%s: none before it is due or much behind (%llu, %llu)", catalog, t.early, t.far);
	tap(tap_of, t.equal == 0, "%s: no two at one time (%llu)", catalog, t.equal);
	tap(tap_of, t.cause == 0, "%s: none behind what came of it (%llu)", catalog, t.cause);
	tap(tap_of, t.most == 0, "%s: none is longer than was said (%llu)", catalog, t.most);
	sim_traffic_free(traffic);
	render_free(d);
	sim_close(&s);
	world_free(&w);
}

static void
check_catalog(struct tap *tap_of, const char *catalog, uint64_t seed)
{
	const char *name[FIELDS_MAX];
	struct render *d[3];
	struct json_reader *json;
	struct sim_traffic *traffic;
	struct sim_request r;
	struct tally t = { 0 };
	struct world w;
	struct sim s;
	char text[1024];
	int layout, n;

	make_world(&w, catalog, seed);
	if (sim_open(&s, &w, 0, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	layout = catalog_layout(s.c, "wide", 4);
	n = field_names(s.c, layout, name);
	for (int f = 0; f < 3; f++)
		if ((d[f] = render_open(&s, layout, RENDER_SPANS, (enum render_format)f, text, sizeof(text))) == NULL)
			errx(1, "%s", text);
	json = json_reader(name, n);
	traffic = sim_traffic(&s, w.begin, w.end);
	if (json == NULL || traffic == NULL)
		err(1, NULL);
	for (int i = 0; i < REQUESTS / 4 && sim_next(traffic, &r) == 1; i++) {
		sim_grow(&s, &r);
		check_request(&t, &s, d, json, &r, name, n);
	}
	tap(tap_of, t.lines > REQUESTS / 4, "%s: %llu spans written", catalog, t.lines);
	tap(tap_of, t.unread == 0, "%s: each is one JSON object (%llu are not)", catalog, t.unread);
	tap(tap_of, t.time == 0 && t.length == 0, "%s: times and durations to the microsecond (%llu)", catalog, t.time + t.length);
	tap(tap_of, t.code == 0 && t.sources == 0, "%s: outcomes and sources (%llu)", catalog, t.code + t.sources);
	tap(tap_of, t.fields[RENDER_CSV] == 0, "%s: CSV says the same (%llu)", catalog, t.fields[RENDER_CSV]);
	tap(tap_of, t.fields[RENDER_TSV] == 0, "%s: TSV says the same (%llu)", catalog, t.fields[RENDER_TSV]);
	tap(tap_of, t.most == 0, "%s: none is longer than was said (%llu)", catalog, t.most);
	tap(tap_of, t.traces == 0 && t.foreign == 0, "%s: trace ids lead back, changed ones do not (%llu)", catalog, t.traces + t.foreign);
	sim_traffic_free(traffic);
	json_reader_free(json);
	for (int f = 0; f < 3; f++)
		render_free(d[f]);
	sim_close(&s);
	world_free(&w);
}

int
main(void)
{
	struct tap t = { 0, 0 };

	(void)setenv("OG_SHARE", "share/og", 1);
	check_catalog(&t, "social", 3);
	check_catalog(&t, "shop", 4);
	check_log(&t, "social", 5);
	check_log(&t, "shop", 6);
	check_log(&t, "fibersqs", 7);
	return tap_end(&t);
}
