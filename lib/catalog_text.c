/* Templates and conditions of a catalog. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "num.h"

#define LINE (IN_LOG | IN_SPAN | IN_LINE | IN_TICKET) /* what a record shows of the span that it is about */
#define SHOWN (LINE | IN_AGGREGATE)                   /* and what spans can be grouped by */
#define SERIES (IN_OF_LINK | IN_OF_HOST | IN_OF_SERVICE | IN_OF_PLACE)
#define LINK (IN_OF_LINK | IN_INCIDENT)
#define SERVICE (SHOWN | IN_EARLY | IN_HOST | IN_OF_SERVICE)
#define PLACE (SERVICE | IN_OF_HOST | IN_OF_PLACE)
#define DRAWN (LINE | IN_INCIDENT) /* has a key of its own */

/* The sources without an argument. */
static const struct {
	const char *name;
	enum catalog_source src;
	unsigned where;
	int is_number;
} source[] = {
	{ "request.id", SRC_REQUEST_ID, LINE, 0 },
	{ "trace.id", SRC_TRACE_ID, LINE, 0 },
	{ "user.id", SRC_USER_ID, LINE, 0 },
	{ "persona.id", SRC_PERSONA_ID, SHOWN | IN_EARLY, 0 },
	{ "persona.class", SRC_PERSONA_CLASS, SHOWN | IN_EARLY, 0 },
	{ "target.id", SRC_TARGET_ID, LINE, 0 },
	{ "object.type", SRC_OBJECT_TYPE, SHOWN | IN_EARLY, 0 },
	{ "object.id", SRC_OBJECT_ID, LINE, 0 },
	{ "root.operation", SRC_ROOT_OPERATION, SHOWN | IN_EARLY | IN_OPERATION, 0 },
	{ "root.category", SRC_ROOT_CATEGORY, SHOWN | IN_EARLY, 0 },
	{ "root.duration_ms", SRC_ROOT_DURATION, LINE, 1 },
	{ "root.retries", SRC_ROOT_RETRIES, LINE, 1 },
	{ "remote.link", SRC_REMOTE_LINK, LINE, 0 },
	{ "remote.place", SRC_REMOTE_PLACE, LINE, 0 },
	{ "remote.service", SRC_REMOTE_SERVICE, LINE, 0 },
	{ "remote.duration_ms", SRC_REMOTE_DURATION, LINE, 1 },
	{ "place.id", SRC_PLACE_ID, PLACE, 0 },
	{ "service.id", SRC_SERVICE_ID, SERVICE, 0 },
	{ "service.name", SRC_SERVICE_NAME, SERVICE, 0 },
	{ "service.group", SRC_SERVICE_GROUP, SERVICE, 0 },
	{ "host.id", SRC_HOST_ID, SHOWN | IN_OF_HOST, 0 },
	{ "release.id", SRC_RELEASE_ID, SHOWN, 0 },
	{ "release.number", SRC_RELEASE_NUMBER, SHOWN, 1 },
	{ "span.id", SRC_SPAN_ID, LINE, 0 },
	{ "span.parent_id", SRC_SPAN_PARENT, LINE, 0 },
	{ "span.request_id", SRC_SPAN_REQUEST, LINE, 0 },
	{ "span.kind", SRC_SPAN_KIND, SHOWN, 0 },
	{ "span.attempt", SRC_SPAN_ATTEMPT, SHOWN, 1 },
	{ "span.duration_ms", SRC_SPAN_DURATION, LINE, 1 },
	{ "span.request_bytes", SRC_SPAN_REQUEST_BYTES, LINE, 1 },
	{ "span.response_bytes", SRC_SPAN_RESPONSE_BYTES, LINE, 1 },
	{ "span.db_queries", SRC_SPAN_DB, LINE, 1 },
	{ "span.cache_hit", SRC_SPAN_CACHE, SHOWN, 0 },
	{ "call.link", SRC_CALL_LINK, SHOWN, 0 },
	{ "call.place", SRC_CALL_PLACE, SHOWN, 0 },
	{ "operation.name", SRC_OP_NAME, SHOWN, 0 },
	{ "operation.write", SRC_OP_WRITE, SHOWN, 0 },
	{ "operation.category", SRC_OP_CATEGORY, SHOWN, 0 },
	{ "status.ok", SRC_STATUS_OK, SHOWN, 0 },
	{ "status.code", SRC_STATUS_CODE, SHOWN, 0 },
	{ "status.http", SRC_STATUS_HTTP, SHOWN, 1 },
	{ "status.message", SRC_STATUS_MESSAGE, SHOWN, 0 },
	{ "status.type", SRC_STATUS_TYPE, SHOWN, 0 },
	{ "error.code", SRC_ERROR_CODE, SHOWN, 0 },
	{ "error.type", SRC_ERROR_TYPE, SHOWN, 0 },
	{ "error.message", SRC_ERROR_MESSAGE, SHOWN, 0 },
	{ "error.source", SRC_ERROR_SOURCE, SHOWN, 0 },
	{ "error.request_id", SRC_ERROR_REQUEST, LINE, 0 },
	{ "error.cause", SRC_ERROR_CAUSE, SHOWN, 0 },
	{ "log.level", SRC_LOG_LEVEL, IN_SPAN | IN_LINE | IN_AGGREGATE, 0 },
	{ "log.message", SRC_LOG_MESSAGE, IN_SPAN | IN_LINE, 0 },
	{ "log.event", SRC_LOG_EVENT, IN_LINE, 0 },
	{ "log.service", SRC_LOG_SERVICE, IN_LINE, 0 },
	{ "log.host", SRC_LOG_HOST, IN_LINE, 0 },
	{ "log.span_id", SRC_LOG_SPAN, IN_LINE, 0 },
	{ "ticket.id", SRC_TICKET_ID, IN_TICKET, 0 },
	{ "ticket.request_id", SRC_TICKET_REQUEST, IN_TICKET, 0 },
	{ "ticket.delay_min", SRC_TICKET_DELAY, IN_TICKET, 1 },
	{ "incident.id", SRC_INCIDENT_ID, IN_INCIDENT, 0 },
	{ "incident.type", SRC_INCIDENT_TYPE, IN_INCIDENT, 0 },
	{ "incident.message", SRC_INCIDENT_MESSAGE, IN_INCIDENT, 0 },
	{ "incident.link", SRC_INCIDENT_LINK, IN_INCIDENT, 0 },
	{ "incident.component", SRC_INCIDENT_COMPONENT, IN_INCIDENT, 0 },
	{ "incident.role", SRC_INCIDENT_ROLE, IN_INCIDENT, 0 },
	{ "link.id", SRC_LINK_ID, LINK, 0 },
	{ "link.from", SRC_LINK_FROM, LINK, 0 },
	{ "link.to", SRC_LINK_TO, LINK, 0 },
	{ "link.rtt_ms", SRC_LINK_RTT, LINK, 1 },
	{ "link.loss_pct", SRC_LINK_LOSS, LINK, 1 },
	{ "agg.count", SRC_AGG_COUNT, IN_AGGREGATE, 1 },
	{ "agg.failed", SRC_AGG_FAILED, IN_AGGREGATE, 1 },
	{ "agg.rate", SRC_AGG_RATE, IN_AGGREGATE, 1 },
	{ "agg.error_rate", SRC_AGG_ERROR_RATE, IN_AGGREGATE, 1 },
	{ "agg.mean_ms", SRC_AGG_MEAN, IN_AGGREGATE, 1 },
	{ "agg.saturation", SRC_AGG_SATURATION, IN_AGGREGATE, 1 },
	{ "truth.incidents", SRC_TRUTH_INCIDENTS, IN_SPAN | IN_LINE | IN_TICKET, 0 },
	{ "truth.source", SRC_TRUTH_SOURCE, IN_SPAN | IN_LINE | IN_TICKET, 0 },
	{ "truth.skew_ms", SRC_TRUTH_SKEW, IN_SPAN | IN_LINE, 1 },
	{ "truth.noise", SRC_TRUTH_NOISE, IN_TICKET, 0 },
	{ "cause.service", SRC_CAUSE_SERVICE, IN_CASCADE, 0 },
	{ "cause.message", SRC_CAUSE_MESSAGE, IN_CASCADE, 0 },
	{ "uuid", SRC_UUID, DRAWN | IN_IDS, 0 },
	{ "n", SRC_N, IN_IDS | IN_HOST, 1 },
};

/* Those with one: what comes before it. */
enum argument { ARG_TIME, ARG_PLACE, ARG_SERVICE, ARG_CONST, ARG_LIST, ARG_BOUNDS, ARG_HEX, ARG_DIGITS, ARG_PERCENT, ARG_DIST, ARG_SERIES };
static const struct {
	const char *prefix;
	enum catalog_source src;
	enum argument argument;
	unsigned where;
	int is_number;
} family[] = {
	{ "span.time.", SRC_SPAN_TIME, ARG_TIME, LINE, 0 },
	{ "span.end.", SRC_SPAN_END, ARG_TIME, LINE, 0 },
	{ "log.time.", SRC_LOG_TIME, ARG_TIME, IN_LINE, 0 },
	{ "ticket.time.", SRC_TICKET_TIME, ARG_TIME, IN_TICKET, 0 },
	{ "incident.time.", SRC_INCIDENT_TIME, ARG_TIME, IN_INCIDENT, 0 },
	{ "incident.end.", SRC_INCIDENT_END, ARG_TIME, IN_INCIDENT, 0 },
	{ "time.", SRC_TIME, ARG_TIME, SHOWN | IN_INCIDENT | SERIES | IN_IDS, 0 },
	{ "place.", SRC_PLACE_PART, ARG_PLACE, PLACE, 0 },
	{ "service.", SRC_SERVICE_PART, ARG_SERVICE, SERVICE, 0 },
	{ "series.", SRC_SERIES, ARG_SERIES, SERIES, 1 },
	{ "agg.p", SRC_AGG_QUANTILE, ARG_PERCENT, IN_AGGREGATE, 1 },
	{ "agg.histogram:", SRC_AGG_HISTOGRAM, ARG_BOUNDS, IN_AGGREGATE, 0 },
	{ "agg.bytes_histogram:", SRC_AGG_BYTES, ARG_BOUNDS, IN_AGGREGATE, 0 },
	{ "const.", SRC_CONST, ARG_CONST, ~0u, 0 },
	{ "pick:", SRC_PICK, ARG_LIST, DRAWN | IN_IDS, 0 },
	{ "draw:", SRC_DRAW, ARG_DIST, DRAWN, 1 },
	{ "hex:", SRC_HEX, ARG_HEX, DRAWN | IN_IDS, 0 },
	{ "digits:", SRC_DIGITS, ARG_DIGITS, DRAWN | IN_IDS, 0 },
};

static const char *const time_word[] = {
	[TIME_RFC3339US] = "rfc3339us",
	[TIME_RFC3339] = "rfc3339",
	[TIME_UNIX] = "unix",
	[TIME_MS] = "ms",
	[TIME_NS] = "ns",
	[TIME_COMPACT] = "compact",
	[TIME_DATE] = "date",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
position(char *const *word, int n, const char *s)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(word[i], s) == 0)
			return i;
	return -1;
}

static int
digits_up_to(const char *s, int most)
{
	int64_t v;

	return num_scaled(s, strlen(s), 0, &v) == 0 && v >= 1 && v <= most ? (int)v : -1;
}

/* "95_ms" */
static int
percent_of(const char *s)
{
	size_t n = strlen(s);
	int64_t v;

	if (n < 4 || strcmp(s + n - 3, "_ms") != 0 || num_scaled(s, n - 3, 0, &v) != 0)
		return -1;
	return v >= 1 && v <= 99 ? (int)v : -1;
}

static const struct catalog_dist *
dist_of(struct load *l, const char *s)
{
	struct catalog_dist *d = catalog_get(l, 1, sizeof(*d));

	catalog_quantity(l, (struct cell){ "draw", catalog_keep(l, s, strlen(s)) }, NULL, d, -MANY, MANY, 1);
	if (d->kind == DIST_NONE)
		catalog_fail(l, "nothing to draw from");
	return d;
}

/* The argument as a number, -1 when it is none. */
static int
argument_of(struct load *l, enum argument kind, const char *s, struct catalog_piece *p)
{
	const struct catalog *c = l->c;
	size_t i;
	int k;

	switch (kind) {
	case ARG_TIME:
		for (i = 0; i < COUNT(time_word); i++)
			if (strcmp(s, time_word[i]) == 0)
				return (int)i;
		return -1;
	case ARG_PLACE:
		return position(c->placepart, c->nplaceparts, s);
	case ARG_SERVICE:
		return position(c->servicepart, c->nserviceparts, s);
	case ARG_CONST:
		if ((k = catalog_index_find(&l->a->constant, s, strlen(s), 0)) != -1)
			p->text = c->cvalue[k];
		return k == -1 ? -1 : 0;
	case ARG_LIST:
	case ARG_BOUNDS:
		if ((k = catalog_list(c, s, strlen(s))) == -1)
			catalog_fail(l, "no list \"%s\"", s);
		if (kind == ARG_BOUNDS && strncmp(s, "buckets_", 8) != 0)
			catalog_fail(l, "list \"%s\" is not one of bounds, whose names begin with buckets_", s);
		return k;
	case ARG_HEX:
		return digits_up_to(s, 64);
	case ARG_DIGITS:
		return digits_up_to(s, 18);
	case ARG_PERCENT:
		return percent_of(s);
	case ARG_DIST:
		p->dist = dist_of(l, s);
		return 0;
	case ARG_SERIES:
		if ((k = catalog_series(c, s, strlen(s))) == -1)
			catalog_fail(l, "no series \"%s\"", s);
		return k;
	}
	return -1;
}

/* Find what a source names. *is_number: a format may follow. 0 or -1; *where: the places it may stand. */
static int
resolve(struct load *l, const char *s, struct catalog_piece *p, unsigned *where, int *is_number)
{
	static const unsigned of_kind[] = {
		[OF_LINK] = IN_OF_LINK, [OF_HOST] = IN_OF_HOST, [OF_SERVICE] = IN_OF_SERVICE, [OF_PLACE] = IN_OF_PLACE
	};
	size_t i, n;

	*is_number = 0;
	for (i = 0; i < COUNT(source); i++)
		if (strcmp(s, source[i].name) == 0) {
			p->src = source[i].src;
			*where = source[i].where;
			*is_number = source[i].is_number;
			return 0;
		}
	for (i = 0; i < COUNT(family); i++) {
		n = strlen(family[i].prefix);
		if (strncmp(s, family[i].prefix, n) != 0)
			continue;
		p->src = family[i].src;
		*where = family[i].where;
		*is_number = family[i].is_number;
		p->arg = argument_of(l, family[i].argument, s + n, p);
		if (p->src == SRC_SERIES)
			*where = of_kind[l->c->series[p->arg].of];
		return p->arg == -1 ? -1 : 0;
	}
	return -1;
}

/* ":.2" or ":02" behind a source of numbers; cut off. "hex:16" is an argument, and none of its like takes a format but draw. */
static void
take_format(char *s, struct catalog_piece *p)
{
	static const char *const argued[] = { "pick:", "hex:", "digits:" };
	char *colon = strrchr(s, ':');
	const char *f;
	size_t i;

	p->places = -1;
	for (i = 0; i < COUNT(argued); i++)
		if (strncmp(s, argued[i], strlen(argued[i])) == 0)
			return;
	if (colon == NULL || (strncmp(s, "draw:", 5) == 0 && colon == s + 4))
		return;
	f = colon + 1;
	if (f[0] == '.' && f[1] >= '0' && f[1] <= '9' && f[2] == '\0')
		p->places = f[1] - '0';
	else if (f[0] == '0' && f[1] >= '1' && f[1] <= '9' && (f[2] == '\0' || (f[1] == '1' && f[2] >= '0' && f[2] <= '8' && f[3] == '\0')))
		p->width = f[2] == '\0' ? f[1] - '0' : 10 + f[2] - '0';
	else
		return;
	*colon = '\0';
}

static void
hole(struct load *l, const char *s, size_t n, unsigned where, struct catalog_piece *p)
{
	unsigned allowed;
	char *name;
	int is_number;

	p->text = catalog_keep(l, s, n);
	name = catalog_keep(l, s, n);
	take_format(name, p);
	if (resolve(l, name, p, &allowed, &is_number) == -1) {
		if (where != IN_IDS || strpbrk(p->text, ":.") != NULL || n == 0)
			catalog_fail(l, "no source \"%s\"", p->text);
		p->src = SRC_PART;
		allowed = IN_IDS;
	}
	if ((allowed & where) == 0)
		catalog_fail(l, "source \"%s\" cannot stand here", name);
	if (!is_number && (p->places != -1 || p->width != 0))
		catalog_fail(l, "\"%s\" is not a number and takes no format", name);
}

void
catalog_text_of(struct load *l, const char *s, unsigned where, struct catalog_text *t)
{
	const char *p, *open, *close;
	int room = 1;

	t->n = 0;
	if (*s == '\0')
		return;
	for (p = s; *p != '\0'; p++)
		room += 2 * (*p == '{');
	t->piece = catalog_get(l, (size_t)room, sizeof(*t->piece));
	for (p = s; *p != '\0'; p = close + 1) {
		/* "{}" is text. */
		for (open = p; *open != '\0' && *open != '{' && *open != '}'; open++)
			;
		while (open[0] == '{' && open[1] == '}')
			open += 2 + strcspn(open + 2, "{}");
		if (open > p) {
			t->piece[t->n].text = catalog_keep(l, p, (size_t)(open - p));
			t->piece[t->n++].places = -1;
		}
		if (*open == '\0')
			return;
		close = open + 1 + strcspn(open + 1, "{}");
		if (*open == '}' || *close != '}')
			catalog_fail(l, "unbalanced braces");
		hole(l, open + 1, (size_t)(close - open - 1), where, &t->piece[t->n++]);
	}
}

/* Flags by name; early ones are known before a span ends. */
static const struct {
	const char *name;
	enum catalog_flag flag;
	int early;
} flags[] = {
	{ "ok", FLAG_OK, 0 },
	{ "failed", FLAG_FAILED, 0 },
	{ "read", FLAG_READ, 1 },
	{ "write", FLAG_WRITE, 1 },
	{ "root", FLAG_ROOT, 1 },
	{ "child", FLAG_CHILD, 1 },
	{ "retried", FLAG_RETRIED, 0 },
	{ "retry", FLAG_RETRY, 0 },
	{ "remote", FLAG_REMOTE, 1 },
	{ "exemplar", FLAG_EXEMPLAR, 0 },
};

/* A value that is a name must be one. */
static void
check_value(struct load *l, enum catalog_source src, const char *v)
{
	const struct catalog *c = l->c;
	size_t n = strlen(v);
	int i;

	if (src == SRC_PLACE_ID && catalog_place(c, v, n) == -1)
		catalog_fail(l, "no place \"%s\"", v);
	if (src == SRC_SERVICE_ID && catalog_service(c, v, n) == -1)
		catalog_fail(l, "no service \"%s\"", v);
	if (src == SRC_PERSONA_ID && catalog_index_find(&l->a->persona, v, n, 0) == -1)
		catalog_fail(l, "no persona \"%s\"", v);
	if (src == SRC_OBJECT_TYPE && catalog_index_find(&l->a->object, v, n, 0) == -1)
		catalog_fail(l, "no object type \"%s\"", v);
	if ((src == SRC_STATUS_CODE || src == SRC_ERROR_CODE) && catalog_code(c, v, n) == -1)
		catalog_fail(l, "no code \"%s\"", v);
	if (src != SRC_ROOT_OPERATION && src != SRC_ROOT_CATEGORY)
		return;
	for (i = 0; i < c->nops; i++)
		if (c->op[i].weight > 0 && strcmp(src == SRC_ROOT_OPERATION ? c->op[i].name : c->op[i].category, v) == 0)
			return;
	catalog_fail(l, "no root %s \"%s\"", src == SRC_ROOT_OPERATION ? "operation" : "category", v);
}

static void
values(struct load *l, char *s, struct catalog_term *t)
{
	char *p, *next;
	int n = 1;

	if (*s == '\0')
		return;
	for (p = s; *p != '\0'; p++)
		n += *p == '|';
	t->value = catalog_get(l, (size_t)n, sizeof(*t->value));
	for (p = s; p != NULL; p = next) {
		if ((next = strchr(p, '|')) != NULL)
			*next++ = '\0';
		if (*p == '\0')
			catalog_fail(l, "empty value among those of a condition");
		check_value(l, t->src, p);
		t->value[t->n++] = p;
	}
}

static void
flag_term(struct load *l, const char *s, const char *decided, struct catalog_term *t)
{
	size_t i;

	t->negated = s[0] == '!';
	for (i = 0; i < COUNT(flags); i++) {
		if (strcmp(s + t->negated, flags[i].name) != 0)
			continue;
		if (decided != NULL && !flags[i].early)
			catalog_fail(l, "\"%s\" is not known yet when %s is decided", s, decided);
		t->flag = flags[i].flag;
		return;
	}
	catalog_fail(l, "no condition \"%s\"", s);
}

static void
term(struct load *l, char *s, unsigned where, const char *decided, struct catalog_term *t)
{
	static const char *const id[][2] = { { "place", "place.id" }, { "service", "service.id" }, { "persona", "persona.id" } };
	struct catalog_piece p = { 0 };
	char *op = s + strcspn(s, "=<>"), *value;
	const char *name = s;
	unsigned allowed;
	int is_number;
	size_t i;

	if (*op == '\0') {
		flag_term(l, s, decided, t);
		return;
	}
	value = op + 1;
	t->relation = *op == '>' ? REL_GT : *op == '<' ? REL_LT : REL_EQ;
	if (*op == '=' && op > s && op[-1] == '!') {
		t->relation = REL_NE;
		op--;
	}
	*op = '\0';
	for (i = 0; i < COUNT(id); i++)
		if (strcmp(name, id[i][0]) == 0)
			name = id[i][1];
	if (resolve(l, name, &p, &allowed, &is_number) == -1)
		catalog_fail(l, "no source \"%s\"", name);
	if ((allowed & where) == 0 && decided != NULL)
		catalog_fail(l, "\"%s\" is not known yet when %s is decided", s, decided);
	/* What is no property of the span, from the constants on, is not compared. */
	if ((allowed & where) == 0 || p.src >= SRC_CONST)
		catalog_fail(l, "source \"%s\" cannot stand here", name);
	t->src = p.src;
	t->arg = p.arg;
	if (t->relation == REL_EQ || t->relation == REL_NE)
		values(l, value, t);
	else if (num_decimal(value, strlen(value), &t->number) == -1)
		catalog_fail(l, "\"%s\" is not a number", value);
}

void
catalog_cond_of(struct load *l, const char *s, unsigned where, const char *decided, struct catalog_cond *c)
{
	char *p, *amp;
	int n = 1;

	c->n = 0;
	c->text = NULL;
	if (*s == '\0')
		return;
	c->text = catalog_keep(l, s, strlen(s));
	p = catalog_keep(l, s, strlen(s));
	for (amp = p; (amp = strstr(amp, " & ")) != NULL; amp += 3)
		n++;
	c->term = catalog_get(l, (size_t)n, sizeof(*c->term));
	for (; p != NULL; p = amp) {
		if ((amp = strstr(p, " & ")) != NULL) {
			*amp = '\0';
			amp += 3;
		}
		term(l, p, where, decided, &c->term[c->n++]);
	}
}

static int
is_telling(enum catalog_source src)
{
	switch (src) {
	case SRC_ERROR_SOURCE:
	case SRC_ERROR_REQUEST:
	case SRC_ERROR_CAUSE:
	case SRC_INCIDENT_TIME:
	case SRC_INCIDENT_END:
	case SRC_INCIDENT_ID:
	case SRC_INCIDENT_TYPE:
	case SRC_INCIDENT_MESSAGE:
	case SRC_INCIDENT_LINK:
	case SRC_INCIDENT_COMPONENT:
	case SRC_INCIDENT_ROLE:
	case SRC_TRUTH_INCIDENTS:
	case SRC_TRUTH_SOURCE:
	case SRC_TRUTH_SKEW:
	case SRC_TRUTH_NOISE:
		return 1;
	default:
		return 0;
	}
}

/* In a blind layout what names the cause is refused, and what the cause words is replaced by what the code alone words. */
static enum catalog_source
blind(struct load *l, enum catalog_source src)
{
	if (is_telling(src))
		catalog_fail(l, "blind layout tells the cause");
	return src == SRC_ERROR_MESSAGE ? SRC_STATUS_MESSAGE : src == SRC_ERROR_TYPE ? SRC_STATUS_TYPE : src;
}

void
catalog_blind_text(struct load *l, struct catalog_text *t)
{
	int i;

	for (i = 0; i < t->n; i++)
		t->piece[i].src = blind(l, t->piece[i].src);
}

void
catalog_blind_cond(struct load *l, struct catalog_cond *c)
{
	int i;

	for (i = 0; i < c->n; i++)
		c->term[i].src = blind(l, c->term[i].src);
}
