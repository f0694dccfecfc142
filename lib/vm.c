#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vm_impl.h"

#define KNOWN_BYTES 1024 /* longer labels are not remembered beyond the next line */

/* ---- rules ---- */

int
vm_refuse(struct vm *v, const char *why)
{
	v->why = why;
	return -1;
}

int
vm_is_name(const char *s, size_t n, int colon)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((unsigned)(c | 0x20) - 'a' < 26 || c == '_' || (colon && c == ':') || (i > 0 && (unsigned)c - '0' < 10))
			continue;
		return 0;
	}
	return n > 0;
}

int
vm_is_extra(const struct vm *v, const char *name, size_t n)
{
	for (int i = 0; i < v->nextra; i++)
		if (strncmp(v->extra[i], name, n) == 0 && v->extra[i][n] == '=')
			return 1;
	return 0;
}

const char *
vm_too_many(const struct vm *v, int labels)
{
	return labels > v->labels ? "more labels than the server keeps" : NULL;
}

/* The bytes that the text of a JSON string has without its escapes. */
static size_t
text_bytes(struct json_value s)
{
	size_t n = 0;

	for (const char *p = s.p + 1, *end = s.p + s.n - 1; p < end; n++) {
		unsigned code = 0;

		if (*p != '\\') {
			p++;
			continue;
		}
		if (p[1] != 'u') {
			p += 2;
			continue;
		}
		for (int i = 2; i < 6; i++)
			code = code << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
		/* A pair of surrogates is four bytes, two for each. */
		n += (size_t)(code >= 0x80) + (size_t)(code >= 0x800 && (code < 0xd800 || code > 0xdfff));
		p += 6;
	}
	return n;
}

const char *
vm_too_long(const struct vm *v, size_t name, struct json_value text)
{
	if (name > v->name)
		return "a label's name is longer than the server keeps";
	if (text.n - 2 > v->value && text_bytes(text) > v->value)
		return "a label's value is longer than the server keeps";
	return NULL;
}

const char *
vm_bad_time(const struct vm *v, int64_t ms)
{
	if (ms < v->begin || ms >= v->end)
		return ms < v->begin ? "before the time asked for" : "behind the time asked for";
	if (ms < v->oldest || ms > v->newest)
		return ms < v->oldest ? "older than the server's retention" : "further in the future than the server keeps";
	return NULL;
}

int
vm_whole(const char *s, size_t n, int64_t *value)
{
	int64_t v = 0;

	if (n == 0 || n > 15 || (n > 1 && s[0] == '0'))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	*value = v;
	return 0;
}

int
vm_is_number(const char *s, size_t n)
{
	double value;
	size_t digits = 0, i = n > 0 && s[0] == '-';

	/* Most are short and plain; the zero that may not lead is left to the thorough way. */
	if (n < 100 && i < n && s[i] >= '1' && s[i] <= '9') {
		while (i < n && s[i] >= '0' && s[i] <= '9')
			i++;
		if (i < n && s[i] == '.')
			for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++)
				digits++;
		if (i == n && (digits > 0 || s[n - 1] != '.'))
			return 1;
	}
	return json_double((struct json_value){ s, n }, &value) == 0;
}

/* ---- parts of a form ---- */

int
vm_put_name(struct vm *v, const char *metric, size_t n)
{
	static const char head[] = "\"__name__\":\"";
	char *to;

	v->key.n = v->nlabels;
	if ((to = buf_room(&v->key, sizeof(head) + n)) == NULL)
		return vm_refuse(v, strerror(errno));
	memcpy(to, head, sizeof(head) - 1);
	memcpy(to + sizeof(head) - 1, metric, n);
	to[sizeof(head) - 1 + n] = '"';
	v->key.n += sizeof(head) + n;
	return 0;
}

/* One byte that says how many digits the time has, the time, the value. */
int
vm_put_form(struct vm *v, struct buf *form, const struct vm_time *t, const char *value, size_t n)
{
	char *to = buf_room(form, sizeof(t->digit) + 1 + n);

	if (to == NULL)
		return vm_refuse(v, strerror(errno));
	to[0] = (char)t->n;
	memcpy(to + 1, t->digit, sizeof(t->digit));
	memcpy(to + 1 + t->n, value, n);
	form->n += 1 + t->n + n;
	v->samples = 1;
	return 0;
}

int
vm_seconds(const char *s, size_t n, struct vm_time *t)
{
	const char *dot = n > 10 && s[10] == '.' ? s + 10 : memchr(s, '.', n);
	size_t whole = dot == NULL ? n : (size_t)(dot - s);
	int64_t seconds;
	int part = 0;

	if (whole > 12 || vm_whole(s, whole, &seconds) == -1 || seconds == 0)
		return -1;
	memcpy(t->digit, s, whole);
	for (size_t i = whole + 1; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return -1;
	for (size_t i = 1; i < 4; i++) {
		t->digit[whole + i - 1] = whole + i < n ? s[whole + i] : '0';
		part = part * 10 + (t->digit[whole + i - 1] - '0');
	}
	t->n = whole + 3;
	t->ms = seconds * 1000 + part;
	return 0;
}

/* ---- labels in JSON ---- */

/* The labels of an object that was read, one after the other. */
struct walk {
	struct json_value object;
	const struct json_shape *shape; /* its id is 0 where many objects are all different */
	const char *next;
	int i;
};

static inline int
next_label(const struct vm *v, struct walk *w, struct json_value *name, struct json_value *text)
{
	if (w->shape->id == 0)
		return json_member(w->object, &w->next, name, text) == 1;
	if (w->i == w->shape->n)
		return 0;
	*name = json_shape_key(v->metric, w->i);
	*text = w->shape->value[w->i++];
	return 1;
}

static const char *
bad_name(const struct vm *v, struct json_value name)
{
	if (v->input == VM_SAMPLES && !vm_is_name(name.p, name.n, 0))
		return "a tag's name is not of letters, digits and _";
	if (name.n == 0)
		return "a label without a name";
	if (name.n > v->name)
		return "a label's name is longer than the server keeps";
	return v->input == VM_SAMPLES && name.n == 8 && memcmp(name.p, "__name__", 8) == 0 ? "a tag __name__" : NULL;
}

/* What holds of every line with these names of labels. */
static void
look_at_names(const struct vm *v, struct walk w, struct vm_shape *shape)
{
	struct json_value name, text;

	*shape = (struct vm_shape){ .id = w.shape->id, .labels = v->nextra + (v->input == VM_SAMPLES) };
	while (next_label(v, &w, &name, &text)) {
		shape->labels += !vm_is_extra(v, name.p, name.n);
		if (shape->why == NULL)
			shape->why = bad_name(v, name);
	}
}

/* Copy those that are not empty: the server leaves out the others. */
static int
put_labels(struct vm *v, struct walk w)
{
	struct json_value name, text;
	char *to;

	v->key.n = 0;
	/* A comma behind each takes no more than brackets and commas between them. */
	if ((to = buf_room(&v->key, w.object.n)) == NULL)
		return vm_refuse(v, strerror(errno));
	while (next_label(v, &w, &name, &text)) {
		if (json_is_null(text) || text.n == 2)
			continue;
		*to++ = '"';
		memcpy(to, name.p, name.n);
		to += name.n;
		*to++ = '"';
		*to++ = ':';
		memcpy(to, text.p, text.n);
		to += text.n;
		*to++ = ',';
	}
	v->key.n = v->nlabels = (size_t)(to - v->key.p);
	return 0;
}

static int
check_labels(struct vm *v, struct walk w, int labels)
{
	struct json_value name, text;
	const char *why;
	int some = 0;

	while (next_label(v, &w, &name, &text)) {
		if (!json_is_string(text) && (v->input == VM_IMPORT || !json_is_null(text)))
			return vm_refuse(v, v->input == VM_IMPORT ? "a label that is no string" : "a tag that is no string");
		if (text.p[0] != '"' || text.n == 2)
			labels -= !vm_is_extra(v, name.p, name.n);
		else if (text.n - 2 > v->value && (why = vm_too_long(v, 0, text)) != NULL)
			return vm_refuse(v, why);
		else
			some = 1;
	}
	if (v->input == VM_IMPORT && !some)
		return vm_refuse(v, "no labels");
	why = vm_too_many(v, labels);
	return why == NULL ? 0 : vm_refuse(v, why);
}

static int
read_labels(struct vm *v, struct json_value object)
{
	struct walk w = { .object = object };
	struct vm_shape rare, *shape = &rare;
	struct json_value name;

	if (object.n > VM_SERIES)
		return vm_refuse(v, "a series of more than 32000 bytes");
	if (json_read(v->metric, object.p, object.n, &name, &v->why) == -1)
		return -1;
	w.shape = json_shape(v->metric);
	if (w.shape->id != 0)
		shape = &v->shape[w.shape->slot];
	if (w.shape->id == 0 || shape->id != w.shape->id)
		look_at_names(v, w, shape);
	if (shape->why != NULL)
		return vm_refuse(v, shape->why);
	if (check_labels(v, w, shape->labels) == -1)
		return -1;
	return v->input == VM_IMPORT ? 0 : put_labels(v, w);
}

static int
is_known(const struct vm *v, const struct vm_known *k, uint64_t hash, struct json_value tags)
{
	return k->rules == v->rules && k->hash == hash && k->ntags == tags.n && memcmp(k->text, tags.p, tags.n) == 0;
}

/* Read labels, and remember them in k. 0, or -1 */
static int
learn_labels(struct vm *v, struct vm_known *k, uint64_t hash, struct json_value tags)
{
	size_t n;

	k->rules = 0;
	if (read_labels(v, tags) == -1)
		return -1;
	n = tags.n + v->nlabels;
	if (n > k->size) {
		char *text = realloc(k->text, n);

		if (text == NULL)
			return vm_refuse(v, strerror(errno));
		k->text = text;
		k->size = n;
	}
	memcpy(k->text, tags.p, tags.n);
	if (v->nlabels > 0)
		memcpy(k->text + tags.n, v->key.p, v->nlabels);
	*k = (struct vm_known){ .hash = hash, .rules = v->rules, .text = k->text, .ntags = tags.n, .nlabels = v->nlabels, .size = k->size };
	return 0;
}

/* Labels into v->key, unless they are those of the line before. Long ones share a place, so that all need little memory. */
static int
take_labels(struct vm *v, struct json_value tags)
{
	struct vm_known *k = v->last;
	uint64_t hash;

	if (k->ntags == tags.n && k->rules == v->rules && memcmp(k->text, tags.p, tags.n) == 0)
		return 0;
	hash = batch_hash(tags.p, tags.n);
	k = v->last = &v->known[tags.n > KNOWN_BYTES ? VM_KNOWN : hash % VM_KNOWN];
	if (!is_known(v, k, hash, tags))
		return learn_labels(v, k, hash, tags);
	v->key.n = 0;
	v->nlabels = k->nlabels;
	return buf_put(&v->key, k->text + k->ntags, k->nlabels) == -1 ? vm_refuse(v, strerror(errno)) : 0;
}

void
vm_forget(struct vm *v)
{
	memset(v->shape, 0, sizeof(v->shape));
	v->rules++;
}

/* ---- samples of og-record(5) ---- */

enum { METRIC, TS, NUMBER, TAGS };

/* Is the text at p, which is moved behind it? */
static inline int
skip(const char **p, const char *end, const char *text, size_t n)
{
	if ((size_t)(end - *p) < n || memcmp(*p, text, n) != 0)
		return 0;
	*p += n;
	return 1;
}

#define SKIP(p, end, text) skip((p), (end), (text), sizeof(text) - 1)

/* Up to the next byte that is c; p is moved there. */
static inline int
up_to(const char **p, const char *end, int c, struct json_value *value)
{
	const char *found = memchr(*p, c, (size_t)(end - *p));

	if (found == NULL)
		return 0;
	*value = (struct json_value){ *p, (size_t)(found - *p) };
	*p = found;
	return 1;
}

/* Where an object ends that nothing but an exemplar may follow, as og-metrics writes it. */
static const char *
before_exemplar(const char *from, const char *end)
{
	static const char head[] = ",\"exemplar\":\"";
	const char *p;
	size_t n;

	if (end - from < 3 || end[-1] != '}')
		return NULL;
	if (end[-2] == '}')
		return end - 1;
	if (end[-2] != '"' || (p = memrchr(from, '"', (size_t)(end - from) - 2)) == NULL)
		return NULL;
	n = (size_t)(end - 2 - (p + 1));
	for (size_t i = 1; i <= n; i++)
		if ((p[i] < '0' || p[i] > '9') && (p[i] < 'a' || p[i] > 'z'))
			return NULL;
	p -= sizeof(head) - 2;
	return p > from && memcmp(p, head, sizeof(head) - 1) == 0 ? p : NULL;
}

/*
 * The parts of a line as og-metrics writes it, found without a look at what the tags are: most often they are those of the line before.
 * If each part is sound, the line is.
 */
static int
split_sample(struct vm *v, const char *p, const char *end)
{
	struct json_value *part = v->v;
	const char *behind;

	if (!SKIP(&p, end, "{\"metric\":") || !up_to(&p, end, ',', &part[METRIC]) || !SKIP(&p, end, ",\"ts\":") ||
	    !up_to(&p, end, ',', &part[TS]) || !SKIP(&p, end, ",\"value\":") || !up_to(&p, end, ',', &part[NUMBER]) ||
	    !SKIP(&p, end, ",\"tags\":") || (behind = before_exemplar(p, end)) == NULL)
		return 0;
	part[TAGS] = (struct json_value){ p, (size_t)(behind - p) };
	return part[METRIC].n > 1 && part[METRIC].p[part[METRIC].n - 1] == '"' && part[TAGS].n > 1 && *p == '{';
}

/* The time of a line, which often is that of the one before. 0, or -1 */
static int
take_time(struct vm *v, struct json_value ts)
{
	struct vm_time *t = &v->time;

	if (ts.n == t->ntext && memcmp(ts.p, t->text, ts.n) == 0)
		return 0;
	t->ntext = 0;
	if (vm_seconds(ts.p, ts.n, t) == -1)
		return -1;
	if (ts.n <= sizeof(t->text)) {
		memcpy(t->text, ts.p, ts.n);
		t->ntext = ts.n;
	}
	return 0;
}

static int
take_sample(struct vm *v, struct buf *form)
{
	static const struct json_value none = { "{}", 2 };
	const struct json_value metric = v->v[METRIC], number = v->v[NUMBER], tags = json_is_null(v->v[TAGS]) ? none : v->v[TAGS];
	const char *why;

	if (!json_is_string(metric) || !vm_is_name(metric.p + 1, metric.n - 2, 1))
		return vm_refuse(v, json_is_null(metric) ? "no metric" : "metric is not a name of letters, digits, _ and :");
	if (metric.n - 2 > v->value)
		return vm_refuse(v, "metric is longer than the server keeps");
	if (json_is_null(v->v[TS]))
		return vm_refuse(v, "no ts");
	if (take_time(v, v->v[TS]) == -1)
		return vm_refuse(v, "ts is not a decimal number of seconds since 1970");
	if ((why = vm_bad_time(v, v->time.ms)) != NULL)
		return vm_refuse(v, why);
	if (!vm_is_number(number.p, number.n))
		return vm_refuse(v, json_is_null(number) ? "no value" : "value is not a number");
	if (tags.p[0] != '{')
		return vm_refuse(v, "tags is not an object");
	if (tags.n + metric.n > VM_SERIES)
		return vm_refuse(v, "a series of more than 32000 bytes");
	if (take_labels(v, tags) == -1 || vm_put_name(v, metric.p + 1, metric.n - 2) == -1)
		return -1;
	return vm_put_form(v, form, &v->time, number.p, number.n);
}

/* What the short way does not take, the long way takes or refuses. */
static int
read_sample(struct vm *v, const char *line, size_t len, struct buf *form)
{
	if (split_sample(v, line, line + len) && take_sample(v, form) == 0)
		return 0;
	if (json_read(v->record, line, len, v->v, &v->why) == -1)
		return -1;
	return take_sample(v, form);
}

/* ---- lines of the JSON import ---- */

enum { SERIES, VALUES, TIMES };

static const char *
check_value(const struct vm *v, struct json_value x)
{
	static const char *const infinite[] = { "Infinity", "infinity", "Inf", "inf" };
	size_t minus;

	if (x.p[0] == '-' || (x.p[0] >= '0' && x.p[0] <= '9'))
		return vm_is_number(x.p, x.n) ? NULL : "a value too large for a double";
	if (x.p[0] == 'n')
		return "a value null, which is not stored";
	if (x.p[0] != '"')
		return "a value that is not a number";
	minus = x.p[1] == '-';
	for (size_t i = 0; i < sizeof(infinite) / sizeof(infinite[0]); i++) {
		size_t n = strlen(infinite[i]);

		if (x.n == n + 2 + minus && memcmp(x.p + 1 + minus, infinite[i], n) == 0)
			return v->infinite ? NULL : "an infinite value, which this server does not store";
	}
	return "a value that is not a number";
}

static const char *
check_time(const struct vm *v, struct json_value t)
{
	int64_t ms;

	if (vm_whole(t.p, t.n, &ms) == -1)
		return "a time that is not a whole number of milliseconds since 1970";
	return vm_bad_time(v, ms);
}

/* Every element of an array; `count` of them, or NULL and why. */
static int
check_array(struct vm *v, struct json_value array, const char *(*check)(const struct vm *, struct json_value), uint64_t *count)
{
	const char *next = NULL, *why;
	struct json_value x;
	int more;

	for (*count = 0; (more = json_each(array, &next, &x)) == 1; ++*count)
		if ((why = check(v, x)) != NULL)
			return vm_refuse(v, why);
	return more;
}

static int
read_import(struct vm *v, const char *line, size_t len)
{
	uint64_t times;

	if (len >= v->line)
		return vm_refuse(v, "a line longer than the server takes");
	if (json_read(v->record, line, len, v->v, &v->why) == -1)
		return -1;
	if (v->v[SERIES].p == NULL || v->v[SERIES].p[0] != '{')
		return vm_refuse(v, "no object \"metric\"");
	if (v->v[VALUES].p == NULL || v->v[VALUES].p[0] != '[' || v->v[TIMES].p == NULL || v->v[TIMES].p[0] != '[')
		return vm_refuse(v, "no arrays \"values\" and \"timestamps\"");
	v->why = "an array in an array";
	if (check_array(v, v->v[VALUES], check_value, &v->samples) == -1 || check_array(v, v->v[TIMES], check_time, &times) == -1)
		return -1;
	if (times != v->samples)
		return vm_refuse(v, "not as many timestamps as values");
	if (times == 0)
		return vm_refuse(v, "no values");
	if (take_labels(v, v->v[SERIES]) == -1)
		return -1;
	v->key.n = 0;
	return 0;
}

int
vm_record(struct vm *v, const char *line, size_t len, struct buf *form)
{
	switch (v->input) {
	case VM_SAMPLES:
		return read_sample(v, line, len, form);
	case VM_PROM:
		return vm_read_text(v, line, len, form);
	default:
		return read_import(v, line, len);
	}
}

/* ---- what is sent ---- */

static char *
append(char *to, const char *p, size_t n)
{
	memcpy(to, p, n);
	return to + n;
}

#define APPEND(to, text) append((to), (text), sizeof(text) - 1)

/* One line, of the records i to j. */
static int
put_line(const struct batch *b, const struct batch_group *g, size_t i, size_t j, struct buf *to)
{
	size_t room = g->len + 64;
	char *p;

	for (size_t k = i; k < j; k++)
		room += b->rec[k].nform + 2;
	if ((p = buf_room(to, room)) == NULL)
		return -1;
	p = APPEND(p, "{\"metric\":{");
	p = append(p, b->keys.p + g->at, g->len);
	p = APPEND(p, "},\"values\":[");
	for (size_t k = i; k < j; k++) {
		const char *form = b->form.p + b->rec[k].form_at;
		size_t nt = (size_t)form[0] + 1;

		p = append(p, form + nt, b->rec[k].nform - nt);
		*p++ = ',';
	}
	p = APPEND(p - 1, "],\"timestamps\":[");
	for (size_t k = i; k < j; k++) {
		const char *form = b->form.p + b->rec[k].form_at;

		p = append(p, form + 1, (size_t)form[0]);
		*p++ = ',';
	}
	p = APPEND(p - 1, "]}\n");
	to->n = (size_t)(p - to->p);
	return 0;
}

int
vm_encode(const struct batch *b, struct buf *to)
{
	size_t i = 0, j;

	for (; i < b->nrec; i = j) {
		uint32_t group = b->rec[i].group;
		size_t n = b->group[group].len + 64;

		/* What holds no sample is nobody's series. */
		for (j = i; j < b->nrec && b->rec[j].group == group; j++) {
			n += b->rec[j].nform + 2;
			if (j > i && n > VM_LINE)
				break;
		}
		if (b->rec[i].nform > 0 && put_line(b, &b->group[group], i, j, to) == -1)
			return -1;
	}
	return 0;
}

/* ---- setting up ---- */

int
vm_extra(struct vm *v, const char *label, const char **errstr)
{
	size_t n = strcspn(label, "=");

	*errstr = NULL;
	if (v->nextra == VM_EXTRAS)
		*errstr = "more than 32 labels";
	else if (label[n] != '=' || !vm_is_name(label, n, 0))
		*errstr = "not a label such as name=value";
	else if (strncmp(label, "__name__=", 9) == 0)
		*errstr = "the name of the metric is no label";
	else if (vm_is_extra(v, label, n))
		*errstr = "a label given twice";
	else if (label[n + 1] == '\0' || !utf8_valid(label, strlen(label)))
		*errstr = label[n + 1] == '\0' ? "an empty value" : "invalid UTF-8";
	if (*errstr != NULL)
		return -1;
	v->extra[v->nextra++] = label;
	return 0;
}

int
vm_open(struct vm *v, enum vm_input input)
{
	static const char *const sample[] = { "metric", "ts", "value", "tags" }, *const import[] = { "metric", "values", "timestamps" };
	static const char *const name[] = { "__name__" };

	*v = (struct vm){
		.input = input,
		.begin = INT64_MIN,
		.end = INT64_MAX,
		.newest = INT64_MAX,
		.labels = VM_LABELS,
		.name = VM_NAME,
		.value = VM_VALUE,
		.line = VM_LINE_SENT,
		.rules = 1,
	};
	v->record = input == VM_IMPORT ? json_reader(import, 3) : json_reader(sample, 4);
	v->metric = json_reader(name, 1);
	v->last = v->known = calloc(VM_KNOWN + 1, sizeof(*v->known));
	if (v->record != NULL && v->metric != NULL && v->known != NULL)
		return 0;
	vm_close(v);
	return -1;
}

void
vm_close(struct vm *v)
{
	json_reader_free(v->record);
	json_reader_free(v->metric);
	for (size_t i = 0; v->known != NULL && i <= VM_KNOWN; i++)
		free(v->known[i].text);
	free(v->known);
	buf_free(&v->key);
}

int
vm_input(const char *name)
{
	static const char *const names[] = { [VM_SAMPLES] = "samples", [VM_PROM] = "prom", [VM_IMPORT] = "import" };

	for (int i = 0; i < 3; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

uint64_t
vm_samples(struct vm *v, const struct batch *b)
{
	uint64_t n = 0;

	for (const struct batch_rec *r = b->rec; r < b->rec + b->nrec; r++)
		if (v->input != VM_IMPORT)
			n += r->nform > 0;
		else if (vm_record(v, b->text.p + r->at, r->len, NULL) == 0)
			n += v->samples;
	return n;
}
