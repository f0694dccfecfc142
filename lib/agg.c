#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agg.h"
#include "clock.h"
#include "json.h"

#define TABLE_MIN 256 /* label sets that the first table has room for; a power of 2 */
#define LATE_MAX 4096 /* cells of windows written before that wait for more to come */
#define MERGE_BITS 88 /* of the largest number that is merged: 2^40 of them cannot overflow */
#define TIME_DIGITS 20
#define TIME_END (2932897 * CLOCK_DAY) /* 10000-01-01T00:00:00Z */
#define INTERVAL_MAX 1000000000000000

/* Lines of a label set, in order: requests, failures, then of each histogram its buckets, sum and count. */
enum { SLOT_TOTAL, SLOT_ERRORS, SLOT_FIRST };

struct slot {
	const char *le; /* of a bucket; else NULL */
	int places;
	char *metric, *tail; /* name; what follows the labels, to the end of the line */
	size_t metriclen, taillen;
};

struct set {
	char *labels;
	size_t n;
	uint64_t hash;
	size_t rank;        /* among all sets, by their bytes */
	struct cell *cells; /* windows that have something, newest first */
	agg_int *total;     /* NULL: in no window written so far */
};

/* What one window has of one label set. */
struct cell {
	struct cell *next; /* of the same set, older; or of those to be used again */
	struct set *set;
	int64_t window;
	agg_int v[]; /* a slot each; buckets as they are written, with all smaller ones */
};

struct agg {
	struct out *out;
	int64_t interval, hold;
	int cumulative, nslots, nhistograms;
	const struct agg_histogram *histogram;
	struct slot *slot;
	size_t most; /* bytes of the longest line without its labels */
	int last;    /* slot that was merged last */

	struct set **table; /* by hash; NULL: free */
	size_t mask;
	struct set **sorted; /* all of them */
	size_t nsets, nranked;

	struct cell **open;
	size_t nopen, open_max, late;
	struct cell *unused;
	int64_t limit; /* windows before this one are written */
	int64_t next;  /* the window that comes next in running totals */
	int started;

	struct json_reader *line, *tags;
	char *labels; /* of the line that is merged */
	size_t labels_max;
};

/* ---- numbers ---- */

int
agg_number(const char *s, size_t n, int places, agg_int *v)
{
	size_t i = 0, digits = 0;

	*v = 0;
	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++, digits++)
		if (__builtin_mul_overflow(*v, (agg_int)10, v) || __builtin_add_overflow(*v, (agg_int)(unsigned)(s[i] - '0'), v))
			return -1;
	if (digits == 0 || (i < n && (s[i] != '.' || i + 1 == n)))
		return -1;
	for (i++; i < n || places > 0; i++) {
		unsigned digit = i < n ? (unsigned)(unsigned char)s[i] - '0' : 0;

		if (digit > 9 || (places == 0 && digit != 0))
			return -1;
		if (places == 0)
			continue;
		places--;
		if (__builtin_mul_overflow(*v, (agg_int)10, v) || __builtin_add_overflow(*v, (agg_int)digit, v))
			return -1;
	}
	return 0;
}

char *
agg_print(char *to, agg_int v, int places)
{
	char text[AGG_DIGITS], *p = text + sizeof(text);
	uint64_t low;
	int n = 0;

	/* Division of 64 bits is several times faster, and enough for nearly all. */
	for (; v > UINT64_MAX; v /= 10) {
		if (n == places && n > 0)
			*--p = '.';
		*--p = (char)('0' + (int)(v % 10));
		n++;
	}
	for (low = (uint64_t)v; low > 0 || n <= places; low /= 10) {
		if (n == places && n > 0)
			*--p = '.';
		*--p = (char)('0' + (int)(low % 10));
		n++;
	}
	n = (int)(text + sizeof(text) - p);
	memcpy(to, p, (size_t)n);
	return to + n;
}

char *
agg_time(char *to, int64_t us)
{
	return agg_print(to, (agg_int)us, 6);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* ---- set up ---- */

static char *
put(char *to, const char *s)
{
	size_t n = strlen(s);

	memcpy(to, s, n);
	return to + n;
}

/* The line NAME and SUFFIX; le is that of a bucket. 0, or -1 with errno. */
static int
add_slot(struct agg *a, const char *name, const char *suffix, const char *le, int places)
{
	struct slot *s = &a->slot[a->nslots++];
	size_t size = strlen(name) + strlen(suffix) + 1;
	char *to;

	*s = (struct slot){ .le = le, .places = places };
	if ((s->metric = malloc(size)) == NULL)
		return -1;
	to = put(put(s->metric, name), suffix);
	*to = '\0';
	s->metriclen = size - 1;
	if ((s->tail = malloc(JSON_QUOTED(le == NULL ? 0 : strlen(le)) + 16)) == NULL)
		return -1;
	to = s->tail;
	if (le != NULL)
		to = json_quote(put(to, ",\"le\":"), le, strlen(le));
	to = put(to, "}}\n");
	s->taillen = (size_t)(to - s->tail);
	if (a->most < s->metriclen + s->taillen)
		a->most = s->metriclen + s->taillen;
	return 0;
}

static int
add_histogram(struct agg *a, const struct agg_histogram *h)
{
	for (int i = 0; i <= h->n; i++)
		if (add_slot(a, h->name, "_bucket", i == h->n ? "+Inf" : h->le[i], 0) == -1)
			return -1;
	return add_slot(a, h->name, "_sum", NULL, h->places) == -1 || add_slot(a, h->name, "_count", NULL, 0) == -1 ? -1 : 0;
}

static int
add_slots(struct agg *a)
{
	size_t n = SLOT_FIRST;

	for (int i = 0; i < a->nhistograms; i++)
		n += (size_t)a->histogram[i].n + 3;
	if ((a->slot = calloc(n, sizeof(*a->slot))) == NULL || add_slot(a, "requests_total", "", NULL, 0) == -1 ||
	    add_slot(a, "request_errors_total", "", NULL, 0) == -1)
		return -1;
	for (int i = 0; i < a->nhistograms; i++)
		if (add_histogram(a, &a->histogram[i]) == -1)
			return -1;
	a->most += strlen("{\"metric\":\"\",\"ts\":,\"value\":,\"tags\":{") + TIME_DIGITS + AGG_DIGITS;
	return 0;
}

struct agg *
agg_open(struct out *out, const struct agg_histogram *histogram, int n, int64_t interval, int64_t hold, int cumulative)
{
	static const char *const line[] = { "metric", "ts", "value", "tags" }, *const tags[] = { "le" };
	struct agg *a;

	if (interval < 1 || interval > INTERVAL_MAX || hold < 0 || hold > INTERVAL_MAX) {
		errno = EINVAL;
		return NULL;
	}
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	*a = (struct agg){ .out = out,
		.interval = interval,
		.hold = hold,
		.cumulative = cumulative,
		.nhistograms = n,
		.histogram = histogram,
		.mask = TABLE_MIN - 1,
		.limit = INT64_MIN };
	a->table = calloc(TABLE_MIN, sizeof(*a->table));
	a->sorted = calloc(TABLE_MIN, sizeof(*a->sorted));
	a->line = json_reader(line, 4);
	a->tags = json_reader(tags, 1);
	if (a->table == NULL || a->sorted == NULL || a->line == NULL || a->tags == NULL || add_slots(a) == -1) {
		agg_free(a);
		return NULL;
	}
	return a;
}

void
agg_free(struct agg *a)
{
	if (a == NULL)
		return;
	for (int i = 0; i < a->nslots; i++) {
		free(a->slot[i].metric);
		free(a->slot[i].tail);
	}
	for (size_t i = 0; i < a->nopen; i++)
		free(a->open[i]);
	for (struct cell *c = a->unused, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	for (size_t i = 0; i < a->nsets; i++) {
		free(a->sorted[i]->labels);
		free(a->sorted[i]->total);
		free(a->sorted[i]);
	}
	json_reader_free(a->line);
	json_reader_free(a->tags);
	free(a->slot);
	free(a->table);
	free(a->sorted);
	free(a->open);
	free(a->labels);
	free(a);
}

size_t
agg_labels_max(const struct agg *a)
{
	return OUT_LINE_MAX - a->most;
}

/* ---- label sets ---- */

static uint64_t
hash(const char *p, size_t n)
{
	uint64_t h = n, word;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	for (; n > 0; p++, n--)
		h = (h ^ (unsigned char)*p) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

/* Twice the room. 0, or -1 with errno. */
static int
grow_table(struct agg *a)
{
	size_t size = 2 * (a->mask + 1);
	struct set **table = calloc(size, sizeof(*table)), **sorted;

	if (table == NULL)
		return -1;
	if ((sorted = reallocarray(a->sorted, size, sizeof(*sorted))) == NULL) {
		free(table);
		return -1;
	}
	free(a->table);
	a->table = table;
	a->sorted = sorted;
	a->mask = size - 1;
	for (size_t i = 0; i < a->nsets; i++) {
		size_t at = sorted[i]->hash & a->mask;

		while (table[at] != NULL)
			at = (at + 1) & a->mask;
		table[at] = sorted[i];
	}
	return 0;
}

static struct set *
new_set(const char *labels, size_t n, uint64_t h)
{
	struct set *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->labels = malloc(n + 1)) == NULL) {
		free(s);
		return NULL;
	}
	memcpy(s->labels, labels, n);
	s->n = n;
	s->hash = h;
	return s;
}

static struct set *
find_set(struct agg *a, const char *labels, size_t n)
{
	uint64_t h = hash(labels, n);
	size_t at = h & a->mask;
	struct set *s;

	for (; (s = a->table[at]) != NULL; at = (at + 1) & a->mask)
		if (s->hash == h && s->n == n && memcmp(s->labels, labels, n) == 0)
			return s;
	if (a->nsets >= (a->mask + 1) / 2) {
		if (grow_table(a) == -1)
			return NULL;
		for (at = h & a->mask; a->table[at] != NULL; at = (at + 1) & a->mask)
			continue;
	}
	if ((s = new_set(labels, n, h)) != NULL)
		a->table[at] = a->sorted[a->nsets++] = s;
	return s;
}

static int
by_labels(const void *x, const void *y)
{
	const struct set *a = *(const struct set *const *)x, *b = *(const struct set *const *)y;
	int order = memcmp(a->labels, b->labels, a->n < b->n ? a->n : b->n);

	return order != 0 ? order : (a->n > b->n) - (a->n < b->n);
}

static void
rank_sets(struct agg *a)
{
	if (a->nranked == a->nsets)
		return;
	qsort(a->sorted, a->nsets, sizeof(struct set *), by_labels);
	for (size_t i = 0; i < a->nsets; i++)
		a->sorted[i]->rank = i;
	a->nranked = a->nsets;
}

/* ---- lines out ---- */

static void
write_set(struct agg *a, int64_t window, const struct set *s, const agg_int *v)
{
	char time[TIME_DIGITS];
	size_t timelen = (size_t)(agg_time(time, (window + 1) * a->interval) - time);

	for (int i = 0; i < a->nslots; i++) {
		const struct slot *slot = &a->slot[i];
		char *to = out_room(a->out, a->most + s->n);
		/* Without labels no comma comes before le. */
		size_t skip = s->n == 0 && slot->le != NULL;

		to = put(to, "{\"metric\":\"");
		memcpy(to, slot->metric, slot->metriclen);
		to = put(to + slot->metriclen, "\",\"ts\":");
		memcpy(to, time, timelen);
		to = agg_print(put(to + timelen, ",\"value\":"), v[i], slot->places);
		to = put(to, ",\"tags\":{");
		memcpy(to, s->labels, s->n);
		to += s->n;
		memcpy(to, slot->tail + skip, slot->taillen - skip);
		out_took(a->out, to + slot->taillen - skip);
	}
}

/* Running totals of every set met so far, at the end of a window. */
static void
write_totals(struct agg *a, int64_t window)
{
	for (size_t i = 0; i < a->nsets; i++)
		if (a->sorted[i]->total != NULL)
			write_set(a, window, a->sorted[i], a->sorted[i]->total);
}

static int
add_total(struct agg *a, const struct cell *c)
{
	agg_int *total = c->set->total;

	if (total == NULL && (total = c->set->total = calloc((size_t)a->nslots, sizeof(*total))) == NULL)
		return -1;
	for (int i = 0; i < a->nslots; i++)
		total[i] += c->v[i];
	return 0;
}

static int
by_window(const void *x, const void *y)
{
	const struct cell *a = *(const struct cell *const *)x, *b = *(const struct cell *const *)y;

	if (a->window != b->window)
		return a->window < b->window ? -1 : 1;
	return (a->set->rank > b->set->rank) - (a->set->rank < b->set->rank);
}

/* Write what n cells, in order, have of one window. */
static int
write_window(struct agg *a, struct cell *const *cell, size_t n)
{
	int64_t window = cell[0]->window;

	if (!a->cumulative) {
		for (size_t i = 0; i < n; i++)
			write_set(a, window, cell[i]->set, cell[i]->v);
		return 0;
	}
	for (; a->started && a->next < window && a->out->err == 0; a->next++)
		write_totals(a, a->next);
	for (size_t i = 0; i < n; i++)
		if (add_total(a, cell[i]) == -1)
			return -1;
	write_totals(a, window);
	a->started = 1;
	a->next = window + 1;
	return 0;
}

/* Cells of the set that are done with come last in its list. */
static void
drop_cells(struct set *s, int64_t limit)
{
	struct cell **at = &s->cells;

	while (*at != NULL && (*at)->window >= limit)
		at = &(*at)->next;
	*at = NULL;
}

/* Write all windows before `limit`. */
static int
write_before(struct agg *a, int64_t limit)
{
	size_t keep = 0, done, n = a->nopen;
	int status = 0;

	a->limit = limit;
	a->late = 0;
	for (size_t i = 0; i < n; i++)
		if (a->open[i]->window >= limit) {
			struct cell *c = a->open[i];

			a->open[i] = a->open[keep];
			a->open[keep++] = c;
		}
	if (keep == n)
		return 0;
	rank_sets(a);
	qsort(a->open + keep, n - keep, sizeof(struct cell *), by_window);
	for (size_t i = keep; i < n; i = done) {
		for (done = i + 1; done < n && a->open[done]->window == a->open[i]->window; done++)
			continue;
		if (status == 0)
			status = write_window(a, a->open + i, done - i);
	}
	for (size_t i = keep; i < n; i++)
		drop_cells(a->open[i]->set, limit);
	for (size_t i = keep; i < n; i++) {
		a->open[i]->next = a->unused;
		a->unused = a->open[i];
	}
	a->nopen = keep;
	return status;
}

int
agg_pass(struct agg *a, int64_t us)
{
	int64_t limit = floor_div(us, a->interval);

	return limit > a->limit ? write_before(a, limit) : 0;
}

int
agg_finish(struct agg *a)
{
	return write_before(a, INT64_MAX);
}

/* ---- records in ---- */

static struct cell *
new_cell(struct agg *a)
{
	size_t size = sizeof(struct cell) + (size_t)a->nslots * sizeof(agg_int);
	struct cell *c = a->unused;

	if (a->nopen == a->open_max) {
		size_t max = a->open_max == 0 ? TABLE_MIN : 2 * a->open_max;
		struct cell **open = reallocarray(a->open, max, sizeof(*open));

		if (open == NULL)
			return NULL;
		a->open = open;
		a->open_max = max;
	}
	if (c != NULL)
		a->unused = c->next;
	else if ((c = malloc(size)) == NULL)
		return NULL;
	memset(c, 0, size);
	a->open[a->nopen++] = c;
	return c;
}

/* Where the window's share of a label set is counted. NULL and *errstr. */
static struct cell *
find_cell(struct agg *a, const char *labels, size_t n, int64_t window, const char **errstr)
{
	struct cell **at, *c;
	struct set *s;

	if (a->cumulative && window < a->limit) {
		*errstr = "of an interval that is written already";
		return NULL;
	}
	*errstr = "out of memory";
	/* What comes late is written with what else comes late, but memory must not depend on how much that is. */
	if (window < a->limit && a->late == LATE_MAX && write_before(a, a->limit) == -1)
		return NULL;
	if ((s = find_set(a, labels, n)) == NULL)
		return NULL;
	for (at = &s->cells; *at != NULL && (*at)->window > window; at = &(*at)->next)
		continue;
	if (*at != NULL && (*at)->window == window)
		return *at;
	if ((c = new_cell(a)) == NULL)
		return NULL;
	a->late += window < a->limit;
	c->set = s;
	c->window = window;
	c->next = *at;
	return *at = c;
}

int
agg_add(struct agg *a, const char *labels, size_t n, int64_t us, int failed, const int64_t *value, const char **errstr)
{
	struct cell *c = find_cell(a, labels, n, us / a->interval, errstr);
	agg_int *v;

	if (c == NULL)
		return -1;
	c->v[SLOT_TOTAL]++;
	c->v[SLOT_ERRORS] += failed != 0;
	v = c->v + SLOT_FIRST;
	for (int i = 0; i < a->nhistograms; i++) {
		const struct agg_histogram *h = &a->histogram[i];

		if (value[i] >= 0) {
			for (int k = h->n; k >= 0 && (k == h->n || h->bound[k] >= value[i]); k--)
				v[k]++;
			v[h->n + 1] += (agg_int)(uint64_t)value[i];
			v[h->n + 2]++;
		}
		v += h->n + 3;
	}
	return 0;
}

/* ---- lines in ---- */

/* The slot of a metric and bound, or -1. Lines come in the order of slots, so the search starts behind the last one found. */
static int
find_slot(struct agg *a, struct json_value metric, struct json_value le)
{
	for (int i = 1; i <= a->nslots; i++) {
		int at = (a->last + i) % a->nslots;
		const struct slot *s = &a->slot[at];

		if ((s->le != NULL) != (le.p != NULL) || metric.n != s->metriclen + 2 || !json_equals(metric, s->metric))
			continue;
		if (le.p == NULL || json_equals(le, s->le))
			return a->last = at;
	}
	return -1;
}

/* The labels without le, as they are written; their length, or -1 and *errstr. */
static long
merge_labels(struct agg *a, struct json_value tags, const char **errstr)
{
	struct json_value key, value;
	const char *next = NULL;
	char *to;

	if (a->labels_max < tags.n) {
		free(a->labels);
		a->labels_max = 0;
		*errstr = "out of memory";
		if ((a->labels = malloc(tags.n)) == NULL)
			return -1;
		a->labels_max = tags.n;
	}
	to = a->labels;
	*errstr = "a tag is no text";
	while (json_member(tags, &next, &key, &value) == 1) {
		struct json_value name = { key.p - 1, key.n + 2 };

		if (!json_is_string(value))
			return -1;
		if (json_equals(name, "le"))
			continue;
		if (to > a->labels)
			*to++ = ',';
		memcpy(to, name.p, name.n);
		to += name.n;
		*to++ = ':';
		memcpy(to, value.p, value.n);
		to += value.n;
	}
	*errstr = "tags too long";
	return (size_t)(to - a->labels) > agg_labels_max(a) ? -1 : to - a->labels;
}

int
agg_merge(struct agg *a, const char *line, size_t len, const char **errstr)
{
	enum { METRIC, TS, VALUE, TAGS };
	struct json_value v[4], le;
	struct cell *c;
	int64_t end;
	agg_int number;
	long n;
	int slot;

	if (json_read(a->line, line, len, v, errstr) == -1)
		return -1;
	*errstr = "no \"metric\", \"ts\", \"value\" or \"tags\"";
	if (!json_is_string(v[METRIC]) || v[TS].p == NULL || v[VALUE].p == NULL || v[TAGS].p == NULL || *v[TAGS].p != '{')
		return -1;
	if (json_read(a->tags, v[TAGS].p, v[TAGS].n, &le, errstr) == -1)
		return -1;
	*errstr = "\"ts\" is not the end of an interval";
	if (json_scaled(v[TS], 6, &end) == -1 || end < a->interval || end - a->interval >= TIME_END || end % a->interval != 0)
		return -1;
	*errstr = "not a counter or bucket of this catalog";
	if ((slot = find_slot(a, v[METRIC], le)) == -1)
		return -1;
	*errstr = "\"value\" is no count or sum";
	if (agg_number(v[VALUE].p, v[VALUE].n, a->slot[slot].places, &number) == -1 || number >> MERGE_BITS != 0)
		return -1;
	if ((n = merge_labels(a, v[TAGS], errstr)) == -1)
		return -1;
	if (end / a->interval - 1 < a->limit) {
		*errstr = "of an interval that is written already";
		return -1;
	}
	*errstr = "out of memory";
	if (agg_pass(a, end - a->interval - a->hold) == -1)
		return -1;
	if ((c = find_cell(a, a->labels, (size_t)n, end / a->interval - 1, errstr)) == NULL)
		return -1;
	if ((c->v[slot] + number) >> MERGE_BITS != 0) {
		*errstr = "sum too large";
		return -1;
	}
	c->v[slot] += number;
	return 0;
}
