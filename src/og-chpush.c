/*
 * og-chpush: load records into ClickHouse
 *
 * Standard input: records of the table, one a line. Standard output: nothing. What arrives depends on the input, the options and the
 * server; the exit status says whether all of it did.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ch.h"
#include "help.h"
#include "mix.h"
#include "pusher.h"
#include "tsv.h"

static struct opts {
	const char *table, *format, *file;
	int once, nsettings;
	const char *setting[2 * CH_SETTINGS + 1]; /* name, value, ... */
} opts = { .format = "JSONEachRow" };

struct chpush {
	struct pusher p;
	struct ch ch;
	struct ch_table table;
	struct buf head, columns;
	struct ch_insert insert;
	struct ch_server server;
	const char *base; /* the URL as it was given */
	char *url, *statements;
	size_t nstatements;
	int64_t before;     /* rows of the table; -1: not asked */
	uint64_t unwritten; /* records that the server took and says it did not write */
};

static int
check(void *arg, struct push_line *l)
{
	struct chpush *c = ((struct pusher *)arg)->own;

	int got = ch_line(&c->ch, l->number, l->text, l->len);

	l->open = c->ch.began != 0;
	if (got == 0)
		return 0;
	l->why = c->ch.why;
	return -1;
}

/* The lines as they are, and a token made of them. */
static int
encode(void *arg, struct batch *b, struct buf *to)
{
	char token[33];

	(void)arg;
	ch_token(b->text.p, b->text.n, batch_first(b), token);
	b->query.n = 0;
	return buf_puts(&b->query, "&insert_deduplication_token=") == -1 || buf_puts(&b->query, token) == -1 ||
		buf_put(to, b->text.p, b->text.n) == -1
	    ? -1
	    : 0;
}

static void
answer(void *arg, const struct batch *b, const struct push_answer *a, struct push_reply *reply)
{
	struct pusher *p = arg;
	struct chpush *c = p->own;
	struct ch_told told;
	int64_t written;

	if (a->status >= 300 && a->status < 400)
		return; /* what is said of redirects */
	ch_judge_answer(a, &told);
	/* A query that has no memory for one record says nothing about the record. */
	reply->verdict = told.verdict == PUSH_SMALLER && told.code == 241 && b->nrec == 1 ? PUSH_STOP : told.verdict;
	reply->row = told.row;
	/* What cannot be read is found before anything is written; so is what a person has to mend. */
	reply->untouched |=
	    told.code != 0 && (told.row != 0 || told.code == 202 || (told.verdict != PUSH_REFUSED && told.verdict != PUSH_AGAIN));
	(void)snprintf(reply->why, sizeof(reply->why), "%s", told.why);
	written = ch_written(push_header(a, "X-ClickHouse-Summary"));
	if (told.verdict != PUSH_TAKEN || written < 0 || (uint64_t)written >= b->nrec)
		return;
	c->unwritten += b->nrec - (uint64_t)written;
	pusher_say(
	    p, "lines from %" PRIu64 " on: of %zu records taken the server says it wrote %" PRId64, batch_first(b), b->nrec, written);
}

static int
begin(void *arg, struct push *push)
{
	struct pusher *p = arg;
	struct chpush *c = p->own;
	const char *errstr;

	c->server.push = push;
	if (ch_ask_version(&c->server, &c->insert.version) == -1 || (p->set.pack != PACK_NONE && ch_ask_form(&c->server) == -1))
		return -1;
	if (opts.once && c->insert.version < CH_TOKEN_SINCE) {
		push_stop(push, "-o: the server is older than 22.2 and knows no insert tokens");
		return -1;
	}
	if (ch_ask_statements(&c->server, c->statements, c->nstatements) == -1 || ch_ask_exists(&c->server, &c->table) == -1 ||
	    (opts.once && ch_ask_tokens(&c->server, &c->table) == -1) ||
	    (p->verify && ch_ask_rows(&c->server, &c->table, &c->before) == -1))
		return -1;
	free(c->url);
	if ((p->set.url = c->url = ch_insert_url(c->base, &c->insert, &errstr)) != NULL)
		return 0;
	push_stop(push, errstr);
	return -1;
}

static void
add_setting(char *text)
{
	const char *errstr;
	char *value = strchr(text, '=');

	if (value == NULL || opts.nsettings == CH_SETTINGS)
		errx(2, "-x %s: %s", text, value == NULL ? "not name=value" : "too many");
	*value++ = '\0';
	if (ch_may_set(text, &errstr) == -1)
		errx(2, "-x %s: %s", text, errstr);
	opts.setting[2 * opts.nsettings] = text;
	opts.setting[2 * opts.nsettings++ + 1] = value;
}

static void
set_option(struct pusher *p, int c)
{
	switch (c) {
	case 'f':
		opts.format = optarg;
		break;
	case 'o':
		opts.once = 1;
		break;
	case 'q':
		opts.file = optarg;
		break;
	case 't':
		opts.table = optarg;
		break;
	case 'x':
		add_setting(optarg);
		break;
	default:
		if (!pusher_option(p, c, optarg))
			pusher_usage(p, 2);
	}
}

static void
open_ch(struct chpush *c, const char *base)
{
	const struct ch_format *format = ch_format(opts.format);
	const char *errstr;
	char why[512];

	/* The server would take them from there, and so would every list of processes. */
	for (const char *at = strchr(base, '?'); at != NULL; at = strchr(at, '&'))
		if (strncmp(++at, "user=", 5) == 0 || strncmp(at, "password=", 9) == 0)
			errx(2, "URL: user or password in the URL: use -P, OG_USER and OG_PASSWORD");
	if (opts.table == NULL)
		pusher_usage(&c->p, 2);
	if (ch_table(&c->table, opts.table, &errstr) == -1)
		errx(2, "-t %s: %s", opts.table, errstr);
	if (format == NULL)
		errx(2, "-f %s: not one of %s", opts.format, ch_format_names());
	if (c->p.set.settle != 0)
		errx(2, "-W: what ClickHouse has answered for is stored");
	if (ch_open(&c->ch, format) == -1)
		err(1, NULL);
	for (int i = 0; i < opts.nsettings; i++)
		if (strcmp(opts.setting[2 * i], "format_csv_delimiter") == 0)
			c->ch.delimiter = *opts.setting[2 * i + 1];
	if (opts.file != NULL && (c->statements = tsv_slurp(opts.file, &c->nstatements, why, sizeof(why))) == NULL)
		errx(1, "%s", why);
	c->base = base;
	c->server.url = pusher_url(base, "/", NULL);
	c->insert = (struct ch_insert){ .table = &c->table, .format = format, .columns = &c->columns, .settings = opts.setting };
	if ((c->p.set.url = c->url = ch_insert_url(base, &c->insert, &errstr)) == NULL)
		errx(2, "%s: %s", opts.table, errstr);
	if (opts.once)
		c->p.user.encode = encode;
	c->p.set.once = opts.once;
	if (ch_read_head(&c->ch, STDIN_FILENO, &c->head, &c->columns) == -1)
		errx(1, "<stdin>: header: %s", c->ch.why);
	c->p.set.head = c->head.p;
	c->p.set.ahead = (uint64_t)format->heads;
}

static int
verify(struct chpush *c)
{
	const struct push_account *a = &c->p.account;
	/* With tokens, what an earlier load brought is not stored again. */
	int64_t least = opts.once ? 0 : (int64_t)a->accepted, after = 0, more;

	if (ch_ask_rows(&c->server, &c->table, &after) == -1) {
		pusher_say(&c->p, "not verified: %s", push_error(c->p.push));
		return 1;
	}
	more = after - c->before;
	if (more >= least && more <= (int64_t)(a->accepted + a->doubtful + a->uncertain))
		return 0;
	pusher_say(&c->p, "accepted %" PRIu64 " records, but the table has %" PRId64 " rows more than before", a->accepted, more);
	return 1;
}

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "once", no_argument, NULL, 'o' },
		{ "queries", required_argument, NULL, 'q' },
		{ "table", required_argument, NULL, 't' },
		{ "setting", required_argument, NULL, 'x' },
		PUSHER_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	struct chpush c = {
		.p = {
			.name = "og-chpush",
			.usage = "usage: og-chpush -t table [-o] [-f format] [-q file] [-x name=value]\n" PUSHER_USAGE,
			.help = HELP_OG_CHPUSH,
			.set = { .type = "text/plain", .bytes = 32 * 1024 * 1024, .records = 100000, .connections = 2, .wait = 1000, .drain = 30000, .memory = PUSHER_MEMORY },
			.user = { .begin = begin, .check = check, .answer = answer },
		},
		.before = -1,
	};
	char target[2 * CH_NAME + 64];
	uint64_t settings = 0;
	int letter, status;

	c.p.own = &c;
	while ((letter = getopt_long(argc, argv, "f:oq:t:x:" PUSHER_LETTERS, longs, NULL)) != -1)
		set_option(&c.p, letter);
	if (argc - optind != 1)
		pusher_usage(&c.p, 2);
	open_ch(&c, argv[optind]);
	for (int i = 0; i < 2 * opts.nsettings; i++)
		settings = mix_at(settings, mix_name(opts.setting[i], strlen(opts.setting[i])));
	(void)snprintf(target, sizeof(target), "%s %s %016" PRIx64, opts.table, opts.format, settings);
	status = pusher_run(&c.p, argv[optind], target);
	if (c.p.verify && c.before != -1 && pusher_done(&c.p))
		status |= verify(&c);
	status |= c.unwritten > 0;
	ch_close(&c.ch);
	return pusher_end(&c.p, status);
}
