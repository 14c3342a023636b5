// What may be given to qemu as a file name (I9). An absolute path begins with a slash, so qemu sees neither an option nor a
// protocol in it, whatever colons, commas or braces follow (tried with qemu-img 7.2: create, info, convert, rebase, commit,
// compare, map, check, resize take such names as they are).
import { dirname, resolve } from "node:path";
import { KnibError } from "@knib/core";

/** The path itself when it is absolute; throws REFUSED otherwise. */
export const absolutePath = (path: string): string => {
	if (!path.startsWith("/") || path.includes("\0")) {
		throw new KnibError("REFUSED", `${JSON.stringify(path)} is no absolute path of an image`);
	}
	return path;
};

/** Whether a backing name in a header is a plain path: absolute, or relative without a protocol (`nbd:`, `json:`) before its first slash. */
export const isPlainBackingName = (name: string): boolean =>
	name !== "" && !name.includes("\0") && (name.startsWith("/") || !/^[^/]*:/.test(name));

/** A backing name as an absolute path, resolved against the directory of the image that names it. */
export const resolveBacking = (image: string, name: string): string =>
	resolve(dirname(image), name);
