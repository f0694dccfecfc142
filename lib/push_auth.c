/*
 * Who we are to the server, and keeping that out of all that is shown. The files are read again when it is not accepted any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "json.h"
#include "push_impl.h"

#define FILE_MAX 65536
#define PART_MIN 6   /* of the parts of a value */
#define SECRET_MIN 4 /* shorter values would take the words out of messages */

/* Headers that frame the body are libcurl's. */
static const char *const ours[] = { "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "expect" };

/* RFC 4648, section 4 */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
read_file(const struct push *p, const char *name, struct buf *b)
{
	/* The first time a pipe may be waited for; later signals are not seen here. */
	int fd = open(name, O_RDONLY | O_CLOEXEC | (p->signals == -1 ? 0 : O_NONBLOCK));
	ssize_t got = -1;
	char *to;

	b->n = 0;
	while (fd != -1 && (to = buf_room(b, FILE_MAX)) != NULL && (got = read(fd, to, FILE_MAX - 1)) > 0 && b->n < FILE_MAX)
		b->n += (size_t)got;
	if (fd != -1)
		(void)close(fd);
	return fd == -1 || got != 0 ? -1 : buf_put(b, "", 1); /* not to its end: too long */
}

/* The longest ones come first: a shorter one may be a part of them. */
static int
put_secret(struct push *p, const char *s)
{
	size_t n = strlen(s) + 1, at = 0;

	for (; at < p->secrets.n && strlen(p->secrets.p + at) + 1 >= n; at += strlen(p->secrets.p + at) + 1)
		if (strcmp(p->secrets.p + at, s) == 0)
			return 0;
	if (buf_room(&p->secrets, n) == NULL)
		return -1;
	memmove(p->secrets.p + at + n, p->secrets.p + at, p->secrets.n - at);
	memcpy(p->secrets.p + at, s, n);
	p->secrets.n += n;
	return 0;
}

/* And as it stands in JSON, in which a server may repeat it. */
static int
keep_secret(struct push *p, const char *s)
{
	size_t n = strlen(s);
	char *quoted;
	int failed;

	if (n < SECRET_MIN)
		return 0;
	if (strpbrk(s, "\"\\") == NULL)
		return put_secret(p, s);
	if ((quoted = malloc(JSON_QUOTED(n) + 1)) == NULL)
		return -1;
	json_quote(quoted, s, n)[-1] = '\0';
	failed = put_secret(p, s) == -1 || put_secret(p, quoted + 1) == -1;
	explicit_bzero(quoted, strlen(quoted + 1) + 1);
	free(quoted);
	return failed ? -1 : 0;
}

static int
add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return -1;
	*list = longer;
	return 0;
}

static int
is_ours(const char *line)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strncasecmp(line, ours[i], strlen(ours[i])) == 0 && line[strlen(ours[i])] == ':')
			return 1;
	return 0;
}

/* Of "Bearer TOKEN" or "a=b; session=TOKEN" the token alone is a secret, too. */
static int
keep_parts(struct push *p, const char *value)
{
	char *copy = strdup(value), *at = copy, *part;
	int failed = copy == NULL;

	while (!failed && (part = strsep(&at, " =;,")) != NULL)
		failed = strlen(part) >= PART_MIN && keep_secret(p, part) == -1;
	free(copy);
	return failed ? -1 : 0;
}

/* Of "Basic dXNlcjprZXk=" what it stands for: RFC 7617. */
static int
keep_decoded(struct push *p, const char *value)
{
	char *text, *colon;
	size_t n = 0;
	uint32_t bits = 0;
	int failed;

	if (strncasecmp(value, "Basic ", 6) != 0)
		return 0;
	value += 6 + strspn(value + 6, " ");
	if ((text = malloc(strlen(value) + 1)) == NULL)
		return -1;
	for (size_t i = 0; value[i] != '\0'; i++) {
		const char *digit = strchr(digits, value[i]);

		if (digit == NULL)
			break;
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (i % 4 != 0)
			text[n++] = (char)(bits >> (6 - i % 4 * 2) & 0xff);
	}
	text[n] = '\0';
	colon = strchr(text, ':');
	failed = keep_secret(p, text) == -1 || (colon != NULL && keep_secret(p, colon + 1) == -1);
	explicit_bzero(text, n);
	free(text);
	return failed ? -1 : 0;
}

/* "Name: value". libcurl would take a line without a value for a header to leave out. */
static const char *
add_line(struct push *p, const char *line, struct curl_slist **batch, struct curl_slist **get)
{
	size_t name = strcspn(line, ": \t");
	const char *value = line + name + 1;

	if (name == 0 || line[name] != ':')
		return "the file of headers has a line that is no \"Name: value\"";
	value += strspn(value, " \t");
	if (*value == '\0' || line[strcspn(line, "\x01\x02\x03\x04\x05\x06\x07\b\v\f\r\x1b\x7f")] != '\0')
		return "the file of headers has a line that is no \"Name: value\"";
	if (is_ours(line))
		return "the file of headers has one that is not to be set";
	if (add(batch, line) == -1 || add(get, line) == -1 || keep_secret(p, value) == -1)
		return "no memory";
	return keep_parts(p, value) == 0 && keep_decoded(p, value) == 0 ? NULL : "no memory";
}

static const char *
read_headers(struct push *p, struct curl_slist **batch, struct curl_slist **get)
{
	struct buf b = { 0 };
	char *at, *line;
	const char *why = NULL;

	if (read_file(p, p->set->headers, &b) == -1 || strlen(b.p) + 1 != b.n)
		why = "the file of headers cannot be read";
	for (at = b.p; why == NULL && (line = strsep(&at, "\n")) != NULL;) {
		line[strcspn(line, "\r")] = '\0';
		if (*line != '\0')
			why = add_line(p, line, batch, get);
	}
	if (b.p != NULL)
		explicit_bzero(b.p, b.size);
	buf_free(&b);
	return why;
}

/* As it stands in the header, which a server may repeat, too. */
static int
keep_basic(struct push *p, const char *user, const char *key)
{
	struct buf from = { 0 }, to = { 0 };
	int failed = buf_puts(&from, user) == -1 || buf_puts(&from, ":") == -1 || buf_puts(&from, key) == -1;
	size_t n = from.n;

	failed = failed || buf_put(&from, "\0\0", 3) == -1;
	for (size_t i = 0; i < n && !failed; i += 3) {
		const unsigned char *b = (const unsigned char *)from.p + i;
		const char four[] = { digits[b[0] >> 2], digits[(b[0] & 3) << 4 | b[1] >> 4], digits[(b[1] & 15) << 2 | b[2] >> 6],
			digits[b[2] & 63] };

		/* What stands for less than three bytes ends sooner; the padding is no secret. */
		failed = buf_put(&to, four, n - i < 3 ? n - i + 1 : 4) == -1;
	}
	failed = failed || buf_put(&to, "", 1) == -1 || keep_secret(p, to.p) == -1;
	if (from.p != NULL)
		explicit_bzero(from.p, from.size);
	if (to.p != NULL)
		explicit_bzero(to.p, to.size);
	buf_free(&from);
	buf_free(&to);
	return failed ? -1 : 0;
}

static int
set_credentials(struct push *p, const char *user, const char *key)
{
	char *u = strdup(user), *k = strdup(key);

	if (u == NULL || k == NULL || keep_secret(p, key) == -1 || keep_basic(p, user, key) == -1) {
		free(u);
		free(k);
		return -1;
	}
	free(p->credentials[0]);
	free(p->credentials[1]);
	p->credentials[0] = u;
	p->credentials[1] = k;
	return 0;
}

static const char *
read_password(struct push *p)
{
	struct buf b = { 0 };
	const char *why = NULL;
	char *colon;

	if (read_file(p, p->set->password, &b) == -1)
		why = "the password file cannot be read";
	else {
		b.p[strcspn(b.p, "\r\n")] = '\0';
		if ((colon = strchr(b.p, ':')) == NULL)
			why = "the password file has no \"user:password\" in its first line";
		else {
			*colon = '\0';
			if (set_credentials(p, b.p, colon + 1) == -1)
				why = "no memory";
		}
	}
	if (b.p != NULL)
		explicit_bzero(b.p, b.size);
	buf_free(&b);
	return why;
}

static int
is_same(const struct curl_slist *a, const struct curl_slist *b)
{
	for (; a != NULL && b != NULL && strcmp(a->data, b->data) == 0; a = a->next)
		b = b->next;
	return a == NULL && b == NULL;
}

/* The lists that requests use now are kept until the end. */
static int
retire(struct push *p)
{
	struct curl_slist **old = reallocarray(p->old, p->nold + 2, sizeof(struct curl_slist *));

	if (old == NULL)
		return -1;
	p->old = old;
	p->old[p->nold++] = p->headers;
	p->old[p->nold++] = p->plain_headers;
	return 0;
}

static const char *
read_all(struct push *p)
{
	struct curl_slist *batch = NULL, *get = NULL;
	char type[256];
	const char *why = NULL;

	(void)snprintf(type, sizeof(type), "Content-Type: %s", p->set->type);
	/* Without "Expect:" libcurl waits a second for servers that never say 100. */
	if (add(&batch, type) == -1 || add(&batch, "Expect:") == -1)
		why = "no memory";
	if (why == NULL && p->set->pack != PACK_NONE) {
		(void)snprintf(type, sizeof(type), "Content-Encoding: %s", pack_name(p->set->pack));
		why = add(&batch, type) == -1 ? "no memory" : NULL;
	}
	for (size_t i = 0; why == NULL && p->set->header != NULL && p->set->header[i] != NULL; i++)
		why = add(&batch, p->set->header[i]) == -1 || add(&get, p->set->header[i]) == -1 ? "no memory" : NULL;
	if (why == NULL && p->set->headers != NULL)
		why = read_headers(p, &batch, &get);
	if (why == NULL && p->set->password != NULL)
		why = read_password(p);
	/* Mostly they are as they were. */
	if (why == NULL && p->headers != NULL && is_same(batch, p->headers) && is_same(get, p->plain_headers)) {
		curl_slist_free_all(batch);
		curl_slist_free_all(get);
		return NULL;
	}
	if (why == NULL && retire(p) == -1)
		why = "no memory";
	if (why != NULL) {
		curl_slist_free_all(batch);
		curl_slist_free_all(get);
		return why;
	}
	p->headers = batch;
	p->plain_headers = get;
	return NULL;
}

int
push_auth_open(struct push *p)
{
	const char *why;

	if (p->set->user != NULL && p->set->key != NULL && set_credentials(p, p->set->user, p->set->key) == -1)
		return -1;
	if (p->set->secret != NULL) {
		char *copy = strdup(p->set->secret), *at = copy, *word;

		while (copy != NULL && (word = strsep(&at, "&")) != NULL) {
			char *value = strchr(word, '=') == NULL ? word : strchr(word, '=') + 1,
			     *plain = curl_easy_unescape(NULL, value, 0, NULL);
			int failed = keep_secret(p, value) == -1 || plain == NULL || keep_secret(p, plain) == -1;

			curl_free(plain);
			if (failed)
				break;
		}
		free(copy);
	}
	/* Never a NULL, for loops over them. */
	if (buf_room(&p->secrets, 1) == NULL)
		return -1;
	return (why = read_all(p)) == NULL ? 0 : push_wrong(p, "-H, -P", why);
}

void
push_auth_again(struct push *p)
{
	const char *why;

	if ((p->set->headers == NULL && p->set->password == NULL) || push_now() < p->reread)
		return;
	p->reread = push_now() + 1000;
	if ((why = read_all(p)) != NULL)
		p->user->note(p->user->arg, why);
}

/* What a server says may hold what it was told. */
void
push_auth_mask(const struct push *p, char *why)
{
	const char *end = p->secrets.p + p->secrets.n;
	char *at;

	if (p->secrets.n == 0)
		return;
	for (const char *s = p->secrets.p; s < end; s += strlen(s) + 1)
		while ((at = strstr(why, s)) != NULL) {
			size_t n = strlen(s);

			memcpy(at, "***", 3);
			memmove(at + 3, at + n, strlen(at + n) + 1);
		}
}

void
push_clean(char *s)
{
	unsigned char before = 0;

	for (; *s != '\0'; before = (unsigned char)*s++) {
		unsigned char c = (unsigned char)*s, next = (unsigned char)s[1];

		if (c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0 && before < 0x80))
			*s = ' ';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0) /* U+0080 to U+009F */
			s[0] = s[1] = ' ';
	}
}

void
push_auth_hide(const struct push *p, char *text, size_t len)
{
	const char *end = p->secrets.p + p->secrets.n;
	char *at;

	if (p->secrets.n == 0)
		return;
	for (const char *s = p->secrets.p; s < end; s += strlen(s) + 1)
		for (char *from = text; (at = memmem(from, len - (size_t)(from - text), s, strlen(s))) != NULL; from = at)
			memset(at, '*', strlen(s));
}

void
push_auth_cut(const struct push *p, const char *text, size_t len, char *to, size_t size)
{
	const char *end = p->secrets.p + p->secrets.n;
	char room[4 * PUSH_WHY];
	size_t most = sizeof(room) - 1, n = len < most ? len : most, longest = 0;

	for (const char *s = p->secrets.p; p->secrets.n > 0 && s < end; s += strlen(s) + 1)
		longest = strlen(s) > longest ? strlen(s) : longest;
	memcpy(room, text, n);
	room[n] = '\0';
	push_auth_mask(p, room);
	/* The copy may end inside a secret. */
	if (len > most && longest > 0)
		room[strlen(room) > longest ? strlen(room) - longest : 0] = '\0';
	(void)snprintf(to, size, "%s", room);
}

void
push_auth_close(struct push *p)
{
	for (size_t i = 0; i < p->nold; i++)
		curl_slist_free_all(p->old[i]);
	free(p->old);
	curl_slist_free_all(p->headers);
	curl_slist_free_all(p->plain_headers);
	for (int i = 0; i < 2; i++) {
		if (p->credentials[i] != NULL)
			explicit_bzero(p->credentials[i], strlen(p->credentials[i]));
		free(p->credentials[i]);
	}
	if (p->secrets.p != NULL)
		explicit_bzero(p->secrets.p, p->secrets.size);
	buf_free(&p->secrets);
}
