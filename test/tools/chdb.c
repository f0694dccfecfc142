/*
 * chdb: a current ClickHouse engine behind a plain HTTP server on loopback
 *
 *	chdb [-p port] library folder
 *
 * The library is libchdb.so, which is the engine without a server. Started in an empty folder, it keeps its data in `folder`, prints its
 * port and serves until it is killed. A query stands in the URL, the data behind it in the body, or all of it in the body; any other
 * parameter is a setting. The engine's words, rows and settings are real; statuses and headers are given here as the server's sources do.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <err.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#include "buf.h"

#define HEAD_MAX 65536
#define BODY_MAX (512UL * 1024 * 1024)

struct chdb_inner;
typedef struct chdb_inner *chdb_connection;
struct chdb_result;

static struct engine {
	pthread_mutex_t lock;
	chdb_connection *connection;
	chdb_connection *(*connect)(int, char **);
	struct chdb_result *(*query)(chdb_connection, const char *, size_t, const char *, size_t);
	char *(*buffer)(struct chdb_result *);
	size_t (*length)(struct chdb_result *);
	const char *(*error)(struct chdb_result *);
	uint64_t (*written)(struct chdb_result *);
	void (*destroy)(struct chdb_result *);
	char version[64];
} engine = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct request {
	char head[HEAD_MAX + 1];
	size_t nhead, nhave, length;
	char encoding[32];
	char *body;
	struct buf sql;
};

/* ---- the engine ---- */

static void
load(const char *library, const char *folder)
{
	static char path[4096];
	static char *args[] = { "clickhouse", path, NULL };
	void *h = dlopen(library, RTLD_NOW);
	const struct {
		const char *name;
		void *to;
	} want[] = { { "chdb_connect", &engine.connect }, { "chdb_query_n", &engine.query }, { "chdb_result_buffer", &engine.buffer },
		{ "chdb_result_length", &engine.length }, { "chdb_result_error", &engine.error },
		{ "chdb_result_rows_written", &engine.written }, { "chdb_destroy_query_result", &engine.destroy } };
	struct chdb_result *r;

	if (h == NULL)
		errx(1, "%s", dlerror());
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		void *symbol = dlsym(h, want[i].name);

		if (symbol == NULL)
			errx(1, "%s: no %s", library, want[i].name);
		memcpy(want[i].to, &symbol, sizeof(symbol));
	}
	(void)snprintf(path, sizeof(path), "--path=%s", folder);
	if ((engine.connection = engine.connect(2, args)) == NULL)
		errx(1, "%s: the engine does not start", folder);
	r = engine.query(*engine.connection, "select version()", 16, "TSV", 3);
	(void)snprintf(engine.version, sizeof(engine.version), "%.*s", (int)strcspn(engine.buffer(r), "\n"), engine.buffer(r));
	engine.destroy(r);
}

/* ---- HTTP ---- */

static void
header(const struct request *q, const char *name, char *to, size_t size)
{
	const char *line = q->head;
	size_t n = strlen(name);

	*to = '\0';
	while ((line = strstr(line, "\r\n")) != NULL && *(line += 2) != '\r')
		if (strncasecmp(line, name, n) == 0 && line[n] == ':')
			(void)snprintf(to, size, "%.*s", (int)strcspn(line + n + 1 + strspn(line + n + 1, " "), "\r"),
			    line + n + 1 + strspn(line + n + 1, " "));
}

/* One request; 0, or -1 when the peer is gone. Bytes behind it stay in the head's room. */
static int
read_request(int fd, struct request *q)
{
	char length[32], *end;
	size_t have = 0;
	ssize_t got;

	q->nhave = 0;
	while (q->head[q->nhave] = '\0', (end = strstr(q->head, "\r\n\r\n")) == NULL) {
		if (q->nhave == HEAD_MAX || (got = read(fd, q->head + q->nhave, HEAD_MAX - q->nhave)) <= 0)
			return -1;
		q->nhave += (size_t)got;
	}
	q->nhead = (size_t)(end + 4 - q->head);
	header(q, "Content-Length", length, sizeof(length));
	header(q, "Content-Encoding", q->encoding, sizeof(q->encoding));
	q->length = strtoul(length, NULL, 10);
	if (q->length > BODY_MAX || (q->body = malloc(q->length + 1)) == NULL)
		return -1;
	have = q->nhave - q->nhead;
	memcpy(q->body, q->head + q->nhead, have < q->length ? have : q->length);
	while (have < q->length) {
		if ((got = read(fd, q->body + have, q->length - have)) <= 0)
			return -1;
		have += (size_t)got;
	}
	return 0;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode in place. */
static void
decode(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to++ = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		} else
			*to++ = *s == '+' ? ' ' : *s;
	}
	*to = '\0';
}

/* A setting as SQL; a quote in it is doubled, a backslash too. */
static void
put_setting(struct buf *b, const char *name, const char *value)
{
	(void)buf_puts(b, b->n == 0 ? " SETTINGS " : ", ");
	(void)buf_puts(b, name);
	(void)buf_puts(b, "='");
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			(void)buf_put(b, value, 1);
		(void)buf_put(b, value, 1);
	}
	(void)buf_puts(b, "'");
}

/* The statement: settings stand before FORMAT in an INSERT, at the end of anything else but what takes none. */
static void
make_sql(struct request *q, char *query, const struct buf *settings)
{
	char *format = strncasecmp(query, "insert", 6) == 0 ? strstr(query, " FORMAT ") : NULL;

	q->sql.n = 0;
	(void)buf_put(&q->sql, query, format == NULL ? strlen(query) : (size_t)(format - query));
	if (format != NULL && settings->n > 0)
		(void)buf_put(&q->sql, settings->p, settings->n);
	if (format != NULL)
		(void)buf_puts(&q->sql, format);
	if (*query != '\0')
		(void)buf_puts(&q->sql, "\n");
	if (strcmp(q->encoding, "gzip") == 0) {
		z_stream z = { .next_in = (unsigned char *)q->body, .avail_in = (unsigned)q->length };
		int state = inflateInit2(&z, 15 + 16);

		while (state == Z_OK) {
			char *room = buf_room(&q->sql, 1048576);

			z.next_out = (unsigned char *)room;
			z.avail_out = room == NULL ? 0 : 1048576;
			state = inflate(&z, Z_NO_FLUSH);
			q->sql.n += 1048576 - z.avail_out;
		}
		(void)inflateEnd(&z);
	} else
		(void)buf_put(&q->sql, q->body, q->length);
}

/* Target to statement. */
static void
read_target(struct request *q)
{
	static const char *const ours[] = { "wait_end_of_query", "database", "user", "password", "query_id" };
	char *target = strchr(q->head, ' '), *word, *value, *query = NULL;
	struct buf settings = { 0 };

	target = target == NULL ? q->head : target + 1;
	target[strcspn(target, " \r\n")] = '\0';
	(void)strsep(&target, "?");
	while ((word = strsep(&target, "&")) != NULL) {
		int own = 0;

		if ((value = strchr(word, '=')) == NULL)
			continue;
		*value++ = '\0';
		decode(word);
		decode(value);
		for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
			own |= strcmp(word, ours[i]) == 0;
		if (strcmp(word, "query") == 0)
			query = value;
		else if (!own)
			put_setting(&settings, word, value);
	}
	make_sql(q, query == NULL ? "" : query, &settings);
	buf_free(&settings);
}

/* As the server maps them. */
static int
status_of(int code)
{
	static const int bad[] = { 6, 25, 26, 27, 38, 41, 43, 53, 62, 69, 70, 72, 117, 130, 131, 349, 376, 386, 441, 467, 691, 0 };
	static const int missing[] = { 16, 46, 47, 50, 60, 73, 81, 115, 0 };

	for (int i = 0; bad[i] != 0; i++)
		if (code == bad[i])
			return 400;
	for (int i = 0; missing[i] != 0; i++)
		if (code == missing[i])
			return 404;
	return code == 516 || code == 497 ? 403 : 500;
}

static void
put_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done <= 0)
			return;
		p += done;
		n -= (size_t)done;
	}
}

static void
answer(int fd, struct request *q)
{
	static const char foreign[] = "HTTP/1.1 400 x\r\nX-ClickHouse-Exception-Code: 89\r\nContent-Length: 53\r\n\r\n"
				      "Code: 89. DB::Exception: Unknown Content-Encoding.  \n";
	char head[512], code[64] = "", text[32768];
	const char *wrong;
	struct chdb_result *r;
	int status = 200, n;

	if (strncmp(q->head, "GET /ping ", 10) == 0) {
		put_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOk.\n", 42);
		return;
	}
	if (*q->encoding != '\0' && strcmp(q->encoding, "gzip") != 0) {
		put_all(fd, foreign, strlen(foreign));
		return;
	}
	read_target(q);
	(void)pthread_mutex_lock(&engine.lock);
	r = engine.query(*engine.connection, q->sql.p, q->sql.n, "TSV", 3);
	if ((wrong = engine.error(r)) != NULL && *wrong != '\0') {
		int number = (int)strtol(wrong + strcspn(wrong, "0123456789"), NULL, 10);

		status = status_of(number);
		(void)snprintf(text, sizeof(text), "%s (version %s (official build))\n", wrong, engine.version);
		(void)snprintf(code, sizeof(code), "X-ClickHouse-Exception-Code: %d\r\n", number);
	}
	n = snprintf(head, sizeof(head),
	    "HTTP/1.1 %d x\r\nContent-Type: text/plain; charset=UTF-8\r\n%sX-ClickHouse-Summary: {\"read_rows\":\"0\",\"written_rows\":\"%llu\"}"
	    "\r\nContent-Length: %zu\r\n\r\n",
	    status, code, status == 200 ? (unsigned long long)engine.written(r) : 0, status == 200 ? engine.length(r) : strlen(text));
	put_all(fd, head, (size_t)n);
	if (status == 200)
		put_all(fd, engine.buffer(r), engine.length(r));
	else
		put_all(fd, text, strlen(text));
	engine.destroy(r);
	(void)pthread_mutex_unlock(&engine.lock);
}

static void *
serve(void *arg)
{
	int fd = *(int *)arg;
	struct request *q = calloc(1, sizeof(*q));

	free(arg);
	while (q != NULL && read_request(fd, q) == 0) {
		answer(fd, q);
		free(q->body);
		q->body = NULL;
	}
	(void)close(fd);
	if (q != NULL) {
		free(q->body);
		buf_free(&q->sql);
	}
	free(q);
	return NULL;
}

int
main(int argc, char *argv[])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int fd, c, one = 1;

	while ((c = getopt(argc, argv, "p:")) != -1) {
		if (c != 'p')
			errx(2, "usage: chdb [-p port] library folder");
		at.sin_port = htons((in_port_t)strtol(optarg, NULL, 10));
	}
	if (argc - optind != 2)
		errx(2, "usage: chdb [-p port] library folder");
	(void)signal(SIGPIPE, SIG_IGN);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(fd, 64) == -1 || getsockname(fd, (struct sockaddr *)&at, &size) == -1)
		err(1, "socket");
	load(argv[optind], argv[optind + 1]);
	(void)printf("%d\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	for (;;) {
		int *peer = malloc(sizeof(*peer));
		pthread_t thread;

		if (peer == NULL || (*peer = accept(fd, NULL, NULL)) == -1 || pthread_create(&thread, NULL, serve, peer) != 0)
			err(1, NULL);
		(void)pthread_detach(thread);
	}
}
