/* The lines of a request: which rows of the catalog's logs its spans write, when, and on which hosts. */
#include <stdlib.h>
#include <string.h>

#include "render_impl.h"

#define HOSTS_MAX 4000000
#define MARGIN 1000 /* us: the last lines of a request are at most so much behind its last span */
#define MOMENTS 3

/* How particular a row's reference is: rows of the lowest rank hide the others. */
static int
rank_of(const struct catalog_log *l)
{
	return l->op.op != NULL ? 0 : l->op.service >= 0 ? 1 : 2;
}

/* Put the rows of one moment and event together, for each event where its first row stands. */
static void
add_rows(struct log_rows *to, int at, const struct catalog_log **found, int n)
{
	to->first[at] = to->n;
	for (int i = 0; i < n; i++) {
		int group = to->n, seen = 0;

		if ((int)found[i]->at != at)
			continue;
		for (int k = 0; k < i; k++)
			seen |= (int)found[k]->at == at && strcmp(found[k]->event, found[i]->event) == 0;
		for (int k = i; k < n && !seen; k++)
			if ((int)found[k]->at == at && strcmp(found[k]->event, found[i]->event) == 0)
				to->row[to->n++] = (struct log_row){ .row = found[k], .group = group };
	}
}

/* The rows of one operation. */
static int
open_rows(const struct catalog *c, const struct sim_op *op, struct log_rows *to)
{
	const struct catalog_log **found = calloc((size_t)c->nlogs + 1, sizeof(const struct catalog_log *));
	int best = 3, n = 0;

	if (found == NULL)
		return -1;
	for (int i = 0; i < c->nlogs; i++) {
		if (rank_of(&c->log[i]) > best || !catalog_covers(c, &c->log[i].op, op->service, op->row))
			continue;
		n = rank_of(&c->log[i]) < best ? 0 : n;
		best = rank_of(&c->log[i]);
		found[n++] = &c->log[i];
	}
	to->row = calloc((size_t)n + 1, sizeof(*to->row));
	for (int at = 0; to->row != NULL && at < MOMENTS; at++)
		add_rows(to, at, found, n);
	to->first[MOMENTS] = to->n;
	free(found);
	return to->row == NULL ? -1 : 0;
}

/* Of the operations that requests meet, and behind them of those that mark the start and the end of rollouts of each service. */
int
render_open_lines(struct render *d)
{
	const int mark[] = { d->c->set.rollout_start, d->c->set.rollout_end };
	struct sim_op op = { 0 };

	d->logs = calloc((size_t)d->s->nops + 2 * (size_t)d->c->nservices, sizeof(*d->logs));
	if (d->logs == NULL)
		return -1;
	for (int i = 0; i < d->s->nops; i++)
		if (open_rows(d->c, &d->s->op[i], &d->logs[i]) != 0)
			return -1;
	for (int i = 0; i < 2 * d->c->nservices; i++) {
		op.service = i / 2;
		op.row = mark[i % 2];
		if (op.row >= 0 && open_rows(d->c, &op, &d->logs[d->s->nops + i]) != 0)
			return -1;
	}
	return 0;
}

const struct log_rows *
render_rows(const struct render *d, const struct context *c)
{
	return &d->logs[c->rollout != NULL ? d->s->nops + (c->op - d->event) : c->op - d->s->op];
}

static int
open_pool(struct render *d, int service, int place, struct pool *p)
{
	const char *id = d->c->service[service].id;
	char name[1024];
	int n;

	p->key = mix_name(id, strlen(id));
	p->n = (uint32_t)catalog_hosts(d->c, service);
	p->host = calloc(p->n, sizeof(*p->host));
	if (p->host == NULL)
		return -1;
	for (uint32_t i = 0; i < p->n; i++) {
		n = catalog_host(d->c, service, place, (int)i + 1, name, sizeof(name));
		if (n == -1 || render_word(d, &p->host[i].name, name) != 0)
			return -1;
		d->wild |= !render_tame(name, (size_t)n);
		p->host[i].skew = sim_skew(d->s, name, (size_t)n);
		d->longest = (size_t)n > d->longest ? (size_t)n : d->longest;
	}
	return 0;
}

int
render_open_hosts(struct render *d, char *err, size_t errsize)
{
	const struct catalog *c = d->c;
	double all = 0;

	d->pool = calloc((size_t)c->nservices * (size_t)c->nplaces, sizeof(*d->pool));
	if (d->pool == NULL)
		return -1;
	for (int i = 0; i < c->nservices; i++)
		all += c->service[i].pool == i ? (double)catalog_hosts(c, i) * c->nplaces : 0;
	if (all > HOSTS_MAX) {
		(void)snprintf(err, errsize, "%s: more than %d hosts", c->name, HOSTS_MAX);
		return -1;
	}
	for (int i = 0; i < c->nservices; i++)
		for (int p = 0; p < c->nplaces; p++)
			if (c->service[i].pool == i && open_pool(d, i, p, &d->pool[i * c->nplaces + p]) != 0)
				return -1;
	return 0;
}

void
render_close_lines(struct render *d)
{
	for (int i = 0; d->logs != NULL && i < d->s->nops + 2 * d->c->nservices; i++) {
		for (int k = 0; k < d->logs[i].n; k++)
			for (int failed = 0; failed < 2; failed++)
				free(d->logs[i].row[k].program[failed].step);
		free(d->logs[i].row);
	}
	for (int i = 0; d->pool != NULL && i < d->c->nservices * d->c->nplaces; i++)
		free(d->pool[i].host);
	free(d->logs);
	free(d->pool);
	free(d->line);
}

const struct host *
render_host(const struct render *d, const struct context *c, int service, int place)
{
	const struct pool *p = &d->pool[d->c->service[service].pool * d->c->nplaces + place];
	uint64_t key = c->rollout != NULL ? mix(c->rollout->name) : mix_at(c->r->key, SIM_DRAW_HOST);

	return &p->host[sim_host(key, p->key, place, p->n) - 1];
}

/* Where the first call is that left its place, how often a call was repeated, and when the last span ended. */
void
render_look(struct render *d, const struct sim_request *r)
{
	int64_t first = INT64_MAX;

	if (d->now == r->k && d->now_time == r->time)
		return;
	d->now = r->k;
	d->now_time = d->now_end = r->time;
	d->remote = -1;
	d->retries = 0;
	for (uint32_t i = 0; i < r->nspans; i++) {
		const struct sim_span *x = &r->span[i];

		d->retries += x->node->attempt > 0;
		d->now_end = x->start + x->length > d->now_end ? x->start + x->length : d->now_end;
		if (x->parent < 0 || x->place == r->span[x->parent].place || x->start >= first)
			continue;
		first = x->start;
		d->remote = (int32_t)i;
	}
}

/*
 * By how much a clock is ahead for a request: so that it shows no time outside of the world, a little less or more for the first and the
 * last ones.
 */
int64_t
render_skew(struct render *d, const struct sim_request *r, const struct host *h)
{
	const struct world *w = d->s->w;
	int64_t skew = h->skew;

	render_look(d, r);
	if (d->now_end + MARGIN + skew >= w->end)
		skew = w->end - 1 - d->now_end - MARGIN;
	if (r->time + skew < w->begin)
		skew = w->begin - r->time;
	return skew;
}

static void
context_of(const struct render *d, struct context *c, const struct sim_request *r, uint32_t span, const struct render_given *given)
{
	const struct sim_span *x = &r->span[span];

	*c = (struct context){ .r = r,
		.x = x,
		.op = &d->s->op[x->node->op],
		.given = given,
		.name = sim_slot(r->k, r->plan, x->node),
		.time = x->start,
		.place = x->place };
}

const struct catalog_log *
render_last_line(struct render *d, const struct context *c)
{
	const struct log_rows *rows = render_rows(d, c);
	const struct catalog_log *last = NULL;
	int won = -1;

	for (int k = rows->first[AT_END]; k < rows->n; k++) {
		if (rows->row[k].group == won || !render_holds(d, &rows->row[k].row->when, c))
			continue;
		won = rows->row[k].group;
		last = last == NULL || rows->row[k].row > last ? rows->row[k].row : last;
	}
	return last;
}

static int
make_room(struct render *d, size_t n)
{
	struct render_line *more;

	if (d->nlines + n <= d->room)
		return 0;
	more = reallocarray(d->line, d->nlines + n + d->room, sizeof(*more));
	if (more == NULL)
		return -1;
	d->line = more;
	d->room = (uint32_t)(d->nlines + n + d->room);
	return 0;
}

/* The lines of a span at one moment, in order of the table. */
static int
write_moment(struct render *d, const struct sim_request *r, uint32_t span, enum catalog_moment at, int64_t time)
{
	const struct log_rows *rows = &d->logs[r->span[span].node->op];
	int from = rows->first[at], to = rows->first[at + 1], won = -1;
	uint32_t first = d->nlines;
	struct context c;

	if (from == to)
		return 0;
	if (make_room(d, (size_t)(to - from)) != 0)
		return -1;
	context_of(d, &c, r, span, NULL);
	for (int k = from; k < to; k++) {
		uint32_t n = d->nlines;

		if (rows->row[k].group == won || !render_holds(d, &rows->row[k].row->when, &c))
			continue;
		won = rows->row[k].group;
		for (; n > first && d->line[n - 1].row->row > rows->row[k].row; n--)
			d->line[n].row = d->line[n - 1].row;
		d->line[n].row = &rows->row[k];
		d->line[d->nlines].time = time;
		d->line[d->nlines].span = span;
		d->line[d->nlines].order = d->nlines;
		d->nlines++;
	}
	return 0;
}

/* What a span writes when it starts, and before it first calls another; one that reads a queue starts after whoever filled it has ended. */
static int
write_start(struct render *d, const struct sim_request *r, uint32_t i)
{
	const struct sim_span *x = &r->span[i];
	const struct log_rows *rows = &d->logs[x->node->op];
	int64_t call = INT64_MAX;
	int late = x->node->stage == STAGE_ASYNC && x->parent >= 0 && x->start == r->span[x->parent].start + r->span[x->parent].length;

	if (write_moment(d, r, i, AT_START, x->start + late) != 0)
		return -1;
	if (rows->first[AT_CALL] == rows->first[AT_END])
		return 0;
	for (uint32_t k = i + 1; k < r->nspans && r->span[k].parent >= (int32_t)i; k++)
		if (r->span[k].parent == (int32_t)i && r->span[k].start < call)
			call = r->span[k].start;
	if (call == INT64_MAX)
		return 0;
	return write_moment(d, r, i, AT_CALL, call > x->start + x->length ? x->start + x->length : call);
}

static int
is_later(const struct render_line *a, const struct render_line *b)
{
	return a->time != b->time ? a->time > b->time : a->order > b->order;
}

/* Order by time, then by cause. Most are in order. Source: Shell 1959, with the gaps of Ciura 2001 and on. */
static void
sort(struct render_line *line, uint32_t n)
{
	static const uint32_t gap[] = { 500000, 200000, 90000, 40000, 17500, 8000, 3500, 1577, 701, 301, 132, 57, 23, 10, 4, 1 };

	for (size_t g = 0; g < sizeof(gap) / sizeof(gap[0]); g++)
		for (uint32_t i = gap[g]; i < n; i++) {
			struct render_line x = line[i];
			uint32_t k = i;

			for (; k >= gap[g] && is_later(&line[k - gap[g]], &x); k -= gap[g])
				line[k] = line[k - gap[g]];
			line[k] = x;
		}
}

int
render_lines(struct render *d, const struct sim_request *r, const struct render_line **line)
{
	int32_t open = -1; /* the span whose last lines come next */
	int bad = 0;

	d->nlines = 0;
	render_look(d, r);
	for (uint32_t i = 0; i <= r->nspans && !bad; i++) {
		int32_t parent = i < r->nspans ? r->span[i].parent : -1;

		for (; open != parent && !bad; open = r->span[open].parent)
			bad = write_moment(d, r, (uint32_t)open, AT_END, r->span[open].start + r->span[open].length);
		if (i < r->nspans && !bad)
			bad = write_start(d, r, i);
		open = (int32_t)i;
	}
	if (bad)
		return -1;
	sort(d->line, d->nlines);
	for (uint32_t i = 1; i < d->nlines; i++)
		if (d->line[i].time <= d->line[i - 1].time)
			d->line[i].time = d->line[i - 1].time + 1;
	*line = d->line;
	return (int)d->nlines;
}

char *
render_line(struct render *d, char *to, const struct sim_request *r, const struct render_line *line, const struct render_given *given)
{
	const struct world *w = d->s->w;
	const struct sim_span *x = &r->span[line->span], *by = x;
	int failed = x->source != SIM_SUCCESS;
	struct log_row *row = &d->logs[x->node->op].row[line->row - d->logs[x->node->op].row];
	struct example e = { .op = &d->s->op[x->node->op], .row = row, .failed = failed };
	struct context c;

	if (row->program[failed].step == NULL && render_compile(d, &row->program[failed], &e) != 0)
		return NULL;
	if (row->row->by_caller && x->parent >= 0)
		by = &r->span[x->parent];
	context_of(d, &c, r, line->span, given);
	c.line = line;
	c.place = by->place;
	c.host = render_host(d, &c, d->s->op[by->node->op].service, by->place);
	c.writer = sim_slot(r->k, r->plan, by->node);
	c.time = line->time + render_skew(d, r, c.host);
	c.time = c.time < w->begin ? w->begin : c.time >= w->end ? w->end - 1 : c.time;
	return render_is_left_out(d, &c) ? to : render_run(d, &row->program[failed], &c, to);
}
