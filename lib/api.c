#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_impl.h"
#include "mix.h"

/* ---- pairs ---- */

enum { TYPE, OWNER, OWNER_ID, COLLECTION, MEMBER, MEMBER_ID, COLUMNS };

static const char *const columns[COLUMNS] = { "type", "owner", "owner_id", "collection", "member", "member_id" };

/* A name that stands in a URL as it is. */
static int
is_word(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '-')
			return 0;
	return n > 0 && n <= API_TYPE;
}

static const struct api_pair *
find_pair(const struct api *a, const char *type)
{
	for (size_t i = 0; i < a->npairs; i++)
		if (strcmp(a->pair[i].type, type) == 0)
			return &a->pair[i];
	return NULL;
}

/* Where each column stands. 0, or -1 */
static int
find_columns(const struct tsv *t, const char *path, size_t at[COLUMNS], char *err, size_t errsize)
{
	size_t found = 0;

	for (size_t c = 0; c < COLUMNS; c++) {
		for (at[c] = 0; at[c] < t->ncols && strcmp(t->column[at[c]], columns[c]) != 0; at[c]++)
			;
		if (at[c] == t->ncols) {
			tsv_error(err, errsize, path, t->line, "no column \"%s\"", columns[c]);
			return -1;
		}
		found++;
	}
	if (t->ncols == found)
		return 0;
	tsv_error(err, errsize, path, t->line, "more columns than %s, %s, %s, %s, %s and %s", columns[0], columns[1], columns[2],
	    columns[3], columns[4], columns[5]);
	return -1;
}

static int
add_pair(struct api *a, char *const *cell, const size_t at[COLUMNS], const char **what)
{
	const char *text[COLUMNS];
	struct api_pair *p = &a->pair[a->npairs];

	for (size_t c = 0; c < COLUMNS; c++)
		if (!is_word(text[c] = cell[at[c]])) {
			*what = "what is no word of letters, digits, _ and -";
			return -1;
		}
	if (find_pair(a, text[TYPE]) != NULL || strcmp(text[OWNER_ID], text[MEMBER_ID]) == 0) {
		*what = find_pair(a, text[TYPE]) != NULL ? "a type that was before" : "one attribute for both ids";
		return -1;
	}
	*p = (struct api_pair){ .type = text[TYPE],
		.owner = text[OWNER],
		.owner_id = text[OWNER_ID],
		.collection = text[COLLECTION],
		.member = text[MEMBER],
		.member_id = text[MEMBER_ID] };
	if ((p->reader = json_reader((const char *const[]){ p->owner_id, p->member_id }, 2)) == NULL) {
		*what = strerror(errno);
		return -1;
	}
	a->npairs++;
	return 0;
}

int
api_pairs(struct api *a, const char *path, char *err, size_t errsize)
{
	struct tsv *t = &a->table;
	size_t at[COLUMNS], size;
	char *text = tsv_slurp(path, &size, err, errsize);
	const char *what;

	if (text == NULL || tsv_parse(t, text, size, path, err, errsize) == -1 || find_columns(t, path, at, err, errsize) == -1)
		return -1;
	if (t->nrows > 0 && (a->pair = calloc(t->nrows, sizeof(*a->pair))) == NULL) {
		tsv_error(err, errsize, path, 0, "%s", strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < t->nrows; i++) {
		if (add_pair(a, &t->cell[i * t->ncols], at, &what) == -1) {
			tsv_error(err, errsize, path, t->line + 1 + i, "%s", what);
			return -1;
		}
	}
	return 0;
}

/* ---- lines ---- */

static int
refuse(struct api *a, const char *why)
{
	a->why = why;
	return -1;
}

int
api_id(struct json_value v, char id[API_ID + 1])
{
	/* Who asks for /type/.. asks for /. */
	if (json_is_string(v))
		return json_text(v, id, API_ID + 1) > 0 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0 ? 0 : -1;
	if (json_is_null(v) || v.n > API_ID || strchr("-0123456789", *v.p) == NULL)
		return -1;
	memcpy(id, v.p, v.n);
	id[v.n] = '\0';
	return 0;
}

static int
read_pair(struct api *a, struct json_value attributes, struct api_document *d)
{
	struct json_value v[2];

	if (attributes.p == NULL || attributes.p[0] != '{')
		return refuse(a, "a pair without attributes");
	if (json_read(d->pair->reader, attributes.p, attributes.n, v, &a->why) == -1)
		return -1;
	if (api_id(v[0], d->id) == -1 || api_id(v[1], d->member) == -1)
		return refuse(a, "a pair without the ids of both");
	return 0;
}

/* Its own id stands beside the type, or among the attributes. */
static int
read_id(struct api *a, struct json_value id, struct json_value attributes, struct api_document *d)
{
	struct json_value v;

	d->named = !json_is_null(id);
	if (!d->named && attributes.p != NULL && attributes.p[0] == '{') {
		if (json_read(a->id, attributes.p, attributes.n, &v, &a->why) == -1)
			return -1;
		id = v;
	}
	if (api_id(id, d->id) == 0)
		return 0;
	d->id[0] = '\0';
	return a->patch ? refuse(a, "no id, which PATCH needs") : 0;
}

int
api_read(struct api *a, const char *line, size_t len, struct api_document *d)
{
	struct json_value data, v[3];

	if (json_read(a->document, line, len, &data, &a->why) == -1)
		return -1;
	if (data.p == NULL || data.p[0] != '{')
		return refuse(a, "no object \"data\"");
	if (json_read(a->data, data.p, data.n, v, &a->why) == -1)
		return -1;
	if (json_text(v[0], d->type, sizeof(d->type)) == -1 || !is_word(d->type))
		return refuse(a, "no type that is a word of letters, digits, _ and -");
	d->data = data.p;
	d->pair = find_pair(a, d->type);
	return d->pair != NULL ? read_pair(a, v[2], d) : read_id(a, v[1], v[2], d);
}

int
api_line(struct api *a, struct push_line *l)
{
	const struct api_document *d = &a->is, *was = &a->was;

	if (api_read(a, l->text, l->len, &a->is) == -1) {
		l->why = a->why;
		return -1;
	}
	l->behind = was->type[0] != '\0' && strcmp(d->type, was->type) != 0;
	l->first = d->pair == NULL || l->behind || strcmp(d->id, was->id) != 0;
	l->last = d->pair == NULL;
	if (d->pair != NULL)
		l->lane = mix_name(d->id, strlen(d->id)) | 1;
	a->was = a->is;
	return 0;
}

/* ---- requests ---- */

/* RFC 3986, section 3.3; what is not written in the same way by everyone is written in hexadecimal. */
static int
put_segment(struct buf *to, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *at = buf_room(to, 3 * strlen(text) + 1);

	if (at == NULL)
		return -1;
	*at++ = '/';
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~:", c) != NULL)
			*at++ = (char)c;
		else {
			*at++ = '%';
			*at++ = hex[c >> 4];
			*at++ = hex[c & 15];
		}
	}
	to->n = (size_t)(at - to->p);
	return 0;
}

/* {"data":{"id":..,"type":..,...}} */
static int
put_named(const struct api_document *d, const char *line, size_t n, struct buf *to)
{
	size_t head = (size_t)(d->data + 1 - line);
	char *at;

	if (buf_put(to, line, head) == -1 || buf_puts(to, "\"id\":") == -1 || (at = buf_room(to, JSON_QUOTED(API_ID))) == NULL)
		return -1;
	to->n = (size_t)(json_quote(at, d->id, strlen(d->id)) - to->p);
	return buf_puts(to, ",") == -1 || buf_put(to, line + head, n - head) == -1 ? -1 : 0;
}

static int
encode_document(const struct api *a, struct batch *b, const struct api_document *d, struct buf *to)
{
	const char *line = b->text.p + b->rec->at;

	if (put_segment(&b->query, d->type) == -1 || (a->patch && put_segment(&b->query, d->id) == -1))
		return -1;
	b->method = a->patch ? "PATCH" : NULL;
	return a->patch && !d->named ? put_named(d, line, b->rec->len, to) : buf_put(to, line, b->rec->len);
}

/* First the members that are there; then these and the new ones, which stand behind a blank of what was found out. */
static int
encode_pairs(struct batch *b, const struct api_document *d, struct buf *to)
{
	size_t skip = 0;

	if (put_segment(&b->query, d->pair->owner) == -1 || put_segment(&b->query, d->id) == -1)
		return -1;
	if (b->step == 0) {
		b->method = "GET";
		return put_segment(&b->query, d->pair->collection);
	}
	while (b->known.p[skip++] != ' ')
		;
	b->method = "PATCH";
	return put_segment(&b->query, "relationships") == -1 || put_segment(&b->query, d->pair->collection) == -1 ||
		buf_puts(to, "{\"data\":[") == -1 || buf_put(to, b->known.p + skip, b->known.n - skip) == -1 || buf_puts(to, "]}") == -1
	    ? -1
	    : 0;
}

int
api_encode(struct api *a, struct batch *b, struct buf *to)
{
	struct api_document d;

	b->query.n = to->n = 0;
	if (api_read(a, b->text.p + b->rec->at, b->rec->len, &d) == -1) {
		errno = EINVAL;
		return -1;
	}
	if ((d.pair == NULL ? encode_document(a, b, &d, to) : encode_pairs(b, &d, to)) == -1)
		return -1;
	return buf_puts(&b->query, a->query);
}

int
api_open(struct api *a)
{
	*a = (struct api){
		.query = "",
		.document = json_reader((const char *const[]){ "data" }, 1),
		.data = json_reader((const char *const[]){ "type", "id", "attributes" }, 3),
		.id = json_reader((const char *const[]){ "id" }, 1),
		.errors = json_reader((const char *const[]){ "errors" }, 1),
		.error = json_reader((const char *const[]){ "detail", "title" }, 2),
		.members = json_reader((const char *const[]){ "data", "links" }, 2),
		.member = json_reader((const char *const[]){ "type", "id" }, 2),
		.links = json_reader((const char *const[]){ "next" }, 1),
	};
	if (a->document != NULL && a->data != NULL && a->id != NULL && a->errors != NULL && a->error != NULL && a->members != NULL &&
	    a->member != NULL && a->links != NULL)
		return 0;
	api_close(a);
	return -1;
}

void
api_close(struct api *a)
{
	struct json_reader *const all[] = { a->document, a->data, a->id, a->errors, a->error, a->members, a->member, a->links };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		json_reader_free(all[i]);
	for (size_t i = 0; i < a->npairs; i++)
		json_reader_free(a->pair[i].reader);
	free(a->pair);
	tsv_free(&a->table);
}
