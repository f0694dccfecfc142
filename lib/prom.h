/*
 * What a server tells of itself on a page in Prometheus' text format, such as /metrics of the Victoria family and of ClickHouse.
 * A page ends with a NUL; series stand in it at the beginnings of lines.
 */
#ifndef OG_PROM_H
#define OG_PROM_H

#include <stddef.h>
#include <stdint.h>

/* The value of a series, written as the page writes it: `vm_rows_inserted_total{type="vmimport"}`. 0, or -1 when it is not there. */
int prom_value(const char *page, const char *series, double *value);
/*
 * The sum over all series of a name, or over those that have a label: `type="vmimport"`. NULL: any labels, or none.
 *   return   NaN when there is no such series
 */
double prom_sum(const char *page, const char *name, const char *label);
/* A flag of the command line, from `flag{name="...", value="..."}`, without escapes and with a NUL. 0; -1: not there, or too long. */
int prom_flag(const char *page, const char *flag, char *to, size_t size);
/* When the server started, in seconds since 1970: another value is another process. 0 or -1. */
int prom_start(const char *page, double *seconds);
/*
 * Which times a server of the Victoria family keeps: ns since 1970, from retentionPeriod, futureRetention (2 days in versions that do not
 * have the flag) and maxBackfillAge. 0, or -1 when it does not tell.
 */
int prom_window(const char *page, int64_t now_ns, int64_t *oldest_ns, int64_t *newest_ns);

#endif
