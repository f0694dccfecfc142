/*
 * What a server answers is read within its bounds; what may be sent is one record, as a reader of the format's own rules sees it;
 * statements are split so that nothing of them is lost or invented.
 */
#include "ch.h"
#include "fuzz.h"

static void
answers(const char *text, size_t n)
{
	static const long status[] = { 200, 400, 404, 500, 503 };
	char *body = malloc(n + 1);
	struct ch_told told;

	must(body != NULL);
	if (n > 0)
		memcpy(body, text, n);
	body[n] = '\0';
	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		ch_judge(status[i], NULL, body, n, &told);
		must(memchr(told.why, '\0', sizeof(told.why)) != NULL && told.why[strcspn(told.why, "\n\r\t\x1b")] == '\0');
		must(told.row == 0 || told.verdict == PUSH_REFUSED);
		must(told.verdict != PUSH_TAKEN || (status[i] == 200 && n == 0));
		must(told.verdict != PUSH_REFUSED || told.code != 0);
	}
	(void)ch_written(body);
	(void)ch_version(body);
	free(body);
}

/* Records in lines that are put together, by the rules of CSV alone: quotes where a field begins. */
static size_t
count_csv(const char *p, const char *end)
{
	size_t n = 0;
	int first = 1, quoted = 0;

	for (; p < end; p++) {
		if (quoted) {
			if (*p != '"')
				continue;
			if (p + 1 < end && p[1] == '"')
				p++;
			else
				quoted = 0;
			first = 0;
		} else if (*p == '"' && first)
			quoted = 1;
		else if (*p == '\n') {
			n++;
			first = 1;
		} else if (*p == ',')
			first = 1;
		else if (*p != ' ' && *p != '\t')
			first = 0;
	}
	return n;
}

static size_t
count_tsv(const char *p, const char *end)
{
	size_t n = 0;

	for (; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '\n')
			n++;
	}
	return n;
}

static void
lines(const char *format, const uint8_t *data, size_t size)
{
	const uint8_t *end = size == 0 ? data : data + size, *stop;
	struct buf sent = { 0 };
	struct ch c;
	size_t n = 0;
	uint64_t number = 0;

	must(ch_open(&c, ch_format(format)) == 0 && buf_room(&sent, 1) != NULL);
	for (; data < end; data = stop + 1) {
		char *line;
		size_t len;

		if ((stop = memchr(data, '\n', (size_t)(end - data))) == NULL)
			stop = end;
		len = (size_t)(stop - data);
		line = exact(data, len);
		if (ch_line(&c, ++number, line, len) == 0) {
			must(len > 0 && buf_put(&sent, line, len) == 0 && buf_put(&sent, "\n", 1) == 0);
			n++;
		} else
			must(c.why != NULL);
		free(line);
	}
	if (c.format->kind == CH_CSV)
		must(count_csv(sent.p, sent.p + sent.n) == n);
	if (c.format->kind == CH_TSV)
		must(count_tsv(sent.p, sent.p + sent.n) == n);
	buf_free(&sent);
	ch_close(&c);
}

static void
statements(const uint8_t *data, size_t n)
{
	char *text = exact(data, n);
	const char *at = text, *before = text, *sql, *why = NULL;
	size_t len;
	int more;

	while ((more = ch_statement(&at, text + n, &sql, &len, &why)) == 1) {
		must(len > 0 && sql >= before && sql + len <= at && at <= text + n);
		must(*sql != ';' && sql[len - 1] != ' ' && *sql != ' ');
		before = at;
	}
	must(more == 0 || why != NULL);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "JSONEachRow", "JSONCompactEachRow", "CSV", "TSV" };
	char token[33], *copy = exact(data, size);

	answers(copy, size);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		lines(formats[i], data, size);
	statements(data, size);
	ch_token(copy, size, size, token);
	must(strlen(token) == 32);
	free(copy);
	return 0;
}
