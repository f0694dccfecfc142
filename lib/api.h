/*
 * JSON:API: how documents are sent to a REST server, and what its answers mean. Source: JSON:API 1.1, jsonapi.org/format.
 * A document {"data":{"type":..,"attributes":{..}}} is made by POST /type, or changed by PATCH /type/id. Documents of some types are pairs:
 * they put a member into a collection of an owner. Those of one owner that follow each other are one batch, sent in two steps: GET
 * /owner/id/collection tells the members that are there, PATCH /owner/id/relationships/collection sets these and the new ones.
 */
#ifndef OG_API_H
#define OG_API_H

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "buf.h"
#include "json.h"
#include "push.h"
#include "tsv.h"

#define API_TYPE 127 /* bytes of a type, which is a word of letters, digits, _ and - */
#define API_ID 1023  /* bytes of an id */

/* A type whose documents are pairs, and the attributes that hold the ids. */
struct api_pair {
	const char *type, *owner, *owner_id, *collection, *member, *member_id;
	struct json_reader *reader;
};

/* What a line says. */
struct api_document {
	const struct api_pair *pair; /* NULL: it is none */
	char type[API_TYPE + 1];
	char id[API_ID + 1];     /* of a pair's owner; else its own, or "" */
	char member[API_ID + 1]; /* of a pair */
	const char *data;        /* the object in the line */
	int named;               /* its own id stands beside the type, where PATCH wants it */
};

struct api {
	int patch;                                /* documents that are no pairs are changed, not made; for the caller to set */
	const char *query;                        /* what stands behind the path in each URL: "" or "?name=value"; for the caller to set */
	struct json_reader *document, *data, *id; /* of lines */
	struct json_reader *errors, *error, *members, *member, *links; /* of answers */
	struct tsv table;
	struct api_pair *pair;
	size_t npairs;
	struct api_document is, was; /* the line read last, and the one before; type "": none */
	uint64_t there;              /* records that the server had already */
	const char *why;
};

/* 0, or -1 with errno. */
int api_open(struct api *);
void api_close(struct api *);
/*
 * Which types are pairs: a table with the columns type, owner, owner_id, collection, member, member_id.
 *   return   0, or -1 and err holds "PATH:LINE: what"
 */
int api_pairs(struct api *, const char *path, char *err, size_t errsize);
/* Check a line, and say how it goes into batches. 0; -1 and l->why when it must not be sent. Lines are given in their order. */
int api_line(struct api *, struct push_line *);
/* Method, path and body of a batch's step. 0, or -1 with errno. */
int api_encode(struct api *, struct batch *, struct buf *to);
/* What an answer means, where it is not what its status says by itself. */
void api_answer(struct api *, const struct batch *, const struct push_answer *, struct push_reply *);

#endif
