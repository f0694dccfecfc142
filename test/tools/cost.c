/*
 * cost: run a command and say what it cost
 *
 *	cost COMMAND [ARGUMENT...]
 *
 * Its standard output goes to /dev/null; standard output is then "CPU MEMORY": milliseconds of user and system time together, and the most memory it
 * held, in KiB. Exits as the command did.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static long
ms(struct timeval t)
{
	return (long)t.tv_sec * 1000 + (long)t.tv_usec / 1000;
}

int
main(int argc, char *argv[])
{
	struct rusage use;
	int status, fd;
	pid_t pid;

	if (argc < 2)
		errx(2, "usage: cost command [argument ...]");
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		if ((fd = open("/dev/null", O_WRONLY)) == -1 || dup2(fd, STDOUT_FILENO) == -1)
			err(1, "/dev/null");
		(void)execvp(argv[1], argv + 1);
		err(1, "%s", argv[1]);
	}
	if (waitpid(pid, &status, 0) == -1 || getrusage(RUSAGE_CHILDREN, &use) == -1)
		err(1, NULL);
	(void)printf("%ld %ld\n", ms(use.ru_utime) + ms(use.ru_stime), use.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
