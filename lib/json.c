#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS /* without them, closing a bracket takes time in proportion to the tokens before it */
#include <jsmn.h>

#include "json.h"

#define DEPTH_MAX 64
#define KEYS_MAX 64
#define LEARN_KEYS 256    /* lines with more are not learned */
#define LEARN_BYTES 16384 /* likewise */
#define LEARN_EVERY 8     /* line of an unknown layout, when there have been as many as can be remembered */
#define FEW_KEYS 64       /* are compared each with each */
#define NUMBER_MAX 512    /* longest number that json_double() takes */

#define EACH_BYTE 0x0101010101010101ULL
#define HIGH_BITS (EACH_BYTE * 0x80)
#define WIDE 16 /* bytes looked at together where the processor can */

/* ---- scanning: each function gives the end of the thing that begins at p, or NULL ---- */

static const char *
scan_utf8(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t left = (size_t)(end - p), n;
	unsigned char lo = 0x80, hi = 0xbf; /* of the second byte; RFC 3629, section 4 */

	if (u[0] < 0x80)
		return p + 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		n = 2;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		n = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		n = 4;
	else
		return NULL;
	if (u[0] == 0xe0)
		lo = 0xa0;
	else if (u[0] == 0xed)
		hi = 0x9f;
	else if (u[0] == 0xf0)
		lo = 0x90;
	else if (u[0] == 0xf4)
		hi = 0x8f;
	if (left < n || u[1] < lo || u[1] > hi)
		return NULL;
	for (size_t i = 2; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return NULL;
	return p + n;
}

int
utf8_valid(const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		uint64_t word;

		if (end - s >= 8 && (memcpy(&word, s, 8), (word & HIGH_BITS) == 0))
			s += 8;
		else if ((s = scan_utf8(s, end)) == NULL)
			return 0;
	}
	return 1;
}

static int
hex4(const char *p, const char *end, unsigned *code)
{
	if (end - p < 4)
		return -1;
	*code = 0;
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = c - (unsigned)'0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20U) - 'a' + 10;
		else
			return -1;
		*code = *code << 4 | digit;
	}
	return 0;
}

static size_t
put_utf8(char out[4], unsigned code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The escape at p, which is a backslash; what it stands for goes to out. A half of a surrogate pair on its own stands for nothing. */
static const char *
scan_escape(const char *p, const char *end, char out[4], size_t *n)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found;
	unsigned code, low;

	if (end - p < 2)
		return NULL;
	if (p[1] != 'u') {
		if (p[1] == '\0' || (found = strchr(names, p[1])) == NULL)
			return NULL;
		out[0] = meant[found - names];
		*n = 1;
		return p + 2;
	}
	if (hex4(p + 2, end, &code) == -1 || (code >= 0xdc00 && code <= 0xdfff))
		return NULL;
	p += 6;
	if (code >= 0xd800 && code <= 0xdbff) {
		if (end - p < 6 || p[0] != '\\' || p[1] != 'u' || hex4(p + 2, end, &low) == -1 || low < 0xdc00 || low > 0xdfff)
			return NULL;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	*n = put_utf8(out, code);
	return p;
}

#ifdef __SSE2__
typedef char wide __attribute__((vector_size(WIDE)));
typedef signed char wide_signed __attribute__((vector_size(WIDE)));

static inline wide
load_wide(const char *p)
{
	wide w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Bit i: byte i is a quote, a backslash, a control character or no ASCII; as signed numbers the last two are those below a blank. */
static inline unsigned
special(const char *p)
{
	wide w = load_wide(p);
	wide_signed hit = (wide_signed)(w == '"') | (wide_signed)(w == '\\') | (wide_signed)((wide_signed)w < ' ');

	return (unsigned)__builtin_ia32_pmovmskb128((wide)hit);
}
#endif

/* The first byte from p on that is a quote, a backslash, a control character or no ASCII. */
static inline const char *
scan_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 2 * WIDE; p += 2 * WIDE) {
		unsigned hit = special(p) | special(p + WIDE) << WIDE;

		if (hit != 0)
			return p + __builtin_ctz(hit);
	}
#endif
	for (; end - p >= 8; p += 8) {
		uint64_t word, quote, slash, hit;

		memcpy(&word, p, 8);
		quote = word ^ EACH_BYTE * '"';
		slash = word ^ EACH_BYTE * '\\';
		/* A borrow reaches only bytes above the first hit, so that the lowest bit set is always right. */
		hit = ((quote - EACH_BYTE) & ~quote) | ((slash - EACH_BYTE) & ~slash) | (word - EACH_BYTE * 0x20) | word;
		hit = le64toh(hit & HIGH_BITS);
		if (hit != 0)
			return p + __builtin_ctzll(hit) / 8;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static inline const char *
scan_string(const char *p, const char *end)
{
	char out[4];
	size_t n;

	for (p++; p != NULL;) {
		p = scan_plain(p, end);
		if (p == end)
			return NULL;
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p = scan_escape(p, end, out, &n);
		else if ((unsigned char)*p < 0x20)
			return NULL;
		/* Such characters come together. */
		while (p != NULL && p < end && (unsigned char)*p >= 0x80)
			p = scan_utf8(p, end);
	}
	return NULL;
}

static inline const char *
scan_digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p == from ? NULL : p;
}

static inline const char *
scan_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if ((p = scan_digits(p, end)) == NULL)
		return NULL;
	if (p < end && *p == '.' && (p = scan_digits(p + 1, end)) == NULL)
		return NULL;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = scan_digits(p, end);
	}
	return p;
}

static inline const char *
scan_word(const char *p, const char *end, const char *word, size_t n)
{
	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0 ? p + n : NULL;
}

/* Anything but an object or array. */
static inline const char *
scan_scalar(const char *p, const char *end)
{
	if (p == end)
		return NULL;
	switch (*p) {
	case '"':
		return scan_string(p, end);
	case 't':
		return scan_word(p, end, "true", 4);
	case 'f':
		return scan_word(p, end, "false", 5);
	case 'n':
		return scan_word(p, end, "null", 4);
	default:
		return scan_number(p, end);
	}
}

static inline const char *
scan_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* `"key" :` and the blanks around. */
static const char *
scan_key(const char *p, const char *end)
{
	p = scan_space(p, end);
	if (p == end || *p != '"' || (p = scan_string(p, end)) == NULL)
		return NULL;
	p = scan_space(p, end);
	return p == end || *p != ':' ? NULL : scan_space(p + 1, end);
}

/*
 * Behind a value inside brackets: over commas and closing brackets to where the next value begins, or, when the outermost bracket has
 * closed, to behind it (then *depth is the one given as floor).
 */
static const char *
scan_onward(const char *p, const char *end, int *depth, int floor, uint64_t objects)
{
	while (*depth > floor) {
		int object = objects >> (*depth - 1) & 1;

		p = scan_space(p, end);
		if (p == end)
			return NULL;
		if (*p == ',')
			return object ? scan_key(p + 1, end) : scan_space(p + 1, end);
		if (*p++ != (object ? '}' : ']'))
			return NULL;
		--*depth;
	}
	return p;
}

/* Any value, at `floor` open brackets. */
static const char *
scan_value(const char *p, const char *end, int floor)
{
	uint64_t objects = 0; /* bit d - 1: the bracket at depth d is an object's */
	int depth = floor;

	for (;;) {
		if (p == end)
			return NULL;
		if (*p == '{' || *p == '[') {
			int object = *p == '{';

			if (depth == DEPTH_MAX)
				return NULL;
			objects = (objects & ~(1ULL << depth)) | (uint64_t)object << depth;
			depth++;
			p = scan_space(p + 1, end);
			if (p < end && *p == (object ? '}' : ']')) {
				depth--;
				p++;
			} else if (object && (p = scan_key(p, end)) == NULL)
				return NULL;
			else
				continue;
		} else if ((p = scan_scalar(p, end)) == NULL)
			return NULL;
		if ((p = scan_onward(p, end, &depth, floor, objects)) == NULL || depth == floor)
			return p;
	}
}

/* ---- the reader ---- */

/* A line's bytes from the end of one value (or the start of the line) to the start of the next (or the end of the line). */
struct glue {
	uint32_t at, n;
	uint32_t key, nkey; /* the key, as it stands there */
};

struct layout {
	uint64_t id; /* 0: not learned yet */
	int n;       /* keys */
	struct glue glue[LEARN_KEYS + 1];
	int want[KEYS_MAX];                 /* where a wanted key stands, or -1 */
	uint16_t common[JSON_SLOTS];        /* how many glues another layout begins with as this one does */
	char bytes[LEARN_BYTES + 2 * WIDE]; /* those at the end may be looked at */
};

struct member {
	const char *key; /* unescaped */
	size_t keylen;
	const char *raw; /* as it stands in the line */
	size_t rawlen;
	const char *value, *end;
	int want;
};

struct json_reader {
	int nkeys;
	const char *key[KEYS_MAX];
	size_t keylen[KEYS_MAX];
	char *names; /* the keys, copied */
	uint64_t fast;
	int current;      /* layout that served last */
	int oldest;       /* layout to be learned next */
	uint64_t unknown; /* lines of no known layout */
	uint64_t learned;
	struct layout layout[JSON_SLOTS];
	struct json_value found[LEARN_KEYS]; /* all values of a line that has a layout */
	struct json_shape shape;
	jsmntok_t *token;
	unsigned ntokens;
	struct member *member;
	size_t nmembers, members_max;
	const struct member **sorted;
	char *text; /* unescaped keys of the line */
	size_t textlen, text_max;
	char err[128];
};

struct json_reader *
json_reader(const char *const *key, int n)
{
	struct json_reader *r;
	size_t total = 1;
	char *to;

	if (n < 0 || n > KEYS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	for (int i = 0; i < n; i++)
		total += strlen(key[i]) + 1;
	if ((r = calloc(1, sizeof(*r))) == NULL || (r->names = to = malloc(total)) == NULL) {
		free(r);
		return NULL;
	}
	r->nkeys = n;
	for (int i = 0; i < n; i++) {
		r->key[i] = to;
		r->keylen[i] = strlen(key[i]);
		memcpy(to, key[i], r->keylen[i] + 1);
		to += r->keylen[i] + 1;
	}
	return r;
}

void
json_reader_free(struct json_reader *r)
{
	if (r == NULL)
		return;
	free(r->names);
	free(r->token);
	free(r->member);
	free(r->sorted);
	free(r->text);
	free(r);
}

uint64_t
json_reader_fast(const struct json_reader *r)
{
	return r->fast;
}

/* ---- members of a line ---- */

/* The text of a key with escapes, kept in r->text, which has room for the whole line. */
static void
unescape_key(struct json_reader *r, struct member *m)
{
	const char *p = m->raw, *end = p + m->rawlen;
	char *to = r->text + r->textlen;

	m->key = to;
	while (p < end) {
		size_t n;

		if (*p == '\\') {
			p = scan_escape(p, end, to, &n);
			to += n;
		} else
			*to++ = *p++;
	}
	m->keylen = (size_t)(to - m->key);
	r->textlen += m->keylen;
}

/* A key of a line of len bytes. 0, or -1 with errno. */
static int
add_member(struct json_reader *r, size_t len, const char *raw, size_t rawlen)
{
	struct member *m;

	if (r->nmembers == r->members_max) {
		size_t larger = r->members_max == 0 ? 64 : r->members_max * 2;
		struct member *member = reallocarray(r->member, larger, sizeof(*member));

		if (member == NULL)
			return -1;
		r->member = member;
		r->members_max = larger;
	}
	m = &r->member[r->nmembers++];
	*m = (struct member){ .raw = raw, .rawlen = rawlen, .want = -1 };
	if (memchr(m->raw, '\\', m->rawlen) == NULL) {
		m->key = m->raw;
		m->keylen = m->rawlen;
	} else {
		/* An escape is written with up to four bytes at once, but never ends up longer than it was. */
		if (r->text_max < len + 4) {
			free(r->text);
			r->text_max = 0;
			if ((r->text = malloc(len + 4)) == NULL)
				return -1;
			r->text_max = len + 4;
		}
		unescape_key(r, m);
	}
	for (int i = 0; i < r->nkeys; i++)
		if (r->keylen[i] == m->keylen && memcmp(r->key[i], m->key, m->keylen) == 0)
			m->want = i;
	return 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct member *x = *(const struct member *const *)a, *y = *(const struct member *const *)b;

	if (x->keylen != y->keylen)
		return x->keylen < y->keylen ? -1 : 1;
	return memcmp(x->key, y->key, x->keylen);
}

/* Are there so few members, with lengths or ends of keys so different, that no two keys can be the same? */
static int
all_differ(const struct json_reader *r)
{
	uint64_t sign[FEW_KEYS], hit = 0;

	if (r->nmembers > FEW_KEYS)
		return 0;
	for (size_t i = 0; i < r->nmembers; i++) {
		const struct member *m = &r->member[i];

		sign[i] = m->keylen;
		for (size_t k = m->keylen < 7 ? 0 : m->keylen - 7; k < m->keylen; k++)
			sign[i] = sign[i] << 8 | (unsigned char)m->key[k];
		for (size_t k = 0; k < i; k++)
			hit |= sign[k] == sign[i];
	}
	return !hit;
}

/* The words for a key that stands in the line twice, or NULL. */
static const char *
twice(struct json_reader *r)
{
	const struct member **sorted;

	if (all_differ(r))
		return NULL;
	if ((sorted = reallocarray(r->sorted, r->members_max, sizeof(*sorted))) == NULL)
		return "out of memory";
	r->sorted = sorted;
	for (size_t i = 0; i < r->nmembers; i++)
		sorted[i] = &r->member[i];
	qsort(sorted, r->nmembers, sizeof(*sorted), by_key);
	for (size_t i = 1; i < r->nmembers; i++) {
		const struct member *m = sorted[i];
		size_t n = m->rawlen < 64 ? m->rawlen : 64;

		if (by_key(&sorted[i - 1], &sorted[i]) != 0)
			continue;
		while (n < m->rawlen && n > 0 && (m->raw[n] & 0xc0) == 0x80)
			n--;
		(void)snprintf(r->err, sizeof(r->err), "key \"%.*s%s\" twice", (int)n, m->raw, n < m->rawlen ? "..." : "");
		return r->err;
	}
	return NULL;
}

/*
 * The members of a line that is sound throughout. 0, or -1 for any other line, and when memory is short: then the checked route finds out
 * what is wrong.
 */
static int
find_members(struct json_reader *r, const char *line, size_t len)
{
	const char *end = line + len, *p = scan_space(line, end);
	int first = 1;

	r->nmembers = r->textlen = 0;
	if (p == end || *p++ != '{')
		return -1;
	for (;; first = 0) {
		const char *behind;

		p = scan_space(p, end);
		if (p < end && *p == '}' && first)
			break;
		if (p == end || *p != '"' || (behind = scan_string(p, end)) == NULL ||
		    add_member(r, len, p + 1, (size_t)(behind - p) - 2) == -1)
			return -1;
		p = scan_space(behind, end);
		if (p == end || *p++ != ':')
			return -1;
		p = scan_space(p, end);
		r->member[r->nmembers - 1].value = p;
		if ((p = scan_value(p, end, 1)) == NULL)
			return -1;
		r->member[r->nmembers - 1].end = p;
		p = scan_space(p, end);
		if (p == end || (*p != ',' && *p != '}'))
			return -1;
		if (*p == '}')
			break;
		p++;
	}
	return scan_space(p + 1, end) == end ? 0 : -1;
}

/* ---- the checked route: what is wrong with a line ---- */

static int
tokenize(struct json_reader *r, const char *line, size_t len)
{
	jsmn_parser parser;
	int n;

	jsmn_init(&parser);
	for (;;) {
		unsigned larger = r->ntokens == 0 ? 256 : r->ntokens * 2;
		jsmntok_t *token;

		n = r->ntokens == 0 ? JSMN_ERROR_NOMEM : jsmn_parse(&parser, line, len, r->token, r->ntokens);
		if (n != JSMN_ERROR_NOMEM)
			return n;
		if ((token = reallocarray(r->token, larger, sizeof(*token))) == NULL)
			return JSMN_ERROR_NOMEM;
		r->token = token;
		r->ntokens = larger;
	}
}

/* What may come next. */
enum expect { VALUE, FIRST_VALUE, KEY, FIRST_KEY, COLON, AFTER };

/* A push-down automaton over jsmn's tokens and the bytes between them. */
struct walk {
	const char *line;
	enum expect expect;
	int depth;
	uint64_t objects;
};

static const char not_object[] = "not a JSON object";

static int
in_object(const struct walk *w)
{
	return w->depth > 0 && (w->objects >> (w->depth - 1) & 1) != 0;
}

static const char *
walk_gap(struct walk *w, const char *p, const char *end)
{
	for (; p < end; p++) {
		int object = in_object(w);

		switch (*p) {
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			continue;
		case ',':
			if (w->expect != AFTER || w->depth == 0)
				return not_object;
			w->expect = object ? KEY : VALUE;
			continue;
		case ':':
			if (w->expect != COLON)
				return not_object;
			w->expect = VALUE;
			continue;
		case '}':
			if (!object || (w->expect != AFTER && w->expect != FIRST_KEY))
				return not_object;
			break;
		case ']':
			if (w->depth == 0 || object || (w->expect != AFTER && w->expect != FIRST_VALUE))
				return not_object;
			break;
		default:
			return not_object;
		}
		w->depth--;
		w->expect = AFTER;
	}
	return NULL;
}

static const char *
walk_token(struct walk *w, const jsmntok_t *t)
{
	const char *from = w->line + t->start, *end = w->line + t->end;
	int key = w->expect == KEY || w->expect == FIRST_KEY;

	if (w->depth == 0 && w->expect == AFTER)
		return "text behind the object";
	if (key ? t->type != JSMN_STRING : w->expect != VALUE && w->expect != FIRST_VALUE)
		return not_object;
	switch (t->type) {
	case JSMN_STRING:
		if (scan_string(from - 1, end + 1) != end + 1)
			return "invalid string";
		w->expect = key ? COLON : AFTER;
		return NULL;
	case JSMN_PRIMITIVE:
		if (scan_scalar(from, end) != end)
			return "invalid number or word";
		w->expect = AFTER;
		return NULL;
	default:
		if (w->depth == DEPTH_MAX)
			return "nested deeper than 64";
		w->objects = (w->objects & ~(1ULL << w->depth)) | (uint64_t)(t->type == JSMN_OBJECT) << w->depth;
		w->depth++;
		w->expect = t->type == JSMN_OBJECT ? FIRST_KEY : FIRST_VALUE;
		return NULL;
	}
}

/* Check the line strictly, and collect the members of the outermost object. NULL, or what is wrong. */
static const char *
walk_line(struct json_reader *r, const char *line, size_t len, int n)
{
	struct walk w = { .line = line, .expect = VALUE };
	const char *pos = line, *err;

	for (int i = 0; i < n; i++) {
		const jsmntok_t *t = &r->token[i];
		int quote = t->type == JSMN_STRING, nested = t->type == JSMN_OBJECT || t->type == JSMN_ARRAY;

		if ((err = walk_gap(&w, pos, line + t->start - quote)) != NULL || (err = walk_token(&w, t)) != NULL)
			return err;
		pos = nested ? line + t->start + 1 : line + t->end + quote;
		if (w.depth == 1 && w.expect == COLON) {
			if (add_member(r, len, line + t->start, (size_t)(t->end - t->start)) == -1)
				return "out of memory";
		} else if (r->nmembers > 0 && r->member[r->nmembers - 1].value == NULL) {
			r->member[r->nmembers - 1].value = line + t->start - quote;
			r->member[r->nmembers - 1].end = line + t->end + quote;
		}
	}
	if ((err = walk_gap(&w, pos, line + len)) != NULL)
		return err;
	return w.depth == 0 && w.expect == AFTER ? NULL : not_object;
}

static int
same_glue(const struct layout *a, const struct layout *b, int i)
{
	const struct glue *x = &a->glue[i], *y = &b->glue[i];

	return x->n == y->n && memcmp(a->bytes + x->at, b->bytes + y->at, x->n) == 0;
}

/* How many glues each of the others has in common with layout k. */
static void
compare_layouts(struct json_reader *r, int k)
{
	struct layout *l = &r->layout[k];

	for (int i = 0; i < JSON_SLOTS; i++) {
		struct layout *other = &r->layout[i];
		int n = 0;

		if (other->id != 0)
			while (n <= l->n && n <= other->n && same_glue(l, other, n))
				n++;
		l->common[i] = other->common[k] = (uint16_t)n;
	}
}

/* Take the glue that begins at *pos, `used` bytes being taken; 0, or -1 when there is no room. */
static int
add_glue(struct layout *l, int i, const char **pos, const char *end, const struct member *m, uint32_t *used)
{
	const char *to = m == NULL ? end : m->value;
	size_t n = (size_t)(to - *pos);

	if (n > LEARN_BYTES - *used)
		return -1;
	memcpy(l->bytes + *used, *pos, n);
	l->glue[i] = (struct glue){ .at = *used, .n = (uint32_t)n };
	if (m != NULL) {
		l->glue[i].key = *used + (uint32_t)(m->raw - *pos);
		l->glue[i].nkey = (uint32_t)m->rawlen;
		if (m->want >= 0)
			l->want[m->want] = i;
		*pos = m->end;
	}
	*used += (uint32_t)n;
	return 0;
}

/* Keep the layout of a line that was read, in the place of the one that is the oldest. */
static void
learn(struct json_reader *r, const char *line, size_t len)
{
	int k = r->oldest, n = (int)r->nmembers;
	struct layout *l = &r->layout[k];
	const char *pos = line;
	uint32_t used = 0;

	if (r->nmembers > LEARN_KEYS)
		return;
	l->id = 0;
	for (int i = 0; i < r->nkeys; i++)
		l->want[i] = -1;
	for (int i = 0; i <= n; i++)
		if (add_glue(l, i, &pos, line + len, i == n ? NULL : &r->member[i], &used) == -1)
			return;
	for (int i = 0; i < n; i++)
		r->found[i] = (struct json_value){ r->member[i].value, (size_t)(r->member[i].end - r->member[i].value) };
	l->n = n;
	compare_layouts(r, k);
	l->id = ++r->learned;
	r->current = k;
	r->oldest = (k + 1) % JSON_SLOTS;
	r->shape = (struct json_shape){ .id = l->id, .slot = k, .n = n, .value = r->found };
}

/* Read by jsmn. NULL, or what is wrong. */
static const char *
read_checked(struct json_reader *r, const char *line, size_t len)
{
	const char *err;
	int n;

	r->nmembers = r->textlen = 0;
	if (memchr(line, '\0', len) != NULL)
		return "NUL byte";
	if (!utf8_valid(line, len))
		return "invalid UTF-8";
	n = tokenize(r, line, len);
	if (n == JSMN_ERROR_NOMEM)
		return "out of memory";
	if (n < 1 || r->token[0].type != JSMN_OBJECT)
		return not_object;
	if ((err = walk_line(r, line, len, n)) != NULL)
		return err;
	return twice(r);
}

/* A line of no known layout. NULL, or what is wrong. */
static const char *
read_new(struct json_reader *r, const char *line, size_t len, struct json_value *value)
{
	const char *err;

	if (len > INT32_MAX)
		return "too long";
	if ((err = find_members(r, line, len) == 0 ? twice(r) : read_checked(r, line, len)) != NULL)
		return err;
	for (int i = 0; i < r->nkeys; i++)
		value[i] = (struct json_value){ 0 };
	for (size_t i = 0; i < r->nmembers; i++) {
		const struct member *m = &r->member[i];

		if (m->want >= 0)
			value[m->want] = (struct json_value){ m->value, (size_t)(m->end - m->value) };
	}
	return NULL;
}

/* ---- the fast route ---- */

/* Do the n bytes at p equal those at glue, behind which there is room to look? */
static inline int
is_glue(const char *p, const char *end, const char *glue, size_t n)
{
#ifdef __SSE2__
	if (n <= WIDE && end - p >= WIDE) {
		unsigned same = (unsigned)__builtin_ia32_pmovmskb128((wide)(load_wide(p) == load_wide(glue)));

		return (~same & ((1U << n) - 1)) == 0;
	}
#endif
	return (size_t)(end - p) >= n && memcmp(p, glue, n) == 0;
}

/*
 * Go on from glue *i, at p, as long as the line has this layout and its values are sound. The end of the line when that is so to the end;
 * else where the glue *i would have to begin.
 */
static inline const char *
follow(const struct layout *l, int *i, const char *p, const char *end, struct json_value *found)
{
	const struct glue *g = l->glue + *i, *last = l->glue + l->n;

	for (; is_glue(p, end, l->bytes + g->at, g->n); g++) {
		const char *from = p + g->n, *to;

		if (g == last) {
			if (from != end)
				break;
			*i = l->n + 1;
			return end;
		}
		if (from < end && (*from == '{' || *from == '['))
			to = scan_value(from, end, 1);
		else
			to = scan_scalar(from, end);
		if (to == NULL)
			break;
		found[g - l->glue] = (struct json_value){ from, (size_t)(to - from) };
		p = to;
	}
	*i = (int)(g - l->glue);
	return p;
}

/*
 * The layout of a line, all of whose values are sound, or -1; keys that are equal byte for byte need no second look. Where a line leaves a
 * layout, only those need be looked at that are the same up to there and no further.
 */
static int
find_layout(struct json_reader *r, const char *p, const char *end)
{
	uint64_t tried = 0;
	int k = r->current, i = 0;

	if (r->layout[k].id == 0)
		return -1;
	for (;;) {
		const struct layout *l = &r->layout[k];

		p = follow(l, &i, p, end, r->found);
		if (i > l->n)
			return k;
		tried |= 1ULL << k;
		for (k = 0; k < JSON_SLOTS; k++)
			if ((tried >> k & 1) == 0 && r->layout[k].id != 0 && l->common[k] == i)
				break;
		if (k == JSON_SLOTS)
			return -1;
	}
}

int
json_read(struct json_reader *r, const char *line, size_t len, struct json_value *value, const char **errstr)
{
	const struct layout *l;
	const char *err;
	int k = find_layout(r, line, line + len);

	if (k == -1) {
		if ((err = read_new(r, line, len, value)) != NULL) {
			*errstr = err;
			return -1;
		}
		/* Where each line is another one, to learn them all would take longer than it saves. */
		r->shape = (struct json_shape){ 0 };
		if (r->unknown++ < JSON_SLOTS || r->unknown % LEARN_EVERY == 0)
			learn(r, line, len);
		return 0;
	}
	l = &r->layout[k];
	for (int i = 0; i < r->nkeys; i++) {
		value[i] = (struct json_value){ 0 };
		if (l->want[i] != -1)
			value[i] = r->found[l->want[i]];
	}
	r->current = k;
	r->fast++;
	r->shape = (struct json_shape){ .id = l->id, .slot = k, .n = l->n, .value = r->found };
	return 0;
}

const struct json_shape *
json_shape(const struct json_reader *r)
{
	return &r->shape;
}

struct json_value
json_shape_key(const struct json_reader *r, int i)
{
	const struct layout *l = &r->layout[r->shape.slot];

	return (struct json_value){ l->bytes + l->glue[i].key, l->glue[i].nkey };
}

/* ---- values ---- */

int
json_is_null(struct json_value v)
{
	return v.p == NULL || (v.n == 4 && memcmp(v.p, "null", 4) == 0);
}

int
json_is_string(struct json_value v)
{
	return v.p != NULL && v.n >= 2 && v.p[0] == '"';
}

int
json_text(struct json_value v, char *buf, size_t size)
{
	const char *p, *end;
	size_t len = 0;

	if (!json_is_string(v) || size == 0)
		return -1;
	for (p = v.p + 1, end = v.p + v.n - 1; p < end;) {
		char one[4] = { *p };
		size_t n = 1;

		if (*p != '\\')
			p++;
		else if ((p = scan_escape(p, end, one, &n)) == NULL)
			return -1;
		if (one[0] == '\0' || len + n >= size || len + n > INT32_MAX)
			return -1;
		memcpy(buf + len, one, n);
		len += n;
	}
	buf[len] = '\0';
	return (int)len;
}

int
json_equals(struct json_value v, const char *text)
{
	const char *p, *end;
	size_t left = strlen(text);

	if (!json_is_string(v))
		return 0;
	for (p = v.p + 1, end = v.p + v.n - 1; p < end;) {
		char one[4];
		const char *run = one, *stop;
		size_t n = 1;

		if (*p != '\\') {
			stop = memchr(p, '\\', (size_t)(end - p));
			n = (size_t)((stop == NULL ? end : stop) - p);
			run = p;
			p += n;
		} else if ((p = scan_escape(p, end, one, &n)) == NULL)
			return 0;
		if (left < n || memcmp(text, run, n) != 0)
			return 0;
		text += n;
		left -= n;
	}
	return left == 0;
}

static int
times_ten(uint64_t *x, long n)
{
	for (; n > 0 && *x != 0; n--)
		if (__builtin_mul_overflow(*x, 10U, x))
			return -1;
	return 0;
}

/* A number as sign and whole multiple of 10^-places. */
static int
decimal(struct json_value v, long places, int *negative, uint64_t *magnitude)
{
	const char *p = v.p, *end = p == NULL ? NULL : p + v.n;
	long fraction = 0, zeros = 0, exponent = 0, sign = 1;
	int point = 0;

	if (p == NULL || scan_number(p, end) != end)
		return -1;
	*negative = *p == '-';
	*magnitude = 0;
	for (p += *negative; p < end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.')
			point = 1;
		else if (*p == '0')
			/* Zeros count only when another digit follows, so that 1.50000000000000000000 is no larger than 1.5. */
			zeros++;
		else if (times_ten(magnitude, zeros + 1) == -1 || __builtin_add_overflow(*magnitude, (unsigned)(*p - '0'), magnitude))
			return -1;
		else
			zeros = 0;
		fraction += point && *p != '.';
	}
	if (p < end && ++p < end && (*p == '-' || *p == '+'))
		sign = *p++ == '-' ? -1 : 1;
	for (; p < end; p++)
		if (exponent < 1000000000)
			exponent = exponent * 10 + (*p - '0');
	places += sign * exponent - fraction + zeros;
	if (*magnitude == 0)
		return 0;
	for (; places < 0; places++) {
		if (*magnitude % 10 != 0)
			return -1;
		*magnitude /= 10;
	}
	return times_ten(magnitude, places);
}

int
json_u64(struct json_value v, uint64_t *to)
{
	int negative;

	return decimal(v, 0, &negative, to) == -1 || (negative && *to != 0) ? -1 : 0;
}

int
json_scaled(struct json_value v, int places, int64_t *to)
{
	uint64_t magnitude;
	int negative;

	if (decimal(v, places, &negative, &magnitude) == -1 || magnitude > INT64_MAX)
		return -1;
	*to = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return 0;
}

int
json_double(struct json_value v, double *to)
{
	char text[NUMBER_MAX + 1];

	if (v.p == NULL || v.n > NUMBER_MAX || scan_number(v.p, v.p + v.n) != v.p + v.n)
		return -1;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	*to = strtod(text, NULL);
	return isfinite(*to) ? 0 : -1;
}

int
json_bool(struct json_value v, int *to)
{
	if (v.p == NULL)
		return -1;
	*to = v.n == 4 && memcmp(v.p, "true", 4) == 0;
	return *to || (v.n == 5 && memcmp(v.p, "false", 5) == 0) ? 0 : -1;
}

/* Where the next element or key begins: behind the opening bracket, or behind a comma. 1, 0 at the end, or -1. */
static int
step(struct json_value v, const char **next, char open, char close)
{
	int first = *next == NULL;
	const char *end;

	if (v.p == NULL || v.n < 2 || v.p[0] != open)
		return -1;
	end = v.p + v.n;
	*next = scan_space(first ? v.p + 1 : *next, end);
	if (*next < end && **next == close)
		return 0;
	if (first)
		return *next < end ? 1 : -1;
	if (*next == end || **next != ',')
		return -1;
	*next = scan_space(*next + 1, end);
	return 1;
}

int
json_each(struct json_value array, const char **next, struct json_value *element)
{
	int more = step(array, next, '[', ']');

	if (more != 1)
		return more;
	element->p = *next;
	if ((*next = scan_value(element->p, array.p + array.n, 0)) == NULL)
		return -1;
	element->n = (size_t)(*next - element->p);
	return 1;
}

int
json_member(struct json_value object, const char **next, struct json_value *key, struct json_value *value)
{
	int more = step(object, next, '{', '}');
	const char *end, *p;

	if (more != 1)
		return more;
	end = object.p + object.n;
	if (*next == end || **next != '"' || (p = scan_string(*next, end)) == NULL)
		return -1;
	*key = (struct json_value){ *next + 1, (size_t)(p - *next) - 2 };
	p = scan_space(p, end);
	if (p == end || *p != ':')
		return -1;
	value->p = scan_space(p + 1, end);
	if ((*next = scan_value(value->p, end, 0)) == NULL)
		return -1;
	value->n = (size_t)(*next - value->p);
	return 1;
}

char *
json_quote(char *to, const char *text, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	static const char names[] = "btn\0fr"; /* of the characters 8 to 13 */

	*to++ = '"';
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != '"' && c != '\\') {
			*to++ = text[i];
			continue;
		}
		*to++ = '\\';
		if (c >= 0x20)
			*to++ = text[i];
		else if (c >= 8 && c <= 13 && c != 11)
			*to++ = names[c - 8];
		else {
			memcpy(to, "u00", 3);
			to[3] = hex[c >> 4];
			to[4] = hex[c & 15];
			to += 5;
		}
	}
	*to++ = '"';
	return to;
}
