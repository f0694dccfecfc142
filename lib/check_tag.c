/* Tags of samples: which there must be, and what they name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "mix.h"

/* ---- the words of a catalog ---- */

/* Values of one source are no values of another. */
static uint64_t
word_key(enum catalog_source source, int arg, uint64_t value)
{
	return mix(value ^ mix((uint64_t)source << 16 | (uint64_t)(unsigned)arg)) | 1;
}

static void
learn(struct check *c, enum catalog_source source, int arg, const char *word)
{
	int fresh;

	if (keys_put(&c->tags.words, word_key(source, arg, name_key(word)), &fresh) == NULL)
		c->tags.failed = 1;
}

static void
learn_hosts(struct check *c)
{
	const struct catalog *cat = c->cat;
	char host[CHECK_WORD];

	for (int s = 0; s < cat->nservices; s++)
		for (int p = 0; p < cat->nplaces && cat->service[s].pool == s; p++)
			for (int n = 1; n <= catalog_hosts(cat, s); n++)
				if (catalog_host(cat, s, p, n, host, sizeof(host)) >= 0)
					learn(c, SRC_HOST_ID, 0, host);
}

static void
learn_words(struct check *c)
{
	static const enum catalog_source flags[] = { SRC_STATUS_OK, SRC_OP_WRITE, SRC_SPAN_CACHE };
	const struct catalog *cat = c->cat;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		learn(c, flags[i], 0, "true");
		learn(c, flags[i], 0, "false");
	}
	for (int i = 0; i < cat->nservices; i++) {
		learn(c, SRC_SERVICE_GROUP, 0, cat->service[i].group);
		for (int k = 0; k < cat->nserviceparts; k++)
			learn(c, SRC_SERVICE_PART, k, cat->service[i].part[k]);
	}
	for (int i = 0; i < cat->nplaces; i++) {
		learn(c, SRC_PLACE_ID, 0, cat->place[i].id);
		for (int k = 0; k < cat->nplaceparts; k++)
			learn(c, SRC_PLACE_PART, k, cat->place[i].part[k]);
	}
	for (int i = 0; i < cat->npersonas; i++)
		learn(c, SRC_PERSONA_ID, 0, cat->persona[i].id);
	for (int i = 0; i < cat->nobjects; i++)
		learn(c, SRC_OBJECT_TYPE, 0, cat->object[i]);
	for (int i = 0; i < cat->nlinks; i++)
		learn(c, SRC_LINK_ID, 0, cat->link[i].id);
	for (int i = 0; c->world != NULL && i < c->world->nreleases; i++)
		learn(c, SRC_RELEASE_ID, 0, c->world->release[i].id);
	learn_hosts(c);
}

static int
is_word(const struct check *c, enum catalog_source source, int arg, struct json_value v)
{
	return keys_find(&c->tags.words, word_key(source, arg, value_key(v))) != NULL;
}

/* Is it known of a source which values it has? */
static int
is_listed(const struct check *c, enum catalog_source source)
{
	switch (source) {
	case SRC_RELEASE_ID:
		return c->world != NULL;
	case SRC_STATUS_OK:
	case SRC_OP_WRITE:
	case SRC_SPAN_CACHE:
	case SRC_SERVICE_PART:
	case SRC_PLACE_ID:
	case SRC_PLACE_PART:
	case SRC_PERSONA_ID:
	case SRC_OBJECT_TYPE:
	case SRC_LINK_ID:
	case SRC_HOST_ID:
		return 1;
	default:
		return 0;
	}
}

/* ---- which tags there are ---- */

/* What every request has. */
static int
is_constant(enum catalog_source source)
{
	switch (source) {
	case SRC_SERVICE_ID:
	case SRC_SERVICE_PART:
	case SRC_SERVICE_NAME:
	case SRC_SERVICE_GROUP:
	case SRC_PLACE_ID:
	case SRC_PLACE_PART:
	case SRC_PERSONA_ID:
	case SRC_RELEASE_ID:
	case SRC_OP_NAME:
	case SRC_OP_WRITE:
	case SRC_STATUS_OK:
		return 1;
	default:
		return 0;
	}
}

static void
add_tag(struct tagset *s, const char *name, enum catalog_source source, int arg, int always)
{
	if (s->n == CHECK_TAGS)
		return;
	s->tag[s->n] = (struct tag){ .name = name, .len = strlen(name), .source = source, .arg = arg };
	s->always |= (uint64_t)(always != 0) << s->n;
	s->n++;
}

/* The fields of the layout "tags"; one with several rows may have any value. */
static void
add_fields(struct check *c, struct tagset *s)
{
	int tags = catalog_layout(c->cat, "tags", 4);
	const struct catalog_layout *l = tags < 0 ? NULL : &c->cat->layout[tags];

	for (int i = 0, n; l != NULL && i < l->n; i += n) {
		const struct catalog_field *f = &l->field[i];
		int plain = f->value.n == 1;

		for (n = 1; i + n < l->n && strcmp(l->field[i + n].name, f->name) == 0; n++)
			plain = 0;
		add_tag(s, f->name, plain ? f->value.piece[0].src : SRC_NONE, plain ? f->value.piece[0].arg : 0,
		    plain && f->when.n == 0 && is_constant(f->value.piece[0].src));
	}
}

/* Names of parts, as og-series gives them: not that of the thing itself, and none that a place and a service share. */
static void
add_parts(struct tagset *s, char *const *name, int n, enum catalog_source source)
{
	for (int i = 0; i < n; i++)
		if (s->n == 0 || strcmp(name[i], s->tag[0].name) != 0 || s->tag[0].source != SRC_HOST_ID)
			add_tag(s, name[i], source, i, 1);
}

static void
add_things(struct check *c, struct tagset *s, enum catalog_of of)
{
	const struct catalog *cat = c->cat;

	if (of == OF_LINK) {
		add_tag(s, "link", SRC_LINK_ID, 0, 1);
		add_tag(s, "from", SRC_PLACE_ID, 0, 1);
		add_tag(s, "to", SRC_PLACE_ID, 0, 1);
		return;
	}
	if (of == OF_HOST)
		add_tag(s, "host", SRC_HOST_ID, 0, 1);
	if (of == OF_SERVICE)
		add_parts(s, cat->servicepart, cat->nserviceparts, SRC_SERVICE_PART);
	add_parts(s, cat->placepart, cat->nplaceparts, SRC_PLACE_PART);
}

static int
has_key(const struct catalog_layout *l, const struct tag *t)
{
	for (int i = 0; i < l->n; i++) {
		const struct catalog_text *v = &l->field[i].value;

		if (v->n == 1 && v->piece[0].src == t->source && v->piece[0].arg == t->arg)
			return 1;
	}
	return 0;
}

/* Of what the lines of each layout of events and spans have keys for: the tags of their samples. */
static int
find_lines(struct check *c)
{
	const struct catalog *cat = c->cat;
	const struct tagset *s = &c->tags.of[TAGS_SAMPLE];

	if ((c->tags.lines = calloc((size_t)cat->nlayouts + 1, sizeof(*c->tags.lines))) == NULL)
		return -1;
	for (int i = 0; i < cat->nlayouts; i++) {
		uint64_t has = 0;

		if (cat->layout[i].record != RECORD_SPAN && cat->layout[i].record != RECORD_EVENT)
			continue;
		for (int k = 0; k < s->n; k++)
			has |= (uint64_t)(s->always >> k & 1 && has_key(&cat->layout[i], &s->tag[k])) << k;
		c->tags.lines[c->tags.nlines++] = has;
	}
	return 0;
}

int
tags_open(struct check *c)
{
	learn_words(c);
	add_fields(c, &c->tags.of[TAGS_SAMPLE]);
	add_fields(c, &c->tags.of[TAGS_AGGREGATE]);
	for (int of = OF_LINK; of <= OF_PLACE; of++) {
		struct tagset *s = &c->tags.of[TAGS_SERIES + of];

		add_things(c, s, (enum catalog_of)of);
		s->met = s->always;
	}
	return c->tags.failed ? -1 : find_lines(c);
}

void
tags_free(struct check *c)
{
	keys_free(&c->tags.words);
	free(c->tags.lines);
}

/* ---- the tags of a line ---- */

/* Those of the lines that have all of these, and the fewest besides; these alone when there are no such lines. */
static uint64_t
whole(const struct check *c, uint64_t some)
{
	uint64_t best = 0;

	for (int i = 0; i < c->tags.nlines; i++) {
		uint64_t has = c->tags.lines[i];

		if ((has & some) == some && (best == 0 || __builtin_popcountll(has) < __builtin_popcountll(best)))
			best = has;
	}
	return best != 0 ? best : some;
}

/* Which tags a sample has at all events is that which others of its kind have. */
static void
check_there(struct check *c, enum tags_kind kind, struct tagset *s, uint64_t has)
{
	uint64_t need = s->met;

	has &= s->always;
	if (need == 0)
		need = kind == TAGS_SAMPLE ? whole(c, has) : has;
	for (int i = 0; i < s->n; i++)
		if (need >> i & 1 && !(has >> i & 1))
			check_fault(c, P_NAMES, c->line, "no tag \"%s\"", s->tag[i].name);
		else if (s->met != 0 && has >> i & 1 && !(need >> i & 1))
			check_fault(c, P_NAMES, c->line, "tag \"%s\", which those above lack", s->tag[i].name);
	s->met = need | has;
}

/* A service by its id, or by its name and its groups, as far as they are there; and what it does. */
static void
check_service(struct check *c, struct json_value id, struct json_value name, struct json_value group, struct json_value action)
{
	char one[64], two[64];
	int service = -1;

	if (id.p != NULL || name.p != NULL) {
		service = names_service(c, id, name, group);
		if (service == -1 && id.p == NULL && group.p != NULL)
			check_fault(c, P_NAMES, c->line, "no service %s of %s in the catalog", show(name, one), show(group, two));
		else if (service == -1)
			check_fault(c, P_NAMES, c->line, "no service %s in the catalog", show(id.p != NULL ? id : name, one));
		if (service == -1)
			return;
	} else if (group.p != NULL && !is_word(c, SRC_SERVICE_GROUP, 0, group))
		check_fault(c, P_NAMES, c->line, "no services of %s in the catalog", show(group, one));
	if (action.p != NULL && !names_operation(c, service, action))
		check_fault(c, P_NAMES, c->line, "no operation %s %s %s", show(action, one), service == -1 ? "in" : "at",
		    service == -1 ? "the catalog" : c->cat->service[service].id);
}

static const struct tag *
tag_of(const struct tagset *s, struct json_value key)
{
	for (int i = 0; i < s->n; i++)
		if (s->tag[i].len == key.n && memcmp(s->tag[i].name, key.p, key.n) == 0)
			return &s->tag[i];
	return NULL;
}

static void
check_all(struct check *c, enum tags_kind kind, struct json_value tags)
{
	struct tagset *s = &c->tags.of[kind];
	struct json_value key, v, name = { NULL, 0 }, group = name, id = name, action = name;
	const char *next = NULL;
	char text[64];
	uint64_t has = 0;

	while (json_member(tags, &next, &key, &v) == 1) {
		const struct tag *t = tag_of(s, key);

		if (t == NULL) {
			/* An aggregate may be told apart by any key of the lines. */
			if (kind != TAGS_AGGREGATE)
				check_fault(c, P_NAMES, c->line, "\"%.*s\" is no tag of it", key.n < 64 ? (int)key.n : 64, key.p);
			continue;
		}
		if (has >> (t - s->tag) & 1)
			check_fault(c, P_NAMES, c->line, "tag \"%s\" twice", t->name);
		has |= 1ULL << (t - s->tag);
		name = t->source == SRC_SERVICE_NAME ? v : name;
		group = t->source == SRC_SERVICE_GROUP ? v : group;
		id = t->source == SRC_SERVICE_ID ? v : id;
		action = t->source == SRC_OP_NAME ? v : action;
		if (is_listed(c, t->source) && !is_word(c, t->source, t->arg, v))
			check_fault(c, P_NAMES, c->line, "\"%s\": there is no %s", t->name, show(v, text));
	}
	check_service(c, id, name, group, action);
	check_there(c, kind, s, has);
}

void
tags_check(struct check *c, enum tags_kind kind, uint64_t set, struct json_value tags)
{
	uint64_t key = mix(set ^ mix((uint64_t)kind + 1)), broken = c->account[P_NAMES].broken;

	/* Samples of one span have the same ones, and so have those of an interval. */
	if (key == c->tags.good)
		return;
	check_all(c, kind, tags);
	if (c->account[P_NAMES].broken == broken)
		c->tags.good = key;
}
