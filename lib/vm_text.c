/* Prometheus' text format: what stands in a line, and the same as members of a JSON object. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "vm_impl.h"

#define LABELS_MAX 1024
#define EXEMPLAR '#'

struct span {
	const char *p;
	size_t n;
};

/* A line while it is read. */
struct text {
	const char *p, *end;
	char *to; /* in the key, which has room for all of it */
	int labels, left_out;
	struct span name[LABELS_MAX];
};

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static const char *
skip_name(const char *p, const char *end)
{
	while (p < end && ((unsigned)(*p | 0x20) - 'a' < 26 || (unsigned)*p - '0' < 10 || *p == '_' || *p == ':'))
		p++;
	return p;
}

#define EACH 0x0101010101010101ULL

/* Where the first quote, backslash or control character from p on is, or the end. */
static const char *
skip_plain(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t w, quote, escape, found;

		memcpy(&w, p, 8);
		w = le64toh(w);
		quote = w ^ EACH * '"';
		escape = w ^ EACH * '\\';
		/* Wrong only above a byte that is right: only the lowest counts. */
		found = (((quote - EACH) & ~quote) | ((escape - EACH) & ~escape) | ((w - EACH * 0x20) & ~w)) & EACH * 0x80;
		if (found != 0)
			return p + __builtin_ctzll(found) / 8;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

/* The text of a label, whose first byte is at t->p, as a JSON string. NULL, or what is wrong. */
static const char *
copy_value(struct text *t)
{
	static const char hex[] = "0123456789abcdef";
	const char *p = t->p;
	char *to = t->to;

	*to++ = '"';
	for (;;) {
		const char *from = p;

		p = skip_plain(p, t->end);
		memcpy(to, from, (size_t)(p - from));
		to += p - from;
		if (p == t->end)
			return "labels that do not end";
		if (*p == '"')
			break;
		if (*p == '\\') {
			if (p + 1 == t->end || (p[1] != '\\' && p[1] != '"' && p[1] != 'n'))
				return "an escape other than \\\\, \\\" and \\n";
			memcpy(to, p, 2);
			to += 2;
			p += 2;
		} else {
			memcpy(to, "\\u00", 4);
			to[4] = hex[(unsigned char)*p >> 4];
			to[5] = hex[*p & 15];
			to += 6;
			p++;
		}
	}
	*to++ = '"';
	t->to = to;
	t->p = p + 1;
	return NULL;
}

/* `name="text"`, t->p at the name. */
static const char *
copy_label(struct vm *v, struct text *t)
{
	const char *name = t->p, *behind = skip_name(name, t->end), *p = skip_blanks(behind, t->end), *why;
	size_t n = (size_t)(behind - name);
	char *at = t->to, *text;

	if (p == t->end || *p != '=' || !vm_is_name(name, n, 0))
		return "not a label such as name=\"value\"";
	p = skip_blanks(p + 1, t->end);
	if (p == t->end || *p != '"')
		return "not a label such as name=\"value\"";
	for (int i = 0; i < t->labels; i++)
		if (t->name[i].n == n && memcmp(t->name[i].p, name, n) == 0)
			return "a label twice";
	if (t->labels == LABELS_MAX)
		return "more labels than the server keeps";
	if (n == 8 && memcmp(name, "__name__", 8) == 0)
		return "a label __name__";
	t->name[t->labels++] = (struct span){ name, n };
	*at = '"';
	memcpy(at + 1, name, n);
	memcpy(at + 1 + n, "\":", 2);
	t->to = text = at + n + 3;
	t->p = p + 1;
	if ((why = copy_value(t)) != NULL || (why = vm_too_long(v, n, (struct json_value){ text, (size_t)(t->to - text) })) != NULL)
		return why;
	*t->to++ = ',';
	if (t->to - text == 3) {
		t->to = at;
		t->left_out++;
	}
	t->left_out += vm_is_extra(v, name, n) && t->to != at;
	return NULL;
}

/* Labels in braces, t->p behind the opening one. */
static const char *
copy_labels(struct vm *v, struct text *t)
{
	const char *why;

	for (;;) {
		t->p = skip_blanks(t->p, t->end);
		if (t->p < t->end && *t->p == '}')
			break;
		if ((why = copy_label(v, t)) != NULL)
			return why;
		t->p = skip_blanks(t->p, t->end);
		if (t->p == t->end || (*t->p != ',' && *t->p != '}'))
			return "labels that do not end";
		if (*t->p == ',')
			t->p++;
	}
	t->p++;
	return vm_too_many(v, t->labels - t->left_out + v->nextra + 1);
}

/* The next word; of length 0 at the end. */
static struct span
next_word(struct text *t)
{
	struct span word = { skip_blanks(t->p, t->end), 0 };

	while (word.p + word.n < t->end && word.p[word.n] != ' ' && word.p[word.n] != '\t' && word.p[word.n] != '\r')
		word.n++;
	t->p = word.p + word.n;
	return word;
}

static int
is_word(struct span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* A value as JSON has it, in `plain` if it has to be written anew. NULL, or what is wrong. */
static const char *
read_value(const struct vm *v, struct span *x, char plain[64])
{
	struct span s = *x;
	int minus = s.n > 0 && s.p[0] == '-';

	if (vm_is_number(s.p, s.n))
		return NULL;
	if (s.n > 0 && (minus || s.p[0] == '+')) {
		s.p++;
		s.n--;
	}
	if (is_word(s, "NaN"))
		return "value is NaN, which is not stored";
	if (is_word(s, "Inf") || is_word(s, "Infinity")) {
		*x = minus ? (struct span){ "\"-Infinity\"", 11 } : (struct span){ "\"Infinity\"", 10 };
		return v->infinite ? NULL : "value is infinite, which this server does not store";
	}
	/* ".5", "5." and "05" are no numbers in JSON. */
	if (s.n > 0 && s.n < 32 && s.p[s.n - 1] != '.') {
		size_t n = 0;

		for (; s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9'; s.n--)
			s.p++;
		if (minus)
			plain[n++] = '-';
		if (s.p[0] == '.')
			plain[n++] = '0';
		memcpy(plain + n, s.p, s.n);
		*x = (struct span){ plain, n + s.n };
		if (s.p[0] != '-' && vm_is_number(x->p, x->n))
			return NULL;
	}
	return "value is not a number";
}

/* Milliseconds; or seconds, if they are few or have decimals, as OpenMetrics writes them. */
static int
read_time(struct span s, struct vm_time *t)
{
	if (s.n < 12 || memchr(s.p, '.', s.n) != NULL)
		return vm_seconds(s.p, s.n, t);
	if (vm_whole(s.p, s.n, &t->ms) == -1)
		return -1;
	memcpy(t->digit, s.p, s.n);
	t->n = s.n;
	return 0;
}

/* What stands behind the labels. */
static int
read_sample(struct vm *v, struct text *t, struct buf *form)
{
	struct span value = next_word(t), time = next_word(t), rest;
	char plain[64];
	struct vm_time at;
	const char *why;

	if (value.n == 0)
		return vm_refuse(v, "no value");
	if ((why = read_value(v, &value, plain)) != NULL)
		return vm_refuse(v, why);
	if (time.n == 0 || *time.p == EXEMPLAR)
		return vm_refuse(v, "no time");
	if (read_time(time, &at) == -1)
		return vm_refuse(v, "time is not a number of milliseconds since 1970");
	if ((why = vm_bad_time(v, at.ms)) != NULL)
		return vm_refuse(v, why);
	rest = next_word(t);
	if (rest.n > 0 && *rest.p != EXEMPLAR)
		return vm_refuse(v, "text behind the time");
	return vm_put_form(v, form, &at, value.p, value.n);
}

int
vm_read_text(struct vm *v, const char *line, size_t len, struct buf *form)
{
	struct text t;
	const char *name, *why;
	size_t n;

	t.end = line + len;
	name = skip_blanks(line, t.end);
	v->key.n = v->nlabels = 0;
	v->samples = 0;
	if (name == t.end || *name == '#')
		return 0;
	if (!utf8_valid(line, len))
		return vm_refuse(v, "invalid UTF-8");
	t.p = skip_name(name, t.end);
	n = (size_t)(t.p - name);
	if (!vm_is_name(name, n, 1))
		return vm_refuse(v, "no name of a metric");
	if (n > v->value)
		return vm_refuse(v, "the name of the metric is longer than the server keeps");
	t.labels = t.left_out = 0;
	/* A control character becomes six bytes; a label, four more than it had. */
	if ((t.to = buf_room(&v->key, len * 6 + 32)) == NULL)
		return vm_refuse(v, strerror(errno));
	t.p = skip_blanks(t.p, t.end);
	if (t.p < t.end && *t.p == '{') {
		t.p++;
		if ((why = copy_labels(v, &t)) != NULL)
			return vm_refuse(v, why);
	} else if (t.p == name + n && t.p < t.end)
		return vm_refuse(v, "no name of a metric");
	v->nlabels = (size_t)(t.to - v->key.p);
	if (v->nlabels + n > VM_SERIES)
		return vm_refuse(v, "a series of more than 32000 bytes");
	return vm_put_name(v, name, n) == -1 ? -1 : read_sample(v, &t, form);
}
