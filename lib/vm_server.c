/* What the server tells of itself: what it keeps, and what it did. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"
#include "prom.h"
#include "vm_impl.h"

#define MS 1000000LL /* ns */

/* A flag that is a number of at least 1. */
static int64_t
flag(const char *page, const char *name, int64_t otherwise)
{
	char text[32];
	uint64_t n;
	const char *errstr;

	if (prom_flag(page, name, text, sizeof(text)) == -1 || num_u64(text, 1, INT32_MAX, &n, &errstr) == -1)
		return otherwise;
	return (int64_t)n;
}

int
vm_server(struct vm *v, const char *metrics, int64_t now_ns)
{
	int64_t oldest, newest;
	char text[32];

	int labels = (int)flag(metrics, "maxLabelsPerTimeseries", VM_LABELS);
	size_t name = (size_t)flag(metrics, "maxLabelNameLen", VM_NAME), value = (size_t)flag(metrics, "maxLabelValueLen", VM_VALUE);

	if (labels != v->labels || name != v->name || value != v->value) {
		v->labels = labels;
		v->name = name;
		v->value = value;
		vm_forget(v);
	}
	v->line = (size_t)flag(metrics, "import.maxLineLen", VM_LINE_SENT);
	/* They came before this flag did. */
	v->infinite = prom_flag(metrics, "maxLabelNameLen", text, sizeof(text)) == 0;
	if (prom_window(metrics, now_ns, &oldest, &newest) == -1)
		return -1;
	v->oldest = (oldest + MS - 1) / MS;
	v->newest = newest / MS;
	v->asked = now_ns;
	return 0;
}

void
vm_later(struct vm *v, int64_t now_ns)
{
	int64_t ms = (now_ns - v->asked) / MS;

	if (v->asked == 0)
		return;
	/* Where it keeps all, it goes on doing so. */
	if (v->oldest > 1)
		v->oldest += ms;
	v->newest += ms;
	v->asked += ms * MS;
}

void
vm_count(const char *page, struct vm_counts *c)
{
	/* Each version has some of them. */
	static const char *const lost[] = { "vm_rows_ignored_total", "vm_hourly_series_limit_rows_dropped_total",
		"vm_daily_series_limit_rows_dropped_total", "vm_relabel_metrics_dropped_total", "vm_metrics_with_dropped_labels_total",
		"vm_indexdb_items_dropped_total" };

	c->inserted = prom_sum(page, "vm_rows_inserted_total", "type=\"vmimport\"");
	c->invalid = prom_sum(page, "vm_rows_invalid_total", "type=\"vmimport\"");
	c->lost = 0;
	if (prom_start(page, &c->start) == -1)
		c->start = NAN;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		double n = prom_sum(page, lost[i], NULL);

		c->lost += isnan(n) ? 0 : n;
	}
}

enum vm_verdict
vm_compare(const struct vm_counts *before, const struct vm_counts *now, uint64_t least, double most, char *said, size_t size)
{
	double inserted = now->inserted - before->inserted, invalid = now->invalid - before->invalid, lost = now->lost - before->lost;

	if (isnan(inserted) || isnan(invalid)) {
		(void)snprintf(said, size, "the server does not show what it inserted");
		return VM_UNKNOWN;
	}
	if (!(now->start >= before->start && now->start <= before->start) || inserted < 0) {
		(void)snprintf(said, size, "the server was started anew");
		return VM_UNKNOWN;
	}
	(void)snprintf(said, size, "accepted %" PRIu64 " samples; the server inserted %.0f, dropped %.0f, found %.0f lines invalid", least,
	    inserted, lost, invalid);
	return inserted < (double)least || inserted > most || lost > 0 || invalid > 0 ? VM_DIFFERS : VM_SAME;
}

char *
vm_root(const char *base)
{
	static const char own[] = "/prometheus";
	size_t path = strcspn(base, "?#"), n = path;
	char *root = strdup(base), *insert;

	if (root == NULL)
		return NULL;
	while (n > 0 && base[n - 1] == '/')
		n--;
	if (n >= sizeof(own) - 1 && memcmp(base + n - (sizeof(own) - 1), own, sizeof(own) - 1) == 0)
		n -= sizeof(own) - 1;
	if ((insert = strstr(root, "/insert/")) != NULL && (size_t)(insert - root) < n)
		n = (size_t)(insert - root);
	memmove(root + n, root + path, strlen(root + path) + 1);
	return root;
}
