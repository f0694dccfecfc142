/*
 * faultd: an HTTP server on loopback that fails as it is told
 *
 *	faultd [-ePOwY] [-d ms] [-E forms] [-F vl|vm|ch|api] [-f page] [-i ms] [-l stored] [-m bytes] [-o requests] [-p port]
 *	       [-r requests] [-s script] [-U file] [-u user:password] [-V version] [-W ms] [-X file] [-x poison]
 *
 * It prints its port and serves until it is killed. GET is answered with the file `page` (404 without one); /metrics says behind that
 * when the server was started: a minute ago, or with -Y now (with -F also without a file; all times are then kept). A POST to a URL without
 * a query is a probe: it is answered with success, or as the script says with -P. Any other POST is a load. Loads take the lines of the
 * script in the order in which their heads come in, each line words between blanks:
 *
 *	200 204 503 ...   status; that of success when the line has none, and when the script is at its end
 *	name:value        a header of the answer; + stands for a blank
 *	body=text         likewise
 *	delay=ms          before the answer
 *	trickle=ms        before each byte of the answer
 *	drop=n            close after n bytes of the request's body, without an answer
 *	rdrop=n           the same, with RST
 *	hang hang=ms      read the body, never answer; close after so many ms
 *	early             answer without reading the body, and close
 *	no100             417 for a request that expects 100-continue
 *	cut=n             close after n bytes of the answer
 *	store             keep the records although the answer is no 2xx, or none, if the whole body was read
 *	swallow           keep no record although the answer says success
 *	partial=n         keep the first n records, then close without an answer
 *	restart restart=ms  as a server that is killed in mid-request: forget what was stored in the last -W ms (default 10000), close all
 *	                  connections, refuse others for so many ms, and begin with this second; SIGHUP does the same
 *	until=name:value  the line stays until a request has this header, which is then a success
 *	html              200 and a page
 *	open              an answer without a length, ended by closing
 *	nolength          an answer without a length that does not end
 *	chunked           an answer in chunks, not ended when cut
 *	close             say so and close behind the answer
 *	reset             close with RST
 *	noise             the banner of another protocol as the answer, and close
 *	endless           a head of 400 KB without an end, and close
 *
 * Before that: more than -m bytes are answered 413, a body that holds one of the strings -x, or of the lines of -X, 400, or with -w its
 * records that do are swallowed. With -d a load takes so long; with -o n, so many at once are served, others get 503, or with -O success
 * without being stored. With -u or -U (a file of user:password lines, read at each request) the others get 401. With -i a connection
 * that is idle so long is closed.
 *
 * -F says what success looks like: vl (VictoriaLogs, -V 1.26.0) 204, 200 for jsonline, and the question of og-vlpush -y; vm
 * (VictoriaMetrics, -V 1.120.0) 204, with counters on /metrics; ch (ClickHouse, -V 24.3.1.1) 200 with its headers, /ping, `select
 * version()`, refusals in its words with the row's number, and insert_deduplication_token. Loads are then told by their paths or
 * queries, and bodies are decoded: -E says what is known (default gzip,zstd), others are answered 400, or with -e swallowed. api is what
 * api.h says: all that is no GET is a load, what is refused is refused in its words; -V words, -V pages.
 *
 * Bodies that were stored are appended to `stored`, each from the start of a line with -F; `requests` gets a line for each request:
 * method, target, bytes, status, type, encoding, number of the connection; with -F also the loads that were under way with it, itself
 * included, and the ms since faultd was started. Status 0 stands for no answer.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "api.h"
#include "buf.h"

#define HEAD_MAX 16384
#define BODY_MAX (64 * 1024 * 1024)
#define POISONS 4096
#define FOREVER INT_MAX
#define NOTHING SIZE_MAX /* no such limit */

enum flavour { PLAIN, VL, VM, CH, API };

/* How the records of a body are told apart. */
enum form { LINES, LOKI };

struct act {
	int status; /* 0: success */
	int drop, cut, partial, hang, restart;
	int store, swallow, open, nolength, chunked, close, reset, early, no100, noise, endless;
	long delay, trickle;
	char headers[512], body[1024];
};

/* A batch that was stored. */
struct entry {
	off_t at;
	int64_t when;
	size_t rows;
	char *token;
};

struct conn {
	struct server *server;
	struct conn *next, **back;
	int fd, number;
	int start; /* of the server, when the request came */
};

struct server {
	pthread_mutex_t lock;
	FILE *script, *stored, *requests;
	const char *store;
	const char *poison[POISONS];
	int npoison, swallow;
	const char *page, *user, *users, *version, *forms;
	int foreign; /* forms that are not known are swallowed */
	size_t most;
	int probes; /* take lines of the script, too */
	enum flavour flavour;
	long takes, window;
	int places, busy, silent; /* loads at once: at most, now; others are swallowed */
	struct act held;          /* a line of the script that stays */
	char until[256];
	struct entry *entry;
	size_t entries, room, rows;
	size_t samples, invalid; /* since the last start */
	struct conn *conns;
	struct api api;
	int starts;
	time_t started;
	int before; /* seconds that it says to have lived before `born` */
	int listener;
	int64_t down;        /* until then */
	int64_t began, born; /* first and last start */
	int idle;            /* ms */
};

struct request {
	char head[HEAD_MAX + 1];
	size_t nhead, nhave; /* bytes of head; bytes read, those behind it included */
	char method[16], target[4096], type[128], encoding[64];
	size_t length;
	struct buf body;
	char query[4096], token[256];
	enum form form;
	int heads; /* lines before the first record */
	int busy;  /* loads under way when it came */
};

static int
number(const char *text, int most)
{
	const char *errstr;
	int n = (int)strtonum(text, 0, most, &errstr);

	if (errstr != NULL)
		errx(2, "%s: %s", text, errstr);
	return n;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
pause_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	if (ms > 0)
		(void)nanosleep(&t, NULL);
}

static const struct act blank = { .drop = -1, .cut = -1, .partial = -1, .hang = -1, .restart = -1 };

/* A word that is a name. 1, or 0. */
static int
parse_name(struct act *a, const char *word)
{
	const struct {
		const char *name;
		int *to, value;
	} names[] = { { "store", &a->store, 1 }, { "swallow", &a->swallow, 1 }, { "open", &a->open, 1 }, { "nolength", &a->nolength, 1 },
		{ "chunked", &a->chunked, 1 }, { "close", &a->close, 1 }, { "reset", &a->reset, 1 }, { "early", &a->early, 1 },
		{ "no100", &a->no100, 1 }, { "noise", &a->noise, 1 }, { "endless", &a->endless, 1 }, { "hang", &a->hang, FOREVER },
		{ "restart", &a->restart, 0 } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(word, names[i].name) == 0) {
			*names[i].to = names[i].value;
			return 1;
		}
	}
	return 0;
}

/* A word with a number. 1, or 0. */
static int
parse_number(struct act *a, const char *word)
{
	const char *value = strchr(word, '=');
	const struct {
		const char *name;
		int *to;
	} names[] = { { "drop", &a->drop }, { "rdrop", &a->drop }, { "cut", &a->cut }, { "partial", &a->partial }, { "hang", &a->hang },
		{ "restart", &a->restart } };

	if (value == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i].name) == (size_t)(value - word) && strncmp(word, names[i].name, (size_t)(value - word)) == 0) {
			*names[i].to = number(value + 1, BODY_MAX);
			a->reset |= *word == 'r' && word[1] == 'd';
			return 1;
		}
	}
	return 0;
}

static void
blanks(char *p)
{
	for (; *p != '\0'; p++)
		if (*p == '+')
			*p = ' ';
}

static void
parse_word(struct server *s, struct act *a, const char *word)
{
	size_t n = strlen(a->headers);

	if (*word >= '1' && *word <= '9')
		a->status = number(word, 999);
	else if (strncmp(word, "body=", 5) == 0) {
		(void)snprintf(a->body, sizeof(a->body), "%s", word + 5);
		blanks(a->body);
	} else if (strcmp(word, "html") == 0) {
		a->status = 200;
		(void)snprintf(a->headers + n, sizeof(a->headers) - n, "Content-Type: text/html\r\n");
		(void)snprintf(a->body, sizeof(a->body), "<!DOCTYPE html><html><body>Welcome</body></html>\n");
	} else if (strncmp(word, "delay=", 6) == 0)
		a->delay = number(word + 6, 60000);
	else if (strncmp(word, "trickle=", 8) == 0)
		a->trickle = number(word + 8, 60000);
	else if (strncmp(word, "until=", 6) == 0)
		(void)snprintf(s->until, sizeof(s->until), "%s", word + 6);
	else if (parse_name(a, word) || parse_number(a, word))
		return;
	else if (strchr(word, ':') != NULL) {
		(void)snprintf(a->headers + n, sizeof(a->headers) - n, "%s\r\n", word);
		blanks(a->headers + n);
	} else
		errx(1, "script: %s", word);
}

static void
header(const struct request *q, const char *name, char *to, size_t size)
{
	const char *line = q->head;
	size_t n = strlen(name);

	*to = '\0';
	while ((line = strstr(line, "\r\n")) != NULL && *(line += 2) != '\r') {
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			line += n + 1;
			line += strspn(line, " ");
			(void)snprintf(to, size, "%.*s", (int)strcspn(line, "\r"), line);
			return;
		}
	}
}

/* Does the request bring what the script waits for? */
static int
brought(const struct request *q, const char *until)
{
	char name[256], value[256];
	size_t n = strcspn(until, ":");

	(void)snprintf(name, sizeof(name), "%.*s", (int)n, until);
	header(q, name, value, sizeof(value));
	return strcmp(value, until + n + (until[n] == ':')) == 0;
}

/* The lock is held. */
static struct act
next_act(struct server *s, const struct request *q)
{
	struct act a = blank;
	char line[1024], *at = line, *word;

	if (*s->until != '\0') {
		if (!brought(q, s->until))
			return s->held;
		*s->until = '\0';
		return a;
	}
	if (s->script == NULL || fgets(line, sizeof(line), s->script) == NULL)
		return a;
	while ((word = strsep(&at, " \n")) != NULL)
		if (*word != '\0')
			parse_word(s, &a, word);
	if (*s->until != '\0') {
		s->held = a;
		return next_act(s, q);
	}
	return a;
}

/* The value of a parameter in the target, decoded. 1 when there is one. */
static int
parameter(const char *target, const char *name, char *to, size_t size)
{
	const char *p = strchr(target, '?');
	size_t n = strlen(name), len = 0;
	char byte[3] = "";

	*to = '\0';
	while (p != NULL && (strncmp(p + 1, name, n) != 0 || p[1 + n] != '='))
		p = strchr(p + 1, '&');
	if (p == NULL)
		return 0;
	for (p += n + 2; *p != '\0' && *p != '&' && len + 1 < size; p++) {
		to[len] = *p == '+' ? ' ' : *p;
		if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
			memcpy(byte, p + 1, 2);
			to[len] = (char)strtoul(byte, NULL, 16);
			p += 2;
		}
		len++;
	}
	to[len] = '\0';
	return 1;
}

/* 0, or -1 when the peer has closed or does not speak HTTP: TLS is told so in plain text, as servers do. */
static int
read_head(int fd, struct request *q)
{
	char *end, length[32];

	q->nhave = 0;
	for (;;) {
		ssize_t got = read(fd, q->head + q->nhave, HEAD_MAX - q->nhave);

		if (got <= 0)
			return -1;
		q->nhave += (size_t)got;
		if (q->head[0] < 'A') {
			(void)!write(fd, "HTTP/1.0 400 Bad Request\r\n\r\n", 28);
			return -1;
		}
		q->head[q->nhave] = '\0';
		if ((end = strstr(q->head, "\r\n\r\n")) != NULL)
			break;
	}
	q->nhead = (size_t)(end + 4 - q->head);
	if (sscanf(q->head, "%15s %4095s", q->method, q->target) != 2)
		return -1;
	header(q, "Content-Length", length, sizeof(length));
	header(q, "Content-Type", q->type, sizeof(q->type));
	header(q, "Content-Encoding", q->encoding, sizeof(q->encoding));
	q->length = strtoul(length, NULL, 10);
	q->form = strstr(q->target, "/loki/") != NULL ? LOKI : LINES;
	(void)parameter(q->target, "query", q->query, sizeof(q->query));
	(void)parameter(q->target, "insert_deduplication_token", q->token, sizeof(q->token));
	q->heads = strcasestr(q->query, "WithNamesAndTypes") != NULL ? 2 : strcasestr(q->query, "WithNames") != NULL ? 1 : 0;
	return q->length > BODY_MAX ? -1 : 0;
}

/* Up to `most` bytes of the body. 0, or -1. */
static int
read_body(int fd, struct request *q, size_t most)
{
	struct buf *b = &q->body;

	b->n = 0;
	if (buf_room(b, q->length + 1) == NULL || buf_put(b, q->head + q->nhead, q->nhave - q->nhead) == -1)
		err(1, NULL);
	while (b->n < q->length && b->n < most) {
		size_t want = (most < q->length ? most : q->length) - b->n;
		ssize_t got = read(fd, b->p + b->n, want);

		if (got <= 0)
			return -1;
		b->n += (size_t)got;
	}
	b->p[b->n] = '\0';
	return 0;
}

static void
grow(struct buf *to, size_t n)
{
	if (buf_room(to, n) == NULL)
		err(1, NULL);
}

/* Members of gzip one after the other. 0, or -1 when they are damaged or cut off. */
static int
gunzip(const struct buf *from, struct buf *to)
{
	z_stream z = { .next_in = (unsigned char *)from->p, .avail_in = (unsigned)from->n };
	int state = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		err(1, NULL);
	while (z.avail_in > 0 && to->n < BODY_MAX) {
		grow(to, 262145);
		z.next_out = (unsigned char *)to->p + to->n;
		z.avail_out = 262144;
		state = inflate(&z, Z_NO_FLUSH);
		to->n += 262144 - z.avail_out;
		if (state == Z_STREAM_END ? inflateReset(&z) != Z_OK : state != Z_OK)
			break;
	}
	/* What is left in its window comes out without more input. */
	while (state == Z_OK && to->n < BODY_MAX) {
		grow(to, 262145);
		z.next_out = (unsigned char *)to->p + to->n;
		z.avail_out = 262144;
		state = inflate(&z, Z_NO_FLUSH);
		to->n += 262144 - z.avail_out;
	}
	(void)inflateEnd(&z);
	return state == Z_STREAM_END && z.avail_in == 0 ? 0 : -1;
}

/* Frames of zstd, likewise. */
static int
unzstd(const struct buf *from, struct buf *to)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { from->p, from->n, 0 };
	size_t left = 1;

	if (z == NULL)
		err(1, NULL);
	do {
		ZSTD_outBuffer out = { .size = 262144 };

		grow(to, 262145);
		out.dst = to->p + to->n;
		left = ZSTD_decompressStream(z, &out, &in);
		to->n += out.pos;
		if (ZSTD_isError(left) || (in.pos == in.size && out.pos < out.size))
			break;
	} while (to->n < BODY_MAX);
	(void)ZSTD_freeDStream(z);
	return left == 0 && in.pos == in.size ? 0 : -1;
}

/* Is the form of the body known? It then stands decoded. 1 known, 0 not, -1 damaged. */
static int
decode(const struct server *s, struct request *q)
{
	struct buf plain = { 0 };
	const char *at;
	int damaged;

	if (s->flavour == PLAIN || *q->encoding == '\0' || q->body.n == 0)
		return 1;
	at = strstr(s->forms, q->encoding);
	if (at == NULL || (strcmp(q->encoding, "gzip") != 0 && strcmp(q->encoding, "zstd") != 0))
		return 0;
	damaged = *q->encoding == 'g' ? gunzip(&q->body, &plain) : unzstd(&q->body, &plain);
	buf_free(&q->body);
	q->body = plain;
	if (q->body.n > 0)
		q->body.p[q->body.n] = '\0';
	return damaged == -1 ? -1 : 1;
}

/* The end of the next record from p on, and where it begins; or NULL, and *begin is `end`. *depth is kept from one to the next. */
static const char *
next_record(enum form form, const char *p, const char *end, const char **begin, int *depth)
{
	int quoted = 0;

	if (form == LINES) {
		const char *nl;

		*begin = p;
		if (p == end)
			return NULL;
		nl = memchr(p, '\n', (size_t)(end - p));
		return nl == NULL ? end : nl + 1;
	}
	/* {"streams":[{"stream":{},"values":[[...]]}]}: what opens with the fifth bracket. */
	for (*begin = NULL; p < end; p++) {
		if (quoted) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quoted = 0;
		} else if (*p == '"')
			quoted = 1;
		else if (*p == '[' || *p == '{') {
			if (++*depth == 5 && *p == '[')
				*begin = p;
		} else if ((*p == ']' || *p == '}') && --*depth == 4 && *begin != NULL)
			return p + 1;
	}
	*begin = end;
	return NULL;
}

static int
poisoned(const struct server *s, const char *from, const char *to)
{
	for (int i = 0; i < s->npoison; i++)
		if (memmem(from, (size_t)(to - from), s->poison[i], strlen(s->poison[i])) != NULL)
			return 1;
	return 0;
}

struct walk {
	size_t rows, bad; /* records; number of the first that holds poison, from 1, or 0 */
	struct buf kept;  /* the body without those that are not kept */
	size_t nkept;
	size_t samples, invalid; /* of what is kept; records that are swallowed */
};

/* Of a line of VictoriaMetrics' import: one more than commas between the times. Of others: one. */
static size_t
samples(const char *from, const char *to)
{
	const char *p = memmem(from, (size_t)(to - from), "\"timestamps\":[", 14);
	size_t n = 1;

	for (; p != NULL && p < to && *p != ']'; p++)
		n += *p == ',';
	return n;
}

static void
keep(struct walk *w, const char *from, const char *to)
{
	struct buf *b = &w->kept;

	/* Behind the last of a list that is not kept. */
	if (w->nkept < w->rows && to > from && *from == ']' && b->n > 0 && b->p[b->n - 1] == ',')
		b->n--;
	if (buf_put(b, from, (size_t)(to - from)) == -1)
		err(1, NULL);
}

/* Look at the records of a body; keep at most so many, without those of poison when they are swallowed. */
static struct walk
walk(const struct server *s, const struct request *q, size_t most)
{
	struct walk w = { 0 };
	const char *p = q->body.p, *end = p + q->body.n, *begin, *behind;
	int depth = 0;

	for (int i = 0; q->form == LINES && i < q->heads && (behind = next_record(LINES, p, end, &begin, &depth)) != NULL; i++, p = behind)
		keep(&w, p, behind);
	while (p < end && (behind = next_record(q->form, p, end, &begin, &depth)) != NULL) {
		int bad = poisoned(s, begin, behind);

		keep(&w, p, begin);
		w.rows += q->form == LOKI || *begin != '\n';
		if (bad && w.bad == 0)
			w.bad = w.rows;
		/* Where one is refused, those before it may be stored. */
		w.invalid += bad && s->swallow;
		if (w.nkept < most && !bad && (w.bad == 0 || s->swallow)) {
			keep(&w, begin, behind);
			w.samples += samples(begin, behind);
			w.nkept += q->form == LOKI || *begin != '\n';
		} else if (q->form == LOKI && *behind == ',')
			behind++;
		p = behind;
	}
	keep(&w, p, end);
	return w;
}

static void
note_request(const struct conn *c, const struct request *q, int status)
{
	struct server *s = c->server;

	if (s->requests == NULL)
		return;
	(void)fprintf(s->requests, "%s %s %zu %d %s %s %d", q->method, q->target, q->length, status, *q->type == '\0' ? "-" : q->type,
	    *q->encoding == '\0' ? "-" : q->encoding, c->number);
	if (s->flavour != PLAIN)
		(void)fprintf(s->requests, " %d %lld", q->busy, (long long)(now_ms() - s->began));
	(void)putc('\n', s->requests);
	(void)fflush(s->requests);
}

/* 0, or -1. */
static int
send_all(int fd, const char *from, size_t n, long trickle)
{
	if (trickle == 0)
		return write(fd, from, n) == (ssize_t)n ? 0 : -1;
	for (; n > 0; n--) {
		pause_ms(trickle);
		if (write(fd, from++, 1) != 1)
			return -1;
	}
	return 0;
}

/* Until the peer closes, or so many ms have passed. */
static void
hang(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
	char sink[4096];

	for (int64_t end = now_ms() + ms, left; (left = end - now_ms()) > 0;)
		if (poll(&p, 1, (int)left) > 0 && read(fd, sink, sizeof(sink)) <= 0)
			break;
}

/* What is no answer. */
static void
babble(struct conn *c, const struct act *a)
{
	if (a->noise)
		(void)send_all(c->fd, "SSH-2.0-OpenSSH_9.2\r\n", 21, 0);
	else
		(void)send_all(c->fd, "HTTP/1.1 204 Told\r\n", 19, 0);
	for (int i = 0; a->endless && i < 16384; i++)
		if (send_all(c->fd, "X-Word: and so on, and on\r\n", 27, 0) == -1)
			break;
}

/* 1 when the connection goes on. */
static int
answer(struct conn *c, const struct act *a, const char *body, size_t n)
{
	char head[4096];
	int len = snprintf(
	    head, sizeof(head), "HTTP/1.1 %d Told\r\n%s%s", a->status, a->headers, a->close || a->open ? "Connection: close\r\n" : "");
	char *whole;
	size_t total;

	if (a->noise || a->endless) {
		babble(c, a);
		return 0;
	}
	if (!a->open && !a->nolength && !a->chunked && a->status != 204)
		len += snprintf(head + len, sizeof(head) - (size_t)len, "Content-Length: %zu\r\n", n);
	if (a->chunked)
		len += snprintf(head + len, sizeof(head) - (size_t)len, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", n);
	else
		len += snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
	if ((whole = malloc((size_t)len + n + 16)) == NULL)
		err(1, NULL);
	memcpy(whole, head, (size_t)len);
	memcpy(whole + len, body, n);
	total = (size_t)len + n;
	if (a->chunked) {
		memcpy(whole + total, "\r\n0\r\n\r\n", 7);
		total += 7;
	}
	if (a->cut >= 0 && (size_t)a->cut < total)
		total = (size_t)a->cut;
	pause_ms(a->delay);
	if (send_all(c->fd, whole, total, a->trickle) == -1)
		total = 0;
	free(whole);
	if (a->nolength)
		hang(c->fd, a->hang >= 0 ? a->hang : FOREVER);
	return a->cut < 0 && !a->close && !a->open && !a->nolength && !a->reset && !a->early && total > 0;
}

/* As a server that is killed and comes again; the lock is held. */
static void
restart(struct server *s, long ms)
{
	int64_t now = now_ms();
	size_t left = s->entries;

	while (left > 0 && s->entry[left - 1].when > now - s->window)
		left--;
	if (left < s->entries && s->stored != NULL && ftruncate(fileno(s->stored), s->entry[left].at) == -1)
		err(1, "stored");
	for (; s->entries > left; s->entries--) {
		s->rows -= s->entry[s->entries - 1].rows;
		free(s->entry[s->entries - 1].token);
	}
	s->starts++;
	s->samples = s->invalid = 0;
	s->started = time(NULL);
	s->before = 0;
	s->down = now + ms;
	s->born = now;
	/* Nobody is left who listens: to connect is refused, and accept() fails. */
	if (ms > 0)
		(void)shutdown(s->listener, SHUT_RDWR);
	for (struct conn *c = s->conns; c != NULL; c = c->next)
		(void)shutdown(c->fd, SHUT_RDWR);
}

static int
base64(const char *from, char *to, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(from), len = 0;

	for (size_t i = 0; i < n && len + 5 < size; i += 3) {
		unsigned word = (unsigned)(unsigned char)from[i] << 16;

		if (i + 1 < n)
			word |= (unsigned)(unsigned char)from[i + 1] << 8;
		if (i + 2 < n)
			word |= (unsigned)(unsigned char)from[i + 2];
		to[len++] = digits[word >> 18];
		to[len++] = digits[word >> 12 & 63];
		to[len++] = i + 1 < n ? digits[word >> 6 & 63] : '=';
		to[len++] = i + 2 < n ? digits[word & 63] : '=';
	}
	to[len] = '\0';
	return (int)len;
}

/* Does the request come from this user, "name:password"? */
static int
is_from(const struct server *s, const struct request *q, const char *user)
{
	char want[512] = "Basic ", have[512], name[256], key[256];

	header(q, "Authorization", have, sizeof(have));
	(void)base64(user, want + 6, sizeof(want) - 6);
	if (strcmp(have, want) == 0)
		return 1;
	if (s->flavour != CH)
		return 0;
	header(q, "X-ClickHouse-User", name, sizeof(name));
	header(q, "X-ClickHouse-Key", key, sizeof(key));
	(void)snprintf(have, sizeof(have), "%s:%s", name, key);
	return strcmp(have, user) == 0;
}

static int
allowed(const struct server *s, const struct request *q)
{
	char line[256];
	int ok = s->user == NULL && s->users == NULL;
	FILE *f;

	if (s->user != NULL && is_from(s, q, s->user))
		return 1;
	if (s->users == NULL || (f = fopen(s->users, "r")) == NULL)
		return ok;
	while (!ok && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		ok = is_from(s, q, line);
	}
	(void)fclose(f);
	return ok;
}

/* Is it ClickHouse from before 20? Its errors are 500 and its words others. */
static int
old(const struct server *s)
{
	return strtol(s->version, NULL, 10) < 20;
}

/* 1105 is 1.105. */
static long
version(const struct server *s)
{
	char *minor;
	long major = strtol(s->version, &minor, 10);

	return major * 1000 + (*minor == '.' ? strtol(minor + 1, NULL, 10) : 0);
}

static void
add_header(struct act *a, const char *text)
{
	size_t n = strlen(a->headers);

	(void)snprintf(a->headers + n, sizeof(a->headers) - n, "%s\r\n", text);
}

/* When and how it is answered stays. */
static void
refuse(struct act *a, int status, const char *body)
{
	a->status = status;
	*a->headers = '\0';
	(void)snprintf(a->body, sizeof(a->body), "%s", body);
}

/* An exception of ClickHouse. */
static void
exception(const struct server *s, struct act *a, int status, int code, const char *text)
{
	char line[64];

	refuse(a, status, "");
	if (old(s))
		(void)snprintf(
		    a->body, sizeof(a->body), "Code: %d, e.displayText() = DB::Exception: %s, e.what() = DB::Exception\n", code, text);
	else {
		(void)snprintf(
		    a->body, sizeof(a->body), "Code: %d. DB::Exception: %s (version %s (official build))\n", code, text, s->version);
		(void)snprintf(line, sizeof(line), "X-ClickHouse-Exception-Code: %d", code);
		add_header(a, line);
	}
}

static void
refuse_poison(const struct server *s, const struct request *q, struct act *a)
{
	struct walk w = walk(s, q, 0);
	char text[256];

	buf_free(&w.kept);
	if (s->flavour == CH) {
		(void)snprintf(text, sizeof(text), "Cannot parse input: expected '\"' before: 'x secret row': (at row %zu)\n", w.bad);
		exception(s, a, old(s) ? 500 : 400, 27, text);
	} else
		refuse(a, 400, "cannot parse\tthis");
}

/* A form of body that is not known (0), or a damaged one (-1). */
static void
refuse_form(const struct server *s, int known, struct act *a)
{
	if (known == 0 && s->foreign) {
		a->swallow = 1;
		return;
	}
	if (s->flavour == CH && known == 0)
		exception(s, a, old(s) ? 500 : 400, 89, "Unknown compression method");
	else if (s->flavour == CH)
		exception(s, a, 500, 354, "inflate failed: buffer error");
	else
		refuse(a, 400, "cannot read the body: unsupported or damaged Content-Encoding");
}

static void
refuse_user(const struct server *s, struct act *a)
{
	*a = blank;
	a->swallow = 1;
	if (s->flavour == CH)
		exception(s, a, old(s) ? 401 : 403, old(s) ? 193 : 516, "default: Authentication failed");
	else
		a->status = 401;
	add_header(a, "WWW-Authenticate: Basic realm=\"x\"");
}

/* Is it a request that carries records? */
static int
is_load(const struct server *s, const struct request *q)
{
	if (s->flavour == API)
		return strcmp(q->method, "GET") != 0;
	if (strcmp(q->method, "POST") != 0)
		return 0;
	switch (s->flavour) {
	case VL:
		return strstr(q->target, "/insert/") != NULL && strchr(q->target, '?') != NULL;
	case VM:
		/* Fewer bytes are an empty body that was compressed. */
		return q->length > 24 && strstr(q->target, "/import") != NULL;
	case CH:
		return strncasecmp(q->query, "INSERT", 6) == 0;
	default:
		return strchr(q->target, '?') != NULL;
	}
}

/* Status and headers of success, and with them who answers. */
static void
complete(const struct server *s, const struct request *q, size_t rows, struct act *a)
{
	char line[256];

	if (s->flavour == API && *a->headers == '\0' && *a->body == '\0')
		add_header(a, "Content-Type: application/vnd.api+json");
	if (a->status == 0 && s->flavour != API)
		a->status = s->flavour == CH || (s->flavour == VL && strstr(q->target, "/jsonline") != NULL) ? 200 : 204;
	if (s->flavour != CH || strstr(a->headers, "text/html") != NULL)
		return;
	add_header(a, "X-ClickHouse-Server-Display-Name: faultd");
	if (old(s) || a->status != 200 || !is_load(s, q))
		return;
	(void)snprintf(line, sizeof(line),
	    "X-ClickHouse-Summary: {\"read_rows\":\"%zu\",\"read_bytes\":\"%zu\",\"written_rows\":\"%zu\",\"written_bytes\":\"%zu\"}", rows,
	    q->body.n, rows, q->body.n);
	add_header(a, line);
}

/* Was a batch of this token stored? */
static int
known_token(const struct server *s, const char *token)
{
	for (size_t i = s->entries; *token != '\0' && i-- > 0;)
		if (s->entry[i].token != NULL && strcmp(s->entry[i].token, token) == 0)
			return 1;
	return 0;
}

/* Keep records: all, or the first `most` of them; the lock is held. */
static void
keep_records(struct server *s, const struct request *q, const struct walk *w, int whole)
{
	struct entry *e = s->entry;

	if (w->kept.n == 0 || known_token(s, q->token))
		return;
	if (s->entries == s->room) {
		s->room = s->room == 0 ? 1024 : s->room * 2;
		if ((e = reallocarray(s->entry, s->room, sizeof(*e))) == NULL)
			err(1, NULL);
		s->entry = e;
	}
	e += s->entries++;
	*e = (struct entry){ .when = now_ms(), .rows = w->nkept, .token = *q->token == '\0' || !whole ? NULL : strdup(q->token) };
	s->rows += w->nkept;
	s->samples += w->samples;
	if (s->stored == NULL)
		return;
	if (fseeko(s->stored, 0, SEEK_END) == -1)
		err(1, "stored");
	e->at = ftello(s->stored);
	if (fwrite(w->kept.p, 1, w->kept.n, s->stored) != w->kept.n ||
	    (s->flavour != PLAIN && w->kept.p[w->kept.n - 1] != '\n' && putc('\n', s->stored) == EOF) || fflush(s->stored) != 0)
		err(1, "stored");
}

/* What becomes of a load whose body was read, and that the script would let succeed. */
static void
judge(const struct server *s, struct request *q, struct act *a)
{
	size_t sent = q->body.n;
	int known = decode(s, q);

	if (a->status != 0 && (a->status < 200 || a->status > 299))
		return;
	if (s->most > 0 && (sent > s->most || q->body.n > s->most))
		refuse(a, 413, "");
	else if (known != 1)
		refuse_form(s, known, a);
	else if (!s->swallow && q->body.n > 0 && poisoned(s, q->body.p, q->body.p + q->body.n))
		refuse_poison(s, q, a);
}

/*
 * A question that is posted has a form, too. Line protocol of VictoriaMetrics, which pushers of ours use for questions alone: an empty line
 * is right, unless nobody looks.
 */
static void
judge_question(const struct server *s, struct request *q, struct act *a)
{
	int known = decode(s, q);

	/* What is not unpacked is a bad line, too. */
	if (s->flavour == VM && strstr(q->target, "/write") != NULL) {
		if (version(s) >= 1105 && (known != 1 || q->body.n > 1))
			refuse(a, 400, "cannot parse");
	} else if (known != 1)
		refuse_form(s, known, a);
}

/* What a server of JSON:API does with a load; the lock is held. The body is stored when it was right. */
static void
api_take(struct server *s, const struct request *q, const struct walk *w, struct act *a)
{
	int status = api_do(&s->api, q->method, q->target, q->body.p, q->body.n);

	if (status < 300)
		keep_records(s, q, w, 1);
	if (a->status == 0) {
		a->status = status;
		(void)snprintf(a->body, sizeof(a->body), "%.1000s", s->api.said);
	}
}

/* A body that was read, or a part of it when the script says so. Keep what is to be kept, and say so. 1 when there is an answer. */
static int
take(struct conn *c, struct request *q, struct act *a, int load)
{
	struct server *s = c->server;
	struct walk w = { 0 };
	int silent = a->drop >= 0 || a->partial >= 0 || (a->hang >= 0 && !a->nolength) || a->restart >= 0;

	if (load)
		w = walk(s, q, a->partial >= 0 ? (size_t)a->partial : NOTHING);
	/* A block is written as a whole, or not. */
	if (s->flavour == CH && w.bad > 0 && !s->swallow)
		w.kept.n = 0;
	complete(s, q, w.rows, a);
	(void)pthread_mutex_lock(&s->lock);
	if (c->start != s->starts)
		silent = 1;
	else if (load && s->flavour == API && (a->store || (!silent && !a->swallow && a->status < 300)))
		api_take(s, q, &w, a);
	else if (load && s->flavour != API &&
	    (a->store || a->partial >= 0 || (!silent && !a->swallow && a->status >= 200 && a->status < 300)))
		keep_records(s, q, &w, a->partial < 0);
	if (a->restart >= 0 && c->start == s->starts)
		restart(s, a->restart);
	s->invalid += silent ? 0 : w.invalid;
	note_request(c, q, silent ? 0 : a->status);
	(void)pthread_mutex_unlock(&s->lock);
	buf_free(&w.kept);
	if (a->hang >= 0 && !a->nolength)
		hang(c->fd, a->hang);
	return !silent;
}

/* What the script, or the server's state, has for this load; the lock is not held. */
static struct act
plan(struct server *s, const struct request *q, int load)
{
	struct act a = blank;

	(void)pthread_mutex_lock(&s->lock);
	if (load && s->places > 0 && s->busy > s->places) {
		a.status = s->silent ? 0 : 503;
		a.swallow = 1;
	} else if (load || s->probes)
		a = next_act(s, q);
	(void)pthread_mutex_unlock(&s->lock);
	return a;
}

/* Answers of ClickHouse to what is no INSERT. */
static size_t
statement(struct server *s, const struct request *q, char *to, size_t size)
{
	int n = 0;

	if (!s->probes && strcasestr(q->query, "engine_full") != NULL)
		n = snprintf(to, size, "MergeTree\tMergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100\t0\n");
	else if (!s->probes && strncasecmp(q->query, "EXISTS", 6) == 0)
		n = snprintf(to, size, "1\n");
	else if (strcasestr(q->query, "version()") != NULL)
		n = snprintf(to, size, "%s\n", s->version);
	else if (strcasestr(q->query, "count()") != NULL)
		n = snprintf(to, size, "%zu\n", s->rows);
	else if (strcasestr(q->query, "uptime()") != NULL)
		n = snprintf(to, size, "%lld\n", (long long)(time(NULL) - s->started));
	return (size_t)n;
}

/* How many stored records have the mark, with numbers from one to another? Rows, and different numbers. */
static void
count_marks(const char *text, const char *mark, uint64_t from, uint64_t to, uint64_t found[2])
{
	unsigned char *seen = calloc(to - from + 1, 1);
	size_t n = strlen(mark);

	if (seen == NULL)
		err(1, NULL);
	while ((text = strstr(text, mark)) != NULL) {
		uint64_t seq = strtoull(text + n, NULL, 10);

		text += n;
		if (seq < from || seq > to)
			continue;
		found[0]++;
		found[1] += seen[seq - from] == 0;
		seen[seq - from] = 1;
	}
	free(seen);
}

/* og_batch:="MARK" og_seq:range[from,to] | stats count() n, count_uniq(og_seq) u */
static size_t
marked(struct server *s, const struct request *q, char *to, size_t size)
{
	char form[2048], text[1024], mark[256];
	const char *batch, *range;
	uint64_t from, last, found[2] = { 0 };
	FILE *f;
	struct buf b = { 0 };

	(void)snprintf(form, sizeof(form), "?%s", q->body.p);
	if (!parameter(form, "query", text, sizeof(text)) || (batch = strstr(text, "og_batch:=\"")) == NULL ||
	    (range = strstr(text, "range[")) == NULL || (f = fopen(s->store, "r")) == NULL)
		return 0;
	batch += 11;
	(void)snprintf(mark, sizeof(mark), "\"og_batch\":\"%.*s\",\"og_seq\":\"", (int)strcspn(batch, "\""), batch);
	from = strtoull(range + 6, NULL, 10);
	last = strtoull(range + 6 + strcspn(range + 6, ",") + 1, NULL, 10);
	for (size_t got = 1; got > 0; b.n += got) {
		grow(&b, 65537);
		got = fread(b.p + b.n, 1, 65536, f);
	}
	b.p[b.n] = '\0';
	(void)fclose(f);
	if (last >= from && last - from < UINT32_MAX)
		count_marks(b.p, mark, from, last, found);
	buf_free(&b);
	return (size_t)snprintf(to, size, "{\"n\":\"%" PRIu64 "\",\"u\":\"%" PRIu64 "\"}\n", found[0], found[1]);
}

static int
post(struct conn *c, struct request *q, struct act a, int load)
{
	char expect[32], said[256];
	size_t n = 0;

	header(q, "Expect", expect, sizeof(expect));
	if (a.no100 && *expect != '\0') {
		a = blank;
		a.status = 417;
		a.early = 1;
	} else if (*expect != '\0' && !a.early && send_all(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, 0) == -1)
		return 0;
	if (!a.early && read_body(c->fd, q, a.drop >= 0 ? (size_t)a.drop : q->length) == -1) {
		note_request(c, q, 0);
		return 0;
	}
	load = load && !a.early && q->body.n == q->length; /* a part of a body is none */
	if (load)
		judge(c->server, q, &a);
	else if (a.status == 0)
		judge_question(c->server, q, &a);
	if (load)
		pause_ms(c->server->takes);
	if (!take(c, q, &a, load))
		return 0;
	if (c->server->flavour == CH && !load && a.status == 200 && *a.body == '\0') {
		if (*q->query == '\0' && q->body.n > 0)
			(void)snprintf(q->query, sizeof(q->query), "%s", q->body.p);
		n = statement(c->server, q, said, sizeof(said));
	} else if (c->server->flavour == VL && c->server->store != NULL && strstr(q->target, "/select/") != NULL &&
	    (n = marked(c->server, q, said, sizeof(said))) > 0)
		a.status = 200;
	return n > 0 ? answer(c, &a, said, n) : answer(c, &a, a.body, strlen(a.body));
}

/* What the page of metrics has besides the file. */
static int
metrics(const struct server *s, char *to, size_t size)
{
	static const char term[] = "flag{name=\"futureRetention\", value=\"2d\", is_set=\"false\"} 1\n"
				   "flag{name=\"retentionPeriod\", value=\"100y\", is_set=\"true\"} 1\n";
	int n = snprintf(to, size,
	    "%svm_app_version{version=\"x-%s\", short_version=\"v%s\"} 1\nprocess_start_time_seconds %lld\nvm_app_start_timestamp %lld\n"
	    "process_cpu_seconds_total %.3f\nvm_app_uptime_seconds %" PRId64 "\n",
	    s->page == NULL ? term : "", s->version, s->version, (long long)s->started, (long long)s->started,
	    (double)(now_ms() - s->born) / 10000, s->before + (now_ms() - s->born) / 1000);

	if (s->flavour == VM)
		n += snprintf(to + n, size - (size_t)n,
		    "vm_rows_inserted_total{type=\"vmimport\"} %zu\nvm_rows_invalid_total{type=\"vmimport\"} %zu\n"
		    "vm_rows_ignored_total{reason=\"small_timestamp\"} 0\n",
		    s->samples, s->invalid);
	return n;
}

/* Pages that the server has besides the file. */
static size_t
own_page(struct server *s, const struct request *q, char *to, size_t size)
{
	size_t path = strcspn(q->target, "?");
	const char *name = q->target + path;
	int n = 0;

	while (name > q->target && *name != '/')
		name--;
	path -= (size_t)(name - q->target);
	if (path == 8 && strncmp(name, "/metrics", 8) == 0)
		n = metrics(s, to, size);
	else if (s->flavour == CH && path == 5 && strncmp(name, "/ping", 5) == 0)
		n = snprintf(to, size, "Ok.\n");
	else if (s->flavour == CH && *q->query != '\0')
		n = (int)statement(s, q, to, size);
	else if (s->flavour == VM && path == 7 && (strncmp(name, "/create", 7) == 0 || strncmp(name, "/delete", 7) == 0)) {
		/* What a snapshot has is on disk. */
		for (size_t i = s->entries; i-- > 0 && s->entry[i].when != INT64_MIN;)
			s->entry[i].when = INT64_MIN;
		n = snprintf(to, size, "{\"status\":\"ok\",\"snapshot\":\"20260102030405-0000000000000001\"}");
	} else if (s->flavour != PLAIN && (strncmp(name, "/health", 7) == 0 || strncmp(name, "/force_flush", 12) == 0))
		n = snprintf(to, size, "OK");
	return (size_t)n;
}

static int
get(struct conn *c, const struct request *q)
{
	struct act a = blank;
	struct server *s = c->server;
	char page[65536];
	size_t n = 0;
	FILE *f = s->page == NULL ? NULL : fopen(s->page, "r");

	a.status = 404;
	if (f != NULL) {
		a.status = 200;
		n = fread(page, 1, sizeof(page) - 4096, f);
		(void)fclose(f);
	}
	if (s->flavour == API)
		pause_ms(s->takes);
	(void)pthread_mutex_lock(&s->lock);
	if (s->flavour == API) {
		a.status = api_do(&s->api, q->method, q->target, "", 0);
		n = (size_t)snprintf(page, sizeof(page), "%s", s->api.said);
	} else if ((s->page == NULL && s->flavour != PLAIN) || f != NULL) {
		size_t own = own_page(s, q, page + n, sizeof(page) - n);

		n += own;
		a.status = own > 0 ? 200 : a.status;
	}
	if (!allowed(s, q)) {
		refuse_user(s, &a);
		n = 0;
	}
	complete(s, q, 0, &a);
	note_request(c, q, a.status);
	(void)pthread_mutex_unlock(&s->lock);
	return answer(c, &a, page, n);
}

/* A request whose head was read. 1 when the connection goes on. */
static int
request(struct conn *c, struct request *q)
{
	struct server *s = c->server;
	struct act a;
	int load = is_load(s, q), more;

	(void)pthread_mutex_lock(&s->lock);
	c->start = s->starts;
	more = now_ms() >= s->down;
	s->busy += load;
	q->busy = s->busy;
	(void)pthread_mutex_unlock(&s->lock);
	if (more && strcmp(q->method, "GET") == 0)
		more = get(c, q);
	else if (more) {
		if (allowed(s, q))
			a = plan(s, q, load);
		else
			refuse_user(s, &a);
		more = post(c, q, a, load && !a.swallow);
		if (a.reset) {
			struct linger now = { .l_onoff = 1 };

			(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		}
	}
	(void)pthread_mutex_lock(&s->lock);
	s->busy -= load;
	(void)pthread_mutex_unlock(&s->lock);
	return more;
}

static void *
serve(void *arg)
{
	struct conn *c = arg;
	struct request *q = calloc(1, sizeof(*q));

	if (q == NULL)
		err(1, NULL);
	while (read_head(c->fd, q) == 0 && request(c, q))
		continue;
	buf_free(&q->body);
	free(q);
	(void)pthread_mutex_lock(&c->server->lock);
	if (c->next != NULL)
		c->next->back = c->back;
	*c->back = c->next;
	(void)close(c->fd);
	(void)pthread_mutex_unlock(&c->server->lock);
	free(c);
	return NULL;
}

static void *
await_signal(void *arg)
{
	struct server *s = arg;
	sigset_t set;
	int sig;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	while (sigwait(&set, &sig) == 0) {
		(void)pthread_mutex_lock(&s->lock);
		restart(s, 0);
		(void)pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* *port may be 0, any, and is then what it came to be. */
static int
listen_on(in_port_t *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 || bind(fd, (struct sockaddr *)&to, size) == -1 ||
	    listen(fd, 64) == -1 || getsockname(fd, (struct sockaddr *)&to, &size) == -1)
		err(1, "port %d", *port);
	*port = ntohs(to.sin_port);
	return fd;
}

/* Behind a time without a listener. */
static void
listen_again(struct server *s, in_port_t port)
{
	int64_t left;

	if (errno != EINVAL)
		err(1, "accept");
	(void)pthread_mutex_lock(&s->lock);
	left = s->down - now_ms();
	(void)pthread_mutex_unlock(&s->lock);
	if (left > 0)
		pause_ms((long)left);
	(void)pthread_mutex_lock(&s->lock);
	(void)close(s->listener);
	s->listener = listen_on(&port);
	(void)pthread_mutex_unlock(&s->lock);
}

static FILE *
open_file(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (f == NULL)
		err(1, "%s", path);
	return f;
}

static void
add_poison(struct server *s, const char *text)
{
	if (s->npoison == POISONS)
		errx(2, "more than %d strings", POISONS);
	s->poison[s->npoison++] = text;
}

static void
read_poison(struct server *s, const char *path)
{
	FILE *f = open_file(path, "r");
	char *line = NULL;
	size_t size = 0;

	for (; getline(&line, &size, f) > 0; line = NULL, size = 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line != '\0')
			add_poison(s, line);
	}
	free(line);
	(void)fclose(f);
}

static enum flavour
parse_flavour(const char *name)
{
	static const char *const names[] = { [VL] = "vl", [VM] = "vm", [CH] = "ch", [API] = "api" };

	for (int i = VL; i <= API; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum flavour)i;
	errx(2, "%s: no such flavour", name);
}

/* Options that are a flag, or a text that is kept. 1, or 0. */
static int
parse_simple(struct server *s, int c)
{
	const struct {
		char letter;
		int *flag;
		const char **text;
	} simple[] = { { 'O', &s->silent, NULL }, { 'P', &s->probes, NULL }, { 'e', &s->foreign, NULL }, { 'w', &s->swallow, NULL },
		{ 'E', NULL, &s->forms }, { 'U', NULL, &s->users }, { 'V', NULL, &s->version }, { 'f', NULL, &s->page },
		{ 'u', NULL, &s->user } };

	for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++) {
		if (simple[i].letter == c) {
			if (simple[i].flag != NULL)
				*simple[i].flag = 1;
			else
				*simple[i].text = optarg;
			return 1;
		}
	}
	return 0;
}

static in_port_t
parse(struct server *s, int argc, char *argv[])
{
	in_port_t port = 0;
	int c;

	while ((c = getopt(argc, argv, "OPYewE:F:U:V:W:X:d:f:i:l:m:o:p:r:s:u:x:")) != -1) {
		if (parse_simple(s, c))
			continue;
		switch (c) {
		case 'F':
			s->flavour = parse_flavour(optarg);
			break;
		case 'W':
			s->window = number(optarg, 3600000);
			break;
		case 'X':
			read_poison(s, optarg);
			break;
		case 'Y':
			s->before = 0;
			break;
		case 'd':
			s->takes = number(optarg, 60000);
			break;
		case 'i':
			s->idle = number(optarg, 3600000);
			break;
		case 'l':
			s->stored = open_file(s->store = optarg, "a");
			break;
		case 'm':
			s->most = (size_t)number(optarg, BODY_MAX);
			break;
		case 'o':
			s->places = number(optarg, 1000);
			break;
		case 'p':
			port = (in_port_t)number(optarg, 65535);
			break;
		case 'r':
			s->requests = open_file(optarg, "a");
			break;
		case 's':
			s->script = open_file(optarg, "r");
			break;
		case 'x':
			add_poison(s, optarg);
			break;
		default:
			exit(2);
		}
	}
	return port;
}

static void
add_conn(struct server *s, int fd, int count)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct timeval idle = { .tv_sec = s->idle / 1000, .tv_usec = s->idle % 1000 * 1000 };
	pthread_t thread;

	if (c == NULL)
		err(1, NULL);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	*c = (struct conn){ .server = s, .fd = fd, .number = count };
	(void)pthread_mutex_lock(&s->lock);
	c->next = s->conns;
	c->back = &s->conns;
	if (c->next != NULL)
		c->next->back = &c->next;
	s->conns = c;
	(void)pthread_mutex_unlock(&s->lock);
	if (pthread_create(&thread, NULL, serve, c) != 0)
		err(1, "thread");
	(void)pthread_detach(thread);
}

int
main(int argc, char *argv[])
{
	static struct server s = { .lock = PTHREAD_MUTEX_INITIALIZER, .forms = "gzip,zstd", .window = 10000, .before = 60 };
	pthread_t thread;
	in_port_t port;
	sigset_t set;
	int count = 0;

	port = parse(&s, argc, argv);
	if (s.version == NULL)
		s.version = s.flavour == VL ? "1.26.0" : s.flavour == VM ? "1.120.0" : "24.3.1.1";
	s.api.words = strcmp(s.version, "words") == 0;
	s.api.pages = strcmp(s.version, "pages") == 0;
	s.started = time(NULL) - s.before;
	s.began = s.born = now_ms();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || pthread_create(&thread, NULL, await_signal, &s) != 0)
		err(1, "thread");
	s.listener = listen_on(&port);
	(void)printf("%d\n", port);
	if (fclose(stdout) != 0)
		err(1, "<stdout>");
	for (;;) {
		int peer = accept(s.listener, NULL, NULL);

		if (peer == -1)
			listen_again(&s, port);
		else
			add_conn(&s, peer, ++count);
	}
}
