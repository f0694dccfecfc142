#include <string.h>

#include "clock.h"

/* The calendar repeats after 400 years. Counted from March on, the leap day is the last of its year. */
#define DAYS_400_YEARS 146097
#define MARCH_0000 719468 /* days from 0000-03-01 to 1970-01-01 */

#define YEAR_MIN 1970
#define YEAR_MAX 9999
#define US_MIN (-719528 * CLOCK_DAY) /* 0000-01-01T00:00:00Z */
#define US_END (2932897 * CLOCK_DAY) /* 10000-01-01T00:00:00Z */
#define INTERVAL_MAX (10000 * CLOCK_DAY)

static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
			    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Division rounded down. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
clock_day(int64_t us)
{
	return floor_div(us, CLOCK_DAY);
}

int
clock_weekday(int64_t day)
{
	int w;

	w = (int)(day % 7) + 3; /* 1970-01-01 was a Thursday */
	return w < 0 ? w + 7 : w % 7;
}

/* Date of a day counted from 1 March of a year that 400 divides; the year from that one. */
static void
civil(uint32_t day, int *year, int *month, int *mday)
{
	uint32_t quarter, century, rest, yday, m;

	/* In quarters of a day a century is 146097 long, a year of it 1461. */
	quarter = 4 * day + 3;
	century = quarter / 146097;
	rest = quarter % 146097 | 3;
	yday = rest % 1461 / 4;
	/* From March on 153 days in every 5 months. */
	m = (5 * yday + 2) / 153;
	*mday = (int)(yday - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(century * 100 + rest / 1461 + (m >= 10));
}

void
clock_civil(int64_t day, int *year, int *month, int *mday)
{
	int64_t era;

	era = floor_div(day + MARCH_0000, DAYS_400_YEARS);
	civil((uint32_t)(day + MARCH_0000 - era * DAYS_400_YEARS), year, month, mday);
	*year += (int)era * 400;
}

int64_t
clock_from_civil(int year, int month, int mday)
{
	int64_t y, era, in_era;
	int m;

	y = month > 2 ? year : (int64_t)year - 1;
	m = month > 2 ? month - 3 : month + 9;
	era = floor_div(y, 400);
	in_era = y - era * 400;
	return era * DAYS_400_YEARS + in_era * 365 + in_era / 4 - in_era / 100 + (153 * m + 2) / 5 + mday - 1 - MARCH_0000;
}

static void
put_pair(char *out, uint32_t v)
{
	memcpy(out, pairs + 2 * v, 2);
}

void
clock_format(char out[CLOCK_LEN], int64_t us)
{
	uint64_t from, rest;
	uint32_t seconds, part;
	int year, month, mday;

	/* What has no year of four digits is cut to the nearest that has. */
	if (us < US_MIN)
		us = US_MIN;
	if (us >= US_END)
		us = US_END - 1;
	/* One round of the calendar more, to stay above 0. */
	from = (uint64_t)(us + (MARCH_0000 + DAYS_400_YEARS) * CLOCK_DAY);
	rest = from % CLOCK_DAY;
	civil((uint32_t)(from / CLOCK_DAY), &year, &month, &mday);
	year -= 400;
	seconds = (uint32_t)(rest / CLOCK_SECOND);
	part = (uint32_t)(rest % CLOCK_SECOND);
	out[4] = out[7] = '-';
	out[10] = 'T';
	out[13] = out[16] = ':';
	out[19] = '.';
	out[26] = 'Z';
	put_pair(out, (uint32_t)year / 100);
	put_pair(out + 2, (uint32_t)year % 100);
	put_pair(out + 5, (uint32_t)month);
	put_pair(out + 8, (uint32_t)mday);
	put_pair(out + 11, seconds / 3600);
	put_pair(out + 14, seconds / 60 % 60);
	put_pair(out + 17, seconds % 60);
	put_pair(out + 20, part / 10000);
	put_pair(out + 22, part / 100 % 100);
	put_pair(out + 24, part % 100);
}

size_t
clock_text(char out[CLOCK_LEN + 1], int64_t us)
{
	size_t n;

	clock_format(out, us);
	n = CLOCK_LEN;
	if (memcmp(out + 20, "000000", 6) == 0) {
		out[19] = 'Z';
		n = 20;
	}
	out[n] = '\0';
	return n;
}

/* The number that two digits make, or one so far below 0 that a year with it is, too. */
static inline int
pair(const char *s)
{
	unsigned int a = (unsigned char)s[0] - (unsigned int)'0', b = (unsigned char)s[1] - (unsigned int)'0';

	return a > 9 || b > 9 ? -10000 : (int)(a * 10 + b);
}

/* Of six digits, or -1. */
static inline int
six(const char *s)
{
	int a = pair(s), b = pair(s + 2), c = pair(s + 4);

	return (a | b | c) < 0 ? -1 : (a * 100 + b) * 100 + c;
}

static int
month_days(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* "2025-12-03", 10 bytes, in days. 0 or -1. */
static int
parse_date(const char *s, int64_t *day)
{
	int year, month, mday;

	year = pair(s) * 100 + pair(s + 2);
	month = pair(s + 5);
	mday = pair(s + 8);
	if (year < YEAR_MIN || month < 1 || month > 12 || mday < 1 || mday > month_days(year, month) || s[4] != '-' || s[7] != '-')
		return -1;
	*day = clock_from_civil(year, month, mday);
	return 0;
}

/* "Z", "+hh:mm" or "-hh:mm", in minutes. 0 or -1. */
static int
parse_offset(const char *s, size_t n, int *minutes)
{
	int h, m;

	*minutes = 0;
	if (n == 1 && (s[0] == 'Z' || s[0] == 'z'))
		return 0;
	if (n != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':')
		return -1;
	h = pair(s + 1);
	m = pair(s + 4);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return -1;
	*minutes = s[0] == '-' ? -(60 * h + m) : 60 * h + m;
	return 0;
}

/* "T12:20:00", perhaps a fraction, and an offset: microseconds to add to the date. 0 or -1. */
static int
parse_time(const char *s, size_t n, int64_t *us)
{
	int64_t scale;
	size_t i;
	int h, m, sec, offset, millionths;

	if (n < 10 || (s[0] != 'T' && s[0] != 't') || s[3] != ':' || s[6] != ':')
		return -1;
	h = pair(s + 1);
	m = pair(s + 4);
	sec = pair(s + 7);
	if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59)
		return -1;
	*us = (h * 3600 + m * 60 + sec) * CLOCK_SECOND;
	i = 9;
	if (s[i] == '.') {
		scale = CLOCK_SECOND;
		i++;
		if (n - i > 6 && (millionths = six(s + i)) >= 0) {
			*us += millionths;
			scale = 1;
			i += 6;
		}
		for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
			scale /= 10;
			*us += (s[i] - '0') * scale;
		}
		if (i == 10)
			return -1;
	}
	if (parse_offset(s + i, n - i, &offset) == -1)
		return -1;
	*us -= offset * CLOCK_MINUTE;
	return 0;
}

int
clock_parse(const char *s, size_t n, int64_t *us)
{
	int64_t day, time;

	time = 0;
	if (n < 10 || parse_date(s, &day) == -1 || (n > 10 && parse_time(s + 10, n - 10, &time) == -1))
		return -1;
	/* An offset may lead out of the years that are allowed. */
	time += day * CLOCK_DAY;
	if (time < 0 || time >= US_END)
		return -1;
	*us = time;
	return 0;
}

/* Microseconds of the unit that the n bytes name; 0 for none. */
static int64_t
unit(const char *s, size_t n)
{
	if (n == 2 && memcmp(s, "ms", 2) == 0)
		return CLOCK_SECOND / 1000;
	if (n != 1)
		return 0;
	switch (s[0]) {
	case 's':
		return CLOCK_SECOND;
	case 'm':
		return CLOCK_MINUTE;
	case 'h':
		return CLOCK_HOUR;
	case 'd':
		return CLOCK_DAY;
	case 'w':
		return 7 * CLOCK_DAY;
	default:
		return 0;
	}
}

static size_t
count_digits(const char *s, size_t n)
{
	size_t i;

	i = 0;
	while (i < n && s[i] >= '0' && s[i] <= '9')
		i++;
	return i;
}

int
clock_duration(const char *s, size_t n, int64_t *us)
{
	int64_t scale, whole, part;
	size_t i, point, end;

	point = count_digits(s, n);
	end = point;
	if (end < n && s[end] == '.')
		end += 1 + count_digits(s + end + 1, n - end - 1);
	if (point == 0 || end == point + 1)
		return -1;
	scale = unit(s + end, n - end);
	if (scale == 0)
		return -1;
	whole = 0;
	for (i = 0; i < point; i++) {
		whole = whole * 10 + (s[i] - '0');
		if (whole > INT64_MAX / scale - 1)
			return -1;
	}
	/* From the last digit on, so that what is cut off is below a microsecond. */
	part = 0;
	for (i = end; i-- > point + 1;)
		part = ((s[i] - '0') * scale + part) / 10;
	*us = whole * scale + part;
	return 0;
}

int
clock_interval(const char *text, int64_t *us)
{
	return clock_duration(text, strlen(text), us) == -1 || *us < 1 || *us > INTERVAL_MAX ? -1 : 0;
}
