/* Who calls whom: callers to the left of those they call, in as few crossings as a few sweeps give. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_impl.h"

#define NODES 60 /* services that are drawn, those with most spans */
#define BOX_W 138
#define BOX_H 30
#define ROW 38
#define MARGIN 8
#define SWEEPS 12
#define LETTERS 17 /* of a name that fit into a box */

struct graph {
	struct report *r;
	struct out *o;
	int n, layers, rows; /* nodes; columns; of the longest column */
	struct service *node[NODES];
	int nedges;
	struct edge **edge;
	uint64_t most;
};

static int
by_spans(const void *x, const void *y)
{
	const struct service *a = *(struct service *const *)x, *b = *(struct service *const *)y;

	if (a->spans != b->spans)
		return a->spans < b->spans ? 1 : -1;
	return strcmp(a->name, b->name);
}

static int
by_place(const void *x, const void *y)
{
	const struct service *a = *(struct service *const *)x, *b = *(struct service *const *)y;

	if (a->layer != b->layer)
		return a->layer - b->layer;
	if (a->pull < b->pull || a->pull > b->pull)
		return a->pull < b->pull ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The services that call or are called, at most NODES of them, and the calls between them. */
static int
choose(struct graph *g)
{
	struct report *r = g->r;
	struct service **all = calloc((size_t)r->nservices + 1, sizeof(*all));
	int n = 0;

	g->edge = calloc((size_t)r->nedges + 1, sizeof(struct edge *));
	if (all == NULL || g->edge == NULL) {
		free(all);
		return -1;
	}
	for (int i = 0; i < r->nedges; i++)
		if (r->edge[i].from != r->edge[i].to)
			r->service[r->edge[i].from].linked = r->service[r->edge[i].to].linked = 1;
	for (int i = 0; i < r->nservices; i++) {
		if (r->service[i].linked)
			all[n++] = &r->service[i];
		r->service[i].layer = -1;
	}
	qsort(all, (size_t)n, sizeof(*all), by_spans);
	for (; g->n < n && g->n < NODES; g->n++) {
		g->node[g->n] = all[g->n];
		g->node[g->n]->layer = 0;
	}
	free(all);
	for (int i = 0; i < r->nedges; i++) {
		struct edge *e = &r->edge[i];

		if (e->from == e->to || r->service[e->from].layer < 0 || r->service[e->to].layer < 0)
			continue;
		g->most = e->calls > g->most ? e->calls : g->most;
		g->edge[g->nedges++] = e;
	}
	return 0;
}

/*
 * A column to the right of every caller. Where services call each other in a ring this would not end, so it goes on for as many rounds as
 * the longest path could have, and no further than a few columns.
 */
static void
set_layers(struct graph *g)
{
	const int last = 5;

	for (int round = 0, moved = 1; moved && round < g->n; round++) {
		moved = 0;
		for (int i = 0; i < g->nedges; i++) {
			const struct service *from = &g->r->service[g->edge[i]->from];
			struct service *to = &g->r->service[g->edge[i]->to];

			if (to->layer <= from->layer && from->layer < last) {
				to->layer = from->layer + 1;
				moved = 1;
			}
		}
	}
	for (int i = 0; i < g->n; i++)
		g->layers = g->node[i]->layer >= g->layers ? g->node[i]->layer + 1 : g->layers;
}

static void
set_rows(struct graph *g)
{
	int row = 0, layer = -1;

	qsort(g->node, (size_t)g->n, sizeof(struct service *), by_place);
	for (int i = 0; i < g->n; i++) {
		row = g->node[i]->layer == layer ? row + 1 : 0;
		layer = g->node[i]->layer;
		g->node[i]->row = row;
		g->rows = row >= g->rows ? row + 1 : g->rows;
	}
	for (int i = 0; i < g->n; i++) {
		int n = 0;

		for (int j = 0; j < g->n; j++)
			n += g->node[j]->layer == g->node[i]->layer;
		g->node[i]->y = ((double)g->node[i]->row + 0.5) / n;
	}
}

/* To the mean height of its neighbours, heavier calls counting more. */
static void
pull(struct graph *g, struct service *s)
{
	double sum = 0, weight = 0;

	for (int i = 0; i < g->nedges; i++) {
		struct service *from = &g->r->service[g->edge[i]->from], *to = &g->r->service[g->edge[i]->to];
		double w = sqrt((double)g->edge[i]->calls);

		if (from == s || to == s) {
			sum += w * (from == s ? to->y : from->y);
			weight += w;
		}
	}
	s->pull = weight > 0 ? sum / weight : s->y;
}

static void
place(struct graph *g)
{
	set_layers(g);
	for (int i = 0; i < g->n; i++)
		g->node[i]->pull = 0;
	set_rows(g);
	for (int k = 0; k < SWEEPS; k++) {
		for (int i = 0; i < g->n; i++)
			pull(g, g->node[i]);
		set_rows(g);
	}
	for (int i = 0; i < g->n; i++) {
		struct service *s = g->node[i];
		double gap = g->layers > 1 ? (double)(REPORT_WIDTH - 2 * MARGIN - BOX_W) / (g->layers - 1) : 0;

		s->x = MARGIN + gap * s->layer;
		s->y = MARGIN + s->y * g->rows * ROW - (double)BOX_H / 2;
	}
}

static const char *
health(uint64_t failed, uint64_t all)
{
	double share = all > 0 ? (double)failed / (double)all : 0;

	return share >= 0.01 ? "bad" : share >= 0.001 ? "warn" : "well";
}

static void
put_edge(const struct graph *g, const struct edge *e)
{
	const struct service *from = &g->r->service[e->from], *to = &g->r->service[e->to];
	double x = from->x + BOX_W, y = from->y + (double)BOX_H / 2, x2 = to->x, y2 = to->y + (double)BOX_H / 2, bend;
	char calls[SVG_LABEL], failed[SVG_LABEL];

	/* Of a ring: from the left side around. */
	if (to->layer <= from->layer)
		x = from->x;
	bend = to->layer <= from->layer ? -30 : (x2 - x) / 2;
	svg_put(g->o, "<path class=\"call %s\" stroke-width=\"%.2f\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"><title>",
	    health(e->failed, e->calls), 0.8 + 4 * sqrt((double)e->calls / (double)g->most), x, y, x + bend, y,
	    to->layer <= from->layer ? x2 - 30 : x2 - bend, y2, x2, y2);
	svg_text(g->o, from->name, strlen(from->name));
	svg_put(g->o, " calls ");
	svg_text(g->o, to->name, strlen(to->name));
	svg_whole(calls, e->calls);
	svg_whole(failed, e->failed);
	svg_put(g->o, ": %s calls, %s failed</title></path>\n", calls, failed);
}

/* As many letters as fit, whole ones. */
static size_t
cut(const char *name)
{
	size_t n = 0;
	int letters = 0;

	for (; name[n] != '\0'; n++) {
		letters += ((unsigned char)name[n] & 0xc0) != 0x80;
		if (letters > LETTERS)
			break;
	}
	return n;
}

static void
put_node(const struct graph *g, const struct service *s)
{
	char spans[SVG_LABEL], share[SVG_LABEL];
	size_t n = cut(s->name);

	svg_number(spans, (double)s->spans);
	report_share(share, s->failed, s->spans);
	svg_put(g->o, "<g class=\"%s\"><title>", health(s->failed, s->spans));
	svg_text(g->o, s->name, strlen(s->name));
	svg_put(g->o,
	    "</title><rect class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"4\"/><text class=\"box\" x=\"%.1f\" y=\"%.1f\">",
	    s->x, s->y, BOX_W, BOX_H, s->x + 6, s->y + 13);
	svg_text(g->o, s->name, n);
	svg_put(g->o, "%s</text><text class=\"small\" x=\"%.1f\" y=\"%.1f\">%s spans, %s</text></g>\n", s->name[n] == '\0' ? "" : "…",
	    s->x + 6, s->y + 25, spans, share);
}

int
report_put_graph(struct report *r, struct out *o)
{
	struct graph g = { .r = r, .o = o };

	if (choose(&g) == -1) {
		free(g.edge);
		return -1;
	}
	if (g.n == 0) {
		svg_put(o, "<p>Aggregates and single spans do not tell who calls whom.</p>\n");
		free(g.edge);
		return 0;
	}
	place(&g);
	svg_put(o,
	    "<figure><svg role=\"img\" aria-labelledby=\"graph-t graph-d\" viewBox=\"0 0 %d %d\">\n<title id=\"graph-t\">Calls</title>\n",
	    REPORT_WIDTH, g.rows * ROW + 2 * MARGIN);
	svg_put(o, "<desc id=\"graph-d\">%d services and the calls between them, callers to the left.</desc>\n", g.n);
	for (int i = 0; i < g.nedges; i++)
		put_edge(&g, g.edge[i]);
	for (int i = 0; i < g.n; i++)
		put_node(&g, g.node[i]);
	svg_put(o,
	    "</svg></figure>\n<p class=\"legend\">In a box: spans, and the share of them that failed. The wider a line, the more calls. <i class=\"well\"></i>less than 0.1 %% failed "
	    "<i class=\"warn\"></i>0.1 to 1 %% <i class=\"bad\"></i>1 %% or more</p>\n");
	free(g.edge);
	return 0;
}
