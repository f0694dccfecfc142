/* lib/rec, with any bytes in any pieces and any bound: against a splitter that has it all in memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct rec *r, const uint8_t *data, size_t size, size_t max)
{
	enum rec_status status;
	size_t at = 0, len;
	uint64_t lines = 0;
	char *line;

	while ((status = rec_next(r, &line, &len)) > REC_END) {
		const uint8_t *nl = at < size ? memchr(data + at, '\n', size - at) : NULL;
		size_t want = nl == NULL ? size - at : (size_t)(nl - data) - at;

		if (at >= size || r->line != ++lines || status != (want > max ? REC_LONG : REC_LINE))
			abort();
		if (status == REC_LINE && (len != want || memcmp(line, data + at, len) != 0))
			abort();
		if (status == REC_LINE)
			line[len] = '\n';
		at += want + 1;
	}
	if (status != REC_END || at < size)
		abort();
}

/* First byte: the bound. Second: the size of the pieces in which the rest is written, as far as the pipe takes it without a reader. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t max, piece, sent = 0;
	struct rec r;
	int fd[2];

	if (size < 2 || size > 60000)
		return 0;
	max = data[0] + (size_t)1;
	piece = data[1] * (size_t)7 + 1;
	data += 2;
	size -= 2;
	if (pipe(fd) == -1 || rec_open(&r, fd[0], "<fuzz>", NULL, max) == -1)
		abort();
	while (sent < size) {
		size_t n = size - sent < piece ? size - sent : piece;

		if (write(fd[1], data + sent, n) != (ssize_t)n)
			abort();
		sent += n;
		/* Lines may or may not be whole by now; what has come is looked at, not taken. */
		if (rec_wait(&r, 0) == -1)
			abort();
	}
	(void)close(fd[1]);
	check(&r, data, size, max);
	rec_close(&r);
	(void)close(fd[0]);
	return 0;
}
