/*
 * JSON objects in, one a line: the fast way for lines that look like one before, and reading through jsmn for those that are not sound.
 */
#ifndef OG_JSON_H
#define OG_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"

/* A value as it stands in the line: with its quotes if it is a string. p == NULL: no such key. */
struct json_value {
	const char *p;
	size_t n;
};

/*
 * Reader of some keys of an object. It learns the order of keys from the lines; a line in a learned order is read by comparing and
 * scanning, any other key by key. Both ways accept and refuse the same lines; what is wrong with a line is found out by jsmn.
 */
struct json_reader;

/* `key`: names as they stand between quotes, without escapes; at most 64; the array is copied. NULL with errno. */
struct json_reader *json_reader(const char *const *key, int n);
void json_reader_free(struct json_reader *);
/*
 * Find the keys in one line: an object, nothing behind it, valid UTF-8, no key twice (at top level), nesting at most 64, no NUL.
 *   value    one for each key, in the order of `key`, pointing into the line
 *   return   0; or -1 and *errstr ("not a JSON object", "key \"ts\" twice", "nested deeper than 64", ...), good until the next call
 * The line may be a value that is an object in another line, "tags" for one, which takes a reader of its own.
 */
int json_read(struct json_reader *, const char *line, size_t len, struct json_value *value, const char **errstr);
/* How many lines went the fast way, for tests and -v. */
uint64_t json_reader_fast(const struct json_reader *);

#define JSON_SLOTS 32 /* orders of keys that are remembered: records with and without an optional key may alternate */

/*
 * All members of the line read last, and its shape: two lines of one shape differ in nothing but the values of these members. So what
 * follows from the keys need be found out only once; it may be kept in an array of JSON_SLOTS.
 */
struct json_shape {
	uint64_t id; /* 0: not known: seen too rarely, or too many members or bytes around them; then the rest is 0, too */
	int slot;    /* of this shape alone, until another id comes with it */
	int n;
	const struct json_value *value; /* of the members in their order; good until the next call */
};

/* After a line was read. */
const struct json_shape *json_shape(const struct json_reader *);
/* The i-th key of a shape whose id is not 0, as it stands between its quotes. */
struct json_value json_shape_key(const struct json_reader *, int i);

int json_is_null(struct json_value); /* absent or null */
int json_is_string(struct json_value);
/* The text of a string, unescaped, into buf with a NUL; length, or -1 when it is no string or does not fit. \u0000 is refused. */
int json_text(struct json_value, char *buf, size_t size);
/* Is it this string? (compares unescaped text) */
int json_equals(struct json_value, const char *text);
/* Whole number, any number (as 64-bit integer of 10^-places, error when it has more), bool. 0 or -1. */
int json_u64(struct json_value, uint64_t *);
int json_scaled(struct json_value, int places, int64_t *);
int json_double(struct json_value, double *);
int json_bool(struct json_value, int *);
/* Elements of an array of strings or numbers: *next starts as NULL; 1 with the element, 0 at the end, -1 when it is no array. */
int json_each(struct json_value array, const char **next, struct json_value *element);
/* Members of an object, likewise; key is the raw text between its quotes. */
int json_member(struct json_value object, const char **next, struct json_value *key, struct json_value *value);

/* Longest form of n bytes of text as a JSON string, quotes included. */
#define JSON_QUOTED(n) (2 + 6 * (n))
/* Write text as a JSON string with quotes (control characters, " and \ escaped; UTF-8 as it is); the end. */
char *json_quote(char *to, const char *text, size_t n);

/* Is it UTF-8 without surrogates, overlong forms or values above 10FFFF? */
int utf8_valid(const char *s, size_t n);

#endif
