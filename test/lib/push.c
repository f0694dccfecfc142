/* push: the parts that need no server; test/og-vlpush.bats has the rest. */
#include <stdlib.h>
#include <string.h>

#include "push.h"
#include "tap.h"

static const struct {
	const char *base, *want; /* NULL: refused */
} urls[] = {
	{ "http://h", "http://h/p?a=b+c&d=e" },
	{ "http://h/", "http://h/p?a=b+c&d=e" },
	{ "https://h:9/x/", "https://h:9/x/p?a=b+c&d=e" },
	{ "http://[::1]:9428/x?q=1%2F2", "http://[::1]:9428/x/p?q=1%2F2&a=b+c&d=e" },
	{ "HTTP://h", "http://h/p?a=b+c&d=e" },
	{ "", NULL },
	{ "h", NULL },
	{ "h:1", NULL },
	{ "ftp://h", NULL },
	{ "file:///x", NULL },
	{ "http://", NULL },
	{ "http://h#f", NULL },
	{ "http://u@h", NULL },
	{ "http://u:p@h", NULL },
	{ "http://:p@h", NULL },
};

static const struct {
	long status;
	enum push_verdict want;
} verdicts[] = {
	{ 200, PUSH_TAKEN },
	{ 204, PUSH_TAKEN },
	{ 301, PUSH_STOP },
	{ 400, PUSH_REFUSED },
	{ 401, PUSH_STOP },
	{ 403, PUSH_STOP },
	{ 404, PUSH_STOP },
	{ 408, PUSH_AGAIN },
	{ 413, PUSH_SMALLER },
	{ 422, PUSH_REFUSED },
	{ 425, PUSH_AGAIN },
	{ 429, PUSH_AGAIN },
	{ 500, PUSH_AGAIN },
	{ 503, PUSH_AGAIN },
};

int
main(void)
{
	const char *const query[] = { "a", "b c", "d", "e", NULL };
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const char *why = NULL;
		char *url = push_url(urls[i].base, "/p", query, &why);

		if (urls[i].want == NULL)
			tap(&t, url == NULL && why != NULL, "refused: %s", urls[i].base);
		else
			tap(&t, url != NULL && strcmp(url, urls[i].want) == 0, "%s: %s", urls[i].base, url == NULL ? why : url);
		free(url);
	}
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		tap(&t, push_verdict(verdicts[i].status) == verdicts[i].want, "%ld", verdicts[i].status);
	return tap_end(&t);
}
