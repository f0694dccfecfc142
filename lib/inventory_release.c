/* Releases: those of a world, and the schedule of all. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "inventory_impl.h"
#include "json.h"
#include "mix.h"

static const struct inventory_text *
id_of(struct inventory *v, struct thing *t)
{
	const struct inventory_text *x = inventory_texts(v, t);

	return x == NULL ? NULL : x + v->kind[t->origin->entity].text[0];
}

/* The number that a build shows: that of the field which counts, or how many there were. */
static uint64_t
number_of(const struct inventory *v, const struct thing *build)
{
	const struct catalog_entity *e = &v->c->entity[build->origin->entity];

	for (int i = 0; i < e->nproperties; i++) {
		const struct catalog_property *p = &e->property[i];
		const struct catalog_slot *s = p->way[0].value.slot;

		if (p->nways == 1 && p->way[0].value.n == 1 && s->hole == HOLE_COUNT)
			return inventory_count(s, build->per, p->key, 0) + build->number - 1;
	}
	return build->number;
}

/* The releases of a deployment, origin by origin. */
static int
grow_releases(struct inventory *v, struct thing *deployment, inventory_visit *visit, void *arg)
{
	const struct catalog_entity *e = &v->c->entity[v->release];
	int stop = 0;

	for (int i = e->origin; i < e->origin + e->norigins && stop == 0; i++)
		stop = inventory_grow(v, &v->c->origin[i], deployment, visit, arg);
	return stop;
}

struct looking {
	int (*wanted)(const char *, void *);
	int (*each)(const struct inventory_release *, void *);
	void *arg;
	struct buf deployment, id;
};

/* A text with a NUL. */
static const char *
copy_text(struct inventory *v, struct buf *b, const struct inventory_text *x)
{
	b->n = 0;
	if (x == NULL || buf_put(b, x->p, x->n) == -1 || buf_put(b, "", 1) == -1) {
		(void)inventory_fail(v, "out of memory");
		return NULL;
	}
	return b->p;
}

static int
tell_release(struct inventory *v, struct thing *t, void *arg)
{
	struct looking *k = arg;
	struct inventory_release l = { .deployment = k->deployment.p, .number = number_of(v, t->of), .build = t->of->build };

	if ((l.id = copy_text(v, &k->id, id_of(v, t))) == NULL)
		return -1;
	return k->each(&l, k->arg);
}

static int
look_at(struct inventory *v, struct thing *t, void *arg)
{
	struct looking *k = arg;
	const char *id = copy_text(v, &k->deployment, id_of(v, t));

	if (id == NULL)
		return -1;
	return k->wanted(id, k->arg) ? grow_releases(v, t, tell_release, k) : 0;
}

int
inventory_releases(struct inventory *v, int (*wanted)(const char *deployment, void *),
    int (*each)(const struct inventory_release *, void *), void *arg, char *err, size_t errsize)
{
	struct looking k = { .wanted = wanted, .each = each, .arg = arg };
	int stop;

	v->err = err;
	v->errsize = errsize;
	stop = inventory_prepare(v, v->release);
	if (stop == 0)
		stop = inventory_each(v, v->c->origin[v->c->entity[v->release].origin].per, look_at, &k);
	buf_free(&k.deployment);
	buf_free(&k.id);
	return stop == 0 && !v->failed ? 0 : -1;
}

/* One release of the schedule; its id stands in the texts. */
struct entry {
	int64_t created;
	uint64_t number;
	size_t at, n;
};

struct schedule {
	struct out *out;
	struct entry *entry; /* of the deployment at hand */
	size_t n, room;
	struct buf text;
	int place; /* -1: none of the places */
	struct thing *deployment;
	size_t deployments;
	char *seen;   /* group x place: there is a deployment */
	char **above; /* of a place: the id of what is on top of it */
};

static void
put_text(struct out *o, const char *s, size_t n)
{
	char *to = out_room(o, JSON_QUOTED(n));

	if (to != NULL)
		out_took(o, json_quote(to, s, n));
}

static void
put_words(struct out *o, const char *s)
{
	out_put(o, s, strlen(s));
}

/* Without a zone and a fraction, as the file has it. */
static void
put_time(struct out *o, int64_t us)
{
	char text[CLOCK_LEN];

	clock_format(text, us);
	out_put(o, "\"", 1);
	out_put(o, text, 19);
	out_put(o, "\"", 1);
}

static int
note_release(struct inventory *v, struct thing *t, void *arg)
{
	struct schedule *s = arg;
	const struct inventory_text *id = id_of(v, t);
	const struct inventory_build *b = t->of->build;
	struct entry *e;

	if (s->n == s->room) {
		size_t most = s->room == 0 ? 64 : s->room * 2;

		if ((e = reallocarray(s->entry, most, sizeof(*e))) == NULL)
			return inventory_fail(v, "out of memory");
		s->entry = e;
		s->room = most;
	}
	e = &s->entry[s->n++];
	e->created = s->place == -1 ? inventory_late_arrival(v->c, b, s->deployment->key) : inventory_arrival(v->c, b, s->place);
	e->number = number_of(v, t->of);
	e->at = s->text.n;
	e->n = id == NULL ? 0 : id->n;
	return id == NULL || buf_put(&s->text, id->p, id->n) == -1 ? inventory_fail(v, "out of memory") : 0;
}

static int
order_entries(const void *one, const void *two)
{
	const struct entry *a = one, *b = two;

	if (a->created != b->created)
		return a->created < b->created ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Which group of services has a deployment at this place, and what is on top of the place. */
static int
note_group(struct inventory *v, struct schedule *s)
{
	struct thing *service = s->deployment->of, *top = s->deployment->per;
	const struct inventory_text *id;

	if (s->place == -1)
		return 0;
	while (top->per != NULL)
		top = top->per;
	if (s->above[s->place] == NULL) {
		if ((id = id_of(v, top)) == NULL || (s->above[s->place] = inventory_get(v, id->n + 1, 1)) == NULL)
			return -1;
		memcpy(s->above[s->place], id->p, id->n);
	}
	if (service != NULL && service->per != NULL) {
		const struct kind *k = &v->kind[service->per->origin->entity];

		s->seen[(size_t)(service->per - k->held) * (size_t)v->c->nplaces + (size_t)s->place] = 1;
	}
	return 0;
}

static int
put_deployment(struct inventory *v, struct thing *t, void *arg)
{
	struct schedule *s = arg;
	const struct inventory_text *id = id_of(v, t), *target = t->per == NULL ? NULL : id_of(v, t->per);

	s->deployment = t;
	s->place = target == NULL ? -1 : catalog_place(v->c, target->p, target->n);
	s->n = 0;
	s->text.n = 0;
	if (id == NULL || note_group(v, s) == -1 || grow_releases(v, t, note_release, s) != 0 || s->out->err != 0)
		return -1;
	if (s->n > 1)
		qsort(s->entry, s->n, sizeof(*s->entry), order_entries);
	put_words(s->out, s->deployments++ == 0 ? "\n    " : ",\n    ");
	put_text(s->out, id->p, id->n);
	put_words(s->out, ": {\n      \"releases\": [");
	for (size_t i = 0; i < s->n; i++) {
		char number[20] = "";

		put_words(s->out, i == 0 ? "\n        {\n          \"release_id\": " : ",\n        {\n          \"release_id\": ");
		put_text(s->out, s->text.p + s->entry[i].at, s->entry[i].n);
		put_words(s->out, ",\n          \"build_num\": ");
		out_put(s->out, number, (size_t)(inventory_digits(number, s->entry[i].number) - number));
		put_words(s->out, ",\n          \"created_at\": ");
		put_time(s->out, s->entry[i].created);
		put_words(s->out, "\n        }");
	}
	put_words(s->out, s->n == 0 ? "]\n    }" : "\n      ]\n    }");
	return 0;
}

static int
order_texts(const void *one, const void *two)
{
	return strcmp(*(char *const *)one, *(char *const *)two);
}

/* The places of a group below one thing on top, sorted. */
static void
put_places(const struct inventory *v, struct schedule *s, const char *seen, int first, const char **sorted)
{
	int n = 0;

	for (int p = first; p < v->c->nplaces; p++)
		if (seen[p] && strcmp(s->above[p], s->above[first]) == 0)
			sorted[n++] = v->c->place[p].id;
	qsort(sorted, (size_t)n, sizeof(*sorted), order_texts);
	put_text(s->out, s->above[first], strlen(s->above[first]));
	put_words(s->out, ": [");
	for (int i = 0; i < n; i++) {
		put_words(s->out, i == 0 ? "\n        " : ",\n        ");
		put_text(s->out, sorted[i], strlen(sorted[i]));
	}
	put_words(s->out, "\n      ]");
}

static void
put_groups(struct inventory *v, struct schedule *s, int group, const char **sorted)
{
	const struct kind *k = group == -1 ? NULL : &v->kind[group];
	int groups = 0;

	for (size_t g = 0; k != NULL && g < k->nheld; g++) {
		const char *seen = s->seen + g * (size_t)v->c->nplaces;
		const struct inventory_text *id = id_of(v, &k->held[g]);
		int tops = 0;

		for (int p = 0; p < v->c->nplaces; p++) {
			int earlier = 0;

			for (int q = 0; q < p && seen[p]; q++)
				earlier |= seen[q] && strcmp(s->above[q], s->above[p]) == 0;
			if (!seen[p] || earlier)
				continue;
			if (tops++ == 0) {
				put_words(s->out, groups++ == 0 ? "\n    " : ",\n    ");
				put_text(s->out, id->p, id->n);
				put_words(s->out, ": {\n      ");
			} else
				put_words(s->out, ",\n      ");
			put_places(v, s, seen, p, sorted);
		}
		if (tops > 0)
			put_words(s->out, "\n    }");
	}
	put_words(s->out, groups == 0 ? "}\n}\n" : "\n  }\n}\n");
}

/* The group of a deployment's service: what services are made for. -1: nothing that is held. */
static int
group_of(const struct inventory *v, int deployment)
{
	const struct catalog_origin *o = &v->c->origin[v->c->entity[deployment].origin];
	int group = o->of == FROM_ENTITY ? v->c->origin[v->c->entity[o->other].origin].per : -1;

	return group != -1 && v->kind[group].is_held && v->c->entity[group].form.n > 0 ? group : -1;
}

int
inventory_schedule(struct inventory *v, struct out *out, char *err, size_t errsize)
{
	int deployment = v->release == -1 ? -1 : v->c->origin[v->c->entity[v->release].origin].per, group, stop;
	size_t places = (size_t)v->c->nplaces;
	struct schedule s = { .out = out };
	const char **sorted = inventory_get(v, places, sizeof(*sorted));

	v->err = err;
	v->errsize = errsize;
	if (deployment == -1)
		return inventory_fail(v, "%s/entities.tsv: no releases of deployments to schedule", v->c->dir);
	if (sorted == NULL || inventory_prepare(v, v->release) == -1)
		return -1;
	group = group_of(v, deployment);
	s.above = inventory_get(v, places, sizeof(*s.above));
	s.seen = inventory_get(v, places * (group == -1 ? 1 : v->kind[group].nheld), 1);
	if (v->failed)
		return -1;
	put_words(out, "{\n  \"generated_at\": ");
	put_time(out, v->end);
	put_words(out, ",\n  \"deployments\": {");
	stop = inventory_each(v, deployment, put_deployment, &s);
	put_words(out, s.deployments == 0 ? "},\n  \"primary_deployment_targets\": [" : "\n  },\n  \"primary_deployment_targets\": [");
	for (size_t p = 0; p < places; p++) {
		put_words(out, p == 0 ? "\n    " : ",\n    ");
		put_text(out, v->c->place[p].id, strlen(v->c->place[p].id));
	}
	put_words(out, "\n  ],\n  \"stack_region_groups\": {");
	put_groups(v, &s, group, sorted);
	free(s.entry);
	buf_free(&s.text);
	return stop == 0 && !v->failed ? 0 : -1;
}
