/*
 * For the parts of push alone.
 */
#ifndef OG_PUSH_IMPL_H
#define OG_PUSH_IMPL_H

#include <curl/curl.h>

#include "hist.h"
#include "pool.h"
#include "push.h"

/* A request under way, or a place for one. */
struct push_request {
	CURL *easy;
	struct batch *batch; /* NULL: a question */
	int busy;
	struct buf url;
	struct buf answer;
	size_t answered;        /* bytes of body, those not kept included */
	int head_done, chunked; /* of the answer */
	char type[128];         /* Content-Type of the answer, without secrets */
	int64_t late;           /* ms: its time is over */
	curl_off_t sent;        /* bytes of the request's body when the head was there */
	int sendings;           /* of the request; more than one: libcurl's own repetitions */
	char error[CURL_ERROR_SIZE];
};

/* How a request ended. */
struct push_end {
	CURLcode code;
	enum push_verdict verdict; /* what code and status say by themselves */
	long status;               /* 0: no complete answer */
	int64_t after;             /* ms: Retry-After */
	int64_t took;              /* us */
	char why[PUSH_WHY];
};

struct push_queue {
	struct batch *first, **last;
	int n;
	size_t bytes; /* of text */
};

/* How many requests may be under way: one more while answers stay quick, fewer when they slow or refuse. */
struct push_limit {
	double allowed;
	int most;
	int reached, refused; /* since the last change */
	int n;                /* answers since then, and their time in us */
	double sum;
	double mean, spread; /* of earlier ones; 0: none */
};

/* A refused record. */
struct push_known {
	uint64_t line, hash; /* of its text */
};

struct push_journal {
	struct batch_place place; /* as it was written last: what is before it is settled */
	uint64_t reach;           /* lines up to this one may be sent */
	uint64_t read;            /* lines read when that was written */
	uint64_t *cut;            /* last lines of batches that were not cut by their size, in order */
	size_t ncut, cuts;
	uint64_t sent;       /* lines up to this one an earlier run may have sent */
	int stale;           /* a cut is not written yet */
	int old;             /* it is that of an earlier run */
	int frozen;          /* it stays as it is: the input is not at its place, or what is behind that has been lost sight of */
	int64_t when, since; /* ms: of the next writing; of the first failure */
	unsigned failed;     /* times in a row */
	uint64_t tail;       /* of the input before its place; 0: unknown */
	uint64_t head;       /* of the lines before the first record; 0: none */
	uint64_t dead;       /* bytes of the dead-letter file when the journal began */
	uint64_t *bad;       /* lines refused behind its place */
	size_t nbad, bads;
	uint64_t refused;   /* before it */
	int fd;             /* of the file as it was written last, which locks it */
	char *name, *fresh; /* its own, and that of the one that will take its place */
};

struct push {
	const struct push_settings *set;
	const struct push_user *user;
	CURLM *multi;
	struct curl_slist *headers, *plain_headers; /* of a batch, of a GET */
	struct curl_slist **old;                    /* lists that requests may still use */
	size_t nold;
	char *credentials[2];         /* user, password */
	struct buf secrets;           /* strings that no message may hold, a NUL behind each */
	int64_t reread;               /* ms: when the files of secrets may be read again */
	struct push_request *request; /* connections + 1, the last for questions */
	struct pack *pack;            /* for questions */
	struct pool *pool;
	int threads;
	struct buf plain;          /* body of a question */
	struct push_queue ready;   /* batches that wait for a connection or for their time */
	struct push_queue packing; /* given to the pool */
	struct push_queue packed;  /* back from it */
	struct push_queue kept;    /* accepted, in settlement */
	struct push_queue lost;    /* accepted by a server that is no more */
	struct batch *spare;       /* to be used again */
	struct batch *filling;
	struct batch_place open; /* of the first of the lines that belong together, while they go on; line 0: none */
	uint64_t stages;         /* begun behind the first one */
	int64_t filling_since;
	uint64_t hash;   /* of all lines of a pipe so far, which cannot be read again; else 0 */
	int64_t origin;  /* offset of the input's first byte in its file; -1: no regular file */
	int fd;          /* of the input */
	size_t too_much; /* bytes of lines that the server called too much; 0: none yet */
	size_t took;     /* most bytes of lines that it took at once */
	int busy;        /* requests with batches under way */
	struct push_limit limit;
	/* the server's life */
	struct push_life life;
	int64_t grown;      /* ms: until then a server that takes its place could have begun in the same second; nothing is sent */
	unsigned nlife;     /* its number; batches sent before it changed are not settled by it */
	int mute;           /* it does not tell */
	int untold;         /* answers in a row that did not tell */
	int unsure;         /* a connection was lost: before it is known who answers now, nothing is sent */
	int64_t asked_life; /* ms: when it was asked last */
	int asking;         /* that question is under way */
	int barrier_off;
	/* questions */
	const struct push_question *question;
	struct curl_slist *question_headers;
	struct push_end asked;
	struct push_answer *asked_answer;
	int question_done;
	/* dead letters */
	int dead;        /* descriptor, -1: none */
	struct buf late; /* not yet written, but for its first late_done bytes */
	size_t late_done;
	int dead_dirty;
	uint64_t dead_size; /* when it was opened */
	int64_t dead_when, dead_since;
	unsigned dead_failed;
	struct push_known *known; /* what it holds from before */
	size_t nknown;
	struct push_journal journal;
	char mark[33];
	/* statistics */
	int stats;
	int64_t began, tick;
	struct hist times;
	int signals;
	int64_t noted;   /* when a person was last told of trouble */
	int64_t give_up; /* ms: of the drain; 0: not draining */
	int begun;       /* the server was asked what must be known */
	int trusted;     /* it took something already */
	int interrupts;
	int ended;   /* no more input is read */
	int whole;   /* the input was read to its end */
	int halted;  /* no request is started any more */
	int aborted; /* nor is one waited for */
	char why[PUSH_WHY + 64];
	struct rec *in;
	struct push_account *account, none;
};

/* push.c */
int64_t push_now(void);                                           /* ms, monotonic */
int push_wrong(struct push *, const char *name, const char *why); /* while opening: of a file; why NULL: errno. -1 */
int64_t push_backoff(unsigned tries);                             /* ms: exponential, with full jitter */
void push_note(struct push *, const char *why, int again);
/* These are in no batch any more: the journal's place stays where it was written last. */
void push_lose(struct push *, uint64_t n, uint64_t first, int doubtful);
/* What a signal says, if there is one. */
void push_interrupt(struct push *);

/* push_batch.c: batches from lines */
struct batch *push_spare(struct push *);
void push_give(struct push *, struct batch *);
void push_last(struct push_queue *, struct batch *);
void push_first(struct push_queue *, struct batch *);
struct batch *push_take(struct push_queue *);       /* NULL: none */
struct batch *push_due(struct push *, int64_t now); /* of those that are ready; NULL: none */
/* May it not be sent because of others? `stage`: what push_stage() says. */
int push_must_wait(const struct push *, const struct batch *, uint64_t stage);
uint64_t push_stage(const struct push *); /* the earliest of all batches that are not accepted */
void push_take_out(struct push_queue *, const struct batch *);
void push_refuse(struct push *, uint64_t line, long status, const char *why, const char *text, size_t len);
/* Lines that are here, until a batch is full or the next one would have to be waited for. 0, or -1 with errno. */
int push_lines(struct push *, struct rec *in);
void push_close_late(struct push *);
int push_may_close(const struct push *); /* because its time is up */
int push_wants(const struct push *);     /* input */

/* push_settle.c: what came of a batch, and whether it lasts */
void push_judge(struct push *, struct push_request *, const struct push_end *, const struct push_answer *);
/* Settle what is old enough, ask for the server's life, bring back what was lost. 0, or -1 with errno. */
int push_settle(struct push *);
void push_heard(struct push *, const struct push_end *, const struct push_answer *);
int64_t push_settle_when(const struct push *); /* ms; INT64_MAX: nothing to wait for */
void push_new_life(struct push *);
int push_ask_life(struct push *); /* and wait for the answer: 0, or -1 after push_stop() */
/* Divide a batch that is known to be too much. 0, or -1 with errno */
int push_fit(struct push *, struct batch *);
/* The lines of a batch that was lost, as a new one. 0, or -1 with errno or push_stop() */
int push_replay(struct push *, struct batch *old);

/* push_limit.c */
void push_limit_open(struct push_limit *, int most);
int push_limit(const struct push_limit *);
void push_limit_answer(struct push_limit *, double us, int under_way);
void push_limit_refused(struct push_limit *);
void push_limit_lost(struct push_limit *); /* no connection: from one on */

/* push_dead.c: 0, or -1 with errno */
int push_dead_open(struct push *);
int push_dead_put(struct push *, uint64_t line, long status, const char *why, const char *text, size_t len);
void push_dead_sync(struct push *); /* what cannot be written now is tried again */
void push_dead_close(struct push *);
int push_may_pass(int error); /* an error that somebody may mend while the load waits, as a full disk */

/* push_journal.c: 0, or -1 */
int push_journal_open(struct push *);
int push_journal_skip(struct push *);                  /* to where it says; -1 after push_stop() */
int push_journal_reach(struct push *, struct batch *); /* may it be sent? */
void push_journal_cut(struct push *, uint64_t line);   /* a batch ends there though it is not full */
int push_journal_is_cut(const struct push *, uint64_t line);
int push_journal_refused(struct push *, uint64_t line);
uint64_t push_journal_hash(uint64_t hash, const char *line, size_t len); /* with one line more */
void push_journal_turn(struct push *);
int push_journal_end(struct push *); /* 0, or -1: not written */
void push_journal_close(struct push *);

/* push_auth.c */
int push_auth_open(struct push *);
void push_auth_again(struct push *);
void push_auth_mask(const struct push *, char *why);
void push_auth_hide(const struct push *, char *text, size_t len); /* the same, by as many asterisks */
/* A text without secrets, as much of it as there is room for. */
void push_auth_cut(const struct push *, const char *text, size_t len, char *to, size_t size);
/* One line, printable, whatever a server put there. */
void push_clean(char *);
void push_auth_close(struct push *);

/* push_stats.c */
int push_stats_open(struct push *);
void push_stats_turn(struct push *, int last);
void push_stats_close(struct push *);

/* push_http.c: 0, or -1 with errno */
int push_http_open(struct push *);
int push_http_start(struct push *, struct batch *);
int push_http_pack(struct push *, struct batch *); /* 1: it was given to the pool; 0: nothing to do */
int push_http_packed(struct push *);               /* what the pool has done is taken back */
int push_http_ask(struct push *, const struct push_question *);
int push_http_turn(struct push *);
int64_t push_http_late(const struct push *); /* ms: when a request has to be ended; INT64_MAX: none is under way */
void push_http_drop(struct push *, struct push_request *);
void push_http_close(struct push *);

#endif
