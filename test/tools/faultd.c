/*
 * faultd: an HTTP server on loopback that fails as it is told
 *
 *	faultd [-P] [-f page] [-l stored] [-m bytes] [-p port] [-r requests] [-s script] [-x poison]
 *
 * It prints its port and serves until it is killed. GET is answered with the file `page` (404 without one). A POST to a URL without a query
 * is a probe: it is answered 204, or as the script says with -P. Any other POST takes the next line of the script, words between blanks:
 *
 *	200 204 503 ...   status; 204 when the line has none, and when the script is at its end
 *	name:value        a header of the answer
 *	body=text         + stands for a blank
 *	delay=ms          before the answer
 *	trickle=ms        before each byte of the answer
 *	drop=n            close after n bytes of the request's body, without an answer
 *	cut=n             close after n bytes of the answer
 *	store             keep the records although the answer is no 2xx
 *	open              an answer without a length, ended by closing
 *	chunked           an answer in chunks, not ended when cut
 *	close             say so and close behind the answer
 *	reset             close with RST
 *
 * Before that: more than -m bytes are answered 413, a body that holds the string -x 400. Bodies that were stored are appended to `stored`,
 * and
 * `requests` gets a line for each request: method, target, bytes, status, type, encoding, number of the connection; 0 stands for no answer.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define BODY_MAX (64 * 1024 * 1024)

struct act {
	int status, drop, cut, store, open, chunked, close, reset;
	long delay, trickle;
	char headers[512], body[512];
};

struct server {
	pthread_mutex_t lock;
	FILE *script, *stored, *requests;
	const char *poison, *page;
	size_t most;
	int probes; /* take lines of the script, too */
};

struct conn {
	struct server *server;
	int fd, number;
};

struct request {
	char head[HEAD_MAX + 1];
	size_t nhead, nhave; /* bytes of head; bytes read, those behind it included */
	char method[16], target[1024], type[128], encoding[64];
	size_t length;
	char *body;
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

static void
parse_word(struct act *a, const char *word)
{
	size_t n = strlen(a->headers);

	if (*word >= '1' && *word <= '9')
		a->status = number(word, 999);
	else if (strncmp(word, "body=", 5) == 0) {
		(void)snprintf(a->body, sizeof(a->body), "%s", word + 5);
		for (char *p = a->body; *p != '\0'; p++)
			if (*p == '+')
				*p = ' ';
	} else if (strncmp(word, "delay=", 6) == 0)
		a->delay = number(word + 6, 60000);
	else if (strncmp(word, "trickle=", 8) == 0)
		a->trickle = number(word + 8, 60000);
	else if (strncmp(word, "drop=", 5) == 0)
		a->drop = number(word + 5, BODY_MAX);
	else if (strncmp(word, "cut=", 4) == 0)
		a->cut = number(word + 4, BODY_MAX);
	else if (strcmp(word, "store") == 0)
		a->store = 1;
	else if (strcmp(word, "open") == 0)
		a->open = a->close = 1;
	else if (strcmp(word, "chunked") == 0)
		a->chunked = 1;
	else if (strcmp(word, "close") == 0)
		a->close = 1;
	else if (strcmp(word, "reset") == 0)
		a->reset = 1;
	else if (strchr(word, ':') != NULL)
		(void)snprintf(a->headers + n, sizeof(a->headers) - n, "%s\r\n", word);
	else
		errx(1, "script: %s", word);
}

static struct act
next_act(struct server *s)
{
	struct act a = { .status = 204, .drop = -1, .cut = -1 };
	char line[1024], *at = line, *word;

	if (s->script == NULL || fgets(line, sizeof(line), s->script) == NULL)
		return a;
	while ((word = strsep(&at, " \n")) != NULL)
		if (*word != '\0')
			parse_word(&a, word);
	return a;
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
	if (sscanf(q->head, "%15s %1023s", q->method, q->target) != 2)
		return -1;
	header(q, "Content-Length", length, sizeof(length));
	header(q, "Content-Type", q->type, sizeof(q->type));
	header(q, "Content-Encoding", q->encoding, sizeof(q->encoding));
	q->length = strtoul(length, NULL, 10);
	return q->length > BODY_MAX ? -1 : 0;
}

/* Up to `most` bytes of the body. 0, or -1. */
static int
read_body(int fd, struct request *q, size_t most)
{
	size_t have = q->nhave - q->nhead;

	if ((q->body = malloc(q->length + 1)) == NULL)
		err(1, NULL);
	memcpy(q->body, q->head + q->nhead, have);
	while (have < q->length && have < most) {
		ssize_t got = read(fd, q->body + have, q->length - have);

		if (got <= 0)
			return -1;
		have += (size_t)got;
	}
	q->body[have] = '\0';
	return 0;
}

static void
note_request(struct conn *c, const struct request *q, int status)
{
	struct server *s = c->server;

	if (s->requests == NULL)
		return;
	(void)fprintf(s->requests, "%s %s %zu %d %s %s %d\n", q->method, q->target, q->length, status, *q->type == '\0' ? "-" : q->type,
	    *q->encoding == '\0' ? "-" : q->encoding, c->number);
	(void)fflush(s->requests);
}

static void
pause_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
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

/* 1 when the connection goes on. */
static int
answer(struct conn *c, const struct act *a, const char *body, size_t n)
{
	char head[2048];
	int len = snprintf(head, sizeof(head), "HTTP/1.1 %d Told\r\n%s%s", a->status, a->headers, a->close ? "Connection: close\r\n" : "");
	char *whole;
	size_t total;

	if (!a->open && !a->chunked && a->status != 204)
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
	if (a->delay > 0)
		pause_ms(a->delay);
	if (send_all(c->fd, whole, total, a->trickle) == -1)
		total = 0;
	free(whole);
	return a->cut < 0 && !a->close && !a->reset && total > 0;
}

static int
get(struct conn *c, const struct request *q)
{
	struct act a = { .status = 404, .cut = -1 };
	char page[65536];
	size_t n = 0;
	FILE *f = c->server->page == NULL ? NULL : fopen(c->server->page, "r");

	if (f != NULL) {
		a.status = 200;
		n = fread(page, 1, sizeof(page), f);
		(void)fclose(f);
	}
	note_request(c, q, a.status);
	return answer(c, &a, page, n);
}

/* What becomes of a POST; the lock is held. */
static struct act
decide(struct server *s, struct request *q, int fd)
{
	struct act a = { .status = 204, .drop = -1, .cut = -1 };

	if (strchr(q->target, '?') != NULL || s->probes)
		a = next_act(s);
	if (read_body(fd, q, a.drop >= 0 ? (size_t)a.drop : q->length) == -1) {
		a.drop = 0;
		return a;
	}
	if (s->most > 0 && q->length > s->most)
		a = (struct act){ .status = 413, .drop = -1, .cut = -1 };
	else if (s->poison != NULL && memmem(q->body, q->length, s->poison, strlen(s->poison)) != NULL)
		a = (struct act){ .status = 400, .drop = -1, .cut = -1, .body = "cannot parse\tthis" };
	return a;
}

static int
post(struct conn *c, struct request *q)
{
	struct server *s = c->server;
	struct act a;

	(void)pthread_mutex_lock(&s->lock);
	a = decide(s, q, c->fd);
	if (s->stored != NULL && (a.store || (a.drop < 0 && a.status >= 200 && a.status < 300 && strchr(q->target, '?') != NULL))) {
		if (fwrite(q->body, 1, q->length, s->stored) != q->length || fflush(s->stored) != 0)
			err(1, "stored");
	}
	note_request(c, q, a.drop >= 0 ? 0 : a.status);
	(void)pthread_mutex_unlock(&s->lock);
	free(q->body);
	if (a.reset) {
		struct linger now = { .l_onoff = 1 };

		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	return a.drop < 0 && answer(c, &a, a.body, strlen(a.body));
}

static void *
serve(void *arg)
{
	struct conn *c = arg;
	struct request q;

	while (read_head(c->fd, &q) == 0)
		if (!(strcmp(q.method, "GET") == 0 ? get(c, &q) : post(c, &q)))
			break;
	(void)close(c->fd);
	free(c);
	return NULL;
}

static int
listen_on(in_port_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 || bind(fd, (struct sockaddr *)&to, size) == -1 ||
	    listen(fd, 64) == -1 || getsockname(fd, (struct sockaddr *)&to, &size) == -1)
		err(1, "port %d", port);
	(void)printf("%d\n", ntohs(to.sin_port));
	if (fclose(stdout) != 0)
		err(1, "<stdout>");
	return fd;
}

static FILE *
open_file(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (f == NULL)
		err(1, "%s", path);
	return f;
}

static in_port_t
parse(struct server *s, int argc, char *argv[])
{
	in_port_t port = 0;
	int c;

	while ((c = getopt(argc, argv, "Pf:l:m:p:r:s:x:")) != -1) {
		switch (c) {
		case 'P':
			s->probes = 1;
			break;
		case 'f':
			s->page = optarg;
			break;
		case 'l':
			s->stored = open_file(optarg, "a");
			break;
		case 'm':
			s->most = (size_t)number(optarg, BODY_MAX);
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
			s->poison = optarg;
			break;
		default:
			exit(2);
		}
	}
	return port;
}

int
main(int argc, char *argv[])
{
	struct server s = { .lock = PTHREAD_MUTEX_INITIALIZER };
	in_port_t port;
	int fd, count = 0;

	port = parse(&s, argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	fd = listen_on(port);
	for (;;) {
		struct conn *conn = malloc(sizeof(*conn));
		pthread_t thread;

		if (conn == NULL)
			err(1, NULL);
		count++;
		*conn = (struct conn){ .server = &s, .fd = accept(fd, NULL, NULL), .number = count };
		if (conn->fd == -1 || pthread_create(&thread, NULL, serve, conn) != 0)
			err(1, "accept");
		(void)pthread_detach(thread);
	}
}
