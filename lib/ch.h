/*
 * ClickHouse: which lines may be sent, so that none is swallowed, merged with its neighbour or shifted against the row numbers of an
 * answer; what an answer means; and what a version knows. 18.16 and current ones write their errors differently; both are read.
 */
#ifndef OG_CH_H
#define OG_CH_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "json.h"
#include "push.h"

/* ---- lines ---- */

enum ch_kind { CH_OBJECT, CH_ARRAY, CH_CSV, CH_TSV };

struct ch_format {
	const char *name; /* as the server has it */
	enum ch_kind kind;
	int heads; /* lines before the first record, to be repeated before each batch: names of columns, their types */
};

#define CH_NAME 127 /* bytes of a name of a table, database or setting */

struct ch {
	const struct ch_format *format;
	char delimiter; /* of CSV */
	struct json_reader *reader;
	struct buf wrap; /* an array inside an object */
	uint64_t began;  /* line on which an unclosed quoted field began; 0: none */
	const char *why;
	char text[64];
};

/* NULL: not one that has a record on each line. */
const struct ch_format *ch_format(const char *name);
/* All of them with blanks between, for a message. */
const char *ch_format_names(void);

/* 0, or -1 with errno. */
int ch_open(struct ch *, const struct ch_format *);
void ch_close(struct ch *);
/* May a record be sent? 0; -1 and c->why when it must not. Lines are given in their order. */
int ch_line(struct ch *, uint64_t number, const char *line, size_t len);
/*
 * The lines before the records, read from the descriptor and nothing behind them, with a NUL behind that; empty when there is no input.
 * columns: their names as an SQL list, for versions that heed only their order; none in JSON. 0; -1 and c->why.
 */
int ch_read_head(struct ch *, int fd, struct buf *head, struct buf *columns);

/* ---- names ---- */

struct ch_table {
	char db[CH_NAME + 1]; /* "": the one that the server takes for this user */
	char name[CH_NAME + 1];
};

/* "table" or "database.table"; letters, digits, _ and - . 0; -1 with *errstr. */
int ch_table(struct ch_table *, const char *text, const char **errstr);
/* Behind `to`: `database`.`table`, or only `table`. 0, or -1 with errno. */
int ch_put_table(const struct ch_table *, struct buf *to);
/* May a person set it? 0; -1 with *errstr: it is no name, or the promise of the pusher rests on it. */
int ch_may_set(const char *name, const char **errstr);

/* ---- versions ---- */

/* "18.16.1\n" is 18016; -1: no version. */
int ch_version(const char *text);

#define CH_TOKEN_SINCE 22002  /* insert_deduplication_token */
#define CH_HEADER_SINCE 20001 /* the names of a header, not their order, say what is what */
#define CH_SETTINGS 64        /* of a person's own */
#define CH_URL 15000          /* bytes; 18.16 takes 16 KiB */

struct ch_insert {
	const struct ch_table *table;
	const struct ch_format *format;
	const struct buf *columns; /* from ch_read_head() */
	int version;
	const char *const *settings; /* name, value, ..., NULL; they go before ours */
};

/* Where batches are posted to. To be freed; or NULL and *errstr. */
char *ch_insert_url(const char *base, const struct ch_insert *, const char **errstr);

/* A token for a batch: its bytes and the number of its first line, so that equal batches of one load are two. */
void ch_token(const char *p, size_t n, uint64_t line, char token[33]);
/*
 * Does the server keep tokens for this table? From its engine, its whole ENGINE clause and what the server's configuration says for tables
 * without replicas, as text. 1; 0 and *why.
 */
int ch_deduplicates(const char *engine, const char *full, const char *window, const char **why);

/* ---- answers ---- */

struct ch_told {
	int code; /* of the exception; 0: none */
	enum push_verdict verdict;
	uint64_t row; /* at fault, from 1; 0: not told */
	char why[PUSH_WHY];
};

/* exception: value of the header X-ClickHouse-Exception-Code, or NULL. The body has a NUL behind it. */
void ch_judge(long status, const char *exception, const char *body, size_t len, struct ch_told *);
void ch_judge_answer(const struct push_answer *, struct ch_told *);
/* Rows written according to X-ClickHouse-Summary; -1: not told. */
int64_t ch_written(const char *summary);

/* ---- statements ---- */

/*
 * The next of several statements with semicolons between, which may stand in quotes and comments, too.
 *   *at      where to go on; the beginning at first
 *   return   1 with the statement, without blanks around it; 0: no more; -1 and *errstr ("a quote is not closed", ...)
 */
int ch_statement(const char **at, const char *end, const char **statement, size_t *len, const char **errstr);

/* ---- questions: 0; -1 after push_stop() ---- */

struct ch_server {
	struct push *push;
	const char *url; /* of the server, without a query of ours */
};

int ch_ask_version(const struct ch_server *, int *version);
int ch_ask_form(const struct ch_server *); /* does it understand the compression that is set? */
/* Each of several statements. */
int ch_ask_statements(const struct ch_server *, const char *text, size_t n);
int ch_ask_exists(const struct ch_server *, const struct ch_table *);
int ch_ask_rows(const struct ch_server *, const struct ch_table *, int64_t *rows);
int ch_ask_tokens(const struct ch_server *, const struct ch_table *); /* does it keep them? */

/* ch_scan.c: is a line surely one whole object without others inside, or one whole row? 0: it must be looked at. For ch_line(). */
int ch_plain_object(const char *line, size_t len);
int ch_plain_csv(const char *line, size_t len, char delimiter);

#endif
