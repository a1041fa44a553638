/*
 * tenant_keys_file.c
 *		The files that keys are read from.
 */
#include "tenant/tenant_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

/* Says in the server's log why there are no keys. */
void
steward_keys_file_refuse(const StewardKeysFile *file, const char *wrong)
{
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("file \"%s\" of setting \"%s\" does not hold keys", file->path, file->setting),
			 errdetail("%s", wrong)));
}

/*
 * Returns what makes a file one that others may have written, NULL if nothing;
 * where others can only read what is secret, the server's log has a warning.
 */
static const char *
check_file(const StewardKeysFile *file, int descriptor)
{
	struct stat status;
	char		path[MAXPGPATH];

	if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
		return "It is not a regular file.";
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return "The file belongs neither to the user that the server runs as nor to root.";
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "Others than its owner can write the file, and so be every tenant: chmod go-w.";

	/* nobody gets into the data directory */
	strlcpy(path, file->path, sizeof(path));
	canonicalize_path(path);
	if (file->secret && (status.st_mode & S_IROTH) != 0 &&
		!path_is_relative_and_below_cwd(path) && !path_is_prefix_of_path(DataDir, path))
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("everybody can read file \"%s\" of setting \"%s\"", file->path, file->setting),
				 errdetail("Whoever has a key can be every tenant."),
				 errhint("chmod o-r")));
	return NULL;
}

/*
 * Reads a file that only the server or root can have written into "text", which
 * ends with a zero byte then.  Returns its length, -1 after the server's log was
 * told what is wrong.
 */
int
steward_keys_file_read(const StewardKeysFile *file, char *text, size_t size)
{
	int			length = 0;
	int			descriptor = OpenTransientFile(file->path, O_RDONLY);
	const char *wrong;

	if (descriptor < 0)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" of setting \"%s\": %m", file->path, file->setting)));
		return -1;
	}
	wrong = check_file(file, descriptor);
	if (wrong == NULL)
	{
		length = read(descriptor, text, size);
		if (length < 0 || length == size)
			wrong = "The file cannot be read or is too long.";
		else if (memchr(text, '\0', length) != NULL)
			wrong = "The file contains a zero byte.";
	}
	CloseTransientFile(descriptor);
	if (wrong != NULL)
	{
		steward_keys_file_refuse(file, wrong);
		return -1;
	}
	text[length] = '\0';
	return length;
}
