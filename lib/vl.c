#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "prom.h"
#include "vl.h"

#define DISTANT (100LL * 366 * 86400 * 1000000000) /* ns: no load lasts that long */
#define SECOND 1000000000LL
#define TEXT_MAX 64   /* bytes of a time */
#define SHORT 32      /* bytes that are copied at once, needed or not */
#define HEAD_ROOM 64  /* for the time, and for brackets */
#define DIGITS 20     /* of the largest number */
#define FIELD_EXTRA 4 /* quotes, colon and comma that the form of a field may have besides those of the line */

/* What becomes of a member of a line. */
enum fate {
	PUT,
	PASS,  /* it stands elsewhere in the form, or is not sent */
	LEAVE, /* likewise, but the fields of an object have other names */
	CLASH  /* likewise; any value but null and "" goes against an extra field of this name */
};

/* What follows from the keys of a line's shape. */
struct vl_plan {
	uint64_t shape;
	const char *why;  /* the reason why none of them can be sent, or NULL */
	struct buf names; /* `"name":` of each field, and room to look at */
	struct plan_field {
		uint32_t at, n;
		enum fate fate;
	} * field;
	int fields; /* room */
};

/* ---- time ---- */

/* Whole digits s[0..n), n of them at most 19. */
static int
whole(const char *s, size_t n, uint64_t *v)
{
	*v = 0;
	if (n == 0 || n > 19)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		*v = *v * 10 + (uint64_t)(s[i] - '0');
	}
	return 0;
}

/* The server's own thresholds. */
static int
unix_time(const char *s, size_t n, int64_t *ns)
{
	const uint64_t seconds = 1ULL << 31;
	uint64_t v;

	if (whole(s, n, &v) == -1 || v == 0 || v > INT64_MAX)
		return -1;
	if (v < seconds)
		v *= 1000000000;
	else if (v < seconds * 1000)
		v *= 1000000;
	else if (v < seconds * 1000000)
		v *= 1000;
	*ns = (int64_t)v;
	return 0;
}

/* Digits seven to nine of the fraction, which the calendar leaves out. More than nine the server refuses. */
static int
nanoseconds(const char *s, size_t n, int64_t *ns)
{
	const char *dot = memchr(s, '.', n);
	int64_t unit = 100;
	size_t i;

	*ns = 0;
	if (dot == NULL)
		return 0;
	for (i = 1; dot + i < s + n && dot[i] >= '0' && dot[i] <= '9'; i++) {
		if (i > 6) {
			*ns += (dot[i] - '0') * unit;
			unit /= 10;
		}
	}
	return i <= 10 ? 0 : -1;
}

int
vl_time(struct json_value v, int64_t *ns)
{
	char text[TEXT_MAX];
	int64_t us, part;
	int n;

	if (!json_is_string(v))
		return unix_time(v.p, v.n, ns);
	if ((n = json_text(v, text, sizeof(text))) == -1)
		return -1;
	if (n < 5 || text[4] != '-')
		return unix_time(text, (size_t)n, ns);
	/* A date alone, or a blank before the time, is read by some versions of the server in its local time, by others not at all. */
	if (n <= 10 || (text[10] != 'T' && text[10] != 't') || clock_parse(text, (size_t)n, &us) == -1 ||
	    nanoseconds(text, (size_t)n, &part) == -1 || us > INT64_MAX / 1000 - 1)
		return -1;
	*ns = us * 1000 + part;
	return *ns == 0 ? -1 : 0;
}

/* The rest of `"2025-12-03T12:20:` as most times have it: seconds, up to nine digits of a fraction, Z. ns, or -1. */
static int64_t
seconds_of(const char *p, const char *end)
{
	int64_t unit = SECOND / 10, ns;

	if (end - p < 4 || p[0] < '0' || p[0] > '5' || p[1] < '0' || p[1] > '9')
		return -1;
	ns = ((p[0] - '0') * 10 + (p[1] - '0')) * SECOND;
	p += 2;
	if (*p == '.' && p[1] >= '0' && p[1] <= '9')
		for (p++; p < end && *p >= '0' && *p <= '9' && unit > 0; p++, unit /= 10)
			ns += (*p - '0') * unit;
	return end - p == 2 && p[0] == 'Z' && p[1] == '"' ? ns : -1;
}

/* vl_time(), which works out a minute only once when records are in order. */
static int
record_time(struct vl *v, struct json_value time, int64_t *ns)
{
	const size_t n = sizeof(v->minute) - 1;
	int64_t rest = -1;

	if (time.n > n + 3)
		rest = seconds_of(time.p + n, time.p + time.n);
	if (rest != -1 && memcmp(time.p, v->minute, n) == 0) {
		*ns = v->minute_ns + rest;
		return 0;
	}
	if (vl_time(time, ns) == -1)
		return -1;
	/* With an escape in it, or next to the ends of time, it is none of the usual ones. */
	if (rest != -1 && memchr(time.p, '\\', n) == NULL && *ns > rest && *ns < INT64_MAX - 60 * SECOND) {
		memcpy(v->minute, time.p, n);
		v->minute_ns = *ns - rest;
	}
	return 0;
}

/* ---- copying ---- */

/* Copy n bytes from a place where one may look up to `end`, to a place with SHORT more bytes of room. */
static inline char *
copy(char *to, const char *from, size_t n, const char *end)
{
	if (n <= SHORT && end - from >= SHORT)
		memcpy(to, from, SHORT);
	else
		memcpy(to, from, n);
	return to + n;
}

/* Digits of a number, at least `width` of them. */
static char *
put_digits(char *to, uint64_t x, int width)
{
	char text[DIGITS], *p = text + DIGITS;

	do {
		*--p = (char)('0' + x % 10);
		x /= 10;
	} while (x > 0 || text + DIGITS - p < width);
	memcpy(to, p, (size_t)(text + DIGITS - p));
	return to + (text + DIGITS - p);
}

/* ---- fields ---- */

static int
refuse(struct vl *v, const char *why)
{
	v->why = why;
	return -1;
}

static int
is_null(struct json_value v)
{
	return v.p == NULL || v.p[0] == 'n' || (v.n == 2 && v.p[0] == '"');
}

static int
is_nested(struct json_value v)
{
	return v.p[0] == '{' || v.p[0] == '[';
}

/* Most bytes that put_value() writes, SHORT included. */
static size_t
value_room(struct json_value value)
{
	return (is_nested(value) ? JSON_QUOTED(value.n) : value.n + 2) + SHORT;
}

/* Any value but null as the inlet wants it. Loki: as a JSON string, anything but a string as its text. JSON lines: as it is. */
static inline char *
put_value(const struct vl *v, char *to, struct json_value value, const char *end)
{
	if (value.p[0] == '"' || v->inlet == VL_JSONLINE)
		return copy(to, value.p, value.n, end);
	if (is_nested(value))
		return json_quote(to, value.p, value.n);
	*to++ = '"';
	to = copy(to, value.p, value.n, end);
	*to++ = '"';
	return to;
}

/* `"name":value,` behind what v->form holds. */
static int
put_field(struct vl *v, const char *name, size_t n, struct json_value value)
{
	struct buf *b = v->form;
	char *to;

	if (v->fields++ >= VL_FIELDS)
		return refuse(v, "more than 1000 fields");
	if (b == NULL)
		return 0;
	if ((to = buf_room(b, n + FIELD_EXTRA + value_room(value))) == NULL)
		return refuse(v, strerror(errno));
	*to++ = '"';
	to = copy(to, name, n, name + n);
	*to++ = '"';
	*to++ = ':';
	to = put_value(v, to, value, value.p + value.n);
	*to++ = ',';
	b->n = (size_t)(to - b->p);
	return 0;
}

/* Is it one of the values that stand elsewhere in the form? */
static int
is_known(const struct vl *v, const char *p)
{
	for (int i = 0; i < 2 + v->nstreams; i++)
		if (v->value[i].p == p)
			return 1;
	return 0;
}

static int
is_one_of(const struct vl_name *name, int n, const char *p, size_t len)
{
	for (int i = 0; i < n; i++)
		if ((name[i].prefix ? len >= name[i].n : len == name[i].n) && memcmp(name[i].p, p, name[i].n) == 0)
			return 1;
	return 0;
}

static int
is_mark(const char *p, size_t n)
{
	static const struct vl_name mark[] = { { "og_batch", 8, 0 }, { "og_seq", 6, 0 } };

	return is_one_of(mark, 2, p, n);
}

/* What a name with escapes stands for; the name itself when that is no text. */
static void
unescape(const char **name, size_t *n, char text[VL_NAME + 1])
{
	char quoted[VL_NAME + 2] = { '"' };
	int len;

	memcpy(quoted + 1, *name, *n);
	quoted[1 + *n] = '"';
	if ((len = json_text((struct json_value){ quoted, *n + 2 }, text, VL_NAME + 1)) == -1)
		return;
	*name = text;
	*n = (size_t)len;
}

/*
 * What becomes of a field; *why when it must not be sent. The name is that in the form, n bytes, of which at most VL_NAME need be there.
 * Names keep their escapes in the form.
 */
static enum fate
fate_of(const struct vl *v, const char *name, size_t n, const char **why)
{
	static const struct vl_name reserved[] = { { "_msg", 4, 0 }, { "_time", 5, 0 }, { "_stream", 7, 0 }, { "_stream_id", 10, 0 } };
	char text[VL_NAME + 1];

	*why = NULL;
	if (n <= VL_NAME && memchr(name, '\\', n) != NULL)
		unescape(&name, &n, text);
	for (int i = 0; i < v->nignored; i++)
		if (is_one_of(&v->ignored[i], 1, name, n))
			return v->ignored[i].prefix ? PASS : LEAVE;
	if (n > VL_NAME)
		*why = "a field name of more than 128 bytes";
	else if (*name == '_' && is_one_of(reserved, 4, name, n))
		*why = "a field with a name that the server keeps for itself (_msg, _time, _stream)";
	if (is_one_of(v->extra, v->nextra, name, n) || (v->mark.n > 0 && is_mark(name, n)))
		return CLASH;
	return PUT;
}

static int put_members(struct vl *, struct json_value object, size_t nprefix);

/* A member that is not known to be a plain one, its name likewise. */
static int
put_member(struct vl *v, enum fate fate, const char *name, size_t n, struct json_value value)
{
	if (fate == PASS)
		return 0;
	if (*value.p == '{') {
		if (name != v->name)
			memcpy(v->name, name, n);
		v->name[n] = '.';
		return put_members(v, value, n + 1);
	}
	if (fate == LEAVE || is_null(value))
		return 0;
	return fate == CLASH ? refuse(v, "a field that is to be added is there already") : put_field(v, name, n, value);
}

/* The members of an object, their names put behind the nprefix bytes of v->name. */
static int
put_members(struct vl *v, struct json_value object, size_t nprefix)
{
	struct json_value key, value;
	const char *next = NULL, *why;

	while (json_member(object, &next, &key, &value) == 1) {
		size_t n = nprefix + key.n, room = nprefix < VL_NAME ? VL_NAME - nprefix : 0;
		enum fate fate;

		if (nprefix == 0 && is_known(v, value.p))
			continue;
		memcpy(v->name + nprefix, key.p, key.n < room ? key.n : room);
		fate = fate_of(v, v->name, n, &why);
		if (fate == PASS)
			continue;
		if (why != NULL || key.n == 0)
			return refuse(v, why != NULL ? why : "a field without a name");
		if (put_member(v, fate, v->name, n, value) == -1)
			return -1;
	}
	return 0;
}

/* ---- shapes ---- */

static int
plan_fields(struct vl_plan *p, int n)
{
	struct plan_field *field;

	if (n <= p->fields)
		return 0;
	if ((field = reallocarray(p->field, (size_t)n, sizeof(*field))) == NULL)
		return -1;
	p->field = field;
	p->fields = n;
	return 0;
}

/* Find out what follows from the keys of the line just read; 0, or -1 with errno. */
static int
make_plan(struct vl *v, struct vl_plan *p, const struct json_shape *s)
{
	p->shape = 0;
	p->why = NULL;
	p->names.n = 0;
	if (plan_fields(p, s->n) == -1)
		return -1;
	for (int i = 0; i < s->n; i++) {
		struct json_value key = json_shape_key(v->reader, i);
		struct plan_field *f = &p->field[i];
		const char *why;

		*f = (struct plan_field){ .at = (uint32_t)p->names.n, .n = (uint32_t)key.n + 3, .fate = PASS };
		if (!is_known(v, s->value[i].p)) {
			f->fate = fate_of(v, key.p, key.n, &why);
			if (p->why == NULL)
				p->why = why == NULL && key.n == 0 ? "a field without a name" : why;
		}
		if (buf_put(&p->names, "\"", 1) == -1 || buf_put(&p->names, key.p, key.n) == -1 || buf_put(&p->names, "\":", 2) == -1)
			return -1;
	}
	if (buf_room(&p->names, SHORT) == NULL)
		return -1;
	p->shape = s->id;
	return 0;
}

/* put_members() for a record with a plan; value bytes lie before `end`. */
static int
put_planned(struct vl *v, const struct vl_plan *p, const struct json_shape *s, size_t len, const char *end)
{
	/* Enough for all fields that are no array or object. */
	const size_t room = len + (size_t)s->n * FIELD_EXTRA + SHORT;
	struct buf *b = v->form;
	char *to = NULL;

	if (b != NULL && (to = buf_room(b, room)) == NULL)
		return refuse(v, strerror(errno));
	for (int i = 0; i < s->n; i++) {
		const struct plan_field *f = &p->field[i];
		struct json_value value = s->value[i];
		const char *name = p->names.p + f->at;

		if (f->fate == PASS)
			continue;
		if (f->fate != PUT || is_nested(value)) {
			if (b != NULL)
				b->n = (size_t)(to - b->p);
			if (put_member(v, f->fate, name + 1, f->n - 3, value) == -1)
				return -1;
			if (b != NULL && (to = buf_room(b, room)) == NULL)
				return refuse(v, strerror(errno));
		} else if (!is_null(value)) {
			v->fields++;
			if (b == NULL)
				continue;
			to = copy(to, name, f->n, name + SHORT);
			to = put_value(v, to, value, end);
			*to++ = ',';
		}
	}
	if (b != NULL)
		b->n = (size_t)(to - b->p);
	return v->fields > VL_FIELDS ? refuse(v, "more than 1000 fields") : 0;
}

/* All fields but time, message and labels. */
static int
put_fields(struct vl *v, struct json_value record)
{
	const struct json_shape *s = json_shape(v->reader);
	struct vl_plan *p = &v->plan[s->slot];

	if (s->id == 0)
		return put_members(v, record, 0);
	if (p->shape != s->id && make_plan(v, p, s) == -1)
		return refuse(v, strerror(errno));
	if (p->why != NULL)
		return refuse(v, p->why);
	return put_planned(v, p, s, record.n, record.p + record.n);
}

/* ---- records ---- */

/* `"label":"text",...` of the stream fields that are there. */
static int
put_labels(struct vl *v)
{
	struct buf *own = v->form;
	int failed = 0;

	v->key.n = 0;
	if (v->inlet == VL_LOKI)
		v->form = &v->key;
	for (int i = 0; i < v->nstreams && !failed; i++) {
		if (is_null(v->value[2 + i]))
			continue;
		if (v->labelled >> i & 1)
			failed = refuse(v, "a field that is to be added is there already");
		else
			failed = put_field(v, v->own[2 + i].p, v->own[2 + i].n, v->value[2 + i]);
	}
	v->form = own;
	if (failed || v->inlet != VL_LOKI)
		return failed;
	if (buf_put(&v->key, v->labels.p, v->labels.n) == -1)
		return refuse(v, strerror(errno));
	if (v->key.n > 0)
		v->key.n--;
	return 0;
}

/* Fields that are added, and the bracket or brackets that end the form, over the comma behind the last field. */
static int
put_end(struct vl *v, const char *brackets)
{
	struct buf *b = v->form;
	char *to = buf_room(b, v->more.n + v->mark.n + HEAD_ROOM);

	if (to == NULL)
		return refuse(v, strerror(errno));
	if (v->more.n > 0) {
		memcpy(to, v->more.p, v->more.n);
		to += v->more.n;
	}
	if (v->mark.n > 0) {
		memcpy(to, v->mark.p, v->mark.n);
		to = put_digits(to + v->mark.n, v->seq, 1);
		*to++ = '"';
		*to++ = ',';
	}
	to -= to[-1] == ',';
	for (; *brackets != '\0'; brackets++)
		*to++ = *brackets;
	b->n = (size_t)(to - b->p);
	return 0;
}

static int
put_loki(struct vl *v, struct json_value record, int64_t ns)
{
	struct buf *b = v->form;
	size_t from = b->n;
	struct json_value message = is_null(v->value[1]) ? (struct json_value){ "\"\"", 2 } : v->value[1];
	char *to = buf_room(b, HEAD_ROOM + value_room(message));

	if (to == NULL)
		return refuse(v, strerror(errno));
	memcpy(to, "[\"", 2);
	to = put_digits(to + 2, (uint64_t)ns / SECOND, 1);
	to = put_digits(to, (uint64_t)ns % SECOND, 9);
	memcpy(to, "\",", 2);
	to = put_value(v, to + 2, message, message.p + message.n);
	memcpy(to, ",{", 2);
	b->n = (size_t)(to + 2 - b->p);
	if (put_fields(v, record) == -1 || put_end(v, "}]") == -1)
		return -1;
	return b->n - from + v->key.n > VL_LOKI_BYTES ? refuse(v, "more than 2000000 bytes") : 0;
}

/* A JSON line of the fields that are left. */
static int
put_rest(struct vl *v, struct json_value record)
{
	v->fields -= 2; /* time is none, the message is counted already */
	if (buf_put(v->form, "{", 1) == -1)
		return refuse(v, strerror(errno));
	for (int i = 0; i < 2; i++)
		if (!is_null(v->value[i]) && put_field(v, v->own[i].p, v->own[i].n, v->value[i]) == -1)
			return -1;
	return put_labels(v) == -1 ? -1 : put_fields(v, record);
}

static int
put_line(struct vl *v, struct json_value record)
{
	struct buf *b = v->form;
	size_t from = b->n, n = record.n;

	if (v->nignored > 0) {
		if (put_rest(v, record) == -1)
			return -1;
	} else {
		v->form = NULL;
		if (put_labels(v) == -1 || put_fields(v, record) == -1)
			return -1;
		v->form = b;
		while (record.p[n - 1] != '}')
			n--;
		if (buf_put(b, record.p, n - 1) == -1 || buf_put(b, ",", 1) == -1)
			return refuse(v, strerror(errno));
	}
	if (put_end(v, "}") == -1)
		return -1;
	return b->n - from >= VL_JSONLINE_BYTES ? refuse(v, "more than 262143 bytes") : 0;
}

/* The time of the line just read, within all bounds. */
static int
check_time(struct vl *v, int64_t *ns)
{
	if (json_is_null(v->value[0]))
		return refuse(v, "no time");
	if (record_time(v, v->value[0], ns) == -1)
		return refuse(v, "time is neither RFC 3339 with an offset nor a whole number since 1970");
	if (*ns < v->oldest || *ns > v->newest)
		return refuse(v, *ns < v->oldest ? "older than the server's retention" : "further in the future than the server keeps");
	if (*ns < v->begin || *ns >= v->end)
		return refuse(v, *ns < v->begin ? "before the time asked for" : "behind the time asked for");
	return 0;
}

static int
put_record(struct vl *v, struct json_value record, int64_t ns)
{
	v->fields = 1 + v->nextra + (v->mark.n > 0 ? 2 : 0); /* the message is one */
	if (v->inlet == VL_LOKI)
		return put_labels(v) == -1 ? -1 : put_loki(v, record, ns);
	if (v->nignored > 0 || v->nextra > 0 || v->mark.n > 0)
		return put_line(v, record);
	v->form = NULL;
	return put_labels(v) == -1 ? -1 : put_fields(v, record);
}

int
vl_record(struct vl *v, const char *line, size_t len, struct buf *form)
{
	size_t from = form->n;
	int64_t ns;

	if (v->inlet == VL_JSONLINE && len >= VL_JSONLINE_BYTES)
		return refuse(v, "more than 262143 bytes");
	if (json_read(v->reader, line, len, v->value, &v->why) == -1 || check_time(v, &ns) == -1)
		return -1;
	/* Blanks around the object are no part of it. */
	while (*line != '{') {
		line++;
		len--;
	}
	v->form = form;
	if (put_record(v, (struct json_value){ line, len }, ns) == -1) {
		form->n = from;
		return -1;
	}
	v->seq++;
	return 0;
}

int
vl_retention(struct vl *v, const char *metrics, int64_t now)
{
	if (prom_window(metrics, now, &v->oldest, &v->newest) == -1)
		return -1;
	v->asked = now;
	return 0;
}

void
vl_later(struct vl *v, int64_t now)
{
	int64_t later = now - v->asked;

	if (v->asked == 0)
		return;
	/* Where it keeps all, it goes on doing so. */
	if (v->oldest != 1)
		v->oldest += later;
	if (v->newest < INT64_MAX - DISTANT)
		v->newest += later;
	v->asked = now;
}

/* ---- setting up ---- */

/* A name must stand in a line, a URL's list and a JSON string as it is. */
static int
is_plain(const char *name)
{
	return *name != '\0' && strlen(name) <= VL_NAME && strpbrk(name, "\"\\,") == NULL && utf8_valid(name, strlen(name)) &&
	    name[strcspn(name, "\x01\x02\x03\x04\x05\x06\x07\b\t\n\v\f\r\x1b")] == '\0';
}

int
vl_open(struct vl *v, enum vl_inlet inlet, const char *time, const char *message, char *streams, const char **errstr)
{
	const char *key[2 + VL_STREAMS] = { time, message };
	char *name;
	int n = 2;

	*v = (struct vl){ .inlet = inlet, .oldest = 1, .newest = INT64_MAX, .begin = INT64_MIN, .end = INT64_MAX, .seq = 1 };
	*errstr = NULL;
	if (*streams == '\0')
		streams = NULL;
	while ((name = strsep(&streams, ",")) != NULL) {
		if (n == 2 + VL_STREAMS) {
			*errstr = "more than 16 stream fields";
			return -1;
		}
		key[n++] = name;
	}
	for (int i = 0; i < n; i++) {
		if (!is_plain(key[i]))
			*errstr = "a field name is empty, too long, or holds a quote, backslash, comma or control character";
		for (int j = 0; j < i; j++)
			if (strcmp(key[i], key[j]) == 0)
				*errstr = "a field cannot be two of time, message and stream";
		v->own[i] = (struct vl_name){ .p = key[i], .n = strlen(key[i]) };
	}
	if (*errstr != NULL)
		return -1;
	v->nstreams = n - 2;
	if ((v->plan = calloc(JSON_SLOTS, sizeof(*v->plan))) == NULL || (v->reader = json_reader(key, n)) == NULL) {
		*errstr = strerror(errno);
		vl_close(v);
		return -1;
	}
	return 0;
}

void
vl_close(struct vl *v)
{
	for (int i = 0; i < JSON_SLOTS && v->plan != NULL; i++) {
		buf_free(&v->plan[i].names);
		free(v->plan[i].field);
	}
	free(v->plan);
	json_reader_free(v->reader);
	buf_free(&v->labels);
	buf_free(&v->more);
	buf_free(&v->mark);
	buf_free(&v->key);
}

/* What plans say of names holds no longer. */
static void
forget_plans(struct vl *v)
{
	for (int i = 0; i < JSON_SLOTS; i++)
		v->plan[i].shape = 0;
}

/* A text as a JSON string behind what `to` holds. */
static int
put_quoted(struct buf *to, const char *text, size_t n)
{
	char *p = buf_room(to, JSON_QUOTED(n));

	if (p == NULL)
		return -1;
	to->n += (size_t)(json_quote(p, text, n) - p);
	return 0;
}

/* Why an extra field cannot have this name, or NULL. */
static const char *
extra_fault(const struct vl *v, const char *name, size_t n, const char *value)
{
	const char *why;

	if (n == 0 || n > VL_NAME || memchr(name, '"', n) != NULL || memchr(name, '\\', n) != NULL)
		return "not name=value, or a name that is too long or holds a quote or backslash";
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == ',')
			return "a name with a comma or control character";
	if (*value == '\0' || !utf8_valid(name, n) || !utf8_valid(value, strlen(value)))
		return "a value that is empty, or no UTF-8";
	if (is_one_of(v->own, 2, name, n) || is_one_of(v->extra, v->nextra, name, n) || is_mark(name, n))
		return "a field of this name is there already";
	if (v->nextra == VL_EXTRAS)
		return "more than 16 fields";
	if (fate_of(v, name, n, &why) != PUT)
		return "a field cannot be added and left out";
	return why;
}

int
vl_extra(struct vl *v, const char *field, const char **errstr)
{
	size_t n = strcspn(field, "=");
	const char *value = field + n + (field[n] == '=');
	struct buf *to = &v->more;

	if ((*errstr = extra_fault(v, field, n, value)) != NULL)
		return -1;
	for (int i = 0; i < v->nstreams; i++)
		if (is_one_of(&v->own[2 + i], 1, field, n)) {
			v->labelled |= 1U << i;
			/* A JSON line holds its labels among its fields. */
			to = v->inlet == VL_LOKI ? &v->labels : &v->more;
		}
	if (put_quoted(to, field, n) == -1 || buf_put(to, ":", 1) == -1 || put_quoted(to, value, strlen(value)) == -1 ||
	    buf_put(to, ",", 1) == -1) {
		*errstr = strerror(errno);
		return -1;
	}
	v->extra[v->nextra++] = (struct vl_name){ .p = field, .n = n };
	forget_plans(v);
	return 0;
}

int
vl_ignore(struct vl *v, char *names, const char **errstr)
{
	char *name;

	while ((name = strsep(&names, ",")) != NULL) {
		struct vl_name one = { .p = name, .n = strlen(name) };

		if (one.n > 1 && name[one.n - 1] == '*') {
			one.prefix = 1;
			one.n--;
		}
		*errstr = NULL;
		if (!is_plain(name))
			*errstr = "a field name is empty, too long, or holds a quote, backslash or control character";
		else if (v->nignored == VL_IGNORED)
			*errstr = "more than 64 names";
		for (int i = 0; i < 2 + v->nstreams; i++)
			if (is_one_of(&one, 1, v->own[i].p, v->own[i].n))
				*errstr = "time, message and stream fields cannot be left out";
		for (int i = 0; i < v->nextra; i++)
			if (is_one_of(&one, 1, v->extra[i].p, v->extra[i].n))
				*errstr = "a field cannot be added and left out";
		if (*errstr != NULL)
			return -1;
		v->ignored[v->nignored++] = one;
	}
	forget_plans(v);
	return 0;
}

int
vl_mark(struct vl *v, const char *batch)
{
	int marked = v->mark.n > 0;

	v->mark.n = 0;
	if (batch != NULL &&
	    (buf_puts(&v->mark, "\"og_batch\":") == -1 || put_quoted(&v->mark, batch, strlen(batch)) == -1 ||
		buf_puts(&v->mark, ",\"og_seq\":\"") == -1))
		return -1;
	if (marked != (v->mark.n > 0))
		forget_plans(v);
	return 0;
}

/* A number at the beginning of a text, and what is behind it; NULL when it is none. */
static const char *
tenant_number(const char *text, unsigned *to)
{
	size_t n = strspn(text, "0123456789");
	unsigned long long v = n == 0 || n > 10 ? ULLONG_MAX : strtoull(text, NULL, 10);

	*to = (unsigned)v;
	return v > UINT32_MAX ? NULL : text + n;
}

int
vl_tenant(struct vl_tenant *t, const char *text)
{
	const char *behind = tenant_number(text, &t->id[0]);

	t->id[1] = 0;
	if (behind != NULL && *behind == ':')
		behind = tenant_number(behind + 1, &t->id[1]);
	if (behind == NULL || *behind != '\0')
		return -1;
	(void)snprintf(t->line[0], sizeof(t->line[0]), "AccountID: %u", t->id[0]);
	(void)snprintf(t->line[1], sizeof(t->line[1]), "ProjectID: %u", t->id[1]);
	t->header[0] = t->line[0];
	t->header[1] = t->line[1];
	t->header[2] = NULL;
	return 0;
}
