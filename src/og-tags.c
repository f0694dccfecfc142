/*
 * og-tags: split composite ids into tags
 *
 * Standard input: records, one JSON object a line. Standard output: the same, with a tag for each word of the id and for each composite of
 * the words, at the top level, or inside "tags" where the record is a sample. It depends on the input and on the table with the grammar.
 */
#include <err.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grammar.h"
#include "help.h"
#include "json.h"
#include "out.h"
#include "rec.h"
#include "say.h"

#define SETS 1024      /* of ids remembered, by their hash; a power of 2 */
#define WAYS 4         /* ids of a set */
#define CACHED_MAX 512 /* bytes of the longest such id */
#define ERROR_MAX 4096
#define PATH_SIZE 4096

/* What is read at the top level; the tags follow. Inside "tags" of a sample the id and the tags are read. */
enum { KEY_METRIC, KEY_TAGS, KEY_ID, KEY_FIRST };
#define KEYS (KEY_FIRST + GRAMMAR_TAGS)

static struct opts {
	const char *grammar, *key;
} opts = { .key = "release_id" };

/* An id as it stands in the record, quotes included, and `,"name":"text"` for each of its tags. */
struct entry {
	char *raw, *text;
	size_t rawlen, rawmax, textmax;
	uint64_t hash;
	uint32_t at[GRAMMAR_TAGS + 1], value[GRAMMAR_TAGS]; /* in text: tag i is at[i] to at[i + 1], its value begins at value[i] */
};

struct tagger {
	struct grammar grammar;
	size_t fixed; /* bytes of all tags but for their texts */
	struct json_reader *top, *inner;
	struct rec in;
	struct out out;
	struct entry cache[SETS][WAYS], large; /* large: an id too long to be remembered */
	unsigned char oldest[SETS];
	char *plain; /* an id without escapes, then again with those that are needed */
	size_t plainmax;
	int bad;
};

/* A value in the line that becomes another. */
struct patch {
	struct json_value old;
	const char *new;
	size_t n;
};

static void
refuse(struct tagger *t, const char *where, const char *what)
{
	warnx("%s:%llu: %s%s", t->in.name, (unsigned long long)t->in.line, where, what);
	t->bad = 1;
}

static void
reserve(char **p, size_t *max, size_t need)
{
	if (need <= *max)
		return;
	free(*p);
	if ((*p = malloc(need)) == NULL)
		err(1, NULL);
	*max = need;
}

/*
 * The text of an id, escaped as a JSON string needs it and no further: no mark can hide behind an escape then.
 *   return   0; or -1 if it holds a NUL
 */
static int
normalize(struct tagger *t, const struct entry *e, const char **id, size_t *n)
{
	char *quoted;
	int len;

	*id = e->raw + 1;
	*n = e->rawlen - 2;
	if (memchr(*id, '\\', *n) == NULL)
		return 0;
	reserve(&t->plain, &t->plainmax, *n + 1 + JSON_QUOTED(*n));
	if ((len = json_text((struct json_value){ e->raw, e->rawlen }, t->plain, *n + 1)) == -1)
		return -1;
	quoted = t->plain + *n + 1;
	*id = quoted + 1;
	*n = (size_t)(json_quote(quoted, t->plain, (size_t)len) - quoted) - 2;
	return 0;
}

/* Make the tags of the id in e->raw. NULL, or what is wrong with it, in `why` if it is put together. */
static const char *
make_tags(struct tagger *t, struct entry *e, char *why, size_t size)
{
	const struct grammar *g = &t->grammar;
	struct grammar_word word[GRAMMAR_TAGS];
	size_t n, need = t->fixed;
	const char *id;
	char *to;

	if (normalize(t, e, &id, &n) == -1)
		return "holds a NUL";
	if (grammar_split(g, id, n, word, why, size) == -1)
		return why;
	for (int i = 0; i < g->ntags; i++)
		need += grammar_length(g, i, word);
	if (need > OUT_LINE_MAX)
		return "gives tags longer than a line may be";
	reserve(&e->text, &e->textmax, need);
	to = e->text;
	for (int i = 0; i < g->ntags; i++) {
		e->at[i] = (uint32_t)(to - e->text);
		*to++ = ',';
		to = json_quote(to, g->tag[i].name, strlen(g->tag[i].name));
		*to++ = ':';
		e->value[i] = (uint32_t)(to - e->text);
		*to++ = '"';
		to = grammar_put(g, i, word, to);
		*to++ = '"';
	}
	e->at[g->ntags] = (uint32_t)(to - e->text);
	return NULL;
}

static uint64_t
hash(const char *p, size_t n)
{
	uint64_t h = n, word;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	for (; n > 0; p++, n--)
		h = (h ^ (unsigned char)*p) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

/* The tags of an id, made now or earlier. NULL, and *why says what is wrong, in `text` if it is put together. */
static const struct entry *
find_tags(struct tagger *t, struct json_value id, const char **why, char *text, size_t size)
{
	struct entry *e = &t->large;

	if (id.n <= CACHED_MAX) {
		uint64_t h = hash(id.p, id.n);
		struct entry *set = t->cache[h & (SETS - 1)];

		for (e = set; e < set + WAYS; e++)
			if (e->hash == h && e->rawlen == id.n && memcmp(e->raw, id.p, id.n) == 0)
				return e;
		e = &set[t->oldest[h & (SETS - 1)]++ % WAYS];
		e->hash = h;
	}
	reserve(&e->raw, &e->rawmax, id.n);
	memcpy(e->raw, id.p, id.n);
	e->rawlen = id.n;
	if ((*why = make_tags(t, e, text, size)) == NULL)
		return e;
	e->rawlen = 0;
	return NULL;
}

/* Which values of the record have to change, in the order in which they stand, and the length of the line when all is done. */
static int
find_patches(const struct tagger *t, const struct entry *e, const struct json_value *tag, struct patch *patch, size_t *len)
{
	int n = 0;

	for (int i = 0; i < t->grammar.ntags; i++) {
		struct patch p = { tag[i], e->text + e->value[i], e->at[i + 1] - e->value[i] };
		int j;

		if (tag[i].p == NULL) {
			*len += e->at[i + 1] - e->at[i];
			continue;
		}
		if (p.n == p.old.n && memcmp(p.new, p.old.p, p.n) == 0)
			continue;
		*len += p.n - p.old.n;
		for (j = n++; j > 0 && patch[j - 1].old.p > p.old.p; j--)
			patch[j] = patch[j - 1];
		patch[j] = p;
	}
	return n;
}

static char *
put(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

/*
 * Write the line with its tags.
 *   tag     where the record has them already
 *   close   the bracket that ends the object they belong to
 */
static int
put_tagged(struct tagger *t, const char *line, size_t len, const struct entry *e, const struct json_value *tag, const char *close)
{
	struct patch patch[GRAMMAR_TAGS];
	const char *end = line + len;
	size_t total = len + 1;
	int n = find_patches(t, e, tag, patch, &total), ntags = t->grammar.ntags;
	char *to;

	if (total > OUT_LINE_MAX)
		return -1;
	to = out_room(&t->out, total);
	for (int i = 0; i < n; i++) {
		to = put(to, line, (size_t)(patch[i].old.p - line));
		to = put(to, patch[i].new, patch[i].n);
		line = patch[i].old.p + patch[i].old.n;
	}
	to = put(to, line, (size_t)(close - line));
	for (int i = 0, from; i < ntags; i++) {
		for (from = i; i < ntags && tag[i].p == NULL; i++)
			continue;
		to = put(to, e->text + e->at[from], e->at[i] - e->at[from]);
	}
	to = put(to, close, (size_t)(end - close));
	*to++ = '\n';
	out_took(&t->out, to);
	return 0;
}

/* Whether the line was written with its tags, or needs none; else it goes out as it is. */
static int
tag_record(struct tagger *t, const char *line, size_t len)
{
	struct json_value value[KEYS], id, *tag = value + KEY_FIRST;
	char text[ERROR_MAX];
	const struct entry *e;
	const char *close = line + len - 1, *why;

	if (json_read(t->top, line, len, value, &why) == -1) {
		refuse(t, "", why);
		return 0;
	}
	while (*close != '}')
		close--;
	if (value[KEY_METRIC].p != NULL && value[KEY_TAGS].p != NULL && *value[KEY_TAGS].p == '{') {
		struct json_value inside = value[KEY_TAGS];

		if (json_read(t->inner, inside.p, inside.n, value + KEY_ID, &why) == -1) {
			refuse(t, "in tags: ", why);
			return 0;
		}
		close = inside.p + inside.n - 1;
	}
	id = value[KEY_ID];
	if (json_is_null(id))
		return 0;
	if (!json_is_string(id)) {
		refuse(t, opts.key, " is no string");
		return 0;
	}
	if ((e = find_tags(t, id, &why, text, sizeof(text))) == NULL) {
		char what[ERROR_MAX + 2];

		(void)snprintf(what, sizeof(what), " %s", why);
		refuse(t, opts.key, what);
		return 0;
	}
	if (put_tagged(t, line, len, e, tag, close) == -1) {
		refuse(t, "", "too long with its tags");
		return 0;
	}
	return 1;
}

static void
load(struct tagger *t)
{
	static const char table[] = "social/ids.tsv";
	const char *key[KEYS] = { [KEY_METRIC] = "metric", [KEY_TAGS] = "tags", [KEY_ID] = opts.key };
	const char *share = getenv("OG_SHARE"), *path = opts.grammar;
	char buf[PATH_SIZE], text[ERROR_MAX];
	const struct grammar *g = &t->grammar;

	if (path == NULL) {
		path = buf;
		(void)snprintf(buf, sizeof(buf), "%s/%s", share == NULL ? OG_SHARE_DIR : share, table);
		if (share != NULL && access(buf, F_OK) == -1)
			(void)snprintf(buf, sizeof(buf), "%s/%s", OG_SHARE_DIR, table);
	}
	if (grammar_load(&t->grammar, path, opts.key, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	for (int i = 0; i < g->ntags; i++) {
		const char *name = g->tag[i].name;

		/* A second place for one of these in the reader would hide the first. */
		if (strcmp(name, "metric") == 0 || strcmp(name, "tags") == 0)
			errx(2, "%s: \"%s\" cannot be the name of a tag", path, name);
		key[KEY_FIRST + i] = name;
		t->fixed += strlen(name) + strlen(",\"\":\"\"");
	}
	t->top = json_reader(key, KEY_FIRST + g->ntags);
	t->inner = json_reader(key + KEY_ID, KEY_FIRST - KEY_ID + g->ntags);
	if (t->top == NULL || t->inner == NULL)
		err(1, NULL);
}

static _Noreturn void
usage(int status)
{
	say_usage("usage: og-tags [-g file] [-k key]\n", HELP_OG_TAGS, status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "grammar", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ "key", required_argument, NULL, 'k' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "g:hk:V", longopts, NULL)) != -1) {
		switch (ch) {
		case 'g':
			opts.grammar = optarg;
			break;
		case 'h':
			usage(0);
		case 'k':
			opts.key = optarg;
			break;
		case 'V':
			say_version("og-tags");
		default:
			usage(2);
		}
	}
	if (argc > optind)
		usage(2);
}

int
main(int argc, char *argv[])
{
	static struct tagger t;
	enum rec_status status;
	size_t len;
	char *line;

	parse(argc, argv);
	load(&t);
	if (out_open(&t.out, STDOUT_FILENO, 0) == -1 || rec_open(&t.in, STDIN_FILENO, "<stdin>", &t.out, 0) == -1)
		err(1, NULL);
	while ((status = rec_next(&t.in, &line, &len)) > REC_END) {
		if (status == REC_LONG)
			refuse(&t, "", "line too long");
		else if (!tag_record(&t, line, len)) {
			line[len] = '\n';
			out_put(&t.out, line, len + 1);
		}
	}
	if (status == REC_ERROR && t.out.err == 0) {
		warn("%s", t.in.name);
		t.bad = 1;
	}
	if (out_close(&t.out) == -1)
		err(1, "<stdout>");
	return t.bad;
}
