/*
 * Questions to the server before the first record and behind the last one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ch.h"

void
ch_judge_answer(const struct push_answer *a, struct ch_told *told)
{
	ch_judge(a->status, push_header(a, "X-ClickHouse-Exception-Code"), a->body, a->len, told);
}

static enum push_verdict
verdict(const struct push_answer *a)
{
	struct ch_told told;

	ch_judge_answer(a, &told);
	return told.verdict;
}

/* 0; -1 after push_stop(). */
static int
judged(const struct ch_server *s, const struct push_question *q, struct push_answer *a)
{
	struct ch_told told;

	if (push_ask(s->push, q, a) == -1)
		return -1;
	ch_judge_answer(a, &told);
	if (a->status == 200 && told.code == 0)
		return 0;
	push_stop(s->push, told.why);
	return -1;
}

static int
ask(const struct ch_server *s, const char *sql, size_t n, struct push_answer *a)
{
	const struct push_question q = { .url = s->url, .body = sql, .len = n, .type = "text/plain", .verdict = verdict };

	return judged(s, &q, a);
}

static int
stop(const struct ch_server *s, const char *why)
{
	push_stop(s->push, why);
	return -1;
}

#define ANSWER 4096 /* bytes of a line that is looked at */

/* The first line of an answer, into text, split at tabs; missing fields are "". */
static int
ask_fields(const struct ch_server *s, const char *sql, char text[ANSWER], const char **field, int want)
{
	struct push_answer a;
	char *rest = text;

	if (ask(s, sql, strlen(sql), &a) == -1)
		return -1;
	(void)snprintf(text, ANSWER, "%.*s", (int)strcspn(a.body, "\n"), a.body);
	for (int i = 0; i < want; i++)
		field[i] = rest == NULL ? "" : strsep(&rest, "\t");
	return 0;
}

static int
ask_table(const struct ch_server *s, const char *what, const struct ch_table *t, char text[ANSWER], const char **field)
{
	struct buf sql = { 0 };
	int failed;

	if (buf_puts(&sql, what) == -1 || ch_put_table(t, &sql) == -1 || buf_put(&sql, "", 1) == -1)
		failed = stop(s, strerror(errno));
	else
		failed = ask_fields(s, sql.p, text, field, 1);
	buf_free(&sql);
	return failed;
}

int
ch_ask_version(const struct ch_server *s, int *version)
{
	char text[ANSWER];
	const char *field;

	if (ask_fields(s, "SELECT version()", text, &field, 1) == -1)
		return -1;
	*version = ch_version(field);
	return *version == -1 ? stop(s, "no version in its answer: this is not ClickHouse") : 0;
}

int
ch_ask_form(const struct ch_server *s)
{
	const struct push_question q = {
		.url = s->url, .body = "SELECT 1", .len = 8, .type = "text/plain", .packed = 1, .verdict = verdict
	};
	struct push_answer a;

	return judged(s, &q, &a);
}

int
ch_ask_statements(const struct ch_server *s, const char *text, size_t n)
{
	const char *at = text, *sql, *errstr;
	struct push_answer a;
	size_t len;
	int more;

	if (text == NULL)
		return 0;
	/* One that cannot be read must not be found when others were carried out. */
	while ((more = ch_statement(&at, text + n, &sql, &len, &errstr)) == 1)
		continue;
	if (more == -1)
		return stop(s, errstr);
	for (at = text; ch_statement(&at, text + n, &sql, &len, &errstr) == 1;)
		if (ask(s, sql, len, &a) == -1)
			return -1;
	return 0;
}

int
ch_ask_exists(const struct ch_server *s, const struct ch_table *t)
{
	char text[ANSWER];
	const char *field;

	if (ask_table(s, "EXISTS TABLE ", t, text, &field) == -1)
		return -1;
	return strcmp(field, "0") == 0 ? stop(s, "there is no such table") : 0;
}

int
ch_ask_rows(const struct ch_server *s, const struct ch_table *t, int64_t *rows)
{
	char text[ANSWER];
	const char *field;

	if (ask_table(s, "SELECT count() FROM ", t, text, &field) == -1)
		return -1;
	*rows = strtoll(field, NULL, 10);
	return 0;
}

int
ch_ask_tokens(const struct ch_server *s, const struct ch_table *t)
{
	static const char of[] = "SELECT engine, engine_full, (SELECT value FROM system.merge_tree_settings WHERE name = "
				 "'non_replicated_deduplication_window') FROM system.tables WHERE name = '%s' AND database = %s%s%s";
	const char *quote = *t->db == '\0' ? "" : "'", *field[3], *why;
	char text[ANSWER], sql[512 + 2 * CH_NAME];

	(void)snprintf(sql, sizeof(sql), of, t->name, quote, *t->db == '\0' ? "currentDatabase()" : t->db, quote);
	if (ask_fields(s, sql, text, field, 3) == -1)
		return -1;
	return ch_deduplicates(field[0], field[1], field[2], &why) ? 0 : stop(s, why);
}
