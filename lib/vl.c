#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "vl.h"

#define SECOND 1000000000LL
#define DAY (86400 * SECOND)
#define TEXT_MAX 64 /* bytes of a time, or of a flag */

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

/* Any value but null as a JSON string: a string as it is, anything else as its text. */
static int
put_text(struct buf *b, struct json_value v)
{
	char *to;

	if (json_is_string(v))
		return buf_put(b, v.p, v.n);
	if (v.p[0] != '[' && v.p[0] != '{')
		return buf_put(b, "\"", 1) == -1 || buf_put(b, v.p, v.n) == -1 || buf_put(b, "\"", 1) == -1 ? -1 : 0;
	if ((to = buf_room(b, JSON_QUOTED(v.n))) == NULL)
		return -1;
	b->n += (size_t)(json_quote(to, v.p, v.n) - to);
	return 0;
}

static int
put_field(struct vl *v, const char *name, size_t n, struct json_value value)
{
	struct buf *b = v->form;

	if (v->fields++ >= VL_FIELDS)
		return refuse(v, "more than 1000 fields");
	if (b == NULL)
		return 0;
	if (buf_put(b, "\"", 1) == -1 || buf_put(b, name, n) == -1 || buf_put(b, "\":", 2) == -1 || put_text(b, value) == -1 ||
	    buf_put(b, ",", 1) == -1)
		return refuse(v, strerror(errno));
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
is_reserved(const char *name, size_t n)
{
	static const char *const own[] = { "_msg", "_time", "_stream", "_stream_id" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (n == strlen(own[i]) && memcmp(name, own[i], n) == 0)
			return 1;
	return 0;
}

/* The members of an object inside the record, their names put behind the nprefix bytes of v->name. Names keep their escapes. */
static int
put_members(struct vl *v, struct json_value object, size_t nprefix)
{
	struct json_value key, value;
	const char *next = NULL;

	while (json_member(object, &next, &key, &value) == 1) {
		size_t n = nprefix + key.n;

		if (nprefix == 0 && is_known(v, value.p))
			continue;
		if (n > VL_NAME)
			return refuse(v, "a field name of more than 128 bytes");
		if (key.n == 0 || (nprefix == 0 && is_reserved(key.p, n)))
			return refuse(v,
			    key.n == 0 ? "a field without a name"
				       : "a field with a name that the server keeps for itself (_msg, _time, _stream)");
		memcpy(v->name + nprefix, key.p, key.n);
		if (*value.p == '{') {
			v->name[n] = '.';
			if (put_members(v, value, n + 1) == -1)
				return -1;
		} else if (!is_null(value) && put_field(v, v->name, n, value) == -1)
			return -1;
	}
	return 0;
}

/* `"label":"text",...` of the stream fields that are there. */
static int
put_labels(struct vl *v)
{
	struct buf *own = v->form;
	int failed = 0;

	v->key.n = 0;
	v->form = own == NULL ? NULL : &v->key;
	for (int i = 0; i < v->nstreams && !failed; i++)
		if (!is_null(v->value[2 + i]))
			failed = put_field(v, v->stream[i], strlen(v->stream[i]), v->value[2 + i]);
	v->form = own;
	if (v->key.n > 0)
		v->key.n--;
	return failed;
}

static int
put_loki(struct vl *v, struct json_value record, int64_t ns)
{
	struct buf *b = v->form;
	size_t from = b->n;
	char head[32];
	int n = snprintf(head, sizeof(head), "[\"%" PRId64 "\",", ns);
	struct json_value message = is_null(v->value[1]) ? (struct json_value){ "\"\"", 2 } : v->value[1];

	if (buf_put(b, head, (size_t)n) == -1 || put_text(b, message) == -1 || buf_put(b, ",{", 2) == -1)
		return refuse(v, strerror(errno));
	if (put_members(v, record, 0) == -1)
		return -1;
	/* The comma behind the last field is overwritten. */
	if (b->p[b->n - 1] == ',')
		b->n--;
	if (buf_put(b, "}]", 2) == -1)
		return refuse(v, strerror(errno));
	if (b->n - from + v->key.n > VL_LOKI_BYTES)
		return refuse(v, "more than 2000000 bytes");
	return 0;
}

int
vl_record(struct vl *v, const char *line, size_t len, struct buf *form)
{
	int64_t ns;

	if (v->inlet == VL_JSONLINE && len >= VL_JSONLINE_BYTES)
		return refuse(v, "more than 262143 bytes");
	if (json_read(v->reader, line, len, v->value, &v->why) == -1)
		return -1;
	if (json_is_null(v->value[0]))
		return refuse(v, "no time");
	if (vl_time(v->value[0], &ns) == -1)
		return refuse(v, "time is neither RFC 3339 with an offset nor a whole number since 1970");
	if (ns < v->oldest || ns > v->newest)
		return refuse(v, ns < v->oldest ? "older than the server's retention" : "further in the future than the server keeps");
	v->form = v->inlet == VL_LOKI ? form : NULL;
	v->fields = 1; /* the message */
	if (put_labels(v) == -1)
		return -1;
	/* Blanks around the object are no part of it. */
	while (*line != '{') {
		line++;
		len--;
	}
	if (v->inlet == VL_LOKI)
		return put_loki(v, (struct json_value){ line, len }, ns);
	return put_members(v, (struct json_value){ line, len }, 0);
}

/* ---- what the server keeps ---- */

/* The value of a flag on the metrics page, into text; 0, or -1 when it is not there. */
static int
flag(const char *metrics, const char *name, char text[TEXT_MAX])
{
	char start[TEXT_MAX];
	const char *at, *end;
	int n = snprintf(start, sizeof(start), "flag{name=\"%s\", value=\"", name);

	if ((at = strstr(metrics, start)) == NULL || (end = strchr(at + n, '"')) == NULL || end - (at + n) >= TEXT_MAX)
		return -1;
	memcpy(text, at + n, (size_t)(end - (at + n)));
	text[end - (at + n)] = '\0';
	return 0;
}

/* A duration as the server writes it: a decimal number and h, d, w or y; months of 31 days without a unit. ns, or -1. */
static double
duration(const char *text)
{
	static const char units[] = "hdwy";
	static const double ns[] = { 3600e9, 86400e9, 7 * 86400e9, 365 * 86400e9 };
	size_t n = strlen(text);
	const char *unit = n == 0 ? NULL : strchr(units, text[n - 1]);
	double v;

	if (num_decimal(text, unit == NULL ? n : n - 1, &v) == -1 || v < 0)
		return -1;
	return v * (unit == NULL ? 31 * 86400e9 : ns[unit - units]);
}

int
vl_retention(struct vl *v, const char *metrics, int64_t now)
{
	char text[TEXT_MAX];
	double past, future;

	if (flag(metrics, "retentionPeriod", text) == -1 || (past = duration(text)) < 0)
		return -1;
	if (flag(metrics, "futureRetention", text) == -1 || (future = duration(text)) < 0)
		return -1;
	/* The server drops by the day; what lives for less than that need not be sent. */
	v->oldest = past >= (double)now ? 1 : now - (int64_t)past;
	v->newest = future >= (double)(INT64_MAX - now) ? INT64_MAX : now + (int64_t)future;
	return 0;
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

	*v = (struct vl){ .inlet = inlet, .oldest = 1, .newest = INT64_MAX };
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
	}
	if (*errstr != NULL)
		return -1;
	v->nstreams = n - 2;
	memcpy(v->stream, key + 2, sizeof(v->stream));
	if ((v->reader = json_reader(key, n)) == NULL) {
		*errstr = strerror(errno);
		return -1;
	}
	return 0;
}

void
vl_close(struct vl *v)
{
	json_reader_free(v->reader);
	buf_free(&v->key);
}
