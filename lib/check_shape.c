/* Lines as their layout has them: which keys, in which order, of which types; and where what is looked at stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "clock.h"

enum { T_NULL = 1, T_TEXT = 2, T_BOOL = 4, T_WHOLE = 8, T_NUMBER = 16 };

static unsigned
types_of(const struct catalog_text *t)
{
	if (t->n != 1)
		return T_TEXT | T_NULL;
	switch (t->piece[0].src) {
	case SRC_SPAN_TIME:
	case SRC_SPAN_END:
		return t->piece[0].arg == TIME_UNIX                            ? T_NUMBER
		    : t->piece[0].arg == TIME_MS || t->piece[0].arg == TIME_NS ? T_WHOLE
									       : T_TEXT;
	case SRC_ROOT_DURATION:
	case SRC_SPAN_DURATION:
	case SRC_REMOTE_DURATION:
	case SRC_LINK_RTT:
	case SRC_LINK_LOSS:
	case SRC_TRUTH_SKEW:
		return T_NUMBER | T_NULL;
	case SRC_ROOT_RETRIES:
	case SRC_RELEASE_NUMBER:
	case SRC_SPAN_ATTEMPT:
	case SRC_SPAN_REQUEST_BYTES:
	case SRC_SPAN_RESPONSE_BYTES:
	case SRC_SPAN_DB:
	case SRC_STATUS_HTTP:
		return T_WHOLE | T_NULL;
	case SRC_SPAN_CACHE:
		return T_BOOL | T_NULL;
	case SRC_OP_WRITE:
	case SRC_STATUS_OK:
		return T_BOOL;
	case SRC_TRACE_ID:
	case SRC_SPAN_ID:
	case SRC_SPAN_REQUEST:
	case SRC_REQUEST_ID:
	case SRC_SERVICE_ID:
	case SRC_SERVICE_NAME:
	case SRC_SERVICE_GROUP:
	case SRC_OP_NAME:
	case SRC_PLACE_ID:
	case SRC_RELEASE_ID:
	case SRC_LOG_LEVEL:
	case SRC_USER_ID:
		return T_TEXT;
	default:
		return T_TEXT | T_NULL;
	}
}

static int
is_failure(enum catalog_source s)
{
	return s == SRC_ERROR_CODE || s == SRC_ERROR_TYPE || s == SRC_ERROR_MESSAGE || s == SRC_ERROR_SOURCE || s == SRC_STATUS_MESSAGE ||
	    s == SRC_STATUS_TYPE;
}

static enum role
role_of(enum catalog_source s)
{
	static const struct {
		enum catalog_source source;
		enum role role;
	} known[] = { { SRC_SPAN_TIME, R_TIME }, { SRC_SPAN_END, R_END }, { SRC_SPAN_DURATION, R_DURATION }, { SRC_TRACE_ID, R_TRACE },
		{ SRC_SPAN_ID, R_SPAN }, { SRC_SPAN_PARENT, R_PARENT }, { SRC_SPAN_REQUEST, R_REQUEST }, { SRC_USER_ID, R_USER },
		{ SRC_TARGET_ID, R_TARGET }, { SRC_PERSONA_ID, R_PERSONA }, { SRC_RELEASE_ID, R_RELEASE }, { SRC_RELEASE_NUMBER, R_NUMBER },
		{ SRC_PLACE_ID, R_PLACE }, { SRC_SERVICE_ID, R_SERVICE }, { SRC_SERVICE_NAME, R_NAME }, { SRC_SERVICE_GROUP, R_GROUP },
		{ SRC_OP_NAME, R_ACTION }, { SRC_OBJECT_TYPE, R_OBJECT_TYPE }, { SRC_STATUS_OK, R_SUCCESS }, { SRC_STATUS_HTTP, R_HTTP },
		{ SRC_ERROR_CODE, R_CODE }, { SRC_STATUS_CODE, R_STATUS }, { SRC_ERROR_MESSAGE, R_MESSAGE }, { SRC_ERROR_SOURCE, R_SOURCE },
		{ SRC_ERROR_TYPE, R_TYPE }, { SRC_ERROR_REQUEST, R_UPSTREAM }, { SRC_ERROR_CAUSE, R_CAUSE }, { SRC_LOG_LEVEL, R_LEVEL },
		{ SRC_OP_WRITE, R_WRITE }, { SRC_SPAN_CACHE, R_CACHE } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].source == s)
			return known[i].role;
	return ROLES;
}

/* A field has a role when it has no other value. */
static void
take_role(struct check *c, const struct catalog_layout *l, int row, int field)
{
	const struct catalog_field *f = &l->field[row];
	enum role r;

	if ((row > 0 && strcmp(l->field[row - 1].name, f->name) == 0) || (row + 1 < l->n && strcmp(l->field[row + 1].name, f->name) == 0))
		return;
	if (f->value.n != 1 || (f->when.n > 0 && !is_failure(f->value.piece[0].src)))
		return;
	c->field[field].failure = is_failure(f->value.piece[0].src);
	r = role_of(f->value.piece[0].src);
	if (r == ROLES || c->at[r] >= 0)
		return;
	if ((r == R_TIME || r == R_END) && (f->value.piece[0].arg == TIME_COMPACT || f->value.piece[0].arg == TIME_DATE))
		return;
	c->at[r] = field;
	c->form[r] = f->value.piece[0].arg;
	/* What is rounded or cut off may be missing when ends are compared. */
	if (r == R_DURATION && f->value.piece[0].places >= 0 && f->value.piece[0].places < 3)
		c->slack += (int64_t[]){ 1000, 100, 10 }[f->value.piece[0].places];
	if (r == R_TIME || r == R_END)
		c->slack += c->form[r] == TIME_MS ? 1000 : c->form[r] == TIME_RFC3339 ? CLOCK_SECOND : 0;
}

static int
take_fields(struct check *c, const struct catalog_layout *l)
{
	if ((c->field = calloc((size_t)l->n + 1, sizeof(*c->field))) == NULL)
		return -1;
	for (int i = 0; i < ROLES; i++)
		c->at[i] = -1;
	for (int i = 0; i < l->n; i++) {
		struct layout_field *f;
		size_t n = strlen(l->field[i].name);

		if (strcmp(l->field[i].name, "*") == 0)
			continue;
		if (i == 0 || c->nfields == 0 || strcmp(l->field[i - 1].name, l->field[i].name) != 0) {
			f = &c->field[c->nfields++];
			/* As it stands between quotes. */
			if ((f->name = malloc(JSON_QUOTED(n))) == NULL)
				return -1;
			f->n = (size_t)(json_quote(f->name, l->field[i].name, n) - f->name) - 2;
			memmove(f->name, f->name + 1, f->n);
			f->name[f->n] = '\0';
		}
		f = &c->field[c->nfields - 1];
		f->types |= types_of(&l->field[i].value) | (l->field[i].when.n > 0 ? T_NULL : 0U);
		take_role(c, l, i, c->nfields - 1);
	}
	return 0;
}

/* Which promises the lines of this layout can be held to. */
static void
take_promises(struct check *c)
{
	static const char no_world[] = "needs the world", no_key[] = "the layout has no key for it";
	const int *at = c->at;
	int tree = at[R_TRACE] >= 0 && at[R_SPAN] >= 0 && at[R_PARENT] >= 0;
	int known = at[R_SERVICE] >= 0 || at[R_NAME] >= 0;

	check_applies(c, P_JSON, 1, NULL);
	check_applies(c, P_KEYS, 1, NULL);
	check_applies(c, P_TYPES, 1, NULL);
	check_applies(c, P_IDS, at[R_TRACE] >= 0 || at[R_SPAN] >= 0 || at[R_REQUEST] >= 0, no_key);
	check_applies(c, P_TREES, tree, no_key);
	check_applies(c, P_PARENTS, tree, no_key);
	check_applies(c, P_INSIDE, tree && at[R_TIME] >= 0, no_key);
	check_applies(c, P_SHARED, tree && (at[R_USER] >= 0 || at[R_PERSONA] >= 0), no_key);
	check_applies(c, P_WINDOW, at[R_TIME] >= 0 && c->world != NULL, at[R_TIME] >= 0 ? no_world : no_key);
	check_applies(c, P_ORDER, at[R_TIME] >= 0 && !c->plan.unordered, at[R_TIME] >= 0 ? "any order was asked for" : no_key);
	check_applies(c, P_LEVELS, at[R_LEVEL] >= 0, no_key);
	check_applies(c, P_OUTCOMES, at[R_SUCCESS] >= 0 || at[R_HTTP] >= 0 || at[R_CODE] >= 0, no_key);
	check_applies(c, P_SOURCES, at[R_SOURCE] >= 0, no_key);
	check_applies(c, P_CAUSES, at[R_SOURCE] >= 0 && at[R_CAUSE] >= 0 && c->world != NULL, c->world == NULL ? no_world : no_key);
	check_applies(c, P_UPSTREAM, tree && at[R_SOURCE] >= 0 && at[R_UPSTREAM] >= 0 && at[R_REQUEST] >= 0, no_key);
	check_applies(c, P_TRAVELS, tree && known, no_key);
	check_applies(c, P_RELEASES, (at[R_RELEASE] >= 0 || (at[R_NUMBER] >= 0 && at[R_PLACE] >= 0)) && known && c->world != NULL,
	    c->world == NULL ? no_world : no_key);
	check_applies(c, P_ROLLOUTS, at[R_ACTION] >= 0 && at[R_REQUEST] >= 0 && c->world != NULL && c->cat->set.rollout_start >= 0,
	    c->world == NULL ? no_world : no_key);
	check_applies(c, P_NAMES, known, no_key);
	check_applies(c, P_MEASUREMENTS, at[R_DURATION] >= 0 || at[R_END] >= 0 || at[R_CACHE] >= 0, no_key);
}

int
shape_open(struct check *c, char *err, size_t errsize)
{
	const struct catalog_layout *l = &c->cat->layout[c->plan.layout];
	const char *none = "";

	if (l->record != RECORD_SPAN && l->record != RECORD_EVENT) {
		(void)snprintf(err, errsize, "%s: layout \"%s\" is not of spans or events", c->cat->name, l->name);
		return -1;
	}
	if (l->n > CHECK_FIELDS) {
		(void)snprintf(err, errsize, "%s: layout \"%s\" has more than %d rows", c->cat->name, l->name, CHECK_FIELDS);
		return -1;
	}
	if (take_fields(c, l) == -1 || (c->json = json_reader(&none, 0)) == NULL)
		return -1;
	take_promises(c);
	return 0;
}

/* The keys of the line, one after the other. */
static int
read_members(struct check *c, const char *line, size_t len)
{
	struct json_value whole = { line, len }, key;
	const char *next = NULL;
	char text[64];
	int n = 0;

	for (struct json_value v; json_member(whole, &next, &key, &v) == 1; n++) {
		if (n < c->nfields && key.n == c->field[n].n && memcmp(key.p, c->field[n].name, key.n) == 0) {
			c->v[n] = v;
			continue;
		}
		key.p--; /* with its quotes */
		key.n += 2;
		if (n < c->nfields)
			check_fault(c, P_KEYS, c->line, "%s where \"%s\" should be", show(key, text), c->field[n].name);
		else
			check_fault(c, P_KEYS, c->line, "%s, which the layout has not", show(key, text));
		return -1;
	}
	if (n == c->nfields)
		return 0;
	check_fault(c, P_KEYS, c->line, "no \"%s\"", c->field[n].name);
	return -1;
}

static int
has_type(struct json_value v, unsigned types)
{
	uint64_t u;
	double x;
	int b;

	if (json_is_null(v))
		return (types & T_NULL) != 0;
	if (json_is_string(v))
		return (types & T_TEXT) != 0;
	if (json_bool(v, &b) == 0)
		return (types & T_BOOL) != 0;
	return ((types & T_WHOLE) != 0 && json_u64(v, &u) == 0) || ((types & T_NUMBER) != 0 && json_double(v, &x) == 0);
}

int
shape_time(const struct check *c, enum role r, int64_t *us)
{
	struct json_value v = role(c, r);
	char text[64];
	uint64_t ns;
	int n;

	switch ((enum catalog_time)c->form[r]) {
	case TIME_NS:
		if (json_u64(v, &ns) == -1)
			return -1;
		*us = (int64_t)(ns / 1000);
		return 0;
	case TIME_UNIX:
		return json_scaled(v, 6, us);
	case TIME_MS:
		return json_scaled(v, 3, us);
	default:
		n = json_text(v, text, sizeof(text));
		if (n < 0 || clock_parse(text, (size_t)n, us) == -1)
			return -1;
		/* All digits, always. */
		return c->form[r] == TIME_RFC3339US && (n != CLOCK_LEN || text[n - 1] != 'Z') ? -1 : 0;
	}
}

static int
check_types(struct check *c)
{
	char text[64];
	int64_t us;

	check_count(c, P_TYPES);
	for (int i = 0; i < c->nfields; i++)
		if (!has_type(c->v[i], c->field[i].types)) {
			check_fault(c, P_TYPES, c->line, "\"%s\": %s", c->field[i].name, show(c->v[i], text));
			return -1;
		}
	for (enum role r = R_TIME; r <= R_END; r++)
		if (c->at[r] >= 0 && shape_time(c, r, &us) == -1) {
			check_fault(c, P_TYPES, c->line, "\"%s\" is no such time: %s", c->field[c->at[r]].name, show(role(c, r), text));
			return -1;
		}
	return 0;
}

int
shape_read(struct check *c, const char *line, size_t len)
{
	const struct json_shape *s;
	struct json_value none;
	const char *e;
	int known;

	if (json_read(c->json, line, len, &none, &e) == -1) {
		check_fault(c, P_JSON, c->line, "%s", e);
		return -1;
	}
	check_count(c, P_KEYS);
	s = json_shape(c->json);
	known = s->id != 0 && c->shape[s->slot].id == s->id && c->shape[s->slot].ok && s->n == c->nfields;
	if (known)
		memcpy(c->v, s->value, (size_t)s->n * sizeof(*c->v));
	else if (read_members(c, line, len) == -1)
		return -1;
	if (s->id != 0) {
		c->shape[s->slot].id = s->id;
		c->shape[s->slot].ok = 1;
	}
	return check_types(c);
}
