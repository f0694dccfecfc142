/*
 * og-vlpush: load records into VictoriaLogs
 *
 * Standard input: records, one JSON object a line. Standard output: nothing. What arrives depends on the input, the options and the server;
 * the exit status says whether all of it did.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "prom.h"
#include "pusher.h"
#include "vl.h"

#define LOKI_PATH "/insert/loki/api/v1/push"
#define LOKI_BATCH (512 * 1024)

static struct opts {
	const char *inlet, *time, *message, *streams;
} opts = {
	.inlet = "loki",
	.time = "timestamp",
	.message = "message",
	.streams = "service,stack",
};

struct vlpush {
	struct pusher p;
	struct vl vl;
	char *streams;
	char *probe; /* URL that an empty request may be posted to */
};

static int
check(void *arg, struct push_line *l)
{
	struct vlpush *p = ((struct pusher *)arg)->own;

	if (vl_record(&p->vl, l->text, l->len, l->form) == -1) {
		l->why = p->vl.why;
		return -1;
	}
	l->key = p->vl.key.n == 0 ? "" : p->vl.key.p;
	l->nkey = p->vl.key.n;
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
	if (prom_start(a->body, &life->start) == -1 || prom_value(a->body, "process_cpu_seconds_total", &life->growth) == -1)
		*life = (struct push_life){ 0 };
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

	if (push_ask(push, &metrics, &a) == -1)
		return -1;
	if (a.status != 200 || prom_window(a.body, now_ns(), &v->vl.oldest, &v->vl.newest) == -1)
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

static const char usage[] = "usage: og-vlpush [-g streams] [-I inlet] [-m message] [-t time]\n" PUSHER_USAGE;

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
	case 'I':
		opts.inlet = optarg;
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
	default:
		if (!pusher_option(p, c, optarg))
			pusher_usage(p, stderr, 2);
	}
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
	v->p.set.url = make_url(base, inlet);
	v->p.set.health = pusher_url(base, "/metrics", NULL);
	v->probe = pusher_url(base, LOKI_PATH, NULL);
	v->p.user.encode = inlet == VL_LOKI ? encode : NULL;
}

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "inlet", required_argument, NULL, 'I' },
		{ "streams", required_argument, NULL, 'g' },
		{ "message", required_argument, NULL, 'm' },
		{ "time", required_argument, NULL, 't' },
		PUSHER_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	struct vlpush v = {
		.p = {
			.name = "og-vlpush",
			.usage = usage,
			.set = { .type = "application/json", .records = 5000, .connections = 4, .wait = 1000, .settle = 15000, .drain = 30000, .memory = PUSHER_MEMORY },
			.user = { .begin = begin, .check = check, .answer = answer, .alive = alive },
		},
	};
	int c, status;

	v.p.own = &v;
	while ((c = getopt_long(argc, argv, "I:g:m:t:" PUSHER_LETTERS, longs, NULL)) != -1)
		set_option(&v.p, c);
	if (argc - optind != 1)
		pusher_usage(&v.p, stderr, 2);
	open_vl(&v, argv[optind]);
	status = pusher_run(&v.p, argv[optind], opts.inlet);
	vl_close(&v.vl);
	free(v.streams);
	free(v.probe);
	return pusher_end(&v.p, status);
}
