/*
 * og-vlpush: load records into VictoriaLogs
 *
 * Standard input: records, one JSON object a line. Standard output: nothing. What arrives depends on the input, the options and the server;
 * the exit status says whether all of it did.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "help.h"
#include "pusher.h"
#include "vl.h"

#define LOKI_PATH "/insert/loki/api/v1/push"
#define LOKI_BATCH (512 * 1024)
#define STILL 10   /* tries without anything new, twice a second, after which nothing more is expected */
#define COUNTS 600 /* and in all */
#define NAMED 20   /* stretches of missing lines that are named */

static struct opts {
	const char *inlet, *time, *message, *streams, *ignored;
	const char *extra[VL_EXTRAS];
	int nextra;
	unsigned tenant[2]; /* account, project */
	int has_tenant;
	int64_t begin, end; /* us */
} opts = {
	.begin = INT64_MIN,
	.end = INT64_MAX,
	.inlet = "loki",
	.time = "timestamp",
	.message = "message",
	.streams = "service,stack",
};

struct vlpush {
	struct pusher p;
	struct vl vl;
	char *streams;
	char *ignored;
	char *probe; /* URL that an empty request may be posted to */
	char *query; /* URL that is asked what is there */
	char header[2][32];
	const char *headers[3];
	uint64_t *refused; /* line numbers, in the order in which they were refused */
	size_t nrefused, room;
	uint64_t gap[2]; /* first and last of the missing lines that are to be named next; 0: none */
	int named;
};

static int
check(void *arg, struct push_line *l)
{
	struct vlpush *p = ((struct pusher *)arg)->own;

	p->vl.seq = l->number;
	if (vl_record(&p->vl, l->text, l->len, l->form) == -1) {
		l->why = p->vl.why;
		return -1;
	}
	l->key = p->vl.key.n == 0 ? "" : p->vl.key.p;
	l->nkey = p->vl.key.n;
	return 0;
}

/* Lines that fields were added to, or left out of. */
static int
encode_lines(void *arg, struct batch *b, struct buf *to)
{
	(void)arg;
	for (size_t i = 0; i < b->nrec; i++) {
		size_t n;
		const char *form = batch_form(b, &b->rec[i], &n);

		if (buf_put(to, form, n) == -1 || buf_put(to, "\n", 1) == -1)
			return -1;
	}
	return 0;
}

/* {"streams":[{"stream":{labels},"values":[record,record]},...]} */
static int
encode(void *arg, struct batch *b, struct buf *to)
{
	int failed = 0;

	(void)arg;
	if (buf_puts(to, "{\"streams\":[") == -1)
		return -1;
	for (size_t i = 0; i < b->nrec && !failed; i++) {
		const struct batch_rec *r = &b->rec[i];
		const struct batch_group *g = &b->group[r->group];
		size_t n;
		const char *form = batch_form(b, r, &n);

		if (i > 0 && r[-1].group == r->group)
			failed = buf_puts(to, ",");
		else
			failed = buf_puts(to, i == 0 ? "{\"stream\":{" : "]},{\"stream\":{") == -1 ||
			    buf_put(to, b->keys.p + g->at, g->len) == -1 || buf_puts(to, "},\"values\":[") == -1;
		failed = failed || buf_put(to, form, n) == -1;
	}
	return failed || buf_puts(to, "]}]}") == -1 ? -1 : 0;
}

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
alive(void *arg, const struct push_answer *a, struct push_life *life)
{
	(void)arg;
	pusher_life(a, life);
}

/* Some put the page behind a password or a proxy. The records can be taken all the same. */
static int
begin(void *arg, struct push *push)
{
	struct pusher *p = arg;
	struct vlpush *v = p->own;
	const struct push_question metrics = { .url = p->set.health };
	const struct push_question empty = { .url = v->probe, .body = "{\"streams\":[]}", .len = 14, .packed = 1 };
	struct push_answer a;

	if (p->verify && vl_mark(&v->vl, push_mark(push)) == -1) {
		push_stop(push, strerror(errno));
		return -1;
	}
	if (push_ask(push, &metrics, &a) == -1)
		return -1;
	if (a.status != 200 || vl_retention(&v->vl, a.body, now_ns()) == -1)
		pusher_say(p, "retention unknown (/metrics: %ld): what is too old is dropped there in silence", a.status);
	if (push_ask(push, &empty, &a) == -1)
		return -1;
	if (a.status == 204 || (a.status == 200 && a.len == 0))
		return 0;
	return pusher_refuse(p, &a, p->set.pack != PACK_NONE && a.status == 400 ? p->pack : NULL);
}

static void
answer(void *arg, const struct batch *b, const struct push_answer *a, struct push_reply *reply)
{
	(void)arg;
	(void)b;
	if (reply->verdict == PUSH_TAKEN && a->status != 204 && (a->status != 200 || a->len > 0)) {
		(void)snprintf(reply->why, PUSH_WHY, "%ld %s: this is not VictoriaLogs", a->status, a->type);
		reply->verdict = PUSH_STOP;
	}
}

/* ---- asking what is there ---- */

static void
refused(void *arg, uint64_t line, const char *why)
{
	struct pusher *p = arg;
	struct vlpush *v = p->own;

	pusher_refused(p, line, why);
	if (!p->verify)
		return;
	if (v->nrefused == v->room) {
		v->room = v->room == 0 ? 1024 : v->room * 2;
		if ((v->refused = reallocarray(v->refused, v->room, sizeof(*v->refused))) == NULL)
			err(1, NULL);
	}
	v->refused[v->nrefused++] = line;
}

/* Lines accepted among those from `from` to `to`. */
static uint64_t
wanted(const struct vlpush *v, uint64_t from, uint64_t to)
{
	uint64_t n = to - from + 1;

	for (size_t i = 0; i < v->nrefused; i++)
		n -= v->refused[i] >= from && v->refused[i] <= to;
	return n;
}

static uint64_t
number_of(const char *answer, const char *key)
{
	const char *at = strstr(answer, key);

	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

/* Rows there of these lines, and how many lines they are of. 0, or -1 */
static int
count(struct vlpush *v, uint64_t from, uint64_t to, uint64_t *rows, uint64_t *lines)
{
	char body[256];
	int n = snprintf(body, sizeof(body),
	    "query=og_batch%%3A%%3D%%22%s%%22+og_seq%%3Arange%%5B%" PRIu64 "%%2C%" PRIu64 "%%5D+%%7C+stats+count%%28%%29+n%%2C"
	    "+count_uniq%%28og_seq%%29+u",
	    push_mark(v->p.push), from, to);
	const struct push_question q = { .url = v->query, .body = body, .len = (size_t)n, .type = "application/x-www-form-urlencoded" };
	struct push_answer a;

	if (push_ask(v->p.push, &q, &a) == -1) {
		pusher_say(&v->p, "cannot verify: %s", push_error(v->p.push));
		return -1;
	}
	if (a.status != 200) {
		char why[PUSH_WHY];

		push_says(v->p.push, &a, why);
		pusher_say(&v->p, "cannot verify: %s", why);
		return -1;
	}
	*rows = number_of(a.body, "\"n\":\"");
	*lines = number_of(a.body, "\"u\":\"");
	return 0;
}

static void
name_gap(struct vlpush *v)
{
	if (v->gap[0] == 0)
		return;
	if (v->gap[0] == v->gap[1])
		pusher_say(&v->p, "line %" PRIu64 " was accepted and is not there", v->gap[0]);
	else
		pusher_say(&v->p, "lines %" PRIu64 " to %" PRIu64 ": %" PRIu64 " records were accepted and are not there", v->gap[0],
		    v->gap[1], wanted(v, v->gap[0], v->gap[1]));
	v->gap[0] = 0;
	v->named++;
}

/* Find the lines that are not there, of which there are some. 0, or -1 */
static int
find_missing(struct vlpush *v, uint64_t from, uint64_t to, uint64_t lines)
{
	uint64_t middle = from + (to - from) / 2, rows, half;

	if (lines == wanted(v, from, to) || v->named == NAMED)
		return 0;
	if (lines == 0) {
		if (v->gap[0] != 0 && v->gap[1] + 1 != from)
			name_gap(v);
		if (v->gap[0] == 0)
			v->gap[0] = from;
		v->gap[1] = to;
		return 0;
	}
	if (from == to) {
		v->named++;
		pusher_say(&v->p, "line %" PRIu64 " is there more often than it was accepted", from);
		return 0;
	}
	if (count(v, from, middle, &rows, &half) == -1 || find_missing(v, from, middle, half) == -1)
		return -1;
	return find_missing(v, middle + 1, to, lines > half ? lines - half : 0);
}

/* What was accepted can be searched some seconds later. */
static int
verify(struct vlpush *v)
{
	const struct push_account *acc = &v->p.account;
	uint64_t from = (acc->skipped > 0 ? acc->skipped : 0) + 1, to = v->p.in.line, rows = 0, lines = 0, want;

	if (acc->accepted == 0)
		return 0;
	want = wanted(v, from, to);
	for (int still = 0, all = 0; still < STILL && all < COUNTS; still++, all++) {
		const struct timespec pause = { .tv_nsec = 500000000 };
		uint64_t before = lines;

		if (count(v, from, to, &rows, &lines) == -1)
			return 1;
		if (lines == want)
			break;
		if (lines > before)
			still = 0;
		(void)nanosleep(&pause, NULL);
	}
	if (v->p.verbose || lines != want || rows > lines)
		pusher_say(&v->p,
		    "verified: of %" PRIu64 " records accepted %" PRIu64 " are there, %" PRIu64 " rows of them more than once", want, lines,
		    rows > lines ? rows - lines : 0);
	if (lines == want)
		return 0;
	(void)find_missing(v, from, to, lines);
	if (v->named == NAMED)
		pusher_say(&v->p, "and more");
	else
		name_gap(v);
	return 1;
}

/* ---- setting up ---- */

static const char usage[] = "usage: og-vlpush [-A tenant] [-b begin] [-e end] [-g streams] [-I inlet]\n"
			    "                 [-m message] [-t time] [-X fields] [-x field]\n" PUSHER_USAGE;

static char *
make_url(const char *base, enum vl_inlet inlet)
{
	const char *const loki[] = { "disable_message_parsing", "1", NULL };
	const char *lines[] = { "_time_field", opts.time, "_msg_field", opts.message, "_stream_fields", opts.streams, NULL };

	if (*opts.streams == '\0')
		lines[4] = NULL;
	return inlet == VL_LOKI ? pusher_url(base, LOKI_PATH, loki) : pusher_url(base, "/insert/jsonline", lines);
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

static void
set_tenant(const char *text)
{
	const char *behind = tenant_number(text, &opts.tenant[0]);

	opts.tenant[1] = 0;
	if (behind != NULL && *behind == ':')
		behind = tenant_number(behind + 1, &opts.tenant[1]);
	if (behind == NULL || *behind != '\0')
		errx(2, "-A %s: not account or account:project, two numbers below 4294967296", text);
	opts.has_tenant = 1;
}

static void
set_option(struct pusher *p, int c)
{
	switch (c) {
	case 'A':
		set_tenant(optarg);
		break;
	case 'I':
		opts.inlet = optarg;
		break;
	case 'X':
		opts.ignored = optarg;
		break;
	case 'b':
		opts.begin = pusher_time(optarg, 'b');
		break;
	case 'e':
		opts.end = pusher_time(optarg, 'e');
		break;
	case 'g':
		opts.streams = optarg;
		break;
	case 'm':
		opts.message = optarg;
		break;
	case 't':
		opts.time = optarg;
		break;
	case 'x':
		if (opts.nextra == VL_EXTRAS)
			errx(2, "-x %s: too many", optarg);
		opts.extra[opts.nextra++] = optarg;
		break;
	default:
		if (!pusher_option(p, c, optarg))
			pusher_usage(p, stderr, 2);
	}
}

static int64_t
ns_of(int64_t us)
{
	return us <= INT64_MIN / 1000 ? INT64_MIN : us >= INT64_MAX / 1000 ? INT64_MAX : us * 1000;
}

static void
add_fields(struct vlpush *v)
{
	const char *errstr;

	for (int i = 0; i < opts.nextra; i++)
		if (vl_extra(&v->vl, opts.extra[i], &errstr) == -1)
			errx(2, "-x %s: %s", opts.extra[i], errstr);
	if (opts.ignored != NULL && (v->ignored = strdup(opts.ignored)) == NULL)
		err(1, NULL);
	if (opts.ignored != NULL && vl_ignore(&v->vl, v->ignored, &errstr) == -1)
		errx(2, "-X %s: %s", opts.ignored, errstr);
	if (opts.begin >= opts.end)
		errx(2, "-e: not behind -b");
	v->vl.begin = ns_of(opts.begin);
	v->vl.end = ns_of(opts.end);
	if (!opts.has_tenant)
		return;
	(void)snprintf(v->header[0], sizeof(v->header[0]), "AccountID: %u", opts.tenant[0]);
	(void)snprintf(v->header[1], sizeof(v->header[1]), "ProjectID: %u", opts.tenant[1]);
	v->headers[0] = v->header[0];
	v->headers[1] = v->header[1];
	v->p.set.header = v->headers;
}

/* Options that change what arrives. Names hold no line ends, and what is added is JSON by now. */
static char *
target(const struct vlpush *v)
{
	char *text;

	if (asprintf(&text, "%s %u:%u -b%" PRId64 " -e%" PRId64 " -t%s -m%s -g%s -X%s %.*s%.*s", opts.inlet, opts.tenant[0], opts.tenant[1],
		opts.begin, opts.end, opts.time, opts.message, opts.streams, opts.ignored == NULL ? "" : opts.ignored, (int)v->vl.labels.n,
		v->vl.labels.n > 0 ? v->vl.labels.p : "", (int)v->vl.more.n, v->vl.more.n > 0 ? v->vl.more.p : "") == -1)
		err(1, NULL);
	return text;
}

static void
open_vl(struct vlpush *v, const char *base)
{
	struct push_settings *set = &v->p.set;
	enum vl_inlet inlet = strcmp(opts.inlet, "loki") == 0 ? VL_LOKI : VL_JSONLINE;
	const char *errstr;

	if (inlet != VL_LOKI && strcmp(opts.inlet, "jsonline") != 0)
		errx(2, "-I %s: loki or jsonline", opts.inlet);
	if (inlet == VL_JSONLINE && set->bytes > VL_JSONLINE_BYTES)
		errx(2, "-B %zu: at most %d with -I jsonline", set->bytes, VL_JSONLINE_BYTES);
	if (set->bytes == 0)
		set->bytes = inlet == VL_LOKI ? LOKI_BATCH : VL_JSONLINE_BYTES;
	if ((v->streams = strdup(opts.streams)) == NULL)
		err(1, NULL);
	if (vl_open(&v->vl, inlet, opts.time, opts.message, v->streams, &errstr) == -1)
		errx(2, "-t, -m, -g: %s", errstr);
	add_fields(v);
	v->p.set.url = make_url(base, inlet);
	v->p.set.health = pusher_url(base, "/metrics", NULL);
	v->probe = pusher_url(base, LOKI_PATH, NULL);
	v->query = pusher_url(base, "/select/logsql/query", NULL);
	v->p.user.encode = inlet == VL_LOKI ? encode : opts.nextra > 0 || opts.ignored != NULL || v->p.verify ? encode_lines : NULL;
}

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "tenant", required_argument, NULL, 'A' },
		{ "inlet", required_argument, NULL, 'I' },
		{ "ignore", required_argument, NULL, 'X' },
		{ "begin", required_argument, NULL, 'b' },
		{ "end", required_argument, NULL, 'e' },
		{ "streams", required_argument, NULL, 'g' },
		{ "message", required_argument, NULL, 'm' },
		{ "time", required_argument, NULL, 't' },
		{ "extra", required_argument, NULL, 'x' },
		PUSHER_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	struct vlpush v = {
		.p = {
			.name = "og-vlpush",
			.usage = usage,
			.help = HELP_OG_VLPUSH,
			.set = { .type = "application/json", .records = 5000, .connections = 4, .wait = 1000, .settle = 15000, .drain = 30000, .memory = PUSHER_MEMORY },
			.user = { .begin = begin, .check = check, .answer = answer, .alive = alive, .refused = refused },
		},
	};
	char *way;
	int c, status;

	v.p.own = &v;
	while ((c = getopt_long(argc, argv, "A:I:X:b:e:g:m:t:x:" PUSHER_LETTERS, longs, NULL)) != -1)
		set_option(&v.p, c);
	if (argc - optind != 1)
		pusher_usage(&v.p, stderr, 2);
	open_vl(&v, argv[optind]);
	way = target(&v);
	status = pusher_run(&v.p, argv[optind], way);
	free(way);
	if (v.p.verify && pusher_done(&v.p))
		status |= verify(&v);
	vl_close(&v.vl);
	free(v.refused);
	free(v.streams);
	free(v.ignored);
	free(v.query);
	free(v.probe);
	return pusher_end(&v.p, status);
}
