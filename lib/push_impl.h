/*
 * For the parts of push alone.
 */
#ifndef OG_PUSH_IMPL_H
#define OG_PUSH_IMPL_H

#include <curl/curl.h>

#include "push.h"

/* A request under way, or a place for one. */
struct push_request {
	CURL *easy;
	struct batch *batch; /* NULL: a probe */
	int busy;
	struct buf answer;
	size_t answered;        /* bytes of body, those not kept included */
	int head_done, chunked; /* of the answer */
	int sendings;           /* of the request; more than one: libcurl's own repetitions */
	char error[CURL_ERROR_SIZE];
};

struct push_queue {
	struct batch *first, **last;
	int n;
};

struct push {
	const struct push_settings *set;
	const struct push_user *user;
	CURLM *multi;
	struct curl_slist *headers;
	struct push_request *request;
	struct pack *pack;
	struct buf plain;        /* a body before it is compressed */
	struct push_queue ready; /* batches that wait for a connection or for their time */
	struct batch *spare;     /* to be used again */
	struct batch *filling;
	int64_t filling_since;
	size_t bytes; /* limit of a batch; a server may lower it */
	int busy;     /* requests under way */
	int probes;   /* answered */
	unsigned probe_tries;
	int64_t probe_when, probe_since;
	int dead_dirty;
	int64_t noted; /* when a person was last told of trouble */
	int interrupted;
	int ended;   /* no more input is read */
	int halted;  /* no request is started any more */
	int aborted; /* nor is one waited for */
	char why[PUSH_WHY + 64];
	struct push_account *account;
};

int64_t push_now(void); /* ms, monotonic */

/* push_dead.c: 0, or -1 with errno */
int push_dead_put(struct push *, uint64_t line, long status, const char *why, const char *text, size_t len);
int push_dead_sync(struct push *);

/* push_http.c: 0, or -1 with errno. What came of a request is told by push_settle(). */
int push_http_open(struct push *);
int push_http_start(struct push *, struct batch *); /* NULL: the next probe */
int push_http_turn(struct push *);
void push_http_close(struct push *);

/* push.c */
void push_settle(struct push *, struct push_request *, enum push_verdict, long status, int64_t after, const char *why);
void push_halt(struct push *, const char *why);

#endif
