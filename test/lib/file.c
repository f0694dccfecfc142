/* Files are complete or not there: what others see before the end, after it, after a failure, and what an earlier program left. */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "tap.h"

static struct tap t;

static int
holds(const char *path, const char *want)
{
	char text[64];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		return 0;
	n = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	return n == strlen(want) && memcmp(text, want, n) == 0;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF || chmod(path, mode) == -1)
		exit(2);
}

static void
test_life(void)
{
	struct file f;
	struct stat st;

	put("a", "old", 0600);
	put(".a.part", "left by an earlier program", 0644);
	(void)umask(027);
	tap(&t, file_open(&f, "a") == 0 && strcmp(f.path, "a") == 0 && strcmp(f.part, ".a.part") == 0, "a file has another name");
	tap(&t, write(f.fd, "new", 3) == 3 && holds("a", "old") && holds(".a.part", "new"), "the old one is there until the end");
	tap(&t, file_done(&f) == 0 && holds("a", "new") && access(".a.part", F_OK) == -1, "then the new one is");
	tap(&t, stat("a", &st) == 0 && (st.st_mode & 07777) == 0640, "with the mode of now");
	tap(&t, file_open(&f, "./a") == 0 && strcmp(f.part, "./.a.part") == 0, "in the same folder");
	errno = ENOSPC;
	file_drop(&f);
	tap(&t, errno == ENOSPC && holds("a", "new") && access(".a.part", F_OK) == -1, "what is dropped leaves the old one");
}

static void
test_failures(void)
{
	struct file f;
	int fd;

	errno = 0;
	tap(&t, file_open(&f, "none/a") == -1 && errno == ENOENT, "no folder");
	if (mkdir("dir", 0777) == -1 || symlink("a", ".b.part") == -1 || mkfifo(".c.part", 0666) == -1)
		exit(2);
	tap(&t, file_open(&f, "dir") == 0 && file_done(&f) == -1 && errno == EISDIR && access(".dir.part", F_OK) == -1,
	    "a folder of that name stays, and nothing else");
	tap(&t, file_open(&f, "b") == -1 && errno == ELOOP && holds("a", "new"), "a link is not followed");
	tap(&t, file_open(&f, "c") == -1, "nobody waits for a pipe");
	if ((fd = open(".a.part", O_WRONLY | O_CREAT, 0666)) == -1 || flock(fd, LOCK_EX) == -1)
		exit(2);
	tap(&t, file_open(&f, "a") == -1 && errno == EWOULDBLOCK, "one program at a time");
	(void)close(fd);
	tap(&t, file_open(&f, "a") == 0 && file_done(&f) == 0 && holds("a", ""), "and then the next");
}

int
main(void)
{
	char dir[] = "/tmp/og-file.XXXXXX";

	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return 2;
	test_life();
	test_failures();
	tap(&t, unlink("a") == 0 && unlink(".b.part") == 0 && unlink(".c.part") == 0 && rmdir("dir") == 0, "all else is as it was");
	tap(&t, rmdir(dir) == 0, "nothing else is left");
	return tap_end(&t);
}
