/* Times and durations: whatever is accepted can be written and read back as the same. */
#include "clock.h"
#include "fuzz.h"

static void
round_trip(int64_t us)
{
	char full[CLOCK_LEN], text[CLOCK_LEN + 1];
	int year, month, mday;
	int64_t back;
	size_t n;

	clock_format(full, us);
	must(clock_parse(full, CLOCK_LEN, &back) == 0 && back == us);
	n = clock_text(text, us);
	must(strlen(text) == n && clock_parse(text, n, &back) == 0 && back == us);
	clock_civil(clock_day(us), &year, &month, &mday);
	must(clock_from_civil(year, month, mday) == clock_day(us));
	must(clock_weekday(clock_day(us)) == (int)((clock_day(us) + 3) % 7));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = exact(data, size);
	int64_t us, length;

	if (clock_parse(s, size, &us) == 0 && us >= 0)
		round_trip(us);
	if (clock_duration(s, size, &length) == 0)
		must(length >= 0);
	/* The first bytes as a moment of the years 1970 to 9999. */
	if (size >= sizeof(us)) {
		memcpy(&us, s, sizeof(us));
		round_trip((int64_t)((uint64_t)us % (uint64_t)(2932897 * CLOCK_DAY)));
	}
	free(s);
	return 0;
}
