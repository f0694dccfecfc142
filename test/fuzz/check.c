/*
 * lib/check, with any lines: whatever they are, the verdict is one sound JSON object, and what is not sound itself breaks a promise.
 */
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "fuzz.h"
#include "json.h"

static struct catalog cat;
static struct json_reader *sound;
static int sink = -1;

static void
open_all(void)
{
	static const char *const none = "";
	char err[512];

	(void)setenv("OG_SHARE", "share/og", 0);
	must(catalog_load(&cat, "social", err, sizeof(err), NULL, NULL) == 0);
	sound = json_reader(&none, 0);
	must(sound != NULL);
}

static struct check *
open_one(enum check_kind kind, const uint8_t *data, size_t size)
{
	struct check_plan plan = { .cat = &cat, .kind = kind, .unordered = size > 0 && (data[0] & 8) != 0, .part = 1 };
	char err[512];
	struct check *c;

	plan.layout = check_layout(&cat, (const char *)data, size);
	if (plan.layout < 0)
		plan.layout = catalog_layout(&cat, "wide", 4);
	c = check_open(&plan, err, sizeof(err));
	must(c != NULL);
	if (kind == CHECK_SPANS)
		must(check_measure(c, "service", size % 2 == 0 ? 0 : 3600000000, 1, err, sizeof(err)) == 0 || strlen(err) > 0);
	return c;
}

static void
end(struct check *c, int bad)
{
	struct json_value v;
	struct out o;
	const char *why;
	int broken;

	sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	must(sink != -1 && out_open(&o, sink, 1 << 22) == 0);
	broken = check_verdict(c, &o);
	must(broken == 1 || (broken == 0 && !bad));
	must(o.len > 0 && o.buf[o.len - 1] == '\n' && json_read(sound, o.buf, o.len - 1, &v, &why) == 0);
	must(out_close(&o) == 0);
	check_free(c);
}

/* A line each. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *p = data, *limit = data + size;
	struct check *c = NULL;
	uint64_t line = 0;
	int bad = 0;

	if (sound == NULL)
		open_all();
	while (p < limit) {
		const uint8_t *nl = memchr(p, '\n', (size_t)(limit - p));
		size_t n = (size_t)((nl == NULL ? limit : nl) - p);
		char *text = exact(p, n);
		struct json_value v;
		const char *why;

		if (c == NULL)
			c = open_one(check_guess(text, n) == CHECK_SAMPLES ? CHECK_SAMPLES : CHECK_SPANS, data, (size_t)(limit - data));
		bad |= json_read(sound, text, n, &v, &why) == -1;
		check_line(c, ++line, text, n);
		free(text);
		p += n + 1;
	}
	if (c != NULL)
		end(c, bad);
	return 0;
}
