/* check: what input is taken for, sets of keys, and verdicts on lines that are made here. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "check_impl.h"
#include "mix.h"
#include "tap.h"

static struct tap t;
static struct catalog cat;
static char text[1 << 20];

static const char span[] =
    "{\"timestamp\":\"2025-01-01T00:00:0%d.000000Z\",\"level\":\"INFO\",\"service\":\"timeline\",\"stack\":\"feed\",\"action\":\"get_timeline\","
    "\"user_id\":\"u\",\"request_id\":\"r%d\",\"success\":true,\"message\":\"m\",\"release_id\":\"x\",\"trace_id\":\"t%d\",\"span_id\":\"s%d\","
    "\"parent_span_id\":null,\"target_user_id\":null,\"object_type\":null,\"object_id\":null,\"error_code\":null,\"error_message\":null,"
    "\"error_source\":null,\"error_type\":null,\"upstream_request_id\":null}";

/* The verdict on n lines as text, with what check_verdict() returned. */
static const char *
verdict(struct check *c, int *broken)
{
	struct out o;
	int fd[2];
	ssize_t n = 0;

	if (pipe(fd) == -1 || out_open(&o, fd[1], sizeof(text)) == -1)
		exit(1);
	*broken = check_verdict(c, &o);
	if (o.len < 60000) {
		(void)out_close(&o);
		n = read(fd[0], text, sizeof(text) - 1);
	}
	(void)close(fd[0]);
	text[n > 0 ? n : 0] = '\0';
	check_free(c);
	return text;
}

static struct check *
opened(const char *layout, int unordered)
{
	struct check_plan plan = { .cat = &cat, .kind = CHECK_SPANS, .layout = catalog_layout(&cat, layout, strlen(layout)) };
	char err[512];
	struct check *c;

	plan.unordered = unordered;
	c = check_open(&plan, err, sizeof(err));
	if (c == NULL)
		exit(1);
	return c;
}

static void
give(struct check *c, int line, int second, int request, int trace)
{
	char buf[1024];
	int n = snprintf(buf, sizeof(buf), span, second, request, trace, request);

	check_line(c, (uint64_t)line, buf, (size_t)n);
}

static void
test_guesses(void)
{
	char buf[1024];
	int n = snprintf(buf, sizeof(buf), span, 1, 1, 1, 1);
	static const struct {
		const char *line;
		enum check_kind kind;
	} lines[] = { { "{\"kind\":\"world\",\"format\":1}", CHECK_WORLD }, { "{\"kind\":\"rollout\"}", CHECK_WORLD },
		{ "{\"kind\":\"server\",\"trace_id\":1}", CHECK_SPANS }, { "{\"tags\":{},\"metric\":\"x\"}", CHECK_SAMPLES },
		{ "", CHECK_SPANS }, { "[1]", CHECK_SPANS }, { "{\"metric\":1}", CHECK_SPANS } };

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		tap(&t, check_guess(lines[i].line, strlen(lines[i].line)) == lines[i].kind, "what %s is taken for", lines[i].line);
	tap(&t, check_layout(&cat, buf, (size_t)n) == catalog_layout(&cat, "log", 3), "a layout by its keys");
	tap(&t, check_layout(&cat, "{\"a\":1}", 7) == -1 && check_layout(&cat, "", 0) == -1, "no layout has a key of it");
}

static void
test_keys(void)
{
	struct keys s = { .max = 50000 };
	int fresh, good = 1;

	for (uint64_t i = 1; i <= 50000; i++) {
		uint64_t *v = keys_put(&s, mix(i), &fresh);

		good &= v != NULL && fresh;
		if (v != NULL)
			*v = i;
	}
	for (uint64_t i = 1; i <= 50000; i++) {
		const uint64_t *v = keys_find(&s, mix(i));

		good &= v != NULL && *v == i;
	}
	tap(&t, good, "50,000 keys and their values");
	tap(&t, keys_put(&s, 1, &fresh) == NULL && s.full && keys_find(&s, 1) == NULL, "no key above the bound, and it is known");
	tap(&t, keys_put(&s, mix(7), &fresh) != NULL && !fresh, "one that is there is found all the same");
	keys_free(&s);
}

static void
test_verdicts(void)
{
	struct check *c = opened("log", 0);
	const char *said;
	int broken;

	for (int i = 0; i < 5; i++)
		give(c, i + 1, i, i, i);
	said = verdict(c, &broken);
	tap(&t, broken == 0 && strncmp(said, "{\"ok\":true,\"kind\":\"events\"", 26) == 0, "five good events");
	c = opened("log", 0);
	give(c, 1, 5, 1, 1);
	give(c, 2, 4, 2, 2);
	said = verdict(c, &broken);
	tap(&t, broken == 1 && strstr(said, "\"name\":\"order\",\"ok\":false,\"counted\":2,\"broken\":1,\"first\":[{\"line\":2,") != NULL,
	    "one that comes too late, by its line");
	c = opened("log", 1);
	give(c, 1, 5, 1, 1);
	give(c, 2, 4, 2, 2);
	give(c, 3, 3, 3, 1);
	said = verdict(c, &broken);
	tap(&t, broken == 1 && strstr(said, "\\\"trace_id\\\" \\\"t1\\\" twice") != NULL && strstr(said, "fingerprints") != NULL,
	    "in any order, a trace id twice, by fingerprints");
	c = opened("log", 0);
	check_long(c, 1);
	said = verdict(c, &broken);
	tap(&t, broken == 1 && strstr(said, "longer than") != NULL, "a line that is too long");
}

static void
test_shown(void)
{
	struct check *c = opened("log", 0);
	struct account *a = &c->account[P_JSON];

	for (int i = 0; i < 1000; i++)
		check_line(c, (uint64_t)i + 1, "{", 1);
	tap(&t, a->broken == 1000 && a->shown[CHECK_SHOWN - 1].line == CHECK_SHOWN, "all are counted, the first %d kept", CHECK_SHOWN);
	/* 300 bytes of two-byte characters are cut between two of them. */
	memset(text, 0, 400);
	for (int i = 0; i < 150; i++)
		memcpy(text + 2 * i, "\xc3\xa4", 2);
	check_fault(c, P_KEYS, 1, "x%s", text);
	tap(&t, utf8_valid(c->account[P_KEYS].shown[0].text, strlen(c->account[P_KEYS].shown[0].text)), "never cut inside a character");
	check_free(c);
}

int
main(void)
{
	char err[512];

	(void)setenv("OG_SHARE", "share/og", 1);
	if (catalog_load(&cat, "social", err, sizeof(err), NULL, NULL) == -1) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	test_guesses();
	test_keys();
	test_verdicts();
	test_shown();
	catalog_free(&cat);
	return tap_end(&t);
}
