#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "push.h"

static int
has_part(CURLU *u, CURLUPart part)
{
	char *s = NULL;
	int has = curl_url_get(u, part, &s, 0) == CURLUE_OK;

	curl_free(s);
	return has;
}

static const char not_http[] = "not an http or https URL such as http://localhost:9428";

static const char *
check_base(CURLU *u, const char *base)
{
	char *scheme = NULL;
	const char *why = NULL;

	if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK)
		return not_http;
	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		why = not_http;
	else if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		why = "user or password in the URL, where every process list shows it";
	else if (has_part(u, CURLUPART_FRAGMENT))
		why = "a fragment in the URL";
	curl_free(scheme);
	return why;
}

static int
add_path(CURLU *u, const char *path)
{
	struct buf whole = { 0 };
	char *old = NULL;
	int failed;

	if (curl_url_get(u, CURLUPART_PATH, &old, 0) != CURLUE_OK)
		return -1;
	failed = buf_puts(&whole, old) == -1;
	curl_free(old);
	if (!failed && whole.n > 0 && whole.p[whole.n - 1] == '/')
		whole.n--;
	failed = failed || buf_put(&whole, path, strlen(path) + 1) == -1 || curl_url_set(u, CURLUPART_PATH, whole.p, 0) != CURLUE_OK;
	buf_free(&whole);
	return failed ? -1 : 0;
}

static int
add_query(CURLU *u, const char *const *query)
{
	for (; *query != NULL; query += 2) {
		struct buf b = { 0 };
		int failed = buf_puts(&b, query[0]) == -1 || buf_puts(&b, "=") == -1 || buf_put(&b, query[1], strlen(query[1]) + 1) == -1 ||
		    curl_url_set(u, CURLUPART_QUERY, b.p, CURLU_APPENDQUERY | CURLU_URLENCODE) != CURLUE_OK;

		buf_free(&b);
		if (failed)
			return -1;
	}
	return 0;
}

char *
push_url(const char *base, const char *path, const char *const *query, const char **errstr)
{
	CURLU *u = curl_url();
	char *whole = NULL, *copy = NULL;

	*errstr = u == NULL ? strerror(ENOMEM) : check_base(u, base);
	if (*errstr == NULL) {
		if (add_path(u, path) == 0 && add_query(u, query) == 0 && curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK)
			copy = strdup(whole);
		if (copy == NULL)
			*errstr = strerror(ENOMEM);
	}
	curl_free(whole);
	curl_url_cleanup(u);
	return copy;
}
