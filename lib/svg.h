/*
 * Pictures as text: markup with its names escaped, axes with round ticks, times and numbers as people read them.
 */
#ifndef OG_SVG_H
#define OG_SVG_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"

#define SVG_TICKS 64 /* of an axis, at most */
#define SVG_LABEL 32 /* bytes of a label, NUL included */

/* Text of any bytes, so that it is nothing but text in HTML and in attributes: & < > " ' escaped, control characters blank. */
void svg_text(struct out *, const char *s, size_t n);
/* Markup of our own, as printf(3) formats it, at most 4096 bytes of it. */
__attribute__((format(printf, 2, 3))) void svg_put(struct out *, const char *fmt, ...);

/* Values from lo to hi fall between the places from and to, which may be upside down. A logarithmic one has lo > 0. */
struct svg_axis {
	double lo, hi, from, to;
	int log;
};
double svg_at(const struct svg_axis *, double value);

/*
 * Round values within lo and hi, about `want` of them: multiples of 1, 2 or 5 times a power of ten; for a logarithm 1, 2 and 5 of each
 * power or, when that is more than twice as many, powers alone. Their number.
 */
int svg_ticks(const struct svg_axis *, int want, double tick[SVG_TICKS]);
/* A linear axis from 0 whose end is a round value not below `top`. */
struct svg_axis svg_from_zero(double top, double from, double to);
/* A logarithmic one around both, whose ends are 1, 2 or 5 times a power of ten. */
struct svg_axis svg_around(double least, double most, double from, double to);

/* Moments within lo and hi (us), about `want`: whole minutes, hours, days, weeks from Monday, months or years in UTC. */
int svg_times(int64_t lo, int64_t hi, int want, int64_t tick[SVG_TICKS], int64_t *step);
/* "12:30" or "3 Dec", "Dec 2025" as the step asks for; midnight says the day. */
void svg_time(char label[SVG_LABEL], int64_t us, int64_t step);
/* "2025-12-03 12:30" */
void svg_moment(char label[SVG_LABEL], int64_t us);
/* Three digits at least: "0.25", "1,234", "12.3 M". */
void svg_number(char label[SVG_LABEL], double value);
/* All digits of a whole number, in groups of three. */
void svg_whole(char label[SVG_LABEL], uint64_t value);

#endif
