#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "out.h"
#include "world.h"
#include "world_impl.h"

static void
put_key(struct out *o, const char *key)
{
	out_put(o, ",\"", 2);
	out_put(o, key, strlen(key));
	out_put(o, "\":", 2);
}

static void
put_quoted(struct out *o, const char *text)
{
	size_t n = strlen(text);
	char *to = out_room(o, JSON_QUOTED(n));

	out_took(o, json_quote(to, text, n));
}

void
world_put_kind(struct out *o, const char *kind)
{
	out_put(o, "{\"kind\":\"", 9);
	out_put(o, kind, strlen(kind));
	out_put(o, "\"", 1);
}

void
world_put_text(struct out *o, const char *key, const char *text)
{
	put_key(o, key);
	put_quoted(o, text);
}

void
world_put_time(struct out *o, const char *key, int64_t us)
{
	char text[CLOCK_LEN + 1];

	(void)clock_text(text, us);
	world_put_text(o, key, text);
}

static void
put_digits(struct out *o, uint64_t x)
{
	char text[20], *p = text + sizeof(text);

	do
		*--p = (char)('0' + x % 10);
	while ((x /= 10) > 0);
	out_put(o, p, (size_t)(text + sizeof(text) - p));
}

void
world_put_whole(struct out *o, const char *key, uint64_t x)
{
	put_key(o, key);
	put_digits(o, x);
}

void
world_put_number(struct out *o, const char *key, double value, int places)
{
	uint64_t unit = 1, scaled;
	char text[20] = "";
	int n = places;

	for (int i = 0; i < places; i++)
		unit *= 10;
	put_key(o, key);
	if (value < 0)
		out_put(o, "-", 1);
	scaled = (uint64_t)((value < 0 ? -value : value) * (double)unit + 0.5);
	put_digits(o, scaled / unit);
	scaled %= unit;
	for (int i = places; i-- > 0; scaled /= 10)
		text[i] = (char)('0' + scaled % 10);
	while (n > 0 && text[n - 1] == '0')
		n--;
	if (n > 0) {
		out_put(o, ".", 1);
		out_put(o, text, (size_t)n);
	}
}

void
world_put_open(struct out *o, const char *key)
{
	put_key(o, key);
	out_put(o, "[", 1);
}

void
world_put_item(struct out *o, int *n, const char *text)
{
	out_put(o, ",", (*n)++ > 0);
	put_quoted(o, text);
}

void
world_put_close(struct out *o)
{
	out_put(o, "]", 1);
}

void
world_put_end(struct out *o)
{
	out_put(o, "}\n", 2);
}

int
world_header(char *buf, size_t size, const struct world *w)
{
	/* Never flushed: the room is all there is. */
	size_t most = JSON_QUOTED(strlen(w->cat.name)) + JSON_QUOTED(strlen(w->cat.set.level)) + 512;
	struct out o = { .fd = -1, .buf = malloc(most), .size = most };
	char digest[17];
	int n = -1;

	if (o.buf == NULL)
		return -1;
	(void)snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)w->cat.digest);
	world_put_kind(&o, "world");
	world_put_whole(&o, "format", WORLD_FORMAT);
	world_put_text(&o, "catalog", w->cat.name);
	world_put_text(&o, "catalog_digest", digest);
	world_put_whole(&o, "seed", w->seed);
	world_put_time(&o, "begin", w->begin);
	world_put_time(&o, "end", w->end);
	world_put_whole(&o, "users", w->users);
	world_put_whole(&o, "requests", w->requests);
	world_put_time(&o, "requests_until", w->until);
	world_put_whole(&o, "depth", (uint64_t)w->depth);
	world_put_text(&o, "level", w->cat.set.level);
	world_put_end(&o);
	if (o.len < size) {
		memcpy(buf, o.buf, o.len);
		buf[o.len] = '\0';
		n = (int)o.len;
	}
	free(o.buf);
	return n;
}

/* "service/operation" as one string. */
static void
put_ref(struct out *o, const struct catalog *c, const struct catalog_ref *ref)
{
	const char *service = ref->service == -1 ? "*" : c->service[ref->service].id;
	size_t n = strlen(service), m = ref->op == NULL ? 0 : strlen(ref->op);
	char *to = json_quote(out_room(o, JSON_QUOTED(n) + JSON_QUOTED(m)), service, n);

	if (ref->op != NULL) {
		char *end = json_quote(to, ref->op, m);

		/* Between the two there is a stroke instead of two quotes. */
		to[-1] = '/';
		memmove(to, to + 1, (size_t)(end - to) - 1);
		to = end - 1;
	}
	out_took(o, to);
}

static const struct catalog_ref all = { .service = -1 };

static const char *
name_of(const struct catalog *c, int of, int thing)
{
	return of == OF_LINK ? c->link[thing].id : of == OF_PLACE ? c->place[thing].id : c->service[thing].id;
}

static void
put_targets(struct out *o, const struct catalog *c, const struct world_effect *e, int of)
{
	int n = 0;

	world_put_open(o, "targets");
	for (int i = 0; i < e->nthings; i++)
		world_put_item(o, &n, name_of(c, of, e->thing[i]));
	for (int i = 0; i < e->ntargets; i++) {
		out_put(o, ",", i > 0);
		put_ref(o, c, &e->target[i]);
	}
	if (e->ntargets + e->nthings == 0)
		put_ref(o, c, &all);
	world_put_close(o);
}

/* A quantity that is drawn again and again: as it is written. */
static void
put_quantity(struct out *o, const char *key, const char *text)
{
	if (text != NULL && *text != '\0')
		world_put_text(o, key, text);
}

static void
put_effect(struct out *o, const struct catalog *c, const struct world_effect *e)
{
	static const char *const what[] = { [EFFECT_LATENCY] = "latency",
		[EFFECT_ERRORS] = "errors",
		[EFFECT_TRAFFIC] = "traffic",
		[EFFECT_DELAY] = "delay",
		[EFFECT_WEIGHT] = "weight" };
	int n = 0;

	out_put(o, "{\"what\":", 8);
	put_quoted(o, e->what == EFFECT_SERIES ? c->series[e->series].id : what[e->what]);
	put_targets(o, c, e, world_of(c, e->what, e->series));
	if (e->when.n > 0)
		world_put_text(o, "when", e->when.text);
	if (e->what == EFFECT_SERIES) {
		put_quantity(o, "factor", e->factors_text);
		put_quantity(o, "add", e->adds_text);
		out_put(o, "}", 1);
		return;
	}
	if (e->factor != 1 || (e->add == 0 && e->what != EFFECT_ERRORS))
		world_put_number(o, "factor", e->factor, WORLD_FACTOR_PLACES);
	if (e->add != 0 || e->what == EFFECT_ERRORS)
		world_put_number(o, "add", e->add, WORLD_ADD_PLACES);
	if (e->what == EFFECT_ERRORS) {
		world_put_open(o, "codes");
		for (int i = 0; i < e->ncodes; i++)
			world_put_item(o, &n, c->code[e->code[i]].code);
		world_put_close(o);
	}
	out_put(o, "}", 1);
}

static int
effect_reaches(const struct catalog *c, const struct world_effect *e, int service)
{
	int of = world_of(c, e->what, e->series);

	if (of == -1)
		return e->ntargets == 0 || world_covers(c, e->target, e->ntargets, service);
	if (of == OF_LINK || of == OF_PLACE)
		return 0;
	for (int i = 0; i < e->nthings; i++)
		if (e->thing[i] == service)
			return 1;
	return e->nthings == 0;
}

/* Does it do something at the service? */
static int
reaches(const struct catalog *c, const struct world_incident *x, int service)
{
	for (int i = 0; i < x->neffects; i++)
		if (effect_reaches(c, &x->effect[i], service))
			return 1;
	return 0;
}

static void
put_bursts(struct out *o, const struct world_incident *x)
{
	char text[2 * CLOCK_LEN + 2];
	int n = 0;

	if (!x->bursty)
		return;
	world_put_open(o, "bursts");
	for (int i = 0; i < x->nbursts; i++) {
		size_t len = clock_text(text, x->burst[i].start);

		text[len] = '/';
		(void)clock_text(text + len + 1, x->burst[i].end);
		world_put_item(o, &n, text);
	}
	world_put_close(o);
}

static void
put_reached(struct out *o, const struct catalog *c, const struct world_incident *x)
{
	int n = 0;

	world_put_open(o, "services");
	for (int service = 0; service < c->nservices; service++)
		if (reaches(c, x, service))
			world_put_item(o, &n, c->service[service].id);
	world_put_close(o);
}

void
world_put_incident(struct out *o, const struct catalog *c, const struct world_incident *x)
{
	static const char *const role[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };
	int n = 0;

	world_put_kind(o, "incident");
	world_put_text(o, "id", x->id);
	world_put_text(o, "component", x->component);
	world_put_text(o, "role", role[x->role]);
	world_put_text(o, "type", x->type);
	world_put_text(o, "message", x->message);
	world_put_time(o, "start", x->start);
	world_put_time(o, "end", x->end);
	world_put_number(o, "ramp_s", (double)x->ramp / (double)CLOCK_SECOND, 6);
	put_bursts(o, x);
	world_put_open(o, "places");
	for (int i = 0; i < x->nplaces; i++)
		world_put_item(o, &n, c->place[x->place[i]].id);
	world_put_close(o);
	world_put_open(o, "effects");
	for (int i = 0; i < x->neffects; i++) {
		out_put(o, ",", i > 0);
		put_effect(o, c, &x->effect[i]);
	}
	world_put_close(o);
	put_reached(o, c, x);
	world_put_end(o);
}

static int
is_known(const struct world_draft *d, int i)
{
	const char *component = d->fresh[i].x.component;

	for (int k = 0; k < d->w->ncomponents; k++)
		if (strcmp(d->w->component[k], component) == 0)
			return 1;
	for (int k = 0; k < i; k++)
		if (strcmp(d->fresh[k].x.component, component) == 0)
			return 1;
	return 0;
}

void
world_draft_put(const struct world_draft *d, struct out *o)
{
	for (int i = 0; i < d->n; i++)
		if (!is_known(d, i)) {
			world_put_kind(o, "component");
			world_put_text(o, "id", d->fresh[i].x.component);
			world_put_text(o, "type", d->fresh[i].x.type);
			put_reached(o, &d->w->cat, &d->fresh[i].x);
			world_put_end(o);
		}
	for (int i = 0; i < d->n; i++)
		world_put_incident(o, &d->w->cat, &d->fresh[i].x);
}
