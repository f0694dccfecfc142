#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "say.h"

static _Noreturn void
end(int status)
{
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

_Noreturn void
say_usage(const char *usage, const char *help, int status)
{
	(void)fputs(usage, status == 0 ? stdout : stderr);
	if (status == 0)
		(void)fputs(help, stdout);
	end(status);
}

_Noreturn void
say_version(const char *program)
{
	(void)printf("%s " OG_VERSION "\n", program);
	end(0);
}
