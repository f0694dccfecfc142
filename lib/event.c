#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "json.h"

#define KEYS_MAX 64 /* of all forms together */

enum key { KEY_TIME, KEY_TRACE, KEY_PARENT, KEY_USER, KEY_OBJECT, KEYS };

/* What a layout calls the keys. */
struct form {
	int at[KEYS]; /* index into what is read; -1: the layout has none */
	enum catalog_time time;
};

struct event_reader {
	struct sim *s;
	int given; /* lines are of one layout */
	int nforms;
	struct form *form;
	int nkeys;
	const char *key[KEYS_MAX];
	struct json_reader *json;
	struct {
		uint64_t id;
		const struct form *form;
	} shape[JSON_SLOTS]; /* the forms of lines met before */
	struct json_value v[KEYS_MAX];
	char why[512];
};

/* Where a key is read, or -1: there is no room for more. */
static int
key_at(struct event_reader *e, const char *name)
{
	for (int i = 0; i < e->nkeys; i++)
		if (strcmp(e->key[i], name) == 0)
			return i;
	if (e->nkeys == KEYS_MAX)
		return -1;
	e->key[e->nkeys] = name;
	return e->nkeys++;
}

/* What is wrong with a layout: NULL: nothing. */
static const char *
add_form(struct event_reader *e, int layout)
{
	static const enum catalog_source source[KEYS] = { SRC_SPAN_TIME, SRC_TRACE_ID, SRC_SPAN_PARENT, SRC_USER_ID, SRC_OBJECT_ID };
	const struct catalog_layout *l = &e->s->c->layout[layout];
	const char *name[KEYS];
	struct form f = { .at = { -1, -1, -1, -1, -1 } };

	for (int i = 0; i < KEYS; i++)
		name[i] = render_key(e->s->c, layout, source[i]);
	if (name[KEY_TIME] == NULL || name[KEY_TRACE] == NULL)
		return "no time or no trace id";
	for (int i = 0; i < l->n; i++)
		if (l->field[i].name == name[KEY_TIME])
			f.time = (enum catalog_time)l->field[i].value.piece[0].arg;
	if (f.time != TIME_RFC3339US && f.time != TIME_NS)
		return "no time to the microsecond";
	if (e->nkeys > KEYS_MAX - KEYS)
		return "keys beyond those that can be looked at";
	for (int i = 0; i < KEYS; i++)
		f.at[i] = name[i] == NULL ? -1 : key_at(e, name[i]);
	for (int i = 0; i < e->nforms; i++)
		if (memcmp(&e->form[i], &f, sizeof(f)) == 0)
			return NULL;
	e->form[e->nforms++] = f;
	return NULL;
}

/* The layout named first is what messages speak of. */
static int
add_forms(struct event_reader *e, int layout, char *err, size_t errsize)
{
	const struct catalog *c = e->s->c;
	const char *why;

	e->form = calloc((size_t)c->nlayouts + 1, sizeof(*e->form));
	if (e->form == NULL)
		return -1;
	for (int i = 0; i < c->nlayouts; i++) {
		if (layout >= 0 ? i != layout : c->layout[i].record != RECORD_EVENT && c->layout[i].record != RECORD_SPAN)
			continue;
		why = add_form(e, i);
		if (layout < 0 || why == NULL)
			continue;
		(void)snprintf(err, errsize, "layout \"%s\" has %s", c->layout[i].name, why);
		return -1;
	}
	if (e->nforms > 0)
		return 0;
	(void)snprintf(err, errsize, "%s: no layout of events has a time to the microsecond and a trace id", c->name);
	return -1;
}

struct event_reader *
event_open(struct sim *s, int layout, char *err, size_t errsize)
{
	struct event_reader *e = calloc(1, sizeof(*e));

	(void)snprintf(err, errsize, "out of memory");
	if (e == NULL)
		return NULL;
	e->s = s;
	e->given = layout >= 0;
	if (add_forms(e, layout, err, errsize) == 0 && (e->json = json_reader(e->key, e->nkeys)) != NULL)
		return e;
	event_free(e);
	return NULL;
}

void
event_free(struct event_reader *e)
{
	if (e == NULL)
		return;
	json_reader_free(e->json);
	free(e->form);
	free(e);
}

__attribute__((format(printf, 3, 4))) static enum event_found
refuse(struct event_reader *e, const char **errstr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->why, sizeof(e->why), fmt, ap);
	va_end(ap);
	*errstr = e->why;
	return EVENT_BAD;
}

/* The form of which the line has most. */
static const struct form *
find_form(struct event_reader *e)
{
	const struct json_shape *s = json_shape(e->json);
	int best = 0, most = -1;

	if (s->id != 0 && e->shape[s->slot].id == s->id)
		return e->shape[s->slot].form;
	for (int i = 0; e->nforms > 1 && i < e->nforms; i++) {
		int n = 0;

		for (int k = 0; k < KEYS; k++)
			n += e->form[i].at[k] >= 0 && e->v[e->form[i].at[k]].p != NULL;
		if (n <= most)
			continue;
		most = n;
		best = i;
	}
	if (s->id != 0) {
		e->shape[s->slot].id = s->id;
		e->shape[s->slot].form = &e->form[best];
	}
	return &e->form[best];
}

/* A string as it stands, when it has no escapes; else unescaped into buf. NULL: no string. */
static const char *
plain(struct json_value v, char *buf, size_t size, size_t *n)
{
	int len;

	if (!json_is_string(v))
		return NULL;
	if (memchr(v.p, '\\', v.n) == NULL) {
		*n = v.n - 2;
		return v.p + 1;
	}
	len = json_text(v, buf, size);
	*n = (size_t)len;
	return len < 0 ? NULL : buf;
}

static int
find_time(const struct form *f, struct json_value v, int64_t *us)
{
	char buf[64];
	const char *text;
	uint64_t ns;
	size_t n;

	if (f->time == TIME_NS) {
		if (json_u64(v, &ns) == -1)
			return -1;
		*us = (int64_t)(ns / 1000);
		return 0;
	}
	text = plain(v, buf, sizeof(buf), &n);
	return text == NULL ? -1 : clock_parse(text, n, us);
}

static enum event_found
find_request(struct event_reader *e, const struct form *f, struct sim_request *r, const char **errstr)
{
	struct json_value trace = e->v[f->at[KEY_TRACE]], time = e->v[f->at[KEY_TIME]];
	char buf[128];
	const char *text;
	uint64_t k;
	int64_t t;
	size_t n;

	if (json_is_null(trace) || json_is_null(time))
		return refuse(e, errstr, "no \"%s\"", e->key[f->at[json_is_null(trace) ? KEY_TRACE : KEY_TIME]]);
	text = plain(trace, buf, sizeof(buf), &n);
	switch (text == NULL ? -1 : render_trace(e->s, text, n, &k)) {
	case 0:
		break;
	case -2:
		return refuse(e, errstr, "an event of another world");
	default:
		return refuse(e, errstr, "\"%s\" is no trace id of this catalog", e->key[f->at[KEY_TRACE]]);
	}
	if (k >> 42 == SIM_CLASS_EVENT)
		return EVENT_MARK;
	if (f->at[KEY_PARENT] >= 0 && !json_is_null(e->v[f->at[KEY_PARENT]]))
		return refuse(e, errstr, "a span below another, not an event");
	if (find_time(f, time, &t) == -1 || sim_request(e->s, k, t, r) == -1)
		return refuse(e, errstr, "\"%s\" is not the event's time", e->key[f->at[KEY_TIME]]);
	return EVENT_REQUEST;
}

/* May the spans take this over? */
static int
take(struct event_reader *e, const struct form *f, enum key key, struct json_value *to, const char **errstr)
{
	static const struct json_value null = { "null", 4 }, none = { NULL, 0 };
	struct json_value v = f->at[key] < 0 ? none : e->v[f->at[key]];

	*to = v.p == NULL && e->given ? null : v;
	if (json_is_null(*to) || (json_is_string(v) && v.n <= RENDER_GIVEN_MAX))
		return 0;
	(void)refuse(e, errstr, "\"%s\" is not text of at most %d bytes", e->key[f->at[key]], RENDER_GIVEN_MAX - 2);
	return -1;
}

enum event_found
event_read(struct event_reader *e, const char *line, size_t len, struct sim_request *r, struct render_given *given, const char **errstr)
{
	const struct form *f;
	enum event_found found;

	if (json_read(e->json, line, len, e->v, errstr) == -1)
		return EVENT_BAD;
	f = find_form(e);
	found = find_request(e, f, r, errstr);
	if (found == EVENT_REQUEST &&
	    (take(e, f, KEY_USER, &given->user, errstr) == -1 || take(e, f, KEY_OBJECT, &given->object, errstr) == -1))
		return EVENT_BAD;
	return found;
}
