/* push: what needs no server; test/og-vlpush.bats has the rest. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "push.h"
#include "tap.h"

static const struct {
	const char *base, *want; /* NULL: refused */
} urls[] = {
	{ "http://h", "http://h/p?a=b+c&d=e" },
	{ "http://h/", "http://h/p?a=b+c&d=e" },
	{ "https://h:9/x/", "https://h:9/x/p?a=b+c&d=e" },
	{ "http://[::1]:9428/x?q=1%2F2", "http://[::1]:9428/x/p?q=1%2F2&a=b+c&d=e" },
	{ "HTTP://h", "http://h/p?a=b+c&d=e" },
	{ "", NULL },
	{ "h", NULL },
	{ "h:1", NULL },
	{ "ftp://h", NULL },
	{ "file:///x", NULL },
	{ "http://", NULL },
	{ "http://h#f", NULL },
	{ "http://u@h", NULL },
	{ "http://u:p@h", NULL },
	{ "http://:p@h", NULL },
};

static const struct {
	long status;
	enum push_verdict want;
} verdicts[] = {
	{ 200, PUSH_TAKEN },
	{ 204, PUSH_TAKEN },
	{ 301, PUSH_STOP },
	{ 400, PUSH_REFUSED },
	{ 401, PUSH_DENIED },
	{ 404, PUSH_STOP },
	{ 403, PUSH_DENIED },
	{ 404, PUSH_STOP },
	{ 408, PUSH_AGAIN },
	{ 413, PUSH_SMALLER },
	{ 422, PUSH_REFUSED },
	{ 425, PUSH_AGAIN },
	{ 429, PUSH_AGAIN },
	{ 500, PUSH_AGAIN },
	{ 503, PUSH_AGAIN },
};

#define EVERY 50 /* ms */

struct notes {
	int first, later, early, other;
	int64_t last;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
note(void *arg, const char *what)
{
	struct notes *n = arg;
	int64_t now = now_ms();

	/* One ms for the clock, which was read a moment before. */
	if (n->last != 0 && now - n->last < EVERY - 1)
		n->early++;
	n->last = now;
	if (strstr(what, "; trying again") != NULL)
		n->first++;
	else if (strstr(what, "; still trying") != NULL)
		n->later++;
	else
		n->other++;
}

static int
begin(void *arg, struct push *p)
{
	const struct push_question q = { .url = "http://127.0.0.1:1/" };
	struct push_answer a;

	(void)arg;
	return push_ask(p, &q, &a);
}

/* Trouble that lasts is told again and again, not only when it begins. Nothing listens on port 1. */
static void
test_notes(struct tap *t)
{
	struct notes notes = { 0 };
	const struct push_user user = { .arg = &notes, .begin = begin, .note = note };
	const struct push_settings settings = {
		.url = "http://127.0.0.1:1/",
		.type = "text/plain",
		.agent = "test",
		.target = "test",
		.bytes = 1000,
		.deadline = 2000,
		.every = EVERY,
		.connections = 1,
	};
	struct push_account account;
	struct push *push;
	struct rec in;
	char why[PUSH_WHY];
	int fd[2], got;

	if (pipe(fd) == -1 || write(fd[1], "x\n", 2) != 2 || rec_open(&in, fd[0], "pipe", NULL, 0) == -1 ||
	    (push = push_open(&settings, &user, why)) == NULL) {
		tap(t, 0, "set up");
		return;
	}
	got = push_run(push, &in, &account);
	tap(t, got == -1 && push_error(push)[0] != '\0', "gave up: %s", push_error(push));
	tap(t, account.retries > 1 && account.requests == account.retries, "each repetition counted");
	tap(t, notes.first == 1 && notes.later > 0 && notes.other == 0, "%d first and %d later notes", notes.first, notes.later);
	tap(t, notes.early == 0, "no note too early");
	push_close(push);
	rec_close(&in);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

int
main(void)
{
	const char *const query[] = { "a", "b c", "d", "e", NULL };
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const char *why = NULL;
		char *url = push_url(urls[i].base, "/p", query, &why);

		if (urls[i].want == NULL)
			tap(&t, url == NULL && why != NULL, "refused: %s", urls[i].base);
		else
			tap(&t, url != NULL && strcmp(url, urls[i].want) == 0, "%s: %s", urls[i].base, url == NULL ? why : url);
		free(url);
	}
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		tap(&t, push_verdict(verdicts[i].status) == verdicts[i].want, "%ld", verdicts[i].status);
	test_notes(&t);
	return tap_end(&t);
}
