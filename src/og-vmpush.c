/*
 * og-vmpush: load samples into VictoriaMetrics
 *
 * Standard input: samples, a line each. Standard output: nothing. What arrives depends on the input, the options and the server; the exit
 * status says whether all of it did.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "help.h"
#include "prom.h"
#include "pusher.h"
#include "vm.h"

#define IMPORT "/api/v1/import"
#define BATCH (2 * 1024 * 1024)
#define PAGE_AGE 1100 /* ms; the server makes its page of metrics once a second */
#define PAGE_TRIES 3

static struct opts {
	const char *input;
	int64_t begin, end; /* us */
} opts = {
	.input = "samples",
	.begin = INT64_MIN,
	.end = INT64_MAX,
};

struct vmpush {
	struct pusher p;
	struct vm vm;
	char *create, *delete, *lines; /* URLs: of snapshots; of line protocol, to learn what the server unpacks */
	struct vm_counts before;
	uint64_t taken; /* samples that the server accepted, each once */
};

/* ---- records ---- */

static int
check(void *arg, struct push_line *l)
{
	struct vmpush *v = ((struct pusher *)arg)->own;

	if (vm_record(&v->vm, l->text, l->len, l->form) == -1) {
		l->why = v->vm.why;
		return -1;
	}
	l->key = v->vm.key.n == 0 ? "" : v->vm.key.p;
	l->nkey = v->vm.key.n;
	return 0;
}

static int
encode(void *arg, struct batch *b, struct buf *to)
{
	(void)arg;
	return vm_encode(b, to);
}

/* A line of the import may hold many. */
static uint64_t
samples_of(struct vmpush *v, const struct batch *b, const struct batch_rec *r)
{
	if (v->vm.input != VM_IMPORT)
		return r->nform > 0;
	return vm_record(&v->vm, b->text.p + r->at, r->len, NULL) == 0 ? v->vm.samples : 0;
}

static void
answer(void *arg, const struct batch *b, const struct push_answer *a, struct push_reply *reply)
{
	struct pusher *p = arg;
	struct vmpush *v = p->own;

	if (reply->verdict != PUSH_TAKEN)
		return;
	if (a->status != 204) {
		(void)snprintf(reply->why, PUSH_WHY, "%ld %s: this is not VictoriaMetrics", a->status, a->type);
		reply->verdict = PUSH_STOP;
	} else if (p->verify && !b->replayed)
		for (size_t i = 0; i < b->nrec; i++)
			v->taken += samples_of(v, b, &b->rec[i]);
}

/* ---- what the server tells of itself ---- */

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
	struct vmpush *v = ((struct pusher *)arg)->own;

	/* Time has gone on, and the server may be another. */
	(void)vm_server(&v->vm, a->body, now_ns());
	pusher_life(a, life);
}

/* The page as it is now. */
static int
ask_page(struct pusher *p, struct push *push, struct push_answer *a)
{
	const struct push_question page = { .url = p->set.health };
	const struct timespec age = { .tv_sec = PAGE_AGE / 1000, .tv_nsec = PAGE_AGE % 1000 * 1000000 };

	if (p->verify)
		(void)nanosleep(&age, NULL);
	return push_ask(push, &page, a);
}

static int
begin(void *arg, struct push *push)
{
	struct pusher *p = arg;
	struct vmpush *v = p->own;
	const struct push_question empty = { .url = p->set.url, .body = "", .packed = 1 };
	struct push_answer a;
	int known;

	if (ask_page(p, push, &a) == -1)
		return -1;
	if (a.status != 200 || vm_server(&v->vm, a.body, now_ns()) == -1)
		pusher_say(p, "retention unknown (/metrics: %ld): what is too old is dropped there in silence", a.status);
	vm_count(a.status == 200 ? a.body : "", &v->before);
	if (p->set.pack == PACK_ZSTD && (known = vm_ask_zstd(push, v->lines)) != 1) {
		if (known == 0)
			push_stop(push, "not known to understand -z zstd, which older versions drop in silence; use -z gzip");
		return -1;
	}
	if (push_ask(push, &empty, &a) == -1)
		return -1;
	if (a.status == 204)
		return 0;
	return pusher_refuse(p, &a, p->set.pack != PACK_NONE && a.status == 400 ? p->pack : NULL);
}

static int
barrier(void *arg, struct push *push)
{
	struct pusher *p = arg;
	struct vmpush *v = p->own;
	char left[VM_SNAPSHOT];

	if (vm_ask_snapshot(push, v->create, v->delete, left) == -1)
		return -1;
	if (left[0] != '\0')
		pusher_say(p, "snapshot %s is left on the server", left);
	return 0;
}

/* ---- -y ---- */

static int
verify(struct vmpush *v)
{
	struct pusher *p = &v->p;
	const struct push_account *acc = &p->account;
	enum vm_verdict verdict = VM_DIFFERS;
	double most = (double)v->taken;
	struct vm_counts now;
	struct push_answer a;
	char said[PUSH_WHY];

	/* How much of a line with many samples came twice cannot be said. */
	if (acc->doubtful > 0 || acc->uncertain > 0)
		most = v->vm.input == VM_IMPORT ? INFINITY : most + (double)acc->doubtful + (double)acc->uncertain;
	for (int i = 0; i < PAGE_TRIES && verdict == VM_DIFFERS; i++) {
		if (ask_page(p, p->push, &a) == -1) {
			pusher_say(p, "cannot verify: %s", push_error(p->push));
			return 1;
		}
		vm_count(a.status == 200 ? a.body : "", &now);
		verdict = vm_compare(&v->before, &now, v->taken, most, said, sizeof(said));
	}
	if (verdict != VM_SAME || p->verbose)
		pusher_say(p, "%s: %s", verdict == VM_SAME ? "verified" : verdict == VM_DIFFERS ? "not verified" : "cannot verify", said);
	return verdict != VM_SAME;
}

/* ---- setting up ---- */

static void
open_urls(struct vmpush *v, const char *base)
{
	const char *query[2 * VM_EXTRAS + 1] = { NULL };
	char *root = vm_root(base);

	if (root == NULL)
		err(1, NULL);
	for (int i = 0; i < v->vm.nextra; i++) {
		query[2 * i] = "extra_label";
		query[2 * i + 1] = v->vm.extra[i];
	}
	v->p.set.url = pusher_url(base, IMPORT, query);
	v->p.set.health = pusher_url(root, "/metrics", NULL);
	v->create = pusher_url(root, "/snapshot/create", NULL);
	v->delete = pusher_url(root, "/snapshot/delete", NULL);
	v->lines = pusher_url(base, "/write", NULL);
	free(root);
}

/* Whether it is given before -x or behind does not matter. */
static void
set_input(struct vmpush *v)
{
	static const char *const names[] = { [VM_SAMPLES] = "samples", [VM_PROM] = "prom", [VM_IMPORT] = "import" };
	struct vm labels = v->vm;
	int i;

	for (i = 0; i < 3 && strcmp(opts.input, names[i]) != 0; i++)
		;
	if (i == 3)
		errx(2, "-f %s: samples, prom or import", opts.input);
	if (vm_open(&v->vm, (enum vm_input)i) == -1)
		err(1, NULL);
	memcpy(v->vm.extra, labels.extra, sizeof(labels.extra));
	v->vm.nextra = labels.nextra;
	v->vm.begin = opts.begin == INT64_MIN ? INT64_MIN : opts.begin / 1000;
	v->vm.end = opts.end == INT64_MAX ? INT64_MAX : (opts.end + 999) / 1000;
	v->p.user.encode = i == VM_IMPORT ? NULL : encode;
}

/* What changes the samples that arrive. To be freed. */
static char *
target_of(const struct vmpush *v)
{
	struct buf b = { 0 };
	int failed = buf_puts(&b, opts.input);

	for (int i = 0; i < v->vm.nextra; i++)
		failed |= buf_puts(&b, " ") | buf_puts(&b, v->vm.extra[i]);
	if (failed || buf_put(&b, "", 1) == -1)
		err(1, NULL);
	return b.p;
}

static void
set_option(struct vmpush *v, int c)
{
	const char *errstr;

	switch (c) {
	case 'b':
		opts.begin = pusher_time(optarg, 'b');
		break;
	case 'e':
		opts.end = pusher_time(optarg, 'e');
		break;
	case 'f':
		opts.input = optarg;
		break;
	case 'x':
		if (vm_extra(&v->vm, optarg, &errstr) == -1)
			errx(2, "-x %s: %s", optarg, errstr);
		break;
	default:
		if (!pusher_option(&v->p, c, optarg))
			pusher_usage(&v->p, stderr, 2);
	}
}

static const char usage[] = "usage: og-vmpush [-b begin] [-e end] [-f format] [-x label]\n" PUSHER_USAGE;

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "begin", required_argument, NULL, 'b' },
		{ "end", required_argument, NULL, 'e' },
		{ "format", required_argument, NULL, 'f' },
		{ "extra", required_argument, NULL, 'x' },
		PUSHER_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	struct vmpush v = {
		.p = {
			.name = "og-vmpush",
			.usage = usage,
			.help = HELP_OG_VMPUSH,
			.set = { .type = "application/json", .bytes = BATCH, .records = 10000, .connections = 4, .wait = 1000, .settle = 15000, .drain = 30000, .memory = PUSHER_MEMORY },
			.user = { .begin = begin, .check = check, .answer = answer, .alive = alive, .barrier = barrier },
		},
	};
	char *target;
	int c, status;

	v.p.own = &v;
	while ((c = getopt_long(argc, argv, "b:e:f:x:" PUSHER_LETTERS, longs, NULL)) != -1)
		set_option(&v, c);
	if (argc - optind != 1)
		pusher_usage(&v.p, stderr, 2);
	set_input(&v);
	open_urls(&v, argv[optind]);
	target = target_of(&v);
	status = pusher_run(&v.p, argv[optind], target);
	if (v.p.verify && status == 0)
		status = verify(&v);
	vm_close(&v.vm);
	free(target);
	free(v.create);
	free(v.delete);
	free(v.lines);
	return pusher_end(&v.p, status);
}
