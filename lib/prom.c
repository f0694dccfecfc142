#include <math.h>
#include <string.h>

#include "json.h"
#include "num.h"
#include "prom.h"

#define HOUR 3600e9
#define DAY (24 * HOUR)
#define FLAG_MAX 64 /* bytes of a flag that is a duration */

/* Where the line behind this one begins, or the end of the page. */
static const char *
next_line(const char *p)
{
	p += strcspn(p, "\n");
	return *p == '\0' ? p : p + 1;
}

/* The number that stands behind blanks. Infinities and NaN, which no counter is, are not read. */
static int
value_at(const char *p, double *value)
{
	p += strspn(p, " \t");
	return json_double((struct json_value){ p, strcspn(p, " \t\r\n") }, value);
}

/* Behind the labels that begin at p, or NULL: braces may stand in a value. */
static const char *
skip_labels(const char *p)
{
	int quoted = 0;

	for (; *p != '\0' && *p != '\n'; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\\' && quoted && p[1] != '\0')
			p++;
		else if (*p == '}' && !quoted)
			return p + 1;
	}
	return NULL;
}

/* Is the pair among the labels from p, an opening brace, up to end? */
static int
has_label(const char *p, const char *end, const char *pair)
{
	size_t n = strlen(pair);

	for (p++; p < end; p++) {
		p += strspn(p, " ,");
		if (strncmp(p, pair, n) == 0 && strchr(", }", p[n]) != NULL)
			return 1;
		for (int quoted = 0; p < end && (quoted || *p != ','); p++) {
			if (*p == '"')
				quoted = !quoted;
			else if (*p == '\\' && quoted)
				p++;
		}
	}
	return 0;
}

int
prom_value(const char *page, const char *series, double *value)
{
	size_t n = strlen(series);

	for (; *page != '\0'; page = next_line(page))
		if (strncmp(page, series, n) == 0 && (page[n] == ' ' || page[n] == '\t'))
			return value_at(page + n, value);
	return -1;
}

double
prom_sum(const char *page, const char *name, const char *label)
{
	double sum = NAN, v;
	size_t n = strlen(name);

	for (; *page != '\0'; page = next_line(page)) {
		const char *labels = page + n, *behind = labels;

		if (strncmp(page, name, n) != 0 || strchr("{ \t", *labels) == NULL)
			continue;
		if (*labels == '{' && (behind = skip_labels(labels)) == NULL)
			continue;
		if (label != NULL && !has_label(labels, behind, label))
			continue;
		if (value_at(behind, &v) == 0)
			sum = isnan(sum) ? v : sum + v;
	}
	return sum;
}

/* The text up to the closing quote, unescaped; 0, or -1 when it does not end or does not fit. */
static int
unquote(const char *p, char *to, size_t size)
{
	size_t n = 0;

	for (; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0' || *p == '\n' || n + 1 >= size)
			return -1;
		to[n++] = p[-1] == '\\' && *p == 'n' ? '\n' : *p;
	}
	if (size == 0)
		return -1;
	to[n] = '\0';
	return 0;
}

int
prom_flag(const char *page, const char *flag, char *to, size_t size)
{
	static const char head[] = "flag{name=\"", value[] = "\", value=\"";
	size_t n = strlen(flag);

	for (; *page != '\0'; page = next_line(page)) {
		const char *p = page + sizeof(head) - 1;

		if (strncmp(page, head, sizeof(head) - 1) != 0 || strncmp(p, flag, n) != 0 || strncmp(p + n, value, sizeof(value) - 1) != 0)
			continue;
		return unquote(p + n + sizeof(value) - 1, to, size);
	}
	return -1;
}

int
prom_start(const char *page, double *seconds)
{
	if (prom_value(page, "vm_app_start_timestamp", seconds) == 0)
		return 0;
	return prom_value(page, "process_start_time_seconds", seconds);
}

/* A duration as these servers write it: "1h30m", "100y"; months of 31 days without a unit. ns, or -1. */
static double
duration(const char *s)
{
	static const char units[] = "smhdwyM";
	static const double ns[] = { 1e9, 60e9, HOUR, DAY, 7 * DAY, 365 * DAY, 31 * DAY };
	double sum = 0, v;
	const char *unit;

	if (num_decimal(s, strlen(s), &v) == 0)
		return v < 0 ? -1 : v * 31 * DAY;
	if (*s == '\0')
		return -1;
	while (*s != '\0') {
		size_t n = strspn(s, "0123456789.");

		if (s[n] == '\0' || (unit = strchr(units, s[n])) == NULL || num_decimal(s, n, &v) == -1)
			return -1;
		sum += v * ns[unit - units];
		s += n + 1;
	}
	return sum;
}

static int
duration_flag(const char *page, const char *name, double *ns)
{
	char text[FLAG_MAX];

	return prom_flag(page, name, text, sizeof(text)) == -1 || (*ns = duration(text)) < 0 ? -1 : 0;
}

int
prom_window(const char *page, int64_t now_ns, int64_t *oldest_ns, int64_t *newest_ns)
{
	char text[FLAG_MAX];
	double past, future, age;

	if (duration_flag(page, "retentionPeriod", &past) == -1)
		return -1;
	future = prom_flag(page, "futureRetention", text, sizeof(text)) == -1 ? 2 * DAY : duration(text);
	if (future < 0)
		return -1;
	if (duration_flag(page, "maxBackfillAge", &age) == 0 && age > 0 && age < past)
		past = age;
	/* The servers drop by the day or the month; what lives for less than that need not be sent. */
	*oldest_ns = past >= (double)now_ns ? 1 : now_ns - (int64_t)past;
	*newest_ns = future >= (double)(INT64_MAX - now_ns) ? INT64_MAX : now_ns + (int64_t)future;
	return 0;
}
