/*
 * og-vlpush: load records into VictoriaLogs
 *
 * Standard input: records, one JSON object a line. Standard output: nothing. What arrives depends on the input, the options and the server;
 * the exit status says whether all of it did.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "pusher.h"
#include "vl.h"

#define LOKI_PATH "/insert/loki/api/v1/push"
#define LOKI_BATCH (512 * 1024)

static struct opts {
	const char *inlet, *time, *message, *streams, *ignored;
	const char *extra[VL_EXTRAS];
	int nextra;
	struct vl_tenant tenant;
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
	struct vl_ask ask;
};

static int
check(void *arg, struct push_line *l)
{
	struct vlpush *p = ((struct pusher *)arg)->own;

	p->vl.seq = l->number;
	vl_later(&p->vl, pusher_now());
	if (vl_record(&p->vl, l->text, l->len, l->form) == -1) {
		l->why = p->vl.why;
		return -1;
	}
	l->key = p->vl.key.n == 0 ? "" : p->vl.key.p;
	l->nkey = p->vl.key.n;
	return 0;
}

static int
encode(void *arg, struct batch *b, struct buf *to)
{
	struct vlpush *v = ((struct pusher *)arg)->own;

	return v->vl.inlet == VL_LOKI ? vl_encode_loki(b, to) : vl_encode_lines(b, to);
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
	if (a.status != 200 || vl_retention(&v->vl, a.body, pusher_now()) == -1)
		pusher_say(p, "retention unknown (/metrics: %ld): what is too old is dropped there in silence", a.status);
	if (push_ask(push, &empty, &a) == -1)
		return -1;
	if (a.status == 204 || (a.status == 200 && a.len == 0))
		return 0;
	return pusher_refuse(p, &a, p->set.pack != PACK_NONE && a.status == 400 ? p->pack : NULL);
}

/* The server may be another, with other flags. */
static void
alive(void *arg, const struct push_answer *a, struct push_life *life)
{
	struct vlpush *v = ((struct pusher *)arg)->own;

	(void)vl_retention(&v->vl, a->body, pusher_now());
	pusher_life(arg, a, life);
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
	if (p->verify && vl_ask_refused(&v->ask, line) == -1)
		err(1, NULL);
}

static void
say(void *arg, const char *what)
{
	pusher_say(arg, "%s", what);
}

static int
verify(struct vlpush *v)
{
	const struct push_account *acc = &v->p.account;

	if (acc->accepted == 0)
		return 0;
	v->ask.push = v->p.push;
	v->ask.url = v->query;
	v->ask.say = say;
	v->ask.arg = &v->p;
	return vl_ask_lines(&v->ask, acc->skipped + 1, v->p.in.line, v->p.verbose) == -1;
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

static void
set_option(struct pusher *p, int c)
{
	switch (c) {
	case 'A':
		if (vl_tenant(&opts.tenant, optarg) == -1)
			errx(2, "-A %s: not account or account:project, two numbers below 4294967296", optarg);
		p->set.header = opts.tenant.header;
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
			pusher_usage(p, 2);
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
}

/* Options that change what arrives. Names hold no line ends, and what is added is JSON by now. */
static char *
target(const struct vlpush *v)
{
	char *text;

	if (asprintf(&text, "%s %u:%u -b%" PRId64 " -e%" PRId64 " -t%s -m%s -g%s -X%s %.*s%.*s", opts.inlet, opts.tenant.id[0],
		opts.tenant.id[1], opts.begin, opts.end, opts.time, opts.message, opts.streams, opts.ignored == NULL ? "" : opts.ignored,
		(int)v->vl.labels.n, v->vl.labels.n > 0 ? v->vl.labels.p : "", (int)v->vl.more.n,
		v->vl.more.n > 0 ? v->vl.more.p : "") == -1)
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
	v->p.user.encode = inlet == VL_LOKI || opts.nextra > 0 || opts.ignored != NULL || v->p.verify ? encode : NULL;
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
		pusher_usage(&v.p, 2);
	open_vl(&v, argv[optind]);
	way = target(&v);
	status = pusher_run(&v.p, argv[optind], way);
	free(way);
	if (v.p.verify && pusher_done(&v.p))
		status |= verify(&v);
	vl_close(&v.vl);
	free(v.ask.refused);
	free(v.streams);
	free(v.ignored);
	free(v.query);
	free(v.probe);
	return pusher_end(&v.p, status);
}
