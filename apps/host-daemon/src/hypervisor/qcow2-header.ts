// What a qcow2 header says of other files, read from its bytes without opening the image: used to learn which files stand on
// which, for hundreds of images at once. Never used to open or to copy data. Source: docs/interop/qcow2.txt of qemu.
import { isPlainBackingName, resolveBacking } from "./image-path.ts";

/** Bytes from the start of a file that hold its header, extensions and backing name (they lie in the first cluster). */
export const HEADER_BYTES = 65_536;

const MAGIC = 0x51_46_49_fb;
const BACKING_FORMAT = 0xe2_79_2a_ca;
const DATA_FILE = 0x44_41_54_41;
const LONGEST_NAME = 1023;

/** Names in a header, as absolute paths where they are plain; a name with a protocol stays as it is. */
export type Qcow2Links = {
	readonly backing: string | null;
	readonly backingFormat: string | null;
	readonly dataFile: string | null;
};

const textAt = (bytes: Buffer, start: number, length: number): string =>
	bytes.subarray(start, start + length).toString("utf8");

const extensionsOf = (bytes: Buffer, start: number): ReadonlyMap<number, string> => {
	const found = new Map<number, string>();
	let at = start;
	while (at + 8 <= bytes.length) {
		const type = bytes.readUInt32BE(at);
		const length = bytes.readUInt32BE(at + 4);
		if (type === 0) break;
		found.set(type, textAt(bytes, at + 8, length));
		at += 8 + Math.ceil(length / 8) * 8;
	}
	return found;
};

/** The path that a name in a header means: plain, `file:PATH`, or the first path inside a `json:` description. */
const pathOf = (image: string, name: string): string => {
	if (isPlainBackingName(name)) return resolveBacking(image, name);
	if (name.startsWith("file:")) return resolveBacking(image, name.slice(5));
	return /"(\/[^"]*)"/.exec(name)?.[1] ?? name;
};

/** Reads the first bytes of a file; undefined when it is no qcow2. */
export const readQcow2Links = (image: string, bytes: Buffer): Qcow2Links | undefined => {
	if (bytes.length < 72 || bytes.readUInt32BE(0) !== MAGIC) return undefined;
	const version = bytes.readUInt32BE(4);
	const nameStart = Number(bytes.readBigUInt64BE(8));
	const nameLength = bytes.readUInt32BE(16);
	const named = nameStart > 0 && nameLength > 0 && nameLength <= LONGEST_NAME;
	const headerLength = version >= 3 && bytes.length >= 104 ? bytes.readUInt32BE(100) : 72;
	const extensions = extensionsOf(bytes, headerLength);
	const data = extensions.get(DATA_FILE);
	return {
		backing: named ? pathOf(image, textAt(bytes, nameStart, nameLength)) : null,
		backingFormat: extensions.get(BACKING_FORMAT) ?? null,
		dataFile: data === undefined ? null : pathOf(image, data),
	};
};
