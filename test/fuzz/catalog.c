/* A catalog with one table of any bytes: refused with a message that says where, or sound in all parts. The first line names the table. */
#include <stdio.h>

#include "catalogs.h"
#include "fuzz.h"
#include "inventory.h"
#include "json.h"

static int
one(double sum)
{
	return sum > 0.999999 && sum < 1.000001;
}

static void
look_at_dist(const struct catalog_dist *d)
{
	double v = catalog_draw(d, UINT64_MAX / 3);

	must(d->kind == DIST_NONE || (v <= catalog_dist_max(d) && catalog_draw(d, 0) <= catalog_dist_max(d)));
	must(d->kind != DIST_CHOICE || d->n > 0);
}

static void
look_at_text(const struct catalog *c, const struct catalog_text *t)
{
	for (int i = 0; i < t->n; i++) {
		must(t->piece[i].src != SRC_NONE || t->piece[i].text[0] != '\0');
		must(t->piece[i].src != SRC_PICK || (t->piece[i].arg >= 0 && t->piece[i].arg < c->nlists));
		must(t->piece[i].src != SRC_PLACE_PART || (t->piece[i].arg >= 0 && t->piece[i].arg < c->nplaceparts));
		must(t->piece[i].src != SRC_SERVICE_PART || (t->piece[i].arg >= 0 && t->piece[i].arg < c->nserviceparts));
		must(t->piece[i].src != SRC_CONST || t->piece[i].text != NULL);
	}
}

static void
look_at_people(const struct catalog *c)
{
	for (int i = 0; i < c->npersonas; i++) {
		const struct catalog_persona *p = &c->persona[i];
		double ops = 0, places = 0;

		for (int k = 0; k < c->nops; k++) {
			must(p->op_weight[k] >= 0 && (p->op_weight[k] <= 0 || c->op[k].weight > 0));
			ops += p->op_weight[k];
		}
		for (int k = 0; k < c->nplaces; k++)
			places += p->place[k];
		must(one(ops) && one(places));
		look_at_dist(&p->activity);
	}
}

static void
look_at_calls(const struct catalog *c)
{
	for (int i = 0; i < c->ncalls; i++) {
		const struct catalog_call *k = &c->call[i];

		must(k->from.service >= -1 && k->from.service < c->nservices);
		must(k->to_service >= 0 && k->to_service < c->nservices);
		must(catalog_op(c, k->to_service, k->to_op, strlen(k->to_op)) >= 0);
		must(k->where != WHERE_PLACE || (k->place >= 0 && k->place < c->nplaces));
		look_at_dist(&k->count);
		look_at_dist(&k->share);
	}
}

static void
look_at_names(const struct catalog *c)
{
	const char *missing;
	char buf[300];
	int n;

	for (int i = 0; i < c->nplaces; i++)
		must(catalog_place(c, c->place[i].id, strlen(c->place[i].id)) == i && c->place[i].nclocks > 0);
	for (int i = 0; i < c->nservices; i++) {
		must(catalog_service(c, c->service[i].id, strlen(c->service[i].id)) == i && c->service[i].hosts > 0);
		look_at_text(c, &c->service[i].host);
	}
	for (int i = 0; i < c->nops; i++)
		must(catalog_op(c, c->op[i].service, c->op[i].name, strlen(c->op[i].name)) == i && c->op[i].type < c->nobjects);
	for (int i = 0; i < c->ncodes; i++)
		must(catalog_code(c, c->code[i].code, strlen(c->code[i].code)) == i);
	for (int i = 0; i < c->nids; i++) {
		look_at_text(c, &c->id[i].form);
		n = catalog_expand(c, i, c->nplaces - 1, 0, "7", buf, sizeof(buf), &missing);
		must(n == -1 || (size_t)n == strlen(buf));
	}
}

static void
look_at_lines(const struct catalog *c)
{
	for (int i = 0; i < c->nlayouts; i++)
		for (int k = 0; k < c->layout[i].n; k++) {
			const struct catalog_text *t = &c->layout[i].field[k].value;

			look_at_text(c, t);
			for (int j = 0; j < t->n && c->layout[i].blind; j++)
				must(t->piece[j].src != SRC_ERROR_SOURCE && t->piece[j].src != SRC_ERROR_MESSAGE &&
				    t->piece[j].src != SRC_ERROR_CAUSE);
		}
	for (int i = 0; i < c->neffects; i++) {
		const struct catalog_effect *e = &c->effect[i];

		must(e->incident >= 0 && e->incident < c->nincidents && (e->what != EFFECT_ERRORS || e->ncodes > 0));
		must(e->what != EFFECT_TRAFFIC || catalog_dist_max(&e->factor) <= 1);
	}
}

static void
look_at_links(const struct catalog *c)
{
	for (int i = 0; i < c->nlinks; i++)
		must(catalog_link(c, c->link[i].id, strlen(c->link[i].id)) == i && c->link[i].to >= 0 && c->link[i].to < c->nplaces);
	for (int i = 0; i < c->nseries; i++)
		must(catalog_series(c, c->series[i].id, strlen(c->series[i].id)) == i && c->series[i].every > 0);
}

static void
look_at_form(const struct catalog *c, const struct catalog_form *f)
{
	for (int i = 0; i < f->n; i++) {
		const struct catalog_slot *s = &f->slot[i];

		must(s->hole != HOLE_NONE || s->text != NULL);
		must(s->hole != HOLE_FIELD || (s->entity >= -1 && s->entity < c->nentities));
		must(s->hole != HOLE_REF || (s->entity >= 0 && s->entity < c->nentities && s->under < c->nentities));
		must(s->hole != HOLE_PICK || s->inner.n > 0 || (s->list >= 0 && s->list < c->nlists));
		look_at_dist(&s->dist);
		look_at_form(c, &s->inner);
	}
}

/* Who asks for a table by either name gets it. */
static void
look_at_entities(const struct catalog *c)
{
	char name[256];

	for (int i = 0; i < c->nentities; i++) {
		const struct catalog_entity *e = &c->entity[i];

		must(catalog_entity(c, e->id, strlen(e->id)) == i && inventory_table(c, e->id) == i && e->norigins > 0 &&
		    e->nproperties > 0);
		inventory_name(c, i, name, sizeof(name));
		must(strlen(name) + 1 == sizeof(name) || inventory_table(c, name) == i);
		look_at_form(c, &e->form);
		for (int k = 0; k < e->nproperties; k++)
			for (int way = 0; way < e->property[k].nways; way++)
				look_at_form(c, &e->property[k].way[way].value);
	}
	for (int i = 0; i < c->norigins; i++) {
		must(c->origin[i].per >= -1 && c->origin[i].per < c->nentities);
		must(c->origin[i].of != FROM_ENTITY || (c->origin[i].other >= 0 && c->origin[i].other < c->nentities));
		look_at_form(c, &c->origin[i].family);
		look_at_dist(&c->origin[i].count);
	}
}

struct warnings {
	const char *base;
	int n;
};

static void
warned(const char *text, void *arg)
{
	struct warnings *w = arg;

	must(strncmp(text, w->base, strlen(w->base)) == 0 && utf8_valid(text, strlen(text)));
	w->n++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct warnings warnings = { 0 };
	struct catalog_bytes bytes;
	struct catalog c;
	char err[200];

	must(setenv("OG_SHARE", "share/og", 1) == 0);
	warnings.base = catalogs_bytes(&bytes, data, size);
	if (catalog_load_bytes(&c, warnings.base, &bytes, err, sizeof(err), warned, &warnings) == 0) {
		must(c.set.begin < c.set.end && c.digest != 0 && warnings.n <= c.nservices + c.npersonas + c.neffects);
		look_at_names(&c);
		look_at_people(&c);
		look_at_calls(&c);
		look_at_lines(&c);
		look_at_links(&c);
		look_at_entities(&c);
	} else
		must(strncmp(err, warnings.base, strlen(warnings.base)) == 0 && utf8_valid(err, strlen(err)));
	catalog_free(&c);
	free((char *)(uintptr_t)bytes.data);
	return 0;
}
