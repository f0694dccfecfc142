/*
 * What a REST server's answers mean.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api_impl.h"

#define TITLE 160 /* bytes of a server's words for one error */

static int
is_json(const struct push_answer *a)
{
	return strncasecmp(a->type, "application/vnd.api+json", 24) == 0 || strncasecmp(a->type, "application/json", 16) == 0;
}

/* All of the body; a longer one was cut. */
static int
is_whole(const struct push_answer *a)
{
	return a->len <= PUSH_BODY_MAX;
}

static void
decide(struct push_reply *reply, enum push_verdict verdict, const char *why, const struct push_answer *a)
{
	reply->verdict = verdict;
	(void)snprintf(reply->why, sizeof(reply->why), "%ld %.64s: %s", a->status, a->type, why);
}

/* ---- errors ---- */

/* "409: detail; detail" of {"errors":[{"detail":..},...]}, and how many there are; -1: another body. */
static int
read_errors(struct api *api, const struct push_answer *a, char why[PUSH_WHY])
{
	struct json_value list, one, v[2];
	const char *next = NULL, *errstr;
	char text[TITLE];
	size_t n;
	int errors = 0;

	if (!is_json(a) || !is_whole(a) || json_read(api->errors, a->body, a->len, &list, &errstr) == -1 || list.p == NULL)
		return -1;
	n = (size_t)snprintf(why, PUSH_WHY, "%ld:", a->status);
	for (; json_each(list, &next, &one) == 1; errors++) {
		if (one.p[0] != '{' || json_read(api->error, one.p, one.n, v, &errstr) == -1)
			continue;
		if (json_text(v[0], text, sizeof(text)) <= 0 && json_text(v[1], text, sizeof(text)) <= 0)
			continue;
		for (char *p = text; *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				*p = ' ';
		if (n < PUSH_WHY)
			n += (size_t)snprintf(why + n, PUSH_WHY - n, "%s %s", why[n - 1] == ':' ? "" : ";", text);
	}
	return errors;
}

/* One that was there before. Servers on SQLAlchemy pass on what the database says, and the status with which they do that is 400. */
static int
is_there(const struct push_answer *a)
{
	return a->status == 409 || (a->status == 400 && strstr(a->body, "UniqueViolation") != NULL);
}

/* ---- members ---- */

int
api_add_member(struct buf *to, size_t from, const char *type, const char *id)
{
	char text[JSON_QUOTED(API_TYPE) + JSON_QUOTED(API_ID) + 32], *at = text;
	size_t n;

	at = mempcpy(at, "{\"type\":", 8);
	at = json_quote(at, type, strlen(type));
	at = mempcpy(at, ",\"id\":", 6);
	at = json_quote(at, id, strlen(id));
	*at++ = '}';
	n = (size_t)(at - text);
	/* A text like this stands nowhere else: inside a string its quotes would be escaped. */
	if (to->n > from && memmem(to->p + from, to->n - from, text, n) != NULL)
		return 0;
	return (to->n > from && buf_put(to, ",", 1) == -1) || buf_put(to, text, n) == -1 ? -1 : 1;
}

/* The members of a collection behind what is in `to`. NULL, or why they cannot be known. */
static const char *
read_members(struct api *api, const struct push_answer *a, struct buf *to)
{
	struct json_value v[2], one, part[2], more = { 0 };
	const char *next = NULL, *errstr;
	char type[API_TYPE + 1], id[API_ID + 1];
	size_t from = to->n;
	int each;

	if (!is_json(a) || !is_whole(a) || json_read(api->members, a->body, a->len, v, &errstr) == -1 || v[0].p == NULL)
		return "no collection of JSON:API";
	if (v[1].p != NULL && v[1].p[0] == '{' && json_read(api->links, v[1].p, v[1].n, &more, &errstr) == -1)
		return "no collection of JSON:API";
	if (!json_is_null(more))
		return "the collection comes in pages, and those of the others would be taken out of it";
	while ((each = json_each(v[0], &next, &one)) == 1) {
		if (one.p[0] != '{' || json_read(api->member, one.p, one.n, part, &errstr) == -1 ||
		    json_text(part[0], type, sizeof(type)) == -1 || api_id(part[1], id) == -1)
			return "a member that has no type and id";
		if (api_add_member(to, from, type, id) == -1)
			return strerror(errno);
	}
	return each == 0 ? NULL : "no collection of JSON:API";
}

/* Is there something to add to the members? What is to be sent, behind the number of pairs that were there and a blank. */
static void
join(struct api *api, const struct batch *b, const struct push_answer *a, struct push_reply *reply)
{
	struct buf *to = reply->known;
	struct api_document d;
	const char *why;
	char head[32];
	uint64_t there = 0;
	int added = 0;

	to->n = 0;
	if ((why = read_members(api, a, to)) != NULL) {
		decide(reply, PUSH_STOP, why, a);
		return;
	}
	for (size_t i = 0; i < b->nrec && added != -1; i++) {
		if (api_read(api, b->text.p + b->rec[i].at, b->rec[i].len, &d) == 0)
			added = api_add_member(to, 0, d.pair->member, d.member);
		there += added == 0;
	}
	(void)snprintf(head, sizeof(head), "%" PRIu64 " ", there);
	if (added == -1 || buf_put(to, head, strlen(head)) == -1) {
		decide(reply, PUSH_STOP, strerror(errno), a);
		return;
	}
	memmove(to->p + strlen(head), to->p, to->n - strlen(head));
	memcpy(to->p, head, strlen(head));
	reply->verdict = there < b->nrec ? PUSH_NEXT : PUSH_TAKEN;
	reply->untouched = 1;
	api->there += there < b->nrec ? 0 : there;
}

/* ---- what it means ---- */

static void
success(struct api *api, const struct batch *b, const struct push_answer *a, struct push_reply *reply)
{
	struct api_document d;
	char why[PUSH_WHY];

	if (api_read(api, b->text.p + b->rec->at, b->rec->len, &d) == -1)
		return;
	if (a->len > 0 && !is_json(a))
		decide(reply, PUSH_STOP, "this is no server of JSON:API", a);
	else if (a->len > 0 && read_errors(api, a, why) > 0) {
		/* Whatever the status says, a document has either errors or data. */
		reply->verdict = PUSH_REFUSED;
		(void)snprintf(reply->why, sizeof(reply->why), "%s", why);
	} else if (d.pair != NULL && b->step == 0)
		join(api, b, a, reply);
	else if (a->status != 200 && a->status != 201 && a->status != 204)
		decide(reply, PUSH_STOP, "neither 200, 201 nor 204: whether it was done is not known", a);
	else if (d.pair != NULL || api->patch) {
		/* The same again changes nothing. */
		reply->untouched = 1;
		if (d.pair != NULL)
			api->there += strtoull(b->known.p, NULL, 10);
	}
}

void
api_answer(struct api *api, const struct batch *b, const struct push_answer *a, struct push_reply *reply)
{
	char why[PUSH_WHY];
	int errors;

	if (reply->verdict == PUSH_TAKEN) {
		success(api, b, a, reply);
		return;
	}
	if (a->status < 400 || a->status > 499)
		return;
	errors = read_errors(api, a, why) >= 0;
	if (errors)
		(void)snprintf(reply->why, sizeof(reply->why), "%s", why);
	if (b->method == NULL && is_there(a)) {
		reply->verdict = PUSH_TAKEN;
		reply->untouched = 1;
		api->there += b->nrec;
	} else if (errors && reply->verdict != PUSH_AGAIN && reply->verdict != PUSH_SMALLER && a->status != 401 && a->status != 406 &&
	    a->status != 415)
		reply->verdict = PUSH_REFUSED;
}
