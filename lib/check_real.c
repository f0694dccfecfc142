/* How much the data looks like that of production: measures, and the bands in which published ones lie. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "clock.h"
#include "mix.h"
#include "num.h"
#include "tsv.h"

#define BLOCK (1 << 20)    /* bytes that are compressed at once */
#define BLOCK_EVERY 16     /* of so many blocks one is */
#define ENOUGH 200         /* requests of an action, for its quantiles */
#define LATENCIES_MAX 4096 /* actions that are told apart */

static const char *const names[MEASURES] = { "depth_p50", "depth_max", "spans_p50", "fanout_p50", "fanout_max", "repeated_calls",
	"latency_p99_p50", "latency_p99_p50_max", "latency_p95_p50", "day_peak_trough", "day_peak_mean", "failed_requests", "failed_spans",
	"compression" };

int
real_open(struct check *c)
{
	return (c->real.pack = pack_open(PACK_ZSTD)) == NULL ? -1 : 0;
}

void
real_free(struct check *c)
{
	struct real *r = &c->real;

	for (int i = 0; i < r->nlatency; i++)
		free(r->latency[i].action);
	free(r->latency);
	keys_free(&r->latency_of);
	buf_free(&r->block);
	if (r->pack != NULL)
		pack_close(r->pack);
}

static void
pack_block(struct check *c)
{
	struct real *r = &c->real;
	struct buf to = { 0 };

	if (pack_put(r->pack, r->block.p, r->block.n, &to) == -1)
		c->failed = errno;
	r->raw += r->block.n;
	r->packed += to.n;
	r->block.n = 0;
	buf_free(&to);
}

void
real_line(struct check *c, const char *line, size_t len)
{
	struct real *r = &c->real;

	if (r->bytes / BLOCK % BLOCK_EVERY == 0) {
		if (buf_put(&r->block, line, len) == -1 || buf_put(&r->block, "\n", 1) == -1)
			c->failed = errno;
		if (r->block.n >= BLOCK)
			pack_block(c);
	}
	r->bytes += len + 1;
}

static struct latency *
latency_of(struct check *c, const struct span *x)
{
	struct real *r = &c->real;
	uint64_t key = mix(x->action ^ mix((uint64_t)x->service)) | 1, *at = keys_find(&r->latency_of, key);
	char text[CHECK_WORD];
	int fresh;

	if (at != NULL)
		return &r->latency[*at];
	if (r->nlatency == LATENCIES_MAX || json_text(role(c, R_ACTION), text, sizeof(text)) < 0)
		return NULL;
	if (r->nlatency == r->maxlatency) {
		int max = r->maxlatency + 64;
		struct latency *more = reallocarray(r->latency, (size_t)max, sizeof(*more));

		if (more == NULL)
			return NULL;
		r->latency = more;
		r->maxlatency = max;
	}
	if ((at = keys_put(&r->latency_of, key, &fresh)) == NULL)
		return NULL;
	*at = (uint64_t)r->nlatency;
	memset(&r->latency[r->nlatency], 0, sizeof(*r->latency));
	r->latency[r->nlatency].service = x->service;
	if ((r->latency[r->nlatency].action = strdup(text)) == NULL)
		c->failed = errno;
	return &r->latency[r->nlatency++];
}

void
real_root(struct check *c, const struct span *x)
{
	struct real *r = &c->real;
	struct latency *l = c->at[R_DURATION] >= 0 || c->at[R_END] >= 0 ? latency_of(c, x) : NULL;

	r->roots++;
	r->failed_roots += (uint64_t)x->failed;
	if (l != NULL && !x->failed)
		hist_add(&l->hist, x->end - x->start);
	if (c->at[R_TIME] < 0 || x->start < 0)
		return;
	r->first = r->roots == 1 || x->start < r->first ? x->start : r->first;
	r->last = x->start > r->last ? x->start : r->last;
	r->hours[x->start / CLOCK_HOUR % 24]++;
}

/* When a tree is whole. */
void
real_tree(struct check *c)
{
	struct real *r = &c->real;
	uint32_t depth = 0;

	for (int i = 1; i < c->n; i++) {
		struct span *x = &c->tree[i];
		int k = i - 1;

		depth = x->level > depth ? x->level : depth;
		c->tree[x->up].calls++;
		r->calls++;
		while (k > x->up && (c->tree[k].up != x->up || c->tree[k].service != x->service || c->tree[k].action != x->action))
			k--;
		r->again += k > x->up;
	}
	hist_add(&r->depth, depth + 1);
	hist_add(&r->size, c->n);
	r->spans += (uint64_t)c->n;
	for (int i = 0; i < c->n; i++)
		if (c->tree[i].calls > 0)
			hist_add(&r->fanout, c->tree[i].calls);
}

int
check_bands(struct check *c, const char *path, char *err, size_t errsize)
{
	static const char *const columns[] = { "measure", "low", "high", "source" };
	struct tsv t = { 0 };
	size_t size;
	char *text = tsv_slurp(path, &size, err, errsize);

	if (text == NULL || tsv_parse(&t, text, size, path, err, errsize) == -1) {
		tsv_free(&t);
		return -1;
	}
	for (size_t i = 0; i < 4; i++)
		if (i >= t.ncols || strcmp(t.column[i], columns[i]) != 0 || t.ncols > 4) {
			tsv_error(err, errsize, path, t.line, "the columns are measure, low, high, source");
			tsv_free(&t);
			return -1;
		}
	for (size_t row = 0; row < t.nrows; row++) {
		char **cell = t.cell + row * t.ncols;
		struct band *b;
		int m = 0;

		while (m < MEASURES && strcmp(names[m], cell[0]) != 0)
			m++;
		b = &c->band[m < MEASURES ? m : 0];
		if (m == MEASURES || b->source != NULL || num_decimal(cell[1], strlen(cell[1]), &b->low) == -1 ||
		    num_decimal(cell[2], strlen(cell[2]), &b->high) == -1 || b->low > b->high || (b->source = strdup(cell[3])) == NULL) {
			tsv_error(err, errsize, path, t.line + 1 + row,
			    m == MEASURES ? "no measure \"%.64s\"" : "no band, or a second one: \"%.64s\"", cell[0]);
			tsv_free(&t);
			return -1;
		}
	}
	tsv_free(&t);
	return 0;
}

/* ---- at the end ---- */

static int
order_doubles(const void *one, const void *two)
{
	double a = *(const double *)one, b = *(const double *)two;

	return (a > b) - (a < b);
}

/* The median over actions of a quantile against the median, and the largest; 0 when no action has enough requests. */
static size_t
spread(const struct real *r, double q, double *median, double *most)
{
	double *all = calloc((size_t)r->nlatency + 1, sizeof(*all));
	size_t n = 0;

	for (int i = 0; all != NULL && i < r->nlatency; i++) {
		int64_t half = hist_quantile(&r->latency[i].hist, 0.5);

		if (hist_count(&r->latency[i].hist) >= ENOUGH && half > 0)
			all[n++] = (double)hist_quantile(&r->latency[i].hist, q) / (double)half;
	}
	if (n > 0) {
		qsort(all, n, sizeof(*all), order_doubles);
		*median = all[n / 2];
		*most = all[n - 1];
	}
	free(all);
	return n;
}

/* By hour of the day, each as often as it occurred. 0, or -1 when there is less than a day. */
static int
day(const struct real *r, double *peak_trough, double *peak_mean)
{
	double low = 0, high = 0, sum = 0;
	int64_t from = r->first / CLOCK_HOUR, to = r->last / CLOCK_HOUR;

	if (to - from < 23 || r->roots < 24 * ENOUGH)
		return -1;
	for (int h = 0; h < 24; h++) {
		int64_t times = (to - from + 1) / 24 + ((h - from % 24 + 24) % 24 < (to - from + 1) % 24);
		double rate = (double)r->hours[h] / (double)times;

		low = h == 0 || rate < low ? rate : low;
		high = rate > high ? rate : high;
		sum += rate;
	}
	*peak_trough = low > 0 ? high / low : 0;
	*peak_mean = high * 24 / sum;
	return low > 0 ? 0 : -1;
}

/* What was measured; `known` says which. */
static void
measure_all(struct check *c, double value[MEASURES], int known[MEASURES])
{
	struct real *r = &c->real;
	double unused;

	if (c->children > 0) {
		known[M_DEPTH] = known[M_DEPTH_MAX] = known[M_SIZE] = known[M_FANOUT] = known[M_FANOUT_MAX] = known[M_REPEATED] = 1;
		value[M_DEPTH] = (double)hist_quantile(&r->depth, 0.5);
		value[M_DEPTH_MAX] = (double)hist_max(&r->depth);
		value[M_SIZE] = (double)hist_quantile(&r->size, 0.5);
		value[M_FANOUT] = (double)hist_quantile(&r->fanout, 0.5);
		value[M_FANOUT_MAX] = (double)hist_max(&r->fanout);
		value[M_REPEATED] = r->calls > 0 ? (double)r->again / (double)r->calls : 0;
		known[M_FAILED_SPANS] = r->spans >= ENOUGH;
		value[M_FAILED_SPANS] = (double)c->nfailed / (double)(r->spans > 0 ? r->spans : 1);
	}
	known[M_P99] = known[M_P99_MAX] = spread(r, 0.99, &value[M_P99], &value[M_P99_MAX]) > 0;
	known[M_P95] = spread(r, 0.95, &value[M_P95], &unused) > 0;
	known[M_PEAK_TROUGH] = known[M_PEAK_MEAN] = day(r, &value[M_PEAK_TROUGH], &value[M_PEAK_MEAN]) == 0;
	known[M_FAILED_ROOTS] = r->roots >= ENOUGH && c->account[P_OUTCOMES].applies;
	known[M_FAILED_SPANS] &= c->account[P_OUTCOMES].applies;
	value[M_FAILED_ROOTS] = (double)r->failed_roots / (double)(r->roots > 0 ? r->roots : 1);
	if (r->block.n > 0)
		pack_block(c);
	known[M_COMPRESSION] = r->raw >= BLOCK / 4;
	value[M_COMPRESSION] = (double)r->raw / (double)(r->packed > 0 ? r->packed : 1);
}

static int
order_latencies(const void *one, const void *two)
{
	const struct latency *a = one, *b = two;
	int by_action = strcmp(a->action, b->action);

	return by_action != 0 ? by_action : a->service - b->service;
}

static void
put_actions(const struct check *c, struct out *o)
{
	const struct real *r = &c->real;
	int n = 0;

	if (r->nlatency > 0)
		qsort(r->latency, (size_t)r->nlatency, sizeof(*r->latency), order_latencies);
	check_put(o, ",\"latency\":[");
	for (int i = 0; i < r->nlatency; i++) {
		const struct hist *h = &r->latency[i].hist;
		int64_t half = hist_quantile(h, 0.5), most = hist_quantile(h, 0.99);

		if (hist_count(h) < ENOUGH || half == 0)
			continue;
		check_put(o, n++ > 0 ? ",{\"action\":" : "{\"action\":");
		check_put_text(o, r->latency[i].action);
		if (r->latency[i].service >= 0) {
			check_put(o, ",\"service\":");
			check_put_text(o, c->cat->service[r->latency[i].service].id);
		}
		check_put(o, ",\"requests\":%llu,\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"p99_p50\":%.2f}",
		    (unsigned long long)hist_count(h), (double)half / 1000, (double)hist_quantile(h, 0.95) / 1000, (double)most / 1000,
		    (double)most / (double)half);
	}
	check_put(o, "]");
}

void
real_put(struct check *c, struct out *o, int *broken)
{
	double value[MEASURES] = { 0 };
	int known[MEASURES] = { 0 }, n = 0;

	measure_all(c, value, known);
	check_put(o, ",\"measures\":[");
	for (int m = 0; m < MEASURES; m++) {
		const struct band *b = &c->band[m];
		int in = value[m] >= b->low && value[m] <= b->high;

		if (!known[m])
			continue;
		check_put(o, "%s{\"name\":\"%s\",\"value\":%.4f", n++ > 0 ? "," : "", names[m], value[m]);
		if (b->source != NULL) {
			check_put(o, ",\"low\":%g,\"high\":%g,\"in\":%s,\"source\":", b->low, b->high, in ? "true" : "false");
			check_put_text(o, b->source);
			*broken |= !in;
		}
		check_put(o, "}");
	}
	check_put(o, "]");
	put_actions(c, o);
}
