/*
 * Files that are complete or not there, whatever ends the program or the machine: written under another name, put on the disk, renamed.
 */
#ifndef OG_FILE_H
#define OG_FILE_H

struct file {
	int fd;           /* to be written */
	char *path;       /* the name under which others will find it */
	const char *part; /* the one it has until then: `.NAME.part` in the same folder */
};

/*
 * Begin a file. What an earlier program left under its hidden name is written over; one that is still at it holds a lock.
 *   return   0, or -1 with errno: EWOULDBLOCK when another program writes it
 */
int file_open(struct file *, const char *path);
/* All is written: have it on the disk under its name, and free. 0; -1 with errno, and there is no such file, or the old one. */
int file_done(struct file *);
/* It is not wanted. errno stays. */
void file_drop(struct file *);
/* Have the names in the folder of this file on the disk. 0, or -1 with errno. */
int file_sync_folder(const char *path);

#endif
