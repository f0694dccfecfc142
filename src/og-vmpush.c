/*
 * og-vmpush: load samples into VictoriaMetrics
 *
 * Standard input: samples, a line each. Standard output: nothing. What arrives depends on the input, the options and the server; the exit
 * status says whether all of it did.
 */
#include <err.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "help.h"
#include "prom.h"
#include "pusher.h"
#include "vm.h"

#define IMPORT "/api/v1/import"
#define BATCH (2 * 1024 * 1024)

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

	vm_later(&v->vm, pusher_now());
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
		v->taken += vm_samples(&v->vm, b);
}

/* ---- what the server tells of itself ---- */

static void
alive(void *arg, const struct push_answer *a, struct push_life *life)
{
	struct pusher *p = arg;
	struct vmpush *v = p->own;

	/* Time has gone on, and the server may be another. */
	(void)vm_server(&v->vm, a->body, pusher_now());
	pusher_life(p, a, life);
}

static int
begin(void *arg, struct push *push)
{
	struct pusher *p = arg;
	struct vmpush *v = p->own;
	const struct push_question empty = { .url = p->set.url, .body = "", .packed = 1 };
	struct push_answer a;
	int known;

	if (vm_ask_page(push, p->set.health, p->verify, &a) == -1)
		return -1;
	if (a.status != 200 || vm_server(&v->vm, a.body, pusher_now()) == -1)
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
	enum vm_verdict verdict;
	double most = (double)v->taken;
	char said[PUSH_WHY];

	/* How much of a line with many samples came twice cannot be said. */
	if (acc->doubtful > 0 || acc->uncertain > 0)
		most = v->vm.input == VM_IMPORT ? INFINITY : most + (double)acc->doubtful + (double)acc->uncertain;
	verdict = vm_ask_counts(p->push, p->set.health, &v->before, v->taken, most, said, sizeof(said));
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
	struct vm labels = v->vm;
	int input = vm_input(opts.input);

	if (input == -1)
		errx(2, "-f %s: samples, prom or import", opts.input);
	if (vm_open(&v->vm, (enum vm_input)input) == -1)
		err(1, NULL);
	memcpy(v->vm.extra, labels.extra, sizeof(labels.extra));
	v->vm.nextra = labels.nextra;
	v->vm.begin = opts.begin == INT64_MIN ? INT64_MIN : opts.begin / 1000;
	v->vm.end = opts.end == INT64_MAX ? INT64_MAX : (opts.end + 999) / 1000;
	v->p.user.encode = input == VM_IMPORT ? NULL : encode;
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
			pusher_usage(&v->p, 2);
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
		pusher_usage(&v.p, 2);
	set_input(&v);
	open_urls(&v, argv[optind]);
	target = target_of(&v);
	status = pusher_run(&v.p, argv[optind], target);
	if (v.p.verify && pusher_done(&v.p))
		status |= verify(&v);
	vm_close(&v.vm);
	free(target);
	free(v.create);
	free(v.delete);
	free(v.lines);
	return pusher_end(&v.p, status);
}
