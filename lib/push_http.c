/*
 * Requests, by libcurl's multi interface.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "push_impl.h"

#define LATE 100 /* ms that libcurl has to end a request whose time is over */
#define CONNECT_MS 10000L
#define ANSWER_MS 150000     /* a server may hold a request for a minute before it says 503 */
#define IDLE_S 2L            /* the most impatient server closes an idle connection after three seconds */
#define UPLOAD_BYTES 262144L /* libcurl's own buffer */
#define AFTER_MAX 300000     /* ms: longest Retry-After that is obeyed */
#define WORDS 160            /* bytes of a server's text that are passed on */

/* Other codings do not tell where the body ends: RFC 9112, section 6.3. */
static int
ends_chunked(const char *line, size_t n)
{
	static const char word[] = "chunked";

	while (n > 0 && strchr(" \t\r\n", line[n - 1]) != NULL)
		n--;
	return n >= sizeof(word) - 1 && strncasecmp(line + n - (sizeof(word) - 1), word, sizeof(word) - 1) == 0;
}

static size_t
on_header(char *from, size_t size, size_t n, void *arg)
{
	static const char coding[] = "transfer-encoding:";
	struct push_request *r = arg;

	n *= size;
	if (n >= 5 && memcmp(from, "HTTP/", 5) == 0)
		r->head_done = r->chunked = 0;
	else if (n > sizeof(coding) && strncasecmp(from, coding, sizeof(coding) - 1) == 0)
		r->chunked = ends_chunked(from, n);
	else if (n <= 2 && n > 0 && from[n - 1] == '\n')
		r->head_done = curl_easy_getinfo(r->easy, CURLINFO_SIZE_UPLOAD_T, &r->sent) == CURLE_OK;
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
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) != CURLE_OK ||
		(p->set->ca != NULL && curl_easy_setopt(e, CURLOPT_CAINFO, p->set->ca) != CURLE_OK) ||
		curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, IDLE_S) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_HEADERDATA, r) != CURLE_OK || curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
		curl_easy_setopt(e, CURLOPT_WRITEDATA, r) != CURLE_OK
	    ? -1
	    : 0;
}

int
push_http_open(struct push *p)
{
	int all = p->set->connections + 1;

	errno = ENOMEM;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (p->multi = curl_multi_init()) == NULL ||
	    (p->request = calloc((size_t)all, sizeof(*p->request))) == NULL ||
	    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)all) != CURLM_OK)
		return -1;
	for (int i = 0; i < all; i++)
		if (set_up(p, &p->request[i]) == -1)
			return -1;
	if (p->set->pack == PACK_NONE)
		return 0;
	p->threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (p->threads > p->set->connections || p->threads < 1)
		p->threads = p->set->connections;
	return (p->pack = pack_open(p->set->pack)) == NULL || (p->pool = pool_open(p->set->pack, p->threads)) == NULL ? -1 : 0;
}

/* Lines that are sent as they are need no body of their own. */
static const struct buf *
body_of(const struct push *p, const struct batch *b)
{
	return p->user->encode == NULL && p->pool == NULL ? &b->text : &b->body;
}

/* The body of a batch stays as it is until the batch is delivered or divided. */
int
push_http_pack(struct push *p, struct batch *b)
{
	struct buf *plain = p->pool == NULL ? &b->body : &b->plain;

	if (b->body.n > 0)
		return 0;
	batch_sort(b);
	if (p->user->encode != NULL && p->user->encode(p->user->arg, b, plain) == -1)
		return -1;
	if (p->pool == NULL)
		return 0;
	if (pool_put(p->pool, p->user->encode == NULL ? &b->text : plain, &b->body, b) == -1) {
		plain->n = 0;
		return -1;
	}
	push_last(&p->packing, b);
	return 1;
}

int
push_http_packed(struct push *p)
{
	struct batch *b;
	int error;

	while ((b = pool_take(p->pool, &error)) != NULL) {
		push_take_out(&p->packing, b);
		b->plain.n = 0;
		if (error == 0) {
			push_last(&p->packed, b);
			continue;
		}
		b->body.n = 0;
		push_first(&p->ready, b);
		errno = error;
		return -1;
	}
	return 0;
}

static int
post(struct push_request *r, struct curl_slist *headers, const char *body, size_t n)
{
	return curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_POST, 1L) != CURLE_OK
	    ? -1
	    : 0;
}

static int
get(struct push_request *r, struct curl_slist *headers)
{
	return curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_HTTPGET, 1L) != CURLE_OK
	    ? -1
	    : 0;
}

/* What every request needs; `left`: ms until it is given up. */
static int
prepare(struct push *p, struct push_request *r, const char *url, const struct buf *query, int64_t left)
{
	r->answer.n = r->answered = 0;
	r->head_done = r->chunked = r->sendings = 0;
	r->sent = 0;
	r->late = push_now() + (left < 1 ? 1 : left);
	r->error[0] = '\0';
	r->url.n = 0;
	if (buf_puts(&r->url, url) == -1 || (query != NULL && buf_put(&r->url, query->p, query->n) == -1) || buf_put(&r->url, "", 1) == -1)
		return -1;
	errno = ENOMEM;
	if (p->credentials[0] != NULL &&
	    (curl_easy_setopt(r->easy, CURLOPT_USERNAME, p->credentials[0]) != CURLE_OK ||
		curl_easy_setopt(r->easy, CURLOPT_PASSWORD, p->credentials[1]) != CURLE_OK))
		return -1;
	return curl_easy_setopt(r->easy, CURLOPT_URL, r->url.p) != CURLE_OK ||
		/* 0 would be without end. */
		curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, left < 1 ? 1L : (long)left) != CURLE_OK
	    ? -1
	    : 0;
}

static int
go(struct push *p, struct push_request *r)
{
	if (curl_multi_add_handle(p->multi, r->easy) != CURLM_OK) {
		errno = ENOMEM;
		return -1;
	}
	r->busy = 1;
	p->account->requests++;
	return 0;
}

static int
set_method(const struct push *p, struct push_request *r, const char *method, const struct buf *body)
{
	/* A handle that was used for another method keeps its name. */
	if (curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK)
		return -1;
	return method != NULL && strcmp(method, "GET") == 0 ? get(r, p->plain_headers) : post(r, p->headers, body->p, body->n);
}

int
push_http_start(struct push *p, struct batch *b)
{
	struct push_request *r = p->request;
	const struct buf *body = body_of(p, b);
	int64_t now = push_now(), left = ANSWER_MS;

	while (r->busy)
		r++;
	/* The deadline runs from the first sending on, so it bounds a server that never answers, too. */
	if (b->since == 0)
		b->since = now;
	if (p->set->deadline > 0 && b->since + p->set->deadline - now < left)
		left = b->since + p->set->deadline - now;
	if (prepare(p, r, p->set->url, &b->query, left) == -1 || set_method(p, r, b->method, body) == -1 || go(p, r) == -1)
		return -1;
	b->life = p->nlife;
	r->batch = b; /* only now: until here it is the caller's */
	p->busy++;
	p->account->bytes += body->n;
	p->account->sent += b->nrec;
	return 0;
}

/* Those of the files, and the type. */
static int
question_headers(struct push *p, const char *type)
{
	char line[256];
	struct curl_slist *longer;

	curl_slist_free_all(p->question_headers);
	p->question_headers = NULL;
	(void)snprintf(line, sizeof(line), "Content-Type: %s", type == NULL ? "text/plain" : type);
	if ((p->question_headers = curl_slist_append(NULL, line)) == NULL)
		return -1;
	for (const struct curl_slist *h = p->plain_headers; h != NULL; h = h->next) {
		if ((longer = curl_slist_append(p->question_headers, h->data)) == NULL)
			return -1;
		p->question_headers = longer;
	}
	return 0;
}

/* ms until an answer is late: what waits for it may have been tried for long already. */
static int64_t
patience(const struct push *p)
{
	int64_t now = push_now(), end = now + ANSWER_MS;

	if (p->set->deadline == 0)
		return ANSWER_MS;
	if (now + p->set->deadline < end)
		end = now + p->set->deadline;
	for (const struct batch *b = p->ready.first; b != NULL; b = b->next)
		if (b->since > 0 && b->since + p->set->deadline < end)
			end = b->since + p->set->deadline;
	return end - now;
}

int
push_http_ask(struct push *p, const struct push_question *q)
{
	struct push_request *r = &p->request[p->set->connections];

	if (prepare(p, r, q->url, NULL, patience(p)) == -1)
		return -1;
	if (q->body == NULL) {
		if (get(r, p->plain_headers) == -1)
			return -1;
		return go(p, r);
	}
	if (!q->packed && question_headers(p, q->type) == -1)
		return -1;
	/* Nothing else uses this buffer while a question is under way that is packed. */
	p->plain.n = 0;
	if ((q->packed && p->pack != NULL ? pack_put(p->pack, q->body, q->len, &p->plain) : buf_put(&p->plain, q->body, q->len)) == -1 ||
	    post(r, q->packed ? p->headers : p->question_headers, p->plain.p, p->plain.n) == -1)
		return -1;
	return go(p, r);
}

void
push_http_drop(struct push *p, struct push_request *r)
{
	if (r->busy)
		(void)curl_multi_remove_handle(p->multi, r->easy);
	r->busy = 0;
}

/* Failures that time does not cure; a name that does not resolve today may do so tomorrow. */
static enum push_verdict
verdict_of(const struct push_request *r, CURLcode code)
{
	/* Then it is the answer that is at fault: not HTTP, or with a head without end. */
	if (r->sendings > 0)
		return PUSH_AGAIN;
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
answer_of(const struct push *p, struct push_request *r, long status)
{
	struct push_answer a = {
		.status = status, .type = r->type, .location = "", .body = r->answer.p, .len = r->answered, .of = r->easy
	};
	const char *type = NULL, *location;

	if (curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK || type == NULL)
		type = "";
	/* It is shown, so it is treated as all words of a server. */
	push_auth_cut(p, type, strlen(type), r->type, sizeof(r->type));
	push_clean(r->type);
	if ((location = push_header(&a, "Location")) != NULL)
		a.location = location;
	return a;
}

const char *
push_header(const struct push_answer *a, const char *name)
{
	struct curl_header *h;

	return curl_easy_header(a->of, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* A query may hold a token. */
void
push_says(const struct push *p, const struct push_answer *a, char why[PUSH_WHY])
{
	char text[WORDS + 1];

	push_auth_cut(p, a->body, a->len < PUSH_BODY_MAX ? a->len : PUSH_BODY_MAX, text, sizeof(text));
	if (a->status < 300 || a->status > 399) {
		(void)snprintf(why, PUSH_WHY, "%ld: %s", a->status, *text == '\0' ? "no reason given" : text);
		push_clean(why);
		return;
	}
	push_auth_cut(p, a->location, strcspn(a->location, "?#"), text, sizeof(text));
	if (*text == '\0')
		(void)snprintf(why, PUSH_WHY, "%ld: redirects are not followed", a->status);
	else
		(void)snprintf(why, PUSH_WHY, "%ld: redirects are not followed (Location: %s)", a->status, text);
	push_clean(why);
}

/*
 * Success that was said before all of the body was sent is no receipt. After libcurl's own second try the count is that of this try: whole
 * when it was answered.
 */
static int
is_early(const struct push *p, const struct push_request *r)
{
	const struct batch *b = r->batch;

	return b != NULL && (b->method == NULL || strcmp(b->method, "GET") != 0) && r->sent < (curl_off_t)body_of(p, b)->n;
}

/* 1 when there is an answer. */
static int
read_answer(struct push *p, struct push_request *r, CURLcode code, struct push_end *end, struct push_answer *a)
{
	curl_off_t after = 0, took = 0;
	long status = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(r->easy, CURLINFO_TOTAL_TIME_T, &took);
	*end = (struct push_end){ .code = code, .verdict = PUSH_AGAIN, .took = took };
	if (code != CURLE_OK) {
		end->verdict = verdict_of(r, code);
		(void)snprintf(end->why, sizeof(end->why), "%s",
		    r->sendings > 0 && code == CURLE_OUT_OF_MEMORY ? "the head of the answer is too long"
			: r->error[0] != '\0'                      ? r->error
								   : curl_easy_strerror(code));
		push_clean(end->why);
		push_auth_mask(p, end->why);
		return 0;
	}
	if (!complete(r, status) || buf_put(&r->answer, "", 1) == -1) {
		end->code = CURLE_PARTIAL_FILE;
		(void)snprintf(end->why, sizeof(end->why), "answer cut off, or without its length");
		return 0;
	}
	if (push_verdict(status) == PUSH_TAKEN && is_early(p, r)) {
		end->code = CURLE_SEND_ERROR;
		(void)snprintf(end->why, sizeof(end->why), "%ld before the records were sent whole", status);
		return 0;
	}
	/* Whoever looks at it may cut it anywhere. */
	push_auth_hide(p, r->answer.p, r->answer.n);
	*a = answer_of(p, r, status);
	end->status = status;
	end->verdict = push_verdict(status);
	(void)curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
	end->after = after > AFTER_MAX / 1000 ? AFTER_MAX : after * 1000;
	push_says(p, a, end->why);
	return 1;
}

static void
finish(struct push *p, struct push_request *r, CURLcode code)
{
	struct push_end end;
	struct push_answer a = { 0 };
	int answered = read_answer(p, r, code, &end, &a);

	if (r->sendings > 1) {
		p->account->requests += (uint64_t)r->sendings - 1;
		p->account->retries += (uint64_t)r->sendings - 1;
		if (r->batch != NULL) {
			p->account->sent += ((uint64_t)r->sendings - 1) * r->batch->nrec;
			p->account->bytes += ((uint64_t)r->sendings - 1) * body_of(p, r->batch)->n;
		}
	}
	if (r->batch != NULL) {
		p->busy--;
		push_judge(p, r, &end, answered ? &a : NULL);
	} else if (p->asking) {
		p->asking = 0;
		push_heard(p, &end, &a);
	} else {
		p->asked = end;
		if (answered && p->question->verdict != NULL)
			p->asked.verdict = p->question->verdict(&a);
		*p->asked_answer = a;
		p->question_done = 1;
	}
}

int64_t
push_http_late(const struct push *p)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i <= p->set->connections; i++)
		if (p->request[i].busy && p->request[i].late + LATE < least)
			least = p->request[i].late + LATE;
	return least;
}

/* libcurl's own clock begins anew with its own second try. */
static void
end_late(struct push *p)
{
	int64_t now = push_now();

	for (int i = 0; i <= p->set->connections; i++) {
		struct push_request *r = &p->request[i];

		if (!r->busy || r->late + LATE > now)
			continue;
		push_http_drop(p, r);
		finish(p, r, CURLE_OPERATION_TIMEDOUT);
		r->batch = NULL;
	}
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
		push_http_drop(p, r);
		finish(p, r, code);
		r->batch = NULL;
	}
	end_late(p);
	return 0;
}

void
push_http_close(struct push *p)
{
	for (int i = 0; p->request != NULL && i <= p->set->connections; i++) {
		struct push_request *r = &p->request[i];

		push_http_drop(p, r);
		curl_easy_cleanup(r->easy);
		buf_free(&r->answer);
		buf_free(&r->url);
		batch_free(r->batch);
	}
	free(p->request);
	curl_slist_free_all(p->question_headers);
	(void)curl_multi_cleanup(p->multi);
	if (p->pool != NULL)
		pool_close(p->pool);
	pack_close(p->pack);
	buf_free(&p->plain);
	curl_global_cleanup();
}
