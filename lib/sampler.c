#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "sampler.h"

#define HOST_MAX 1024 /* bytes of a name */
#define SAMPLE_MAX 64 /* bytes of a time and a value */

/* What stands before the time and behind the value of each thing of a series. */
struct samples {
	int series, n;
	int64_t every;
	char *head, **tail;
	size_t most; /* bytes of a line */
};

static int64_t
first_step(int64_t from, int64_t every)
{
	return from + (every - from % every) % every;
}

static char *
put(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return to + n;
}

/* `,"key":"value"`, with key and value quoted. */
static char *
put_tag(char *to, const char *key, const char *value)
{
	*to++ = ',';
	to = json_quote(to, key, strlen(key));
	*to++ = ':';
	return json_quote(to, value, strlen(value));
}

/* Names of parts; not that which the thing's own name has. */
static char *
put_parts(char *to, char *const *name, char *const *value, int n, const char *own)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name[i], own) != 0)
			to = put_tag(to, name[i], value[i]);
	return to;
}

/* Tags of a thing and the end of the line; how many bytes. */
static size_t
put_tail(char *to, const struct catalog *c, enum catalog_of of, const struct series_thing *x)
{
	char host[HOST_MAX] = "", *start = to;
	const struct catalog_place *p = &c->place[x->place];

	memcpy(to, ",\"tags\":", 8);
	to += 8; /* where the first comma will be is the brace */
	if (of == OF_LINK) {
		to = put_tag(to, "link", c->link[x->link].id);
		to = put_tag(to, "from", p->id);
		to = put_tag(to, "to", c->place[c->link[x->link].to].id);
	} else {
		if (of == OF_HOST && catalog_host(c, x->service, x->place, x->host, host, sizeof(host)) != -1)
			to = put_tag(to, "host", host);
		if (of == OF_SERVICE)
			to = put_parts(to, c->servicepart, c->service[x->service].part, c->nserviceparts, "");
		to = put_parts(to, c->placepart, p->part, c->nplaceparts, of == OF_HOST ? "host" : "");
	}
	start[8] = '{';
	memcpy(to, "}}\n", 3);
	return (size_t)(to + 3 - start);
}

static void
close_samples(struct samples *x, int n)
{
	for (int i = 0; x != NULL && i < n; i++) {
		for (int k = 0; x[i].tail != NULL && k < x[i].n; k++)
			free(x[i].tail[k]);
		free(x[i].head);
		free(x[i].tail);
	}
	free(x);
}

static int
open_series(struct samples *x, const struct catalog *c, const struct series *s, char *buf)
{
	const struct catalog_series *k = &c->series[x->series];
	const struct series_thing *thing = series_things(s, x->series, &x->n);
	char *end;

	if ((x->head = malloc(JSON_QUOTED(strlen(k->id)) + 32)) == NULL || (x->tail = calloc((size_t)x->n + 1, sizeof(*x->tail))) == NULL)
		return -1;
	end = json_quote(put(x->head, "{\"metric\":"), k->id, strlen(k->id));
	*put(end, ",\"ts\":") = '\0';
	for (int i = 0; i < x->n; i++) {
		size_t n = put_tail(buf, c, k->of, &thing[i]);

		if ((x->tail[i] = strndup(buf, n)) == NULL)
			return -1;
		x->most = n > x->most ? n : x->most;
	}
	x->most += strlen(x->head) + SAMPLE_MAX;
	return 0;
}

/* NULL with errno. */
static struct samples *
open_samples(struct series *s, const struct catalog *c, int64_t every)
{
	struct samples *all = calloc((size_t)c->nseries + 1, sizeof(*all));
	char *buf = malloc(OUT_LINE_MAX);
	int failed = all == NULL || buf == NULL;

	for (int i = 0; !failed && i < c->nseries; i++) {
		all[i].series = i;
		all[i].every = every != 0 ? every : c->series[i].every;
		failed = open_series(&all[i], c, s, buf) == -1;
	}
	free(buf);
	if (!failed)
		return all;
	close_samples(all, c->nseries);
	errno = ENOMEM;
	return NULL;
}

static void
put_samples(const struct samples *x, struct series *s, int64_t t, struct out *out)
{
	struct series_value v;

	for (int i = 0; i < x->n; i++) {
		char *to = out_room(out, x->most);
		int64_t second = t / CLOCK_SECOND;

		series_at(s, x->series, i, t, x->every, &v);
		to = put(to, x->head);
		to = render_number(to, (double)second, 0);
		to = put(to, ",\"value\":");
		to = render_number(to, v.value, RENDER_PLACES);
		to = put(to, x->tail[i]);
		out_took(out, to);
	}
}

int
sampler_samples(struct series *s, const struct catalog *c, int64_t every, int64_t from, int64_t to, struct out *out)
{
	struct samples *all = open_samples(s, c, every);

	if (all == NULL)
		return -1;
	for (int64_t t = from, next; t < to && out->err == 0; t = next) {
		next = to;
		for (int i = 0; i < c->nseries; i++) {
			int64_t at = first_step(t, all[i].every);

			if (at == t)
				put_samples(&all[i], s, t, out);
			at = first_step(t + 1, all[i].every);
			next = at < next ? at : next;
		}
	}
	close_samples(all, c->nseries);
	return 0;
}

static int
uses(const struct catalog_layout *l, int series)
{
	for (int i = 0; i < l->n; i++) {
		for (int k = 0; k < l->field[i].value.n; k++)
			if (l->field[i].value.piece[k].src == SRC_SERIES && l->field[i].value.piece[k].arg == series)
				return 1;
		for (int k = 0; k < l->field[i].when.n; k++)
			if (l->field[i].when.term[k].src == SRC_SERIES && l->field[i].when.term[k].arg == series)
				return 1;
	}
	return 0;
}

/* The series that a layout shows; how many. */
static int
find_used(const struct catalog *c, const struct catalog_layout *l, int *used, int64_t *every)
{
	int64_t least = 0;
	int n = 0;

	for (int i = 0; i < c->nseries; i++)
		if (uses(l, i)) {
			used[n++] = i;
			least = least == 0 || c->series[i].every < least ? c->series[i].every : least;
		}
	*every = *every != 0 ? *every : least;
	return n;
}

/* What a record needs. */
struct records {
	struct series *s;
	struct render *d;
	size_t most;
	double *value; /* of each series of the catalog */
	int *used, n;
	int64_t every;
};

static void
put_record(const struct records *r, const struct series_thing *thing, int k, int64_t t, struct out *out)
{
	const struct render_thing x = { t, t + r->every, thing[k].link, thing[k].place, thing[k].service, thing[k].host, r->value, NULL };
	struct series_value v;

	for (int i = 0; i < r->n; i++) {
		series_at(r->s, r->used[i], k, t, r->every, &v);
		r->value[r->used[i]] = v.value;
	}
	out_took(out, render_thing(r->d, out_room(out, r->most), &x));
}

int
sampler_records(
    struct series *s, const struct catalog *c, int layout, struct render *d, int64_t every, int64_t from, int64_t to, struct out *out)
{
	struct records r = { .s = s, .d = d, .most = render_most(d), .every = every };
	const struct series_thing *thing;
	int things, failed = 1;

	r.value = calloc((size_t)c->nseries + 1, sizeof(*r.value));
	r.used = calloc((size_t)c->nseries + 1, sizeof(*r.used));
	if (r.value != NULL && r.used != NULL) {
		r.n = find_used(c, &c->layout[layout], r.used, &r.every);
		failed = r.n == 0;
		errno = EINVAL;
	}
	if (!failed) {
		thing = series_things(s, r.used[0], &things);
		for (int64_t t = first_step(from, r.every); t < to && out->err == 0; t += r.every)
			for (int k = 0; k < things; k++)
				put_record(&r, thing, k, t, out);
	}
	free(r.value);
	free(r.used);
	return failed ? -1 : 0;
}
