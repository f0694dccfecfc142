/*
 * oracle: the judge of delivery
 *
 *	oracle make [-f json|tsv|csv|samples] N [seed]
 *	oracle judge -n N [-d dead-letter] [-f form] [-m doubles] [-s seed] STORED ...
 *
 * make writes records 1 to N: every byte of one follows from the seed (1) and its number, which is also that of its line (csv has a line of
 * names before them). judge reads what a server holds, in the wire forms of the pushers (bodies for VictoriaLogs, JSON lines, lines of
 * VictoriaMetrics' import and of Prometheus' text, TSV, CSV), or exported as lines "id sum". It makes each record again and compares.
 * It says how many were sent, are stored, missing, doubled (stored more than once, or in the dead-letter file, too), corrupted (places, not
 * records), and refused, names the first few that are at fault, and exits 1 when one is missing or corrupted, or more than -m are doubled.
 * Memory: a byte a record, and the longest line.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "mix.h"
#include "rec.h"

#define MOST 100000000                /* records */
#define LINE_MOST (128 * 1024 * 1024) /* a stored body may be one line */
#define BEGIN 1764763200              /* 2025-12-03T12:00:00Z; record n is n ms later */
#define TEXT 1024
#define SHOWN 5
/* Of a record: copies, and a bit. */
#define MANY 2
#define REFUSED 0x80

enum form { JSON, TSV, CSV, SAMPLES };

struct record {
	uint64_t id, sum;
	int64_t ms; /* since 1970 */
	char time[64], service[8], stack[8], message[TEXT];
};

struct oracle {
	uint64_t n, seed, stored, doubled, corrupted, refused;
	unsigned char *seen;
	int shown;
};

/* The record of a number. */
static void
know(uint64_t seed, uint64_t id, struct record *r)
{
	static const char *const words[] = { "slow", "café", "\"said\"", "C:\\temp", "a\tb", "{}[],:", "10%", "naïve", "x=1", "<&>",
		"'it''s'", "\xe2\x82\xac", "retry", "of", "the", "request" };
	uint64_t word;
	size_t n;

	r->id = id;
	r->sum = mix_at(mix(seed), id);
	r->ms = (int64_t)BEGIN * 1000 + (int64_t)id;
	word = mix(r->sum);
	(void)snprintf(r->service, sizeof(r->service), "s%u", (unsigned)(word & 3));
	(void)snprintf(r->stack, sizeof(r->stack), "t%u", (unsigned)(word >> 2 & 1));
	/* Up to 27 hours from noon. */
	(void)snprintf(r->time, sizeof(r->time), "2025-12-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64 "Z",
	    3 + (r->ms / 1000 - BEGIN + 43200) / 86400, (r->ms / 3600000) % 24, (r->ms / 60000) % 60, (r->ms / 1000) % 60, r->ms % 1000);
	n = (size_t)snprintf(r->message, TEXT, "m %" PRIu64 " ", id);
	for (uint64_t left = word >> 8 & 15; left > 0; left--) {
		word = mix(word + left);
		n += (size_t)snprintf(r->message + n, TEXT - n, "%s ", words[word & 15]);
	}
	r->message[n - 1] = '.';
}

/* What a sample carries of the sum: whole numbers of 40 bits survive every way to write a double. */
static uint64_t
value_of(const struct record *r)
{
	return r->sum & 0xffffffffffULL;
}

static char *
quote_csv(char *to, const char *from)
{
	*to++ = '"';
	for (; *from != '\0'; from++) {
		if (*from == '"')
			*to++ = '"';
		*to++ = *from;
	}
	*to++ = '"';
	return to;
}

static char *
escape_tsv(char *to, const char *from)
{
	for (; *from != '\0'; from++) {
		if (*from == '\t' || *from == '\\')
			*to++ = '\\';
		*to++ = *from == '\t' ? 't' : *from;
	}
	return to;
}

/* A line of the form, with its newline; its length. */
static size_t
write_record(const struct record *r, enum form form, char *line, size_t size)
{
	char message[JSON_QUOTED(TEXT) + 1];

	switch (form) {
	case SAMPLES:
		return (size_t)snprintf(line, size,
		    "{\"metric\":\"oracle\",\"ts\":%" PRId64 ".%03" PRId64 "000,\"value\":%" PRIu64
		    ",\"tags\":{\"service\":\"%s\",\"stack\":\"%s\"}}\n",
		    r->ms / 1000, r->ms % 1000, value_of(r), r->service, r->stack);
	case TSV:
		*escape_tsv(message, r->message) = '\0';
		return (size_t)snprintf(line, size, "%" PRId64 "\t%s\t%s\t%s\t%" PRIu64 "\t%016" PRIx64 "\n", r->ms / 1000, r->service,
		    r->stack, message, r->id, r->sum);
	case CSV:
		*quote_csv(message, r->message) = '\0';
		return (size_t)snprintf(line, size, "%" PRId64 ",\"%s\",\"%s\",%s,%" PRIu64 ",\"%016" PRIx64 "\"\n", r->ms / 1000,
		    r->service, r->stack, message, r->id, r->sum);
	default:
		*json_quote(message, r->message, strlen(r->message)) = '\0';
		return (size_t)snprintf(line, size,
		    "{\"timestamp\":\"%s\",\"service\":\"%s\",\"stack\":\"%s\",\"message\":%s,\"id\":%" PRIu64 ",\"sum\":\"%016" PRIx64
		    "\"}\n",
		    r->time, r->service, r->stack, message, r->id, r->sum);
	}
}

static void
make(uint64_t n, uint64_t seed, enum form form)
{
	static char line[8 * TEXT];
	struct record r;
	struct out out;

	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	if (form == CSV)
		out_put(&out, "timestamp,service,stack,message,id,sum\n", 39);
	for (uint64_t id = 1; id <= n; id++) {
		know(seed, id, &r);
		out_put(&out, line, write_record(&r, form, line, sizeof(line)));
	}
	if (out_close(&out) == -1)
		err(1, "<stdout>");
}

static void
complain(struct oracle *o, const char *what, const char *text, size_t n)
{
	if (o->shown++ < SHOWN)
		warnx("%s: %.*s", what, n > 200 ? 200 : (int)n, text);
}

static void
corrupted(struct oracle *o, const char *text, size_t n)
{
	o->corrupted++;
	complain(o, "corrupted", text, n);
}

static void
stored(struct oracle *o, uint64_t id)
{
	unsigned char *seen = &o->seen[id];

	o->stored += *seen == 0;
	o->doubled += *seen == 1;
	if (*seen < MANY)
		++*seen;
}

/* What was found of one record; absent parts have p == NULL, or time and value -1. */
struct found {
	uint64_t id, sum;
	int has_id, has_sum, bad;
	struct json_value time, service, stack, message;
};

/* Does the value say this? As it is for numbers, unescaped for strings. */
static int
says(struct json_value v, const char *text)
{
	char plain[8 * TEXT];
	size_t n;

	if (json_is_string(v))
		return json_text(v, plain, sizeof(plain)) >= 0 && strcmp(plain, text) == 0;
	n = strlen(text);
	return v.n == n && memcmp(v.p, text, n) == 0;
}

/* Whole numbers, between quotes or not. 0, or -1. */
static int
whole(struct json_value v, int base, uint64_t *to)
{
	char text[32], *end;

	if (v.n > 1 && *v.p == '"')
		v = (struct json_value){ v.p + 1, v.n - 2 };
	if (v.n == 0 || v.n >= sizeof(text))
		return -1;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	*to = strtoull(text, &end, base);
	return *end == '\0' ? 0 : -1;
}

/* RFC 3339 with or without zeros at the end of the fraction, or whole nanoseconds. */
static int
is_time(struct json_value v, const struct record *r)
{
	char text[64], want[64];
	size_t n;

	if (json_is_string(v) && json_text(v, text, sizeof(text)) == -1)
		return 0;
	if (!json_is_string(v) || strchr(text, '-') == NULL) {
		uint64_t ns;

		return whole(v, 10, &ns) == 0 && ns == (uint64_t)r->ms * 1000000;
	}
	for (n = strlen(text); n > 0 && strchr("Z0.", text[n - 1]) != NULL && strchr(text, '.') != NULL; n--)
		text[n - 1] = '\0';
	(void)snprintf(want, sizeof(want), "%s", r->time);
	for (n = strlen(want); n > 0 && strchr("Z0.", want[n - 1]) != NULL && strchr(want, '.') != NULL; n--)
		want[n - 1] = '\0';
	return strcmp(text, want) == 0;
}

/* Compare with what was sent. */
static void
settle(struct oracle *o, const struct found *f, const char *text, size_t n)
{
	struct record r;

	if (f->bad || !f->has_id || !f->has_sum || f->id < 1 || f->id > o->n) {
		corrupted(o, text, n);
		return;
	}
	know(o->seed, f->id, &r);
	if (f->sum != r.sum || (f->time.p != NULL && !is_time(f->time, &r)) || (f->service.p != NULL && !says(f->service, r.service)) ||
	    (f->stack.p != NULL && !says(f->stack, r.stack)) || (f->message.p != NULL && !says(f->message, r.message)))
		corrupted(o, text, n);
	else
		stored(o, f->id);
}

static int
named(struct json_value key, const char *name)
{
	return key.n == strlen(name) && memcmp(key.p, name, key.n) == 0;
}

/* Add the members of an object. */
static void
gather(struct json_value object, struct found *f)
{
	struct json_value key, value;
	const char *next = NULL;
	int more;

	while ((more = json_member(object, &next, &key, &value)) == 1) {
		if (named(key, "id"))
			f->has_id = whole(value, 10, &f->id) == 0;
		else if (named(key, "sum"))
			f->has_sum = value.n == 18 && whole(value, 16, &f->sum) == 0;
		else if (named(key, "timestamp") || named(key, "_time"))
			f->time = value;
		else if (named(key, "service"))
			f->service = value;
		else if (named(key, "stack"))
			f->stack = value;
		else if (named(key, "message") || named(key, "_msg"))
			f->message = value;
	}
	f->bad |= more == -1;
}

/* ["ns", "message", {...}] of a stream. */
static void
judge_value(struct oracle *o, struct json_value labels, struct json_value value)
{
	struct found f = { 0 };
	struct json_value part;
	const char *next = NULL;

	gather(labels, &f);
	f.bad |= json_each(value, &next, &f.time) != 1 || json_each(value, &next, &f.message) != 1 || json_each(value, &next, &part) != 1;
	if (!f.bad)
		gather(part, &f);
	/* The server's own field for a message that is empty. */
	settle(o, &f, value.p, value.n);
}

/* {"streams":[{"stream":{...},"values":[...]}]} */
static void
judge_streams(struct oracle *o, struct json_value body)
{
	struct json_value key, streams, stream, value, part;
	const char *next = NULL, *at = NULL, *to;
	int more;

	if (json_member(body, &next, &key, &streams) != 1 || !named(key, "streams")) {
		corrupted(o, body.p, body.n);
		return;
	}
	while ((more = json_each(streams, &at, &stream)) == 1) {
		struct json_value labels = { 0 }, values = { 0 };

		for (to = NULL; (more = json_member(stream, &to, &key, &part)) == 1;)
			*(named(key, "stream") ? &labels : &values) = part;
		if (more == -1 || labels.p == NULL || values.p == NULL) {
			corrupted(o, stream.p, stream.n);
			continue;
		}
		for (to = NULL; (more = json_each(values, &to, &value)) == 1;)
			judge_value(o, labels, value);
		if (more == -1)
			corrupted(o, values.p, values.n);
	}
	if (more == -1)
		corrupted(o, body.p, body.n);
}

/* A sample, of which the time in ms gives the number. */
static void
judge_sample(struct oracle *o, const struct found *f, struct json_value value, int64_t ms, const char *text, size_t n)
{
	struct record r;
	double want, have;
	int64_t id = ms - (int64_t)BEGIN * 1000;

	if (f->bad || id < 1 || (uint64_t)id > o->n || json_double(value, &have) == -1) {
		corrupted(o, text, n);
		return;
	}
	know(o->seed, (uint64_t)id, &r);
	want = (double)value_of(&r);
	if (have < want || have > want || (f->service.p != NULL && !says(f->service, r.service)) ||
	    (f->stack.p != NULL && !says(f->stack, r.stack)))
		corrupted(o, text, n);
	else
		stored(o, r.id);
}

/* {"metric":{...},"values":[...],"timestamps":[...]} */
static void
judge_import(struct oracle *o, struct json_value line)
{
	struct json_value key, part, metric = { 0 }, values = { 0 }, times = { 0 }, value, time;
	const char *next = NULL, *at = NULL, *to = NULL;
	struct found f = { 0 };
	uint64_t ms;
	int more;

	while ((more = json_member(line, &next, &key, &part)) == 1) {
		if (named(key, "metric"))
			metric = part;
		else if (named(key, "values"))
			values = part;
		else if (named(key, "timestamps"))
			times = part;
	}
	if (more == -1 || metric.p == NULL || values.p == NULL || times.p == NULL) {
		corrupted(o, line.p, line.n);
		return;
	}
	gather(metric, &f);
	while ((more = json_each(values, &at, &value)) == 1 && json_each(times, &to, &time) == 1) {
		if (json_u64(time, &ms) == -1)
			ms = 0;
		judge_sample(o, &f, value, (int64_t)ms, line.p, line.n);
	}
	if (more != 0 || json_each(times, &to, &time) != 0)
		corrupted(o, line.p, line.n);
}

/* name{label="value",...} value ms */
static void
judge_text(struct oracle *o, char *line, size_t n)
{
	char *brace = strrchr(line, '}'), *p = strchr(line, '{'), *value, *ms;
	struct found f = { .bad = brace == NULL || p == NULL };
	uint64_t time = 0;

	if (!f.bad) {
		value = brace + 1 + strspn(brace + 1, " ");
		ms = value + strcspn(value, " ");
		ms += strspn(ms, " ");
		while (p < brace) {
			char *name = p + 1, *quoted = strstr(name, "=\""), *end = quoted == NULL ? NULL : strchr(quoted + 2, '"');

			if (end == NULL)
				break;
			*(strncmp(name, "service=", 8) == 0       ? &f.service
				: strncmp(name, "stack=", 6) == 0 ? &f.stack
								  : &f.time) = (struct json_value){ quoted + 1, (size_t)(end - quoted) };
			p = end + 1;
		}
		if (whole((struct json_value){ ms, strlen(ms) }, 10, &time) == -1)
			time = 0;
		judge_sample(o, &f, (struct json_value){ value, strcspn(value, " ") }, (int64_t)time, line, n);
	} else
		corrupted(o, line, n);
}

/* Lines whose every byte is known: the number stands in them, and the line is made again. */
static void
judge_line(struct oracle *o, enum form form, const char *line, size_t n)
{
	char want[8 * TEXT];
	const char *at = line + n;
	struct record r;
	uint64_t id;

	/* The last but one column. */
	for (int columns = 0; at > line && columns < 2; columns += *at == (form == TSV ? '\t' : ','))
		at--;
	if (whole((struct json_value){ at + 1, strcspn(at + 1, "\t,") }, 10, &id) == -1 || id < 1 || id > o->n) {
		corrupted(o, line, n);
		return;
	}
	know(o->seed, id, &r);
	if (write_record(&r, form, want, sizeof(want)) != n + 1 || memcmp(want, line, n) != 0)
		corrupted(o, line, n);
	else
		stored(o, id);
}

/* "id sum" */
static int
judge_export(struct oracle *o, const char *line, size_t n)
{
	size_t digits = strcspn(line, " \t");
	struct found f = { 0 };

	if (digits == n || n - digits != 17)
		return 0;
	f.has_id = whole((struct json_value){ line, digits }, 10, &f.id) == 0;
	f.has_sum = whole((struct json_value){ line + digits + 1, 16 }, 16, &f.sum) == 0;
	if (!f.has_id || !f.has_sum)
		return 0;
	settle(o, &f, line, n);
	return 1;
}

static void
judge_any(struct oracle *o, char *line, size_t n)
{
	const struct json_value whole_line = { line, n };
	struct found f = { 0 };

	if (n == 0 || *line == '#' || strcmp(line, "timestamp,service,stack,message,id,sum") == 0)
		return;
	if (strncmp(line, "{\"streams\":", 11) == 0)
		judge_streams(o, whole_line);
	else if (strncmp(line, "{\"metric\":{", 11) == 0)
		judge_import(o, whole_line);
	else if (*line == '{') {
		gather(whole_line, &f);
		settle(o, &f, line, n);
	} else if (*line >= 'a' && *line <= 'z')
		judge_text(o, line, n);
	else if (!judge_export(o, line, n))
		judge_line(o, memchr(line, ',', n) != NULL && line[strspn(line, "0123456789")] == ',' ? CSV : TSV, line, n);
}

static void
open_lines(struct rec *in, const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || rec_open(in, fd, path, NULL, LINE_MOST) == -1)
		err(1, "%s", path);
}

static void
read_stored(struct oracle *o, const char *path)
{
	enum rec_status status;
	struct rec in;
	char *line;
	size_t n;

	open_lines(&in, path);
	while ((status = rec_next(&in, &line, &n)) == REC_LINE || status == REC_LONG) {
		if (status == REC_LONG)
			corrupted(o, "line too long", 13);
		else {
			line[n] = '\0';
			judge_any(o, line, n);
		}
	}
	if (status == REC_ERROR)
		err(1, "%s", path);
	(void)close(in.fd);
	rec_close(&in);
}

/* Lines of line number, status, reason and record. One that is no longer what it was is at fault; one that was too long is not there. */
static void
read_dead(struct oracle *o, const char *path, enum form form)
{
	char want[8 * TEXT];
	struct record r;
	struct rec in;
	uint64_t id;
	char *line;
	size_t n;

	open_lines(&in, path);
	while (rec_next(&in, &line, &n) == REC_LINE) {
		const char *text = line;
		unsigned char *seen;

		line[n] = '\0';
		for (int columns = 0; columns < 3 && text != NULL; columns++)
			text = (text = strchr(text, '\t')) == NULL ? NULL : text + 1;
		if (text == NULL || whole((struct json_value){ line, strcspn(line, "\t") }, 10, &id) == -1 || (id -= form == CSV) < 1 ||
		    id > o->n) {
			corrupted(o, line, n);
			continue;
		}
		know(o->seed, id, &r);
		if (*text != '\0' &&
		    (write_record(&r, form, want, sizeof(want)) != strlen(text) + 1 || memcmp(want, text, strlen(text)) != 0))
			corrupted(o, text, strlen(text));
		seen = &o->seen[id];
		o->refused += (*seen & REFUSED) == 0;
		o->doubled += *seen == 1;
		*seen |= REFUSED;
	}
	(void)close(in.fd);
	rec_close(&in);
}

/* How many of 1 to n are neither stored nor refused. */
static uint64_t
missing(struct oracle *o)
{
	uint64_t count = 0;
	char line[32];

	o->shown = 0;
	for (uint64_t id = 1; id <= o->n; id++) {
		if (o->seen[id] == 0) {
			count++;
			complain(o, "missing", line, (size_t)snprintf(line, sizeof(line), "line %" PRIu64, id));
		}
	}
	return count;
}

static _Noreturn void
usage(void)
{
	(void)fprintf(stderr,
	    "usage: oracle make [-f json|tsv|csv|samples] N [seed]\n"
	    "       oracle judge -n N [-d dead-letter] [-f form] [-m doubles] [-s seed] STORED ...\n");
	exit(2);
}

static uint64_t
number(const char *text, int64_t most)
{
	const char *errstr;
	int64_t n = strtonum(text, 0, most, &errstr);

	if (errstr != NULL)
		errx(2, "%s: %s", text, errstr);
	return (uint64_t)n;
}

static enum form
parse_form(const char *name)
{
	static const char *const names[] = { [JSON] = "json", [TSV] = "tsv", [CSV] = "csv", [SAMPLES] = "samples" };

	for (int i = JSON; i <= SAMPLES; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum form)i;
	usage();
}

static int
judge(struct oracle *o, char *stores[], const char *dead, enum form form, uint64_t most)
{
	uint64_t lost;

	if ((o->seen = calloc(o->n + 1, 1)) == NULL)
		err(1, NULL);
	for (; *stores != NULL; stores++)
		read_stored(o, *stores);
	if (dead != NULL)
		read_dead(o, dead, form);
	lost = missing(o);
	(void)printf("sent %" PRIu64 " stored %" PRIu64 " missing %" PRIu64 " doubled %" PRIu64 " corrupted %" PRIu64 " refused %" PRIu64
		     "\n",
	    o->n, o->stored, lost, o->doubled, o->corrupted, o->refused);
	free(o->seen);
	return lost > 0 || o->corrupted > 0 || o->doubled > most;
}

int
main(int argc, char *argv[])
{
	struct oracle o = { .seed = 1 };
	const char *dead = NULL;
	enum form form = JSON;
	uint64_t most = INT64_MAX;
	int c, bad;

	if (argc < 2 || (strcmp(argv[1], "make") != 0 && strcmp(argv[1], "judge") != 0))
		usage();
	for (optind = 2; (c = getopt(argc, argv, "d:f:m:n:s:")) != -1;) {
		if (c == 'd')
			dead = optarg;
		else if (c == 'f')
			form = parse_form(optarg);
		else if (c == 'm')
			most = number(optarg, INT64_MAX);
		else if (c == 'n')
			o.n = number(optarg, MOST);
		else if (c == 's')
			o.seed = number(optarg, INT64_MAX);
		else
			usage();
	}
	if (strcmp(argv[1], "make") == 0) {
		if (argc - optind < 1 || argc - optind > 2)
			usage();
		make(number(argv[optind], MOST), argc - optind == 2 ? number(argv[optind + 1], INT64_MAX) : 1, form);
		return 0;
	}
	if (argc == optind || o.n == 0)
		usage();
	bad = judge(&o, argv + optind, dead, form, most);
	if (fflush(stdout) != 0)
		err(1, "<stdout>");
	return bad;
}
