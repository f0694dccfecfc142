/*
 * Calendar time in UTC, as microseconds since 1970-01-01T00:00:00Z (no leap seconds). Source: RFC 3339; civil calendar, Gregorian.
 */
#ifndef OG_CLOCK_H
#define OG_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_SECOND 1000000LL
#define CLOCK_MINUTE (60 * CLOCK_SECOND)
#define CLOCK_HOUR (60 * CLOCK_MINUTE)
#define CLOCK_DAY (24 * CLOCK_HOUR)

#define CLOCK_LEN 27 /* 2025-12-03T12:20:00.000000Z */

/*
 * "2025-12-03", "2025-12-03T12:20:00Z", fraction of any length (cut to microseconds), offset; years 1970 to 9999 in UTC, no second 60.
 *   return   0, or -1 when it is no such time
 */
int clock_parse(const char *s, size_t n, int64_t *us);
/* Exactly CLOCK_LEN bytes, no NUL; times outside the years 0 to 9999 are cut to them. */
void clock_format(char out[CLOCK_LEN], int64_t us);
/* Without a fraction when it is 0, else as above; a NUL at the end; returns the length. */
size_t clock_text(char out[CLOCK_LEN + 1], int64_t us);
/* "250ms" "15s" "5m" "1h" "2d" "1w"; a fraction is allowed ("1.5h"; cut to microseconds), a sign is not. 0 or -1. */
int clock_duration(const char *s, size_t n, int64_t *us);
/* One that samples are added up over: from a microsecond to 10000 days. 0; -1: it is none. */
int clock_interval(const char *text, int64_t *us);
/* Whole days since 1970-01-01, rounded down. */
int64_t clock_day(int64_t us);
/* 0 Monday ... 6 Sunday. */
int clock_weekday(int64_t day);
void clock_civil(int64_t day, int *year, int *month, int *mday); /* month and mday from 1 */
int64_t clock_from_civil(int year, int month, int mday);         /* in days */

#endif
