/*
 * og-vlpush: load records into VictoriaLogs
 *
 * Standard input: records, one JSON object a line. Standard output: nothing. What arrives depends on the input, the options and the server;
 * the exit status says whether all of it did.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "push.h"
#include "rec.h"
#include "vl.h"

#define LOKI_PATH "/insert/loki/api/v1/push"
#define LOKI_BATCH (512 * 1024)
#define BATCH_LARGEST (16 * 1024 * 1024) /* the server takes 64 MiB; quoting may double a record */
#define NOTE_EVERY 60000                 /* ms */
#define WORDS 160                        /* bytes of a server's text that are passed on */

static struct opts {
	const char *inlet, *time, *message, *streams, *dead;
	long long bytes, records, connections;
	int64_t wait, deadline; /* us */
	int pack, verbose;
} opts = {
	.inlet = "loki",
	.time = "timestamp",
	.message = "message",
	.streams = "service,stack",
	.records = 5000,
	.connections = 4,
	.wait = CLOCK_SECOND,
};

enum probe { PROBE_METRICS, PROBE_INLET, PROBES };

struct pusher {
	struct vl vl;
	struct rec in;
	char *base; /* the URL for messages: no query, which may hold a token */
	const char *pack;
};

static int
check(void *arg, struct push_line *l)
{
	struct pusher *p = arg;

	if (vl_record(&p->vl, l->text, l->len, l->form) == -1) {
		l->why = p->vl.why;
		return -1;
	}
	l->key = p->vl.key.n == 0 ? "" : p->vl.key.p;
	l->nkey = p->vl.key.n;
	return 0;
}

static int
encode_lines(const struct batch *b, struct buf *to)
{
	for (size_t i = 0; i < b->nrec; i++)
		if (buf_put(to, b->text.p + b->rec[i].at, b->rec[i].len) == -1 || buf_put(to, "\n", 1) == -1)
			return -1;
	return 0;
}

/* {"streams":[{"stream":{labels},"values":[record,record]},...]} */
static int
encode(void *arg, const struct batch *b, struct buf *to)
{
	struct pusher *p = arg;
	int failed = 0;

	if (p->vl.inlet == VL_JSONLINE)
		return encode_lines(b, to);
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

static void
told(const struct push_answer *a, char why[PUSH_WHY])
{
	size_t n = strcspn(a->location, "?#"); /* a query may hold a token */

	if (a->status < 300 || a->status > 399)
		(void)snprintf(why, PUSH_WHY, "%ld: %.*s", a->status, WORDS, a->len == 0 ? "no reason given" : a->body);
	else if (*a->location == '\0')
		(void)snprintf(why, PUSH_WHY, "%ld: redirects are not followed", a->status);
	else
		(void)snprintf(
		    why, PUSH_WHY, "%ld: redirects are not followed (Location: %.*s)", a->status, n < WORDS ? (int)n : WORDS, a->location);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Some put the page behind a password or a proxy. The records can be taken all the same. */
static enum push_verdict
metrics_answer(struct pusher *p, const struct push_answer *a)
{
	if (push_verdict(a->status) == PUSH_AGAIN)
		return PUSH_AGAIN;
	if (a->status != 200 || vl_retention(&p->vl, a->body, now_ns()) == -1)
		warnx("%s: retention unknown (/metrics: %ld): what is too old is dropped there in silence", p->base, a->status);
	return PUSH_TAKEN;
}

static enum push_verdict
answer(void *arg, int probe, const struct push_answer *a, char why[PUSH_WHY])
{
	struct pusher *p = arg;
	enum push_verdict verdict = push_verdict(a->status);

	told(a, why);
	if (probe == PROBE_METRICS)
		return metrics_answer(p, a);
	if (verdict == PUSH_TAKEN && a->status != 204 && (a->status != 200 || a->len > 0)) {
		(void)snprintf(why, PUSH_WHY, "%ld %s: this is not VictoriaLogs", a->status, a->type);
		return PUSH_STOP;
	}
	if (probe == PROBE_INLET && verdict == PUSH_REFUSED && opts.pack != PACK_NONE)
		(void)snprintf(why, PUSH_WHY, "%ld: the server does not understand -z %s", a->status, p->pack);
	return verdict;
}

static void
refused(void *arg, uint64_t line, const char *why)
{
	struct pusher *p = arg;

	warnx("%s:%" PRIu64 ": %s", p->in.name, line, why);
}

static void
note(void *arg, const char *what)
{
	struct pusher *p = arg;

	warnx("%s: %s", p->base, what);
}

static char *
make_url(const char *base, enum vl_inlet inlet)
{
	const char *const loki[] = { "disable_message_parsing", "1", NULL };
	const char *lines[] = { "_time_field", opts.time, "_msg_field", opts.message, "_stream_fields", opts.streams, NULL };
	const char *errstr;
	char *url;

	if (*opts.streams == '\0')
		lines[4] = NULL;
	if (inlet == VL_LOKI)
		url = push_url(base, LOKI_PATH, loki, &errstr);
	else
		url = push_url(base, "/insert/jsonline", lines, &errstr);
	if (url == NULL)
		errx(2, "%s: %s", strstr(errstr, "password") != NULL ? "URL" : base, errstr);
	return url;
}

static int
open_dead(void)
{
	int fd = -1;

	if (opts.dead != NULL && (fd = open(opts.dead, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) == -1)
		err(1, "%s", opts.dead);
	return fd;
}

/* From where on the input is to be loaded again. */
static void
tell_place(const struct rec *in, uint64_t first)
{
	if (in->line == 0)
		warnx("%s: no line was read", in->name);
	else if (first == 0)
		warnx("%s: read to line %" PRIu64 "; all of it was accepted or refused", in->name, in->line);
	else
		warnx("%s: read to line %" PRIu64 "; the first line not delivered is %" PRIu64, in->name, in->line, first);
}

static int
report(const struct pusher *p, const struct push_account *a, int failed, const char *errstr)
{
	if (failed) {
		warnx("%s: %s", p->base, errstr);
		tell_place(&p->in, a->first);
	}
	if (a->undelivered > 0)
		warnx("%s: %" PRIu64 " records not delivered", p->base, a->undelivered);
	if (a->uncertain > 0)
		warnx("%s: %" PRIu64 " of them may be stored all the same", p->base, a->uncertain);
	if (a->refused > 0)
		warnx("%s: %" PRIu64 " records refused", p->base, a->refused);
	if (opts.verbose)
		warnx("%s: read %" PRIu64 " = accepted %" PRIu64 " + refused %" PRIu64 " + not delivered %" PRIu64
		      "; perhaps doubled %" PRIu64 "; requests %" PRIu64 ", repeated %" PRIu64 ", bytes %" PRIu64,
		    p->base, a->read, a->accepted, a->refused, a->undelivered, a->doubtful, a->requests, a->retries, a->bytes);
	return failed || a->refused > 0 || a->undelivered > 0;
}

static int
load(struct pusher *p, const char *base)
{
	enum vl_inlet inlet = p->vl.inlet;
	const char *const none[] = { NULL };
	const char *errstr = NULL;
	char *url = make_url(base, inlet), *metrics, *empty;
	struct push_account account;
	struct push *push;

	if ((metrics = push_url(base, "/metrics", none, &errstr)) == NULL || (empty = push_url(base, LOKI_PATH, none, &errstr)) == NULL)
		errx(1, "%s", errstr);
	const struct push_probe probe[PROBES] = {
		[PROBE_METRICS] = { .url = metrics },
		[PROBE_INLET] = { .url = empty, .body = "{\"streams\":[]}" },
	};
	const struct push_user user = { p, check, encode, answer, refused, note };
	const struct push_settings settings = {
		.url = url,
		.type = "application/json",
		.agent = "og-vlpush/" OG_VERSION,
		.dead = open_dead(),
		.dead_name = opts.dead,
		.bytes = (size_t)opts.bytes,
		.records = (size_t)opts.records,
		.wait = opts.wait / 1000,
		.deadline = (opts.deadline + 999) / 1000,
		.every = NOTE_EVERY,
		.connections = (int)opts.connections,
		.pack = (enum pack_form)opts.pack,
		.probe = probe,
		.nprobe = PROBES,
	};
	int failed;

	if ((push = push_open(&settings, &user, &errstr)) == NULL)
		errx(1, "%s", errstr);
	failed = push_run(push, &p->in, &account, &errstr) == -1;
	push_close(push);
	if (settings.dead != -1 && close(settings.dead) == -1)
		err(1, "%s", opts.dead);
	free(url);
	free(metrics);
	free(empty);
	return report(p, &account, failed, errstr);
}

/* A socket or file that got the number of a closed stream would be written as that stream. */
static void
hold_stream(FILE *stream)
{
	/* cppcheck-suppress leakReturnValNotUsed ; it is the stream */
	if (fcntl(fileno(stream), F_GETFD) == -1 && freopen("/dev/null", "w", stream) == NULL)
		exit(1);
}

static long long
number(const char *text, char letter, long long most)
{
	const char *errstr;
	long long v = strtonum(text, 1, most, &errstr);

	if (errstr != NULL)
		errx(2, "-%c %s: %s", letter, text, errstr);
	return v;
}

static int64_t
duration(const char *text, char letter)
{
	int64_t us;

	if (clock_duration(text, strlen(text), &us) == -1)
		errx(2, "-%c %s: not a duration such as 500ms, 15s or 5m", letter, text);
	return us;
}

static _Noreturn void
usage(FILE *to, int status)
{
	(void)fputs("usage: og-vlpush [-v] [-B bytes] [-C connections] [-D file] [-g streams] [-I inlet]\n"
		    "                 [-L wait] [-m message] [-R records] [-T deadline] [-t time] [-z form] url\n",
	    to);
	if (fflush(to) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
set_option(int c)
{
	switch (c) {
	case 'B':
		opts.bytes = number(optarg, 'B', BATCH_LARGEST);
		break;
	case 'C':
		opts.connections = number(optarg, 'C', 64);
		break;
	case 'D':
		opts.dead = optarg;
		break;
	case 'I':
		opts.inlet = optarg;
		break;
	case 'L':
		opts.wait = duration(optarg, 'L');
		break;
	case 'R':
		opts.records = number(optarg, 'R', 1000000);
		break;
	case 'T':
		opts.deadline = duration(optarg, 'T');
		break;
	case 'V':
		(void)puts("og-vlpush " OG_VERSION);
		if (fflush(stdout) == EOF)
			err(1, "<stdout>");
		exit(0);
	case 'g':
		opts.streams = optarg;
		break;
	case 'h':
		usage(stdout, 0);
	case 'm':
		opts.message = optarg;
		break;
	case 't':
		opts.time = optarg;
		break;
	case 'v':
		opts.verbose = 1;
		break;
	case 'z':
		if ((opts.pack = pack_form(optarg)) == -1)
			errx(2, "-z %s: none, gzip or zstd", optarg);
		break;
	default:
		usage(stderr, 2);
	}
}

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "bytes", required_argument, NULL, 'B' },
		{ "connections", required_argument, NULL, 'C' },
		{ "dead-letter", required_argument, NULL, 'D' },
		{ "inlet", required_argument, NULL, 'I' },
		{ "wait", required_argument, NULL, 'L' },
		{ "records", required_argument, NULL, 'R' },
		{ "deadline", required_argument, NULL, 'T' },
		{ "version", no_argument, NULL, 'V' },
		{ "streams", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ "message", required_argument, NULL, 'm' },
		{ "time", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "compress", required_argument, NULL, 'z' },
		{ NULL, 0, NULL, 0 },
	};
	struct pusher p = { 0 };
	enum vl_inlet inlet;
	const char *errstr;
	char *streams;
	int c, status;

	while ((c = getopt_long(argc, argv, "B:C:D:I:L:R:T:Vg:hm:t:vz:", longs, NULL)) != -1)
		set_option(c);
	argc -= optind;
	argv += optind;
	if (argc != 1)
		usage(stderr, 2);
	if (fcntl(STDIN_FILENO, F_GETFD) == -1)
		err(1, "<stdin>");
	hold_stream(stdout);
	hold_stream(stderr);
	if (strcmp(opts.inlet, "loki") != 0 && strcmp(opts.inlet, "jsonline") != 0)
		errx(2, "-I %s: loki or jsonline", opts.inlet);
	inlet = strcmp(opts.inlet, "loki") == 0 ? VL_LOKI : VL_JSONLINE;
	if (inlet == VL_JSONLINE && opts.bytes > VL_JSONLINE_BYTES)
		errx(2, "-B %lld: at most %d with -I jsonline", opts.bytes, VL_JSONLINE_BYTES);
	if (opts.bytes == 0)
		opts.bytes = inlet == VL_LOKI ? LOKI_BATCH : VL_JSONLINE_BYTES;
	if ((streams = strdup(opts.streams)) == NULL || (p.base = strndup(argv[0], strcspn(argv[0], "?#"))) == NULL)
		err(1, NULL);
	if (vl_open(&p.vl, inlet, opts.time, opts.message, streams, &errstr) == -1)
		errx(2, "-t, -m, -g: %s", errstr);
	if (rec_open(&p.in, STDIN_FILENO, "<stdin>", NULL, VL_LOKI_BYTES) == -1)
		err(1, NULL);
	p.pack = pack_name((enum pack_form)opts.pack);
	(void)signal(SIGPIPE, SIG_IGN);
	status = load(&p, argv[0]);
	rec_close(&p.in);
	vl_close(&p.vl);
	free(streams);
	free(p.base);
	return status;
}
