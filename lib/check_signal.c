/*
 * Signals against each other. What the lines measure is made as og-metrics makes it, and compared with samples metric by metric: how many,
 * their sum, and the sum of a key of each, which depends neither on their order nor on how they are written.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_impl.h"
#include "mix.h"

enum { OF_LINES, OF_SAMPLES };

#define HELD (4 << 20)  /* bytes of samples of one line */
#define METRICS_MAX 512 /* that are told apart */

int
check_measure(struct check *c, const char *labels, int64_t interval, int deltas, char *err, size_t errsize)
{
	struct signals *s = &c->signals;
	const struct agg_histogram *h;
	const char *layout = c->cat->layout[c->plan.layout].name;
	FILE *file = NULL;
	int n, fd = -1;

	s->measure = measure_open(c->cat, layout, interval == 0 ? NULL : labels, err, errsize, NULL, NULL);
	if (s->measure == NULL)
		return -1;
	s->interval = interval;
	s->hold = measure_hold(c->cat);
	/* Aggregates are no more than their label sets and intervals: a file takes them. */
	if (interval != 0 && ((file = tmpfile()) == NULL || (fd = dup(fileno(file))) == -1))
		goto fail;
	if (file != NULL)
		(void)fclose(file);
	if (out_open(&s->out, fd, interval == 0 ? HELD : 0) == -1 || (s->json = json_reader(sample_keys, S_KEYS)) == NULL)
		goto fail;
	h = measure_histograms(s->measure, &n);
	if (interval != 0 && (s->agg = agg_open(&s->out, h, n, interval, s->hold, !deltas)) == NULL)
		goto fail;
	check_applies(c, P_SIGNALS, 1, NULL);
	return 0;
fail:
	(void)snprintf(err, errsize, "samples: %s", strerror(errno));
	return -1;
}

void
signals_free(struct check *c)
{
	struct signals *s = &c->signals;

	measure_free(s->measure);
	agg_free(s->agg);
	json_reader_free(s->json);
	keys_free(&s->metric_of);
	for (int i = 0; i < s->ntallies; i++)
		free(s->tally[i].metric);
	free(s->tally);
	s->out.len = 0;
	if (s->out.buf != NULL)
		(void)out_close(&s->out);
}

static struct tally *
tally_of(struct check *c, struct json_value metric)
{
	struct signals *s = &c->signals;
	char name[CHECK_WORD];
	int fresh;
	uint64_t *at;

	at = keys_find(&s->metric_of, value_key(metric));
	if (at != NULL)
		return &s->tally[*at];
	if (s->ntallies == METRICS_MAX || json_text(metric, name, sizeof(name)) < 0)
		return NULL;
	if (s->ntallies == s->maxtallies) {
		int max = s->maxtallies + 64;
		struct tally *more = reallocarray(s->tally, (size_t)max, sizeof(*more));

		if (more == NULL)
			return NULL;
		s->tally = more;
		s->maxtallies = max;
	}
	s->tally[s->ntallies] = (struct tally){ .metric = strdup(name) };
	if (s->tally[s->ntallies].metric == NULL || (at = keys_put(&s->metric_of, value_key(metric), &fresh)) == NULL)
		return NULL;
	*at = (uint64_t)s->ntallies;
	return &s->tally[s->ntallies++];
}

/* 0, or -1: no sample. */
static int
count_sample(struct check *c, const char *line, size_t len, int side)
{
	struct json_value v[S_KEYS] = { { NULL, 0 } }, key, tag;
	const char *e, *next = NULL;
	struct tally *t;
	uint64_t sum = 0;
	agg_int value;
	int64_t us;

	if (json_read(c->signals.json, line, len, v, &e) == -1 || !json_is_string(v[S_METRIC]) || json_is_null(v[S_TAGS]) ||
	    v[S_TAGS].p[0] != '{' || json_scaled(v[S_TS], 6, &us) == -1 || v[S_VALUE].p == NULL ||
	    agg_number(v[S_VALUE].p, v[S_VALUE].n, S_PLACES, &value) == -1)
		return -1;
	if ((t = tally_of(c, v[S_METRIC])) == NULL)
		return -1;
	while (json_member(v[S_TAGS], &next, &key, &tag) == 1)
		sum += mix(mix_name(key.p, key.n) ^ mix(value_key(tag)));
	sum = mix(sum + mix((uint64_t)us)) + mix((uint64_t)value * MIX_G ^ (uint64_t)(value >> 64));
	t->sum[side] += mix(sum ^ mix(value_key(v[S_EXEMPLAR])));
	t->n[side]++;
	t->value[side] += value;
	return 0;
}

/* The samples of one line, as they stand in the buffer. */
static void
count_held(struct check *c)
{
	struct out *o = &c->signals.out;

	for (const char *p = o->buf, *end = o->buf + o->len; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		(void)count_sample(c, p, (size_t)(nl - p), OF_LINES);
		p = nl + 1;
	}
	o->len = 0;
}

void
signals_line(struct check *c, const char *line, size_t len)
{
	struct signals *s = &c->signals;
	struct measured r;
	const char *why;

	if (s->measure == NULL)
		return;
	if (measure_read(s->measure, line, len, &r, &why) == -1) {
		s->unread++;
		return;
	}
	if (s->agg == NULL) {
		s->unread += measure_put(s->measure, &r, &s->out) == -1;
		count_held(c);
		return;
	}
	if (agg_pass(s->agg, r.root ? r.us : r.us - s->hold) == -1)
		c->failed = errno;
	else if (r.request && (r.ntags > agg_labels_max(s->agg) || agg_add(s->agg, r.tags, r.ntags, r.us, r.failed, r.sorted, &why) == -1))
		s->unread++;
}

/* All that the aggregate wrote. */
static int
count_aggregates(struct check *c)
{
	struct signals *s = &c->signals;
	enum rec_status status;
	struct rec in;
	char *line;
	size_t len;

	if (agg_finish(s->agg) == -1 || out_flush(&s->out) == -1 || lseek(s->out.fd, 0, SEEK_SET) == -1 ||
	    rec_open(&in, s->out.fd, "<aggregates>", NULL, 0) == -1)
		return -1;
	while ((status = rec_next(&in, &line, &len)) == REC_LINE)
		(void)count_sample(c, line, len, OF_LINES);
	rec_close(&in);
	return status == REC_END ? 0 : -1;
}

static void
compare(struct check *c, const struct tally *t, const char *name)
{
	char one[AGG_DIGITS + 1], two[AGG_DIGITS + 1];

	*agg_print(one, t->value[OF_LINES], S_PLACES) = '\0';
	*agg_print(two, t->value[OF_SAMPLES], S_PLACES) = '\0';
	c->account[P_SIGNALS].counted += t->n[OF_LINES];
	if (t->n[OF_LINES] != t->n[OF_SAMPLES])
		check_fault(c, P_SIGNALS, 0, "%.64s: %llu samples in %.64s, %llu by the lines", t->metric,
		    (unsigned long long)t->n[OF_SAMPLES], name, (unsigned long long)t->n[OF_LINES]);
	else if (t->value[OF_LINES] != t->value[OF_SAMPLES])
		check_fault(c, P_SIGNALS, 0, "%.64s: all together %s in %.64s, %s by the lines", t->metric, two, name, one);
	else if (t->sum[OF_LINES] != t->sum[OF_SAMPLES])
		check_fault(c, P_SIGNALS, 0,
		    "%.64s: as many and as much in %.64s as by the lines, but other times, tags, values or exemplars", t->metric, name);
}

int
check_samples(struct check *c, struct rec *samples)
{
	struct signals *s = &c->signals;
	enum rec_status status;
	char *line;
	size_t len;

	if (s->agg != NULL && count_aggregates(c) == -1)
		return -1;
	if (s->out.err != 0) {
		errno = s->out.err;
		return -1;
	}
	while ((status = rec_next(samples, &line, &len)) > REC_END)
		if (status == REC_LONG || count_sample(c, line, len, OF_SAMPLES) == -1)
			check_fault(c, P_SIGNALS, 0, "%.64s:%llu: no sample", samples->name, (unsigned long long)samples->line);
	if (status == REC_ERROR)
		return -1;
	if (s->unread > 0)
		check_fault(c, P_SIGNALS, 0, "%d lines could not be measured", s->unread);
	for (int i = 0; i < s->ntallies; i++)
		compare(c, &s->tally[i], samples->name);
	return 0;
}
