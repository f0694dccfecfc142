/* lib/tsv: tables split, faults told with their line, files that are none. */
#include <sys/stat.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "tap.h"
#include "tsv.h"

static int
parse(struct tsv *t, const char *text, size_t n, char *err, size_t errsize)
{
	char *copy = malloc(n + 1);

	if (copy == NULL)
		abort();
	memcpy(copy, text, n);
	copy[n] = '\0';
	return tsv_parse(t, copy, n, "x.tsv", err, errsize);
}

/* Cells of all rows, as "a|b;c|d;". */
static void
show(const struct tsv *t, char *out, size_t size)
{
	size_t i, used = 0;

	out[0] = '\0';
	for (i = 0; i < t->nrows * t->ncols && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%c", t->cell[i], (i + 1) % t->ncols == 0 ? ';' : '|');
}

static void
test_good(struct tap *tap_)
{
	static const struct {
		const char *name, *text;
		size_t ncols, nrows, line;
		const char *cells;
	} good[] = {
		{ "head lines, header, rows", "# a\n# b\nx\ty\n1\t2\n3\t4\n", 2, 2, 3, "1|2;3|4;" },
		{ "no newline at the end", "x\ty\n1\t2", 2, 1, 1, "1|2;" },
		{ "no head lines, no rows", "x\ty\n", 2, 0, 1, "" },
		{ "a header alone, unterminated", "x", 1, 0, 1, "" },
		{ "empty cells", "x\ty\tz\n\t\t\n\t2\t\n", 3, 2, 1, "||;|2|;" },
		{ "a # behind the header is data", "x\n#1\n", 1, 1, 1, "#1;" },
		{ "an empty line of one column is an empty cell", "x\n\n", 1, 1, 1, ";" },
		{ "characters beyond ASCII", "x\nZürich 東京 \xf0\x9f\x9a\x80\n", 1, 1, 1, "Zürich 東京 \xf0\x9f\x9a\x80;" },
	};
	char err[200] = "", cells[200];
	struct tsv t;
	size_t i;
	int status;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		status = parse(&t, good[i].text, strlen(good[i].text), err, sizeof(err));
		cells[0] = '\0';
		if (status == 0)
			show(&t, cells, sizeof(cells));
		tap(tap_,
		    status == 0 && t.ncols == good[i].ncols && t.nrows == good[i].nrows && t.line == good[i].line &&
			strcmp(cells, good[i].cells) == 0,
		    "%s", good[i].name);
		tsv_free(&t);
	}
}

static void
test_bad(struct tap *tap_)
{
	static const struct {
		const char *name, *text;
		size_t n;
		const char *err;
	} bad[] = {
#define BAD(name, text, err) { name, text, sizeof(text) - 1, err }
		BAD("empty", "", "x.tsv: no header row"),
		BAD("head lines alone", "# a\n# b\n", "x.tsv: no header row"),
		BAD("short row", "# a\nx\ty\n1\t2\n3\n", "x.tsv:4: short row: 1 cell instead of 2"),
		BAD("long row", "x\ty\n1\t2\t3\n", "x.tsv:2: long row: 3 cells instead of 2"),
		BAD("an empty line is a short row", "x\ty\n\n1\t2\n", "x.tsv:2: short row: 1 cell instead of 2"),
		BAD("CR LF", "x\ty\r\n1\t2\r\n", "x.tsv:1: the line ends with CR LF, not with LF alone"),
		BAD("CR inside", "x\n1\r2\n", "x.tsv:2: control character"),
		BAD("NUL", "x\n1\0002\n", "x.tsv:2: NUL byte"),
		BAD("NUL in a head line", "#\0\nx\n", "x.tsv:1: NUL byte"),
		BAD("escape", "x\n\033[2J\n", "x.tsv:2: control character"),
		BAD("C1 control",
		    "x\n\xc2\x9b"
		    "2J\n",
		    "x.tsv:2: control character"),
		BAD("delete", "x\n\177\n", "x.tsv:2: control character"),
		BAD("broken UTF-8", "x\n\xff\n", "x.tsv:2: not UTF-8"),
		BAD("UTF-8 cut at the end", "x\n\xe6\x9d", "x.tsv:2: not UTF-8"),
		BAD("overlong", "x\n\xc0\xaf\n", "x.tsv:2: not UTF-8"),
		BAD("surrogate", "x\n\xed\xa0\x80\n", "x.tsv:2: not UTF-8"),
		BAD("broken head line", "#\xff\nx\n", "x.tsv:1: not UTF-8"),
#undef BAD
	};
	char err[200];
	struct tsv t;
	size_t i;
	int status;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		status = parse(&t, bad[i].text, bad[i].n, err, sizeof(err));
		if (!tap(tap_, status == -1 && strcmp(err, bad[i].err) == 0, "refused: %s", bad[i].name))
			printf("# %s\n", err);
		tsv_free(&t);
	}
}

/* However small the room for a message, what stands there ends with a whole character. */
static void
test_cut(struct tap *tap_)
{
	const char *text = "a\xc3\xbc\xe6\x9d\xb1\xf0\x9f\x9a\x80z\xf0\x9f\x9a\x80";
	char err[64], whole[64];
	size_t size, n, last = 0;
	int good = 1, grows = 1;

	tsv_error(whole, sizeof(whole), "p\xc3\xbc", 7, "%s", text);
	for (size = 1; size <= sizeof(err); size++) {
		memset(err, 'x', sizeof(err));
		tsv_error(err, size, "p\xc3\xbc", 7, "%s", text);
		n = strnlen(err, size);
		good &= n < size && utf8_valid(err, n) && strncmp(err, whole, n) == 0;
		grows &= n >= last && n + 4 >= (size - 1 < strlen(whole) ? size - 1 : strlen(whole));
		last = n;
	}
	tap(tap_, good && grows && strcmp(err, whole) == 0, "messages are cut between characters, and no earlier than needed");
	tap(tap_, strncmp(whole, "p\xc3\xbc:7: a", 8) == 0, "a message says where");
}

static void
test_long(struct tap *tap_)
{
	const size_t size = 5000000, rows = 1000000;
	char *text = malloc(size + 10), err[200];
	struct tsv t;
	size_t i;
	int status;

	if (text == NULL)
		abort();
	memset(text, 'a', size);
	memcpy(text, "x\ty\n", 4);
	text[size / 2] = '\t';
	text[size - 1] = '\n';
	status = parse(&t, text, size, err, sizeof(err));
	tap(tap_, status == 0 && t.nrows == 1 && strlen(t.cell[0]) + strlen(t.cell[1]) + 6 == size, "a line of 5 MB");
	tsv_free(&t);

	memset(text, '\t', size);
	text[size - 1] = '\n';
	status = parse(&t, text, size, err, sizeof(err));
	tap(tap_, status == 0 && t.ncols == size && t.nrows == 0, "a header of 5,000,000 columns");
	tsv_free(&t);

	memcpy(text, "x\n", 2);
	for (i = 0; i < rows; i++)
		memcpy(text + 2 + 2 * i, "1\n", 2);
	status = parse(&t, text, 2 + 2 * rows, err, sizeof(err));
	tap(tap_, status == 0 && t.nrows == rows && strcmp(t.cell[rows - 1], "1") == 0, "1,000,000 rows");
	tsv_free(&t);

	/* Cells are counted before there is room for them. */
	memset(text, '\t', 100000);
	text[100000] = '\n';
	for (i = 0; i < rows; i++)
		memcpy(text + 100001 + 2 * i, "1\n", 2);
	status = parse(&t, text, 100001 + 2 * rows, err, sizeof(err));
	tap(tap_, status == -1 && strcmp(err, "x.tsv:2: short row: 1 cell instead of 100001") == 0, "many columns, many short rows");
	tsv_free(&t);
	free(text);
}

static void
refuse(struct tap *tap_, const char *path, const char *what, const char *name)
{
	char err[500] = "", want[500];
	size_t n;
	char *text = tsv_slurp(path, &n, err, sizeof(err));

	snprintf(want, sizeof(want), "%s: %s", path, what);
	if (!tap(tap_, text == NULL && strcmp(err, want) == 0, "%s is refused", name))
		printf("# %s\n", err);
	free(text);
}

static void
test_files(struct tap *tap_)
{
	char dir[] = "/tmp/og-tsv.XXXXXX", path[100], err[500];
	FILE *f;
	char *text;
	size_t n;

	if (mkdtemp(dir) == NULL)
		abort();
	refuse(tap_, dir, "is a directory", "a directory");
	snprintf(path, sizeof(path), "%s/t.tsv", dir);
	refuse(tap_, path, "No such file or directory", "a file that is not there");
	if (mkfifo(path, 0600) == 0)
		refuse(tap_, path, "not a regular file", "a FIFO nobody writes to");
	unlink(path);
	if ((f = fopen(path, "w")) == NULL)
		abort();
	fwrite("x\n\0y", 1, 4, f);
	fclose(f);
	text = tsv_slurp(path, &n, err, sizeof(err));
	tap(tap_, text != NULL && n == 4 && memcmp(text, "x\n\0y", 5) == 0, "a file is read whole, with a NUL behind it");
	free(text);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	struct tap t = { 0 };

	test_good(&t);
	test_bad(&t);
	test_cut(&t);
	test_long(&t);
	test_files(&t);
	return tap_end(&t);
}
