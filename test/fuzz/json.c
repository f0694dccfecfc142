/*
 * The learned way and the checked way of reading lines accept and refuse the same, and find the same; values are read within their bounds.
 */
#include "json.h"
#include "fuzz.h"

#define KEYS 4

static const char *const key[KEYS] = { "ts", "trace_id", "tags", "a" };

/* Every way to look at a value. */
static void
look(struct json_value v, int depth)
{
	struct json_value name, item;
	const char *next = NULL;
	char text[64], back[JSON_QUOTED(sizeof(text))];
	uint64_t u;
	int64_t scaled;
	double d;
	int b, n, found;

	if (json_u64(v, &u) == 0 && u <= INT64_MAX)
		must(json_scaled(v, 0, &scaled) == 0 && (uint64_t)scaled == u && json_double(v, &d) == 0);
	(void)json_scaled(v, 6, &scaled);
	(void)json_bool(v, &b);
	(void)json_is_null(v);
	if ((n = json_text(v, text, sizeof(text))) >= 0) {
		must(json_is_string(v) && strlen(text) == (size_t)n && json_equals(v, text) && utf8_valid(text, (size_t)n));
		item.p = back;
		item.n = (size_t)(json_quote(back, text, (size_t)n) - back);
		must(item.n <= JSON_QUOTED((size_t)n) && json_equals(item, text));
	}
	if (depth > 8)
		return;
	while ((found = json_each(v, &next, &item)) == 1) {
		must(item.p > v.p && item.p + item.n < v.p + v.n);
		look(item, depth + 1);
	}
	must(found == 0 || next == NULL);
	next = NULL;
	while ((found = json_member(v, &next, &name, &item)) == 1) {
		must(name.p > v.p && item.p > name.p + name.n && item.p + item.n < v.p + v.n);
		look(item, depth + 1);
	}
	must(found == 0 || next == NULL);
}

static void
read_line(struct json_reader *learned, const uint8_t *data, size_t n)
{
	struct json_reader *fresh = json_reader(key, KEYS);
	struct json_value a[KEYS], b[KEYS];
	const char *why = NULL;
	char *line = exact(data, n);
	int status;

	must(fresh != NULL);
	status = json_read(fresh, line, n, b, &why);
	must(json_reader_fast(fresh) == 0 && (status == 0 || why != NULL));
	must(json_read(learned, line, n, a, &why) == status);
	if (status == 0) {
		must(utf8_valid(line, n));
		for (int i = 0; i < KEYS; i++) {
			must(a[i].p == b[i].p && (a[i].p == NULL || a[i].n == b[i].n));
			must(a[i].p == NULL || (a[i].p > line && a[i].p + a[i].n < line + n));
			if (a[i].p != NULL)
				look(a[i], 0);
		}
	}
	json_reader_free(fresh);
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_reader *learned = json_reader(key, KEYS);
	const uint8_t *end = data + size;

	must(learned != NULL);
	while (data < end) {
		const uint8_t *stop = memchr(data, '\n', (size_t)(end - data));

		if (stop == NULL)
			stop = end;
		read_line(learned, data, (size_t)(stop - data));
		data = stop < end ? stop + 1 : end;
	}
	json_reader_free(learned);
	return 0;
}
