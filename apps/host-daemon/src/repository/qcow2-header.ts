// Reads the header of a qcow2 image from its first bytes. Source: docs/interop/qcow2.rst of qemu 7.2.

/** Bytes at the start of a layer that its header digest covers, and that are enough to read the header. */
export const HEADER_BYTES = 65_536;

const MAGIC = 0x514649fb;
const END = 0;
const BACKING_FORMAT = 0xe2792aca;
const LONGEST_BACKING = 1023;
const CORRUPT = 2n;
const DATA_FILE = 4n;

/** What the header of a qcow2 image says. */
export type Qcow2Header = {
	readonly version: 2 | 3;
	/** Bytes the guest sees. */
	readonly virtualSize: bigint;
	/** Backing file as the header names it; null for none. */
	readonly backing: string | null;
	/** Format of the backing file; null when the header does not name it and qemu would guess. */
	readonly backingFormat: string | null;
	readonly corrupt: boolean;
	/** The guest's data lies in a second file. */
	readonly dataFile: boolean;
};

type Parsed = { readonly header: Qcow2Header } | { readonly problem: string };

const text = (bytes: Buffer, from: number, length: number): string | undefined =>
	from + length <= bytes.length ? bytes.toString("utf8", from, from + length) : undefined;

/** The text of a header extension; null when there is none, undefined when the extensions cannot be read. */
const extension = (
	bytes: Buffer,
	start: number,
	end: number,
	wanted: number,
): string | null | undefined => {
	let at = start;
	while (at + 8 <= end) {
		const type = bytes.readUInt32BE(at);
		const length = bytes.readUInt32BE(at + 4);
		if (type === END) return null;
		if (at + 8 + length > end) return undefined;
		if (type === wanted) return text(bytes, at + 8, length);
		at += 8 + Math.ceil(length / 8) * 8;
	}
	return null;
};

const backingOf = (bytes: Buffer): string | null | undefined => {
	const offset = bytes.readBigUInt64BE(8);
	const size = bytes.readUInt32BE(16);
	if (offset === 0n) return null;
	if (size === 0 || size > LONGEST_BACKING || offset > BigInt(bytes.length)) return undefined;
	return text(bytes, Number(offset), size);
};

const lengthOf = (bytes: Buffer, version: 2 | 3): number =>
	version === 2 ? 72 : bytes.readUInt32BE(100);

/** The header in the first bytes of a file (give it up to HEADER_BYTES), or in words why it is none. */
export const parseQcow2Header = (data: Uint8Array): Parsed => {
	const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	if (bytes.length < 72 || bytes.readUInt32BE(0) !== MAGIC) return { problem: "is no qcow2 image" };
	const version = bytes.readUInt32BE(4);
	if (version !== 2 && version !== 3) return { problem: `is qcow2 of the version ${version}` };
	if (version === 3 && bytes.length < 104) return { problem: "has a torn qcow2 header" };
	const length = lengthOf(bytes, version);
	const backing = backingOf(bytes);
	const offset = bytes.readBigUInt64BE(8);
	const cluster = Math.min(bytes.length, 2 ** bytes.readUInt32BE(20));
	const end = offset > 0n && offset < BigInt(cluster) ? Number(offset) : cluster;
	const backingFormat = extension(bytes, length, end, BACKING_FORMAT);
	if (length < 72 || length > end || backing === undefined || backingFormat === undefined) {
		return { problem: "has a qcow2 header that cannot be read" };
	}
	const incompatible = version === 2 ? 0n : bytes.readBigUInt64BE(72);
	return {
		header: {
			version,
			virtualSize: bytes.readBigUInt64BE(24),
			backing,
			backingFormat,
			corrupt: (incompatible & CORRUPT) !== 0n,
			dataFile: (incompatible & DATA_FILE) !== 0n,
		},
	};
};
