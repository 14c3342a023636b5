// The little of DER that is read by hand: what a stranger sends must cost time in proportion to its length, however deep it nests.

/** One element of DER. */
export type Element = { readonly tag: number; readonly content: Uint8Array };

/** A length of more bytes is longer than anything that is read here. */
const MOST_LENGTH_BYTES = 3;

const readLength = (
	bytes: Uint8Array,
	at: number,
): { length: number; begin: number } | undefined => {
	const first = bytes[at];
	if (first === undefined) return undefined;
	if (first < 0x80) return { length: first, begin: at + 1 };
	const count = first - 0x80;
	if (count === 0 || count > MOST_LENGTH_BYTES || at + count >= bytes.length) return undefined;
	const length = bytes.subarray(at + 1, at + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0);
	return { length, begin: at + 1 + count };
};

/** The elements that stand beside each other; undefined when the bytes are not just some of them. */
export const readElements = (bytes: Uint8Array): readonly Element[] | undefined => {
	const elements: Element[] = [];
	let at = 0;
	while (at < bytes.length) {
		const found = readLength(bytes, at + 1);
		const tag = bytes[at] ?? 0;
		if (found === undefined || found.begin + found.length > bytes.length) return undefined;
		const end = found.begin + found.length;
		elements.push({ tag, content: bytes.subarray(found.begin, end) });
		at = end;
	}
	return elements;
};

/** An element of less than 64 KiB. */
export const writeElement = (tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> => {
	const { length } = content;
	const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Uint8Array.of(tag, ...(length < 0x80 ? [length] : long), ...content);
};
