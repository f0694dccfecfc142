/*
 * narrow: copy standard input to nowhere through a pipe of the usual size
 *
 * Programs of og enlarge the pipe they write to. Between them and cat a comparison needs pipes that are equal: this reader sets its own to
 * 64 KiB, or to the bytes given as operand, again and again, in case the writer comes later.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK (128 * 1024)

int
main(int argc, char *argv[])
{
	static char buf[CHUNK];
	int size = argc > 1 ? atoi(argv[1]) : 65536, reads = 0;
	ssize_t n;

	do {
		if (reads++ < 64)
			(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, size);
		n = read(STDIN_FILENO, buf, sizeof(buf));
	} while (n > 0);
	if (n == -1)
		err(1, "<stdin>");
	return 0;
}
