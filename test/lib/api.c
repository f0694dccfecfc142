/* api: which lines may be sent and where batches end, requests, what answers mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "tap.h"

#define DOC(type, rest) "{\"data\":{\"type\":\"" type "\"" rest "}}"
#define PAIR(a, b) DOC("a_bs", ",\"attributes\":{\"a_id\":" a ",\"b_id\":" b "}")

#define MEMBER(id) "{\"type\":\"b\",\"id\":\"" id "\"}"
#define LIST(members) "{\"data\":[" members "]}"

static const char table[] = "# pairs\nmember\tmember_id\ttype\towner\towner_id\tcollection\nb\tb_id\ta_bs\ta\ta_id\tbs\n";

static int
open_table(struct api *a, const char *text, char *err, size_t errsize)
{
	char path[] = "/tmp/og-api-XXXXXX";
	int fd = mkstemp(path), got;

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) == -1 || api_open(a) == -1)
		return -2;
	got = api_pairs(a, path, err, errsize);
	(void)unlink(path);
	return got;
}

static void
test_tables(struct tap *t)
{
	static const struct {
		const char *text, *what; /* NULL: right */
	} tables[] = {
		{ table, NULL },
		{ "type\towner\towner_id\tcollection\tmember\tmember_id\n", NULL },
		{ "type\towner\towner_id\tcollection\tmember\n", ":1: no column \"member_id\"" },
		{ "type\towner\towner_id\tcollection\tmember\tmember_id\tx\n", ":1: more columns than" },
		{ "type\towner\towner_id\tcollection\tmember\tmember_id\na\tb\tc\td\te\tf\na\tb\tc\td\te\tf\n",
		    ":3: a type that was before" },
		{ "type\towner\towner_id\tcollection\tmember\tmember_id\na\tb\tc\td\te\tc\n", ":2: one attribute for both ids" },
		{ "type\towner\towner_id\tcollection\tmember\tmember_id\na\tb/c\tc\td\te\tf\n", ":2: what is no word" },
		{ "type\towner\towner_id\tcollection\tmember\tmember_id\na\t\tc\td\te\tf\n", ":2: what is no word" },
		{ "", ": no header row" },
	};
	struct api a;
	char err[256];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		int got = open_table(&a, tables[i].text, err, sizeof(err));

		if (tables[i].what == NULL)
			tap(t, got == 0, "table %zu", i);
		else
			tap(t, got == -1 && strstr(err, tables[i].what) != NULL, "%s", err);
		api_close(&a);
	}
	tap(t, api_open(&a) == 0 && api_pairs(&a, "/nowhere/at/all", err, sizeof(err)) == -1, "%s", err);
	api_close(&a);
}

static void
test_lines(struct tap *t)
{
	/* How a line goes into batches: f it begins one, l it ends it, b it waits for all before it; or why it is refused. */
	static const struct {
		const char *line, *want;
		int patch;
	} lines[] = {
		{ DOC("x", ""), "fl", 0 },
		{ DOC("x", ",\"attributes\":{\"id\":\"1\"}"), "fl", 0 },
		{ DOC("y", ""), "flb", 0 },
		{ " { \"data\" : { \"id\":\"7\", \"type\" : \"y\" } , \"meta\":{} } ", "fl", 0 },
		{ DOC("a_bs", ""), "a pair without attributes", 0 },
		{ PAIR("\"1\"", "\"2\""), "fb", 0 },
		{ PAIR("\"1\"", "\"3\""), "", 0 },
		{ PAIR("1", "4"), "", 0 },
		{ PAIR("\"\\u0032\"", "\"4\""), "f", 0 },
		{ PAIR("\"2\"", "\"\""), "a pair without the ids of both", 0 },
		{ PAIR("\"2\"", "null"), "a pair without the ids of both", 0 },
		{ PAIR("\"..\"", "\"2\""), "a pair without the ids of both", 0 },
		{ PAIR("[]", "\"2\""), "a pair without the ids of both", 0 },
		{ PAIR("\"2\"", "5"), "", 0 },
		{ DOC("y", ""), "flb", 0 },
		{ "", "not a JSON object", 0 },
		{ "[]", "not a JSON object", 0 },
		{ "{\"data\":[]}", "no object \"data\"", 0 },
		{ "{\"dat\":{}}", "no object \"data\"", 0 },
		{ "{\"data\":{\"attributes\":{}}}", "no type that is a word of letters, digits, _ and -", 0 },
		{ DOC("a/b", ""), "no type that is a word of letters, digits, _ and -", 0 },
		{ DOC("", ""), "no type that is a word of letters, digits, _ and -", 0 },
		{ DOC("a", ",\"type\":\"a\""), "key \"type\" twice", 0 },
		{ DOC("y", ""), "no id, which PATCH needs", 1 },
		{ DOC("y", ",\"attributes\":{\"id\":[]}"), "no id, which PATCH needs", 1 },
		{ DOC("y", ",\"attributes\":{\"id\":9}"), "fl", 1 },
		{ DOC("y", ",\"id\":\"9\""), "fl", 1 },
	};
	struct api a;
	char err[256];

	if (open_table(&a, table, err, sizeof(err)) != 0)
		return;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct push_line l = { .text = lines[i].line, .len = strlen(lines[i].line) };
		char got[256];
		int took;

		a.patch = lines[i].patch;
		took = api_line(&a, &l) == 0;
		if (took)
			(void)snprintf(got, sizeof(got), "%s%s%s", l.first ? "f" : "", l.last ? "l" : "", l.behind ? "b" : "");
		else
			(void)snprintf(got, sizeof(got), "%s", l.why);
		tap(t, strcmp(got, lines[i].want) == 0 && (l.lane != 0) == (took && !l.last), "%s: %s", lines[i].line, got);
	}
	api_close(&a);
}

/* A batch of lines. */
static struct batch *
batch_of(const char *const *line, size_t n)
{
	struct batch *b = batch_new();

	for (size_t i = 0; i < n; i++)
		(void)batch_add(b, i + 1, line[i], strlen(line[i]), b->form.n, "", 0);
	return b;
}

static int
sends(struct api *a, struct batch *b, const char *want)
{
	struct buf body = { 0 }, all = { 0 };
	int same = api_encode(a, b, &body) == 0 && buf_puts(&all, b->method == NULL ? "POST" : b->method) == 0 &&
	    buf_puts(&all, " ") == 0 && buf_put(&all, b->query.p, b->query.n) == 0 && buf_puts(&all, " ") == 0 &&
	    buf_put(&all, body.p == NULL ? "" : body.p, body.n) == 0 && all.n == strlen(want) && memcmp(all.p, want, all.n) == 0;

	if (!same)
		(void)printf("# %.*s\n", (int)all.n, all.p);
	buf_free(&body);
	buf_free(&all);
	return same;
}

static void
test_requests(struct tap *t)
{
	static const struct {
		const char *line, *want;
		int patch;
	} documents[] = {
		{ DOC("x", ""), "POST /x?k=v " DOC("x", ""), 0 },
		{ DOC("x", ",\"id\":\"a b/\\u00e9\""), "PATCH /x/a%20b%2F%C3%A9?k=v " DOC("x", ",\"id\":\"a b/\\u00e9\""), 1 },
		{ DOC("x", ",\"attributes\":{\"id\":\"p:q\\\"\"}"),
		    "PATCH /x/p:q%22?k=v {\"data\":{\"id\":\"p:q\\\"\",\"type\":\"x\",\"attributes\":{\"id\":\"p:q\\\"\"}}}", 1 },
	};
	static const char *const pairs[] = { PAIR("\"o/1\"", "\"1\""), PAIR("\"o/1\"", "\"2\""), PAIR("\"o/1\"", "\"1\"") };
	static const struct {
		const char *there, *want;
	} members[] = {
		{ "{\"data\":[{\"id\":\"\\u0032\",\"type\":\"b\"},{\"type\":\"b\",\"id\":\"0\"}],\"links\":{}}",
		    "PATCH /a/o%2F1/relationships/bs?k=v " LIST(MEMBER("2") "," MEMBER("0") "," MEMBER("1")) },
		{ "{\"data\":[]}", "PATCH /a/o%2F1/relationships/bs?k=v " LIST(MEMBER("1") "," MEMBER("2")) },
	};
	struct push_answer said = { .status = 200, .type = "application/vnd.api+json", .location = "" };
	struct api a;
	struct batch *b;
	char err[256];

	if (open_table(&a, table, err, sizeof(err)) != 0)
		return;
	a.query = "?k=v";
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		a.patch = documents[i].patch;
		b = batch_of(&documents[i].line, 1);
		tap(t, sends(&a, b, documents[i].want), "%s", documents[i].want);
		batch_free(b);
	}
	b = batch_of(pairs, 3);
	tap(t, sends(&a, b, "GET /a/o%2F1/bs?k=v "), "members that are there");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct push_reply reply = { .verdict = PUSH_TAKEN, .known = &b->known };

		said.body = members[i].there;
		said.len = strlen(said.body);
		b->step = 0;
		api_answer(&a, b, &said, &reply);
		b->step = 1;
		tap(t, reply.verdict == PUSH_NEXT && sends(&a, b, members[i].want), "with those that were there, each once");
	}
	batch_free(b);
	api_close(&a);
}

static void
test_answers(struct tap *t)
{
	static const char api_type[] = "application/vnd.api+json; charset=utf-8", html[] = "text/html";
	static const char errors[] = "{\"errors\":[{\"title\":\"T\"},{\"title\":\"U\",\"detail\":\"no\\nx\"},{},7]}";
	static const char page[] = "{\"data\":[],\"links\":{\"next\":\"/2\"}}", all[] = "{\"data\":[{\"type\":\"b\",\"id\":\"2\"}]}";
	/* lines: d a document, p the first step for a pair, q the second */
	static const struct {
		long status;
		const char *type, *body;
		char line;
		enum push_verdict want;
		int untouched;
		uint64_t there;
		const char *why;
	} answers[] = {
		{ 201, api_type, "{}", 'd', PUSH_TAKEN, 0, 0, "" },
		{ 204, "", "", 'd', PUSH_TAKEN, 0, 0, "" },
		{ 200, "", "", 'd', PUSH_TAKEN, 0, 0, "" },
		{ 202, "", "", 'd', PUSH_STOP, 0, 0, "neither 200, 201 nor 204" },
		{ 200, html, "<html>", 'd', PUSH_STOP, 0, 0, "no server of JSON:API" },
		{ 409, html, "x", 'd', PUSH_TAKEN, 1, 1, "" },
		{ 409, api_type, errors, 'd', PUSH_TAKEN, 1, 1, "" },
		{ 400, api_type, "{\"errors\":[{\"detail\":\"UniqueViolation\"}]}", 'd', PUSH_TAKEN, 1, 1, "" },
		{ 400, html, "IntegrityError: UniqueViolation", 'd', PUSH_TAKEN, 1, 1, "" },
		{ 400, api_type, errors, 'd', PUSH_REFUSED, 0, 0, "400: T; no x" },
		{ 422, html, "x", 'd', PUSH_REFUSED, 0, 0, "as it was" },
		{ 403, api_type, errors, 'd', PUSH_REFUSED, 0, 0, "403: T; no x" },
		{ 403, html, "x", 'd', PUSH_DENIED, 0, 0, "as it was" },
		{ 401, api_type, errors, 'd', PUSH_DENIED, 0, 0, "401: T; no x" },
		{ 404, api_type, errors, 'd', PUSH_REFUSED, 0, 0, "404: T; no x" },
		{ 404, html, "x", 'd', PUSH_STOP, 0, 0, "as it was" },
		{ 415, api_type, errors, 'd', PUSH_STOP, 0, 0, "415: T; no x" },
		{ 413, api_type, errors, 'd', PUSH_SMALLER, 0, 0, "413: T; no x" },
		{ 429, api_type, errors, 'd', PUSH_AGAIN, 0, 0, "429: T; no x" },
		{ 500, api_type, errors, 'd', PUSH_AGAIN, 0, 0, "as it was" },
		{ 200, api_type, all, 'p', PUSH_TAKEN, 1, 1, "" },
		{ 200, api_type, "{\"data\":[]}", 'p', PUSH_NEXT, 1, 0, "" },
		{ 200, api_type, page, 'p', PUSH_STOP, 0, 0, "in pages" },
		{ 200, api_type, "{\"data\":null}", 'p', PUSH_STOP, 0, 0, "no collection" },
		{ 200, api_type, "{\"data\":[{\"type\":\"b\"}]}", 'p', PUSH_STOP, 0, 0, "no type and id" },
		{ 200, api_type, "{\"data\":[{},", 'p', PUSH_STOP, 0, 0, "no collection" },
		{ 200, html, "x", 'p', PUSH_STOP, 0, 0, "no server of JSON:API" },
		{ 204, "", "", 'p', PUSH_STOP, 0, 0, "no collection" },
		{ 409, api_type, errors, 'p', PUSH_REFUSED, 0, 0, "409: T; no x" },
		{ 204, "", "", 'q', PUSH_TAKEN, 1, 0, "" },
		{ 404, api_type, errors, 'q', PUSH_REFUSED, 0, 0, "404: T; no x" },
	};
	static const char *const document = DOC("x", ""), *const pair = PAIR("\"1\"", "\"2\"");
	struct api a;
	char err[256];

	if (open_table(&a, table, err, sizeof(err)) != 0)
		return;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct batch *b = batch_of(answers[i].line == 'd' ? &document : &pair, 1);
		struct push_reply r = { .verdict = push_verdict(answers[i].status), .known = &b->known, .why = "as it was" };
		struct push_answer said = { .status = answers[i].status,
			.type = answers[i].type,
			.location = "",
			.body = answers[i].body,
			.len = strlen(answers[i].body) };
		struct buf body = { 0 };

		a.there = 0;
		(void)buf_puts(&b->known, "0 ");
		b->step = answers[i].line == 'q';
		(void)api_encode(&a, b, &body);
		api_answer(&a, b, &said, &r);
		tap(t,
		    r.verdict == answers[i].want && r.untouched == answers[i].untouched && a.there == answers[i].there &&
			strstr(r.why, answers[i].why) != NULL,
		    "%ld %s: %d, %s", answers[i].status, answers[i].body, (int)r.verdict, r.why);
		buf_free(&body);
		batch_free(b);
	}
	api_close(&a);
}

int
main(void)
{
	struct tap t = { 0 };

	test_tables(&t);
	test_lines(&t);
	test_requests(&t);
	test_answers(&t);
	return tap_end(&t);
}
