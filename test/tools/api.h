/*
 * The things that a REST server of JSON:API holds, for faultd.
 *
 *	POST /type                               201; 409 for what is there already, or 400 and the words of a database
 *	PATCH /type/id                           200
 *	GET /type/id/collection                  200 and its members
 *	PATCH /type/id/relationships/collection  204: these are the members from now on
 *
 * Attributes whose names end with _id, but for native_id, name things that must be there: `a_id` one of type a. 422 if one is not; 404
 * where a path leads nowhere. An id stands beside the type, or among the attributes, or the server makes one;
 * of types where it did, any is there.
 */
#ifndef OG_TEST_API_H
#define OG_TEST_API_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json.h"

#define API_PARTS 4
#define API_TEXT 1024

struct api {
	int words; /* what is there already is told in the words of a database */
	int pages; /* collections have a next page */
	char **thing, **member;
	size_t nthings, nmembers;
	unsigned made;
	char said[8192]; /* the body of the answer */
};

static int
api_errors(struct api *a, int status, const char *what, const char *id)
{
	char quoted[JSON_QUOTED(API_TEXT) + 1], text[2 * API_TEXT];

	(void)snprintf(text, sizeof(text), "%.900s %.900s", what, id);
	*json_quote(quoted, text, strnlen(text, API_TEXT)) = '\0';
	(void)snprintf(a->said, sizeof(a->said),
	    "{\"errors\":[{\"status\":\"%d\",\"title\":\"Error\",\"detail\":%s}],\"jsonapi\":{\"version\":\"1.0\"}}\n", status, quoted);
	return status;
}

/* Is it in the list? */
static int
api_has(char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return 1;
	return 0;
}

static void
api_put(char ***list, size_t *n, const char *name)
{
	if ((*n & (*n - 1)) == 0 && (*list = realloc(*list, (*n == 0 ? 1 : *n * 2) * sizeof(**list))) == NULL)
		err(1, NULL);
	if (((*list)[(*n)++] = strdup(name)) == NULL)
		err(1, NULL);
}

/* The parts of a path, decoded. How many; more than API_PARTS: too many */
static size_t
api_split(const char *path, char part[API_PARTS][API_TEXT])
{
	size_t n = 0;

	while (*path == '/') {
		size_t len = 0;

		for (path++; *path != '\0' && *path != '/' && *path != '?'; path++) {
			char byte[3] = { path[0] == '%' ? path[1] : '\0', path[0] == '%' ? path[2] : '\0' };

			if (n < API_PARTS && len + 1 < API_TEXT)
				part[n][len++] = *byte == '\0' ? *path : (char)strtoul(byte, NULL, 16);
			path += *byte == '\0' ? 0 : 2;
		}
		if (n < API_PARTS)
			part[n][len] = '\0';
		n++;
	}
	return n;
}

/* A member of an object as text. 1 when it is a string. */
static int
api_text(struct json_value object, const char *name, char *to)
{
	struct json_value key, value;
	const char *next = NULL;

	while (object.p != NULL && *object.p == '{' && json_member(object, &next, &key, &value) == 1)
		if (key.n == strlen(name) && memcmp(key.p, name, key.n) == 0)
			return json_text(value, to, API_TEXT) > 0;
	return 0;
}

static struct json_value
api_member(struct json_value object, const char *name)
{
	struct json_value key, value;
	const char *next = NULL;

	while (object.p != NULL && *object.p == '{' && json_member(object, &next, &key, &value) == 1)
		if (key.n == strlen(name) && memcmp(key.p, name, key.n) == 0)
			return value;
	return (struct json_value){ 0 };
}

/* Is there what the attributes name? 0, or the status. */
static int
api_refers(struct api *a, struct json_value attributes)
{
	struct json_value key, value;
	const char *next = NULL;
	char id[API_TEXT], name[3 * API_TEXT], any[API_TEXT];

	while (attributes.p != NULL && *attributes.p == '{' && json_member(attributes, &next, &key, &value) == 1) {
		if (key.n < 4 || memcmp(key.p + key.n - 3, "_id", 3) != 0 || (key.n == 9 && memcmp(key.p, "native_id", 9) == 0))
			continue;
		if (json_text(value, id, sizeof(id)) == -1)
			return api_errors(a, 400, "no text:", "");
		(void)snprintf(name, sizeof(name), "%.*s %s", (int)key.n - 3, key.p, id);
		(void)snprintf(any, sizeof(any), "%.*s *", (int)key.n - 3, key.p);
		if (!api_has(a->thing, a->nthings, name) && !api_has(a->thing, a->nthings, any))
			return api_errors(a, 422, "there is no", name);
	}
	return 0;
}

static int
api_post(struct api *a, const char *type, struct json_value data)
{
	struct json_value attributes = api_member(data, "attributes");
	char said[API_TEXT], id[API_TEXT], name[3 * API_TEXT];
	int status;

	if (!api_text(data, "type", said) || strcmp(said, type) != 0)
		return api_errors(a, 400, "another type than", type);
	if ((status = api_refers(a, attributes)) != 0)
		return status;
	if (!api_text(data, "id", id) && !api_text(attributes, "id", id)) {
		(void)snprintf(name, sizeof(name), "%s *", type);
		if (!api_has(a->thing, a->nthings, name))
			api_put(&a->thing, &a->nthings, name);
		(void)snprintf(id, sizeof(id), "made-%u", ++a->made);
	}
	(void)snprintf(name, sizeof(name), "%s %s", type, id);
	if (api_has(a->thing, a->nthings, name))
		return a->words ? api_errors(a, 400, "(psycopg2.errors.UniqueViolation) duplicate key value", name)
				: api_errors(a, 409, "there is already", name);
	api_put(&a->thing, &a->nthings, name);
	(void)snprintf(a->said, sizeof(a->said), "{\"data\":{\"type\":\"%s\"}}\n", type);
	return 201;
}

static int
api_patch(struct api *a, const char *type, const char *id, struct json_value data)
{
	char said[2][API_TEXT];

	if (!api_text(data, "type", said[0]) || !api_text(data, "id", said[1]) || strcmp(said[0], type) != 0 || strcmp(said[1], id) != 0)
		return api_errors(a, 409, "another thing than", id);
	(void)snprintf(a->said, sizeof(a->said), "{\"data\":{\"type\":\"%s\"}}\n", type);
	return 200;
}

/* These are the members from now on: `head` is what stands before each. */
static int
api_set(struct api *a, const char *head, struct json_value list)
{
	struct json_value one;
	const char *next = NULL;
	char said[2][API_TEXT], name[3 * API_TEXT];
	size_t kept = 0;

	while (json_each(list, &next, &one) == 1) {
		if (!api_text(one, "type", said[0]) || !api_text(one, "id", said[1]))
			return api_errors(a, 400, "no type and id in", head);
		(void)snprintf(name, sizeof(name), "%s %s", said[0], said[1]);
		if (!api_has(a->thing, a->nthings, name))
			return api_errors(a, 404, "there is no", name);
	}
	for (size_t i = 0; i < a->nmembers; i++) {
		if (strncmp(a->member[i], head, strlen(head)) == 0)
			free(a->member[i]);
		else
			a->member[kept++] = a->member[i];
	}
	for (a->nmembers = kept, next = NULL; json_each(list, &next, &one) == 1;) {
		(void)api_text(one, "type", said[0]);
		(void)api_text(one, "id", said[1]);
		(void)snprintf(name, sizeof(name), "%s%s %s", head, said[0], said[1]);
		/* The list may be longer than it was when room was made for it. */
		api_put(&a->member, &a->nmembers, name);
	}
	return 204;
}

static int
api_get(struct api *a, const char *head)
{
	size_t n = strlen(head), at = (size_t)snprintf(a->said, sizeof(a->said), "{\"data\":[");
	int some = 0;

	for (size_t i = 0; i < a->nmembers; i++) {
		const char *m = a->member[i] + n, *gap = strncmp(a->member[i], head, n) == 0 ? strchr(m, ' ') : NULL;

		if (gap != NULL && at < sizeof(a->said) - 512)
			at += (size_t)snprintf(a->said + at, sizeof(a->said) - at,
			    "%s\n {\"attributes\": {\"x\": []}, \"type\": \"%.*s\", \"id\": \"%s\"}", some++ ? "," : "", (int)(gap - m), m,
			    gap + 1);
	}
	(void)snprintf(a->said + at, sizeof(a->said) - at, "], \"links\": {\"self\": \"x\", \"next\": %s}}\n", a->pages ? "\"y\"" : "null");
	return 200;
}

/* What the server does, and says in a->said. The status. */
static int
api_do(struct api *a, const char *method, const char *path, const char *body, size_t n)
{
	static struct json_reader *reader;
	struct json_value data = { 0 };
	char part[API_PARTS][API_TEXT], name[3 * API_TEXT];
	size_t parts = api_split(path, part);
	const char *why;

	*a->said = '\0';
	if (reader == NULL && (reader = json_reader((const char *const[]){ "data" }, 1)) == NULL)
		err(1, NULL);
	if (*method != 'G' && json_read(reader, body, n, &data, &why) == -1)
		return api_errors(a, 400, "no document:", why);
	if (*method == 'P' && method[1] == 'O')
		return parts == 1 ? api_post(a, part[0], data) : api_errors(a, 404, "no such place:", path);
	(void)snprintf(name, sizeof(name), "%s %s", part[0], part[1]);
	if (parts < 2 || parts > API_PARTS || !api_has(a->thing, a->nthings, name))
		return api_errors(a, 404, "there is no", parts < 2 ? path : name);
	if (*method == 'P' && parts == 2)
		return api_patch(a, part[0], part[1], data);
	(void)snprintf(name, sizeof(name), "%s %s %s ", part[0], part[1], part[parts - 1]);
	if (*method == 'P' && parts == 4 && strcmp(part[2], "relationships") == 0)
		return api_set(a, name, data);
	return *method == 'G' && parts == 3 ? api_get(a, name) : api_errors(a, 404, "no such place:", path);
}

#endif
