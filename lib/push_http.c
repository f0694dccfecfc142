/*
 * Requests, by libcurl's multi interface.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "push_impl.h"

#define CONNECT_MS 10000L
#define ANSWER_MS 150000     /* a server may hold a request for a minute before it says 503 */
#define IDLE_S 30L           /* servers close idle connections after a minute */
#define UPLOAD_BYTES 262144L /* libcurl's own buffer */
#define AFTER_MAX 300000     /* ms: longest Retry-After that is obeyed */

static size_t
on_header(char *from, size_t size, size_t n, void *arg)
{
	static const char coding[] = "transfer-encoding:";
	struct push_request *r = arg;

	n *= size;
	if (n >= 5 && memcmp(from, "HTTP/", 5) == 0)
		r->head_done = r->chunked = 0;
	else if (n > sizeof(coding) && strncasecmp(from, coding, sizeof(coding) - 1) == 0)
		r->chunked = 1;
	else if (n <= 2 && n > 0 && from[n - 1] == '\n')
		r->head_done = 1;
	return n;
}

/* What is over the bound is counted and dropped: an answer of that size is no receipt, but its status still speaks. */
static size_t
on_body(char *from, size_t size, size_t n, void *arg)
{
	struct push_request *r = arg;
	size_t keep = n *= size;

	r->answered += n;
	if (keep > PUSH_BODY_MAX - r->answer.n)
		keep = PUSH_BODY_MAX - r->answer.n;
	return buf_put(&r->answer, from, keep) == -1 ? 0 : n;
}

/* libcurl sends a request again by itself when a connection that it kept turns out to be closed. The account must know. */
/* NOLINTBEGIN(readability-non-const-parameter): the type is libcurl's */
static int
on_send(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct push_request *r = arg;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	r->sendings++;
	return CURL_PREREQFUNC_OK;
}
/* NOLINTEND(readability-non-const-parameter) */

static int
set_up(struct push *p, struct push_request *r)
{
	CURL *e = r->easy = curl_easy_init();

	if (e == NULL)
		return -1;
	/* libcurl fails to take these only when it was built without what every Debian has, or is out of memory. */
	return curl_easy_setopt(e, CURLOPT_PRIVATE, r) != CURLE_OK || curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->error) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_send) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_PREREQDATA, r) != CURLE_OK || curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_PROXY, "") != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_USERAGENT, p->set->agent) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, IDLE_S) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_HEADERDATA, r) != CURLE_OK || curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_WRITEDATA, r) != CURLE_OK
	    ? -1
	    : 0;
}

static int
add_header(struct push *p, const char *name, const char *value)
{
	char line[256];
	struct curl_slist *longer;
	int n = snprintf(line, sizeof(line), "%s: %s", name, value);

	if (n < 0 || (size_t)n >= sizeof(line) || (longer = curl_slist_append(p->headers, line)) == NULL)
		return -1;
	p->headers = longer;
	return 0;
}

int
push_http_open(struct push *p)
{
	errno = ENOMEM;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (p->multi = curl_multi_init()) == NULL ||
	    (p->request = calloc((size_t)p->set->connections, sizeof(*p->request))) == NULL ||
	    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)p->set->connections) != CURLM_OK)
		return -1;
	for (int i = 0; i < p->set->connections; i++)
		if (set_up(p, &p->request[i]) == -1)
			return -1;
	/* Without "Expect:" libcurl waits a second for servers that never say 100. */
	if (add_header(p, "Content-Type", p->set->type) == -1 || add_header(p, "Expect", "") == -1)
		return -1;
	if (p->set->pack != PACK_NONE)
		return (p->pack = pack_open(p->set->pack)) == NULL ? -1 : add_header(p, "Content-Encoding", pack_name(p->set->pack));
	return 0;
}

/* The body of a batch stays as it is until the batch is delivered or halved. */
static int
make_body(struct push *p, struct batch *b)
{
	if (b->body.n > 0)
		return 0;
	batch_sort(b);
	if (p->pack == NULL)
		return p->user->encode(p->user->arg, b, &b->body);
	p->plain.n = 0;
	if (p->user->encode(p->user->arg, b, &p->plain) == -1)
		return -1;
	return pack_put(p->pack, p->plain.p, p->plain.n, &b->body);
}

/* The body lives until the request is over: in the batch, or in p->plain, which no batch uses before the probes are through. */
static int
aim(struct push *p, struct push_request *r, struct batch *b)
{
	const struct push_probe *probe = b == NULL ? &p->set->probe[p->probes] : NULL;
	const char *url = b == NULL ? probe->url : p->set->url;
	struct buf *body = b == NULL ? &p->plain : &b->body;

	if (b != NULL && make_body(p, b) == -1)
		return -1;
	if (b == NULL && probe->body != NULL) {
		body->n = 0;
		if ((p->pack != NULL ? pack_put(p->pack, probe->body, strlen(probe->body), body) : buf_puts(body, probe->body)) == -1)
			return -1;
	}
	errno = ENOMEM;
	if (curl_easy_setopt(r->easy, CURLOPT_URL, url) != CURLE_OK)
		return -1;
	if (probe != NULL && probe->body == NULL)
		return curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, NULL) != CURLE_OK ||
			curl_easy_setopt(r->easy, CURLOPT_HTTPGET, 1L) != CURLE_OK
		    ? -1
		    : 0;
	return curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, p->headers) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, body->p) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_POST, 1L) != CURLE_OK
	    ? -1
	    : 0;
}

/* The deadline runs from the first sending on, so it bounds a server that never answers, too. */
static int
limit(struct push *p, struct push_request *r, struct batch *b)
{
	int64_t *since = b == NULL ? &p->probe_since : &b->since, now = push_now(), left = ANSWER_MS;

	if (*since == 0)
		*since = now;
	if (p->set->deadline > 0 && *since + p->set->deadline - now < left)
		left = *since + p->set->deadline - now;
	/* 0 would be without end. */
	return curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, left < 1 ? 1L : (long)left) == CURLE_OK ? 0 : -1;
}

int
push_http_start(struct push *p, struct batch *b)
{
	struct push_request *r = p->request;

	while (r->busy)
		r++;
	r->answer.n = r->answered = 0;
	r->head_done = r->chunked = r->sendings = 0;
	r->error[0] = '\0';
	if (aim(p, r, b) == -1)
		return -1;
	if (limit(p, r, b) == -1 || curl_multi_add_handle(p->multi, r->easy) != CURLM_OK) {
		errno = ENOMEM;
		return -1;
	}
	r->batch = b; /* only now: until here it is the caller's */
	r->busy = 1;
	p->busy++;
	p->account->requests++;
	if (b != NULL)
		p->account->bytes += b->body.n;
	return 0;
}

/* Failures that time does not cure; a name that does not resolve today may do so tomorrow. */
static enum push_verdict
verdict_of(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_OUT_OF_MEMORY:
		return PUSH_STOP;
	default:
		return PUSH_AGAIN;
	}
}

/* libcurl takes a head that was cut off, or a body without length that was, for a whole answer. */
static int
complete(const struct push_request *r, long status)
{
	curl_off_t length = -1;

	if (!r->head_done || status < 200)
		return 0;
	if (status == 204 || r->chunked)
		return 1;
	return curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK && length >= 0;
}

static struct push_answer
answer_of(struct push_request *r, long status)
{
	struct push_answer a = { .status = status, .type = "", .location = "", .body = r->answer.p, .len = r->answered };
	struct curl_header *location;
	const char *type = NULL;

	if (curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL)
		a.type = type;
	if (curl_easy_header(r->easy, "Location", 0, CURLH_HEADER, -1, &location) == CURLHE_OK)
		a.location = location->value;
	return a;
}

/* One line, printable, whatever the server put there. */
static void
clean(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = ' ';
}

static void
finish(struct push *p, struct push_request *r, CURLcode code)
{
	char why[PUSH_WHY] = "";
	enum push_verdict verdict;
	long status = 0;
	curl_off_t after = 0, sent = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(r->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	if (code != CURLE_OK) {
		verdict = verdict_of(code);
		(void)snprintf(why, sizeof(why), "%s", r->error[0] != '\0' ? r->error : curl_easy_strerror(code));
	} else if (!complete(r, status)) {
		verdict = PUSH_AGAIN;
		(void)snprintf(why, sizeof(why), "answer cut off, or without its length");
	} else if (buf_put(&r->answer, "", 1) == -1) {
		verdict = PUSH_AGAIN;
		(void)snprintf(why, sizeof(why), "%s", strerror(errno));
	} else {
		const struct push_answer a = answer_of(r, status);

		(void)curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
		verdict = p->user->answer(p->user->arg, r->batch == NULL ? p->probes : -1, &a, why);
		/* These answers come from who has stored nothing. */
		if ((verdict == PUSH_AGAIN && (status == 429 || status == 503)) || (verdict == PUSH_STOP && status >= 300))
			sent = 0;
	}
	clean(why);
	if (r->sendings > 1) {
		p->account->requests += (uint64_t)r->sendings - 1;
		p->account->retries += (uint64_t)r->sendings - 1;
		if (r->batch != NULL)
			r->batch->doubtful = 1;
	}
	if (r->batch != NULL && sent > 0 && verdict != PUSH_TAKEN && verdict != PUSH_SMALLER)
		r->batch->doubtful = 1;
	push_settle(p, r, verdict, code == CURLE_OK ? status : 0, after > AFTER_MAX / 1000 ? AFTER_MAX : after * 1000, why);
}

int
push_http_turn(struct push *p)
{
	CURLMsg *msg;
	int running, left;

	if (curl_multi_perform(p->multi, &running) != CURLM_OK) {
		errno = ENOMEM;
		return -1;
	}
	while ((msg = curl_multi_info_read(p->multi, &left)) != NULL) {
		struct push_request *r = NULL;
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE || curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &r) != CURLE_OK || r == NULL)
			continue;
		(void)curl_multi_remove_handle(p->multi, r->easy);
		r->busy = 0;
		p->busy--;
		finish(p, r, code);
		r->batch = NULL;
	}
	return 0;
}

void
push_http_close(struct push *p)
{
	for (int i = 0; p->request != NULL && i < p->set->connections; i++) {
		struct push_request *r = &p->request[i];

		if (r->busy)
			(void)curl_multi_remove_handle(p->multi, r->easy);
		curl_easy_cleanup(r->easy);
		buf_free(&r->answer);
		batch_free(r->batch);
	}
	free(p->request);
	(void)curl_multi_cleanup(p->multi);
	curl_slist_free_all(p->headers);
	pack_close(p->pack);
	buf_free(&p->plain);
	curl_global_cleanup();
}
