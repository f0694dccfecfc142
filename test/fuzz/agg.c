/* Lines of aggregates: whatever comes in, what goes out comes in again and is the same. */
#include "agg.h"
#include "fuzz.h"

#define ROOM ((size_t)1 << 22)
#define INTERVAL 60000000
#define LONGEST 4096 /* of the input: running totals of it must not fill the room */

static const int64_t bounds[] = { 1000, 2500 };
static const char *const le[] = { "1", "2.5" };
static const struct agg_histogram shape = { "a_ms", 3, 2, bounds, le };

/* Merge lines from p to end; what is written goes to o. */
static void
merge(struct out *o, const char *p, const char *end, int all)
{
	struct agg *a = agg_open(o, &shape, 1, INTERVAL, INTERVAL, 0);
	const char *why = NULL;

	must(a != NULL);
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((stop == NULL ? end : stop) - p);
		char *line = exact(p, n);
		int status = agg_merge(a, line, n, &why);

		must(status == 0 || (!all && why != NULL));
		free(line);
		p += n + 1;
	}
	must(agg_finish(a) == 0);
	agg_free(a);
}

static void
numbers(const char *s, size_t n)
{
	char text[AGG_DIGITS], *end;
	agg_int v, again;

	for (int places = 0; places <= 18; places += 3)
		if (agg_number(s, n, places, &v) == 0) {
			end = agg_print(text, v, places);
			must(end <= text + sizeof(text) && agg_number(text, (size_t)(end - text), places, &again) == 0 && again == v);
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out once, twice; /* one for all runs: they are large */

	numbers((const char *)data, size);
	if (size > LONGEST)
		return 0;
	if (once.buf == NULL)
		must(out_open(&once, -1, ROOM) == 0 && out_open(&twice, -1, ROOM) == 0);
	once.len = twice.len = 0;
	merge(&once, (const char *)data, (const char *)data + size, 0);
	merge(&twice, once.buf, once.buf + once.len, 1);
	must(once.err == 0 && once.len == twice.len && memcmp(once.buf, twice.buf, once.len) == 0);
	return 0;
}
