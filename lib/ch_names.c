/*
 * Names, versions, and what is sent with an INSERT.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ch.h"
#include "mix.h"

/* ---- names ---- */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static int
take_name(const char **text, char to[CH_NAME + 1])
{
	size_t n = strspn(*text, LETTERS DIGITS "_-");

	if (n == 0 || n > CH_NAME)
		return -1;
	memcpy(to, *text, n);
	to[n] = '\0';
	*text += n;
	return 0;
}

int
ch_table(struct ch_table *t, const char *text, const char **errstr)
{
	*t = (struct ch_table){ .db = "" };
	*errstr = "not a table such as logs or db.logs, of letters, digits, _ and -";
	if (take_name(&text, t->name) == -1)
		return -1;
	if (*text == '.') {
		memcpy(t->db, t->name, sizeof(t->db));
		text++;
		if (take_name(&text, t->name) == -1)
			return -1;
	}
	return *text == '\0' ? 0 : -1;
}

int
ch_put_table(const struct ch_table *t, struct buf *to)
{
	char text[2 * CH_NAME + 8];

	(void)snprintf(text, sizeof(text), *t->db == '\0' ? "%s`%s`" : "`%s`.`%s`", t->db, t->name);
	return buf_puts(to, text);
}

/* ---- versions and settings ---- */

static const struct setting {
	const char *name, *value;
	int since; /* version */
	int fixed; /* not to be set otherwise */
} settings[] = {
	/* An error has its status, instead of 200 and a text. */
	{ "wait_end_of_query", "1", 0, 1 },
	/* A batch is one block, one part: all of it or nothing. */
	{ "max_insert_block_size", "1048576", 0, 1 },
	{ "min_insert_block_size_rows", "1048576", 0, 1 },
	{ "min_insert_block_size_bytes", "0", 0, 1 },
	/* Nothing is left out in silence. */
	{ "input_format_allow_errors_num", "0", 0, 1 },
	{ "input_format_allow_errors_ratio", "0", 0, 1 },
	{ "input_format_skip_unknown_fields", "0", 0, 0 },
	/* One line is one record. */
	{ "format_csv_allow_single_quotes", "0", 18000, 1 },
	{ "format_csv_allow_double_quotes", "1", 18000, 1 },
	{ "input_format_with_names_use_header", "1", CH_HEADER_SINCE, 1 },
	/* The answer comes when the rows are stored. */
	{ "async_insert", "0", 21011, 1 },
	{ "date_time_input_format", "best_effort", 18000, 0 },
};

#define NSETTINGS (sizeof(settings) / sizeof(settings[0]))

int
ch_may_set(const char *name, const char **errstr)
{
	static const char *const own[] = { "query", "database", "user", "password", "query_id", "session_id", "decompress", "compress",
		"wait_for_async_insert", "insert_deduplication_token", "insert_deduplicate", "input_format_tsv_crlf_end_of_line" };
	size_t n = strlen(name);

	*errstr = "not a name of a setting";
	if (n == 0 || n > CH_NAME || strspn(name, LETTERS DIGITS "_") != n)
		return -1;
	*errstr = "og-chpush sets this itself";
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(name, own[i]) == 0)
			return -1;
	for (size_t i = 0; i < NSETTINGS; i++)
		if (settings[i].fixed && strcmp(name, settings[i].name) == 0)
			return -1;
	*errstr = NULL;
	return 0;
}

int
ch_version(const char *text)
{
	size_t major = strspn(text, DIGITS), minor = text[major] == '.' ? strspn(text + major + 1, DIGITS) : 0;

	if (major == 0 || major > 4 || minor == 0 || minor > 3)
		return -1;
	return (int)strtol(text, NULL, 10) * 1000 + (int)strtol(text + major + 1, NULL, 10);
}

void
ch_token(const char *p, size_t n, uint64_t line, char token[33])
{
	uint64_t a = mix_at(line, 1), b = mix_at(line, 2), word;
	size_t left;

	for (left = n; left > 0; left -= left < 8 ? left : 8, p += 8) {
		word = 0;
		memcpy(&word, p, left < 8 ? left : 8);
		word = le64toh(word);
		a = mix(a ^ word);
		b = mix(b + word * MIX_G);
	}
	(void)snprintf(token, 33, "%016llx%016llx", (unsigned long long)mix(a ^ n), (unsigned long long)mix(b + n));
}

/* The number behind `name = ` in an ENGINE clause, or NULL. */
static const char *
clause_value(const char *full, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = full; (p = strstr(p, name)) != NULL; p += n) {
		const char *value = p + n;

		if (p > full && strchr(" ,", p[-1]) == NULL)
			continue;
		value += strspn(value, " ");
		if (*value == '=')
			return value + 1 + strspn(value + 1, " ");
	}
	return NULL;
}

int
ch_deduplicates(const char *engine, const char *full, const char *window, const char **why)
{
	int replicated = strncmp(engine, "Replicated", 10) == 0 || strncmp(engine, "Shared", 6) == 0;
	size_t n = strlen(engine);
	const char *value;

	*why = "its engine keeps no insert tokens; -o needs a MergeTree";
	if (n < 9 || strcmp(engine + n - 9, "MergeTree") != 0)
		return 0;
	value = clause_value(full, replicated ? "replicated_deduplication_window" : "non_replicated_deduplication_window");
	if (value == NULL)
		value = replicated ? "1" : window;
	*why = "the table keeps no insert tokens; -o needs SETTINGS non_replicated_deduplication_window = 10000 or a replicated table";
	return *value >= '1' && *value <= '9';
}

/* ---- INSERT ---- */

static int
put_insert(const struct ch_insert *in, struct buf *sql)
{
	if (buf_puts(sql, "INSERT INTO ") == -1 || ch_put_table(in->table, sql) == -1)
		return -1;
	if (in->version < CH_HEADER_SINCE && in->columns->n > 0 &&
	    (buf_puts(sql, " ") == -1 || buf_put(sql, in->columns->p, in->columns->n) == -1))
		return -1;
	return buf_puts(sql, " FORMAT ") == -1 ? -1 : buf_put(sql, in->format->name, strlen(in->format->name) + 1);
}

char *
ch_insert_url(const char *base, const struct ch_insert *in, const char **errstr)
{
	const char *query[2 * (1 + NSETTINGS + CH_SETTINGS) + 1] = { "query" };
	struct buf sql = { 0 };
	size_t n = 2;
	char *url = NULL;

	for (size_t i = 0; i < NSETTINGS; i++) {
		int left_out = settings[i].since > in->version;

		for (const char *const *own = in->settings; *own != NULL; own += 2)
			left_out |= strcmp(*own, settings[i].name) == 0;
		if (left_out)
			continue;
		query[n++] = settings[i].name;
		query[n++] = settings[i].value;
	}
	for (const char *const *own = in->settings; *own != NULL && own < in->settings + 2 * (size_t)CH_SETTINGS; own++)
		query[n++] = *own;
	query[n] = NULL;
	*errstr = strerror(ENOMEM);
	if (put_insert(in, &sql) == 0) {
		query[1] = sql.p;
		url = push_url(base, "/", query, errstr);
	}
	if (url != NULL && strlen(url) > CH_URL) {
		*errstr = "more columns than fit into a URL for this old version";
		free(url);
		url = NULL;
	}
	buf_free(&sql);
	return url;
}
