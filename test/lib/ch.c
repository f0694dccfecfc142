/* ch: which lines may be sent, what answers mean, names, versions, statements. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ch.h"
#include "tap.h"

/* ---- lines ---- */

static const struct {
	const char *format, *lines; /* a letter for each line: + may be sent, - refused */
	const char *want;
} lines[] = {
	{ "JSONEachRow", "{\"a\":1}\n {} \r\n{\"a\":{\"b\":[1,{}]}}\n", "+++" },
	{ "JSONEachRow", "{\"a\":1\n{}{}\n[1]\n\n{\"a\":1},\n{\"a\":\"\x80\"}\nnull\n", "-------" },
	{ "JSONCompactEachRow", "[1,\"a\",null,{\"b\":[]}]\n []\r\n[[1],[2]]\n", "+++" },
	{ "JSONCompactEachRow", "[1\n[1],[2]\n{}\n\n[1],\"b\":[2]\n[1] 2\n]\n[1],\n\"[1]\"\n", "---------" },
	{ "CSV", "1,a\n\"a\"\"b\",\"c,d\",\"\"\n \"a\" ,\"b\"\r\na\"b,c\"d\n'tis,1\n\\,2\n\"a\"b\n", "+++++++" },
	{ "CSV", "\n1\r2\n\r\n", "---" },
	/* A field over several lines: all of it is refused, and nothing behind it. */
	{ "CSV", "1,\"a\nb\nc\"\"\nd\",2\n3,c\n", "----+" },
	{ "CSV", "1,\"a\nb\",\"c\nd\"\n4,d\n", "---+" },
	{ "CSV", "1,\"a\nb\"\r\n5,e\n", "--+" },
	/* A stray quote: the next line that has a quote where nothing can end is a record. */
	{ "CSV", "1,\"a\n2,b\n3,\"c\"\n4,d\n", "--++" },
	{ "TSV", "1\ta\n\"x\ty'\n\\\\\n\\N\\n\n\\\\\\\\\n", "+++++" },
	{ "TSV", "\nx\\\nx\\\\\\\nx\r\n\\\n", "-----" },
	{ "TSKV", "a=1\tb=2\na=1\\\n", "+-" },
};

static void
test_lines(struct tap *t)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct ch_format *f = ch_format(lines[i].format);
		char got[16] = "";
		size_t n = 0;
		struct ch c;

		if (!tap(t, f != NULL && ch_open(&c, f) == 0, "%s", lines[i].format))
			continue;
		for (const char *p = lines[i].lines, *nl; (nl = strchr(p, '\n')) != NULL && n < 15; p = nl + 1, n++)
			got[n] = ch_line(&c, n + 1, p, (size_t)(nl - p)) == 0 ? '+' : '-';
		tap(t, strcmp(got, lines[i].want) == 0, "%zu: %s", i, got);
		ch_close(&c);
	}
}

static void
test_nul(struct tap *t)
{
	static const char *const names[] = { "JSONEachRow", "JSONCompactEachRow", "CSV", "TSV", "TSKV" };
	static const char *const with[] = { "{\"a\":\"\0\"}", "[\"\0\"]", "a,\0", "a\t\0", "a=\0" };
	static const size_t len[] = { 9, 5, 3, 3, 3 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ch c;

		if (ch_open(&c, ch_format(names[i])) == 0)
			tap(t, ch_line(&c, 1, with[i], len[i]) == -1, "%s: a NUL", names[i]);
		ch_close(&c);
	}
	tap(t, ch_format("Values") == NULL && ch_format("csv") == NULL && ch_format("") == NULL, "no such formats");
}

static void
test_delimiter(struct tap *t)
{
	struct ch c;

	if (ch_open(&c, ch_format("CSV")) == -1)
		return;
	c.delimiter = ';';
	tap(t, ch_line(&c, 1, "a,\"b", 4) == 0, "no field begins behind a comma");
	tap(t, ch_line(&c, 2, "a;\"b", 4) == -1 && ch_line(&c, 3, "c\";d", 4) == -1 && ch_line(&c, 4, "e;f", 3) == 0,
	    "but behind a semicolon");
	ch_close(&c);
}

/* ---- headers ---- */

static const struct {
	const char *format, *text, *head, *columns; /* head NULL: refused */
} heads[] = {
	{ "CSV", "1,2\n", "", "" },
	{ "CSVWithNames", "a,b c\r\n1,2\n", "a,b c\r\n", "(`a`,`b c`)" },
	{ "CSVWithNames", "\"a,\",b\n1,2\n", "\"a,\",b\n", "(`a,`,`b`)" },
	{ "CSVWithNames", "a", "a\n", "(`a`)" },
	{ "CSVWithNames", "", "", "" },
	{ "CSVWithNamesAndTypes", "a\nInt8\n1\n", "a\nInt8\n", "(`a`)" },
	{ "TSVWithNames", "a\t\"b\n1\t2\n", "a\t\"b\n", "(`a`,`\"b`)" },
	{ "JSONCompactEachRowWithNames", "[\"a\"]\n[1]\n", "[\"a\"]\n", "" },
	{ "CSVWithNames", "a,,b\n", NULL, NULL },
	{ "CSVWithNames", "a,`b\n", NULL, NULL },
	{ "CSVWithNames", "a,b\\\n", NULL, NULL },
	{ "CSVWithNames", "a,\"b\nc\"\n", NULL, NULL },
	{ "CSVWithNames", "\n", NULL, NULL },
	{ "CSVWithNamesAndTypes", "a\n", NULL, NULL },
	{ "TSVWithNames", "a\tb\r\n", NULL, NULL },
	{ "JSONCompactEachRowWithNames", "a\n", NULL, NULL },
};

static void
test_heads(struct tap *t)
{
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct buf head = { 0 }, columns = { 0 };
		int fd[2], failed;
		struct ch c;
		size_t n = strlen(heads[i].text), left;
		char rest[64];

		if (pipe(fd) == -1 || write(fd[1], heads[i].text, n) != (ssize_t)n || close(fd[1]) == -1 ||
		    ch_open(&c, ch_format(heads[i].format)) == -1) {
			tap(t, 0, "set up");
			continue;
		}
		failed = ch_read_head(&c, fd[0], &head, &columns);
		left = (size_t)read(fd[0], rest, sizeof(rest));
		if (heads[i].head == NULL)
			tap(t, failed == -1 && c.why != NULL, "%zu: header refused: %s", i, failed == -1 ? c.why : "");
		else
			tap(t,
			    failed == 0 && strcmp(head.n == 0 ? "" : head.p, heads[i].head) == 0 && columns.n == strlen(heads[i].columns) &&
				(columns.n == 0 || memcmp(columns.p, heads[i].columns, columns.n) == 0) &&
				(head.n <= 1 || left == (n < strlen(heads[i].head) ? 0 : n - strlen(heads[i].head))),
			    "%zu: header %s: %.*s", i, heads[i].format, (int)columns.n, columns.n == 0 ? "" : columns.p);
		(void)close(fd[0]);
		buf_free(&head);
		buf_free(&columns);
		ch_close(&c);
	}
}

/* ---- answers ---- */

#define OLD(code, text) "Code: " #code ", e.displayText() = DB::Exception: " text ", e.what() = DB::Exception\n"
#define NEW(code, text) "Code: " #code ". DB::Exception: " text " (NAME) (version 24.3.1.1 (official build))\n"

static const struct {
	long status;
	const char *header, *body;
	enum push_verdict verdict;
	uint64_t row;
	const char *why;
} answers[] = {
	{ 200, NULL, "", PUSH_TAKEN, 0, NULL },
	{ 200, NULL, "<html>", PUSH_STOP, 0, "200: this is not ClickHouse's answer to an INSERT" },
	{ 204, NULL, "", PUSH_STOP, 0, NULL },
	{ 200, NULL, OLD(241, "Memory limit (total) exceeded"), PUSH_STOP, 0, NULL },
	/* Rows, in both dialects. */
	{ 500, NULL,
	    OLD(27, "Cannot parse input: expected , before: x\\n: (at row 3)\n\nRow 2:\nColumn 0, parsed text: \"(at row 9)\"\n\n"),
	    PUSH_REFUSED, 3, "500, code 27: Cannot parse input: expected , before: x\\n" },
	{ 400, NULL, OLD(26, "Cannot parse JSON string: (at row 30001)\n"), PUSH_REFUSED, 30001, NULL },
	{ 400, "27", NEW(27, "Cannot parse input: (at row 7)\n: \nRow 6:\nColumn 0, parsed text: \"x\"\n\n: While executing X."),
	    PUSH_REFUSED, 7, "400, code 27: Cannot parse input" },
	{ 400, "117", NEW(117, "Unknown field found: c: (at row 7)\n: (at row 2)\n: While executing X."), PUSH_REFUSED, 2, NULL },
	{ 500, NULL, OLD(376, "Cannot parse uuid x(at row 7)\n{\"a\":2}\n: (while read the value of key u): (at row 2)\n"), PUSH_REFUSED, 2,
	    NULL },
	{ 500, NULL, OLD(27, "expected \" before: (at row 1)\"}: (at row 2)\n"), PUSH_REFUSED, 2, NULL },
	{ 500, NULL, OLD(27, "x: (at row 0)\n"), PUSH_REFUSED, 0, NULL },
	{ 500, NULL, OLD(27, "x: (at row 99999999999999999999)\n"), PUSH_REFUSED, 0, NULL },
	{ 500, NULL, OLD(27, "x: (at row -3)\n: (at row 4x)\n"), PUSH_REFUSED, 0, NULL },
	{ 500, NULL, OLD(33, "Unexpected end of stream: (at row 5)\n"), PUSH_REFUSED, 5, NULL },
	{ 500, "469",
	    NEW(469, "Constraint `k` for table d.t is violated at row 5. Expression: (a > 0). Column values: a = ' is violated at row 9'."),
	    PUSH_REFUSED, 5, NULL },
	/* No row. */
	{ 500, NULL, OLD(69, "Too many digits in decimal value"), PUSH_REFUSED, 0, "500, code 69: Too many digits in decimal value" },
	{ 500, NULL, OLD(49, "Unknown element 'z' for type Enum8('a' = 1)"), PUSH_REFUSED, 0, NULL },
	{ 500, NULL, OLD(49, "Block structure mismatch"), PUSH_AGAIN, 0, NULL },
	{ 500, NULL, OLD(33, "Cannot read all data"), PUSH_AGAIN, 0, NULL },
	{ 500, NULL, OLD(354, "inflate failed: buffer error"), PUSH_AGAIN, 0, NULL },
	{ 500, NULL, OLD(40, "Checksum does not match"), PUSH_AGAIN, 0, NULL },
	{ 500, NULL, OLD(252, "Too many parts (300). Merges are processing significantly slower than inserts."), PUSH_AGAIN, 0, NULL },
	{ 500, NULL, OLD(202, "Too many simultaneous queries. Maximum: 1"), PUSH_AGAIN, 0, NULL },
	{ 500, "243", NEW(243, "Cannot reserve 1.00 MiB"), PUSH_AGAIN, 0, NULL },
	{ 500, "999", NEW(999, "Keeper"), PUSH_AGAIN, 0, NULL },
	{ 408, "159", NEW(159, "Timeout exceeded"), PUSH_AGAIN, 0, NULL },
	{ 500, "252", NEW(252, "Too many partitions for single INSERT block (more than 100)."), PUSH_SMALLER, 0, NULL },
	{ 500, NULL, OLD(241, "Memory limit (for query) exceeded: would use 20 MiB"), PUSH_SMALLER, 0, NULL },
	{ 500, "241", NEW(241, "Query memory limit exceeded: would use 20 MiB"), PUSH_SMALLER, 0, NULL },
	{ 500, "241", NEW(241, "(total) memory limit exceeded: would use 20 GiB"), PUSH_AGAIN, 0, NULL },
	{ 413, NULL, "too large", PUSH_SMALLER, 0, "413: too large" },
	/* A person. */
	{ 400, "117", NEW(117, "Unknown field found in format header: 'q' at position 2: (while reading header): While executing X."),
	    PUSH_STOP, 0, NULL },
	{ 404, NULL, OLD(60, "Table default.t doesn't exist."), PUSH_STOP, 0, "404, code 60: Table default.t doesn't exist." },
	{ 500, NULL, OLD(89, "Unknown Content-Encoding of HTTP request: zstd"), PUSH_STOP, 0, NULL },
	{ 500, NULL, OLD(57, "Table default.load already exists."), PUSH_STOP, 0, NULL },
	{ 404, "115", NEW(115, "Code: 115. DB::Exception: Unknown setting 'nosuch'."), PUSH_STOP, 0,
	    "404, code 115: Unknown setting 'nosuch'. (NAME)" },
	{ 400, "12345", NEW(12345, "Something of tomorrow"), PUSH_STOP, 0, NULL },
	{ 401, NULL, OLD(193, "Wrong password for user default"), PUSH_DENIED, 0, NULL },
	{ 403, "516", NEW(516, "default: Authentication failed"), PUSH_DENIED, 0, NULL },
	{ 403, "497", NEW(497, "writer: Not enough privileges."), PUSH_DENIED, 0, NULL },
	/* Only the header has the code. */
	{ 500, "60", "", PUSH_STOP, 0, "500, code 60: no reason given" },
	{ 500, "x", "", PUSH_AGAIN, 0, NULL },
	/* Who is in between. */
	{ 400, NULL, "", PUSH_STOP, 0, "400: no reason given" },
	{ 400, NULL, "bad \x1b[31m request", PUSH_STOP, 0, "400: bad  [31m request" },
	{ 503, NULL, "busy", PUSH_AGAIN, 0, "503: busy" },
	{ 502, NULL, "a Code: 60, e.displayText()", PUSH_AGAIN, 0, NULL },
	{ 401, NULL, "", PUSH_DENIED, 0, NULL },
	{ 404, NULL, "no page", PUSH_STOP, 0, NULL },
	{ 429, NULL, "", PUSH_AGAIN, 0, NULL },
	{ 500, NULL, "Code: , e", PUSH_AGAIN, 0, NULL },
	{ 500, NULL, "Code: 999999999999999999999. x", PUSH_AGAIN, 0, NULL },
};

static void
test_answers(struct tap *t)
{
	char body[4096];
	struct ch_told told;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		ch_judge(answers[i].status, answers[i].header, answers[i].body, strlen(answers[i].body), &told);
		tap(t,
		    told.verdict == answers[i].verdict && told.row == answers[i].row && told.why[strcspn(told.why, "\n\t\r\x1b")] == '\0' &&
			(answers[i].why == NULL || strcmp(told.why, answers[i].why) == 0),
		    "%zu: verdict %d, row %" PRIu64 ": %s", i, told.verdict, told.row, told.why);
	}
	/* A long one is cut where a character ends. */
	(void)snprintf(body, sizeof(body), "Code: 27. DB::Exception: x");
	while (strlen(body) < 4000)
		(void)strlcat(body, "\xc3\xa4", sizeof(body));
	ch_judge(400, NULL, body, strlen(body), &told);
	tap(t, strlen(told.why) < PUSH_WHY && strlen(told.why) > 200 && utf8_valid(told.why, strlen(told.why)), "cut: %s", told.why);
	tap(t, ch_written(NULL) == -1 && ch_written("{}") == -1 && ch_written("{\"written_rows\":\"x\"}") == -1, "nothing written");
	tap(t, ch_written("{\"read_rows\":\"1\",\"written_rows\":\"100000\",\"written_bytes\":\"5\"}") == 100000, "written");
}

/* ---- names, versions ---- */

static void
test_names(struct tap *t)
{
	static const char *const bad[] = { "", ".", "a.", ".b", "a.b.c", "a b", "a`b", "a;b", "a'b", "a.b (c)", "a\\b", "t FORMAT CSV",
		"a\n" };
	static const char *const fixed[] = { "query", "async_insert", "wait_end_of_query", "max_insert_block_size", "password",
		"insert_deduplication_token", "input_format_allow_errors_num", "format_csv_allow_double_quotes", "", "a b", "a&b", "a-b" };
	struct buf b = { 0 };
	struct ch_table table;
	const char *why;
	char longest[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap(t, ch_table(&table, bad[i], &why) == -1 && why != NULL, "no table: %s", bad[i]);
	memset(longest, 'a', sizeof(longest));
	longest[CH_NAME + 1] = '\0';
	tap(t, ch_table(&table, longest, &why) == -1, "a name that is too long");
	longest[CH_NAME] = '\0';
	tap(t, ch_table(&table, longest, &why) == 0, "the longest name");
	tap(t,
	    ch_table(&table, "my-db.logs_1", &why) == 0 && ch_put_table(&table, &b) == 0 && b.n == 16 &&
		memcmp(b.p, "`my-db`.`logs_1`", 16) == 0,
	    "a table in its database: %.*s", (int)b.n, b.p);
	b.n = 0;
	tap(t, ch_table(&table, "t", &why) == 0 && ch_put_table(&table, &b) == 0 && b.n == 3 && memcmp(b.p, "`t`", 3) == 0,
	    "a table alone");
	buf_free(&b);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		tap(t, ch_may_set(fixed[i], &why) == -1 && why != NULL, "-x %s", fixed[i]);
	tap(t, ch_may_set("input_format_skip_unknown_fields", &why) == 0 && ch_may_set("insert_quorum", &why) == 0, "others may be set");
	tap(t,
	    ch_version("18.16.1\n") == 18016 && ch_version("26.5.1.1") == 26005 && ch_version("1.1.54390") == 1001 &&
		ch_version("24.3.1.1-lts") == 24003,
	    "versions");
	tap(t,
	    ch_version("") == -1 && ch_version("x") == -1 && ch_version("18") == -1 && ch_version("<html>") == -1 &&
		ch_version("99999.1") == -1 && ch_version("1.12345") == -1,
	    "no versions");
}

static void
test_url(struct tap *t)
{
	static const char *const own[] = { "input_format_skip_unknown_fields", "1", "a", "x y&z", NULL }, *const none[] = { NULL };
	struct ch_table table = { .db = "d", .name = "t" };
	struct buf columns = { .p = "(`a`)", .n = 5 };
	struct ch_insert in = {
		.table = &table, .format = ch_format("CSVWithNames"), .columns = &columns, .version = 18016, .settings = none
	};
	const char *why;
	char *url = ch_insert_url("http://h:1/?database=q", &in, &why);

	tap(t, url != NULL && strncmp(url, "http://h:1/?database=q&query=INSERT", 35) == 0 && strstr(url, "%60a%60") != NULL, "%s",
	    url == NULL ? "none" : url);
	tap(t, url != NULL && strstr(url, "async_insert") == NULL && strstr(url, "with_names") == NULL, "18.16 gets what it knows");
	tap(t, url != NULL && strstr(url, "&input_format_skip_unknown_fields=0") != NULL && strstr(url, "wait_end_of_query=1") != NULL,
	    "and all of it");
	free(url);
	in.version = 24003;
	in.settings = own;
	url = ch_insert_url("http://h:1", &in, &why);
	tap(t, url != NULL && strstr(url, "async_insert=0") != NULL && strstr(url, "%60a%60") == NULL, "24.3: %s",
	    url == NULL ? "none" : url);
	tap(t,
	    url != NULL && strstr(url, "input_format_skip_unknown_fields=1") != NULL && strstr(url, "unknown_fields=0") == NULL &&
		strstr(url, "a=x+y%26z") != NULL,
	    "one's own settings");
	free(url);
	tap(t, ch_insert_url("nothing", &in, &why) == NULL && why != NULL, "no URL");
	in.version = 18016;
	columns.p = calloc(1, 20000);
	columns.n = 20000;
	if (columns.p != NULL)
		memset(columns.p, 'a', columns.n);
	tap(t, ch_insert_url("http://h:1", &in, &why) == NULL && strstr(why, "columns") != NULL, "too many columns for 18.16");
	free(columns.p);
}

/* ---- tokens ---- */

static const struct {
	const char *engine, *full, *window;
	int want;
} engines[] = {
	{ "MergeTree", "MergeTree ORDER BY a SETTINGS index_granularity = 8192", "0", 0 },
	{ "MergeTree", "MergeTree ORDER BY a SETTINGS index_granularity = 8192", "100", 1 },
	{ "MergeTree", "MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100, x = 1", "0", 1 },
	{ "MergeTree", "MergeTree ORDER BY a SETTINGS x = 1, non_replicated_deduplication_window = 0", "100", 0 },
	{ "MergeTree", "MergeTree ORDER BY my_non_replicated_deduplication_window", "0", 0 },
	{ "ReplacingMergeTree", "ReplacingMergeTree ORDER BY a", "", 0 },
	{ "ReplicatedMergeTree", "ReplicatedMergeTree('/a', 'b') ORDER BY a", "0", 1 },
	{ "ReplicatedMergeTree", "ReplicatedMergeTree('/a', 'b') ORDER BY a SETTINGS replicated_deduplication_window = 0", "0", 0 },
	{ "ReplicatedMergeTree", "ReplicatedMergeTree('/a', 'b') ORDER BY a SETTINGS replicated_deduplication_window_seconds = 0", "0", 1 },
	{ "SharedMergeTree", "SharedMergeTree ORDER BY a", "0", 1 },
	{ "Null", "Null", "100", 0 },
	{ "Distributed", "Distributed('c', 'd', 't')", "100", 0 },
	{ "", "", "", 0 },
};

static void
test_tokens(struct tap *t)
{
	char a[33], b[33], text[64];
	const char *why;

	ch_token("abc\n", 4, 1, a);
	tap(t, strcmp(a, "39d2b8fa8ee0cc1ec0a0e6a8e0d4c2f0") != 0 && strlen(a) == 32 && strspn(a, "0123456789abcdef") == 32, "a token: %s",
	    a);
	ch_token("abc\n", 4, 1, b);
	tap(t, strcmp(a, b) == 0, "the same again");
	ch_token("abc\n", 4, 2, b);
	tap(t, strcmp(a, b) != 0, "another at another line");
	/* Each byte counts, and so does the length. */
	memset(text, 0, sizeof(text));
	for (size_t n = 0, i; n < 20; n++) {
		int differ = 1;

		ch_token(text, n, 1, a);
		for (i = 0; i < n; i++) {
			text[i] = 1;
			ch_token(text, n, 1, b);
			differ = differ && strncmp(a, b, 16) != 0 && strcmp(a + 16, b + 16) != 0;
			text[i] = 0;
		}
		ch_token(text, n + 1, 1, b);
		tap(t, differ && strncmp(a, b, 16) != 0 && strcmp(a + 16, b + 16) != 0, "%zu bytes", n);
	}
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		tap(t, ch_deduplicates(engines[i].engine, engines[i].full, engines[i].window, &why) == engines[i].want, "%s, %s",
		    engines[i].full, engines[i].window);
}

/* ---- statements ---- */

static const struct {
	const char *text, *want; /* with | between; ! an error */
} statements[] = {
	{ "", "" },
	{ " ;; \n;", "" },
	{ "select 1", "select 1|" },
	{ "a;b ; c\n", "a|b|c|" },
	{ "a ';' b; c '''; ' d", "a ';' b|c '''; ' d|" },
	{ "a '\\';' b; c", "a '\\';' b|c|" },
	{ "a \";\" `;` b; c", "a \";\" `;` b|c|" },
	{ "-- a; b\nc; -- d", "c|" },
	{ "a -- ;'\n b; /* ; ' */ c /* x */; /**/", "a -- ;'\n b|c|" },
	{ "# a; b\nc;#! d\ne", "c|e|" },
	{ "a $t$ ; $ ' $t$ b; c", "a $t$ ; $ ' $t$ b|c|" },
	{ "a $1; b", "a $1|b|" },
	{ "a - b; c / d", "a - b|c / d|" },
	{ "a; b '", "a|!" },
	{ "a '\\", "!" },
	{ "a /* b", "!" },
	{ "a $$ b", "!" },
	{ "/*/", "!" },
};

static void
test_statements(struct tap *t)
{
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		const char *at = statements[i].text, *end = at + strlen(at), *sql, *why = NULL;
		char got[256] = "";
		size_t n;
		int more;

		while ((more = ch_statement(&at, end, &sql, &n, &why)) == 1)
			(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s|", (int)n, sql);
		if (more == -1)
			(void)strlcat(got, why == NULL ? "?" : "!", sizeof(got));
		tap(t, strcmp(got, statements[i].want) == 0, "%zu: %s", i, got);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_lines(&t);
	test_nul(&t);
	test_delimiter(&t);
	test_heads(&t);
	test_answers(&t);
	test_names(&t);
	test_url(&t);
	test_tokens(&t);
	test_statements(&t);
	return tap_end(&t);
}
