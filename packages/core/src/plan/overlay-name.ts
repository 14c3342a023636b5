// How knib's overlays are named, so that they are known by their name and by what they stand on, and found again after a crash.

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const SUFFIX = new RegExp(`\\.knib-(${UUID})\\.qcow2$`);
const SHORT = new RegExp(`/knib-(${UUID})-[a-z0-9]+\\.qcow2$`);

/** The longest file name that common file systems take, bytes; names count as UTF-8. */
const LONGEST_NAME = 255;

const utf8Length = (text: string): number => {
	let length = 0;
	for (const char of text) {
		const code = char.codePointAt(0) ?? 0;
		length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	}
	return length;
};

/** Path of the overlay that a backup puts on a disk: `<base>.knib-<backup id>.qcow2` beside the disk's own image, or a short name in `directory` for a block device. */
export const overlayPath = (
	image: string,
	target: string,
	backup: string,
	directory?: string,
): string => {
	const root = image.replace(SUFFIX, "");
	const slash = root.lastIndexOf("/");
	const folder = directory ?? root.slice(0, slash);
	const name = `${root.slice(slash + 1)}.knib-${backup}.qcow2`;
	if (directory === undefined && !SHORT.test(image) && utf8Length(name) <= LONGEST_NAME) {
		return `${folder}/${name}`;
	}
	return `${folder}/knib-${backup}-${target}.qcow2`;
};

/** The id of the backup that made an overlay; undefined for a file that is none of ours. */
export const overlayBackup = (path: string): string | undefined =>
	SUFFIX.exec(path)?.[1] ?? SHORT.exec(path)?.[1];

/** Whether a path has the form of one of knib's overlays. */
export const isOverlayName = (path: string): boolean => overlayBackup(path) !== undefined;
