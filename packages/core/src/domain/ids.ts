import { z } from "zod";

/** A UUID in its canonical lower-case form; ids that knib makes are UUIDv7, a VM's uuid is libvirt's. */
export const uuidSchema = z
	.string()
	.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "not a uuid");

/** An instant as ISO 8601 in UTC, with milliseconds. */
export const instantSchema = z.iso.datetime({ precision: 3 });

/** A SHA-256 digest in lower-case hex. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "not a sha256 digest");

/** A count of bytes. */
export const bytesSchema = z.number().int().nonnegative();

/** The name of a disk in its VM, such as `vda`. Restricted, since it becomes a file name in the repository. */
export const targetSchema = z.string().regex(/^[a-z][a-z0-9]{1,15}$/, "not a disk target");

/** The last 8 digits of an id: how lists show it. */
export const shortId = (id: string): string => id.slice(-8);

/** The members whose id starts or ends with `text`; the whole id always wins. Fewer than 4 characters match nothing but a whole id. */
export const matchIds = <T>(
	all: readonly T[],
	text: string,
	idOf: (item: T) => string,
): readonly T[] => {
	const wanted = text.toLowerCase();
	const exact = all.filter((item) => idOf(item) === wanted);
	if (exact.length > 0) return exact;
	if (wanted.length < 4) return [];
	return all.filter((item) => idOf(item).startsWith(wanted) || idOf(item).endsWith(wanted));
};
