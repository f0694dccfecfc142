#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pool.h"

struct job {
	struct job *next;
	const struct buf *from;
	struct buf *to;
	void *tag;
	int error;
};

struct queue {
	struct job *first, **last;
};

struct worker {
	struct pool *pool;
	struct pack *pack;
	pthread_t thread;
};

struct pool {
	pthread_mutex_t lock; /* of todo, done, closing, and with done of the count in fd: more than 0 while done holds something */
	pthread_cond_t more;
	struct queue todo, done;
	int closing;
	int fd;
	struct job *spare; /* the caller's alone */
	int nworkers;
	struct worker worker[];
};

static void
append(struct queue *q, struct job *j)
{
	j->next = NULL;
	*q->last = j;
	q->last = &j->next;
}

/* The first job, or NULL. */
static struct job *
take_first(struct queue *q)
{
	struct job *j = q->first;

	if (j != NULL && (q->first = j->next) == NULL)
		q->last = &q->first;
	return j;
}

static void
free_jobs(struct job *j)
{
	while (j != NULL) {
		struct job *next = j->next;

		free(j);
		j = next;
	}
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		struct job *j;

		while (!p->closing && p->todo.first == NULL)
			(void)pthread_cond_wait(&p->more, &p->lock);
		if (p->closing)
			break;
		j = take_first(&p->todo);
		(void)pthread_mutex_unlock(&p->lock);
		j->error = pack_put(w->pack, j->from->p, j->from->n, j->to) == -1 ? errno : 0;
		(void)pthread_mutex_lock(&p->lock);
		/* Written once until it is read: the count cannot overflow, so the write neither fails nor blocks. */
		if (p->done.first == NULL)
			(void)!write(p->fd, &one, sizeof(one));
		append(&p->done, j);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* One more worker; 0, or -1 with errno. */
static int
add_worker(struct pool *p, enum pack_form form)
{
	struct worker *w = &p->worker[p->nworkers];
	int error;

	w->pool = p;
	if ((w->pack = pack_open(form)) == NULL)
		return -1;
	if ((error = pthread_create(&w->thread, NULL, work, w)) != 0) {
		pack_close(w->pack);
		errno = error;
		return -1;
	}
	p->nworkers++;
	return 0;
}

struct pool *
pool_open(enum pack_form form, int threads)
{
	sigset_t all, before;
	struct pool *p;
	int failed = 0, error;

	if (form == PACK_NONE || threads < 1) {
		errno = EINVAL;
		return NULL;
	}
	if ((p = calloc(1, sizeof(*p) + (size_t)threads * sizeof(p->worker[0]))) == NULL)
		return NULL;
	if ((p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1) {
		free(p);
		return NULL;
	}
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->more, NULL);
	p->todo.last = &p->todo.first;
	p->done.last = &p->done.first;
	/* A thread starts with the mask of the one that makes it. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (int i = 0; i < threads && !failed; i++)
		failed = add_worker(p, form);
	error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		pool_close(p);
		errno = error;
		return NULL;
	}
	return p;
}

int
pool_put(struct pool *p, const struct buf *from, struct buf *to, void *tag)
{
	struct job *j = p->spare;

	if (j != NULL)
		p->spare = j->next;
	else if ((j = malloc(sizeof(*j))) == NULL)
		return -1;
	*j = (struct job){ .from = from, .to = to, .tag = tag };
	(void)pthread_mutex_lock(&p->lock);
	append(&p->todo, j);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_cond_signal(&p->more);
	return 0;
}

int
pool_fd(const struct pool *p)
{
	return p->fd;
}

void *
pool_take(struct pool *p, int *error)
{
	struct job *j;
	uint64_t count;

	(void)pthread_mutex_lock(&p->lock);
	if ((j = take_first(&p->done)) != NULL && p->done.first == NULL)
		(void)!read(p->fd, &count, sizeof(count));
	(void)pthread_mutex_unlock(&p->lock);
	if (j == NULL)
		return NULL;
	*error = j->error;
	j->next = p->spare;
	p->spare = j;
	return j->tag;
}

void
pool_close(struct pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->closing = 1;
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_cond_broadcast(&p->more);
	for (int i = 0; i < p->nworkers; i++) {
		(void)pthread_join(p->worker[i].thread, NULL);
		pack_close(p->worker[i].pack);
	}
	free_jobs(p->todo.first);
	free_jobs(p->done.first);
	free_jobs(p->spare);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->more);
	(void)close(p->fd);
	free(p);
}
